//! Modules written down with their machine code, and read back (`wasm_module_serialize`).

use crate::runtime::engine::Engine;
use crate::runtime::error::Error;
use crate::runtime::module::CompiledModule;
use std::sync::Arc;

/// The module as bytes.
pub fn serialize(_module: &CompiledModule) -> Result<Vec<u8>, Error> {
    Err(Error::argument("serialize"))
}

/// The module of these bytes.
pub fn deserialize(_engine: &Arc<Engine>, _bytes: &[u8]) -> Result<Arc<CompiledModule>, Error> {
    Err(Error::argument("deserialize"))
}
