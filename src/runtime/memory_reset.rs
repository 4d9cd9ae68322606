//! Memories made zero again, or what a module says that they hold at first.

use crate::module::SegmentMode;
use crate::runtime::constant::{address, evaluate};
use crate::runtime::instance::Instance;
use crate::runtime::memory::Memory;
use crate::runtime::sys::vm;
use std::ptr;

/// What is looked at before it is written to: a page that was never touched, or was just given back, stays so.
type Block = [u64; 64];

impl Memory {
    /// Makes a part zero, and gives whole pages of the system back to it. The memory has that part.
    pub fn discard(&self, offset: u64, len: u64) {
        let Some(start) = self.range(offset, len) else { return };
        let (offset, len) = (offset as usize, len as usize);
        // Pages that are not ours to give back, or that the slot must find to make them what they were.
        let kept = if self.is_created() { 0..usize::MAX } else { self.copied_image() };
        let kept = kept.start.clamp(offset, offset + len) - offset..kept.end.clamp(offset, offset + len) - offset;
        // SAFETY: these are parts of the memory, which is the calling thread's, or shared and so WebAssembly's to synchronize.
        unsafe {
            give_back(start, kept.start);
            ptr::write_bytes(start.add(kept.start), 0, kept.len());
            give_back(start.add(kept.end), len - kept.end);
        }
    }
}

/// Makes bytes zero, by giving back whole pages of the system among them.
///
/// # Safety
/// They can be written to, and nobody holds references to them.
unsafe fn give_back(start: *mut u8, len: usize) {
    let page = vm::page_size();
    let first = start.align_offset(page).min(len);
    let whole = (len - first) / page * page;
    // SAFETY: the caller's promise.
    unsafe {
        ptr::write_bytes(start, 0, first);
        let middle = start.add(first);
        if whole > 0 {
            // What the system cannot take back, or fills with something else than zeros, is zeroed below.
            let _ = vm::discard(middle, whole);
        }
        for block in 0..whole / size_of::<Block>() {
            let block = middle.cast::<Block>().add(block);
            if (*block).iter().fold(0, |all, word| all | word) != 0 {
                *block = [0; 64];
            }
        }
        ptr::write_bytes(middle.add(whole), 0, len - first - whole);
    }
}

/// Makes a memory that an instance defines hold its active data segments, in order, and zeros elsewhere.
pub fn reset(instance: &Instance, index: u32) {
    let memory = instance.memory(index);
    let images = instance.module().memory_images();
    let defined = index.checked_sub(instance.module().module.imported_memories);
    if let (Some(images), Some(defined)) = (images, defined) {
        let image = images.get(defined as usize);
        if !memory.restore(image) {
            // It has moved.
            memory.discard(0, memory.length() as u64);
            if let Some(image) = image {
                // SAFETY: the memory has so many bytes; an image is never in a memory.
                unsafe { image.copy_to(memory.base(), memory.length()) };
            }
        }
        return;
    }
    memory.discard(0, memory.length() as u64);
    let module = &instance.module().module;
    for segment in &module.data {
        let SegmentMode::Active { index: of, offset } = &segment.mode else { continue };
        if *of != index {
            continue;
        }
        let data = &module.bytes[segment.range.start as usize..segment.range.end as usize];
        // The offset depends on constants only, and the segment fitted a memory that was no larger.
        let offset = evaluate(instance, offset).map(address);
        if let Some(place) = offset.ok().and_then(|offset| memory.range(offset, data.len() as u64)) {
            // SAFETY: the memory has that part; a module's bytes are never in a memory.
            unsafe { ptr::copy_nonoverlapping(data.as_ptr(), place, data.len()) };
        }
    }
}
