//! Configurations: what an engine is told at its creation.

use super::own::{Own, boxed};
use crate::config::Config;

/// The configuration of an engine, to be filled in before the engine is made. `tenon.h` has functions for that.
#[derive(Default)]
pub struct wasm_config_t(Config);

impl wasm_config_t {
    /// The settings.
    pub(crate) fn settings(&self) -> &Config {
        &self.0
    }

    /// The settings, to be changed.
    pub(crate) fn settings_mut(&mut self) -> &mut Config {
        &mut self.0
    }
}

/// Deletes a configuration; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_config_delete(config: Own<wasm_config_t>) {
    drop(config);
}

/// Makes a configuration with the default settings.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_config_new() -> Own<wasm_config_t> {
    boxed(wasm_config_t::default())
}
