//! Engines (the embedding's notion; the specification has none).

use super::config::Config;
use super::error::Error;
use crate::runtime::engine;
use std::fmt;
use std::sync::Arc;

/// What stores and modules have in common: the configuration, canonical types, compilers, pooled memories. Cheap to clone; all
/// clones are the same engine. Any thread may use it.
///
/// ```
/// let engine = tenon::Engine::default();
/// let module = tenon::Module::new(&engine, "(module)")?;
/// assert_eq!(module.imports().len(), 0);
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone)]
pub struct Engine(pub(super) Arc<engine::Engine>);

impl Engine {
    /// An engine with this configuration. Fails if the machine cannot run what it asks for.
    pub fn new(config: &Config) -> Result<Engine, Error> {
        Ok(Engine(engine::Engine::new(config.settings().clone())?))
    }

    /// Gives the memories that the engine keeps for others back to the system, now. What is in use stays.
    pub fn trim(&self) {
        self.0.pool().empty();
    }

    /// Whether both are the same engine.
    pub fn same(&self, other: &Engine) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Default for Engine {
    /// An engine with the default configuration.
    ///
    /// # Panics
    /// If the machine cannot run it: [`Engine::new`] says why.
    fn default() -> Engine {
        Engine::new(&Config::default()).unwrap_or_else(|error| panic!("no engine: {error}"))
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
