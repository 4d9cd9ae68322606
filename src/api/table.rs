//! Tables (section 4.2.7).

use super::context::{AsContext, AsContextMut};
use super::error::Error;
use super::handle::Handle;
use super::store::Core;
use super::val::Val;
use crate::runtime::growth::GrowError;
use crate::runtime::object::Object;
use crate::runtime::table;
use crate::types::{TableType, ValType};

/// A table: references that WebAssembly reaches by index.
///
/// ```
/// use tenon::{Engine, Func, Limits, RefType, Store, Table, TableType, Val};
///
/// let mut store = Store::new(&Engine::default(), ());
/// let ty = TableType { element: RefType::FUNC, limits: Limits { min: 2, max: Some(3) }, is64: false };
/// let table = Table::new(&mut store, ty, &Val::FuncRef(None))?;
/// let func = Func::wrap(&mut store, || 7);
/// table.set(&mut store, 1, &func.clone().into())?;
/// assert_eq!(table.get(&mut store, 1)?, Val::FuncRef(Some(func)));
/// assert_eq!(table.grow(&mut store, 1, &Val::FuncRef(None))?, 2);
/// assert_eq!(table.get(&mut store, 3).unwrap_err().to_string(), "index 3 of a table of 3 elements");
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table(pub(super) Handle<table::Table>);

impl Table {
    /// A table of the host's, filled with `init`.
    pub fn new(mut store: impl AsContextMut, ty: TableType, init: &Val) -> Result<Table, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        core.enter()?;
        let object = init.lower(core, ValType::Ref(ty.element), &|| "initial element of the table".into())?[0];
        // SAFETY: null, or alive as long as `init`.
        let object = unsafe { (object as *const Object).as_ref() };
        let made = table::Table::new(core.store(), ty, object).map_err(|error| core.failed(error))?;
        // SAFETY: a new table comes with a count.
        Ok(Table(unsafe { Handle::owning(core, made) }))
    }

    /// The type, with the current size as its minimum.
    pub fn ty(&self, store: impl AsContext) -> Result<TableType, Error> {
        Ok(self.0.get(store.as_context().into_core())?.ty())
    }

    /// The number of elements.
    pub fn size(&self, store: impl AsContext) -> Result<u64, Error> {
        Ok(self.0.get(store.as_context().into_core())?.size())
    }

    /// The element at `index`.
    pub fn get(&self, mut store: impl AsContextMut, index: u64) -> Result<Val, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let table = self.0.get(core)?;
        core.enter()?;
        let object = table.get(index).ok_or_else(|| outside(table, index))?;
        // SAFETY: what a table holds is alive, and of the table's type.
        Ok(unsafe { Val::lift(core, ValType::Ref(table.ty().element), [object as u64, 0], false) })
    }

    /// Replaces the element at `index`.
    pub fn set(&self, mut store: impl AsContextMut, index: u64, value: &Val) -> Result<(), Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let table = self.0.get(core)?;
        core.enter()?;
        let object = element(core, table, value)?;
        if table.set(index, object) { Ok(()) } else { Err(outside(table, index)) }
    }

    /// Adds `delta` elements. Gives the size before. Fails, and changes nothing, beyond the maximum.
    pub fn grow(&self, mut store: impl AsContextMut, delta: u64, init: &Val) -> Result<u64, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let table = self.0.get(core)?;
        core.enter()?;
        let object = element(core, table, init)?;
        table.grow(delta, object).map_err(|reason| {
            if let GrowError::Trap(trap) = reason {
                // SAFETY: the store's limiter made it; it comes with a count.
                return unsafe { core.raised(trap) };
            }
            let (size, max) = (table.size(), table.ty().limits.max);
            let most = max.unwrap_or(table::MAX_ELEMENTS).min(table::MAX_ELEMENTS);
            let message =
                format!("a table of {size} elements, which may have {most}, cannot grow by {delta}: {reason}");
            let error = Error::new(reason.kind().into(), message);
            reason.forget();
            error
        })
    }

    /// Sets `len` elements from `start` on.
    pub fn fill(&self, mut store: impl AsContextMut, start: u64, value: &Val, len: u64) -> Result<(), Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let table = self.0.get(core)?;
        core.enter()?;
        let object = element(core, table, value)?;
        let outside = || {
            let size = table.size();
            Error::argument(format!("{len} elements from {start} on are outside of a table of {size} elements"))
        };
        if table.fill(start, object, len) { Ok(()) } else { Err(outside()) }
    }
}

/// A reference that may be an element of the table.
fn element(core: &Core, table: &table::Table, value: &Val) -> Result<*const Object, Error> {
    let element = ValType::Ref(table.ty().element);
    let object = value.lower(core, element, &|| "element of the table".into())?[0] as *const Object;
    // SAFETY: null, or alive as long as `value`.
    table.check(unsafe { object.as_ref() })?;
    Ok(object)
}

fn outside(table: &table::Table, index: u64) -> Error {
    Error::argument(format!("index {index} of a table of {} elements", table.size()))
}
