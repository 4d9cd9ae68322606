//! What a reference refers to: its type, tests and casts (specification: Reference Instructions).

use super::error::{self, Kind, tenon_error_t};
use super::handle::{Counted, Handle, entered, required};
use super::own::{Out, Own};
use super::reference::wasm_ref_t;
use super::valtype::wasm_valtype_t;
use crate::runtime::gc::access;
use crate::types::{RefType, ValType};

fn ref_type(function: &str, ty: Option<&wasm_valtype_t>) -> Result<RefType, tenon_error_t> {
    match required(ty, function, "the type")?.alone(function)? {
        ValType::Ref(ty) => Ok(ty),
        ty => {
            let message = format_args!("{function}: {ty} is not a reference type");
            Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message))
        }
    }
}

/// Whether the reference is of the type, as an instruction of the test would say. NULL is the null reference.
fn test(function: &str, reference: Option<&wasm_ref_t>, ty: Option<&wasm_valtype_t>) -> Result<bool, tenon_error_t> {
    error::attempt(function, || {
        let ty = ref_type(function, ty)?;
        if reference.is_some() {
            entered(reference, function, "the reference")?;
        }
        Ok(access::is_of_type(reference.map(|reference| &reference.0), ty))
    })
}

/// Whether a reference is of a reference type (`ref.test`); NULL stands for the null reference. Every reference that is not null
/// is of types `any` and `extern`, to which it can be converted. False, and a failure is kept, for what is no
/// reference type.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_ref_test(reference: Option<&wasm_ref_t>, ty: Option<&wasm_valtype_t>) -> bool {
    error::keep(test("tenon_ref_test", reference, ty)).unwrap_or(false)
}

/// Casts a reference to a reference type (`ref.cast`): `out` receives another reference to the same, which is the caller's. It is
/// an error if it is not of the type. NULL stands for the null reference.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_ref_cast(
    reference: Option<&wasm_ref_t>,
    ty: Option<&wasm_valtype_t>,
    out: Out<Handle<wasm_ref_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_ref_cast";
    let cast = test(function, reference, ty).and_then(|fits| match (fits, reference) {
        (true, reference) => Ok(reference.map(Counted::of)),
        (false, reference) => {
            let expected = ref_type(function, ty)?;
            let message = match reference {
                Some(reference) => {
                    let found = access::type_of(&reference.0);
                    format!("{function}: cast failure: expected {expected}, found {found}")
                }
                None => format!("{function}: cast failure: expected {expected}, found a null reference"),
            };
            Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, format_args!("{message}")))
        }
    });
    error::answer_or(out, None, cast)
}

/// The most precise type of a reference: of a structure, an array or a function, its defined type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_ref_type(reference: Option<&wasm_ref_t>) -> Own<wasm_valtype_t> {
    let function = "tenon_ref_type";
    error::keep(error::attempt(function, || {
        let ty = access::type_of(
            &entered(Some(required(reference, function, "the reference")?), function, "the reference")?.0,
        );
        wasm_valtype_t::from_ty(ValType::Ref(ty)).ok_or_else(error::last)
    }))
}
