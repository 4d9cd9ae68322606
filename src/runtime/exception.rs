//! Exceptions (section 4.2.11): a tag and the values that it says. Only those have an object to which somebody has a
//! reference: a clause that asks for one, or the host. Others exist but as values in the store's payload cells.

use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::global::trace_cell;
use crate::runtime::object::{Object, ObjectKind, Standalone, acquire};
use crate::runtime::store::Store;
use crate::runtime::tag::Tag;
use crate::runtime::val::{Val, check_ref, kind_of};
use crate::runtime::vmctx::GlobalCell;
use crate::types::ValType;
use std::cell::UnsafeCell;
use std::{ptr, slice};

/// Values that an exception holds without further memory.
const INLINE: usize = 2;

/// What an `exnref` and a `tenon_exception_t` point to. The first fields lie where `compile/layout.rs` says.
#[repr(C)]
#[derive(Debug)]
pub struct Exception {
    /// The header.
    pub object: Object,
    /// The tag.
    pub tag: *const Tag,
    /// The values: `inline` or `more`.
    pub payload: *const GlobalCell,
    inline: UnsafeCell<[GlobalCell; INLINE]>,
    more: Box<[UnsafeCell<GlobalCell>]>,
}

impl Exception {
    /// An exception with these values, and one handle. References among them must be valid for the tag's types.
    pub fn new(store: &Store, tag: &Tag, values: &[GlobalCell]) -> *mut Exception {
        let mut inline = [GlobalCell::default(); INLINE];
        let mut more = Box::default();
        match inline.get_mut(..values.len()) {
            Some(inline) => inline.copy_from_slice(values),
            None => more = values.iter().map(|value| UnsafeCell::new(*value)).collect(),
        }
        let made = Standalone::allocate(Some(store), ObjectKind::Exception, |object| Exception {
            object,
            tag,
            payload: ptr::null(),
            inline: UnsafeCell::new(inline),
            more,
        });
        // SAFETY: just made, at its final address.
        unsafe {
            let inline = (*made).inline.get().cast_const().cast();
            (*made).payload = if values.len() > INLINE { (*made).more.as_ptr().cast() } else { inline };
            // What it refers to is not counted.
            (*made).trace(&mut |object| (*object).group().leak());
        }
        made
    }

    /// An exception of the host's, with one handle.
    pub fn of_values(store: &Store, tag: &Tag, values: &[Val]) -> Result<*mut Exception, Error> {
        check_store(store, tag)?;
        let types = tag.params();
        if values.len() != types.len() {
            let (given, expected) = (values.len(), types.len());
            let message = format!("{given} values are given to an exception of {}, which carries {expected}", tag.ty);
            return Err(Error::argument(message));
        }
        let bits = |(i, (value, ty)): (usize, (&Val, &ValType))| {
            let bits = value.to_bits(*ty, store, &|| format!("value {i} of the exception"))?;
            Ok(GlobalCell::from_low(bits))
        };
        let cells = values.iter().zip(types).enumerate().map(bits).collect::<Result<Vec<_>, Error>>()?;
        Ok(Exception::new(store, tag, &cells))
    }

    /// An exception of the host's, with one handle, of raw values.
    ///
    /// # Safety
    /// There are as many values as the tag says; references among them are null or alive.
    pub unsafe fn of_raw(store: &Store, tag: &Tag, values: *const [u8; 16]) -> Result<*mut Exception, Error> {
        check_store(store, tag)?;
        let mut cells = Vec::with_capacity(tag.params().len());
        for (i, ty) in tag.params().iter().enumerate() {
            // SAFETY: the caller's promise; the array may be aligned to 8 bytes only.
            let cell = GlobalCell(unsafe { values.add(i).read_unaligned() });
            if let ValType::Ref(ty) = *ty {
                // SAFETY: the caller's promise.
                let object = unsafe { (cell.low() as *const Object).as_ref() };
                check_ref(object, ty, store, &|| format!("value {i} of the exception"))?;
            }
            cells.push(cell);
        }
        Ok(Exception::new(store, tag, &cells))
    }

    /// A value. A reference comes with a handle of its own.
    pub fn value(&self, index: usize) -> Result<Val, Error> {
        let Some(ty) = self.types().get(index).copied() else {
            let (ty, count) = (&self.tag().ty, self.types().len());
            return Err(Error::argument(format!("an exception of {ty} has {count} values, but no value {index}")));
        };
        if ty == ValType::V128 {
            let message = format!("value {index} of the exception: a v128 does not fit in a wasm_val_t");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let bits = self.values()[index].low();
        let narrow = matches!(ty, ValType::I32 | ValType::F32);
        let value = Val { kind: kind_of(ty), bits: if narrow { bits & 0xffff_ffff } else { bits } };
        // SAFETY: an exception keeps what it refers to.
        if let Some(object) = unsafe { value.object().as_ref() } {
            acquire(object);
        }
        Ok(value)
    }

    /// Writes all values, raw. References come with a handle of their own each.
    ///
    /// # Safety
    /// There is room for as many.
    pub unsafe fn raw_values(&self, values: *mut [u8; 16]) {
        for (i, (ty, cell)) in self.types().iter().zip(self.values()).enumerate() {
            // SAFETY: an exception keeps what it refers to.
            if let Some(object) = unsafe { (cell.low() as *const Object).as_ref() }.filter(|_| ty.is_ref()) {
                acquire(object);
            }
            // SAFETY: the caller's promise; the array may be aligned to 8 bytes only.
            unsafe { values.add(i).write_unaligned(cell.0) };
        }
    }

    /// The tag.
    pub fn tag(&self) -> &Tag {
        // SAFETY: an exception keeps its tag.
        unsafe { &*self.tag }
    }

    /// The types of the values.
    pub fn types(&self) -> &[ValType] {
        self.tag().params()
    }

    /// The values. Those that are references may move when a collection happens.
    pub fn values(&self) -> &[GlobalCell] {
        // SAFETY: as many as the tag says, which live as long as the exception.
        unsafe { slice::from_raw_parts(self.payload, self.types().len()) }
    }

    /// Visits the tag and the references among the values. Returns the words looked at.
    pub fn trace(&self, visit: &mut dyn FnMut(*const Object)) -> usize {
        visit(self.tag.cast());
        1 + trace_values(self.types(), self.payload, visit)
    }
}

fn check_store(store: &Store, tag: &Tag) -> Result<(), Error> {
    if ptr::eq(tag.object.store, store) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Store, "the tag belongs to another store"))
}

/// Visits the references among values of these types. Returns the words looked at.
pub fn trace_values(types: &[ValType], values: *const GlobalCell, visit: &mut dyn FnMut(*const Object)) -> usize {
    // SAFETY: the callers have as many values as types.
    let cell = |i: usize| unsafe { &*values.wrapping_add(i) };
    types.iter().enumerate().map(|(i, ty)| trace_cell(*ty, cell(i), visit)).sum()
}
