//! Function types (specification: Types, Function Types).

use super::error::{self, Kind};
use super::externtype::{self, wasm_externtype_t};
use super::own::{Out, Own, Take};
use super::valtype::wasm_valtype_vec_t;
use super::vec::{self, Copied, Owned, Vector, vector};
use crate::types::{ExternType, FuncType};

/// A function type.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_functype_t(wasm_externtype_t);
externtype::noun!(wasm_functype_t, Func);

/// What a function type holds: the type, and the two vectors that the C functions lend out.
pub(crate) struct Parts {
    pub(crate) ty: FuncType,
    params: Owned<wasm_valtype_vec_t>,
    results: Owned<wasm_valtype_vec_t>,
}

impl Parts {
    /// The parts for a type; `None` where memory has run out.
    pub(crate) fn new(ty: &FuncType) -> Option<Parts> {
        Some(Parts {
            ty: ty.clone(),
            params: wasm_valtype_vec_t::from_tys(ty.params())?,
            results: wasm_valtype_vec_t::from_tys(ty.results())?,
        })
    }
}

impl wasm_functype_t {
    /// The C object for a type.
    pub(crate) fn from_ty(ty: &FuncType) -> Own<wasm_functype_t> {
        wasm_functype_t::from_extern(&ExternType::Func(ty.clone()))
    }

    /// The type.
    pub(crate) fn to_ty(&self) -> Option<&FuncType> {
        Some(&self.parts()?.ty)
    }
}

/// Deletes a function type; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_delete(ty: Own<wasm_functype_t>) {
    drop(ty);
}

/// A vector of function types.
#[repr(C)]
pub struct wasm_functype_vec_t {
    /// How many there are.
    pub size: usize,
    /// The function types; NULL if there are none.
    pub data: *mut Own<wasm_functype_t>,
}
vector!(wasm_functype_vec_t of Own<wasm_functype_t>);

/// Makes an empty vector of function types.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_vec_new_empty(out: Out<wasm_functype_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` function types, to be filled in by the caller. They are NULL at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_vec_new_uninitialized(out: Out<wasm_functype_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` function types that `data` points to, and takes them over. Where memory has run out,
/// the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_vec_new(out: Out<wasm_functype_vec_t>, size: usize, data: *const Own<wasm_functype_t>) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of function types, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_vec_copy(out: Out<wasm_functype_vec_t>, vec: Option<&wasm_functype_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the function types in it, NULL among them or not. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_vec_delete(vec: Take<wasm_functype_vec_t>) {
    vec::delete(vec);
}

/// Makes a copy of a function type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_copy(ty: Option<&wasm_functype_t>) -> Own<wasm_functype_t> {
    ty?.copied()
}

/// Makes a function type. Takes over both vectors and what is in them, and leaves them empty; NULL stands for an empty
/// vector. A NULL among the value types, one that means nothing outside of the declaration of a group, or memory running
/// out, gives NULL; the vectors are taken all the same.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_new(
    params: Take<wasm_valtype_vec_t>,
    results: Take<wasm_valtype_vec_t>,
) -> Own<wasm_functype_t> {
    let params = Owned::new(params.take());
    let results = Owned::new(results.take());
    let (Some(param_types), Some(result_types)) = (params.to_tys(), results.to_tys()) else {
        let which = if params.to_tys().is_none() { "parameter" } else { "result" };
        error::fail(Kind::TENON_ERROR_ARGUMENT, format_args!("wasm_functype_new: a {which} type is NULL"));
        return None;
    };
    let mut types = params.elements().iter().chain(results.elements()).flatten();
    error::keep(types.try_for_each(|ty| ty.alone("wasm_functype_new").map(drop)))?;
    let ty = FuncType::new(param_types, result_types);
    wasm_functype_t::from_parts(externtype::Parts::Func(Parts { ty, params, results }))
}

/// The parameter types. The vector belongs to the function type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_params(ty: Option<&wasm_functype_t>) -> Option<&wasm_valtype_vec_t> {
    Some(&ty?.parts()?.params)
}

/// The result types. The vector belongs to the function type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_functype_results(ty: Option<&wasm_functype_t>) -> Option<&wasm_valtype_vec_t> {
    Some(&ty?.parts()?.results)
}
