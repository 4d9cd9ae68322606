//! From the text format of the specification to its binary format, so that examples, tests and
//! first steps need no other tool.

use super::byte::wasm_byte_vec_t;
use super::error::{self, Kind, guard, tenon_error_t};
use super::own::{Out, Own};
use super::vec;
use std::ffi::c_char;

/// Translates a module from the text format to the binary format: `size` bytes of UTF-8 at `text`, which need not
/// end in NUL. Bytes that are in the binary format already come back as they are, and no text at all is the empty module.
///
/// On success returns NULL, and `out` owns the binary. On failure returns the error, which says why in the
/// specification's words and knows offset, line and column (`tenon_error_offset`, `tenon_error_line`), and `out` is empty. The module is not validated yet: `wasm_module_new` does that.
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_wat2wasm(text: *const c_char, size: usize, out: Out<wasm_byte_vec_t>) -> Own<tenon_error_t> {
    let translated = if text.is_null() && size > 0 {
        Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, format_args!("tenon_wat2wasm: text is NULL")))
    } else if out.is_null() {
        Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, format_args!("tenon_wat2wasm: out is NULL")))
    } else {
        guard("tenon_wat2wasm", None, || Some(translate(&wasm_byte_vec_t { size, data: text.cast_mut() })))
            .unwrap_or_else(|| Err(error::last()))
    };
    match translated {
        Ok(binary) => {
            vec::give(out, binary);
            None
        }
        Err(failure) => {
            vec::new_empty(out);
            error::give(failure)
        }
    }
}

fn translate(text: &wasm_byte_vec_t) -> Result<vec::Owned<wasm_byte_vec_t>, tenon_error_t> {
    let bytes = text.as_bytes();
    if bytes.starts_with(b"\0asm") {
        return wasm_byte_vec_t::from_bytes(bytes).ok_or_else(error::last);
    }
    let binary = crate::text::translate(bytes).map_err(|e| {
        tenon_error_t::new(Kind::TENON_ERROR_TEXT, format_args!("{e}"))
            .at_offset(e.offset as u64)
            .at_line(e.line, e.column)
    })?;
    wasm_byte_vec_t::from_bytes(&binary).ok_or_else(error::last)
}
