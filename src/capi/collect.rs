//! Reclaiming on request.

use super::engine::wasm_engine_t;
use super::error;
use super::handle::Lent;
use super::store::wasm_store_t;
use crate::runtime::collect;

/// Reclaims everything in the store that cannot be reached any more, now. That happens by itself, too, but what tables
/// and globals referred to may wait a while.
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
