//! Files without a name, whose contents are memory.

use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering};

/// A file without a name. Its mappings keep what they need when it is dropped.
#[derive(Debug)]
pub struct MemoryFile {
    descriptor: libc::c_int,
    identity: (libc::dev_t, libc::ino_t),
}

/// How many there are.
static FILES: AtomicU64 = AtomicU64::new(0);

/// A limit of the process, if the system tells.
fn limit(resource: libc::__rlimit_resource_t) -> Option<libc::rlim_t> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure is written to.
    (unsafe { libc::getrlimit(resource, &mut limit) } == 0).then_some(limit.rlim_cur)
}

impl MemoryFile {
    /// A file of `size` bytes, all zero, that can be written through mappings. `name` is for people who look at the
    /// process.
    pub fn new(name: &CStr, size: usize, executable: bool) -> io::Result<MemoryFile> {
        let file = MemoryFile::create(name, size, if executable { libc::MFD_EXEC } else { 0 })?;
        // SAFETY: it is our own file.
        if unsafe { libc::ftruncate(file.descriptor, size as libc::off_t) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(file)
    }

    /// A file that holds `contents` for ever. There may be many of them: an error if they would take up more than a
    /// quarter of the files that the process may open.
    pub fn of(name: &CStr, contents: &[u8]) -> io::Result<MemoryFile> {
        let most = limit(libc::RLIMIT_NOFILE).unwrap_or(1024) / 4;
        if FILES.load(Ordering::Relaxed) >= most {
            return Err(io::Error::from_raw_os_error(libc::EMFILE));
        }
        let file = MemoryFile::create(name, contents.len(), libc::MFD_ALLOW_SEALING | libc::MFD_NOEXEC_SEAL)?;
        let mut written = 0;
        while written < contents.len() {
            let rest = &contents[written..];
            // SAFETY: the bytes are there.
            match unsafe { libc::pwrite(file.descriptor, rest.as_ptr().cast(), rest.len(), written as libc::off_t) } {
                -1 if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => {}
                -1 => return Err(io::Error::last_os_error()),
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => written += count as usize,
            }
        }
        let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
        // SAFETY: it is our own file. A system that cannot seal leaves it to us not to write.
        unsafe { libc::fcntl(file.descriptor, libc::F_ADD_SEALS, seals) };
        Ok(file)
    }

    /// `flags` are those that older systems may lack; without what they say, a file is as good there.
    fn create(name: &CStr, size: usize, flags: libc::c_uint) -> io::Result<MemoryFile> {
        let mut facts = MaybeUninit::<libc::stat>::uninit();
        if limit(libc::RLIMIT_FSIZE).is_some_and(|limit| limit < size as libc::rlim_t) {
            // To exceed it would be answered by a deadly signal.
            return Err(io::Error::new(io::ErrorKind::OutOfMemory, "the limit on file sizes (RLIMIT_FSIZE)"));
        }
        // SAFETY: the structure is written to, the name is a string.
        unsafe {
            let newest = libc::MFD_EXEC | libc::MFD_NOEXEC_SEAL;
            let descriptor = match libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | flags) {
                -1 => libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | flags & !newest),
                descriptor => descriptor,
            };
            if descriptor < 0 {
                return Err(io::Error::last_os_error());
            }
            FILES.fetch_add(1, Ordering::Relaxed);
            let mut file = MemoryFile { descriptor, identity: (0, 0) };
            if libc::fstat(descriptor, facts.as_mut_ptr()) != 0 {
                return Err(io::Error::last_os_error());
            }
            let facts = facts.assume_init();
            file.identity = (facts.st_dev, facts.st_ino);
            Ok(file)
        }
    }

    /// What the system calls it, as long as this lives.
    pub fn descriptor(&self) -> libc::c_int {
        self.descriptor
    }

    /// Whether its descriptor still means this file: a host may have closed all that it did not open itself.
    pub fn is_open(&self) -> bool {
        let mut facts = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the structure is written to, and read only if it was.
        unsafe {
            libc::fstat(self.descriptor, facts.as_mut_ptr()) == 0
                && self.identity == (facts.assume_init_ref().st_dev, facts.assume_init_ref().st_ino)
        }
    }
}

impl Drop for MemoryFile {
    fn drop(&mut self) {
        FILES.fetch_sub(1, Ordering::Relaxed);
        if self.is_open() {
            // SAFETY: it is ours.
            unsafe { libc::close(self.descriptor) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::sys::testing::in_child;
    use crate::runtime::sys::vm::{self, Protection};

    #[test]
    fn what_it_holds_can_be_mapped_but_not_changed() {
        let page = vm::page_size();
        let file = MemoryFile::of(c"test", &vec![7; 2 * page]).unwrap();
        let at = vm::map_file(file.descriptor(), 2 * page, Protection::Read).unwrap();
        let copy = vm::map(2 * page, Protection::None).unwrap();
        assert!(vm::map_file(file.descriptor(), page, Protection::ReadWrite).is_err());
        // SAFETY: the mappings are this test's own.
        unsafe {
            vm::map_copy_over(copy, file.descriptor(), page, page).unwrap();
            copy.write(1);
            assert_eq!((copy.read(), at.add(page).read()), (1, 7));
            vm::discard(copy, page).unwrap();
            assert_eq!(copy.read(), 7);
            vm::map_zeros_over(copy, page).unwrap();
            assert_eq!(copy.read(), 0);
            vm::unmap(at, 2 * page);
            vm::unmap(copy, 2 * page);
        }
    }

    #[test]
    fn most_of_the_files_are_left_to_the_host() {
        let status = in_child(|| {
            let few = libc::rlimit { rlim_cur: 256, rlim_max: 256 };
            // SAFETY: the structure is read.
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &few) }, 0);
            let files: Vec<_> = (0..100).map(|_| MemoryFile::of(c"test", &[1; 4096])).collect();
            assert!((1..=64).contains(&files.iter().flatten().count()));
            drop(files);
            assert!(MemoryFile::of(c"test", &[1; 4096]).is_ok());
            0
        });
        assert_eq!(status, Ok(0));
    }

    #[test]
    fn a_descriptor_that_was_closed_is_noticed() {
        // In a child, where no other test opens files.
        let status = in_child(|| {
            let file = MemoryFile::of(c"test", &[1; 4096]).unwrap();
            assert!(file.is_open());
            // SAFETY: what a host might do, and what the next one to open a file gets.
            unsafe {
                assert_eq!(libc::close(file.descriptor()), 0);
                assert!(!file.is_open());
                assert_eq!(libc::open(c"/dev/null".as_ptr(), libc::O_RDONLY), file.descriptor());
            }
            assert!(!file.is_open());
            0
        });
        assert_eq!(status, Ok(0));
    }
}
