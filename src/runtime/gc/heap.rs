//! The memory of a store's garbage-collected objects: one region of address space, in two halves, each as large as the limit
//! asks.
//!
//! ```text
//!  base   +4 KiB                            half                                    2 half
//!   | none | objects ... | free ...  | none ... | none | free            | none ...  |
//!            ^start       ^next       ^limit            ^ start of the other half
//! ```
//! Objects lie in one half, *the space in use*; a collection copies those that are reachable to the other. The
//! first page is never accessible, so that an access through null faults. A space is made accessible in steps, and can
//! grow in place, so that memory is to be had even where no collection is possible.
//!
//! A reference is the offset of an object from `base`, a multiple of 8. See `object.rs` for what lies there.

use super::types::GcType;
use crate::compile::layout::GC_NULL_GUARD;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::sys::vm::{self, Protection};
use std::cell::Cell;
use std::ptr;

/// Bytes at the beginning of the region, and of its second half, that hold no object.
pub const GUARD: u64 = GC_NULL_GUARD as u64;
/// The most bytes that the region can have: references have 32 bits.
const MOST: u64 = 1 << 32;
/// Sizes that the region may have where address space for what the limit asks is not to be had.
const SMALLER: [u64; 4] = [1 << 30, 256 << 20, 64 << 20, 16 << 20];
/// What a space holds before the first collection.
const INITIAL: u64 = 1 << 20;
/// Spaces are made accessible in multiples of this.
const STEP: u64 = 256 << 10;
/// A space gets this many times what survived the last collection.
const GROWTH: u64 = 4;

/// What generated code sees of a heap: a part of the store's context. Before there is a heap, nothing fits.
#[repr(C)]
#[derive(Debug)]
pub struct Window {
    /// Address of the region, or null.
    pub base: *mut u8,
    /// Offset of the next free byte.
    pub next: u64,
    /// Offset up to which objects may be put without further questions.
    pub limit: u64,
    /// By index of canonical type: its `GcType`, or null.
    pub types: *const *const GcType,
}

impl Window {
    /// The window of a store that has no heap.
    pub const fn none() -> Window {
        Window { base: ptr::null_mut(), next: 0, limit: 0, types: ptr::null() }
    }
}

/// What a heap has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Bytes of the objects that are there, reachable or not.
    pub used: u64,
    /// Bytes that fit before the next collection, those in use included.
    pub capacity: u64,
    /// Bytes of the objects that the last collection found reachable.
    pub survived: u64,
    /// Collections.
    pub collections: u64,
}

/// A heap. It is used by one thread at a time, its store's.
#[derive(Debug)]
pub struct Heap {
    window: *mut Window,
    base: *mut u8,
    /// Bytes of a half.
    half: u64,
    /// The most bytes of objects that there can be.
    most: u64,
    /// The most that there may be.
    limit: Cell<u64>,
    /// Offset of the space in use.
    start: Cell<u64>,
    /// Bytes that may be filled before the next collection.
    capacity: Cell<u64>,
    /// Bytes of each space that are accessible.
    accessible: [Cell<u64>; 2],
    survived: Cell<u64>,
    collections: Cell<u64>,
    /// Debug switch: no allocation is made by generated code itself.
    always: bool,
}

impl Heap {
    /// A heap that holds up to `limit` bytes. What generated code needs to know is kept in `window`, which outlives it.
    pub(in crate::runtime) fn new(window: *mut Window, limit: u64, always: bool) -> Result<Heap, Error> {
        let (base, size) = reserve(limit)?;
        let half = size / 2;
        let most = limit.min(half - GUARD);
        let heap = Heap {
            window,
            base,
            half,
            most,
            limit: Cell::new(most),
            start: Cell::new(GUARD),
            capacity: Cell::new(0),
            accessible: Default::default(),
            survived: Cell::new(0),
            collections: Cell::new(0),
            always,
        };
        if !heap.access(0, STEP.min(most)) {
            return Err(no_memory());
        }
        // SAFETY: the caller gives the window up to the heap.
        unsafe {
            (*window).base = base;
            (*window).next = GUARD;
        }
        heap.set_capacity(INITIAL.min(most));
        Ok(heap)
    }

    /// Address of the region.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// The address of an object. Its memory is valid until the next collection.
    #[inline(always)]
    pub fn at(&self, reference: u32) -> *mut u8 {
        self.base.wrapping_add(reference as usize)
    }

    /// The most bytes of objects.
    pub fn limit(&self) -> u64 {
        self.limit.get()
    }

    /// Whether that is less than there is address space for.
    pub fn is_restricted(&self) -> bool {
        self.limit.get() < self.most
    }

    /// Sets the most bytes of objects, as far as there is address space for them. Those that are there stay.
    pub fn restrict(&self, limit: u64) {
        self.limit.set(limit.min(self.most));
        self.set_capacity(self.capacity.get().min(self.limit.get()));
    }

    /// Bytes of the objects that are there, reachable or not.
    pub fn used(&self) -> u64 {
        self.next() - self.start.get()
    }

    /// Figures about it.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            used: self.used(),
            capacity: self.capacity.get(),
            survived: self.survived.get(),
            collections: self.collections.get(),
        }
    }

    #[inline(always)]
    fn next(&self) -> u64 {
        // SAFETY: the window outlives the heap, and only the store's thread is here.
        unsafe { (*self.window).next }
    }

    fn set_next(&self, next: u64) {
        // SAFETY: as in `next`.
        unsafe { (*self.window).next = next }
    }

    /// A place for `size` bytes, a multiple of 8, if they fit before the next collection. Nothing is written.
    #[inline]
    pub fn bump(&self, size: u64) -> Option<u32> {
        let next = self.next();
        if size > self.start.get() + self.capacity.get() - next {
            return None;
        }
        let end = self.used() + size;
        if end > self.accessible[self.space()].get() && !self.access(self.space(), end) {
            return None;
        }
        self.set_next(next + size);
        self.set_limit();
        Some(next as u32)
    }

    /// Makes room for `size` more bytes without a collection. Whether that was possible.
    pub fn grow(&self, size: u64) -> bool {
        let Some(wanted) = self.used().checked_add(size).filter(|wanted| *wanted <= self.limit.get()) else {
            return false;
        };
        if wanted > self.capacity.get() {
            self.set_capacity(wanted.next_multiple_of(STEP).min(self.limit.get()));
        }
        true
    }

    /// Sets the capacity for what is alive after a collection and `size` bytes that are wanted, and at least `least`. Returns
    /// whether the latter will fit. Memory that is no longer needed goes back to the system.
    pub fn resize(&self, size: u64, least: u64) -> bool {
        let survived = self.used();
        let wanted = survived.saturating_add(size).saturating_mul(GROWTH).max(least).max(INITIAL);
        self.set_capacity(wanted.checked_next_multiple_of(STEP).unwrap_or(u64::MAX).min(self.limit.get()));
        self.release();
        size <= self.capacity.get() - survived
    }

    /// Gives memory behind the capacity back, if that is much.
    fn release(&self) {
        for space in 0..2 {
            let (keep, have) = (self.capacity.get().next_multiple_of(STEP), self.accessible[space].get());
            if have / 2 >= keep {
                let from = self.base.wrapping_add((self.start_of(space) + keep) as usize);
                // SAFETY: the range is in the region, behind every object.
                let given = unsafe {
                    vm::discard(from, (have - keep) as usize)
                        .and_then(|()| vm::protect(from, (have - keep) as usize, Protection::None))
                };
                if given.is_ok() {
                    self.accessible[space].set(keep);
                }
            }
        }
        self.set_limit();
    }

    fn set_capacity(&self, capacity: u64) {
        self.capacity.set(capacity.max(self.used()));
        self.set_limit();
    }

    /// Tells generated code how far it may go by itself.
    fn set_limit(&self) {
        let accessible = self.accessible[self.space()].get();
        let limit = if self.always { 0 } else { self.start.get() + self.capacity.get().min(accessible) };
        // SAFETY: as in `next`.
        unsafe { (*self.window).limit = limit };
    }

    /// Which of the two spaces is in use.
    fn space(&self) -> usize {
        usize::from(self.start.get() > self.half)
    }

    fn start_of(&self, space: usize) -> u64 {
        space as u64 * self.half + GUARD
    }

    /// Makes the first `size` bytes of a space accessible, and some more. Whether that was possible.
    fn access(&self, space: usize, size: u64) -> bool {
        let have = self.accessible[space].get();
        if size <= have {
            return true;
        }
        // More at a time where there is much, so that steps are few.
        let wanted = size.max(have + have / 2).next_multiple_of(STEP).min(self.half - GUARD);
        let from = self.base.wrapping_add((self.start_of(space) + have) as usize);
        // SAFETY: the range is in the region, and nothing lies there.
        if unsafe { vm::protect(from, (wanted - have) as usize, Protection::ReadWrite) }.is_err() {
            return false;
        }
        self.accessible[space].set(wanted);
        true
    }

    /// The other space, ready for all objects of the one in use: its offset. None if there is no memory for it.
    pub(super) fn begin(&self) -> Option<u64> {
        let other = 1 - self.space();
        self.access(other, self.used()).then(|| self.start_of(other))
    }

    /// Changes to the other space, which has been filled up to `next`.
    pub(super) fn flip(&self, next: u64) {
        self.start.set(self.start_of(1 - self.space()));
        self.set_next(next);
        self.survived.set(self.used());
        self.collections.set(self.collections.get() + 1);
        self.set_capacity(self.capacity.get());
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: the region is this heap's own, and its end is that of its store.
        unsafe {
            *self.window = Window { types: (*self.window).types, ..Window::none() };
            vm::unmap(self.base, 2 * self.half as usize);
        }
    }
}

/// Address space for two spaces of so many bytes, or else less.
fn reserve(limit: u64) -> Result<(*mut u8, u64), Error> {
    let wanted = 2 * (limit.min(MOST) + GUARD).next_multiple_of(vm::page_size() as u64);
    let wanted = wanted.min(MOST);
    [wanted]
        .into_iter()
        .chain(SMALLER.into_iter().filter(|size| *size < wanted))
        .find_map(|size| Some((vm::map(size as usize, Protection::None).ok()?, size)))
        .ok_or_else(no_memory)
}

fn no_memory() -> Error {
    Error::new(ErrorKind::Memory, "no memory for the store's heap of objects")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heap(limit: u64, always: bool) -> (Box<Window>, Heap) {
        let mut window = Box::new(Window::none());
        let heap = Heap::new(&mut *window, limit, always).unwrap();
        (window, heap)
    }

    fn put(heap: &Heap, size: u64) -> Option<u32> {
        let at = heap.bump(size)?;
        // SAFETY: the heap gave the place.
        unsafe { heap.at(at).write_bytes(1, size as usize) };
        Some(at)
    }

    #[test]
    fn objects_follow_one_another_up_to_the_capacity() {
        let (window, heap) = heap(1 << 30, false);
        assert_eq!(put(&heap, 24), Some(4096));
        assert_eq!(put(&heap, 16), Some(4096 + 24));
        assert_eq!((heap.used(), window.next), (40, 4136));
        assert!(window.limit > window.next && window.limit <= GUARD + INITIAL);
        assert_eq!(put(&heap, INITIAL), None);
        assert!(put(&heap, INITIAL - 40).is_some());
        assert_eq!(put(&heap, 8), None);
        assert_eq!(window.limit, GUARD + INITIAL);
    }

    #[test]
    fn a_heap_grows_in_place_up_to_its_limit() {
        let (_window, heap) = heap(3 << 20, false);
        assert!(put(&heap, INITIAL).is_some());
        assert!(heap.grow(2 << 20));
        assert!(put(&heap, 2 << 20).is_some());
        assert!(!heap.grow(8) && !heap.grow(u64::MAX));
        assert_eq!(heap.used(), 3 << 20);
        assert_eq!(put(&heap, 8), None);
    }

    #[test]
    fn a_heap_is_filled_to_its_end_in_small_steps() {
        let (_window, heap) = heap(900 << 20, false);
        let mut count = 0;
        // Hardly any of it is touched.
        while heap.grow(1 << 20) && heap.bump(1 << 20).is_some() {
            count += 1;
        }
        assert_eq!((count, heap.used()), (900, 900 << 20));
        assert!(heap.begin().is_some());
    }

    #[test]
    fn a_shrunk_heap_gives_memory_back() {
        let (_window, heap) = heap(1 << 30, false);
        assert!(heap.grow(64 << 20));
        assert!(put(&heap, 64 << 20).is_some());
        assert!(heap.accessible[0].get() >= 64 << 20);
        let other = heap.begin().unwrap();
        heap.flip(other + 4096);
        assert!(heap.resize(0, 0));
        assert_eq!((heap.used(), heap.space()), (4096, 1));
        assert_eq!(heap.accessible.each_ref().map(Cell::get), [INITIAL, INITIAL]);
        let figures = heap.statistics();
        assert_eq!((figures.survived, figures.collections, figures.capacity), (4096, 1, INITIAL));
    }

    #[test]
    fn generated_code_allocates_nothing_where_each_allocation_collects() {
        let (window, heap) = heap(1 << 30, true);
        assert_eq!(put(&heap, 24), Some(4096));
        assert_eq!(window.limit, 0);
    }

    #[test]
    fn a_restriction_can_be_lifted() {
        let (window, heap) = heap(1 << 30, false);
        assert!(put(&heap, 1000).is_some() && !heap.is_restricted());
        heap.restrict(1500);
        assert!(heap.is_restricted() && window.limit == GUARD + 1500);
        assert!(put(&heap, 504).is_none() && !heap.grow(504) && heap.grow(496));
        heap.restrict(0);
        assert!(heap.used() == 1000 && window.limit == GUARD + 1000 && !heap.grow(8));
        heap.restrict(u64::MAX);
        assert!(!heap.is_restricted() && heap.grow(64 << 20) && put(&heap, 64 << 20).is_some());
    }

    #[test]
    fn a_small_limit_is_kept() {
        let (window, heap) = heap(1000, false);
        assert_eq!(window.limit, GUARD + 1000);
        assert!(put(&heap, 1000).is_some());
        assert!(!heap.grow(8) && put(&heap, 8).is_none());
    }
}
