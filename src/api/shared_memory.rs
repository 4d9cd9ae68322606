//! Shared memories (the threads proposal): what stores on several threads use at the same time.

use super::context::AsContextMut;
use super::data::WasmData;
use super::engine::Engine;
use super::error::Error;
use super::handle::Handle;
use super::memory::{Memory, cannot_grow, outside};
use crate::runtime::parking::{self, Expected};
use crate::runtime::{memory, shared_memory};
use crate::types::MemoryType;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// A memory that belongs to no store, and that stores of its engine on any thread can use at the same time. Cheap to clone.
///
/// Reads and writes are atomic byte by byte, not as a whole: whoever needs more uses the atomic instructions on both sides,
/// or [`SharedMemory::bytes`], and [`SharedMemory::wait32`] and [`SharedMemory::notify`].
///
/// ```
/// use tenon::{Engine, Limits, MemoryType, SharedMemory, Store};
/// use std::sync::atomic::Ordering;
///
/// let engine = Engine::default();
/// let ty = MemoryType { shared: true, ..MemoryType::new32(Limits { min: 1, max: Some(4) }) };
/// let shared = SharedMemory::new(&engine, ty)?;
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         let shared = shared.clone();
///         scope.spawn(move || shared.bytes()[0].fetch_add(1, Ordering::Relaxed));
///     }
/// });
/// let mut store = Store::new(&engine, ());
/// let memory = shared.memory(&mut store)?;
/// assert_eq!(memory.read_value::<u8>(&store, 0)?, 2);
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SharedMemory(pub(super) Arc<shared_memory::SharedMemory>);

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Somebody notified.
    Notified,
    /// Something else was there: no wait.
    NotEqual,
    /// Nobody did in time.
    TimedOut,
}

impl SharedMemory {
    /// A shared memory, filled with zeros. The type must be one of a shared memory, which has a maximum.
    pub fn new(engine: &Engine, ty: MemoryType) -> Result<SharedMemory, Error> {
        Ok(SharedMemory(shared_memory::SharedMemory::new(engine.0.clone(), ty)?))
    }

    /// It as a memory of a store of the same engine: what can be imported there.
    pub fn memory(&self, mut store: impl AsContextMut) -> Result<Memory, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        core.enter()?;
        let made = memory::Memory::of_shared(core.store(), self.0.clone())?;
        // SAFETY: a new memory comes with a count.
        Ok(Memory(unsafe { Handle::owning(core, made) }))
    }

    /// Whether both are the same memory.
    pub fn same(&self, other: &SharedMemory) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The type, with the current size as its minimum.
    pub fn ty(&self) -> MemoryType {
        self.0.ty()
    }

    /// The size in pages. It may be more at once.
    pub fn size(&self) -> u64 {
        self.0.pages()
    }

    /// The size in bytes. It may be more at once.
    pub fn data_size(&self) -> usize {
        self.0.length()
    }

    /// Adds `delta` pages. Gives the size before, in pages.
    pub fn grow(&self, delta: u64) -> Result<u64, Error> {
        self.0.grow(delta).map_err(|reason| cannot_grow(None, &self.ty(), delta, reason))
    }

    /// The bytes that the memory has now, for atomic access. It never moves; after a growth there are more.
    pub fn bytes(&self) -> &[AtomicU8] {
        // SAFETY: these bytes are there as long as the memory, and everybody accesses them atomically, or is WebAssembly, whose
        // accesses are no data races.
        unsafe { slice::from_raw_parts(self.0.base().cast::<AtomicU8>(), self.0.length()) }
    }

    fn part(&self, offset: u64, len: u64) -> Result<&[AtomicU8], Error> {
        let bytes = self.bytes();
        let end = offset.checked_add(len).filter(|end| *end <= bytes.len() as u64);
        let end = end.ok_or_else(|| outside(offset, len, bytes.len()))?;
        Ok(&bytes[offset as usize..end as usize])
    }

    /// Copies bytes from the memory, from `offset` on.
    pub fn read(&self, offset: u64, to: &mut [u8]) -> Result<(), Error> {
        let part = self.part(offset, to.len() as u64)?;
        part.iter().zip(to).for_each(|(byte, to)| *to = byte.load(Ordering::Relaxed));
        Ok(())
    }

    /// Copies bytes to the memory, from `offset` on.
    pub fn write(&self, offset: u64, from: &[u8]) -> Result<(), Error> {
        let part = self.part(offset, from.len() as u64)?;
        part.iter().zip(from).for_each(|(byte, from)| byte.store(*from, Ordering::Relaxed));
        Ok(())
    }

    /// A copy of `len` bytes from `offset` on.
    pub fn read_bytes(&self, offset: u64, len: u64) -> Result<Vec<u8>, Error> {
        Ok(self.part(offset, len)?.iter().map(|byte| byte.load(Ordering::Relaxed)).collect())
    }

    /// The value at `offset`.
    pub fn read_value<V: WasmData>(&self, offset: u64) -> Result<V, Error> {
        Ok(V::read(&self.read_bytes(offset, V::SIZE as u64)?))
    }

    /// Writes a value at `offset`.
    pub fn write_value<V: WasmData>(&self, offset: u64, value: &V) -> Result<(), Error> {
        let part = self.part(offset, V::SIZE as u64)?;
        let mut bytes = vec![0; V::SIZE];
        value.write(&mut bytes);
        part.iter().zip(bytes).for_each(|(byte, from)| byte.store(from, Ordering::Relaxed));
        Ok(())
    }

    /// Sets `len` bytes from `offset` on.
    pub fn fill(&self, offset: u64, len: u64, value: u8) -> Result<(), Error> {
        self.part(offset, len)?.iter().for_each(|byte| byte.store(value, Ordering::Relaxed));
        Ok(())
    }

    /// The place of an atomic access.
    fn aligned(&self, offset: u64, size: u64) -> Result<*mut u8, Error> {
        let part = self.part(offset, size)?;
        if !offset.is_multiple_of(size) {
            return Err(Error::argument(format!("an atomic access of {size} bytes at {offset} is not aligned")));
        }
        Ok(part.as_ptr().cast_mut().cast())
    }

    fn wait(&self, offset: u64, expected: Expected, timeout: Option<Duration>) -> Result<Waited, Error> {
        let place = self.aligned(offset, expected.size())?;
        // A negative number is for ever, as is what does not fit.
        let timeout = timeout.and_then(|timeout| i64::try_from(timeout.as_nanos()).ok()).unwrap_or(-1);
        // SAFETY: aligned and within the memory, which lives as long as `self` is borrowed.
        Ok(match unsafe { parking::wait(place, expected, timeout) } {
            parking::Waited::Notified => Waited::Notified,
            parking::Waited::NotEqual => Waited::NotEqual,
            parking::Waited::TimedOut => Waited::TimedOut,
        })
    }

    /// Waits until somebody notifies the address, if `expected` is there: `memory.atomic.wait32`. Without a timeout, for ever.
    pub fn wait32(&self, offset: u64, expected: u32, timeout: Option<Duration>) -> Result<Waited, Error> {
        self.wait(offset, Expected::I32(expected), timeout)
    }

    /// Waits until somebody notifies the address, if `expected` is there: `memory.atomic.wait64`. Without a timeout, for ever.
    pub fn wait64(&self, offset: u64, expected: u64, timeout: Option<Duration>) -> Result<Waited, Error> {
        self.wait(offset, Expected::I64(expected), timeout)
    }

    /// Wakes up to `count` threads that wait at the address: `memory.atomic.notify`. Gives how many.
    pub fn notify(&self, offset: u64, count: u32) -> Result<u32, Error> {
        Ok(parking::notify(self.aligned(offset, 4)?, count))
    }
}
