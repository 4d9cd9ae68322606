//! Memories (specification: Runtime Structure, Memory Instances).

use super::byte::byte_t;
use super::error::{self, Kind, tenon_error_t};
use super::handle::{self, Counted, Handle, Lent, entered, noun, required};
use super::memory64::saturated;
use super::memorytype::wasm_memorytype_t;
use super::own::Own;
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use crate::runtime::growth::GrowError;
use crate::runtime::memory::{Memory, most_pages};
use crate::runtime::object::ObjectKind;
use crate::types::MemoryType;
use std::ffi::c_void;
use std::ptr;

/// A memory.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_memory_t(Memory);
noun!(wasm_memory_t, ObjectKind::Memory);

impl wasm_memory_t {
    /// The memory.
    pub(crate) fn memory(&self) -> &Memory {
        &self.0
    }
}

/// Gives up a reference to a memory; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_delete(memory: Handle<wasm_memory_t>) {
    drop(memory);
}

/// Makes another reference to the same memory. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_copy(memory: Option<&wasm_memory_t>) -> Handle<wasm_memory_t> {
    handle::copy(memory)
}

/// Whether two references are to the same memory. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_same(memory: Option<&wasm_memory_t>, other: Option<&wasm_memory_t>) -> bool {
    handle::same(memory, other)
}

/// The host's information about the memory: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_get_host_info(memory: Option<&wasm_memory_t>) -> *mut c_void {
    handle::get_host_info(memory, "wasm_memory_get_host_info")
}

/// Attaches information of the host to the memory. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_set_host_info(memory: Lent<wasm_memory_t>, info: *mut c_void) {
    handle::set_host_info(memory, info, None, "wasm_memory_set_host_info");
}

/// Attaches information of the host to the memory. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the memory dies.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_set_host_info_with_finalizer(
    memory: Lent<wasm_memory_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(memory, info, finalizer, "wasm_memory_set_host_info_with_finalizer");
}

/// Sees a memory as a reference. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_as_ref(memory: Lent<wasm_memory_t>) -> Lent<wasm_ref_t> {
    handle::see(memory)
}

/// Sees a reference as a memory. The same object: nothing changes hands. With NULL, or a reference to something
/// else: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_memory(reference: Lent<wasm_ref_t>) -> Lent<wasm_memory_t> {
    handle::see(reference)
}

/// `wasm_memory_as_ref` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_as_ref_const(memory: Option<&wasm_memory_t>) -> Option<&wasm_ref_t> {
    handle::see_const(memory)
}

/// `wasm_ref_as_memory` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_memory_const(reference: Option<&wasm_ref_t>) -> Option<&wasm_memory_t> {
    handle::see_const(reference)
}

/// A number of pages.
pub type wasm_memory_pages_t = u32;

/// Makes a memory of the host.
pub(crate) fn new(
    function: &str,
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_memorytype_t>,
) -> Result<Counted<wasm_memory_t>, tenon_error_t> {
    error::attempt(function, || {
        let store = store.entered(function)?;
        let Some(ty) = required(ty, function, "the type")?.to_ty() else {
            let message = format_args!("{function}: the type is not one of a memory");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        };
        // SAFETY: a new memory comes with a handle.
        unsafe { Counted::take(Memory::new(store, *ty)?) }.ok_or_else(error::last)
    })
}

/// Adds pages to a memory. Gives how many it had.
pub(crate) fn grow(function: &str, memory: Option<&wasm_memory_t>, delta: u64) -> Result<u64, tenon_error_t> {
    error::attempt(function, || {
        let memory = entered(memory, function, "the memory")?;
        // What the host is asked about lives until it has answered.
        let _held = memory.0.store().growth().is_watched().then(|| Counted::of(memory));
        memory.0.grow(delta).map_err(|reason| cannot_grow(function, &memory.0.ty(), delta, reason))
    })
}

/// The failure to add pages to a memory, whose type is given with its size.
pub(crate) fn cannot_grow(function: &str, ty: &MemoryType, delta: u64, reason: GrowError) -> tenon_error_t {
    let (size, most) = (ty.limits.min, most_pages(ty));
    let message =
        format_args!("{function}: a memory of {size} pages, which may have {most}, cannot grow by {delta}: {reason}");
    let error = tenon_error_t::new(reason.kind().into(), message);
    reason.forget();
    error
}

/// Makes a memory, filled with zeros. NULL if the limits are impossible, if a limit of the store would be exceeded, where memory
/// or address space has run out, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_new(store: Lent<wasm_store_t>, ty: Option<&wasm_memorytype_t>) -> Handle<wasm_memory_t> {
    error::keep(new("wasm_memory_new", store, ty))
}

/// The type, with the size that the memory has now as its minimum. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_type(memory: Option<&wasm_memory_t>) -> Own<wasm_memorytype_t> {
    wasm_memorytype_t::from_ty(&memory?.0.ty())
}

/// The address of the first byte. All bytes can be used until the memory grows, in calls of the system as well. A growth, by the
/// host or by WebAssembly code, may move the memory: ask again after each call. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_data(memory: Lent<wasm_memory_t>) -> *mut byte_t {
    memory.get().map_or(ptr::null_mut(), |memory| memory.0.base().cast())
}

/// The size in bytes. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_data_size(memory: Option<&wasm_memory_t>) -> usize {
    memory.map_or(0, |memory| {
        // Who asks for bytes is about to use them, perhaps behind an address of a memory that does not move.
        let _settled = memory.0.base();
        memory.0.length()
    })
}

/// The size in pages, for which `tenon_memory_size` has more bits: what 32 bits cannot hold reads as the largest number that
/// they can. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_size(memory: Option<&wasm_memory_t>) -> wasm_memory_pages_t {
    memory.map_or(0, |memory| saturated("wasm_memory_size", "the number of pages", memory.0.pages()))
}

/// Adds `delta` pages, filled with zeros. False, and nothing changes, if the type's maximum or a limit of the store would be
/// exceeded, where memory has run out, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_grow(memory: Lent<wasm_memory_t>, delta: wasm_memory_pages_t) -> bool {
    error::keep(grow("wasm_memory_grow", memory.get(), delta.into())).is_some()
}
