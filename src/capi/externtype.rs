//! External types (specification: Types, External Types): the type of whatever can be imported or exported.
//!
//! The header converts between `wasm_functype_t *` and `wasm_externtype_t *` and the like without making anything
//! new, so all of them are the same object here: an external type, of which `wasm_functype_t` and its peers are
//! transparent wrappers that promise a kind.

use super::functype::wasm_functype_t;
use super::globaltype::wasm_globaltype_t;
use super::memorytype::wasm_memorytype_t;
use super::own::{Out, Own, Take};
use super::tabletype::wasm_tabletype_t;
use super::tagtype::wasm_tagtype_t;
use super::vec::{self, Copied, vector};
use super::{functype, globaltype, memorytype, tabletype, tagtype};
use crate::types::ExternType;

/// The type of a function, a global, a table, a memory or a tag.
pub struct wasm_externtype_t {
    parts: Parts,
}

/// What an external type holds, by kind.
pub(crate) enum Parts {
    Func(functype::Parts),
    Global(globaltype::Parts),
    Table(tabletype::Parts),
    Memory(memorytype::Parts),
    Tag(tagtype::Parts),
}

impl wasm_externtype_t {
    /// The object with these parts.
    pub(crate) const fn new(parts: Parts) -> wasm_externtype_t {
        wasm_externtype_t { parts }
    }

    /// What it holds.
    pub(crate) const fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The C object for a type.
    pub(crate) fn from_ty(ty: &ExternType) -> Own<wasm_externtype_t> {
        super::own::boxed(wasm_externtype_t::new(match ty {
            ExternType::Func(ty) => Parts::Func(functype::Parts::new(ty)?),
            ExternType::Global(ty) => Parts::Global(globaltype::Parts::new(ty)),
            ExternType::Table(ty) => Parts::Table(tabletype::Parts::new(ty)),
            ExternType::Memory(ty) => Parts::Memory(memorytype::Parts::new(ty)),
            ExternType::Tag(ty) => Parts::Tag(tagtype::Parts::new(ty)?),
        }))
    }

    /// The type.
    pub(crate) fn to_ty(&self) -> ExternType {
        match &self.parts {
            Parts::Func(parts) => ExternType::Func(parts.ty.clone()),
            Parts::Global(parts) => ExternType::Global(parts.ty),
            Parts::Table(parts) => ExternType::Table(parts.ty),
            Parts::Memory(parts) => ExternType::Memory(parts.ty),
            Parts::Tag(parts) => ExternType::Tag(parts.ty.clone()),
        }
    }
}

impl Copied for wasm_externtype_t {
    fn copied(&self) -> Own<wasm_externtype_t> {
        wasm_externtype_t::from_ty(&self.to_ty())
    }
}

/// What a transparent wrapper of an external type can do, given the kind it promises. (No exported function comes out
/// of this: those are all written out.)
macro_rules! noun {
    ($noun:ident, $kind:ident) => {
        #[allow(dead_code, reason = "not every kind of type is made in every way")]
        impl $noun {
            /// The object with these parts, which must be of the right kind.
            fn from_parts(parts: $crate::capi::externtype::Parts) -> $crate::capi::own::Own<$noun> {
                $crate::capi::own::boxed($noun($crate::capi::externtype::wasm_externtype_t::new(parts)))
            }

            /// The object for a type of the right kind.
            fn from_extern(ty: &$crate::types::ExternType) -> $crate::capi::own::Own<$noun> {
                let ty = $crate::capi::externtype::wasm_externtype_t::from_ty(ty)?;
                // SAFETY: the wrapper is transparent, so the box owns the same layout under either name.
                Some(unsafe { Box::from_raw(Box::into_raw(ty).cast::<$noun>()) })
            }

            /// What it holds; `None` if a program has cast a pointer of another kind.
            fn parts(&self) -> Option<&Parts> {
                match self.0.parts() {
                    $crate::capi::externtype::Parts::$kind(parts) => Some(parts),
                    _ => None,
                }
            }

            /// The same object as an external type.
            pub(crate) fn as_extern(&self) -> &$crate::capi::externtype::wasm_externtype_t {
                &self.0
            }

            /// The same object as an external type.
            pub(crate) fn as_extern_mut(&mut self) -> &mut $crate::capi::externtype::wasm_externtype_t {
                &mut self.0
            }

            /// The external type as this kind, if it is of this kind.
            pub(crate) fn of_extern(ty: &$crate::capi::externtype::wasm_externtype_t) -> Option<&$noun> {
                let of_kind = matches!(ty.parts(), $crate::capi::externtype::Parts::$kind(_));
                // SAFETY: the wrapper is transparent.
                of_kind.then(|| unsafe { &*std::ptr::from_ref(ty).cast::<$noun>() })
            }

            /// The external type as this kind, if it is of this kind.
            pub(crate) fn of_extern_mut(ty: &mut $crate::capi::externtype::wasm_externtype_t) -> Option<&mut $noun> {
                let of_kind = matches!(ty.parts(), $crate::capi::externtype::Parts::$kind(_));
                // SAFETY: the wrapper is transparent.
                of_kind.then(|| unsafe { &mut *std::ptr::from_mut(ty).cast::<$noun>() })
            }
        }

        impl $crate::capi::vec::Copied for $noun {
            fn copied(&self) -> $crate::capi::own::Own<$noun> {
                $noun::from_extern(&self.0.to_ty())
            }
        }
    };
}
pub(crate) use noun;

/// Deletes an external type; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_delete(ty: Own<wasm_externtype_t>) {
    drop(ty);
}

/// A vector of external types.
#[repr(C)]
pub struct wasm_externtype_vec_t {
    /// How many there are.
    pub size: usize,
    /// The external types; NULL if there are none.
    pub data: *mut Own<wasm_externtype_t>,
}
vector!(wasm_externtype_vec_t of Own<wasm_externtype_t>);

/// Makes an empty vector of external types.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_vec_new_empty(out: Out<wasm_externtype_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` external types, to be filled in by the caller. They are NULL at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_vec_new_uninitialized(out: Out<wasm_externtype_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` external types that `data` points to, and takes them over. Where memory has run out,
/// the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_vec_new(
    out: Out<wasm_externtype_vec_t>,
    size: usize,
    data: *const Own<wasm_externtype_t>,
) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of external types, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_vec_copy(out: Out<wasm_externtype_vec_t>, vec: Option<&wasm_externtype_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the external types in it, NULL among them or not. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_vec_delete(vec: Take<wasm_externtype_vec_t>) {
    vec::delete(vec);
}

/// Makes a copy of an external type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_copy(ty: Option<&wasm_externtype_t>) -> Own<wasm_externtype_t> {
    ty?.copied()
}

/// What kind of thing it is: one of the constants of `wasm_externkind_enum`.
pub type wasm_externkind_t = u8;

/// The kinds of things that can be imported and exported.
#[repr(C)]
pub enum wasm_externkind_enum {
    /// A function.
    WASM_EXTERN_FUNC,
    /// A global.
    WASM_EXTERN_GLOBAL,
    /// A table.
    WASM_EXTERN_TABLE,
    /// A memory.
    WASM_EXTERN_MEMORY,
    /// A tag.
    WASM_EXTERN_TAG,
}
pub(crate) use wasm_externkind_enum as ExternKind;

/// The kind of an external type. With NULL: `WASM_EXTERN_FUNC`.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_kind(ty: Option<&wasm_externtype_t>) -> wasm_externkind_t {
    let kind = match ty.map(wasm_externtype_t::parts) {
        None | Some(Parts::Func(_)) => ExternKind::WASM_EXTERN_FUNC,
        Some(Parts::Global(_)) => ExternKind::WASM_EXTERN_GLOBAL,
        Some(Parts::Table(_)) => ExternKind::WASM_EXTERN_TABLE,
        Some(Parts::Memory(_)) => ExternKind::WASM_EXTERN_MEMORY,
        Some(Parts::Tag(_)) => ExternKind::WASM_EXTERN_TAG,
    };
    kind as wasm_externkind_t
}

/// Sees a function type as an external type. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_as_externtype(ty: Option<&mut wasm_functype_t>) -> Option<&mut wasm_externtype_t> {
    Some(ty?.as_extern_mut())
}

/// Sees a global type as an external type. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_as_externtype(ty: Option<&mut wasm_globaltype_t>) -> Option<&mut wasm_externtype_t> {
    Some(ty?.as_extern_mut())
}

/// Sees a table type as an external type. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_as_externtype(ty: Option<&mut wasm_tabletype_t>) -> Option<&mut wasm_externtype_t> {
    Some(ty?.as_extern_mut())
}

/// Sees a memory type as an external type. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_as_externtype(ty: Option<&mut wasm_memorytype_t>) -> Option<&mut wasm_externtype_t> {
    Some(ty?.as_extern_mut())
}

/// Sees a tag type as an external type. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_as_externtype(ty: Option<&mut wasm_tagtype_t>) -> Option<&mut wasm_externtype_t> {
    Some(ty?.as_extern_mut())
}

/// Sees an external type as a function type. The same object: nothing changes hands. With NULL, or another kind: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_as_functype(ty: Option<&mut wasm_externtype_t>) -> Option<&mut wasm_functype_t> {
    wasm_functype_t::of_extern_mut(ty?)
}

/// Sees an external type as a global type. The same object: nothing changes hands. With NULL, or another kind: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_as_globaltype(ty: Option<&mut wasm_externtype_t>) -> Option<&mut wasm_globaltype_t> {
    wasm_globaltype_t::of_extern_mut(ty?)
}

/// Sees an external type as a table type. The same object: nothing changes hands. With NULL, or another kind: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_as_tabletype(ty: Option<&mut wasm_externtype_t>) -> Option<&mut wasm_tabletype_t> {
    wasm_tabletype_t::of_extern_mut(ty?)
}

/// Sees an external type as a memory type. The same object: nothing changes hands. With NULL, or another kind: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_as_memorytype(ty: Option<&mut wasm_externtype_t>) -> Option<&mut wasm_memorytype_t> {
    wasm_memorytype_t::of_extern_mut(ty?)
}

/// Sees an external type as a tag type. The same object: nothing changes hands. With NULL, or another kind: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_as_tagtype(ty: Option<&mut wasm_externtype_t>) -> Option<&mut wasm_tagtype_t> {
    wasm_tagtype_t::of_extern_mut(ty?)
}

/// `wasm_functype_as_externtype` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_as_externtype_const(ty: Option<&wasm_functype_t>) -> Option<&wasm_externtype_t> {
    Some(ty?.as_extern())
}

/// `wasm_globaltype_as_externtype` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_globaltype_as_externtype_const(ty: Option<&wasm_globaltype_t>) -> Option<&wasm_externtype_t> {
    Some(ty?.as_extern())
}

/// `wasm_tabletype_as_externtype` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_as_externtype_const(ty: Option<&wasm_tabletype_t>) -> Option<&wasm_externtype_t> {
    Some(ty?.as_extern())
}

/// `wasm_memorytype_as_externtype` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memorytype_as_externtype_const(ty: Option<&wasm_memorytype_t>) -> Option<&wasm_externtype_t> {
    Some(ty?.as_extern())
}

/// `wasm_tagtype_as_externtype` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tagtype_as_externtype_const(ty: Option<&wasm_tagtype_t>) -> Option<&wasm_externtype_t> {
    Some(ty?.as_extern())
}

/// `wasm_externtype_as_functype` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_as_functype_const(ty: Option<&wasm_externtype_t>) -> Option<&wasm_functype_t> {
    wasm_functype_t::of_extern(ty?)
}

/// `wasm_externtype_as_globaltype` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_as_globaltype_const(ty: Option<&wasm_externtype_t>) -> Option<&wasm_globaltype_t> {
    wasm_globaltype_t::of_extern(ty?)
}

/// `wasm_externtype_as_tabletype` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_as_tabletype_const(ty: Option<&wasm_externtype_t>) -> Option<&wasm_tabletype_t> {
    wasm_tabletype_t::of_extern(ty?)
}

/// `wasm_externtype_as_memorytype` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_as_memorytype_const(ty: Option<&wasm_externtype_t>) -> Option<&wasm_memorytype_t> {
    wasm_memorytype_t::of_extern(ty?)
}

/// `wasm_externtype_as_tagtype` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_externtype_as_tagtype_const(ty: Option<&wasm_externtype_t>) -> Option<&wasm_tagtype_t> {
    wasm_tagtype_t::of_extern(ty?)
}
