//! Memories (section 4.2.8).

use super::context::{AsContext, AsContextMut, StoreContext, StoreContextMut};
use super::data::WasmData;
use super::error::Error;
use super::handle::Handle;
use super::shared_memory::SharedMemory;
use super::store::Core;
use crate::runtime::growth::GrowError;
use crate::runtime::memory;
use crate::types::MemoryType;
use std::ops::Range;
use std::slice;

/// A linear memory: bytes that WebAssembly and the host both read and write.
///
/// [`Memory::data`] and [`Memory::data_mut`] are the bytes themselves. A view borrows the store, so that it is gone before
/// anything can make the memory grow:
///
/// ```compile_fail
/// # use tenon::{Engine, Limits, Memory, MemoryType, Store};
/// # let mut store = Store::new(&Engine::default(), ());
/// # let memory = Memory::new(&mut store, MemoryType::new32(Limits { min: 1, max: None })).unwrap();
/// let view = memory.data(&store).unwrap();
/// memory.grow(&mut store, 1).unwrap(); // error: the store is borrowed
/// println!("{}", view[0]);
/// ```
///
/// The other methods check that what is meant lies within the memory:
///
/// ```
/// use tenon::{Engine, Limits, Memory, MemoryType, Store};
///
/// let mut store = Store::new(&Engine::default(), ());
/// let memory = Memory::new(&mut store, MemoryType::new32(Limits { min: 1, max: Some(2) }))?;
///
/// memory.write(&mut store, 10, b"hello")?;
/// assert_eq!(memory.read_string(&store, 10, 5)?, "hello");
/// memory.write_value(&mut store, 65532, &7u32)?;
/// assert_eq!(memory.data(&store)?[65532], 7);
///
/// let error = memory.read_value::<u32>(&store, 65533).unwrap_err();
/// assert_eq!(error.to_string(), "4 bytes at 65533 are outside of a memory of 65536 bytes");
///
/// assert_eq!(memory.grow(&mut store, 1)?, 1);
/// assert_eq!(memory.size(&store)?, 2);
/// assert!(memory.grow(&mut store, 1).is_err());
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Memory(pub(super) Handle<memory::Memory>);

impl Memory {
    /// A memory of the host's, filled with zeros.
    pub fn new(mut store: impl AsContextMut, ty: MemoryType) -> Result<Memory, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        core.enter()?;
        let made = memory::Memory::new(core.store(), ty).map_err(|error| core.failed(error))?;
        // SAFETY: a new memory comes with a count.
        Ok(Memory(unsafe { Handle::owning(core, made) }))
    }

    /// The type, with the current size as its minimum.
    pub fn ty(&self, store: impl AsContext) -> Result<MemoryType, Error> {
        Ok(self.0.get(store.as_context().into_core())?.ty())
    }

    /// The size in pages.
    pub fn size(&self, store: impl AsContext) -> Result<u64, Error> {
        Ok(self.0.get(store.as_context().into_core())?.pages())
    }

    /// The size in bytes.
    pub fn data_size(&self, store: impl AsContext) -> Result<usize, Error> {
        Ok(self.0.get(store.as_context().into_core())?.length())
    }

    /// Bytes of a page: 65,536 unless the type says otherwise.
    pub fn page_size(&self, store: impl AsContext) -> Result<u64, Error> {
        Ok(self.0.get(store.as_context().into_core())?.page_size())
    }

    /// Whether the memory's address never changes, however it grows: then what [`Memory::as_ptr`] gave stays good.
    pub fn is_pinned(&self, store: impl AsContext) -> Result<bool, Error> {
        Ok(self.0.get(store.as_context().into_core())?.is_pinned())
    }

    /// The address of the first byte, for code that is not in Rust. Good until the memory grows, whoever asks for that, or as long
    /// as it lives if it is pinned. To use it is `unsafe`.
    pub fn as_ptr(&self, store: impl AsContext) -> Result<*mut u8, Error> {
        Ok(self.0.get(store.as_context().into_core())?.base())
    }

    /// Adds `delta` pages, filled with zeros. Gives the size before, in pages. Fails, and changes nothing, beyond the maximum
    /// ([`ErrorKind::Limit`](super::ErrorKind::Limit)), beyond a limit of the
    /// store or where memory has run out ([`ErrorKind::Memory`](super::ErrorKind::Memory)).
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64) -> Result<u64, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let memory = self.0.get(core)?;
        core.enter()?;
        memory.grow(delta).map_err(|reason| cannot_grow(Some(core), &memory.ty(), delta, reason))
    }

    /// The bytes. Not of a shared memory, which other threads may change: see [`SharedMemory`].
    pub fn data<'a, T: 'static>(&self, store: impl Into<StoreContext<'a, T>>) -> Result<&'a [u8], Error> {
        let core = store.into().into_core();
        let (base, len) = own(self.0.get(core)?)?;
        // SAFETY: the memory has these bytes until it grows or goes, for which the store is borrowed exclusively.
        Ok(unsafe { slice::from_raw_parts(base, len) })
    }

    /// The bytes, to be changed. Not of a shared memory.
    pub fn data_mut<'a, T: 'static>(&self, store: impl Into<StoreContextMut<'a, T>>) -> Result<&'a mut [u8], Error> {
        Ok(self.data_and_store_mut(store)?.0)
    }

    /// The bytes, to be changed, and the store's data. Not of a shared memory.
    ///
    /// ```
    /// # use tenon::{Engine, Limits, Memory, MemoryType, Store};
    /// let mut store = Store::new(&Engine::default(), vec![1, 2, 3]);
    /// let memory = Memory::new(&mut store, MemoryType::new32(Limits { min: 1, max: None }))?;
    /// let (bytes, data) = memory.data_and_store_mut(&mut store)?;
    /// bytes[..3].copy_from_slice(data);
    /// # Ok::<(), tenon::Error>(())
    /// ```
    pub fn data_and_store_mut<'a, T: 'static>(
        &self,
        store: impl Into<StoreContextMut<'a, T>>,
    ) -> Result<(&'a mut [u8], &'a mut T), Error> {
        let (core, data) = store.into().into_parts();
        let (base, len) = own(self.0.get(core)?)?;
        // SAFETY: as in `data`; the store is borrowed exclusively, and so is all that can reach the bytes.
        Ok((unsafe { slice::from_raw_parts_mut(base, len) }, data))
    }

    /// Copies bytes from the memory, from `offset` on.
    pub fn read(&self, store: impl AsContext, offset: u64, to: &mut [u8]) -> Result<(), Error> {
        self.reading(store.as_context().into_core(), offset, to.len() as u64, |bytes| to.copy_from_slice(bytes))
    }

    /// Copies bytes to the memory, from `offset` on.
    pub fn write(&self, mut store: impl AsContextMut, offset: u64, from: &[u8]) -> Result<(), Error> {
        let store = store.as_context_mut();
        let memory = self.0.get(store.core())?;
        if let Some(shared) = memory.shared() {
            return SharedMemory(shared.clone()).write(offset, from);
        }
        // SAFETY: the part is there, and the store is borrowed exclusively.
        unsafe { part(memory, offset, from.len() as u64)?.copy_from(from.as_ptr(), from.len()) };
        Ok(())
    }

    /// A copy of `len` bytes from `offset` on.
    pub fn read_bytes(&self, store: impl AsContext, offset: u64, len: u64) -> Result<Vec<u8>, Error> {
        self.reading(store.as_context().into_core(), offset, len, <[u8]>::to_vec)
    }

    /// The value at `offset`.
    pub fn read_value<V: WasmData>(&self, store: impl AsContext, offset: u64) -> Result<V, Error> {
        self.reading(store.as_context().into_core(), offset, V::SIZE as u64, V::read)
    }

    /// Writes a value at `offset`.
    pub fn write_value<V: WasmData>(&self, mut store: impl AsContextMut, offset: u64, value: &V) -> Result<(), Error> {
        let store = store.as_context_mut();
        let memory = self.0.get(store.core())?;
        if let Some(shared) = memory.shared() {
            return SharedMemory(shared.clone()).write_value(offset, value);
        }
        let place = part(memory, offset, V::SIZE as u64)?;
        // SAFETY: the part is there, and the store is borrowed exclusively; `write` has no way to it.
        value.write(unsafe { slice::from_raw_parts_mut(place, V::SIZE) });
        Ok(())
    }

    /// The text of `len` bytes at `offset`. Fails if it is not UTF-8.
    pub fn read_string(&self, store: impl AsContext, offset: u64, len: u64) -> Result<String, Error> {
        text(offset, self.read_bytes(store, offset, len)?)
    }

    /// The text that begins at `offset` and ends before a byte that is zero, at most `max` bytes. Fails if there is none, or if
    /// it is not UTF-8.
    pub fn read_c_string(&self, store: impl AsContext, offset: u64, max: u64) -> Result<String, Error> {
        let core = store.as_context().into_core();
        let rest = (self.0.get(core)?.length() as u64).saturating_sub(offset);
        // One more, so that a text of `max` bytes can have its end.
        let bytes = self.reading(core, offset, rest.min(max.saturating_add(1)), |bytes| {
            bytes.iter().position(|byte| *byte == 0).map(|end| bytes[..end].to_vec())
        })?;
        let none = || Error::argument(format!("no text with a zero behind it in the {max} bytes from {offset} on"));
        text(offset, bytes.ok_or_else(none)?)
    }

    /// Sets `len` bytes from `offset` on.
    pub fn fill(&self, mut store: impl AsContextMut, offset: u64, len: u64, value: u8) -> Result<(), Error> {
        let store = store.as_context_mut();
        let memory = self.0.get(store.core())?;
        if let Some(shared) = memory.shared() {
            return SharedMemory(shared.clone()).fill(offset, len, value);
        }
        // SAFETY: the part is there, and the store is borrowed exclusively.
        unsafe { part(memory, offset, len)?.write_bytes(value, len as usize) };
        Ok(())
    }

    /// Copies a part of the memory to another place in it; the two may overlap.
    pub fn copy_within(&self, store: impl AsContextMut, from: Range<u64>, to: u64) -> Result<(), Error> {
        let mut store = store;
        let store = store.as_context_mut();
        let memory = self.0.get(store.core())?;
        let Some(len) = from.end.checked_sub(from.start) else {
            return Err(Error::argument(format!("the range {}..{} ends before it begins", from.start, from.end)));
        };
        let (source, place) = (part(memory, from.start, len)?, part(memory, to, len)?);
        if let Some(shared) = memory.shared() {
            let shared = SharedMemory(shared.clone());
            return shared.write(to, &shared.read_bytes(from.start, len)?);
        }
        // SAFETY: both parts are there, and the store is borrowed exclusively.
        unsafe { place.copy_from(source, len as usize) };
        Ok(())
    }

    /// Makes a part zero, and gives the memory behind it back to the system as far as it can be.
    pub fn discard(&self, mut store: impl AsContextMut, offset: u64, len: u64) -> Result<(), Error> {
        let store = store.as_context_mut();
        let memory = self.0.get(store.core())?;
        if let Some(shared) = memory.shared() {
            return SharedMemory(shared.clone()).fill(offset, len, 0);
        }
        part(memory, offset, len)?;
        memory.discard(offset, len);
        Ok(())
    }

    /// What the memory shares with other stores, if it is a shared one.
    pub fn shared(&self, store: impl AsContext) -> Result<Option<SharedMemory>, Error> {
        Ok(self.0.get(store.as_context().into_core())?.shared().cloned().map(SharedMemory))
    }

    /// Shows a part to `use_it`: the bytes themselves, or a copy if other threads may change them.
    fn reading<R>(&self, core: &Core, offset: u64, len: u64, use_it: impl FnOnce(&[u8]) -> R) -> Result<R, Error> {
        let memory = self.0.get(core)?;
        if let Some(shared) = memory.shared() {
            return Ok(use_it(&SharedMemory(shared.clone()).read_bytes(offset, len)?));
        }
        let place = part(memory, offset, len)?;
        // SAFETY: the part is there, and stays as it is as long as the store is borrowed.
        Ok(use_it(unsafe { slice::from_raw_parts(place, len as usize) }))
    }
}

/// Where the bytes of a memory that is not shared are, and how many.
fn own(memory: &memory::Memory) -> Result<(*mut u8, usize), Error> {
    if memory.shared().is_some() {
        let message = "a shared memory has no view, as other threads may change it: use its SharedMemory";
        return Err(Error::argument(message));
    }
    Ok((memory.base(), memory.length()))
}

/// The part of a memory, if it has it.
fn part(memory: &memory::Memory, offset: u64, len: u64) -> Result<*mut u8, Error> {
    memory.range(offset, len).ok_or_else(|| outside(offset, len, memory.length()))
}

/// A part that is not in the memory.
#[cold]
pub(super) fn outside(offset: u64, len: u64, length: usize) -> Error {
    Error::argument(format!("{len} bytes at {offset} are outside of a memory of {length} bytes"))
}

fn text(offset: u64, bytes: Vec<u8>) -> Result<String, Error> {
    String::from_utf8(bytes).map_err(|error| {
        let (at, len) = (error.utf8_error().valid_up_to(), error.as_bytes().len());
        Error::argument(format!("the {len} bytes at {offset} are not UTF-8 from byte {at} on"))
    })
}

/// A failure to grow, of a memory whose type is given with its size. The store is that of the memory, if it has one.
pub(super) fn cannot_grow(core: Option<&Core>, ty: &MemoryType, delta: u64, reason: GrowError) -> Error {
    if let (GrowError::Trap(trap), Some(core)) = (&reason, core) {
        // SAFETY: the store's limiter made it; it comes with a count.
        return unsafe { core.raised(*trap) };
    }
    let (size, most) = (ty.limits.min, memory::most_pages(ty));
    let message = format!("a memory of {size} pages, which may have {most}, cannot grow by {delta}: {reason}");
    let error = Error::new(reason.kind().into(), message);
    reason.forget();
    error
}
