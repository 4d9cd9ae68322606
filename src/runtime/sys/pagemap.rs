//! Which pages of a range the process has a copy of its own of: PAGEMAP_SCAN (Linux 6.7 and later).
//!
//! The question goes to `/proc/self/pagemap`, a file that is about the process that opened it, and so means the parent
//! after a fork. A page that the kernel clears in children (MADV_WIPEONFORK) tells. Before the answers are believed
//! they are checked once, on a mapping whose pages are known.

use crate::runtime::sys::{valgrind, vm};
use std::ops::Range;
use std::ptr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, Ordering};

/// `struct page_region` of `linux/fs.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Region {
    start: u64,
    end: u64,
    categories: u64,
}

/// `struct pm_scan_arg` of `linux/fs.h`.
#[repr(C)]
#[derive(Default)]
struct Scan {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    regions: u64,
    region_count: u64,
    max_pages: u64,
    inverted: u64,
    all_of: u64,
    any_of: u64,
    returned: u64,
}

/// `_IOWR('f', 16, struct pm_scan_arg)`
const PAGEMAP_SCAN: libc::c_ulong =
    3 << 30 | (size_of::<Scan>() as libc::c_ulong) << 16 | (b'f' as libc::c_ulong) << 8 | 16;
const FILE: u64 = 1 << 2;
const PRESENT: u64 = 1 << 3;
const SWAPPED: u64 = 1 << 4;
const ZEROS: u64 = 1 << 5;

/// How many ranges are asked for at once.
const REGIONS: usize = 32;

/// Value of the marker in the process that opened the file; 0 in its children.
const OPEN: u32 = 1;
/// Value of the marker where the system does not answer.
const REFUSED: u32 = 2;

/// The page that children find cleared, null until it is needed.
static MARKER: AtomicPtr<AtomicU32> = AtomicPtr::new(ptr::null_mut());
static DESCRIPTOR: AtomicI32 = AtomicI32::new(-1);

/// The file to ask, if the system answers.
fn descriptor() -> Option<libc::c_int> {
    // SAFETY: null, or a page that is never unmapped.
    match unsafe { MARKER.load(Ordering::Acquire).as_ref() }.map(|marker| marker.load(Ordering::Acquire)) {
        Some(OPEN) => Some(DESCRIPTOR.load(Ordering::Relaxed)),
        Some(REFUSED) => None,
        _ => open(),
    }
}

#[cold]
fn open() -> Option<libc::c_int> {
    static OPENING: Mutex<()> = Mutex::new(());
    // Not waiting: after a fork, whoever had the lock may be gone.
    let _opening = OPENING.try_lock().ok()?;
    let mut marker = MARKER.load(Ordering::Acquire);
    if marker.is_null() {
        let page = vm::map(vm::page_size(), vm::Protection::ReadWrite).ok()?;
        marker = page.cast();
        // SAFETY: the page is ours.
        if valgrind::is_running() || unsafe { vm::wipe_on_fork(page, vm::page_size()) }.is_err() {
            // SAFETY: as above; zeros are a number.
            unsafe { (*marker).store(REFUSED, Ordering::Release) };
        }
        MARKER.store(marker, Ordering::Release);
    }
    // SAFETY: never unmapped.
    let marker = unsafe { &*marker };
    if marker.load(Ordering::Acquire) != 0 {
        return (marker.load(Ordering::Acquire) == OPEN).then(|| DESCRIPTOR.load(Ordering::Relaxed));
    }
    // SAFETY: opens a file.
    let file = unsafe { libc::open(c"/proc/self/pagemap".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    // A parent's file stays open: its number may be another file's by now.
    let answers = file >= 0 && answers_rightly(file) == Some(true);
    DESCRIPTOR.store(file, Ordering::Relaxed);
    marker.store(if answers { OPEN } else { REFUSED }, Ordering::Release);
    answers.then_some(file)
}

/// Whether of four pages, of which the first was only read and the third written, it tells the third.
fn answers_rightly(file: libc::c_int) -> Option<bool> {
    let page = vm::page_size();
    let at = vm::map(4 * page, vm::Protection::ReadWrite).ok()?;
    let mut found = Vec::new();
    // SAFETY: the mapping was just made.
    let asked = unsafe {
        at.read_volatile();
        at.add(2 * page).write_volatile(1);
        scan(file, at as usize, 4 * page, &mut |range| {
            found.push(range);
            true
        })
    };
    // SAFETY: as above.
    unsafe { vm::unmap(at, 4 * page) };
    Some(asked && found.len() == 1 && found[0] == (2 * page..3 * page))
}

/// Asks for the pages of `len` bytes from `start` on that are private to the process and not the page of zeros, and
/// gives them to `visit` as offsets, until that says no. Whether the system answered; if not, some may have been
/// visited.
fn scan(file: libc::c_int, start: usize, len: usize, visit: &mut dyn FnMut(Range<usize>) -> bool) -> bool {
    let end = (start + len) as u64;
    let mut from = start as u64;
    while from < end {
        let mut regions = [Region::default(); REGIONS];
        let mut arguments = Scan {
            size: size_of::<Scan>() as u64,
            start: from,
            end,
            regions: regions.as_mut_ptr() as u64,
            region_count: REGIONS as u64,
            inverted: FILE | ZEROS,
            all_of: FILE | ZEROS,
            any_of: PRESENT | SWAPPED,
            returned: PRESENT,
            ..Scan::default()
        };
        // SAFETY: the system writes to the structure and to as many regions as it says.
        let count = unsafe { libc::ioctl(file, PAGEMAP_SCAN, &raw mut arguments) };
        if count < 0 || count as usize > REGIONS || arguments.walk_end <= from {
            return false;
        }
        for region in &regions[..count as usize] {
            if !visit((region.start - start as u64) as usize..(region.end - start as u64) as usize) {
                return true;
            }
        }
        from = arguments.walk_end;
    }
    true
}

/// Gives `visit` the parts of a private mapping, as offsets from `start`, that the process has memory of its own for:
/// those that were written to, whatever they hold now. It says whether it wants more. Whether the system could tell; if
/// not, some may have been visited.
///
/// # Safety
/// The range is one or several private mappings of the caller's.
pub unsafe fn private_pages(start: *mut u8, len: usize, visit: &mut dyn FnMut(Range<usize>) -> bool) -> bool {
    match descriptor() {
        Some(file) => scan(file, start as usize, len, visit),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::sys::memory_file::MemoryFile;
    use crate::runtime::sys::testing::in_child;

    fn written(at: *mut u8, len: usize) -> Option<Vec<Range<usize>>> {
        let mut found = Vec::new();
        // SAFETY: the callers' own mapping.
        unsafe {
            private_pages(at, len, &mut |range| {
                found.push(range);
                true
            })
        }
        .then_some(found)
    }

    #[test]
    fn it_tells_what_was_written_to_in_parents_and_children() {
        let page = vm::page_size();
        let len = 200 * page;
        let at = vm::map(len, vm::Protection::ReadWrite).unwrap();
        let Some(found) = written(at, len) else {
            eprintln!("this system does not tell which pages were written to");
            return;
        };
        assert!(found.is_empty(), "{found:?}");
        let file = MemoryFile::of(c"test", &vec![7; 4 * page]).unwrap();
        let mut expected = Vec::new();
        // SAFETY: the mapping is this test's own.
        unsafe {
            vm::map_copy_over(at, file.descriptor(), 0, 4 * page).unwrap();
            at.read_volatile();
            at.add(10 * page).read_volatile();
            for i in (1..200).step_by(3) {
                at.add(i * page).write_volatile(1);
                expected.push(i * page..(i + 1) * page);
            }
        }
        assert_eq!(written(at, len), Some(expected.clone()));
        // A child writes to a page that its parent did not; both see their own.
        let status = in_child(|| {
            // SAFETY: as above.
            unsafe { at.write_volatile(1) };
            let there = written(at, len).unwrap();
            u8::from(there[0] != (0..2 * page) || there[1..] != expected[1..])
        });
        assert_eq!(status, Ok(0));
        assert_eq!(written(at, len), Some(expected));
        // SAFETY: as above.
        unsafe { vm::unmap(at, len) };
    }
}
