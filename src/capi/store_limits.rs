//! What a store may have, and has.

use super::error::{self, Kind, tenon_error_t};
use super::handle::Lent;
use super::own::Own;
use super::store::wasm_store_t;
use crate::runtime::store_limits::Resource;

/// What a store has a limit for: one of the constants of `tenon_limit_enum`.
pub type tenon_limit_t = u8;

/// What a store has a limit for. The numbers never change; later versions may have more.
#[repr(C)]
pub enum tenon_limit_enum {
    /// Bytes of all memories of the store. Of a shared memory, those count that this store asked for: as an instance or
    /// `wasm_memory_new` made it, or as it grew.
    TENON_LIMIT_MEMORY_BYTES = 0,
    /// Elements of all tables.
    TENON_LIMIT_TABLE_ELEMENTS = 1,
    /// Memories.
    TENON_LIMIT_MEMORIES = 2,
    /// Tables.
    TENON_LIMIT_TABLES = 3,
    /// Instances.
    TENON_LIMIT_INSTANCES = 4,
    /// Bytes of garbage-collected objects; those that nobody reaches count until they are collected, which happens before
    /// anything is refused. An instruction that makes an object traps with TENON_TRAP_ALLOCATION_FAILURE then. No more than
    /// `tenon_config_set_gc_heap_limit` allows in any case.
    TENON_LIMIT_HEAP_BYTES = 5,
}

const _: () = assert!(Resource::MemoryBytes as u8 == tenon_limit_enum::TENON_LIMIT_MEMORY_BYTES as u8);
const _: () = assert!(Resource::TableElements as u8 == tenon_limit_enum::TENON_LIMIT_TABLE_ELEMENTS as u8);
const _: () = assert!(Resource::Memories as u8 == tenon_limit_enum::TENON_LIMIT_MEMORIES as u8);
const _: () = assert!(Resource::Tables as u8 == tenon_limit_enum::TENON_LIMIT_TABLES as u8);
const _: () = assert!(Resource::Instances as u8 == tenon_limit_enum::TENON_LIMIT_INSTANCES as u8);
const _: () = assert!(Resource::HeapBytes as u8 == tenon_limit_enum::TENON_LIMIT_HEAP_BYTES as u8);

/// The resource that a number stands for.
fn resource(function: &str, limit: tenon_limit_t) -> Result<Resource, tenon_error_t> {
    Resource::ALL.get(usize::from(limit)).copied().ok_or_else(|| {
        tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, format_args!("{function}: {limit} is no kind of limit"))
    })
}

/// Sets how much of something the store may have; UINT64_MAX, which holds at first, is no limit. What would exceed it fails with
/// TENON_ERROR_STORE_LIMIT, after what nobody reaches was reclaimed; a growth that WebAssembly asks for gives -1, or traps after
/// `tenon_store_set_growth_traps`. What there is already stays.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_store_set_limit(
    store: Lent<wasm_store_t>,
    limit: tenon_limit_t,
    most: u64,
) -> Own<tenon_error_t> {
    let function = "tenon_store_set_limit";
    error::report(error::attempt(function, || {
        let store = store.entered(function)?;
        store.set_limit(resource(function, limit)?, most);
        Ok(())
    }))
}

fn read(function: &str, store: Lent<wasm_store_t>, limit: tenon_limit_t, usage: bool) -> u64 {
    let read = error::attempt(function, || {
        let store = store.entered(function)?;
        let resource = resource(function, limit)?;
        Ok(if usage { store.usage(resource) } else { store.limits().most(resource) })
    });
    error::keep(read).unwrap_or(0)
}

/// How much of something the store may have; UINT64_MAX if there is no limit. With NULL, or what is no kind of limit: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_store_limit(store: Lent<wasm_store_t>, limit: tenon_limit_t) -> u64 {
    read("tenon_store_limit", store, limit, false)
}

/// How much of something the store has. With NULL, or what is no kind of limit: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_store_usage(store: Lent<wasm_store_t>, limit: tenon_limit_t) -> u64 {
    read("tenon_store_usage", store, limit, true)
}

/// Whether `memory.grow` and `table.grow` trap, with TENON_TRAP_ALLOCATION_FAILURE and the reason, where a limit of the store,
/// its callback or the system refuses; off at first, so that they give -1. They give -1 at the type's maximum in any case.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_store_set_growth_traps(store: Lent<wasm_store_t>, on: bool) -> Own<tenon_error_t> {
    let function = "tenon_store_set_growth_traps";
    error::report(error::attempt(function, || {
        let store = store.entered(function)?;
        store.limits().traps.set(on);
        Ok(())
    }))
}
