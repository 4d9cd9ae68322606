//! Values, with the references among them owned.
//!
//! Floats are kept as bits: a test must see which NaN it got.

use crate::object::{Foreign, Ref};
use crate::sys;
use crate::types::ValType;

/// A value.
#[derive(Debug)]
pub enum Val {
    /// 32-bit integer.
    I32(i32),
    /// 64-bit integer.
    I64(i64),
    /// The bits of a 32-bit float.
    F32(u32),
    /// The bits of a 64-bit float.
    F64(u64),
    /// 128 bits, which cross the boundary as raw values only.
    V128(u128),
    /// A reference of this type; `None` is null.
    Ref(ValType, Option<Ref>),
}

impl Val {
    /// The value's type.
    pub fn ty(&self) -> ValType {
        match self {
            Val::I32(_) => ValType::I32,
            Val::I64(_) => ValType::I64,
            Val::F32(_) => ValType::F32,
            Val::F64(_) => ValType::F64,
            Val::V128(_) => ValType::V128,
            Val::Ref(ty, _) => *ty,
        }
    }

    /// A reference to an object of the host.
    pub fn foreign(object: &Foreign) -> Val {
        Val::Ref(ValType::ExternRef, Some(object.to_ref()))
    }

    /// The C value; a reference in it stays this value's own.
    pub(crate) fn borrow_raw(&self) -> sys::wasm_val_t {
        let of = match self {
            Val::I32(value) => sys::wasm_val_t__bindgen_ty_1 { i32_: *value },
            Val::I64(value) => sys::wasm_val_t__bindgen_ty_1 { i64_: *value },
            Val::F32(bits) => sys::wasm_val_t__bindgen_ty_1 { f32_: f32::from_bits(*bits) },
            Val::F64(bits) => sys::wasm_val_t__bindgen_ty_1 { f64_: f64::from_bits(*bits) },
            Val::V128(_) => sys::wasm_val_t__bindgen_ty_1 { i64_: 0 },
            Val::Ref(_, object) => {
                sys::wasm_val_t__bindgen_ty_1 { ref_: object.as_ref().map_or(std::ptr::null_mut(), Ref::as_ptr) }
            }
        };
        sys::wasm_val_t { kind: self.ty().kind(), of }
    }

    /// The C value, to which the reference in this one passes.
    pub(crate) fn into_raw(self) -> sys::wasm_val_t {
        let raw = self.borrow_raw();
        if let Val::Ref(_, Some(object)) = self {
            std::mem::forget(object);
        }
        raw
    }

    /// Takes over a C value.
    ///
    /// # Safety
    /// `raw` is initialised, and a reference in it is owned by the caller, who gives it up.
    pub(crate) unsafe fn from_raw(raw: sys::wasm_val_t) -> Val {
        let ty = ValType::from_kind(raw.kind).unwrap_or_else(|| panic!("a value of unknown kind {}", raw.kind));
        // SAFETY: the kind says which field of the union holds the value.
        unsafe {
            match ty {
                ValType::I32 => Val::I32(raw.of.i32_),
                ValType::I64 => Val::I64(raw.of.i64_),
                ValType::F32 => Val::F32(raw.of.f32_.to_bits()),
                ValType::F64 => Val::F64(raw.of.f64_.to_bits()),
                ValType::V128 => panic!("a v128 in a wasm_val_t"),
                ValType::FuncRef | ValType::ExternRef => Val::Ref(ty, Ref::from_raw(raw.of.ref_)),
            }
        }
    }

    /// Copies a C value that stays its owner's.
    ///
    /// # Safety
    /// `raw` is initialised, and a reference in it is live.
    pub(crate) unsafe fn copy_raw(raw: &sys::wasm_val_t) -> Val {
        let mut copy = null_raw();
        // SAFETY: `raw` is live by the caller's promise, and `copy` owns what is written to it.
        unsafe {
            sys::wasm_val_copy(&mut copy, raw);
            Val::from_raw(copy)
        }
    }
}

/// The value without its kind; a reference in it stays the value's own.
pub(crate) fn borrow_untyped(value: &Val) -> sys::tenon_raw_t {
    let mut raw = sys::tenon_raw_t { v128: [0; 16] };
    match value {
        Val::I32(value) => raw.i32_ = *value,
        Val::I64(value) => raw.i64_ = *value,
        Val::F32(bits) => raw.f32_ = f32::from_bits(*bits),
        Val::F64(bits) => raw.f64_ = f64::from_bits(*bits),
        Val::V128(bits) => raw.v128 = bits.to_le_bytes(),
        Val::Ref(_, object) => raw.ref_ = object.as_ref().map_or(std::ptr::null_mut(), Ref::as_ptr),
    }
    raw
}

/// Takes over a value of type `ty` without its kind.
///
/// # Safety
/// `raw` holds a value of that type, and a reference in it is owned by the caller, who gives it up.
pub(crate) unsafe fn from_untyped(ty: ValType, raw: sys::tenon_raw_t) -> Val {
    // SAFETY: the caller's promise.
    unsafe {
        match ty {
            ValType::I32 => Val::I32(raw.i32_),
            ValType::I64 => Val::I64(raw.i64_),
            ValType::F32 => Val::F32(raw.f32_.to_bits()),
            ValType::F64 => Val::F64(raw.f64_.to_bits()),
            ValType::V128 => Val::V128(u128::from_le_bytes(raw.v128)),
            ValType::FuncRef | ValType::ExternRef => Val::Ref(ty, Ref::from_raw(raw.ref_)),
        }
    }
}

/// Copies a value of type `ty` without its kind; what it holds stays its owner's.
///
/// # Safety
/// `raw` holds a value of that type, and a reference in it is live.
pub(crate) unsafe fn copy_untyped(ty: ValType, mut raw: sys::tenon_raw_t) -> Val {
    // SAFETY: the caller's promise; the copy is owned.
    unsafe {
        if ty.is_ref() && !raw.ref_.is_null() {
            raw.ref_ = sys::wasm_ref_copy(raw.ref_);
        }
        from_untyped(ty, raw)
    }
}

/// A C value that owns nothing, for the API to write to.
pub(crate) fn null_raw() -> sys::wasm_val_t {
    let of = sys::wasm_val_t__bindgen_ty_1 { ref_: std::ptr::null_mut() };
    sys::wasm_val_t { kind: ValType::ExternRef.kind(), of }
}
