//! Engines (no term of the specification): what stores on any thread share.

use super::config::wasm_config_t;
use super::error::{self, tenon_error_t};
use super::own::{Own, boxed};
use crate::runtime::engine::Engine;
use crate::runtime::lease;
use std::sync::Arc;

/// An engine: a configuration, compilers and pooled memory, shared by its stores. Any thread may use it.
pub struct wasm_engine_t {
    engine: Arc<Engine>,
}

impl Drop for wasm_engine_t {
    fn drop(&mut self) {
        lease::close(&self.engine);
    }
}

impl wasm_engine_t {
    /// The engine.
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}

/// Deletes an engine; NULL is allowed. Its stores and modules stay usable.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_engine_delete(engine: Own<wasm_engine_t>) {
    error::guard("wasm_engine_delete", (), || drop(engine));
}

/// Makes an engine with the default configuration; NULL if the system denies something that it needs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_engine_new() -> Own<wasm_engine_t> {
    error::keep(new("wasm_engine_new", None))
}

/// Makes an engine with this configuration, which is taken over; NULL stands for the default one. NULL if the system
/// denies something that it needs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_engine_new_with_config(config: Own<wasm_config_t>) -> Own<wasm_engine_t> {
    error::keep(new("wasm_engine_new_with_config", config))
}

/// Makes an engine.
pub(crate) fn new(function: &str, config: Own<wasm_config_t>) -> Result<Box<wasm_engine_t>, tenon_error_t> {
    error::attempt(function, || {
        let settings = config.map(|config| config.settings().clone()).unwrap_or_default();
        let engine = Engine::new(settings)?;
        lease::open(&engine);
        boxed(wasm_engine_t { engine }).ok_or_else(error::last)
    })
}
