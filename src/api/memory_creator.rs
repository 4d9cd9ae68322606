//! Memories whose bytes the host provides.

use crate::config::{HostMemory, MemoryCreator as Functions, MemoryRequest};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

/// Who makes the memories of an engine: see [`Config::memory_creator`](super::Config::memory_creator). Called
/// on any thread that uses one of its stores. A panic counts as a refusal.
pub trait MemoryCreator: Send + Sync {
    /// A memory as wanted, or none.
    fn create(&self, wanted: WantedMemory) -> Option<Box<dyn CreatedMemory>>;
}

/// What a [`MemoryCreator`] is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WantedMemory {
    /// Bytes at first.
    pub size: usize,
    /// Bytes that it may ever have; at most as many are asked for.
    pub maximum: u64,
    /// What its address must be a multiple of, a power of two.
    pub alignment: usize,
    /// Whether its address must never change.
    pub pinned: bool,
}

/// What a [`MemoryCreator`] makes. Dropped with the memory that it is the bytes of.
///
/// # Safety
/// The bytes from [`CreatedMemory::as_ptr`] on, as many as were asked for last, can be read and written until the value is
/// dropped, and nobody else does so. They were zero at first. Where `grow` gives false, or panics, nothing has changed.
pub unsafe trait CreatedMemory: Send {
    /// The address of the first byte, aligned as was asked for. It changes in [`CreatedMemory::grow`] only, and never if the memory
    /// was wanted pinned.
    fn as_ptr(&self) -> *mut u8;

    /// Makes it larger: what it holds stays, what is new is zero. False if it cannot; then nothing has changed.
    fn grow(&mut self, old_size: usize, new_size: usize) -> bool;
}

type Creator = Arc<dyn MemoryCreator>;
type Created = Box<dyn CreatedMemory>;

/// A creator as the runtime takes it.
pub(super) fn functions(creator: Creator) -> Arc<Functions> {
    let env = Box::into_raw(Box::new(creator)).cast();
    Arc::new(Functions { allocate, grow, free, env, finalizer: Some(drop_creator) })
}

/// `work`, which refuses if it panics.
fn refusing(work: impl FnOnce() -> bool) -> bool {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        // A payload could panic again when dropped.
        std::mem::forget(panic);
        false
    })
}

unsafe extern "C" fn allocate(env: *mut c_void, request: *const MemoryRequest, out: *mut HostMemory) -> bool {
    // SAFETY: called by the runtime, with what `functions` gave it and variables of its own.
    let (creator, request, out) = unsafe { (&*env.cast::<Creator>(), &*request, &mut *out) };
    let wanted = WantedMemory {
        size: request.size as usize,
        maximum: request.maximum,
        alignment: request.alignment as usize,
        pinned: request.pinned,
    };
    refusing(|| {
        let Some(created) = creator.create(wanted) else { return false };
        out.data = created.as_ptr();
        out.handle = Box::into_raw(Box::new(created)).cast();
        true
    })
}

unsafe extern "C" fn grow(_: *mut c_void, memory: *mut HostMemory, old_size: u64, new_size: u64) -> bool {
    // SAFETY: called by the runtime, with what `allocate` gave it.
    let (memory, created) = unsafe { (&mut *memory, &mut *(*memory).handle.cast::<Created>()) };
    refusing(|| {
        let grown = created.grow(old_size as usize, new_size as usize);
        memory.data = created.as_ptr();
        grown
    })
}

unsafe extern "C" fn free(_: *mut c_void, memory: *mut HostMemory, _: u64) {
    // SAFETY: called once by the runtime, with what `allocate` gave it.
    let created = unsafe { Box::from_raw(ptr::replace(&raw mut (*memory).handle, ptr::null_mut()).cast::<Created>()) };
    refusing(|| {
        drop(created);
        true
    });
}

unsafe extern "C" fn drop_creator(env: *mut c_void) {
    // SAFETY: called once, with what `functions` gave to the runtime.
    let creator = unsafe { Box::from_raw(env.cast::<Creator>()) };
    refusing(|| {
        drop(creator);
        true
    });
}
