//! An engine's clean slots (`memory_slot.rs`), kept for the next memories.
//!
//! ```text
//!  thread 0, 16, 32 ...   [ slot | slot |  -   |  -   ]   a few places for threads that hardly ever meet
//!  thread 1, 17, 33 ...   [ slot |  -   |  -   |  -   ]
//!  ...
//!  the rest               under a lock
//! ```
//! A place is one word: the slot's address, or null. Who swaps null for an address owns the slot; who finds null there
//! may put one in. So threads that make and delete instances wait for nobody, and a slot is with one owner at any time.
//! The key beside it says what the slot is bound to. It is a hint: it may belong to the slot before.

use crate::runtime::memory_image::MemoryImage;
use crate::runtime::memory_slot::MemorySlot;
use crate::runtime::sys::thread_number::thread_number;
use std::io;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many groups of threads have places of their own.
const SHARDS: usize = 16;
/// How many places a group of threads has.
const PLACES: usize = 4;

/// What a memory needs.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Bytes of address space that it may grow into.
    pub reservation: usize,
    /// Inaccessible bytes behind them.
    pub guard: usize,
    /// Bytes that it has at first, a multiple of the system's page.
    pub len: usize,
    /// Whether nothing behind them may be accessible.
    pub exactly: bool,
    /// What it holds at first; zeros if there is none.
    pub image: Option<&'a Arc<MemoryImage>>,
}

impl Wanted<'_> {
    fn image_id(&self) -> u64 {
        self.image.map_or(0, |image| image.id())
    }

    fn fits(&self, slot: &MemorySlot) -> bool {
        slot.reservation() >= self.reservation && slot.guard() >= self.guard
    }

    /// Whether nothing needs to be done to the slot.
    fn is(&self, slot: &MemorySlot) -> bool {
        let accessible = slot.accessible();
        self.fits(slot)
            && slot.image_id() == self.image_id()
            && if self.exactly { accessible == self.len } else { accessible >= self.len }
    }
}

/// A place for a slot.
#[derive(Debug, Default)]
struct Place {
    image: AtomicU64,
    slot: AtomicPtr<MemorySlot>,
}

impl Place {
    fn take(&self) -> Option<Box<MemorySlot>> {
        if self.slot.load(Ordering::Relaxed).is_null() {
            return None;
        }
        let slot = self.slot.swap(ptr::null_mut(), Ordering::Acquire);
        // SAFETY: a place holds null or what `give` made of a box, and the swap gives it to one caller only.
        (!slot.is_null()).then(|| unsafe { Box::from_raw(slot) })
    }

    /// Puts a slot there, or gives it back if there is one already.
    fn give(&self, slot: Box<MemorySlot>) -> Result<(), Box<MemorySlot>> {
        if !self.slot.load(Ordering::Relaxed).is_null() {
            return Err(slot);
        }
        let image = slot.image_id();
        let slot = Box::into_raw(slot);
        match self.slot.compare_exchange(ptr::null_mut(), slot, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => self.image.store(image, Ordering::Relaxed),
            // SAFETY: it was not put there, so that it is still the caller's.
            Err(_) => return Err(unsafe { Box::from_raw(slot) }),
        }
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.slot.load(Ordering::Relaxed).is_null()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// Places of one group of threads; on cache lines of their own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard([Place; PLACES]);

impl Shard {
    /// A slot of which `fits` is true; others are put back. Looks only where the hint says `image`, if that is given.
    fn find(
        &self,
        image: Option<u64>,
        fits: &dyn Fn(&MemorySlot) -> bool,
        overflow: &MemoryPool,
    ) -> Option<Box<MemorySlot>> {
        for place in &self.0 {
            if image.is_some_and(|image| place.image.load(Ordering::Relaxed) != image) {
                continue;
            }
            let Some(slot) = place.take() else { continue };
            if fits(&slot) {
                return Some(slot);
            }
            if let Err(slot) = place.give(slot) {
                // Somebody has filled the place meanwhile.
                overflow.keep(slot);
            }
        }
        None
    }
}

/// An engine's clean slots.
#[derive(Debug)]
pub struct MemoryPool {
    /// How many it keeps at most.
    kept: usize,
    /// How many bytes of memory a kept slot takes up at most.
    resident: usize,
    shards: Box<[Shard]>,
    /// Boxed, as the places' are: slots go from one to the other.
    #[allow(clippy::vec_box)]
    rest: Mutex<Vec<Box<MemorySlot>>>,
}

impl MemoryPool {
    /// A pool that keeps up to `kept` slots, each with up to `resident` bytes of memory.
    pub fn new(kept: usize, resident: usize) -> MemoryPool {
        let shards = SHARDS.min(kept / 2 / PLACES);
        MemoryPool { kept, resident, shards: (0..shards).map(|_| Shard::default()).collect(), rest: Mutex::default() }
    }

    /// A clean slot that is bound to what is wanted.
    pub fn take(&self, wanted: &Wanted) -> io::Result<Box<MemorySlot>> {
        let mut slot = match self.find(wanted) {
            Some(slot) => slot,
            None => match MemorySlot::reserve(wanted.reservation, wanted.guard) {
                Ok(slot) => slot,
                Err(_) => {
                    // What the pool keeps may be what is missing.
                    self.empty();
                    MemorySlot::reserve(wanted.reservation, wanted.guard)?
                }
            },
        };
        slot.bind(wanted.image, wanted.len, wanted.exactly)?;
        Ok(slot)
    }

    fn own_shard(&self) -> Option<&Shard> {
        (!self.shards.is_empty()).then(|| &self.shards[thread_number() as usize % self.shards.len()])
    }

    /// The best of the kept slots: one that is as it should be, the calling thread's first; else one that is not bound.
    /// One that is bound to another image only if no more can be kept: modules that take turns need slots of their own.
    fn find(&self, wanted: &Wanted) -> Option<Box<MemorySlot>> {
        let own = self.own_shard();
        if let Some(slot) = own.and_then(|own| own.find(Some(wanted.image_id()), &|slot| wanted.is(slot), self)) {
            return Some(slot);
        }
        let fits = |slot: &MemorySlot| wanted.fits(slot);
        let unbound = |slot: &MemorySlot| fits(slot) && slot.image_id() == 0;
        self.find_in_rest(&|slot| wanted.is(slot))
            .or_else(|| own?.find(None, &unbound, self))
            .or_else(|| self.find_in_rest(&unbound))
            .or_else(|| self.find_in_shards(&|slot| wanted.is(slot)))
            .or_else(|| if self.count() < self.kept { None } else { self.find_in_rest(&fits) })
            .or_else(|| if self.count() < self.kept { None } else { self.find_in_shards(&fits) })
    }

    fn find_in_rest(&self, fits: &dyn Fn(&MemorySlot) -> bool) -> Option<Box<MemorySlot>> {
        let mut rest = self.lock();
        let index = rest.iter().rposition(|slot| fits(slot))?;
        Some(rest.swap_remove(index))
    }

    fn find_in_shards(&self, fits: &dyn Fn(&MemorySlot) -> bool) -> Option<Box<MemorySlot>> {
        self.shards.iter().find_map(|shard| shard.find(None, fits, self))
    }

    /// Takes a slot back. Nothing may use its memory any more.
    pub fn give(&self, mut slot: Box<MemorySlot>) {
        slot.retire();
        if self.kept > 0 && slot.clean(self.resident).is_ok() {
            self.keep(slot);
        }
    }

    /// Finds a place for a clean slot, the calling thread's first; drops it if there is none.
    fn keep(&self, slot: Box<MemorySlot>) {
        let slot = match self.own_shard() {
            Some(own) => match put(own, slot) {
                Ok(()) => return,
                Err(slot) => slot,
            },
            None => slot,
        };
        let places = self.shards.len() * PLACES;
        {
            let mut rest = self.lock();
            if rest.len() < self.kept - places {
                rest.push(slot);
                return;
            }
        }
        let mut left = Some(slot);
        for shard in &self.shards {
            left = left.and_then(|slot| put(shard, slot).err());
        }
    }

    /// Gives all kept slots back to the system.
    pub fn empty(&self) {
        let rest = std::mem::take(&mut *self.lock());
        drop(rest);
        for place in self.shards.iter().flat_map(|shard| &shard.0) {
            drop(place.take());
        }
    }

    /// Forgets images that no module has any more: the slots that are bound to them hold zeros from now on.
    pub fn forget(&self, images: &[u64]) {
        let bound = |slot: &MemorySlot| images.contains(&slot.image_id());
        while let Some(mut slot) = self.find_in_rest(&bound).or_else(|| self.find_in_shards(&bound)) {
            if slot.unbind().is_ok() {
                self.keep(slot);
            }
        }
    }

    /// How many slots it keeps.
    pub fn count(&self) -> usize {
        let places = self.shards.iter().flat_map(|shard| &shard.0);
        self.lock().len() + places.filter(|place| !place.is_empty()).count()
    }

    #[allow(clippy::vec_box)]
    fn lock(&self) -> MutexGuard<'_, Vec<Box<MemorySlot>>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a slot into one of a shard's places, or gives it back.
fn put(shard: &Shard, mut slot: Box<MemorySlot>) -> Result<(), Box<MemorySlot>> {
    for place in &shard.0 {
        match place.give(slot) {
            Ok(()) => return Ok(()),
            Err(back) => slot = back,
        }
    }
    Err(slot)
}

#[cfg(test)]
#[path = "memory_pool_tests.rs"]
mod tests;
