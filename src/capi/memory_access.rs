//! Bytes of memories: read, written, filled and copied with checked offsets.

use super::byte::byte_t;
use super::error::{self, Kind, tenon_error_t};
use super::handle::{Counted, Handle, Lent, entered, required};
use super::instance::wasm_instance_t;
use super::memory::{self, wasm_memory_t};
use super::own::{Out, Own};
use crate::module::ExternKind;
use crate::runtime::memory::Memory;
use std::ffi::{c_char, c_void};
use std::ptr;

/// The address of the part `offset..offset + length`, or the failure that the memory does not have it.
pub(crate) fn part(function: &str, memory: &Memory, offset: u64, length: u64) -> Result<*mut u8, tenon_error_t> {
    memory.range(offset, length).ok_or_else(|| {
        let size = memory.length();
        let message =
            format_args!("{function}: {length} bytes at offset {offset} are outside of the memory of {size} bytes");
        tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message)
    })
}

/// Runs `body` with a part of a memory.
fn with_part(
    function: &str,
    memory: Lent<wasm_memory_t>,
    offset: u64,
    length: u64,
    body: impl FnOnce(*mut u8) -> Result<(), tenon_error_t>,
) -> Own<tenon_error_t> {
    error::report(error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        body(part(function, memory, offset, length)?)
    }))
}

/// Reads `size` bytes into the caller's buffer, which may be NULL if there are none.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_read(
    memory: Lent<wasm_memory_t>,
    offset: u64,
    buffer: *mut c_void,
    size: usize,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_read";
    with_part(function, memory, offset, size as u64, |place| {
        if size > 0 {
            required((!buffer.is_null()).then_some(()), function, "the buffer")?;
            // SAFETY: the memory has these bytes, and by the header's contract so does the buffer. It may be in the memory.
            unsafe { ptr::copy(place, buffer.cast(), size) };
        }
        Ok(())
    })
}

/// Writes `size` bytes of the caller, whose address may be NULL if there are none.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_write(
    memory: Lent<wasm_memory_t>,
    offset: u64,
    bytes: *const c_void,
    size: usize,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_write";
    with_part(function, memory, offset, size as u64, |place| {
        if size > 0 {
            required((!bytes.is_null()).then_some(()), function, "the address of the bytes")?;
            // SAFETY: the memory has these bytes, and by the header's contract so does the caller. They may be in the memory.
            unsafe { ptr::copy(bytes.cast(), place, size) };
        }
        Ok(())
    })
}

/// Fills a part with a byte.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_fill(
    memory: Lent<wasm_memory_t>,
    offset: u64,
    value: u8,
    length: u64,
) -> Own<tenon_error_t> {
    with_part("tenon_memory_fill", memory, offset, length, |place| {
        // SAFETY: the memory has these bytes.
        unsafe { ptr::write_bytes(place, value, length as usize) };
        Ok(())
    })
}

/// Copies `length` bytes of one memory to another, which may be the same, and the parts may overlap. The memories may be of
/// different stores that the calling thread may both use.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_copy(
    to: Lent<wasm_memory_t>,
    to_offset: u64,
    from: Lent<wasm_memory_t>,
    from_offset: u64,
    length: u64,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_copy";
    with_part(function, to, to_offset, length, |place| {
        let from = entered(from.get(), function, "the memory to copy from")?.memory();
        let source = part(function, from, from_offset, length)?;
        // SAFETY: the memories have these bytes.
        unsafe { ptr::copy(source, place, length as usize) };
        Ok(())
    })
}

/// Fills a part with zeros, and gives what memory it took up back to the system, in whole pages of the system.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_discard(memory: Lent<wasm_memory_t>, offset: u64, length: u64) -> Own<tenon_error_t> {
    let function = "tenon_memory_discard";
    error::report(error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        part(function, memory, offset, length)?;
        memory.discard(offset, length);
        Ok(())
    }))
}

/// The address of a part; NULL if it does not lie inside, or with NULL. A growth, by the host or by WebAssembly code, may move
/// the memory; `tenon_memory_view` gives an address that tells.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_pointer(memory: Lent<wasm_memory_t>, offset: u64, length: u64) -> *mut byte_t {
    let function = "tenon_memory_pointer";
    let place = error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        part(function, memory, offset, length)
    });
    error::keep(place).map_or(ptr::null_mut(), <*mut u8>::cast)
}

/// The offset of an address of the host, if `length` bytes from there on lie inside of the memory as it is now.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_offset(
    memory: Option<&wasm_memory_t>,
    address: *const c_void,
    length: u64,
    out: Out<u64>,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_offset";
    let offset = error::attempt(function, || {
        let memory = entered(memory, function, "the memory")?.memory();
        // Below the base it wraps around, to more than any memory has.
        let offset = (address as usize).wrapping_sub(memory.base() as usize) as u64;
        if memory.range(offset, length).is_some() {
            return Ok(offset);
        }
        let (base, size) = (memory.base(), memory.length());
        let message = format_args!(
            "{function}: {length} bytes at address {address:p} are outside of the memory of {size} bytes at {base:p}"
        );
        Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message))
    });
    error::answer_or(out, 0, offset)
}

/// The offset of an element of an array: `index` elements of `size` bytes behind `offset`. An error if the element does not lie
/// inside of the memory as it is now, whatever the sum and the product may be. `out` receives zero then.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_element(
    memory: Option<&wasm_memory_t>,
    offset: u64,
    index: u64,
    size: u64,
    out: Out<u64>,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_element";
    let place = error::attempt(function, || {
        let memory = entered(memory, function, "the memory")?.memory();
        let place = index.checked_mul(size).and_then(|distance| offset.checked_add(distance));
        if let Some(place) = place.filter(|place| memory.range(*place, size).is_some()) {
            return Ok(place);
        }
        let length = memory.length();
        let message = format_args!(
            "{function}: element {index} of {size} bytes of an array at offset {offset} is outside of the memory of {length} bytes"
        );
        Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message))
    });
    error::answer_or(out, 0, place)
}

/// Adds as many pages as are missing to `pages`, and none if the memory has as many or more; fails as `tenon_memory_grow` does.
/// `old`, if it is not NULL, receives how many pages there were.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_grow_at_least(
    memory: Lent<wasm_memory_t>,
    pages: u64,
    old: Out<u64>,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_grow_at_least";
    let size = memory.get().map_or(0, |memory| memory.memory().pages());
    error::report(memory::grow(function, memory.get(), pages.saturating_sub(size)).map(|size| {
        let _not_asked_for = old.write(size);
    }))
}

/// A memory of an instance by its index, imported ones first, exported or not.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_instance_memory(
    instance: Option<&wasm_instance_t>,
    index: u32,
    out: Out<Handle<wasm_memory_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_instance_memory";
    let memory = error::attempt(function, || {
        let instance = entered(instance, function, "the instance")?.instance();
        let count = instance.module().module.memories.len();
        if index as usize >= count {
            let message = format_args!("{function}: there is no memory {index}: the instance has {count}");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        }
        let object = instance.get_extern(ExternKind::Memory, index);
        // SAFETY: what an instance that is alive has is alive.
        unsafe { Counted::<wasm_memory_t>::of_object(object) }.ok_or_else(error::last)
    });
    error::answer(out, memory)
}

/// A memory of an instance by the name that it is exported under, in UTF-8, of `size` bytes.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_instance_memory_by_name(
    instance: Option<&wasm_instance_t>,
    name: *const c_char,
    size: usize,
    out: Out<Handle<wasm_memory_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_instance_memory_by_name";
    let memory = error::attempt(function, || {
        let instance = entered(instance, function, "the instance")?.instance();
        if (name.is_null() && size > 0) || size > isize::MAX as usize {
            let message = format_args!("{function}: the name of {size} bytes is at {name:p}");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        }
        // SAFETY: by the header's contract there are as many bytes.
        let name = if size == 0 { &[] } else { unsafe { std::slice::from_raw_parts(name.cast::<u8>(), size) } };
        let mut exports = instance.module().module.exports.iter();
        let found = exports.find(|export| export.kind == ExternKind::Memory && export.name.as_bytes() == name);
        let Some(export) = found else {
            let name = String::from_utf8_lossy(name);
            let message = format_args!("{function}: the instance exports no memory \"{name}\"");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        };
        // SAFETY: what an instance that is alive exports is alive.
        unsafe { Counted::<wasm_memory_t>::of_object(instance.get_extern(export.kind, export.index)) }
            .ok_or_else(error::last)
    });
    error::answer(out, memory)
}
