//! Memories (section 4.2.8).

use crate::config::Config;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::memory_pool::MemorySlot;
use crate::runtime::object::{Object, ObjectKind, Standalone};
use crate::runtime::store::Store;
use crate::runtime::vmctx::MemoryDef;
use crate::types::{Limits, MemoryType};
use std::cell::UnsafeCell;
use std::mem::{self, ManuallyDrop};

/// A memory: what a `wasm_memory_t*` points to.
#[repr(C)]
#[derive(Debug)]
pub struct Memory {
    /// The header.
    pub object: Object,
    /// Base and length, for generated code.
    pub def: UnsafeCell<MemoryDef>,
    declared: MemoryType,
    slot: UnsafeCell<ManuallyDrop<MemorySlot>>,
}

/// Why a memory did not grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrowError {
    /// The type's maximum, or what 32-bit addresses can reach.
    Maximum,
    /// The system has no more memory or address space.
    System,
}

impl Memory {
    /// A memory of the host's, with one handle, zeroed.
    pub fn new(store: &Store, ty: MemoryType) -> Result<*mut Memory, Error> {
        let slot = reserve(store, &ty)?;
        Ok(Standalone::allocate(Some(store), ObjectKind::Memory, |object| Memory::with_slot(object, ty, slot)))
    }

    /// A memory that an instance defines; the header says which group it belongs to.
    pub fn new_in(object: Object, ty: MemoryType) -> Result<Memory, Error> {
        // SAFETY: a store outlives its objects.
        let slot = reserve(unsafe { &*object.store }, &ty)?;
        Ok(Memory::with_slot(object, ty, slot))
    }

    fn with_slot(object: Object, declared: MemoryType, slot: MemorySlot) -> Memory {
        let def = MemoryDef { base: slot.base(), length: slot.accessible() };
        Memory { object, def: UnsafeCell::new(def), declared, slot: UnsafeCell::new(ManuallyDrop::new(slot)) }
    }

    /// Address of byte 0.
    #[inline]
    pub fn base(&self) -> *mut u8 {
        // SAFETY: a plain read of what only the store's thread changes.
        unsafe { (*self.def.get()).base }
    }

    /// Length in bytes.
    #[inline]
    pub fn length(&self) -> usize {
        // SAFETY: as in `base`.
        unsafe { (*self.def.get()).length }
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

    /// Grows by `delta` pages (section 4.5.3, growing memories). Gives the old size in pages.
    pub fn grow(&self, delta: u64) -> Result<u64, GrowError> {
        let old = self.pages();
        let new = old.checked_add(delta).ok_or(GrowError::Maximum)?;
        if new > most_pages(&self.declared) {
            return Err(GrowError::Maximum);
        }
        if delta == 0 {
            return Ok(old);
        }
        let bytes = (new << self.declared.page_size_log2) as usize;
        // SAFETY: only the store's thread is here, and nobody keeps a reference to the slot.
        let slot = unsafe { &mut **self.slot.get() };
        if bytes <= slot.reservation() {
            slot.set_accessible(bytes).map_err(|_| GrowError::System)?;
        } else {
            self.relocate(slot, bytes)?;
        }
        // SAFETY: only the store's thread changes the definition, and generated code reads it anew after a call.
        unsafe { *self.def.get() = MemoryDef { base: slot.base(), length: bytes } };
        Ok(old)
    }

    /// Moves the contents to a larger reservation. Only where bases are not fixed.
    fn relocate(&self, slot: &mut MemorySlot, bytes: usize) -> Result<(), GrowError> {
        // SAFETY: a store outlives its objects.
        let store = unsafe { &*self.object.store };
        if store.engine().tunables().fixed_bases {
            return Err(GrowError::Maximum);
        }
        let most = most_pages(&self.declared) << self.declared.page_size_log2;
        let room = (bytes as u64).saturating_add(bytes as u64 / 2).min(most).max(bytes as u64) as usize;
        let pool = store.engine().pool();
        let guard = store.engine().config().memory_guard as usize;
        let new = pool.take(room, guard, bytes).or_else(|_| pool.take(bytes, guard, bytes));
        let new = new.map_err(|_| GrowError::System)?;
        // SAFETY: both are accessible for the old length and do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(slot.base(), new.base(), slot.accessible()) };
        pool.give(mem::replace(slot, new));
        Ok(())
    }

    /// The part `offset..offset + len`, if the memory has it.
    pub fn range(&self, offset: u64, len: u64) -> Option<*mut u8> {
        let end = offset.checked_add(len)?;
        (end <= self.length() as u64).then(|| self.base().wrapping_add(offset as usize))
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the slot is taken once, here; a store outlives its objects.
        unsafe {
            let slot = ManuallyDrop::take(self.slot.get_mut());
            (*self.object.store).engine().pool().give(slot);
        }
    }
}

/// The most pages that a memory of this type may ever have.
fn most_pages(ty: &MemoryType) -> u64 {
    let address_space = if ty.is64 { 1 << 47 } else { 1u64 << 32 };
    ty.limits.max.unwrap_or(u64::MAX).min(address_space >> ty.page_size_log2)
}

fn reserve(store: &Store, ty: &MemoryType) -> Result<MemorySlot, Error> {
    let Limits { min, max } = ty.limits;
    let most = if ty.is64 { 1u64 << 31 } else { MemoryType::MAX_PAGES_32 };
    if max.is_some_and(|max| min > max) {
        let message = format!("memory type: the minimum of {min} pages is above the maximum of {}", max.unwrap_or(0));
        return Err(Error::argument(message));
    }
    if min > most || max.is_some_and(|max| max > most) {
        let size = if min > most { min } else { max.unwrap_or(0) };
        return Err(Error::argument(format!(
            "memory type: {size} pages are more than the {most} that a memory can have"
        )));
    }
    if ty.shared || ty.is64 || ty.page_size_log2 != 16 {
        let message = "memory type: only unshared 32-bit memories of 64 KiB pages are supported";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    let config = store.engine().config();
    let bytes = (min << ty.page_size_log2) as usize;
    let reservation = if config.memory_reservation >= Config::FULL_RESERVATION {
        Config::FULL_RESERVATION as usize
    } else {
        let room = config.memory_reservation.min(most_pages(ty) << ty.page_size_log2) as usize;
        room.max(bytes)
    };
    store.engine().pool().take(reservation, config.memory_guard as usize, bytes).map_err(|error| {
        let message = format!("no memory of {min} pages: reserving {reservation} bytes of address space: {error}");
        Error::new(ErrorKind::Memory, message)
    })
}
