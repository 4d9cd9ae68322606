//! Table types and tables beyond what `wasm_limits_t` and 32-bit indices can say.

use super::error::{self, Kind, tenon_error_t};
use super::handle::{Counted, Handle, Lent, entered, required};
use super::own::{Out, Own};
use super::reference::wasm_ref_t;
use super::table::{no_element, wasm_table_t};
use super::tabletype::wasm_tabletype_t;
use super::valtype::wasm_valtype_t;
use crate::types::{Limits, TableType, ValType};

/// Makes a table type. `min` and, if `has_max`, `max` are numbers of elements. Indices have 64 bits if `is64`, else 32.
/// Takes over the element type, also where it fails.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_tabletype_new(
    element: Own<wasm_valtype_t>,
    min: u64,
    has_max: bool,
    max: u64,
    is64: bool,
    out: Out<Own<wasm_tabletype_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_tabletype_new";
    let made = error::attempt(function, || {
        let refused = |message| Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        let element = required(element, function, "the element type")?.alone(function)?;
        let ValType::Ref(element) = element else {
            return refused(format_args!("{function}: elements must be references, not {element}"));
        };
        let limits = Limits { min, max: has_max.then_some(max) };
        let most = if is64 { u64::MAX } else { u32::MAX.into() };
        if limits.max.is_some_and(|max| min > max) {
            return refused(format_args!("{function}: the minimum of {min} elements is above the maximum of {max}"));
        }
        if min > most || limits.max.is_some_and(|max| max > most) {
            return refused(format_args!("{function}: more than the {most} elements that 32 bits can count"));
        }
        wasm_tabletype_t::from_ty(&TableType { element, limits, is64 }).ok_or_else(error::last)
    });
    error::answer(out, made)
}

fn of<T>(function: &str, ty: Option<&wasm_tabletype_t>, read: impl FnOnce(&TableType) -> T) -> Option<T> {
    let ty = ty.and_then(wasm_tabletype_t::to_ty);
    if ty.is_none() {
        error::null(function, "the type");
    }
    ty.map(read)
}

/// The least size, in elements; in the type of a table that exists, the size it has now. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_tabletype_minimum(ty: Option<&wasm_tabletype_t>) -> u64 {
    of("tenon_tabletype_minimum", ty, |ty| ty.limits.min).unwrap_or(0)
}

/// The greatest size, in elements: stores it in `max`, which may be NULL, and answers true. Answers false, and stores
/// nothing, if the type sets no bound, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_tabletype_maximum(ty: Option<&wasm_tabletype_t>, max: Out<u64>) -> bool {
    let Some(bound) = of("tenon_tabletype_maximum", ty, |ty| ty.limits.max).flatten() else { return false };
    let _not_asked_for = max.write(bound);
    true
}

/// Whether indices have 64 bits. With NULL: false.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_tabletype_is64(ty: Option<&wasm_tabletype_t>) -> bool {
    of("tenon_tabletype_is64", ty, |ty| ty.is64).unwrap_or(false)
}

/// The number of elements. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_table_size(table: Option<&wasm_table_t>) -> u64 {
    table.map_or(0, |table| table.table().size())
}

/// Reads the element at an index: `out` receives a reference of the caller's, or NULL for the null reference. An index outside
/// of the table is a failure.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_table_get(
    table: Option<&wasm_table_t>,
    index: u64,
    out: Out<Handle<wasm_ref_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_table_get";
    let found = error::attempt(function, || {
        let table = entered(table, function, "the table")?.table();
        let element = table.get_outside(index).ok_or_else(|| no_element(function, table, index))?;
        // SAFETY: an element for the host comes with a handle.
        Ok(unsafe { Counted::<wasm_ref_t>::take(element) })
    });
    match found {
        Ok(element) => {
            drop(out.write(element));
            None
        }
        Err(error) => error::answer(out, Err(error)),
    }
}

/// Replaces the element at an index; NULL stands for the null reference. An index outside of the table, and a reference that is
/// not of the element type or of another store, are failures.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_table_set(
    table: Lent<wasm_table_t>,
    index: u64,
    reference: Lent<wasm_ref_t>,
) -> Own<tenon_error_t> {
    error::report(super::table::set("tenon_table_set", table.get(), index, reference))
}
