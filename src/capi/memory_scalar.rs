//! Single values in memories, little-endian, at any alignment.

use super::error::{self, tenon_error_t};
use super::handle::{Lent, entered, required};
use super::memory::wasm_memory_t;
use super::memory_access::part;
use super::own::{Out, Own};

/// The bytes at an offset.
fn load<const N: usize>(function: &str, memory: Lent<wasm_memory_t>, offset: u64) -> Result<[u8; N], tenon_error_t> {
    error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        let place = part(function, memory, offset, N as u64)?;
        // SAFETY: the memory has these bytes, at no particular alignment.
        Ok(unsafe { place.cast::<[u8; N]>().read_unaligned() })
    })
}

/// Writes the bytes at an offset.
fn store<const N: usize>(
    function: &str,
    memory: Lent<wasm_memory_t>,
    offset: u64,
    bytes: [u8; N],
) -> Own<tenon_error_t> {
    error::report(error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        let place = part(function, memory, offset, N as u64)?;
        // SAFETY: the memory has these bytes, at no particular alignment.
        unsafe { place.cast::<[u8; N]>().write_unaligned(bytes) };
        Ok(())
    }))
}

/// Reads an 8-bit integer. `out` receives zero if there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_load_i8(memory: Lent<wasm_memory_t>, offset: u64, out: Out<i8>) -> Own<tenon_error_t> {
    let loaded = load("tenon_memory_load_i8", memory, offset).map(i8::from_le_bytes);
    error::answer_or(out, 0, loaded)
}

/// Writes an 8-bit integer.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_store_i8(memory: Lent<wasm_memory_t>, offset: u64, value: i8) -> Own<tenon_error_t> {
    store("tenon_memory_store_i8", memory, offset, value.to_le_bytes())
}

/// Reads a 16-bit integer. `out` receives zero if there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_load_i16(memory: Lent<wasm_memory_t>, offset: u64, out: Out<i16>) -> Own<tenon_error_t> {
    let loaded = load("tenon_memory_load_i16", memory, offset).map(i16::from_le_bytes);
    error::answer_or(out, 0, loaded)
}

/// Writes a 16-bit integer.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_store_i16(memory: Lent<wasm_memory_t>, offset: u64, value: i16) -> Own<tenon_error_t> {
    store("tenon_memory_store_i16", memory, offset, value.to_le_bytes())
}

/// Reads a 32-bit integer. `out` receives zero if there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_load_i32(memory: Lent<wasm_memory_t>, offset: u64, out: Out<i32>) -> Own<tenon_error_t> {
    let loaded = load("tenon_memory_load_i32", memory, offset).map(i32::from_le_bytes);
    error::answer_or(out, 0, loaded)
}

/// Writes a 32-bit integer.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_store_i32(memory: Lent<wasm_memory_t>, offset: u64, value: i32) -> Own<tenon_error_t> {
    store("tenon_memory_store_i32", memory, offset, value.to_le_bytes())
}

/// Reads a 64-bit integer. `out` receives zero if there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_load_i64(memory: Lent<wasm_memory_t>, offset: u64, out: Out<i64>) -> Own<tenon_error_t> {
    let loaded = load("tenon_memory_load_i64", memory, offset).map(i64::from_le_bytes);
    error::answer_or(out, 0, loaded)
}

/// Writes a 64-bit integer.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_store_i64(memory: Lent<wasm_memory_t>, offset: u64, value: i64) -> Own<tenon_error_t> {
    store("tenon_memory_store_i64", memory, offset, value.to_le_bytes())
}

/// Reads a 32-bit float, bit by bit. `out` receives zero if there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_load_f32(memory: Lent<wasm_memory_t>, offset: u64, out: Out<f32>) -> Own<tenon_error_t> {
    let loaded = load("tenon_memory_load_f32", memory, offset).map(f32::from_le_bytes);
    error::answer_or(out, 0.0, loaded)
}

/// Writes a 32-bit float, bit by bit.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_store_f32(memory: Lent<wasm_memory_t>, offset: u64, value: f32) -> Own<tenon_error_t> {
    store("tenon_memory_store_f32", memory, offset, value.to_le_bytes())
}

/// Reads a 64-bit float, bit by bit. `out` receives zero if there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_load_f64(memory: Lent<wasm_memory_t>, offset: u64, out: Out<f64>) -> Own<tenon_error_t> {
    let loaded = load("tenon_memory_load_f64", memory, offset).map(f64::from_le_bytes);
    error::answer_or(out, 0.0, loaded)
}

/// Writes a 64-bit float, bit by bit.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_store_f64(memory: Lent<wasm_memory_t>, offset: u64, value: f64) -> Own<tenon_error_t> {
    store("tenon_memory_store_f64", memory, offset, value.to_le_bytes())
}

/// Reads a vector: 16 bytes, as they are in memory. `out`, if it is not NULL, has room for them, and receives zeros if there is
/// an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_load_v128(memory: Lent<wasm_memory_t>, offset: u64, out: *mut u8) -> Own<tenon_error_t> {
    error::answer_or(Out::at(out.cast::<[u8; 16]>()), [0; 16], load("tenon_memory_load_v128", memory, offset))
}

/// Writes a vector: the 16 bytes at `value`, as they are to be in memory.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_store_v128(
    memory: Lent<wasm_memory_t>,
    offset: u64,
    value: *const u8,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_store_v128";
    // SAFETY: by the header's contract it is NULL or the address of 16 bytes, which have no alignment.
    match required(unsafe { value.cast::<[u8; 16]>().as_ref() }, function, "the value") {
        Ok(value) => store(function, memory, offset, *value),
        Err(error) => error::give(error),
    }
}
