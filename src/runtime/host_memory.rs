//! Memories whose bytes the host provides: what a creator of the configuration gives is checked before it is used.
//!
//! Nothing is asked of the bytes around them: an engine with a creator checks every access in code.

use crate::config::{HostMemory, MemoryCreator, MemoryRequest};
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::growth::GrowError;
use std::ptr;
use std::slice;
use std::sync::Arc;

/// What the address of byte 0 is a multiple of.
const ALIGNMENT: u64 = 16;

/// Why a growth fails whose memory was not to move.
pub(in crate::runtime) const MOVED: &str = "the memory's creator moved it, although it is pinned";

/// A memory that a creator has made, and gets back when this is dropped.
#[derive(Debug)]
pub struct CreatedMemory {
    creator: Arc<MemoryCreator>,
    memory: HostMemory,
    size: u64,
    /// Bytes that were zero when they came.
    checked: u64,
    pinned: bool,
}

impl CreatedMemory {
    /// A memory of `size` bytes, all zero, which may have up to `maximum`. It never moves if it is `pinned`.
    pub fn new(creator: &Arc<MemoryCreator>, size: u64, maximum: u64, pinned: bool) -> Result<CreatedMemory, Error> {
        let request = MemoryRequest { size, maximum, alignment: ALIGNMENT, pinned };
        let mut memory = HostMemory { data: ptr::null_mut(), handle: ptr::null_mut() };
        let failed = |why: &str| Error::new(ErrorKind::Memory, format!("no memory of {size} bytes: {why}"));
        // SAFETY: the host promised that its functions can be called with its data.
        if !unsafe { (creator.allocate)(creator.env, &request, &mut memory) } {
            return Err(failed("the memory's creator has none"));
        }
        let mut created = CreatedMemory { creator: creator.clone(), memory, size, checked: 0, pinned };
        created.check(size).map_err(failed)?;
        Ok(created)
    }

    /// Address of byte 0.
    pub fn base(&self) -> *mut u8 {
        self.memory.data
    }

    /// Whether it never moves.
    pub fn is_pinned(&self) -> bool {
        self.pinned
    }

    /// Makes it `size` bytes large, more than it is. It may have moved, also where it did not grow.
    pub fn grow(&mut self, size: u64) -> Result<(), GrowError> {
        let base = self.memory.data;
        // It may be larger already, if what was new was not zero.
        // SAFETY: as in `new`.
        if size > self.size && !unsafe { (self.creator.grow)(self.creator.env, &mut self.memory, self.size, size) } {
            self.memory.data = base;
            return Err(GrowError::Creator("the memory's creator has no more"));
        }
        if self.memory.data.is_null() {
            self.memory.data = base;
            return Err(GrowError::Creator("the memory's creator gave NULL"));
        }
        self.size = self.size.max(size);
        if self.pinned && self.memory.data != base {
            return Err(GrowError::Creator(MOVED));
        }
        self.check(size).map_err(GrowError::Creator)
    }

    /// Whether the address is one, and the bytes up to `size` that were not looked at before are zero.
    fn check(&mut self, size: u64) -> Result<(), &'static str> {
        let data = self.memory.data;
        if data.is_null() || !(data as u64).is_multiple_of(ALIGNMENT) {
            return Err("the memory's creator gave an address that is not a multiple of 16, or NULL");
        }
        // SAFETY: by the creator's contract these bytes can be read, and nobody else uses them.
        let new = unsafe { slice::from_raw_parts(data.add(self.checked as usize), (size - self.checked) as usize) };
        // SAFETY: bytes are numbers of any size.
        let (head, words, tail) = unsafe { new.align_to::<u64>() };
        let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
        if !is_zero(head) || words.iter().fold(0, |all, word| all | word) != 0 || !is_zero(tail) {
            return Err("the memory's creator gave bytes that are not zero");
        }
        self.checked = size;
        Ok(())
    }
}

impl Drop for CreatedMemory {
    fn drop(&mut self) {
        // SAFETY: the host promised that its functions can be called with its data; nobody uses the memory any more.
        unsafe { (self.creator.free)(self.creator.env, &mut self.memory, self.size) };
    }
}
