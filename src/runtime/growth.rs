//! Growth: why it may fail, and the host's say in it.
//!
//! ```text
//!  memory.grow, table.grow            (from WebAssembly or the host)
//!    1. the type's maximum            -> Maximum
//!    2. the store's limits            -> Limit      (store_limits.rs)
//!    3. the host's `before`           -> Refused, Trap
//!    4. charge, then grow             -> System
//!    5. the host's `after`
//! ```
//! Memories and tables that are made pass through 2 and 3 as well: they grow from nothing. While the host is asked or told,
//! nothing else can grow in the store, so that what was asked about is what happens.

use crate::module::Module;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::object::{Finalizer, Object, release};
use crate::runtime::store::Store;
use crate::runtime::store_limits::{self, Exceeded};
use crate::runtime::trap::Trap;
use crate::types::{MemoryType, TableType};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::fmt;
use std::ptr;

/// Why something did not grow.
#[derive(Debug, PartialEq, Eq)]
pub enum GrowError {
    /// The type's maximum, or what its addresses can reach.
    Maximum,
    /// A limit of the store.
    Limit(Exceeded),
    /// The host does not want it.
    Refused,
    /// The host wants a trap, which has one handle: the receiver's.
    Trap(*mut Trap),
    /// The host is being asked or told about another growth.
    Busy,
    /// The memory's creator could not, or did not do what it must.
    Creator(&'static str),
    /// The system has no more memory or address space.
    System,
}

impl From<Exceeded> for GrowError {
    fn from(exceeded: Exceeded) -> GrowError {
        GrowError::Limit(exceeded)
    }
}

impl GrowError {
    /// The failure to make something, whose description is `what`. The handle to a trap is given up.
    fn of_making(self, what: &str) -> Error {
        let error = Error::new(self.kind(), format!("no {what}: {self}"));
        self.forget();
        error
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            GrowError::Maximum => ErrorKind::Limit,
            GrowError::Limit(_) | GrowError::Refused | GrowError::Busy => ErrorKind::StoreLimit,
            GrowError::Trap(_) => ErrorKind::Trap,
            GrowError::System | GrowError::Creator(_) => ErrorKind::Memory,
        }
    }

    /// Gives up the handle to a trap.
    pub fn forget(self) {
        if let GrowError::Trap(trap) = self {
            // SAFETY: the trap has a handle, the receiver's.
            unsafe { release(trap.cast()) };
        }
    }
}

impl fmt::Display for GrowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GrowError::Maximum => f.write_str("the type's maximum would be exceeded"),
            GrowError::Limit(exceeded) => exceeded.fmt(f),
            GrowError::Refused => f.write_str("the host refuses it"),
            // SAFETY: the trap has a handle.
            GrowError::Trap(trap) => f.write_str(&String::from_utf8_lossy(unsafe { &(**trap).message })),
            GrowError::Busy => f.write_str("within a callback about a growth nothing else can grow in the store"),
            GrowError::Creator(why) => f.write_str(why),
            GrowError::System => f.write_str("out of memory"),
        }
    }
}

/// What grows. The numbers are those of `wasm_externkind_enum`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Growing {
    /// A table.
    Table = 2,
    /// A memory.
    Memory = 3,
}

/// What the host is asked and told: `tenon_growth_t`.
#[derive(Debug)]
#[repr(C)]
pub struct Growth {
    /// The memory or table; null as long as it is only being made.
    pub item: *const Object,
    /// What it is.
    pub kind: Growing,
    /// Whether what it holds is elsewhere now. Only told afterwards.
    pub moved: bool,
    /// Pages or elements before.
    pub old_size: u64,
    /// Pages or elements afterwards.
    pub new_size: u64,
    /// The type's maximum; `u64::MAX` if it has none.
    pub maximum: u64,
}

impl Growth {
    fn of_new_memory(ty: &MemoryType) -> Growth {
        Growth::of_new(Growing::Memory, ty.limits)
    }

    fn of_new_table(ty: &TableType) -> Growth {
        Growth::of_new(Growing::Table, ty.limits)
    }

    fn of_new(kind: Growing, limits: crate::types::Limits) -> Growth {
        let maximum = limits.max.unwrap_or(u64::MAX);
        Growth { item: ptr::null(), kind, moved: false, old_size: 0, new_size: limits.min, maximum }
    }
}

/// Asks whether something may grow. A trap that it leaves is the caller's.
pub type Before = unsafe extern "C" fn(env: *mut c_void, growth: *const Growth, trap: *mut *mut Trap) -> bool;
/// Tells that something has grown.
pub type After = unsafe extern "C" fn(env: *mut c_void, growth: *const Growth);

/// Who has a say in the growth of a store.
#[derive(Debug)]
pub struct Observer {
    /// Is asked.
    pub before: Option<Before>,
    /// Is told.
    pub after: Option<After>,
    /// What both get.
    pub env: *mut c_void,
    /// Called once with `env` in the end.
    pub finalizer: Option<Finalizer>,
}

impl Drop for Observer {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: the host promised that the finalizer may be called once with its data.
            unsafe { finalizer(self.env) };
        }
    }
}

/// A store's observer.
#[derive(Debug, Default)]
pub struct Watch {
    observer: RefCell<Option<Observer>>,
    busy: Cell<bool>,
}

impl Watch {
    /// Whether the host is being asked or told about a growth.
    pub fn is_busy(&self) -> bool {
        self.busy.get()
    }

    /// Whether there is an observer.
    pub fn is_watched(&self) -> bool {
        self.observer.borrow().as_ref().is_some_and(|observer| observer.before.is_some() || observer.after.is_some())
    }

    /// Replaces the observer. It is not being asked or told now.
    pub fn set(&self, observer: Option<Observer>) {
        let old = self.observer.replace(observer);
        // Its finalizer may use the store.
        drop(old);
    }

    /// Runs code of the host that provides what grows.
    pub fn while_busy<T>(&self, body: impl FnOnce() -> T) -> T {
        let before = self.busy.replace(true);
        let result = body();
        self.busy.set(before);
        result
    }

    /// Asks the host.
    pub fn before(&self, growth: &Growth) -> Result<(), GrowError> {
        if self.is_busy() {
            return Err(GrowError::Busy);
        }
        let observer = self.observer.borrow();
        let Some(Observer { before: Some(before), env, .. }) = &*observer else { return Ok(()) };
        let mut trap = ptr::null_mut();
        self.busy.set(true);
        // SAFETY: the host promised that the function can be called with its data while it is the store's observer.
        let allowed = unsafe { before(*env, growth, &mut trap) };
        self.busy.set(false);
        match (trap.is_null(), allowed) {
            (false, _) => Err(GrowError::Trap(trap)),
            (true, true) => Ok(()),
            (true, false) => Err(GrowError::Refused),
        }
    }

    /// Tells the host.
    pub fn after(&self, growth: &Growth) {
        let observer = self.observer.borrow();
        let Some(Observer { after: Some(after), env, .. }) = &*observer else { return };
        self.busy.set(true);
        // SAFETY: as in `before`.
        unsafe { after(*env, growth) };
        self.busy.set(false);
    }
}

/// Whether a memory of the host may be made.
pub fn admit_memory(store: &Store, ty: &MemoryType) -> Result<(), Error> {
    store_limits::ensure_room(store, &store_limits::amounts([ty], [], 0))?;
    store
        .growth()
        .before(&Growth::of_new_memory(ty))
        .map_err(|why| why.of_making(&format!("memory of {} pages", ty.limits.min)))
}

/// Whether a table of the host may be made.
pub fn admit_table(store: &Store, ty: &TableType) -> Result<(), Error> {
    store_limits::ensure_room(store, &store_limits::amounts([], [ty], 0))?;
    store
        .growth()
        .before(&Growth::of_new_table(ty))
        .map_err(|why| why.of_making(&format!("table of {} elements", ty.limits.min)))
}

/// Whether an instance of the module may be made, with the memories and tables that it defines. A trap is the caller's.
pub fn admit_instance(store: &Store, module: &Module) -> Result<(), Result<Error, *mut Trap>> {
    let memories = &module.memories[module.imported_memories as usize..];
    let tables = &module.tables[module.imported_tables as usize..];
    let room = store_limits::ensure_room(store, &store_limits::amounts(memories, tables, 1));
    room.map_err(|exceeded| Ok(exceeded.into()))?;
    if !store.growth().is_watched() {
        return Ok(());
    }
    let refused = |why: GrowError, what: String| match why {
        GrowError::Trap(trap) => Err(trap),
        why => Ok(why.of_making(&what)),
    };
    for (index, ty) in (module.imported_memories..).zip(memories) {
        let what = || format!("instance: memory {index} of {} pages", ty.limits.min);
        store.growth().before(&Growth::of_new_memory(ty)).map_err(|why| refused(why, what()))?;
    }
    for (index, ty) in (module.imported_tables..).zip(tables) {
        let what = || format!("instance: table {index} of {} elements", ty.limits.min);
        store.growth().before(&Growth::of_new_table(ty)).map_err(|why| refused(why, what()))?;
    }
    Ok(())
}
