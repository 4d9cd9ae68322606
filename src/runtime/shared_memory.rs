//! Shared memories: what stores on any threads use at the same time. Each store has a `Memory` of its own for it.
//!
//! The base never moves: all address space that the memory may ever need is reserved at once. Growth makes more of it
//! accessible and then publishes the length; whoever reads the length may access all that is before it.

use crate::runtime::engine::Engine;
use crate::runtime::error::Error;
use crate::runtime::growth::GrowError;
use crate::runtime::memory::{grown, reserve, resize};
use crate::runtime::memory_slot::MemorySlot;
use crate::runtime::sys::vm;
use crate::runtime::vmctx::MemoryDef;
use crate::types::{Limits, MemoryType};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A shared memory. Alive as long as a store or the host holds it.
#[derive(Debug)]
pub struct SharedMemory {
    def: MemoryDef,
    declared: MemoryType,
    engine: Arc<Engine>,
    /// Its lock is held while the memory grows. None only while it is dropped.
    slot: Mutex<Option<Box<MemorySlot>>>,
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
        let (slot, length) = reserve(&engine, &ty, None)?;
        let def = MemoryDef { base: slot.base(), length: AtomicUsize::new(length) };
        Ok(Arc::new(SharedMemory { def, declared: ty, engine, slot: Mutex::new(Some(slot)) }))
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
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slot.as_mut().ok_or(GrowError::System)?;
        let old = self.pages();
        let Some(bytes) = grown(&self.declared, old, delta)? else { return Ok(old) };
        let accessible = vm::round_up(bytes).ok_or(GrowError::System)?;
        if accessible > slot.reservation() {
            return Err(GrowError::System);
        }
        resize(&self.engine, &self.declared, slot, accessible, false)?;
        self.def.length.store(bytes, Ordering::SeqCst);
        Ok(old)
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        let slot = self.slot.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(slot) = slot {
            self.engine.pool().give(slot);
        }
    }
}
