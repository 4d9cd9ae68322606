//! What can be imported and exported (section 4.2.12).

use super::context::AsContext;
use super::error::Error;
use super::func::Func;
use super::global::Global;
use super::handle::Handle;
use super::memory::Memory;
use super::store::Core;
use super::table::Table;
use super::tag::Tag;
use crate::runtime::object::{Object, ObjectKind};
use crate::types::ExternType;

/// Something that an instance exports, or imports. Belongs to a store.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Extern {
    /// A function.
    Func(Func),
    /// A memory.
    Memory(Memory),
    /// A table.
    Table(Table),
    /// A global.
    Global(Global),
    /// A tag.
    Tag(Tag),
}

impl Extern {
    /// What kind of thing it is, in the specification's words.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Extern::Func(_) => ObjectKind::Func.name(),
            Extern::Memory(_) => ObjectKind::Memory.name(),
            Extern::Table(_) => ObjectKind::Table.name(),
            Extern::Global(_) => ObjectKind::Global.name(),
            Extern::Tag(_) => ObjectKind::Tag.name(),
        }
    }

    /// Its type. A memory's or table's has the current size as its minimum.
    pub fn ty(&self, store: impl AsContext) -> Result<ExternType, Error> {
        Ok(match self {
            Extern::Func(func) => ExternType::Func(func.ty(store)?),
            Extern::Memory(memory) => ExternType::Memory(memory.ty(store)?),
            Extern::Table(table) => ExternType::Table(table.ty(store)?),
            Extern::Global(global) => ExternType::Global(global.ty(store)?),
            Extern::Tag(tag) => ExternType::Tag(tag.ty(store)?),
        })
    }

    /// A handle to an object that is alive, if it is of a kind that can be imported.
    ///
    /// # Safety
    /// `object` is a live object of the store, which is exclusively borrowed.
    pub(super) unsafe fn of(core: &Core, object: *const Object) -> Option<Extern> {
        // SAFETY: the caller's promise; the kind says what the object is.
        unsafe {
            Some(match (*object).kind {
                ObjectKind::Func => Extern::Func(Func(Handle::of(core, object.cast()))),
                ObjectKind::Memory => Extern::Memory(Memory(Handle::of(core, object.cast()))),
                ObjectKind::Table => Extern::Table(Table(Handle::of(core, object.cast()))),
                ObjectKind::Global => Extern::Global(Global(Handle::of(core, object.cast()))),
                ObjectKind::Tag => Extern::Tag(Tag(Handle::of(core, object.cast()))),
                _ => return None,
            })
        }
    }

    /// The object, if it belongs to the store.
    pub(super) fn object(&self, core: &Core) -> Result<*const Object, Error> {
        Ok(match self {
            Extern::Func(func) => std::ptr::from_ref(func.0.get(core)?).cast(),
            Extern::Memory(memory) => std::ptr::from_ref(memory.0.get(core)?).cast(),
            Extern::Table(table) => std::ptr::from_ref(table.0.get(core)?).cast(),
            Extern::Global(global) => std::ptr::from_ref(global.0.get(core)?).cast(),
            Extern::Tag(tag) => std::ptr::from_ref(tag.0.get(core)?).cast(),
        })
    }

    /// The function, if it is one.
    pub fn into_func(self) -> Option<Func> {
        if let Extern::Func(func) = self { Some(func) } else { None }
    }

    /// The memory, if it is one.
    pub fn into_memory(self) -> Option<Memory> {
        if let Extern::Memory(memory) = self { Some(memory) } else { None }
    }

    /// The table, if it is one.
    pub fn into_table(self) -> Option<Table> {
        if let Extern::Table(table) = self { Some(table) } else { None }
    }

    /// The global, if it is one.
    pub fn into_global(self) -> Option<Global> {
        if let Extern::Global(global) = self { Some(global) } else { None }
    }

    /// The tag, if it is one.
    pub fn into_tag(self) -> Option<Tag> {
        if let Extern::Tag(tag) = self { Some(tag) } else { None }
    }
}

macro_rules! from {
    ($($kind:ident)*) => {
        $(
            impl From<$kind> for Extern {
                fn from(it: $kind) -> Extern {
                    Extern::$kind(it)
                }
            }
        )*
    };
}

from!(Func Memory Table Global Tag);
