//! Globals (section 4.2.9): the host's own, and handles to those that instances define.

use crate::runtime::collect::Visitor;
use crate::runtime::error::Error;
use crate::runtime::object::{Object, ObjectKind, Standalone};
use crate::runtime::store::Store;
use crate::runtime::val::{Val, kind_of};
use crate::runtime::vmctx::GlobalCell;
use crate::runtime::wide::WideVal;
use crate::types::{GlobalType, Hierarchy, ValType};
use std::cell::UnsafeCell;
use std::ptr;

/// What a `wasm_global_t` points to. The value lies in the vmctx of the defining instance, or behind a host's global.
#[repr(C)]
#[derive(Debug)]
pub struct Global {
    /// The header.
    pub object: Object,
    /// The type.
    pub ty: GlobalType,
    /// The value's place.
    pub cell: *mut GlobalCell,
}

/// A global made by the host.
#[repr(C)]
#[derive(Debug)]
pub struct HostGlobal {
    /// What handles point to.
    pub global: Global,
    value: UnsafeCell<GlobalCell>,
}

impl Global {
    /// A global of the host's, with one handle.
    pub fn new(store: &Store, ty: GlobalType, value: Val) -> Result<*mut Global, Error> {
        value.to_bits(ty.content, store, &|| String::from("initial value of the global"))?;
        Ok(Global::make(store, ty, || [value.inside(ty.content), 0]))
    }

    /// A global of the host's with a value of whatever type, with one handle.
    pub fn new_wide(store: &Store, ty: GlobalType, value: WideVal) -> Result<*mut Global, Error> {
        value.to_bits(ty.content, store, &|| String::from("initial value of the global"))?;
        Ok(Global::make(store, ty, || value.inside(ty.content)))
    }

    /// `bits` is asked when nothing more is allocated.
    fn make(store: &Store, ty: GlobalType, bits: impl FnOnce() -> [u64; 2]) -> *mut Global {
        store.engine().keep_type_in(ty.content);
        let made = Standalone::allocate(Some(store), ObjectKind::Global, |object| HostGlobal {
            global: Global { object, ty, cell: ptr::null_mut() },
            value: UnsafeCell::new(cell_of(bits())),
        });
        // SAFETY: just made, at its final address.
        unsafe {
            (*made).global.cell = (*made).value.get();
            if ty.content.is_ref() {
                (*made).global.object.group().leak();
            }
            &raw mut (*made).global
        }
    }

    /// The value, of whatever type. A reference comes with a handle of its own.
    pub fn get_wide(&self) -> WideVal {
        WideVal::outside(self.store(), self.ty.content, || {
            // SAFETY: the cell lives as long as the group; the store is used by this thread.
            let bits = u128::from_le_bytes(unsafe { (*self.cell).0 });
            [bits as u64, (bits >> 64) as u64]
        })
    }

    /// Replaces the value, of whatever type.
    pub fn set_wide(&self, value: WideVal) -> Result<(), Error> {
        if !self.ty.mutable {
            return Err(Error::argument("the global is constant"));
        }
        let bits = value.to_bits(self.ty.content, self.store(), &|| String::from("value of the global"))?;
        if self.ty.content.is_ref() {
            self.object.group().leak();
        }
        // SAFETY: as in `get_wide`; the value is of the type.
        unsafe { *self.cell = cell_of(bits) };
        Ok(())
    }

    /// The value. A reference comes with a handle of its own.
    pub fn get(&self) -> Val {
        Val { kind: kind_of(self.ty.content), bits: self.get_wide().bits[0] }
    }

    fn store(&self) -> &Store {
        // SAFETY: a store outlives its objects.
        unsafe { &*self.object.store }
    }

    /// Replaces the value (section 4.4.5, `global.set`, and the embedding's `global_write`).
    pub fn set(&self, value: Val) -> Result<(), Error> {
        if !self.ty.mutable {
            return Err(Error::argument("the global is constant"));
        }
        let bits = value.to_bits(self.ty.content, self.store(), &|| String::from("value of the global"))?;
        if self.ty.content.is_ref() {
            self.object.group().leak();
        }
        // SAFETY: as in `get`.
        unsafe { *self.cell = GlobalCell::from_low(bits) };
        Ok(())
    }

    /// Visits the reference that it holds, if any. Returns the words looked at.
    pub fn trace(&self, visitor: &mut dyn Visitor) -> usize {
        trace_cell(self.ty.content, self.cell, visitor)
    }
}

impl HostGlobal {
    /// See [`Global::trace`].
    pub fn trace(&self, visitor: &mut dyn Visitor) -> usize {
        self.global.trace(visitor)
    }
}

/// Visits the reference in a cell of type `ty`, if it is one.
pub(in crate::runtime) fn trace_cell(ty: ValType, cell: *mut GlobalCell, visitor: &mut dyn Visitor) -> usize {
    trace_word(ty, cell.cast(), visitor)
}

/// Visits the reference in 8 bytes that hold a value of type `ty`, if it is one.
pub(in crate::runtime) fn trace_word(ty: ValType, word: *mut u64, visitor: &mut dyn Visitor) -> usize {
    match ty.hierarchy() {
        None => return 0,
        Some(Hierarchy::Any) => visitor.reference(word.cast()),
        Some(_) => {
            // SAFETY: the callers have a value of the type there.
            let object = unsafe { *word } as *const Object;
            if !object.is_null() {
                visitor.object(object);
            }
        }
    }
    1
}

fn cell_of(bits: [u64; 2]) -> GlobalCell {
    GlobalCell((u128::from(bits[1]) << 64 | u128::from(bits[0])).to_le_bytes())
}
