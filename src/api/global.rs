//! Globals (section 4.2.9).

use super::context::{AsContext, AsContextMut};
use super::error::Error;
use super::handle::Handle;
use super::val::Val;
use crate::runtime::global;
use crate::types::GlobalType;

/// A global: a value that WebAssembly and the host both see, and set if it is mutable.
///
/// ```
/// use tenon::{Engine, Global, GlobalType, Store, Val, ValType};
///
/// let mut store = Store::new(&Engine::default(), ());
/// let ty = GlobalType { content: ValType::I32, mutable: true };
/// let global = Global::new(&mut store, ty, &Val::I32(1))?;
/// global.set(&mut store, &Val::I32(2))?;
/// assert_eq!(global.get(&mut store)?, Val::I32(2));
/// assert_eq!(
///     global.set(&mut store, &Val::F32(2.0)).unwrap_err().to_string(),
///     "value of the global: expected i32, found f32"
/// );
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Global(pub(super) Handle<global::Global>);

impl Global {
    /// A global of the host's.
    pub fn new(mut store: impl AsContextMut, ty: GlobalType, value: &Val) -> Result<Global, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        core.enter()?;
        let value = value.wide(core, &|| "initial value of the global".into())?;
        // SAFETY: a new global comes with a count.
        Ok(Global(unsafe { Handle::owning(core, global::Global::new_wide(core.store(), ty, value)?) }))
    }

    /// The type.
    pub fn ty(&self, store: impl AsContext) -> Result<GlobalType, Error> {
        Ok(self.0.get(store.as_context().into_core())?.ty)
    }

    /// The value.
    pub fn get(&self, mut store: impl AsContextMut) -> Result<Val, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let global = self.0.get(core)?;
        core.enter()?;
        // SAFETY: the value is of the global's type, and comes with a count if it is a reference.
        Ok(unsafe { Val::lift(core, global.ty.content, global.get_wide().bits, true) })
    }

    /// Replaces the value. Fails if the global is constant, or the value of another type.
    pub fn set(&self, mut store: impl AsContextMut, value: &Val) -> Result<(), Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let global = self.0.get(core)?;
        core.enter()?;
        Ok(global.set_wide(value.wide(core, &|| "value of the global".into())?)?)
    }
}
