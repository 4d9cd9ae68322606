//! Table types (specification: Types, Table Types).

use super::error::{self, Kind};
use super::externtype::{self, wasm_externtype_t};
use super::limits::wasm_limits_t;
use super::own::{Out, Own, Take};
use super::valtype::wasm_valtype_t;
use super::vec::{self, Copied, vector};
use crate::types::{ExternType, TableType, ValType};

/// A table type.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_tabletype_t(wasm_externtype_t);
externtype::noun!(wasm_tabletype_t, Table);

/// What a table type holds: the type, and what the C functions lend out.
pub(crate) struct Parts {
    pub(crate) ty: TableType,
    element: wasm_valtype_t,
    limits: wasm_limits_t,
}

impl Parts {
    /// The parts for a type.
    pub(crate) fn new(ty: &TableType) -> Parts {
        Parts {
            ty: *ty,
            element: wasm_valtype_t::inline(ValType::Ref(ty.element)),
            limits: wasm_limits_t::from_ty(&ty.limits),
        }
    }
}

impl wasm_tabletype_t {
    /// The C object for a type.
    pub(crate) fn from_ty(ty: &TableType) -> Own<wasm_tabletype_t> {
        wasm_tabletype_t::from_extern(&ExternType::Table(*ty))
    }

    /// The type.
    pub(crate) fn to_ty(&self) -> Option<&TableType> {
        Some(&self.parts()?.ty)
    }
}

/// Deletes a table type; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_delete(ty: Own<wasm_tabletype_t>) {
    drop(ty);
}

/// A vector of table types.
#[repr(C)]
pub struct wasm_tabletype_vec_t {
    /// How many there are.
    pub size: usize,
    /// The table types; NULL if there are none.
    pub data: *mut Own<wasm_tabletype_t>,
}
vector!(wasm_tabletype_vec_t of Own<wasm_tabletype_t>);

/// Makes an empty vector of table types.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_vec_new_empty(out: Out<wasm_tabletype_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` table types, to be filled in by the caller. They are NULL at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_vec_new_uninitialized(out: Out<wasm_tabletype_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` table types that `data` points to, and takes them over. Where memory has run out, the
/// vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_vec_new(
    out: Out<wasm_tabletype_vec_t>,
    size: usize,
    data: *const Own<wasm_tabletype_t>,
) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of table types, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_vec_copy(out: Out<wasm_tabletype_vec_t>, vec: Option<&wasm_tabletype_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the table types in it, NULL among them or not. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_vec_delete(vec: Take<wasm_tabletype_vec_t>) {
    vec::delete(vec);
}

/// Makes a copy of a table type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_copy(ty: Option<&wasm_tabletype_t>) -> Own<wasm_tabletype_t> {
    ty?.copied()
}

/// Makes a table type. Takes over the element type, also where it gives NULL: for an element type that is NULL or not a
/// reference type, for limits of NULL, or where memory has run out. Limits whose minimum is above the maximum are data
/// like any other here; it is `wasm_table_new` that refuses them.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_new(
    element: Own<wasm_valtype_t>,
    limits: Option<&wasm_limits_t>,
) -> Own<wasm_tabletype_t> {
    let Some(element) = element else {
        error::null("wasm_tabletype_new", "the element type");
        return None;
    };
    let Some(limits) = limits else {
        error::null("wasm_tabletype_new", "limits");
        return None;
    };
    let element = error::keep(element.alone("wasm_tabletype_new"))?;
    let ValType::Ref(element) = element else {
        error::fail(
            Kind::TENON_ERROR_ARGUMENT,
            format_args!("wasm_tabletype_new: elements must be references, not {element}"),
        );
        return None;
    };
    wasm_tabletype_t::from_ty(&TableType { element, limits: limits.to_ty(), is64: false })
}

/// The type of the elements. It belongs to the table type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_element(ty: Option<&wasm_tabletype_t>) -> Option<&wasm_valtype_t> {
    Some(&ty?.parts()?.element)
}

/// The limits, in elements. They belong to the table type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tabletype_limits(ty: Option<&wasm_tabletype_t>) -> Option<&wasm_limits_t> {
    let parts = ty?.parts()?;
    wasm_limits_t::report("wasm_tabletype_limits", &parts.ty.limits);
    Some(&parts.limits)
}
