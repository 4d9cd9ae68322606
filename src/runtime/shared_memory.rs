//! Shared memories: what stores on any threads use at the same time. Each store has a `Memory` of its own for it.
//!
//! The base never moves: all address space that the memory may ever need is reserved at once, or promised by the host that
//! provides the bytes. Growth makes more of it accessible and then publishes the length; whoever reads the length may access all
//! that is before it. It is never deferred: threads may give addresses to the system that they have from others.

use crate::runtime::engine::Engine;
use crate::runtime::error::Error;
use crate::runtime::growth::GrowError;
use crate::runtime::host_memory::{CreatedMemory, MOVED};
use crate::runtime::memory::{check, grown, most_bytes, reserve, resize};
use crate::runtime::memory_slot::MemorySlot;
use crate::runtime::store_limits::bytes_of;
use crate::runtime::sys::thread_number::thread_number;
use crate::runtime::sys::vm;
use crate::runtime::vmctx::MemoryDef;
use crate::types::{Limits, MemoryType};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A shared memory. Alive as long as a store or the host holds it.
#[derive(Debug)]
pub struct SharedMemory {
    def: MemoryDef,
    declared: MemoryType,
    engine: Arc<Engine>,
    /// Its lock is held while the memory grows.
    place: Mutex<Place>,
    /// The thread in which the host is being asked for more bytes, or 0: it would wait for itself.
    asking: AtomicU64,
}

/// Where the bytes are.
#[derive(Debug)]
enum Place {
    /// None only while it is dropped.
    Slot(Option<Box<MemorySlot>>),
    /// With the host.
    Host(CreatedMemory),
}

// SAFETY: the base never changes, and the length is atomic; what they point to is WebAssembly's to synchronize.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// A shared memory, zeroed.
    pub fn new(engine: Arc<Engine>, ty: MemoryType) -> Result<Arc<SharedMemory>, Error> {
        if !ty.shared {
            return Err(Error::argument("memory type: not one of a shared memory"));
        }
        let (base, length, place) = match &engine.config().memory_creator {
            Some(creator) => {
                check(&ty)?;
                let memory = CreatedMemory::new(creator, bytes_of(&ty), most_bytes(&ty), true)?;
                (memory.base(), bytes_of(&ty) as usize, Place::Host(memory))
            }
            None => {
                let (slot, length) = reserve(&engine, &ty, None)?;
                (slot.base(), length, Place::Slot(Some(slot)))
            }
        };
        let def = MemoryDef { base, length: AtomicUsize::new(length) };
        let (place, asking) = (Mutex::new(place), AtomicU64::new(0));
        Ok(Arc::new(SharedMemory { def, declared: ty, engine, place, asking }))
    }

    /// Whether the host provides its bytes.
    pub fn is_created(&self) -> bool {
        self.engine.config().memory_creator.is_some()
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The type that it was made with.
    pub fn declared(&self) -> &MemoryType {
        &self.declared
    }

    /// Base and length, for generated code.
    pub fn def(&self) -> &MemoryDef {
        &self.def
    }

    /// Address of byte 0.
    pub fn base(&self) -> *mut u8 {
        self.def.base
    }

    /// Length in bytes. It may be more at once.
    pub fn length(&self) -> usize {
        self.def.length.load(Ordering::Acquire)
    }

    /// Length in pages.
    pub fn pages(&self) -> u64 {
        self.length() as u64 >> self.declared.page_size_log2
    }

    /// The type, with the current size as its minimum.
    pub fn ty(&self) -> MemoryType {
        let limits = Limits { min: self.pages(), max: self.declared.limits.max };
        MemoryType { limits, ..self.declared }
    }

    /// Grows by `delta` pages. Gives the old size in pages. Of several threads, one after the other.
    pub fn grow(&self, delta: u64) -> Result<u64, GrowError> {
        if self.is_created() && self.asking.load(Ordering::Relaxed) == thread_number() {
            return Err(GrowError::Busy);
        }
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.pages();
        let Some(bytes) = grown(&self.declared, old, delta)? else { return Ok(old) };
        match &mut *place {
            Place::Slot(slot) => {
                let slot = slot.as_mut().ok_or(GrowError::System)?;
                let accessible = vm::round_up(bytes).ok_or(GrowError::System)?;
                if accessible > slot.reservation() {
                    return Err(GrowError::System);
                }
                resize(&self.engine, &self.declared, slot, accessible, false)?;
            }
            Place::Host(memory) => {
                self.asking.store(thread_number(), Ordering::Relaxed);
                let result = memory.grow(bytes as u64);
                self.asking.store(0, Ordering::Relaxed);
                result?;
                if memory.base() != self.def.base {
                    // It was elsewhere before: that growth had failed, and others still use the address that they know.
                    return Err(GrowError::Creator(MOVED));
                }
            }
        }
        self.def.length.store(bytes, Ordering::SeqCst);
        Ok(old)
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        if let Place::Slot(slot) = self.place.get_mut().unwrap_or_else(PoisonError::into_inner)
            && let Some(slot) = slot.take()
        {
            self.engine.pool().give(slot);
        }
    }
}
