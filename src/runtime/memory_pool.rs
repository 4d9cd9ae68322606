//! Reservations of address space for linear memories, kept for reuse by the engine.
//!
//! ```text
//!  base                 accessible            reservation             + guard
//!   |---- read/write ----|------ no access ------|------ no access ------|
//! ```
//! A slot that is given back is zeroed and keeps its accessible length, so that the next memory of the same size costs no
//! system call at all. Zeroing one page of 64 KiB by writing takes about a microsecond; giving pages back to the system and
//! faulting them in again takes longer up to about twice that size, which is where the line is drawn.

use crate::runtime::sys::vm::{self, Protection};
use std::io;
use std::ptr;
use std::sync::{Mutex, PoisonError};

/// Up to here a slot is zeroed by writing; what lies beyond is given back to the system.
const ZEROED_BY_WRITING: usize = 128 << 10;

/// A reservation and its accessible beginning, which is zeroed when the slot comes out of the pool.
#[derive(Debug)]
pub struct MemorySlot {
    base: *mut u8,
    accessible: usize,
    reservation: usize,
    guard: usize,
}

// SAFETY: a slot owns its mapping; it is used by one thread at a time.
unsafe impl Send for MemorySlot {}

impl MemorySlot {
    /// Reserves `reservation` bytes, rounded up to system pages, and a guard; nothing is accessible yet.
    fn reserve(reservation: usize, guard: usize) -> io::Result<MemorySlot> {
        let too_large = || io::Error::from(io::ErrorKind::OutOfMemory);
        let reservation = vm::round_up(reservation).ok_or_else(too_large)?;
        let guard = vm::round_up(guard).ok_or_else(too_large)?;
        // A memory without pages still has an address.
        let total = reservation.checked_add(guard).ok_or_else(too_large)?.max(vm::page_size());
        let base = vm::map(total, Protection::None)?;
        Ok(MemorySlot { base, accessible: 0, reservation, guard: total - reservation })
    }

    /// Address of byte 0.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// Bytes that can be read and written.
    pub fn accessible(&self) -> usize {
        self.accessible
    }

    /// How far `accessible` may grow.
    pub fn reservation(&self) -> usize {
        self.reservation
    }

    /// Makes `len` bytes accessible, a multiple of the system's page within the reservation. What is new is zero.
    pub fn set_accessible(&mut self, len: usize) -> io::Result<()> {
        if len > self.reservation || len % vm::page_size() != 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let (low, high) = (len.min(self.accessible), len.max(self.accessible));
        let edge = self.base.wrapping_add(low);
        let protection = if len > self.accessible { Protection::ReadWrite } else { Protection::None };
        if high > low {
            // SAFETY: a part of this slot's own mapping.
            unsafe { vm::protect(edge, high - low, protection)? };
        }
        self.accessible = len;
        Ok(())
    }

    /// Zeroes what is accessible.
    fn clear(&mut self) -> io::Result<()> {
        let written = self.accessible.min(ZEROED_BY_WRITING);
        // SAFETY: accessible; and the rest is a part of this slot's own mapping.
        unsafe {
            ptr::write_bytes(self.base, 0, written);
            if self.accessible > written {
                vm::discard(self.base.add(written), self.accessible - written)?;
            }
        }
        Ok(())
    }
}

impl Drop for MemorySlot {
    fn drop(&mut self) {
        // SAFETY: the slot owns its mapping, and whoever gave it up uses it no more.
        unsafe { vm::unmap(self.base, self.reservation + self.guard) };
    }
}

/// An engine's slots. Its lock is held only while a slot is taken or given.
#[derive(Debug)]
pub struct MemoryPool {
    kept: usize,
    slots: Mutex<Vec<MemorySlot>>,
}

impl MemoryPool {
    /// A pool that keeps up to `kept` slots.
    pub fn new(kept: usize) -> MemoryPool {
        MemoryPool { kept, slots: Mutex::default() }
    }

    /// A zeroed slot with room for at least `reservation` bytes, a guard of at least `guard` behind them, and exactly `len`
    /// bytes accessible (a multiple of the system's page).
    pub fn take(&self, reservation: usize, guard: usize, len: usize) -> io::Result<MemorySlot> {
        let mut slot = match self.find(reservation, guard, len) {
            Some(slot) => slot,
            None => match MemorySlot::reserve(reservation, guard) {
                Ok(slot) => slot,
                Err(_) => {
                    // What the pool keeps may be what is missing.
                    self.empty();
                    MemorySlot::reserve(reservation, guard)?
                }
            },
        };
        slot.set_accessible(len)?;
        Ok(slot)
    }

    /// The best of the kept slots: one of the right length, else the last that was given.
    fn find(&self, reservation: usize, guard: usize, len: usize) -> Option<MemorySlot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |slot: &MemorySlot| slot.reservation >= reservation && slot.guard >= guard;
        let exact = slots.iter().rposition(|slot| fits(slot) && slot.accessible == len);
        let index = exact.or_else(|| slots.iter().rposition(fits))?;
        Some(slots.swap_remove(index))
    }

    /// Takes a slot back. Nothing may use its memory any more.
    pub fn give(&self, mut slot: MemorySlot) {
        if slot.clear().is_err() {
            return;
        }
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() < self.kept {
            slots.push(slot);
        }
    }

    /// Gives all kept slots back to the system.
    pub fn empty(&self) {
        let slots = std::mem::take(&mut *self.slots.lock().unwrap_or_else(PoisonError::into_inner));
        drop(slots);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_come_back_zeroed_and_of_the_right_length() {
        let pool = MemoryPool::new(2);
        let page = 65536;
        for len in [page, 4 * page, page, 0, 2 * page] {
            let slot = pool.take(1 << 32, 1 << 20, len).expect("address space");
            assert_eq!(slot.accessible(), len);
            // SAFETY: accessible.
            let bytes = unsafe { std::slice::from_raw_parts_mut(slot.base(), len) };
            assert!(bytes.iter().all(|b| *b == 0));
            bytes.fill(0xff);
            pool.give(slot);
        }
        assert_eq!(pool.slots.lock().unwrap().len(), 1);
    }

    #[test]
    fn the_pool_keeps_no_more_than_it_may() {
        let pool = MemoryPool::new(1);
        let two = [pool.take(1 << 20, 0, 0).unwrap(), pool.take(1 << 20, 0, 0).unwrap()];
        two.map(|slot| pool.give(slot));
        assert_eq!(pool.slots.lock().unwrap().len(), 1);
        pool.empty();
        assert_eq!(pool.slots.lock().unwrap().len(), 0);
    }

    #[test]
    fn what_cannot_be_reserved_is_an_error() {
        assert!(MemoryPool::new(1).take(1 << 60, 0, 0).is_err());
        assert!(MemoryPool::new(1).take(65536, 0, 131072).is_err());
    }
}
