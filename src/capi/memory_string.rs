//! Texts in memories: by pointer and length, and ended by a NUL.

use super::byte::wasm_byte_vec_t;
use super::error::{self, Kind, tenon_error_t};
use super::handle::{Lent, entered};
use super::memory::wasm_memory_t;
use super::memory_access::part;
use super::own::{Empty, Out, Own};
use super::vec::Owned;
use crate::runtime::memory::Memory;
use std::slice;

/// A copy of the bytes of a part, which become text.
fn copied(function: &str, memory: &Memory, offset: u64, length: u64) -> Result<Vec<u8>, tenon_error_t> {
    let place = part(function, memory, offset, length)?;
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(length as usize).is_err() {
        let message = format_args!("{function}: out of memory: {length} bytes could not be allocated");
        return Err(tenon_error_t::new(Kind::TENON_ERROR_MEMORY, message));
    }
    // SAFETY: the memory has these bytes and the fresh vector room for them. Another thread may write to a shared memory
    // meanwhile: what is looked at below is the copy.
    unsafe {
        place.copy_to_nonoverlapping(bytes.as_mut_ptr(), length as usize);
        bytes.set_len(length as usize);
    }
    Ok(bytes)
}

/// The text that bytes from `offset` on are.
fn text(function: &str, offset: u64, bytes: &[u8], lossy: bool) -> Result<Owned<wasm_byte_vec_t>, tenon_error_t> {
    let made = match str::from_utf8(bytes) {
        Ok(_) => wasm_byte_vec_t::from_bytes(bytes),
        Err(_) if lossy => wasm_byte_vec_t::from_bytes(String::from_utf8_lossy(bytes).as_bytes()),
        Err(bad) => {
            let at = offset + bad.valid_up_to() as u64;
            let message =
                format_args!("{function}: the {} bytes at offset {offset} are not UTF-8: see offset {at}", bytes.len());
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message).at_offset(at));
        }
    };
    made.ok_or_else(error::last)
}

fn answer(out: Out<wasm_byte_vec_t>, made: Result<Owned<wasm_byte_vec_t>, tenon_error_t>) -> Own<tenon_error_t> {
    error::answer_or(out, wasm_byte_vec_t::EMPTY, made.map(Owned::into_inner))
}

/// Where the NUL is, counted from `offset`, among at most `most` bytes.
fn find_nul(function: &str, memory: &Memory, offset: u64, most: u64) -> Result<u64, tenon_error_t> {
    let place = part(function, memory, offset, 0)?;
    let room = most.min(memory.length() as u64 - offset);
    // Byte by byte through the pointer: another thread may write to a shared memory meanwhile.
    // SAFETY: the memory has these bytes.
    let found = (0..room).find(|at| unsafe { place.add(*at as usize).read_volatile() } == 0);
    found.ok_or_else(|| {
        let message = format_args!("{function}: no NUL among the {room} bytes at offset {offset}");
        tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message)
    })
}

/// Reads a text of `length` bytes. What is not UTF-8 is an error that knows the offset of the first wrong byte or, if `lossy`,
/// becomes U+FFFD. `out` receives the text, which the caller owns, without a NUL; nothing if there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_read_string(
    memory: Lent<wasm_memory_t>,
    offset: u64,
    length: u64,
    lossy: bool,
    out: Out<wasm_byte_vec_t>,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_read_string";
    let made = error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        text(function, offset, &copied(function, memory, offset, length)?, lossy)
    });
    answer(out, made)
}

/// `tenon_memory_read_string` for a text that ends before the first NUL, of which there must be one among the first `most`
/// bytes and inside of the memory.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_read_cstring(
    memory: Lent<wasm_memory_t>,
    offset: u64,
    most: u64,
    lossy: bool,
    out: Out<wasm_byte_vec_t>,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_read_cstring";
    let made = error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        let length = find_nul(function, memory, offset, most)?;
        text(function, offset, &copied(function, memory, offset, length)?, lossy)
    });
    answer(out, made)
}

/// The number of bytes before the first NUL, of which there must be one among the first `most` bytes and inside of the memory.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_cstring_length(
    memory: Lent<wasm_memory_t>,
    offset: u64,
    most: u64,
    out: Out<u64>,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_cstring_length";
    let length = error::attempt(function, || {
        find_nul(function, entered(memory.get(), function, "the memory")?.memory(), offset, most)
    });
    error::answer_or(out, 0, length)
}

/// Writes a text of `size` bytes and a NUL behind it, of at most `room` bytes together. The text must not contain a NUL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_write_cstring(
    memory: Lent<wasm_memory_t>,
    offset: u64,
    room: u64,
    text: *const std::ffi::c_char,
    size: usize,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_write_cstring";
    error::report(error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        let refused = |message| Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        if (text.is_null() && size > 0) || size >= isize::MAX as usize {
            return refused(format_args!("{function}: the text of {size} bytes is at {text:p}"));
        }
        // SAFETY: by the header's contract there are as many bytes.
        let text = if size == 0 { &[][..] } else { unsafe { slice::from_raw_parts(text.cast::<u8>(), size) } };
        if let Some(at) = text.iter().position(|byte| *byte == 0) {
            return refused(format_args!("{function}: the text has a NUL at offset {at}"));
        }
        let needed = size as u64 + 1;
        if needed > room {
            return refused(format_args!("{function}: the text and its NUL are {needed} bytes, with room for {room}"));
        }
        let place = part(function, memory, offset, needed)?;
        // SAFETY: the memory has these bytes; the text may be a part of it.
        unsafe {
            std::ptr::copy(text.as_ptr(), place, size);
            place.add(size).write(0);
        }
        Ok(())
    }))
}
