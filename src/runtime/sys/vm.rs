//! Memory mappings: `mmap` and its relatives with errors as `io::Error` and lengths in bytes.
//!
//! All addresses and lengths must be multiples of the page size, which [`page_size`] tells. The functions that change
//! what an address means are unsafe: nothing else may rely on the range.

use std::io;
use std::ptr;
use std::sync::OnceLock;

/// What may be done with a mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Nothing: every access faults.
    None,
    /// Reading.
    Read,
    /// Reading and writing.
    ReadWrite,
    /// Reading and executing.
    ReadExecute,
}

impl Protection {
    fn flags(self) -> libc::c_int {
        match self {
            Protection::None => libc::PROT_NONE,
            Protection::Read => libc::PROT_READ,
            Protection::ReadWrite => libc::PROT_READ | libc::PROT_WRITE,
            Protection::ReadExecute => libc::PROT_READ | libc::PROT_EXEC,
        }
    }
}

/// Bytes of a page.
pub fn page_size() -> usize {
    static SIZE: OnceLock<usize> = OnceLock::new();
    // SAFETY: sysconf has no preconditions.
    *SIZE.get_or_init(|| unsafe { libc::sysconf(libc::_SC_PAGESIZE) } as usize)
}

/// `len` rounded up to whole pages, if that is a number.
pub fn round_up(len: usize) -> Option<usize> {
    len.checked_next_multiple_of(page_size())
}

/// Maps `len` bytes of zeros that are private to the process. The system sets no memory aside for them until
/// they are touched.
pub fn map(len: usize, protection: Protection) -> io::Result<*mut u8> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: without an address the kernel chooses one that nobody uses.
    check_map(unsafe { libc::mmap(ptr::null_mut(), len, protection.flags(), flags, -1, 0) })
}

/// Maps the first `len` bytes of a file, shared with its other mappings.
pub fn map_file(file: libc::c_int, len: usize, protection: Protection) -> io::Result<*mut u8> {
    // SAFETY: without an address the kernel chooses one that nobody uses.
    check_map(unsafe { libc::mmap(ptr::null_mut(), len, protection.flags(), libc::MAP_SHARED, file, 0) })
}

/// Maps `len` bytes of a file from `offset` on over what is mapped at `address`, to be read and executed. Nothing writes
/// there; `shared` says whether what is written to the file elsewhere is to be seen.
///
/// # Safety
/// The range belongs to the caller, and nobody runs what is there.
pub unsafe fn map_code_over(
    address: *mut u8,
    file: libc::c_int,
    offset: usize,
    len: usize,
    shared: bool,
) -> io::Result<()> {
    let flags = libc::MAP_FIXED | if shared { libc::MAP_SHARED } else { libc::MAP_PRIVATE };
    let protection = Protection::ReadExecute.flags();
    // SAFETY: the caller owns the range.
    check_map(unsafe { libc::mmap(address.cast(), len, protection, flags, file, offset as libc::off_t) }).map(|_| ())
}

/// Maps the first `len` bytes of a file over what is mapped at `address`.
///
/// # Safety
/// The range belongs to the caller, and no reference into it is alive.
pub unsafe fn map_file_over(
    address: *mut u8,
    file: libc::c_int,
    len: usize,
    protection: Protection,
) -> io::Result<*mut u8> {
    let flags = libc::MAP_SHARED | libc::MAP_FIXED;
    // SAFETY: the caller owns the range.
    check_map(unsafe { libc::mmap(address.cast(), len, protection.flags(), flags, file, 0) })
}

/// Maps `len` bytes of a file from `offset` on over what is mapped at `address`, to be read and written. What is
/// written stays in this mapping.
///
/// # Safety
/// The range belongs to the caller, and no reference into it is alive.
pub unsafe fn map_copy_over(address: *mut u8, file: libc::c_int, offset: usize, len: usize) -> io::Result<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_FIXED | libc::MAP_NORESERVE;
    let protection = Protection::ReadWrite.flags();
    // SAFETY: the caller owns the range.
    check_map(unsafe { libc::mmap(address.cast(), len, protection, flags, file, offset as libc::off_t) }).map(|_| ())
}

/// Maps zeros that can be read and written over what is mapped at `address`.
///
/// # Safety
/// The range belongs to the caller, and no reference into it is alive.
pub unsafe fn map_zeros_over(address: *mut u8, len: usize) -> io::Result<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED;
    // SAFETY: the caller owns the range.
    check_map(unsafe { libc::mmap(address.cast(), len, Protection::ReadWrite.flags(), flags, -1, 0) }).map(|_| ())
}

/// Lets a child of `fork` find zeros in a private anonymous range. Kernels before 4.14 cannot.
///
/// # Safety
/// The range belongs to the caller.
pub unsafe fn wipe_on_fork(address: *mut u8, len: usize) -> io::Result<()> {
    // SAFETY: the caller owns the range.
    check(unsafe { libc::madvise(address.cast(), len, libc::MADV_WIPEONFORK) })
}

/// Changes what may be done with a range.
///
/// # Safety
/// The range belongs to the caller, and nothing relies on what is taken away.
pub unsafe fn protect(address: *mut u8, len: usize, protection: Protection) -> io::Result<()> {
    // SAFETY: the caller owns the range.
    check(unsafe { libc::mprotect(address.cast(), len, protection.flags()) })
}

/// Lets a range be read and written, by the system's call itself: what the C library may do besides is not for handlers of
/// signals. Whether it can be now.
///
/// # Safety
/// The range belongs to the caller.
pub unsafe fn make_accessible(address: *mut u8, len: usize) -> bool {
    // SAFETY: as the arguments of `mprotect`; the caller owns the range.
    unsafe { libc::syscall(libc::SYS_mprotect, address, len, Protection::ReadWrite.flags()) == 0 }
}

/// Gives the memory of a private anonymous range back to the system; it reads as zeros afterwards.
///
/// # Safety
/// The range belongs to the caller, and no reference into it is alive.
pub unsafe fn discard(address: *mut u8, len: usize) -> io::Result<()> {
    // SAFETY: the caller owns the range.
    check(unsafe { libc::madvise(address.cast(), len, libc::MADV_DONTNEED) })
}

/// Gives the memory of a range of a shared file mapping back to the system, for all mappings of the file.
///
/// # Safety
/// The range belongs to the caller, and nothing relies on its contents.
pub unsafe fn punch(address: *mut u8, len: usize) -> io::Result<()> {
    // SAFETY: the caller owns the range.
    check(unsafe { libc::madvise(address.cast(), len, libc::MADV_REMOVE) })
}

/// Makes a writable range present, so that lack of memory is an error here and not a signal at the first access.
/// Kernels before 5.14 cannot; there it does nothing.
///
/// # Safety
/// The range belongs to the caller.
pub unsafe fn populate(address: *mut u8, len: usize) -> io::Result<()> {
    // SAFETY: populating changes no contents, and the caller owns the range.
    let result = check(unsafe { libc::madvise(address.cast(), len, libc::MADV_POPULATE_WRITE) });
    match result {
        Err(e) if e.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        result => result,
    }
}

/// Moves the memory of a private anonymous range to another that is mapped in the same way, and over what is there. The
/// old range stays mapped, and reads as zeros. Kernels before 5.7 cannot.
///
/// # Safety
/// Both ranges belong to the caller, no reference into them is alive, and they do not overlap.
pub unsafe fn relocate(from: *mut u8, to: *mut u8, len: usize) -> io::Result<()> {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP;
    // SAFETY: the caller owns both ranges.
    check_map(unsafe { libc::mremap(from.cast(), len, len, flags, to.cast::<libc::c_void>()) }).map(|_| ())
}

/// Undoes a mapping.
///
/// # Safety
/// The range belongs to the caller, and nobody uses it any more.
pub unsafe fn unmap(address: *mut u8, len: usize) {
    // SAFETY: the caller owns the range. It fails only if the arguments are no mapping's, and then nothing changes.
    unsafe { libc::munmap(address.cast(), len) };
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn check_map(address: *mut libc::c_void) -> io::Result<*mut u8> {
    if address == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(address.cast()) }
}

/// The most address space that the process may use (RLIMIT_AS), if that is limited.
pub fn address_space_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: fills the structure, which is ours.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) } == 0;
    (known && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// Whether the system may refuse to make more of a mapping accessible, as it counts what could be written to: its strict
/// accounting is on, or the process has a limit of its own (RLIMIT_DATA).
pub fn counts_accessible() -> bool {
    static STRICT: OnceLock<bool> = OnceLock::new();
    let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: fills the structure, which is ours.
    let known = unsafe { libc::getrlimit(libc::RLIMIT_DATA, &mut limit) } == 0;
    let mode = || std::fs::read("/proc/sys/vm/overcommit_memory").is_ok_and(|mode| mode.starts_with(b"2"));
    known && limit.rlim_cur != libc::RLIM_INFINITY || *STRICT.get_or_init(mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapping_is_zero_and_can_be_discarded() {
        let len = 4 * page_size();
        let at = map(len, Protection::None).unwrap();
        // SAFETY: the mapping is this test's own.
        unsafe {
            protect(at, len, Protection::ReadWrite).unwrap();
            assert_eq!(at.add(len - 1).read(), 0);
            at.write_bytes(7, len);
            discard(at, len / 2).unwrap();
            assert_eq!((at.read(), at.add(len / 2).read()), (0, 7));
            unmap(at, len);
        }
    }

    #[test]
    fn what_is_relocated_leaves_zeros() {
        let len = 4 * page_size();
        let (from, to) = (map(len, Protection::ReadWrite).unwrap(), map(len, Protection::None).unwrap());
        // SAFETY: the mappings are this test's own.
        unsafe {
            from.write_bytes(7, len / 2);
            relocate(from, to, len).unwrap();
            assert_eq!((to.read(), to.add(len / 2 - 1).read(), to.add(len / 2).read()), (7, 7, 0));
            assert_eq!(from.read(), 0);
            to.write(1);
            unmap(from, len);
            unmap(to, len);
        }
    }

    #[test]
    fn too_much_is_an_error() {
        assert!(map(1 << 60, Protection::None).is_err());
        assert_eq!(round_up(1), Some(page_size()));
        assert_eq!(round_up(usize::MAX), None);
    }
}
