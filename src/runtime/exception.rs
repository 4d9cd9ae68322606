//! Exceptions (section 4.2.11): a tag and the values that it says. Only those have an object to which somebody has a
//! reference: a clause that asks for one, or the host. Others exist but as values in the store's payload cells.

use crate::runtime::collect::Visitor;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::gc::boxes;
use crate::runtime::global::trace_cell;
use crate::runtime::object::{Object, ObjectKind, Standalone};
use crate::runtime::store::Store;
use crate::runtime::tag::Tag;
use crate::runtime::val::{Val, check_ref, kind_of};
use crate::runtime::vmctx::GlobalCell;
use crate::runtime::wide::WideVal;
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
    /// An exception with the values that `value` gives when nothing more is allocated, and one handle. References among them
    /// must be valid for the tag's types.
    pub fn new(store: &Store, tag: &Tag, value: impl Fn(usize) -> GlobalCell) -> *mut Exception {
        let count = tag.params().len();
        let made = Standalone::allocate(Some(store), ObjectKind::Exception, |object| {
            let mut inline = [GlobalCell::default(); INLINE];
            let mut more = Box::default();
            match inline.get_mut(..count) {
                Some(inline) => inline.iter_mut().enumerate().for_each(|(i, cell)| *cell = value(i)),
                None => more = (0..count).map(|i| UnsafeCell::new(value(i))).collect(),
            }
            Exception { object, tag, payload: ptr::null(), inline: UnsafeCell::new(inline), more }
        });
        // SAFETY: just made, at its final address.
        unsafe {
            let inline = (*made).inline.get().cast_const().cast();
            (*made).payload = if count > INLINE { (*made).more.as_ptr().cast() } else { inline };
            // What it refers to is not counted.
            (*made).trace(&mut Leak);
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
        for (i, (value, ty)) in values.iter().zip(types).enumerate() {
            value.to_bits(*ty, store, &|| format!("value {i} of the exception"))?;
        }
        Ok(Exception::new(store, tag, |i| GlobalCell::from_low(values[i].inside(types[i]))))
    }

    /// An exception of the host's, with one handle, of raw values.
    ///
    /// # Safety
    /// There are as many values as the tag says; references among them are null or alive.
    pub unsafe fn of_raw(store: &Store, tag: &Tag, values: *const [u8; 16]) -> Result<*mut Exception, Error> {
        check_store(store, tag)?;
        let types = tag.params();
        // SAFETY: the caller's promise; the array may be aligned to 8 bytes only.
        let cell = |i: usize| GlobalCell(unsafe { values.add(i).read_unaligned() });
        for (i, ty) in types.iter().enumerate() {
            if let ValType::Ref(ty) = *ty {
                // SAFETY: the caller's promise.
                let object = unsafe { (cell(i).low() as *const Object).as_ref() };
                check_ref(object, ty, store, &|| format!("value {i} of the exception"))?;
            }
        }
        Ok(Exception::new(store, tag, |i| match types[i] {
            ValType::Ref(ty) => GlobalCell::from_low(boxes::inside(cell(i).low() as *const Object, ty)),
            _ => cell(i),
        }))
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
        let value = WideVal::outside(self.store(), ty, || [self.values()[index].low(), 0]);
        Ok(Val { kind: kind_of(ty), bits: value.bits[0] })
    }

    /// Writes all values, raw. References come with a handle of their own each.
    ///
    /// # Safety
    /// There is room for as many.
    pub unsafe fn raw_values(&self, values: *mut [u8; 16]) {
        for (i, ty) in self.types().iter().enumerate() {
            let cell = || self.values()[i];
            let out = match *ty {
                ValType::Ref(ty) => GlobalCell::from_low(boxes::outside(self.store(), ty, || cell().low()) as u64),
                _ => cell(),
            };
            // SAFETY: the caller's promise; the array may be aligned to 8 bytes only.
            unsafe { values.add(i).write_unaligned(out.0) };
        }
    }

    fn store(&self) -> &Store {
        // SAFETY: a store outlives its objects.
        unsafe { &*self.object.store }
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
    pub fn trace(&self, visitor: &mut dyn Visitor) -> usize {
        visitor.object(self.tag.cast());
        1 + trace_values(self.types(), self.payload.cast_mut(), visitor)
    }
}

/// Notes that objects are referred to where that is not counted.
struct Leak;

impl Visitor for Leak {
    fn object(&mut self, object: *const Object) {
        // SAFETY: what an exception refers to is alive.
        unsafe { (*object).group().leak() };
    }

    fn reference(&mut self, _: *mut u32) {}
}

fn check_store(store: &Store, tag: &Tag) -> Result<(), Error> {
    if ptr::eq(tag.object.store, store) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Store, "the tag belongs to another store"))
}

/// Visits the references among values of these types. Returns the words looked at.
pub fn trace_values(types: &[ValType], values: *mut GlobalCell, visitor: &mut dyn Visitor) -> usize {
    types.iter().enumerate().map(|(i, ty)| trace_cell(*ty, values.wrapping_add(i), visitor)).sum()
}
