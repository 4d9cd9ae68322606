//! The bytes of a module, wherever they are kept: on the heap, or in a file that is mapped.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::slice;
use std::sync::Arc;

/// Bytes that do not change, shared by all clones.
#[derive(Clone)]
pub struct Bytes {
    start: *const u8,
    len: usize,
    /// Keeps them.
    _owner: Arc<dyn Any + Send + Sync>,
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
        Bytes { start: bytes.as_ptr(), len: bytes.len(), _owner: owner }
    }
}

impl From<Arc<[u8]>> for Bytes {
    fn from(bytes: Arc<[u8]>) -> Bytes {
        let (start, len) = (bytes.as_ptr(), bytes.len());
        Bytes { start, len, _owner: Arc::new(bytes) }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        Bytes::from(<Arc<[u8]>>::from(bytes))
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
