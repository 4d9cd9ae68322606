//! What a memory held at some time.
//!
//! A snapshot has the pages of the system's that were written to and are not zero, and the image that the memory began with if
//! that is mapped. So it costs as much as was touched, however large the memory is:
//!
//! ```text
//!  memory      |  0  | image | written over image | image |  0  | written | 0 ....................... |
//!  snapshot            image,  page                               page                        length
//! ```
//! A page is looked for in this order: written, of the image, zero. To bring it back, only those are looked at where
//! memory or snapshot have one that may not be zero.

use crate::runtime::memory::Memory;
use crate::runtime::memory_image::MemoryImage;
use crate::runtime::sys::{pagemap, vm};
use std::iter;
use std::ops::Range;
use std::slice;
use std::sync::Arc;

/// From so many bytes of zeros on they are had from the system.
const DISCARDED: usize = 64 << 10;

/// The contents of a memory at some time.
#[derive(Debug)]
pub struct Snapshot {
    /// Bytes of the memory.
    len: usize,
    image: Option<Arc<MemoryImage>>,
    /// Where the written pages begin, ascending.
    pages: Vec<usize>,
    /// What they hold, one after the other: whole pages, but for the end of the memory.
    bytes: Vec<u8>,
}

/// There is no memory for so many bytes of a snapshot.
#[derive(Debug)]
pub struct NoMemory(pub usize);

impl Snapshot {
    /// What `memory` holds.
    pub fn take(memory: &Memory) -> Result<Snapshot, NoMemory> {
        let page = vm::page_size();
        let len = memory.length();
        let image = memory.mapped_image().cloned();
        let (mut pages, mut bytes) = (Vec::new(), Vec::new());
        let mut written = memory.written(len);
        if image.is_some() && !memory.tells_written() {
            // What is written over it is not known: all of it is kept.
            written = iter::once(0..len).collect();
        }
        for at in written.into_iter().flat_map(|range| range.step_by(page)) {
            // SAFETY: the memory is the calling thread's, or shared and so WebAssembly's to synchronize.
            let held = unsafe { page_of(memory, at) };
            let in_image = image.as_ref().is_some_and(|image| image.range().contains(&at));
            if !in_image && is_zero(held) {
                continue;
            }
            let room = pages.try_reserve(1).and_then(|()| bytes.try_reserve(held.len()));
            room.map_err(|_| NoMemory(bytes.len() + page))?;
            pages.push(at);
            bytes.extend_from_slice(held);
        }
        Ok(Snapshot { len, image, pages, bytes })
    }

    /// Bytes of the memory that it was taken of.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Brings back what was there to a memory that is at least as long. What it has beyond becomes zero.
    pub fn restore(&self, memory: &Memory) {
        let page = vm::page_size();
        let len = memory.length();
        debug_assert!(len >= self.len);
        let own = memory.mapped_image();
        let same = match (own, &self.image) {
            (Some(own), Some(kept)) => own.id() == kept.id(),
            (None, None) => true,
            _ => false,
        };
        let mut places: Vec<Range<usize>> = memory.written(len);
        places.extend(self.pages.iter().map(|at| *at..at + page));
        let images = [own, self.image.as_ref()].into_iter().flatten().filter(|_| !same || !memory.tells_written());
        places.extend(images.map(|image| image.range().start.min(len)..image.range().end.min(len)));
        places.sort_unstable_by_key(|place| place.start);
        let (mut done, mut zeros) = (0, 0..0);
        for place in places {
            for at in (place.start.max(done)..place.end).step_by(page) {
                done = at + page;
                let Some(held) = self.page(at) else {
                    if zeros.end != at {
                        memory.make_zero(zeros);
                        zeros = at..at;
                    }
                    zeros.end = done;
                    continue;
                };
                // SAFETY: as in `take`.
                let all = unsafe { page_of(memory, at) };
                let (part, beyond) = all.split_at_mut(held.len().min(all.len()));
                if *part != held[..part.len()] {
                    part.copy_from_slice(&held[..part.len()]);
                }
                if !is_zero(beyond) {
                    beyond.fill(0);
                }
            }
        }
        memory.make_zero(zeros);
    }

    /// The page at `at`, unless it is zero.
    fn page(&self, at: usize) -> Option<&[u8]> {
        let page = vm::page_size();
        if let Ok(index) = self.pages.binary_search(&at) {
            let rest = &self.bytes[index * page..];
            return Some(&rest[..page.min(rest.len())]);
        }
        let image = self.image.as_ref().filter(|image| image.range().contains(&at))?;
        Some(&image.bytes()[at - image.range().start..][..page])
    }
}

impl Memory {
    /// Which whole system pages of the first `len` bytes may hold something that was written to them, ascending: all, where nobody
    /// can tell.
    fn written(&self, len: usize) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let mut note = |range: Range<usize>| {
            found.push(range);
            true
        };
        let end = len.next_multiple_of(vm::page_size());
        // SAFETY: the memory's own mapping, which is private to the process.
        if self.tells_written() && unsafe { pagemap::private_pages(self.address(), end, &mut note) } {
            return found;
        }
        iter::once(0..len).collect()
    }

    /// Whether the system can tell what was written to. It does not know the memories of a creator.
    fn tells_written(&self) -> bool {
        !self.is_created() && pagemap::answers()
    }

    /// Makes whole system pages zero, or what of them the memory has.
    fn make_zero(&self, part: Range<usize>) {
        let image = self.image_range();
        let is_plain = part.end <= image.start || part.start >= image.end;
        // SAFETY: a part of the memory's own mapping, which is the calling thread's.
        if is_plain
            && !self.is_created()
            && part.len() >= DISCARDED
            && unsafe { vm::discard(self.base().add(part.start), part.len()) }.is_ok()
        {
            return;
        }
        for at in part.step_by(vm::page_size()) {
            // SAFETY: as above.
            let held = unsafe { page_of(self, at) };
            if !is_zero(held) {
                held.fill(0);
            }
        }
    }
}

/// What a memory has of a system page.
///
/// # Safety
/// The memory is the calling thread's, or shared and so WebAssembly's to synchronize. The slice is not kept.
#[allow(clippy::mut_from_ref)]
unsafe fn page_of(memory: &Memory, at: usize) -> &mut [u8] {
    let len = vm::page_size().min(memory.length().saturating_sub(at));
    // SAFETY: the memory has these bytes, and by the caller's promise nobody else uses them.
    unsafe { slice::from_raw_parts_mut(memory.base().wrapping_add(at), len) }
}

fn is_zero(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<512>();
    let all = |bytes: &[u8]| bytes.iter().fold(0, |all, byte| all | byte) == 0;
    words.iter().all(|block| all(block)) && all(rest)
}
