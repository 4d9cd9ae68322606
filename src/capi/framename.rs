//! Names in frames, from the modules' name sections.

use super::byte::{wasm_byte_vec_t, wasm_name_t};
use super::error::guard;
use super::frame::wasm_frame_t;
use super::own::Out;
use super::vec;

fn give(function: &str, name: impl FnOnce() -> Option<vec::Owned<wasm_byte_vec_t>>, out: Out<wasm_name_t>) -> bool {
    match guard(function, None, name) {
        Some(name) => {
            vec::give(out, name);
            true
        }
        None => {
            vec::new_empty(out);
            false
        }
    }
}

/// The name of the frame's function. False, and `out` is empty, if the module does not tell it, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_frame_func_name(frame: Option<&wasm_frame_t>, out: Out<wasm_name_t>) -> bool {
    let name = || wasm_byte_vec_t::from_bytes(frame?.frame().func_name()?.as_bytes());
    give("tenon_frame_func_name", name, out)
}

/// The name of the frame's module. False, and `out` is empty, if the module does not tell it, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_frame_module_name(frame: Option<&wasm_frame_t>, out: Out<wasm_name_t>) -> bool {
    let name = || wasm_byte_vec_t::from_bytes(frame?.frame().module_name()?.as_bytes());
    give("tenon_frame_module_name", name, out)
}
