//! Values (section 4.2.1) whose type is known only when the program runs.

use super::anyref::AnyRef;
use super::error::Error;
use super::exception::Exception;
use super::externref::ExternRef;
use super::func::Func;
use super::store::Core;
use super::wasm_ty::sealed::Cross;
use crate::runtime::object::{Object, acquire};
use crate::runtime::val::kind;
use crate::runtime::wide::{WideVal, wide_kind};
use crate::types::{Hierarchy, RefType, ValType};

/// A value of any type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Val {
    /// An `i32`.
    I32(i32),
    /// An `i64`.
    I64(i64),
    /// An `f32`.
    F32(f32),
    /// An `f64`.
    F64(f64),
    /// A `v128`, lane 0 lowest.
    V128(u128),
    /// A reference to a function, or null.
    FuncRef(Option<Func>),
    /// A reference to something of the host's, or null.
    ExternRef(Option<ExternRef>),
    /// A reference to an exception, or null.
    ExnRef(Option<Exception>),
    /// A reference of the `any` hierarchy, or null.
    AnyRef(Option<AnyRef>),
}

impl Val {
    /// The most general type that the value is of.
    pub fn ty(&self) -> ValType {
        match self {
            Val::I32(_) => ValType::I32,
            Val::I64(_) => ValType::I64,
            Val::F32(_) => ValType::F32,
            Val::F64(_) => ValType::F64,
            Val::V128(_) => ValType::V128,
            Val::FuncRef(_) => ValType::FUNCREF,
            Val::ExternRef(_) => ValType::EXTERNREF,
            Val::ExnRef(_) => ValType::EXNREF,
            Val::AnyRef(_) => ValType::ANYREF,
        }
    }

    /// Zero, or the null reference.
    pub fn zero(ty: ValType) -> Val {
        match ty {
            ValType::I32 => Val::I32(0),
            ValType::I64 => Val::I64(0),
            ValType::F32 => Val::F32(0.0),
            ValType::F64 => Val::F64(0.0),
            ValType::V128 => Val::V128(0),
            ValType::Ref(RefType { heap, .. }) => match heap.hierarchy() {
                Hierarchy::Func => Val::FuncRef(None),
                Hierarchy::Extern => Val::ExternRef(None),
                Hierarchy::Exn => Val::ExnRef(None),
                Hierarchy::Any => Val::AnyRef(None),
            },
        }
    }

    /// The number, if it is an `i32`.
    pub fn i32(&self) -> Option<i32> {
        if let Val::I32(value) = self { Some(*value) } else { None }
    }

    /// The number, if it is an `i64`.
    pub fn i64(&self) -> Option<i64> {
        if let Val::I64(value) = self { Some(*value) } else { None }
    }

    /// The number, if it is an `f32`.
    pub fn f32(&self) -> Option<f32> {
        if let Val::F32(value) = self { Some(*value) } else { None }
    }

    /// The number, if it is an `f64`.
    pub fn f64(&self) -> Option<f64> {
        if let Val::F64(value) = self { Some(*value) } else { None }
    }

    /// The object that it refers to, if it is of the store.
    fn object(&self, core: &Core, what: &dyn Fn() -> String) -> Result<*const Object, Error> {
        let bits = match self {
            Val::FuncRef(Some(func)) => func.lower(core, false),
            Val::ExternRef(Some(reference)) => reference.lower(core, false),
            Val::ExnRef(Some(exception)) => exception.lower(core, false),
            Val::AnyRef(Some(reference)) => reference.lower(core, false),
            _ => Ok([0; 2]),
        };
        Ok(bits.map_err(|error| Error::store(format!("{}: {error}", what())))?[0] as *const Object)
    }

    /// The value as the runtime takes it; a reference in it is lent. `what` names the place in messages.
    pub(super) fn wide(&self, core: &Core, what: &dyn Fn() -> String) -> Result<WideVal, Error> {
        let bits = match self {
            Val::I32(value) => value.lower(core, false)?,
            Val::I64(value) => value.lower(core, false)?,
            Val::F32(value) => value.lower(core, false)?,
            Val::F64(value) => value.lower(core, false)?,
            Val::V128(value) => value.lower(core, false)?,
            _ => [self.object(core, what)? as u64, 0],
        };
        Ok(WideVal { kind: wide_kind(self.ty()), bits })
    }

    /// Values as the runtime takes them; `what` and a number name each in messages.
    pub(super) fn all_wide(core: &Core, values: &[Val], what: &str) -> Result<Vec<WideVal>, Error> {
        values.iter().enumerate().map(|(i, value)| value.wide(core, &|| format!("{what} {i}"))).collect()
    }

    /// The bits of a value of type `ty` as the host gives them; a reference among them, which is an object's address, is lent.
    pub(super) fn lower(&self, core: &Core, ty: ValType, what: &dyn Fn() -> String) -> Result<[u64; 2], Error> {
        let wide = self.wide(core, what)?;
        wide.to_bits(ty, core.store(), what)?;
        Ok(wide.bits)
    }

    /// The value that the runtime gave, whose reference comes with a count.
    ///
    /// # Safety
    /// It is of the store, which is exclusively borrowed.
    pub(super) unsafe fn of_wide(core: &Core, value: WideVal) -> Val {
        let ty = match value.kind {
            kind::I32 => ValType::I32,
            kind::I64 => ValType::I64,
            kind::F32 => ValType::F32,
            kind::F64 => ValType::F64,
            kind::V128 => ValType::V128,
            kind::FUNCREF => ValType::FUNCREF,
            kind::EXTERNREF => ValType::EXTERNREF,
            kind::EXNREF => ValType::EXNREF,
            _ => ValType::ANYREF,
        };
        // SAFETY: the caller's promise; the kind says what the bits are.
        unsafe { Val::lift(core, ty, value.bits, true) }
    }

    /// One more count of what it refers to. Only where the store that it was lowered for is borrowed exclusively.
    ///
    /// # Safety
    /// A reference is of a store that is there.
    pub(super) unsafe fn give(&self) {
        let object: *const Object = match self {
            Val::FuncRef(Some(func)) => func.0.address().cast(),
            Val::ExternRef(Some(reference)) => reference.0.address(),
            Val::ExnRef(Some(exception)) => exception.0.address().cast(),
            Val::AnyRef(Some(reference)) => reference.0.address(),
            _ => return,
        };
        // SAFETY: the caller's promise.
        acquire(unsafe { &*object });
    }

    /// The value of type `ty` with these bits.
    ///
    /// # Safety
    /// See [`Cross::lift`].
    pub(super) unsafe fn lift(core: &Core, ty: ValType, bits: [u64; 2], owned: bool) -> Val {
        // SAFETY: the caller's promise.
        unsafe {
            match ty {
                ValType::I32 => Val::I32(Cross::lift(core, bits, owned)),
                ValType::I64 => Val::I64(Cross::lift(core, bits, owned)),
                ValType::F32 => Val::F32(Cross::lift(core, bits, owned)),
                ValType::F64 => Val::F64(Cross::lift(core, bits, owned)),
                ValType::V128 => Val::V128(Cross::lift(core, bits, owned)),
                ValType::Ref(RefType { heap, .. }) => match heap.hierarchy() {
                    Hierarchy::Func => Val::FuncRef(Cross::lift(core, bits, owned)),
                    Hierarchy::Extern => Val::ExternRef(Cross::lift(core, bits, owned)),
                    Hierarchy::Exn => Val::ExnRef(Cross::lift(core, bits, owned)),
                    Hierarchy::Any => Val::AnyRef(Cross::lift(core, bits, owned)),
                },
            }
        }
    }
}

macro_rules! from {
    ($($ty:ty, $kind:ident;)*) => {
        $(
            impl From<$ty> for Val {
                fn from(value: $ty) -> Val {
                    Val::$kind(value.into())
                }
            }
        )*
    };
}

from! {
    i32, I32;
    i64, I64;
    f32, F32;
    f64, F64;
    u128, V128;
    Func, FuncRef;
    Option<Func>, FuncRef;
    ExternRef, ExternRef;
    Option<ExternRef>, ExternRef;
    Exception, ExnRef;
    Option<Exception>, ExnRef;
    AnyRef, AnyRef;
    Option<AnyRef>, AnyRef;
}
