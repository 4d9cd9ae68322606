//! Memories whose bytes the host provides.

use super::config::wasm_config_t;
use super::error::{self, Kind, tenon_error_t};
use super::handle::required;
use super::own::Own;
use crate::config::{HostMemory, MemoryCreator, MemoryRequest};
use std::ffi::c_void;
use std::mem::{offset_of, transmute};
use std::sync::Arc;

/// What a creator of memories is asked for.
#[repr(C)]
pub struct tenon_memory_request_t {
    /// Bytes that the memory has at first.
    pub size: u64,
    /// Bytes that it may ever have.
    pub maximum: u64,
    /// What its address must be a multiple of.
    pub alignment: u64,
    /// Whether its address must never change: that of a shared memory, and after `tenon_config_set_pinned_memories` any.
    pub pinned: bool,
}

/// What a creator of memories gives.
#[repr(C)]
pub struct tenon_host_memory_t {
    /// The address of the first byte. Not NULL, even if there are no bytes.
    pub data: *mut u8,
    /// By what the creator knows the memory; for itself alone.
    pub handle: *mut c_void,
}

/// Who makes the memories of an engine. Its functions are called on any thread that uses one of its stores or shared memories,
/// several at a time for different memories; they must use neither the store nor the memory. All three are there; the finalizer
/// may be NULL.
#[repr(C)]
pub struct tenon_memory_creator_t {
    /// Makes a memory: as many bytes as the request says, all zero, which can be read and written until they are given back.
    /// False if there is none.
    pub allocate: Option<
        unsafe extern "C" fn(
            env: *mut c_void,
            request: *const tenon_memory_request_t,
            out: *mut tenon_host_memory_t,
        ) -> bool,
    >,
    /// Makes a memory larger: what it holds stays, what is new is zero; the address may change unless the memory is pinned,
    /// and what was at the old one is not used any more then. False if it cannot; then nothing has changed. Other threads use
    /// a shared memory meanwhile: one that moves all the same never grows again, and must stay where it was.
    pub grow: Option<
        unsafe extern "C" fn(env: *mut c_void, memory: *mut tenon_host_memory_t, old_size: u64, new_size: u64) -> bool,
    >,
    /// Takes a memory back.
    pub free: Option<unsafe extern "C" fn(env: *mut c_void, memory: *mut tenon_host_memory_t, size: u64)>,
    /// What all of them get.
    pub env: *mut c_void,
    /// Called once with `env`, when the engine and all its memories are gone, or the configuration if no engine was made.
    pub finalizer: Option<unsafe extern "C" fn(env: *mut c_void)>,
}

const _: () = assert!(size_of::<tenon_memory_request_t>() == size_of::<MemoryRequest>());
const _: () = assert!(offset_of!(tenon_memory_request_t, maximum) == offset_of!(MemoryRequest, maximum));
const _: () = assert!(offset_of!(tenon_memory_request_t, alignment) == offset_of!(MemoryRequest, alignment));
const _: () = assert!(offset_of!(tenon_memory_request_t, pinned) == offset_of!(MemoryRequest, pinned));
const _: () = assert!(size_of::<tenon_host_memory_t>() == size_of::<HostMemory>());
const _: () = assert!(offset_of!(tenon_host_memory_t, handle) == offset_of!(HostMemory, handle));

/// Sets who makes the memories of the engine, shared ones included. Every access is checked in code then, so that the bytes
/// around a memory do not matter. What the creator gives is checked, too: a wrong address, or bytes that are not zero, make
/// the memory fail, or its growth. The structure is copied. The environment changes hands unless there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_config_set_memory_creator(
    config: Option<&mut wasm_config_t>,
    creator: Option<&tenon_memory_creator_t>,
) -> Own<tenon_error_t> {
    let function = "tenon_config_set_memory_creator";
    error::report(error::attempt(function, || {
        let config = required(config, function, "the configuration")?;
        let creator = required(creator, function, "the creator")?;
        let (Some(allocate), Some(grow), Some(free)) = (creator.allocate, creator.grow, creator.free) else {
            let message = format_args!("{function}: allocate, grow and free are all needed; one of them is NULL");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        };
        // SAFETY: the structures that the functions get have the same layout, as asserted above.
        let creator = unsafe {
            MemoryCreator {
                allocate: transmute::<AllocateInC, AllocateFn>(allocate),
                grow: transmute::<GrowInC, GrowFn>(grow),
                free: transmute::<FreeInC, FreeFn>(free),
                env: creator.env,
                finalizer: creator.finalizer,
            }
        };
        config.settings_mut().memory_creator = Some(Arc::new(creator));
        Ok(())
    }))
}

type AllocateInC = unsafe extern "C" fn(*mut c_void, *const tenon_memory_request_t, *mut tenon_host_memory_t) -> bool;
type GrowInC = unsafe extern "C" fn(*mut c_void, *mut tenon_host_memory_t, u64, u64) -> bool;
type FreeInC = unsafe extern "C" fn(*mut c_void, *mut tenon_host_memory_t, u64);
type AllocateFn = unsafe extern "C" fn(*mut c_void, *const MemoryRequest, *mut HostMemory) -> bool;
type GrowFn = unsafe extern "C" fn(*mut c_void, *mut HostMemory, u64, u64) -> bool;
type FreeFn = unsafe extern "C" fn(*mut c_void, *mut HostMemory, u64);
