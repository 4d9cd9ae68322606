//! Stores (specification: Runtime Structure, Store).

use super::engine::wasm_engine_t;
use super::error::{self, tenon_error_t};
use super::handle::{Counted, Handle, Held, Lent, required};
use crate::runtime::store::Store;

/// A store: the home of instances and everything else that runs. One thread at a time may use it.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_store_t(Store);

// SAFETY: a store that was made by `wasm_store_new` is given up once, by closing it.
unsafe impl Held for wasm_store_t {
    unsafe fn give_up(this: *const wasm_store_t) {
        // SAFETY: the caller's promise; the wrapper is transparent.
        unsafe { Store::close(this.cast()) };
    }
}

impl wasm_store_t {
    /// The store. Whether the calling thread may use it is another question.
    pub(crate) fn store(&self) -> &Store {
        &self.0
    }
}

impl Lent<wasm_store_t> {
    /// The store, or the failure that it is NULL, or that the calling thread may not use it.
    pub(crate) fn entered<'a>(self, function: &str) -> Result<&'a Store, tenon_error_t> {
        let store = &required(self.get(), function, "the store")?.0;
        store.enter().map_err(|error| tenon_error_t::from(error).within(function))?;
        Ok(store)
    }
}

/// Deletes a store; NULL is allowed. What references still reach stays usable until they are gone too.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_store_delete(store: Handle<wasm_store_t>) {
    drop(store);
}

/// Makes a store. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_store_new(engine: Lent<wasm_engine_t>) -> Handle<wasm_store_t> {
    let function = "wasm_store_new";
    error::keep(error::attempt(function, || {
        let engine = required(engine.get(), function, "the engine")?.engine();
        // SAFETY: a new store is its maker's to close.
        Ok(unsafe { Counted::take(Store::new(engine)) })
    }))?
}
