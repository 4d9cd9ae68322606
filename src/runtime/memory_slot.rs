//! A reservation of address space that one linear memory after the other lies in.
//!
//! ```text
//!  base        image         used         accessible            reservation        + guard
//!   |--- 0 ---|########|-- 0 --|--- always 0 ---|------ no access ------|--- no access ---|
//! ```
//! `used` is what the present memory has, in whole system pages; where checks are explicit, more may be accessible, so
//! that growth seldom needs the system. Where the hardware checks, less may be, until somebody wants the rest
//! (`owed_pages.rs`). A slot that is *clean* holds the image that it is bound to and zeros elsewhere, and owes nothing.
//! It is made clean when it is given back, and stays bound, so that the next instance of the same module finds
//! everything in place.
//!
//! A large image is mapped, privately, from the file that all slots share; a small one is copied.
//!
//! How to make 64 KiB clean that hold zeros, in nanoseconds on a virtual machine with Linux 6.18, for one slot used
//! again and again and for 64 slots in turn, after writes to some of its 16 system pages:
//!
//! ```text
//!                                           no page     1 page, all of it    16 pages, all of them
//! writing zeros                             1050 2350       1090 2350            2170 3400
//! giving it to the system (MADV_DONTNEED)   1350 1400       3000 3100           17500 18100
//! asking for pages (PAGEMAP_SCAN), writing   320  370        340  400            2500 3800
//! reading, writing where it is not zero      415  480        450  500            2150 3300
//! ```
//! Small memories are read: what was never written to is the system's one page of zeros, in every mapping, so that
//! reading it stays in the first-level cache. In large ones the pages that were written to are asked for and made clean
//! by copying; only what goes beyond the engine's limit for what a slot may keep is given to the system. Where the
//! system does not tell, all but the beginning is.

use crate::runtime::growth_policy::GrowthPolicy;
use crate::runtime::memory_image::MemoryImage;
use crate::runtime::owed_pages::OwedPages;
use crate::runtime::sys::pagemap;
use crate::runtime::sys::vm::{self, Protection};
use std::io;
use std::ops::Range;
use std::slice;
use std::sync::Arc;

/// Up to here a slot is made clean by reading and writing.
pub const CLEANED_IN_PLACE: usize = 128 << 10;

/// From here on contents are moved by mapping them elsewhere, not by copying them.
pub const MOVED_BY_MAPPING: usize = 256 << 10;

/// What is read before deciding whether to write: measured, with code that needs no more than the base instruction set.
type Block = [u64; 64];

/// A reservation and its accessible beginning, which is clean when the slot comes out of the pool.
#[derive(Debug)]
pub struct MemorySlot {
    base: *mut u8,
    used: usize,
    /// Faults may have made more accessible than that, up to `used`.
    accessible: usize,
    policy: GrowthPolicy,
    reservation: usize,
    guard: usize,
    /// Where the system sees one mapping end and another begin, as contents were moved here.
    pub(super) seams: Box<[usize]>,
    image: Option<Arc<MemoryImage>>,
    /// Whether the image is mapped, and not copied.
    mapped: bool,
}

// SAFETY: a slot owns its mapping; it is used by one thread at a time.
unsafe impl Send for MemorySlot {}

impl MemorySlot {
    /// Reserves `reservation` bytes, rounded up to system pages, and a guard; nothing is accessible yet.
    pub fn reserve(reservation: usize, guard: usize) -> io::Result<Box<MemorySlot>> {
        let too_large = || io::Error::from(io::ErrorKind::OutOfMemory);
        let reservation = vm::round_up(reservation).ok_or_else(too_large)?;
        let guard = vm::round_up(guard).ok_or_else(too_large)?;
        // A memory without pages still has an address.
        let total = reservation.checked_add(guard).ok_or_else(too_large)?.max(vm::page_size());
        let base = vm::map(total, Protection::None)?;
        Ok(Box::new(MemorySlot {
            base,
            used: 0,
            accessible: 0,
            policy: GrowthPolicy::default(),
            reservation,
            guard: total - reservation,
            seams: Box::default(),
            image: None,
            mapped: false,
        }))
    }

    /// Address of byte 0.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// Bytes that the memory has, in whole system pages.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Bytes that can be read and written. More than `used` may be, or less, which is then owed.
    pub fn accessible(&self) -> usize {
        self.accessible
    }

    /// How far it may grow.
    pub fn reservation(&self) -> usize {
        self.reservation
    }

    /// Inaccessible bytes behind it.
    pub fn guard(&self) -> usize {
        self.guard
    }

    /// The image that it is bound to.
    pub fn image(&self) -> Option<&Arc<MemoryImage>> {
        self.image.as_ref()
    }

    /// The id of the image that it is bound to; 0 if there is none.
    pub fn image_id(&self) -> u64 {
        self.image.as_ref().map_or(0, |image| image.id())
    }

    /// The part that the image was copied to. To find that it is to be restored there, its pages must stay.
    pub fn copied_image(&self) -> Range<usize> {
        self.image.as_ref().filter(|_| !self.mapped).map_or(0..0, |image| image.range())
    }

    /// Makes exactly `len` bytes accessible, a multiple of the system's page within the reservation. What is new is zero.
    pub fn set_accessible(&mut self, len: usize) -> io::Result<()> {
        self.check(len)?;
        let (low, high) = (len.min(self.accessible), len.max(self.accessible));
        let edge = self.base.wrapping_add(low);
        let protection = if len > self.accessible { Protection::ReadWrite } else { Protection::None };
        if high > low {
            // SAFETY: a part of this slot's own mapping.
            unsafe { vm::protect(edge, high - low, protection)? };
        }
        self.accessible = len;
        self.used = len;
        Ok(())
    }

    /// Lets the memory have `len` bytes, at least as many as it has, where the hardware checks: no more are ever accessible, and the
    /// new ones may be owed if `may_owe` allows it, which is asked where nothing is owed yet.
    pub fn extend(&mut self, len: usize, may_owe: fn() -> bool) -> io::Result<()> {
        self.check(len)?;
        self.see_faults();
        if !self.is_settled() {
            self.policy.untouched();
        }
        let defers = self.policy.defers();
        match self.owed() {
            Some(owed) if defers && self.is_extendable() && (!self.is_settled() || may_owe()) => {
                owed.owe(self.base as usize + self.accessible, self.base as usize + len);
                self.used = len;
                Ok(())
            }
            _ => self.set_accessible(len),
        }
    }

    /// Whether the system can be expected to make more accessible later, too: what it has to do is to move the end of a
    /// mapping, and not to make one. A mapped image is a mapping of its own.
    fn is_extendable(&self) -> bool {
        let image_ends_there = || self.image.as_ref().is_some_and(|image| image.range().end == self.accessible);
        self.accessible > 0 && !(self.mapped && image_ends_there())
    }

    /// Makes all that the memory has accessible. Whether it is.
    pub fn settle(&mut self) -> bool {
        self.see_faults();
        self.is_settled() || self.set_accessible(self.used).is_ok()
    }

    /// Whether nothing is owed, as far as it is known here.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.used <= self.accessible
    }

    /// Where the handler of faults looks, if growth can be deferred here.
    #[inline]
    fn owed(&self) -> Option<&'static OwedPages> {
        OwedPages::of(self.base, self.reservation)
    }

    /// Notes what faults have made accessible.
    fn see_faults(&mut self) {
        let Some(owed) = self.owed().filter(|_| !self.is_settled()) else { return };
        let paid = owed.paid().saturating_sub(self.base as usize);
        if paid > self.accessible {
            self.accessible = paid;
            self.policy.touched();
        }
    }

    /// Ends the memory's use of the slot: what is owed will never be paid.
    pub fn retire(&mut self) {
        self.see_faults();
        let Some(owed) = self.owed() else { return };
        if !self.is_settled() {
            self.policy.untouched();
            self.used = self.accessible;
        }
        owed.forget();
    }

    /// Lets the memory have `len` bytes, where checks are explicit: at least as many are accessible then, and twice as
    /// many as before when the system has to be asked.
    pub fn set_used(&mut self, len: usize) -> io::Result<()> {
        self.check(len)?;
        if len > self.accessible {
            let twice = self.accessible.saturating_mul(2).min(self.reservation);
            if twice <= len || self.set_accessible(twice).is_err() {
                self.set_accessible(len)?;
            }
        }
        self.used = len;
        Ok(())
    }

    fn check(&self, len: usize) -> io::Result<()> {
        if len > self.reservation || !len.is_multiple_of(vm::page_size()) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(())
    }

    /// Makes a clean slot hold `image`, or zeros, with `len` bytes for the memory: exactly so many accessible, or at
    /// least.
    pub fn bind(&mut self, image: Option<&Arc<MemoryImage>>, len: usize, exactly: bool) -> io::Result<()> {
        let same = self.image_id() == image.map_or(0, |image| image.id());
        if !same {
            self.unbind()?;
        }
        if exactly {
            self.set_accessible(len)?
        } else {
            self.set_used(len)?
        }
        if let Some(image) = image.filter(|_| !same) {
            let range = image.range();
            if range.end > len {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            let start = self.base.wrapping_add(range.start);
            // SAFETY: accessible, and a part of this slot's own mapping, which nobody else uses.
            unsafe {
                self.mapped = image
                    .file()
                    .is_some_and(|(file, offset)| vm::map_copy_over(start, file, offset, range.len()).is_ok());
                if !self.mapped {
                    slice::from_raw_parts_mut(start, range.len()).copy_from_slice(image.bytes());
                }
            }
            self.image = Some(image.clone());
        }
        Ok(())
    }

    /// Makes a clean slot hold zeros only.
    pub fn unbind(&mut self) -> io::Result<()> {
        if let Some(image) = &self.image {
            let range = image.range();
            let start = self.base.wrapping_add(range.start);
            // SAFETY: accessible, as whatever made less so unbound it before; nobody else uses it.
            unsafe {
                if self.mapped {
                    vm::map_zeros_over(start, range.len())?;
                    self.add_seams(&[range.start, range.end]);
                } else {
                    start.write_bytes(0, range.len());
                }
            }
            self.image = None;
            self.mapped = false;
            // The next memory is another program's.
            self.policy = GrowthPolicy::default();
        }
        Ok(())
    }

    /// Makes the memory hold what it held at first; what is more than `kept` bytes of pages of its own goes back to the
    /// system.
    pub fn clean(&mut self, kept: usize) -> io::Result<()> {
        self.see_faults();
        // What is owed was never written to.
        let used = self.used.min(self.accessible);
        let in_place = if self.mapped { 0 } else { used.min(CLEANED_IN_PLACE).min(kept) };
        if used == in_place {
            self.restore(0..used);
            return Ok(());
        }
        let (mut left, mut given_up) = (kept, used);
        let mut clean = |range: Range<usize>| {
            let middle = range.start + range.len().min(left);
            left -= middle - range.start;
            self.restore(range.start..middle);
            if middle < range.end {
                // One request for all that follows, as there may be many ranges.
                given_up = middle;
            }
            middle == range.end
        };
        // SAFETY: this slot's own mapping.
        if !unsafe { pagemap::private_pages(self.base, used, &mut clean) } {
            self.restore(0..in_place);
            given_up = in_place;
        }
        self.discard(given_up..used)
    }

    /// Makes a part hold what it held at first, by comparing and copying.
    fn restore(&self, part: Range<usize>) {
        let (image, bytes) = match &self.image {
            Some(image) => (image.range(), image.bytes()),
            None => (0..0, &[][..]),
        };
        let inside = image.start.clamp(part.start, part.end)..image.end.clamp(part.start, part.end);
        // SAFETY: accessible, whole system pages, and nobody else uses it. The image is of whole system pages.
        unsafe {
            let blocks = |part: Range<usize>| {
                let start = self.base.add(part.start).cast::<Block>();
                slice::from_raw_parts_mut(start, part.len() / size_of::<Block>())
            };
            zero(blocks(part.start..inside.start));
            zero(blocks(inside.end..part.end));
            if !inside.is_empty() {
                let bytes = &bytes[inside.start - image.start..inside.end - image.start];
                let bytes = slice::from_raw_parts(bytes.as_ptr().cast::<Block>(), bytes.len() / size_of::<Block>());
                for (block, initial) in blocks(inside).iter_mut().zip(bytes) {
                    if block != initial {
                        *block = *initial;
                    }
                }
            }
        }
    }

    /// Makes a part hold what it held at first, by giving its memory to the system.
    fn discard(&self, part: Range<usize>) -> io::Result<()> {
        if part.is_empty() {
            return Ok(());
        }
        // SAFETY: a part of this slot's own mapping, which nobody else uses.
        unsafe { vm::discard(self.base.add(part.start), part.len())? };
        if let Some(image) = self.image.as_ref().filter(|_| !self.mapped) {
            self.restore(
                image.range().start.clamp(part.start, part.end)..image.range().end.clamp(part.start, part.end),
            );
        }
        Ok(())
    }

    /// Moves what this slot holds into a fresh one without an image, of which at least as much is accessible. Memory
    /// that was never written to stays so.
    pub fn move_to(&self, new: &mut MemorySlot) {
        debug_assert!(new.accessible >= self.used && new.image.is_none());
        let image = self.image.as_ref().map_or(0..0, |image| image.range());
        let mut done = 0;
        if self.used >= MOVED_BY_MAPPING {
            let ends = self.seams.iter().copied().chain([image.start, image.end]).filter(|end| *end < self.used);
            let mut ends: Vec<usize> = ends.chain([self.used]).collect();
            ends.sort_unstable();
            for end in ends {
                if end == done {
                    continue;
                }
                if (image.start..image.end).contains(&done) {
                    // What was moved would be missing here, to where the next memory of the module may come.
                    self.copy_to(new, done..end);
                } else {
                    // SAFETY: parts of two slots' own mappings, to which nobody keeps references.
                    let moved = unsafe { vm::relocate(self.base.add(done), new.base.add(done), end - done) };
                    if moved.is_err() {
                        break;
                    }
                    new.add_seams(&[done, end]);
                }
                done = end;
            }
        }
        self.copy_to(new, done..self.used);
    }

    /// Notes where one mapping ends and another begins.
    fn add_seams(&mut self, seams: &[usize]) {
        let new = seams.iter().copied().filter(|seam| *seam > 0);
        let mut all: Vec<usize> = self.seams.iter().copied().chain(new).collect();
        all.sort_unstable();
        all.dedup();
        self.seams = all.into();
    }

    fn copy_to(&self, new: &MemorySlot, part: Range<usize>) {
        // SAFETY: accessible, whole system pages, and nobody else uses either; the slots do not overlap.
        let (from, to) = unsafe {
            let blocks = part.len() / size_of::<Block>();
            let from = slice::from_raw_parts(self.base.add(part.start).cast::<Block>(), blocks);
            (from, slice::from_raw_parts_mut(new.base.add(part.start).cast::<Block>(), blocks))
        };
        for (from, to) in from.iter().zip(to) {
            if from.iter().fold(0, |all, word| all | word) != 0 {
                *to = *from;
            }
        }
    }
}

fn zero(blocks: &mut [Block]) {
    for block in blocks {
        if block.iter().fold(0, |all, word| all | word) != 0 {
            *block = [0; 64];
        }
    }
}

impl Drop for MemorySlot {
    fn drop(&mut self) {
        self.retire();
        // SAFETY: the slot owns its mapping, and whoever gave it up uses it no more.
        unsafe { vm::unmap(self.base, self.reservation + self.guard) };
    }
}

#[cfg(test)]
#[path = "memory_slot_tests.rs"]
mod tests;
