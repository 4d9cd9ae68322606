//! Files that are mapped to be read.

use crate::runtime::sys::memory_file::MemoryFile;
use crate::runtime::sys::vm;
use std::ffi::CStr;
use std::io;
use std::mem::MaybeUninit;
use std::slice;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What tells a file and its contents from others: device, number, size, and when contents and name last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    device: libc::dev_t,
    number: libc::ino_t,
    size: libc::off_t,
    modified: (libc::time_t, i64),
    changed: (libc::time_t, i64),
}

impl FileIdentity {
    fn of(descriptor: libc::c_int) -> io::Result<FileIdentity> {
        let mut facts = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: the structure is written to.
        if unsafe { libc::fstat(descriptor, facts.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was written to.
        let facts = unsafe { facts.assume_init() };
        if facts.st_mode & libc::S_IFMT != libc::S_IFREG {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        Ok(FileIdentity {
            device: facts.st_dev,
            number: facts.st_ino,
            size: facts.st_size,
            modified: (facts.st_mtime, facts.st_mtime_nsec),
            changed: (facts.st_ctime, facts.st_ctime_nsec),
        })
    }

    /// Whether the last change is so long ago that another would have another time.
    pub fn is_settled(&self) -> bool {
        let changed = UNIX_EPOCH + Duration::new(self.changed.0.max(0) as u64, self.changed.1 as u32);
        // Some file systems count in seconds, or in two of them.
        let unit = if self.changed.1 == 0 { Duration::from_secs(3) } else { Duration::from_millis(100) };
        SystemTime::now().duration_since(changed).is_ok_and(|age| age > unit)
    }
}

/// A file, mapped as a whole. Whoever changes the file while it is in use changes what is seen here, or ends the
/// process by making the file shorter: files in use are to be replaced, not written to.
#[derive(Debug)]
pub struct FileMap {
    descriptor: libc::c_int,
    /// The file, if it is one that was made for this; it closes itself.
    made: Option<MemoryFile>,
    identity: FileIdentity,
    start: *mut u8,
}

// SAFETY: the mapping is only read.
unsafe impl Send for FileMap {}
// SAFETY: as above.
unsafe impl Sync for FileMap {}

impl FileMap {
    /// Opens and maps a file that is not empty.
    pub fn open(path: &CStr) -> io::Result<FileMap> {
        // SAFETY: the path is a string.
        let descriptor = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        let start = FileIdentity::of(descriptor).and_then(|identity| {
            if identity.size == 0 {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is empty"));
            }
            let start = vm::map_file(descriptor, identity.size as usize, vm::Protection::Read)?;
            Ok((identity, start))
        });
        match start {
            Ok((identity, start)) => Ok(FileMap { descriptor, made: None, identity, start }),
            Err(error) => {
                // SAFETY: it is ours.
                unsafe { libc::close(descriptor) };
                Err(error)
            }
        }
    }

    /// A new file without a name that holds these bytes, of which there are some. `name` is for people who look at the process.
    pub fn copy_of(name: &CStr, bytes: &[u8]) -> io::Result<FileMap> {
        let file = MemoryFile::of(name, bytes)?;
        let descriptor = file.descriptor();
        let identity = FileIdentity::of(descriptor)?;
        let start = vm::map_file(descriptor, bytes.len(), vm::Protection::Read)?;
        Ok(FileMap { descriptor, made: Some(file), identity, start })
    }

    /// What it holds.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: mapped as long as this lives.
        unsafe { slice::from_raw_parts(self.start, self.identity.size as usize) }
    }

    /// Which file it is.
    pub fn identity(&self) -> FileIdentity {
        self.identity
    }

    /// What the system calls it, if that still means this file: a host may have closed all that it did not open itself.
    pub fn descriptor(&self) -> Option<libc::c_int> {
        let same = FileIdentity::of(self.descriptor)
            .is_ok_and(|now| (now.device, now.number) == (self.identity.device, self.identity.number));
        same.then_some(self.descriptor)
    }
}

impl Drop for FileMap {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and whoever looked at it had borrowed it; the descriptor is ours if it means the
        // file.
        unsafe {
            vm::unmap(self.start, self.identity.size as usize);
            if self.made.is_none()
                && let Some(descriptor) = self.descriptor()
            {
                libc::close(descriptor);
            }
        }
    }
}
