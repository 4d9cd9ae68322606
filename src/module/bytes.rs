//! The bytes of a module, wherever they are kept: on the heap, or in a file that is mapped.

use super::seal::Sealed;
use std::any::Any;
use std::fmt;
use std::ops::{Deref, Range};
use std::slice;
use std::sync::Arc;

/// Bytes that do not change, shared by all clones.
#[derive(Clone)]
pub struct Bytes {
    start: *const u8,
    len: usize,
    /// Keeps them.
    _owner: Arc<dyn Any + Send + Sync>,
    /// What they are a part of, and where they begin in it, if they are to be checked before they are used.
    seal: Option<(Arc<Sealed>, usize)>,
}

// SAFETY: the bytes do not change, and their owner may be shared.
unsafe impl Send for Bytes {}
// SAFETY: as above.
unsafe impl Sync for Bytes {}

impl Bytes {
    /// Bytes that `owner` keeps.
    ///
    /// # Safety
    /// They stay where they are, unchanged, as long as the owner lives.
    pub unsafe fn kept_by(owner: Arc<dyn Any + Send + Sync>, bytes: &[u8]) -> Bytes {
        Bytes { start: bytes.as_ptr(), len: bytes.len(), _owner: owner, seal: None }
    }

    /// A part of sealed bytes.
    pub fn sealed(all: &Arc<Sealed>, part: Range<usize>) -> Bytes {
        let bytes = &all.bytes()[part.clone()];
        let seal = Some((all.clone(), part.start));
        Bytes { start: bytes.as_ptr(), len: bytes.len(), _owner: all.clone(), seal }
    }

    /// Whether a part of them is undamaged. To be asked before it is used for the first time.
    pub fn check(&self, part: Range<usize>) -> bool {
        self.seal.as_ref().is_none_or(|(all, start)| all.check(start + part.start..start + part.end))
    }
}

impl From<Arc<[u8]>> for Bytes {
    fn from(bytes: Arc<[u8]>) -> Bytes {
        let (start, len) = (bytes.as_ptr(), bytes.len());
        Bytes { start, len, _owner: Arc::new(bytes), seal: None }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        let (start, len) = (bytes.as_ptr(), bytes.len());
        Bytes { start, len, _owner: Arc::new(bytes), seal: None }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the owner lives, and keeps them.
        unsafe { slice::from_raw_parts(self.start, self.len) }
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len)
    }
}
