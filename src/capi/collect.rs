//! Reclaiming on request.

use super::engine::wasm_engine_t;
use super::error;
use super::handle::Lent;
use super::own::Out;
use super::store::wasm_store_t;
use crate::runtime::collect;
use crate::runtime::gc::heap::Statistics;

/// Reclaims everything in the store that cannot be reached any more, now. That happens by itself, too, but what tables
/// and globals referred to may wait a while, and structures and arrays until there are many.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_store_gc(store: Lent<wasm_store_t>) {
    let function = "tenon_store_gc";
    error::keep(error::attempt(function, || {
        collect::collect(store.entered(function)?);
        Ok(())
    }));
}

/// Gives the memories that the engine keeps for others back to the system, now. What is in use stays. With NULL: nothing.
/// Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_engine_trim(engine: Lent<wasm_engine_t>) {
    error::guard("tenon_engine_trim", (), || {
        if let Some(engine) = engine.get() {
            engine.engine().pool().empty();
        }
    });
}

/// Figures about the heap of a store's structures and arrays.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct tenon_gc_statistics_t {
    /// Bytes of the objects that are there, reachable or not.
    pub used: u64,
    /// Bytes that fit before the next collection, those in use included.
    pub capacity: u64,
    /// Bytes of the objects that the last collection found reachable.
    pub survived: u64,
    /// Collections so far.
    pub collections: u64,
}

/// Tells figures about the heap of a store's structures and arrays; zeros as long as it has none. With NULL for the store: zeros,
/// and a failure is kept.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_store_gc_statistics(store: Lent<wasm_store_t>, out: Out<tenon_gc_statistics_t>) {
    let function = "tenon_store_gc_statistics";
    let figures = error::keep(error::attempt(function, || Ok(store.entered(function)?.gc_statistics())));
    let Statistics { used, capacity, survived, collections } = figures.unwrap_or_default();
    // Without a variable the figures are not wanted.
    let _ = out.write(tenon_gc_statistics_t { used, capacity, survived, collections });
}
