//! Shared memories (the threads proposal): what stores on several threads use at the same time.

use super::byte::byte_t;
use super::engine::wasm_engine_t;
use super::error::{self, Kind, tenon_error_t};
use super::handle::{Counted, Handle, Lent, required};
use super::memory::{cannot_grow, wasm_memory_t};
use super::memorytype::wasm_memorytype_t;
use super::own::{Out, Own, boxed};
use super::store::wasm_store_t;
use crate::runtime::memory::Memory;
use crate::runtime::parking::{self, Expected};
use crate::runtime::shared_memory::SharedMemory;
use std::ptr;
use std::sync::Arc;

/// A reference to a shared memory, which belongs to no store. Any thread may use it; the memory lives as long as a
/// reference to it, or a store's memory that was obtained from it or shared.
pub struct tenon_shared_memory_t(Arc<SharedMemory>);

impl tenon_shared_memory_t {
    /// The memory.
    pub(crate) fn shared(&self) -> &SharedMemory {
        &self.0
    }
}

/// Makes a shared memory, filled with zeros. The type must be one of a shared memory (`tenon_memorytype_new`). Only
/// stores of the same engine can obtain it.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_new(
    engine: Option<&wasm_engine_t>,
    ty: Option<&wasm_memorytype_t>,
    out: Out<Own<tenon_shared_memory_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_shared_memory_new";
    let made = error::attempt(function, || {
        let engine = required(engine, function, "the engine")?;
        let Some(ty) = required(ty, function, "the type")?.to_ty() else {
            let message = format_args!("{function}: the type is not one of a memory");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        };
        let memory = SharedMemory::new(engine.engine().clone(), *ty);
        let memory = memory.map_err(|error| tenon_error_t::from(error).within(function))?;
        boxed(tenon_shared_memory_t(memory)).ok_or_else(error::last)
    });
    error::answer(out, made)
}

/// Deletes a reference to a shared memory; NULL is allowed. Nobody may be in a call with it.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_delete(memory: Own<tenon_shared_memory_t>) {
    error::guard("tenon_shared_memory_delete", (), || drop(memory));
}

/// Makes another reference to the same shared memory. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_copy(memory: Option<&tenon_shared_memory_t>) -> Own<tenon_shared_memory_t> {
    boxed(tenon_shared_memory_t(memory?.0.clone()))
}

/// Whether two references are to the same shared memory. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_same(
    memory: Option<&tenon_shared_memory_t>,
    other: Option<&tenon_shared_memory_t>,
) -> bool {
    match (memory, other) {
        (Some(memory), Some(other)) => Arc::ptr_eq(&memory.0, &other.0),
        (None, None) => true,
        _ => false,
    }
}

/// Shares a store's memory, one that an instance exports for example: what is shared can be obtained by other stores. NULL
/// if its type is not that of a shared memory, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_share(memory: Option<&wasm_memory_t>) -> Own<tenon_shared_memory_t> {
    let function = "tenon_memory_share";
    error::keep(error::attempt(function, || {
        let Some(shared) = required(memory, function, "the memory")?.memory().shared() else {
            let message = format_args!("{function}: the memory is not of a shared type");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        };
        boxed(tenon_shared_memory_t(shared.clone())).ok_or_else(error::last)
    }))
}

/// Makes a memory of a store from a shared one, to be imported by its instances. The store must be of the engine that the
/// memory was made with; otherwise, or with NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_obtain(
    store: Lent<wasm_store_t>,
    memory: Option<&tenon_shared_memory_t>,
) -> Handle<wasm_memory_t> {
    let function = "tenon_memory_obtain";
    error::keep(error::attempt(function, || {
        let store = store.entered(function)?;
        let shared = required(memory, function, "the shared memory")?.0.clone();
        let memory = Memory::of_shared(store, shared).map_err(|error| tenon_error_t::from(error).within(function))?;
        // SAFETY: a new memory comes with a handle.
        unsafe { Counted::take(memory) }.ok_or_else(error::last)
    }))
}

/// The type, with the size that the memory has now as its minimum. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_type(memory: Option<&tenon_shared_memory_t>) -> Own<wasm_memorytype_t> {
    wasm_memorytype_t::from_ty(&memory?.0.ty())
}

/// The address of the first byte, which never changes. With NULL: NULL. Other threads use the bytes meanwhile: whoever does
/// not synchronize with them must access them atomically.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_data(memory: Option<&tenon_shared_memory_t>) -> *mut byte_t {
    memory.map_or(ptr::null_mut(), |memory| memory.0.base().cast())
}

/// The size in bytes; it may be more by the time that the caller looks at it, but never less. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_data_size(memory: Option<&tenon_shared_memory_t>) -> usize {
    memory.map_or(0, |memory| memory.0.length())
}

/// The size in pages; it may be more by the time that the caller looks at it, but never less. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_size(memory: Option<&tenon_shared_memory_t>) -> u64 {
    memory.map_or(0, |memory| memory.0.pages())
}

/// Adds `delta` pages, filled with zeros: `TENON_ERROR_LIMIT` if the maximum would be exceeded, `TENON_ERROR_MEMORY` where
/// memory has run out. `old`, if it is not NULL, receives how many pages there were.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_grow(
    memory: Option<&tenon_shared_memory_t>,
    delta: u64,
    old: Out<u64>,
) -> Own<tenon_error_t> {
    let function = "tenon_shared_memory_grow";
    let grown = error::attempt(function, || {
        let memory = &required(memory, function, "the memory")?.0;
        memory.grow(delta).map_err(|reason| cannot_grow(function, &memory.ty(), delta, reason))
    });
    error::report(grown.map(|size| {
        let _not_asked_for = old.write(size);
    }))
}

/// How a wait ended. The numbers are the results of the instructions.
#[repr(C)]
pub enum tenon_wait_enum {
    /// Somebody notified.
    TENON_WAIT_NOTIFIED = 0,
    /// Something else than the expected value was there: no wait.
    TENON_WAIT_NOT_EQUAL = 1,
    /// Nobody notified for as long as the timeout.
    TENON_WAIT_TIMED_OUT = 2,
}

const _: () = assert!(parking::Waited::Notified as u32 == tenon_wait_enum::TENON_WAIT_NOTIFIED as u32);
const _: () = assert!(parking::Waited::NotEqual as u32 == tenon_wait_enum::TENON_WAIT_NOT_EQUAL as u32);
const _: () = assert!(parking::Waited::TimedOut as u32 == tenon_wait_enum::TENON_WAIT_TIMED_OUT as u32);

/// The place of an atomic access of `size` bytes, or the failure that there is none.
pub(crate) fn place(function: &str, memory: &SharedMemory, address: u64, size: u64) -> Result<*mut u8, tenon_error_t> {
    let refused = |message| Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
    if !address.is_multiple_of(size) {
        return refused(format_args!("{function}: address {address} is not a multiple of {size}"));
    }
    let length = memory.length() as u64;
    if address.checked_add(size).is_none_or(|end| end > length) {
        return refused(format_args!("{function}: address {address} is outside of the memory's {length} bytes"));
    }
    Ok(memory.base().wrapping_add(address as usize))
}

fn wait(
    function: &str,
    memory: Option<&tenon_shared_memory_t>,
    address: u64,
    expected: Expected,
    timeout: i64,
    result: Out<u8>,
) -> Own<tenon_error_t> {
    let waited = error::attempt(function, || {
        let memory = &required(memory, function, "the memory")?.0;
        let place = place(function, memory, address, expected.size())?;
        // SAFETY: aligned and within the memory, which lives as long as the caller's reference.
        Ok(unsafe { parking::wait(place, expected, timeout) })
    });
    error::report(waited.map(|waited| {
        let _not_asked_for = result.write(waited as u8);
    }))
}

/// Waits at an address, a multiple of 4, if `expected` is there, until somebody notifies it: another thread's WebAssembly
/// code or `tenon_shared_memory_notify`. Not longer than `timeout` nanoseconds, unless that is negative. `result`, if it is not
/// NULL, receives how the wait ended, one of the constants of `tenon_wait_enum`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_wait32(
    memory: Option<&tenon_shared_memory_t>,
    address: u64,
    expected: u32,
    timeout: i64,
    result: Out<u8>,
) -> Own<tenon_error_t> {
    wait("tenon_shared_memory_wait32", memory, address, Expected::I32(expected), timeout, result)
}

/// `tenon_shared_memory_wait32` for 64 bits: the address is a multiple of 8.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_wait64(
    memory: Option<&tenon_shared_memory_t>,
    address: u64,
    expected: u64,
    timeout: i64,
    result: Out<u8>,
) -> Own<tenon_error_t> {
    wait("tenon_shared_memory_wait64", memory, address, Expected::I64(expected), timeout, result)
}

/// Wakes up to `count` threads that wait at an address, a multiple of 4. `woken`, if it is not NULL, receives how many.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_notify(
    memory: Option<&tenon_shared_memory_t>,
    address: u64,
    count: u32,
    woken: Out<u32>,
) -> Own<tenon_error_t> {
    let function = "tenon_shared_memory_notify";
    let notified = error::attempt(function, || {
        let memory = &required(memory, function, "the memory")?.0;
        Ok(parking::notify(place(function, memory, address, 4)?, count))
    });
    error::report(notified.map(|count| {
        let _not_asked_for = woken.write(count);
    }))
}
