//! The allocator's reserve. Rust ends the process when an allocation fails; a library must not do that to its host.
//!
//! Small allocations that the system refuses are served from a reserve of fixed size, so that what is under way comes to
//! its end. From then on, what can fail is refused at once (`error::attempt`) as long as the system has no memory. Large allocations whose size a caller chooses are asked for
//! where failure is expected, and are not served from here.
//!
//! The feature `reserve` (on by default) installs it; a Rust program with an allocator of its own switches it off.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Bytes of the reserve. They are in the `.bss` section: only what is used takes up memory.
const SIZE: usize = 32 << 20;
/// The largest allocation that is served from it.
const LARGEST: usize = 1 << 20;

/// The system's allocator, with a reserve.
pub struct Reserved;

// The library's own tests count what is allocated.
#[cfg(all(feature = "reserve", not(test)))]
#[global_allocator]
static ALLOCATOR: Reserved = Reserved;

/// Sizes are rounded up to powers of two; a free piece holds the address of the next one of its size.
const CLASSES: usize = LARGEST.trailing_zeros() as usize + 1;

/// Memory that is handed out from its beginning, freed pieces first, and starts anew when nothing of it is in use.
struct Arena {
    bytes: UnsafeCell<Bytes>,
    lock: AtomicBool,
    next: AtomicUsize,
    live: AtomicUsize,
    free: UnsafeCell<[*mut u8; CLASSES]>,
}

#[repr(align(4096))]
struct Bytes {
    _bytes: [u8; SIZE],
}

// SAFETY: everything but the pieces that were handed out changes under the lock only.
unsafe impl Sync for Arena {}

/// The class of a layout, and its size: enough for the alignment, too, as pieces are aligned to their size up to a page.
fn class(layout: Layout) -> (usize, usize) {
    let size = layout.size().max(layout.align()).max(16).next_power_of_two();
    (size.trailing_zeros() as usize, size)
}

static ARENA: Arena = Arena {
    bytes: UnsafeCell::new(Bytes { _bytes: [0; SIZE] }),
    lock: AtomicBool::new(false),
    next: AtomicUsize::new(0),
    live: AtomicUsize::new(0),
    free: UnsafeCell::new([ptr::null_mut(); CLASSES]),
};

impl Arena {
    fn locked<T>(&self, f: impl FnOnce() -> T) -> T {
        while self.lock.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            std::hint::spin_loop();
        }
        let result = f();
        self.lock.store(false, Ordering::Release);
        result
    }

    fn start(&self) -> *mut u8 {
        self.bytes.get().cast()
    }

    fn holds(&self, pointer: *mut u8) -> bool {
        (pointer as usize).wrapping_sub(self.start() as usize) < SIZE
    }

    #[cold]
    fn take(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST || layout.align() > 4096 {
            return ptr::null_mut();
        }
        let (class, size) = class(layout);
        self.locked(|| {
            // SAFETY: under the lock; a free piece begins with the address of the next.
            let piece = unsafe {
                let free = &mut (*self.free.get())[class];
                let piece = *free;
                if !piece.is_null() {
                    *free = piece.cast::<*mut u8>().read();
                }
                piece
            };
            if !piece.is_null() {
                self.live.fetch_add(1, Ordering::Relaxed);
                return piece;
            }
            let at = self.next.load(Ordering::Relaxed).next_multiple_of(size.min(4096));
            if at + size > SIZE {
                return ptr::null_mut();
            }
            self.next.store(at + size, Ordering::Relaxed);
            self.live.fetch_add(1, Ordering::Relaxed);
            self.start().wrapping_add(at)
        })
    }

    #[cold]
    fn give(&self, piece: *mut u8, layout: Layout) {
        let (class, _) = class(layout);
        // SAFETY: under the lock; the piece is not used any more, and large enough for an address.
        self.locked(|| unsafe {
            let free = &mut *self.free.get();
            if self.live.fetch_sub(1, Ordering::Relaxed) == 1 {
                self.next.store(0, Ordering::Relaxed);
                *free = [ptr::null_mut(); CLASSES];
            } else {
                piece.cast::<*mut u8>().write(free[class]);
                free[class] = piece;
            }
        });
    }
}

/// Whether memory is short: the reserve is in use, and the system still refuses.
pub(crate) fn is_short() -> bool {
    ARENA.live.load(Ordering::Relaxed) > 0 && {
        const PROBE: Layout = Layout::new::<[u64; 8192]>();
        // SAFETY: the layout is not empty, and what is allocated is freed with it.
        unsafe {
            let probe = System.alloc(PROBE);
            if !probe.is_null() {
                System.dealloc(probe, PROBE);
            }
            probe.is_null()
        }
    }
}

// SAFETY: every allocation is the system's or the arena's own, told apart by address; neither unwinds.
unsafe impl GlobalAlloc for Reserved {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let pointer = unsafe { System.alloc(layout) };
        if pointer.is_null() { ARENA.take(layout) } else { pointer }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let pointer = unsafe { System.alloc_zeroed(layout) };
        if !pointer.is_null() {
            return pointer;
        }
        let pointer = ARENA.take(layout);
        if !pointer.is_null() {
            // SAFETY: the arena's place is that large; it may have been used before.
            unsafe { ptr::write_bytes(pointer, 0, layout.size()) };
        }
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if ARENA.holds(pointer) {
            ARENA.give(pointer, layout);
        } else {
            // SAFETY: the caller's promise; it is the system's.
            unsafe { System.dealloc(pointer, layout) }
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if !ARENA.holds(pointer) {
            // SAFETY: the caller's promise; it is the system's.
            let moved = unsafe { System.realloc(pointer, layout, size) };
            if !moved.is_null() {
                return moved;
            }
        }
        // SAFETY: the caller promises that the new size is valid for the alignment; both places hold what is copied.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(pointer, moved, layout.size().min(size));
                self.dealloc(pointer, layout);
            }
            moved
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_starts_anew_when_it_is_free() {
        let layout = Layout::from_size_align(1000, 64).unwrap();
        let first = ARENA.take(layout);
        let second = ARENA.take(layout);
        assert!(ARENA.holds(first) && ARENA.holds(second) && second as usize >= first as usize + 1000);
        assert_eq!((first as usize % 64, second as usize % 64), (0, 0));
        assert_eq!(ARENA.live.load(Ordering::Relaxed), 2);
        assert!(!is_short());
        // SAFETY: both are the arena's, and are given back once. Growth moves within the arena or out of it.
        unsafe {
            first.write_bytes(7, 1000);
            let grown = Reserved.realloc(first, layout, 2000);
            assert_eq!(std::slice::from_raw_parts(grown, 1000), [7; 1000]);
            Reserved.dealloc(grown, Layout::from_size_align(2000, 64).unwrap());
            Reserved.dealloc(second, layout);
        }
        assert_eq!(ARENA.next.load(Ordering::Relaxed), 0);
        assert!(ARENA.take(Layout::from_size_align(LARGEST + 1, 1).unwrap()).is_null());
        let large = Layout::from_size_align(LARGEST, 1).unwrap();
        let all: Vec<_> = std::iter::repeat_with(|| ARENA.take(large)).take_while(|p| !p.is_null()).collect();
        assert_eq!(all.len(), SIZE / LARGEST);
        ARENA.give(all[3], large);
        assert_eq!(ARENA.take(large), all[3]);
        all.iter().for_each(|piece| ARENA.give(*piece, large));
        assert_eq!(ARENA.next.load(Ordering::Relaxed), 0);
    }
}
