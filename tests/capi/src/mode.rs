//! The modes that a suite runs under: how the engine is configured and how a module reaches it.
//!
//! A suite passes only if it passes in every mode, so that a switch that changes how the engine works cannot change what it computes.

use crate::error::Error;
use crate::object::{Config, Engine, Module, Store};
use crate::sys;

/// A mode.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    /// The name that reports show.
    pub name: &'static str,
    /// Makes the engine's configuration.
    pub config: fn() -> Config,
    /// Whether each module is serialized, and what runs is the deserialized one.
    pub serialized: bool,
}

/// All modes, the shipped configuration first.
pub const MODES: &[Mode] = &[
    Mode { name: "as shipped", config: Config::new, serialized: false },
    Mode { name: "serialized", config: Config::new, serialized: true },
    Mode { name: "signals off", config: || Config::new().signals(false), serialized: false },
    Mode { name: "checked memories", config: || Config::new().memory_reservation(0), serialized: false },
    Mode { name: "eager", config: || Config::new().eager(true), serialized: false },
    Mode { name: "little optimized", config: little_optimized, serialized: false },
    Mode { name: "not optimized", config: not_optimized, serialized: false },
    Mode { name: "collecting always", config: || Config::new().collect_always(true), serialized: false },
];

/// As very large functions are compiled, and with checks.
fn little_optimized() -> Config {
    Config::new().signals(false).optimization(sys::TENON_OPTIMIZE_LITTLE)
}

/// As functions are compiled for which better ways would take too long.
fn not_optimized() -> Config {
    Config::new().optimization(sys::TENON_OPTIMIZE_NONE)
}

impl Mode {
    /// The mode of this name.
    pub fn find(name: &str) -> Option<Mode> {
        MODES.iter().copied().find(|mode| mode.name == name)
    }

    /// An engine of this mode for a language, which is what `language` leaves on.
    pub fn engine(&self, language: fn(Config) -> Config) -> Engine {
        Engine::new(language((self.config)()))
    }

    /// Makes a module the way this mode asks for; the error is for a reader.
    pub fn module(&self, store: &Store, binary: &[u8]) -> Result<Module, String> {
        let module = Module::new(store, binary).ok_or_else(|| refused("wasm_module_new"))?;
        if !self.serialized {
            return Ok(module);
        }
        let serialized = module.serialize();
        if serialized.is_empty() {
            return Err(refused("wasm_module_serialize"));
        }
        drop(module);
        Module::deserialize(store, &serialized).ok_or_else(|| refused("wasm_module_deserialize"))
    }
}

/// Says that a function made nothing, and why.
fn refused(function: &str) -> String {
    let reason = Error::take_last().map_or_else(|| "no error".into(), |error| error.message());
    format!("{function} refused the module: {reason}")
}
