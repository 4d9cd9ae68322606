//! Reservations of address space for linear memories, kept for reuse by the engine.
//!
//! ```text
//!  base                 accessible            reservation             + guard
//!   |---- read/write ----|------ no access ------|------ no access ------|
//! ```
//! A slot that is given back is zeroed and keeps its accessible length, so that the next memory of the same size costs no
//! system call at all.
//!
//! How to zero 64 KiB, measured in nanoseconds on a virtual machine with Linux 6.18, for one slot used again and again and
//! for 64 slots in turn, after writes to some of its 16 system pages:
//!
//! ```text
//!                                           no page     1 page, all of it    16 pages, all of them
//! writing zeros                             1050 2350       1090 2350            2170 3400
//! giving it to the system (MADV_DONTNEED)   1350 1400       3000 3100           17500 18100
//! asking for pages (PAGEMAP_SCAN), writing   320  370        340  400            2500 3800
//! reading, writing where it is not zero      415  480        450  500            2150 3300
//! ```
//! The last is what we do. What was never written to is the system's one page of zeros, in every mapping, so that reading it
//! stays in the first-level cache, and takes up no memory afterwards. PAGEMAP_SCAN needs a file that stays open and means
//! another process after a fork; `mincore` would not tell of pages that are swapped out.

use crate::runtime::sys::vm::{self, Protection};
use std::io;
use std::slice;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Up to here a slot is zeroed by reading and writing; what lies beyond is given back to the system. It is also the most
/// memory that a kept slot takes up.
const ZEROED_IN_PLACE: usize = 128 << 10;

/// From here on contents are moved by mapping them elsewhere, not by copying them.
const MOVED_BY_MAPPING: usize = 1 << 20;

/// What is read before deciding whether to write: measured, with code that needs no more than the base instruction set.
type Block = [u64; 64];

/// A reservation and its accessible beginning, which is zeroed when the slot comes out of the pool.
#[derive(Debug)]
pub struct MemorySlot {
    base: *mut u8,
    accessible: usize,
    reservation: usize,
    guard: usize,
    /// Where the system sees one mapping end and another begin, as contents were moved here.
    seams: Vec<usize>,
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
        Ok(MemorySlot { base, accessible: 0, reservation, guard: total - reservation, seams: Vec::new() })
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
        if len > self.reservation || !len.is_multiple_of(vm::page_size()) {
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

    /// Moves what this slot holds into a fresh one, of which at least as much is accessible. Memory that was never written to
    /// stays so.
    pub fn move_to(&self, new: &mut MemorySlot) {
        debug_assert!(new.accessible >= self.accessible);
        let mut done = 0;
        if self.accessible >= MOVED_BY_MAPPING {
            new.seams.retain(|seam| *seam > self.accessible);
            for end in self.seams.iter().copied().filter(|seam| *seam < self.accessible).chain([self.accessible]) {
                // SAFETY: parts of two slots' own mappings, to which nobody keeps references.
                let moved = unsafe { vm::relocate(self.base.add(done), new.base.add(done), end - done) };
                if moved.is_err() {
                    break;
                }
                done = end;
                new.seams.push(end);
            }
            new.seams.sort_unstable();
        }
        // SAFETY: accessible, whole system pages, and nobody else uses either; the slots do not overlap.
        let (from, to) = unsafe {
            let blocks = (self.accessible - done) / size_of::<Block>();
            let from = slice::from_raw_parts(self.base.add(done).cast::<Block>(), blocks);
            (from, slice::from_raw_parts_mut(new.base.add(done).cast::<Block>(), blocks))
        };
        for (from, to) in from.iter().zip(to) {
            if from.iter().fold(0, |all, word| all | word) != 0 {
                *to = *from;
            }
        }
    }

    /// Zeroes what is accessible.
    fn clear(&mut self) -> io::Result<()> {
        let in_place = self.accessible.min(ZEROED_IN_PLACE);
        // SAFETY: accessible, whole system pages, and nobody else uses it; and the rest is a part of this slot's own mapping.
        unsafe {
            for block in slice::from_raw_parts_mut(self.base.cast::<Block>(), in_place / size_of::<Block>()) {
                if block.iter().fold(0, |all, word| all | word) != 0 {
                    *block = [0; 64];
                }
            }
            if self.accessible > in_place {
                vm::discard(self.base.add(in_place), self.accessible - in_place)?;
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
        let mut slots = self.lock();
        let fits = |slot: &MemorySlot| slot.reservation >= reservation && slot.guard >= guard;
        let exact = slots.iter().rposition(|slot| fits(slot) && slot.accessible == len);
        let index = exact.or_else(|| slots.iter().rposition(fits))?;
        Some(slots.swap_remove(index))
    }

    /// Takes a slot back. Nothing may use its memory any more.
    pub fn give(&self, mut slot: MemorySlot) {
        // Not under the lock; and whoever fills the pool meanwhile has zeroed in vain.
        if self.lock().len() >= self.kept || slot.clear().is_err() {
            return;
        }
        let mut slots = self.lock();
        if slots.len() < self.kept {
            slots.push(slot);
        }
    }

    /// Gives all kept slots back to the system.
    pub fn empty(&self) {
        let slots = std::mem::take(&mut *self.lock());
        drop(slots);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<MemorySlot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::sys::testing::in_child;

    const PAGE: usize = 64 << 10;

    /// Of the mapping that holds an address: where it ends, whether it can be written to, and the memory it takes up.
    fn mapping(address: usize) -> (usize, bool, usize) {
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut found = None;
        for line in maps.lines() {
            let mut words = line.split_ascii_whitespace();
            let first = words.next().unwrap();
            if let Some((from, to)) = first.split_once('-') {
                let hex = |digits| usize::from_str_radix(digits, 16).unwrap();
                if (hex(from)..hex(to)).contains(&address) {
                    found = Some((hex(to), words.next() == Some("rw-p")));
                }
            } else if let (Some((end, writable)), "Rss:") = (found, first) {
                return (end, writable, words.next().unwrap().parse::<usize>().unwrap() << 10);
            }
        }
        panic!("{address:x}: {maps}");
    }

    fn bytes(slot: &mut MemorySlot) -> &mut [u8] {
        // SAFETY: accessible, and borrowed as long as the slot.
        unsafe { slice::from_raw_parts_mut(slot.base, slot.accessible) }
    }

    #[test]
    fn slots_come_back_zeroed_and_of_the_right_length() {
        let pool = MemoryPool::new(2);
        let mut base = None;
        for len in [PAGE, 4 * PAGE, PAGE, PAGE, 4096, 2 * PAGE, 300 * PAGE] {
            let mut slot = pool.take(1 << 32, 1 << 20, len).unwrap();
            assert_eq!(slot.accessible(), len);
            assert_eq!(*base.get_or_insert(slot.base()), slot.base());
            let address = slot.base() as usize;
            assert_eq!(mapping(address).0, address + len, "writable up to the length");
            assert!(mapping(address).1 && !mapping(address + len).1);
            assert!(mapping(address + len).0 >= address + (1 << 32) + (1 << 20));
            assert!(bytes(&mut slot).iter().all(|b| *b == 0), "{len}");
            bytes(&mut slot).fill(0xff);
            pool.give(slot);
        }
        assert_eq!(pool.lock().len(), 1);
    }

    #[test]
    fn an_empty_memory_has_an_address_and_no_bytes() {
        let pool = MemoryPool::new(1);
        let slot = pool.take(PAGE, 0, 0).unwrap();
        assert!(!mapping(slot.base() as usize).1);
        pool.give(slot);
        let slot = pool.take(0, 0, 0).unwrap();
        assert!(!slot.base().is_null());
        pool.give(slot);
    }

    #[test]
    fn every_byte_is_zeroed() {
        let pool = MemoryPool::new(1);
        let mut slot = pool.take(4 * PAGE, 0, 3 * PAGE).unwrap();
        for i in (0..3 * PAGE).step_by(509) {
            bytes(&mut slot)[i] = 1 << (i % 8);
            bytes(&mut slot)[3 * PAGE - 1] = 1;
            pool.give(slot);
            slot = pool.take(4 * PAGE, 0, 3 * PAGE).unwrap();
            assert!(bytes(&mut slot).iter().all(|b| *b == 0), "{i}");
        }
    }

    #[test]
    fn kept_slots_take_up_little_memory() {
        // In a child, where nobody maps something else next to the slot.
        let status = in_child(|| {
            let pool = MemoryPool::new(2);
            let slot = pool.take(1 << 32, 0, PAGE).unwrap();
            let base = slot.base() as usize;
            pool.give(slot);
            assert_eq!(mapping(base).2, 0);
            let mut slot = pool.take(1 << 32, 0, 100 * PAGE).unwrap();
            bytes(&mut slot).fill(1);
            assert_eq!(mapping(base).2, 100 * PAGE);
            pool.give(slot);
            assert_eq!(mapping(base).2, ZEROED_IN_PLACE);
            0
        });
        assert_eq!(status, Ok(0));
    }

    #[test]
    fn memories_grow_in_place_with_zeros() {
        let pool = MemoryPool::new(1);
        let mut slot = pool.take(10 * PAGE, PAGE, PAGE).unwrap();
        let base = slot.base();
        bytes(&mut slot).fill(7);
        slot.set_accessible(10 * PAGE).unwrap();
        assert_eq!(slot.base(), base);
        assert!(bytes(&mut slot)[..PAGE].iter().all(|b| *b == 7));
        assert!(bytes(&mut slot)[PAGE..].iter().all(|b| *b == 0));
        assert!(slot.set_accessible(11 * PAGE).is_err() && slot.set_accessible(10 * PAGE - 1).is_err());
        assert_eq!(slot.accessible(), 10 * PAGE);
    }

    #[test]
    fn slots_move_with_what_they_hold() {
        let pool = MemoryPool::new(2);
        for len in [PAGE, 4 * PAGE, 2 * MOVED_BY_MAPPING] {
            let mut old = pool.take(len, PAGE, len).unwrap();
            for i in (0..len).step_by(4099) {
                bytes(&mut old)[i] = i as u8 | 1;
            }
            let mut new = pool.take(2 * len, PAGE, len + PAGE).unwrap();
            old.move_to(&mut new);
            for (i, byte) in bytes(&mut new).iter().enumerate() {
                let expected = if i < len && i % 4099 == 0 { i as u8 | 1 } else { 0 };
                assert_eq!(*byte, expected, "{i} of {len}");
            }
            pool.give(old);
            let mut old = pool.take(len, PAGE, len).unwrap();
            assert!(bytes(&mut old).iter().all(|b| *b == 0));
            bytes(&mut new).fill(1);
            pool.give(new);
        }
    }

    #[test]
    fn what_moved_moves_again_without_being_touched() {
        // Far more than there is memory, moved twice: the second time in two parts.
        let (pool, mut len) = (MemoryPool::new(0), 64 << 30);
        let mut slot = pool.take(len, 0, len).unwrap();
        bytes(&mut slot)[len - 1] = 7;
        for round in 1..4 {
            let mut new = pool.take(2 * len, 0, 2 * len).unwrap();
            slot.move_to(&mut new);
            assert_eq!(new.seams.len(), round);
            assert_eq!(bytes(&mut new)[(64 << 30) - 1], 7);
            len *= 2;
            bytes(&mut new)[len - 1] = 8;
            slot = new;
        }
    }

    #[test]
    fn the_pool_keeps_no_more_than_it_may() {
        let pool = MemoryPool::new(1);
        let (first, second) = (pool.take(1 << 20, 0, 0).unwrap(), pool.take(1 << 20, 0, 0).unwrap());
        pool.give(first);
        pool.give(second);
        assert_eq!(pool.lock().len(), 1);
        pool.empty();
        assert_eq!(pool.lock().len(), 0);
        let nothing = MemoryPool::new(0);
        nothing.give(nothing.take(PAGE, 0, PAGE).unwrap());
        assert_eq!(nothing.lock().len(), 0);
    }

    #[test]
    fn slots_with_too_little_room_are_not_used() {
        let pool = MemoryPool::new(8);
        pool.give(pool.take(PAGE, 0, PAGE).unwrap());
        assert!(pool.take(2 * PAGE, 0, PAGE).unwrap().reservation() >= 2 * PAGE);
        assert_eq!(pool.lock().len(), 1);
        let guarded = pool.take(PAGE, PAGE, PAGE).unwrap();
        assert!(!mapping(guarded.base() as usize + 2 * PAGE - 1).1);
        assert_eq!(pool.lock().len(), 1);
        pool.take(PAGE, 0, 4096).unwrap();
        assert_eq!(pool.lock().len(), 0);
    }

    #[test]
    fn what_cannot_be_reserved_is_an_error() {
        assert!(MemoryPool::new(1).take(1 << 60, 0, 0).is_err());
        assert!(MemoryPool::new(1).take(usize::MAX, usize::MAX, 0).is_err());
        assert!(MemoryPool::new(1).take(65536, 0, 131072).is_err());
    }

    #[test]
    fn threads_share_a_pool() {
        let pool = MemoryPool::new(3);
        let work = |mark: u8| {
            for i in 0..200 {
                let mut slot = pool.take(1 << 20, 0, PAGE * (1 + i % 2)).unwrap();
                assert!(bytes(&mut slot).iter().all(|b| *b == 0));
                bytes(&mut slot)[i * 300..].fill(mark);
                pool.give(slot);
            }
        };
        std::thread::scope(|scope| (1..5).for_each(|mark| drop(scope.spawn(move || work(mark)))));
        assert!((1..=3).contains(&pool.lock().len()));
    }
}
