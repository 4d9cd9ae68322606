//! What a module's memories hold at first: made once for a module, when it is first instantiated, and shared by the
//! slots of all stores (`memory_slot.rs`).
//!
//! Images stand for the active data segments if these cannot fail: their offsets are constants, and they fit the defined
//! memories that they go to. Then a new instance has nothing to copy. All or none: segments are run in order, and what
//! comes after one that traps must not be seen.

use crate::module::const_expr::constant;
use crate::module::{Module, SegmentMode};
use crate::runtime::sys::file_map::FileMap;
use crate::runtime::sys::memory_file::MemoryFile;
use crate::runtime::sys::vm::{self, Protection};
use std::ops::Range;
use std::ptr;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// From here on an image is mapped, not copied: what is not written to is then shared by all slots, and what is, is
/// found by asking for pages. A smaller one is compared in less time than that takes.
const MAPPED: usize = 32 << 10;

/// An image may have this many bytes of zeros between segments, beyond as many as there are bytes of data.
const SPARSE: usize = 1 << 20;

/// The initial contents of a part of a memory; the rest is zero.
#[derive(Debug)]
pub struct MemoryImage {
    /// Different from that of any other image of the process; never 0.
    id: u64,
    /// Which part of the memory: whole system pages.
    range: Range<usize>,
    contents: Contents,
}

#[derive(Debug)]
enum Contents {
    /// Words, as whoever compares them reads many at once.
    Copied(Box<[u64]>),
    Mapped {
        file: MemoryFile,
        address: *const u8,
    },
    /// They begin there in a serialized module's file.
    Serialized {
        file: Arc<FileMap>,
        offset: usize,
    },
}

// SAFETY: the contents never change.
unsafe impl Send for MemoryImage {}
// SAFETY: as above.
unsafe impl Sync for MemoryImage {}

impl MemoryImage {
    /// An image of `words`, whole system pages, at `start`, which is at a page's beginning.
    pub(super) fn new(start: usize, words: Box<[u64]>) -> MemoryImage {
        let range = start..start + size_of_val(&*words);
        let contents = if range.len() < MAPPED { None } else { Contents::mapped(bytes_of(&words)) };
        MemoryImage::with(range, contents.unwrap_or(Contents::Copied(words)))
    }

    fn with(range: Range<usize>, contents: Contents) -> MemoryImage {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        MemoryImage { id: NEXT.fetch_add(1, Ordering::Relaxed), range, contents }
    }

    /// Different from that of any other image of the process; never 0.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Which part of the memory it is about.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// What that part holds.
    pub fn bytes(&self) -> &[u8] {
        match &self.contents {
            Contents::Copied(words) => bytes_of(words),
            // SAFETY: the mapping is as long as the range, and lives as long as the image.
            Contents::Mapped { address, .. } => unsafe { slice::from_raw_parts(*address, self.range.len()) },
            Contents::Serialized { file, offset } => &file.bytes()[*offset..][..self.range.len()],
        }
    }

    /// Copies them to where a memory of `len` bytes has them. What is beyond its end is zero.
    ///
    /// # Safety
    /// At `base` there are so many bytes, of which nobody holds references; none of them are the image's.
    pub unsafe fn copy_to(&self, base: *mut u8, len: usize) {
        let range = self.range.start.min(len)..self.range.end.min(len);
        // SAFETY: the caller's promise; the range is within both.
        unsafe { ptr::copy_nonoverlapping(self.bytes().as_ptr(), base.add(range.start), range.len()) };
    }

    /// A file that holds these bytes, and where they begin in it, if there is one and nobody has closed it.
    pub fn file(&self) -> Option<(libc::c_int, usize)> {
        match &self.contents {
            Contents::Copied(_) => None,
            Contents::Mapped { file, .. } => file.is_open().then(|| (file.descriptor(), 0)),
            Contents::Serialized { file, offset } => Some((file.descriptor()?, *offset)),
        }
    }
}

fn bytes_of(words: &[u64]) -> &[u8] {
    // SAFETY: a word is eight bytes, and any bytes are bytes.
    unsafe { slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}

impl Contents {
    /// None where the system makes no such files; the image is copied then.
    fn mapped(bytes: &[u8]) -> Option<Contents> {
        let file = MemoryFile::of(c"tenon image", bytes).ok()?;
        let address = vm::map_file(file.descriptor(), bytes.len(), Protection::Read).ok()?;
        Some(Contents::Mapped { file, address })
    }
}

impl Drop for MemoryImage {
    fn drop(&mut self) {
        if let Contents::Mapped { address, .. } = self.contents {
            // SAFETY: the image's own mapping; whoever looked at its bytes had borrowed it.
            unsafe { vm::unmap(address.cast_mut(), self.range.len()) };
        }
    }
}

/// The images of a module's defined memories.
#[derive(Debug)]
pub struct MemoryImages {
    /// In their order; none where a memory is zero at first.
    images: Box<[Option<Arc<MemoryImage>>]>,
}

impl MemoryImages {
    /// The images, if they can stand for all active data segments of the module.
    pub fn of(module: &Module) -> Option<MemoryImages> {
        let first = module.imported_memories as usize;
        let mut parts: Vec<Vec<(usize, &[u8])>> = vec![Vec::new(); module.memories.len() - first];
        for segment in &module.data {
            let SegmentMode::Active { index, offset } = &segment.mode else { continue };
            let ty = module.memories.get(*index as usize).filter(|ty| !ty.shared)?;
            let data = &module.bytes[segment.range.start as usize..segment.range.end as usize];
            let offset = constant(offset)? as u64;
            let end = offset.checked_add(data.len() as u64)?;
            if end > ty.limits.min.checked_mul(1 << ty.page_size_log2)? {
                return None;
            }
            // An empty segment needs no place; of an imported memory it is not known yet whether there is one.
            let parts = parts.get_mut((*index as usize).checked_sub(first)?)?;
            if !data.is_empty() {
                parts.push((usize::try_from(offset).ok()?, data));
            }
        }
        let images = parts.iter().map(|parts| image_of(parts)).collect::<Option<_>>()?;
        Some(MemoryImages { images })
    }

    /// The image of a defined memory.
    pub fn get(&self, defined: usize) -> Option<&Arc<MemoryImage>> {
        self.images.get(defined)?.as_ref()
    }

    /// The images that a file holds: of each defined memory, the range that its image is for, empty if there is none,
    /// and where its bytes begin. None if that cannot be: they do not fit this system's pages, or the file.
    pub fn in_file(file: &Arc<FileMap>, images: &[(Range<usize>, usize)]) -> Option<MemoryImages> {
        let page = vm::page_size();
        let image = |(range, offset): &(Range<usize>, usize)| {
            if range.is_empty() {
                return Some(None);
            }
            file.bytes().get(*offset..)?.get(..range.len())?;
            if ![range.start, range.end, *offset].iter().all(|place| place.is_multiple_of(page)) {
                return None;
            }
            let contents = Contents::Serialized { file: file.clone(), offset: *offset };
            Some(Some(Arc::new(MemoryImage::with(range.clone(), contents))))
        };
        Some(MemoryImages { images: images.iter().map(image).collect::<Option<_>>()? })
    }

    /// The images of all defined memories.
    pub fn all(&self) -> &[Option<Arc<MemoryImage>>] {
        &self.images
    }

    /// Their ids.
    pub fn ids(&self) -> impl Iterator<Item = u64> {
        self.images.iter().flatten().map(|image| image.id)
    }
}

/// The image of these segments, if there are any; none at all if they lie too far apart or there is no memory for it.
fn image_of(parts: &[(usize, &[u8])]) -> Option<Option<Arc<MemoryImage>>> {
    let Some(start) = parts.iter().map(|(offset, _)| *offset).min() else { return Some(None) };
    let end = parts.iter().map(|(offset, data)| offset + data.len()).max()?;
    let (start, end) = (start / vm::page_size() * vm::page_size(), vm::round_up(end)?);
    let filled: usize = parts.iter().map(|(_, data)| data.len()).sum();
    if end - start > 2 * filled + SPARSE {
        return None;
    }
    let mut words: Vec<u64> = Vec::new();
    words.try_reserve_exact((end - start) / size_of::<u64>()).ok()?;
    words.resize((end - start) / size_of::<u64>(), 0);
    for (offset, data) in parts {
        // SAFETY: the segment lies between start and end, which the words are as long as.
        let place = unsafe { words.as_mut_ptr().cast::<u8>().add(offset - start) };
        // SAFETY: as above; the module's bytes are elsewhere.
        unsafe { ptr::copy_nonoverlapping(data.as_ptr(), place, data.len()) };
    }
    Some(Some(Arc::new(MemoryImage::new(start, words.into()))))
}
