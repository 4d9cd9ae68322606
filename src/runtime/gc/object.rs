//! Objects of the heap, read and written by the layout of their types (`types/layout.rs`).
//!
//! ```text
//!  +0 u32 type   canonical index; or one of the marks below
//!  +4 u32 length of an array, else 0
//!  +8 fields, or elements                                             the whole is a multiple of 8
//! ```
//! A reference is 32 bits: 0 is null, an odd number is an `i31` (`value << 1 | 1`), any other an object's offset.

use super::heap::Heap;
use crate::compile::layout::GC_HOST;
use crate::runtime::object::Object;
use crate::types::layout::OBJECT_HEADER;
use std::ptr;

/// Bytes of an object's header.
pub const HEADER: u32 = OBJECT_HEADER;
/// In place of a type: the object stands for one of the store's, a pointer to which is all it holds.
pub const HOST: u32 = GC_HOST;
/// In place of a type, during a collection: the object was copied; its new reference is in place of the length.
pub const FORWARD: u32 = 0xffff_ffff;
/// Bytes of an object that stands for one of the store's.
pub const HOST_SIZE: u64 = 16;

/// Whether a reference is an `i31`.
#[inline(always)]
pub fn is_i31(reference: u32) -> bool {
    reference & 1 == 1
}

/// The reference that is an `i31` with the low 31 bits of `value`.
pub fn i31(value: u32) -> u32 {
    value << 1 | 1
}

/// The bits of an `i31`, zeros above.
pub fn i31_bits(reference: u32) -> u32 {
    reference >> 1
}

/// What is read and written here is an object: every reference is one to an object of the heap, as its callers promise.
impl Heap {
    /// The type of an object, or [`HOST`].
    ///
    /// # Safety
    /// `reference` is one to an object of this heap.
    #[inline(always)]
    pub unsafe fn type_of(&self, reference: u32) -> u32 {
        // SAFETY: objects begin with a header.
        unsafe { self.at(reference).cast::<u32>().read() }
    }

    /// The length of an array.
    ///
    /// # Safety
    /// As [`Heap::type_of`].
    #[inline(always)]
    pub unsafe fn length_of(&self, reference: u32) -> u32 {
        // SAFETY: objects begin with a header.
        unsafe { self.at(reference).cast::<u32>().add(1).read() }
    }

    /// Writes a header.
    ///
    /// # Safety
    /// `reference` is a place that the heap gave.
    #[inline(always)]
    pub unsafe fn write_header(&self, reference: u32, type_index: u32, length: u32) {
        // SAFETY: the caller's promise.
        unsafe { self.at(reference).cast::<u64>().write(u64::from(length) << 32 | u64::from(type_index)) }
    }

    /// The object of the store that an object with the type [`HOST`] stands for.
    ///
    /// # Safety
    /// `reference` is one to such an object.
    pub unsafe fn host_object(&self, reference: u32) -> *const Object {
        // SAFETY: the caller's promise.
        unsafe { self.at(reference).add(HEADER as usize).cast::<*const Object>().read() }
    }

    /// The value of `size` bytes at an offset of an object, zeros above.
    ///
    /// # Safety
    /// The object has that part.
    pub unsafe fn read(&self, reference: u32, offset: u64, size: u32) -> u128 {
        let mut value = [0; 16];
        // SAFETY: the caller's promise; the sizes of values are at most 16.
        unsafe {
            let from = self.at(reference).add(offset as usize);
            ptr::copy_nonoverlapping(from, value.as_mut_ptr(), size.min(16) as usize);
        }
        u128::from_le_bytes(value)
    }

    /// Writes the low `size` bytes of a value at an offset of an object.
    ///
    /// # Safety
    /// The object has that part, and the value is of the type that lies there.
    pub unsafe fn write(&self, reference: u32, offset: u64, size: u32, value: u128) {
        // SAFETY: the caller's promise; the sizes of values are at most 16.
        unsafe {
            let to = self.at(reference).add(offset as usize);
            ptr::copy_nonoverlapping(value.to_le_bytes().as_ptr(), to, size.min(16) as usize);
        }
    }
}
