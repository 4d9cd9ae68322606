//! Engines (no term of the specification): what stores on any thread share.

use super::config::wasm_config_t;
use super::error;
use super::own::{Own, boxed};
use crate::config::Config;
use crate::runtime::engine::Engine;
use std::sync::Arc;

/// An engine: a configuration, compilers and pooled memory, shared by its stores. Any thread may use it.
pub struct wasm_engine_t {
    engine: Arc<Engine>,
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
    with("wasm_engine_new", Config::default())
}

/// Makes an engine with this configuration, which is taken over; NULL stands for the default one. NULL if the system
/// denies something that it needs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_engine_new_with_config(config: Own<wasm_config_t>) -> Own<wasm_engine_t> {
    let settings = config.map(|config| config.settings().clone()).unwrap_or_default();
    with("wasm_engine_new_with_config", settings)
}

fn with(function: &str, settings: Config) -> Own<wasm_engine_t> {
    let engine = error::keep(error::attempt(function, || Ok(Engine::new(settings)?)))?;
    boxed(wasm_engine_t { engine })
}
