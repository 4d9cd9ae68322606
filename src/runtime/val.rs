//! Values as they cross the boundary: `wasm_val_t`, bit for bit, and checks of its kinds and references.

use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::func::Func;
use crate::runtime::gc::boxes;
use crate::runtime::object::{Object, ObjectKind};
use crate::runtime::store::Store;
use crate::types::{HeapType, Hierarchy, RefType, ValType};
use std::ptr;

/// The kinds of `wasm_val_t`, as numbers.
pub mod kind {
    /// `WASM_I32`
    pub const I32: u8 = 0;
    /// `WASM_I64`
    pub const I64: u8 = 1;
    /// `WASM_F32`
    pub const F32: u8 = 2;
    /// `WASM_F64`
    pub const F64: u8 = 3;
    /// The field's number for `v128`, which `wasm_val_t` cannot hold.
    pub const V128: u8 = 4;
    /// `WASM_EXTERNREF`
    pub const EXTERNREF: u8 = 128;
    /// `WASM_FUNCREF`
    pub const FUNCREF: u8 = 129;
    /// `TENON_ANYREF`, of `tenon_val_t` only.
    pub const ANYREF: u8 = 130;
    /// `TENON_EXNREF`, likewise.
    pub const EXNREF: u8 = 131;
}

/// A value with its kind: the layout of `wasm_val_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Val {
    /// One of [`kind`].
    pub kind: u8,
    /// The bits; 32-bit values use the lower half. References are addresses of objects.
    pub bits: u64,
}

/// The kind of values of `ty`.
pub fn kind_of(ty: ValType) -> u8 {
    match ty {
        ValType::I32 => kind::I32,
        ValType::I64 => kind::I64,
        ValType::F32 => kind::F32,
        ValType::F64 => kind::F64,
        ValType::V128 => kind::V128,
        ValType::Ref(ty) if ty.heap.hierarchy() == Hierarchy::Func => kind::FUNCREF,
        ValType::Ref(_) => kind::EXTERNREF,
    }
}

/// The name of a kind, for messages.
pub fn kind_name(kind: u8) -> &'static str {
    match kind {
        kind::I32 => "i32",
        kind::I64 => "i64",
        kind::F32 => "f32",
        kind::F64 => "f64",
        kind::V128 => "v128",
        kind::EXTERNREF => "externref",
        kind::FUNCREF => "funcref",
        kind::ANYREF => "anyref",
        kind::EXNREF => "exnref",
        _ => "no kind of value",
    }
}

impl Val {
    /// The null reference of a type.
    pub fn null(ty: RefType) -> Val {
        Val { kind: kind_of(ValType::Ref(ty)), bits: 0 }
    }

    /// Whether the kind is one of references.
    pub fn is_ref(&self) -> bool {
        matches!(self.kind, kind::EXTERNREF | kind::FUNCREF)
    }

    /// The object that a reference points to; null for null and for numbers.
    pub fn object(&self) -> *const Object {
        if self.is_ref() { self.bits as *const Object } else { ptr::null() }
    }

    /// The 64 bits that the value has inside WebAssembly, as a value of type `ty` of `store`; those of a reference are good until
    /// something is allocated. A funcref that is given may come as an externref, the only kind that `WASM_REF_VAL` knows; its
    /// object decides. `what` names the place in messages.
    pub fn to_bits(self, ty: ValType, store: &Store, what: &dyn Fn() -> String) -> Result<u64, Error> {
        let mismatch = |found: &str| Err(Error::argument(format!("{}: expected {ty}, found {found}", what())));
        match ty {
            ValType::I32 | ValType::F32 if self.kind == kind_of(ty) => Ok(self.bits & 0xffff_ffff),
            ValType::I64 | ValType::F64 if self.kind == kind_of(ty) => Ok(self.bits),
            ValType::V128 => {
                Err(Error::new(ErrorKind::Unsupported, format!("{}: a v128 cannot be given as a wasm_val_t", what())))
            }
            ValType::Ref(reference) if self.kind == kind::EXTERNREF || self.kind == kind_of(ty) => {
                // SAFETY: references given by the host are null or alive (the API's contract).
                check_ref(unsafe { self.object().as_ref() }, reference, store, what)?;
                Ok(self.inside(ty))
            }
            _ => mismatch(kind_name(self.kind)),
        }
    }

    /// The bits that a checked value of type `ty` has inside WebAssembly.
    pub fn inside(self, ty: ValType) -> u64 {
        match ty {
            ValType::I32 | ValType::F32 => self.bits & 0xffff_ffff,
            ValType::Ref(ty) => boxes::inside(self.object(), ty),
            _ => self.bits,
        }
    }
}

/// Checks that a reference may be stored where type `ty` is expected, in `store`, and notes that it leaves the host.
pub fn check_ref(object: Option<&Object>, ty: RefType, store: &Store, what: &dyn Fn() -> String) -> Result<(), Error> {
    let Some(object) = object else {
        if ty.nullable {
            return Ok(());
        }
        return Err(Error::argument(format!("{}: expected {ty}, found a null reference", what())));
    };
    if !ptr::eq(object.store, store) {
        return Err(Error::new(
            ErrorKind::Store,
            format!("{}: the {} belongs to another store", what(), object.kind.name()),
        ));
    }
    if ty.heap.hierarchy() == Hierarchy::Any {
        return boxes::check(store, object, ty.heap)
            .map_err(|found| Error::argument(format!("{}: expected {ty}, found {found}", what())));
    }
    // SAFETY: the kind says what the object is.
    let func = (object.kind == ObjectKind::Func).then(|| unsafe { &*ptr::from_ref(object).cast::<Func>() });
    let belongs = match (ty.heap, func) {
        (HeapType::Extern, _) => true,
        (HeapType::Exn, _) => object.kind == ObjectKind::Exception,
        (heap, Some(func)) => HeapType::Concrete(func.ty().id()).matches(heap),
        _ => false,
    };
    if !belongs {
        return Err(Error::argument(format!("{}: expected {ty}, found a {}", what(), object.kind.name())));
    }
    object.group().leak();
    Ok(())
}
