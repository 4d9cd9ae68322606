//! Memory types and memories beyond what `wasm_limits_t` and 32-bit sizes can say.

use super::error::{self, Kind, tenon_error_t};
use super::memory::wasm_memory_t;
use super::memorytype::wasm_memorytype_t;
use super::own::{Out, Own};
use crate::runtime::memory;
use crate::types::{Limits, MemoryType};

/// Makes a memory type. `min` and, if `has_max`, `max` are numbers of pages of `1 << page_size_log2` bytes: 16 for
/// ordinary pages, 0 for pages of one byte. Addresses have 64 bits if `is64`, else 32. A `shared` memory can be used by
/// stores on several threads; it must have a maximum.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memorytype_new(
    min: u64,
    has_max: bool,
    max: u64,
    is64: bool,
    shared: bool,
    page_size_log2: u8,
    out: Out<Own<wasm_memorytype_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_memorytype_new";
    let limits = Limits { min, max: has_max.then_some(max) };
    let ty = MemoryType { limits, is64, shared, page_size_log2 };
    let made = error::attempt(function, || {
        memory::check(&ty).map_err(|error| tenon_error_t::from(error).within(function))?;
        wasm_memorytype_t::from_ty(&ty).ok_or_else(error::last)
    });
    error::answer(out, made)
}

fn of<T>(function: &str, ty: Option<&wasm_memorytype_t>, read: impl FnOnce(&MemoryType) -> T) -> Option<T> {
    let ty = ty.and_then(wasm_memorytype_t::to_ty);
    if ty.is_none() {
        error::null(function, "the type");
    }
    ty.map(read)
}

/// The least size, in pages; in the type of a memory that exists, the size it has now. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memorytype_minimum(ty: Option<&wasm_memorytype_t>) -> u64 {
    of("tenon_memorytype_minimum", ty, |ty| ty.limits.min).unwrap_or(0)
}

/// The greatest size, in pages: stores it in `max`, which may be NULL, and answers true. Answers false, and stores nothing,
/// if the type sets no bound, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memorytype_maximum(ty: Option<&wasm_memorytype_t>, max: Out<u64>) -> bool {
    let Some(bound) = of("tenon_memorytype_maximum", ty, |ty| ty.limits.max).flatten() else { return false };
    let _not_asked_for = max.write(bound);
    true
}

/// Whether addresses have 64 bits. With NULL: false.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memorytype_is64(ty: Option<&wasm_memorytype_t>) -> bool {
    of("tenon_memorytype_is64", ty, |ty| ty.is64).unwrap_or(false)
}

/// Whether the memory is shared. With NULL: false.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memorytype_is_shared(ty: Option<&wasm_memorytype_t>) -> bool {
    of("tenon_memorytype_is_shared", ty, |ty| ty.shared).unwrap_or(false)
}

/// Bytes of a page: 65536 or 1. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memorytype_page_size(ty: Option<&wasm_memorytype_t>) -> u64 {
    of("tenon_memorytype_page_size", ty, |ty| 1 << ty.page_size_log2).unwrap_or(0)
}

/// The binary logarithm of the bytes of a page: 16 or 0. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memorytype_page_size_log2(ty: Option<&wasm_memorytype_t>) -> u8 {
    of("tenon_memorytype_page_size_log2", ty, |ty| ty.page_size_log2).unwrap_or(0)
}

/// The size in pages. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_size(memory: Option<&wasm_memory_t>) -> u64 {
    memory.map_or(0, |memory| memory.memory().pages())
}

/// Bytes of a page: 65536 or 1. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_page_size(memory: Option<&wasm_memory_t>) -> u64 {
    memory.map_or(0, |memory| memory.memory().page_size())
}

/// A size that does not fit what a function of `wasm.h` answers: the nearest that does, and a failure that says so.
pub(crate) fn saturated(function: &str, what: &str, size: u64) -> u32 {
    u32::try_from(size).unwrap_or_else(|_| {
        let message = format_args!("{function}: {what} is {size}, which 32 bits cannot hold");
        error::fail(Kind::TENON_ERROR_UNSUPPORTED, message);
        u32::MAX
    })
}
