//! Tables (specification: Runtime Structure, Table Instances).

use super::error::{self, Kind, tenon_error_t};
use super::handle::{self, Counted, Handle, Lent, entered, noun, required};
use super::own::Own;
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::tabletype::wasm_tabletype_t;
use crate::runtime::object::ObjectKind;
use crate::runtime::table::{MAX_ELEMENTS, Table};
use std::ffi::c_void;

/// A table.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_table_t(Table);
noun!(wasm_table_t, ObjectKind::Table);

impl wasm_table_t {
    /// The table.
    pub(crate) fn table(&self) -> &Table {
        &self.0
    }
}

/// Gives up a reference to a table; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_delete(table: Handle<wasm_table_t>) {
    drop(table);
}

/// Makes another reference to the same table. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_copy(table: Option<&wasm_table_t>) -> Handle<wasm_table_t> {
    handle::copy(table)
}

/// Whether two references are to the same table. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_same(table: Option<&wasm_table_t>, other: Option<&wasm_table_t>) -> bool {
    handle::same(table, other)
}

/// The host's information about the table: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_get_host_info(table: Option<&wasm_table_t>) -> *mut c_void {
    handle::get_host_info(table, "wasm_table_get_host_info")
}

/// Attaches information of the host to the table. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_set_host_info(table: Lent<wasm_table_t>, info: *mut c_void) {
    handle::set_host_info(table, info, None, "wasm_table_set_host_info");
}

/// Attaches information of the host to the table. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the table dies.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_set_host_info_with_finalizer(
    table: Lent<wasm_table_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(table, info, finalizer, "wasm_table_set_host_info_with_finalizer");
}

/// Sees a table as a reference. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_as_ref(table: Lent<wasm_table_t>) -> Lent<wasm_ref_t> {
    handle::see(table)
}

/// Sees a reference as a table. The same object: nothing changes hands. With NULL, or a reference to something
/// else: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_table(reference: Lent<wasm_ref_t>) -> Lent<wasm_table_t> {
    handle::see(reference)
}

/// `wasm_table_as_ref` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_as_ref_const(table: Option<&wasm_table_t>) -> Option<&wasm_ref_t> {
    handle::see_const(table)
}

/// `wasm_ref_as_table` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_table_const(reference: Option<&wasm_ref_t>) -> Option<&wasm_table_t> {
    handle::see_const(reference)
}

/// A number of elements, or an index.
pub type wasm_table_size_t = u32;

/// Makes a table of the host.
pub(crate) fn new(
    function: &str,
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_tabletype_t>,
    init: Lent<wasm_ref_t>,
) -> Result<Counted<wasm_table_t>, tenon_error_t> {
    error::attempt(function, || {
        let store = store.entered(function)?;
        let Some(ty) = required(ty, function, "the type")?.to_ty() else {
            let message = format_args!("{function}: the type is not one of a table");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        };
        // SAFETY: a new table comes with a handle.
        unsafe { Counted::take(Table::new(store, *ty, init.get().map(|init| &init.0))?) }.ok_or_else(error::last)
    })
}

/// Makes a table whose elements are all `init`; NULL stands for the null reference. NULL if `init` is not of the element type or
/// of another store, if the limits are impossible, if a limit of the store would be exceeded, with NULL for the others, or where
/// memory has run out.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_new(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_tabletype_t>,
    init: Lent<wasm_ref_t>,
) -> Handle<wasm_table_t> {
    error::keep(new("wasm_table_new", store, ty, init))
}

/// The type, with the size that the table has now as its minimum. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_type(table: Option<&wasm_table_t>) -> Own<wasm_tabletype_t> {
    wasm_tabletype_t::from_ty(&table?.0.ty())
}

/// Adds elements to a table. Gives how many it had.
pub(crate) fn grow(
    function: &str,
    table: Option<&wasm_table_t>,
    delta: u64,
    init: Lent<wasm_ref_t>,
) -> Result<u64, tenon_error_t> {
    error::attempt(function, || {
        let held = entered(table, function, "the table")?;
        let table = &held.0;
        let reference = init.get();
        let init = table.check(reference.map(|init| &init.0))?;
        // What the host is asked about lives until it has answered.
        let is_watched = table.store().growth().is_watched();
        let _held = is_watched.then(|| (Counted::of(held), reference.map(Counted::of)));
        table.grow(delta, init).map_err(|reason| {
            let (size, most) = (table.size(), table.ty().limits.max.unwrap_or(MAX_ELEMENTS).min(MAX_ELEMENTS));
            let message = format_args!(
                "{function}: a table of {size} elements, which may have {most}, cannot grow by {delta}: {reason}"
            );
            let error = tenon_error_t::new(reason.kind().into(), message);
            reason.forget();
            error
        })
    })
}

/// The failure that there is no such element.
pub(crate) fn no_element(function: &str, table: &Table, index: u64) -> tenon_error_t {
    let size = table.size();
    let message = format_args!("{function}: there is no element {index} in a table of {size} elements");
    tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message)
}

/// The element at an index, as a reference of the caller's. NULL for a null reference, and for an index outside of the
/// table, or with NULL; the latter are failures.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_get(table: Option<&wasm_table_t>, index: wasm_table_size_t) -> Handle<wasm_ref_t> {
    let function = "wasm_table_get";
    error::keep(error::attempt(function, || {
        let table = &entered(table, function, "the table")?.0;
        let element = table.get_outside(index.into()).ok_or_else(|| no_element(function, table, index.into()))?;
        // SAFETY: an element for the host comes with a handle.
        Ok(unsafe { Counted::take(element) })
    }))?
}

/// Replaces the element at an index; NULL stands for the null reference. False if the index is outside of the
/// table, or the reference not of the element type or of another store, or without a table.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_set(
    table: Lent<wasm_table_t>,
    index: wasm_table_size_t,
    reference: Lent<wasm_ref_t>,
) -> bool {
    error::keep(set("wasm_table_set", table.get(), index.into(), reference)).is_some()
}

/// Replaces an element.
pub(crate) fn set(
    function: &str,
    table: Option<&wasm_table_t>,
    index: u64,
    reference: Lent<wasm_ref_t>,
) -> Result<(), tenon_error_t> {
    error::attempt(function, || {
        let table = &entered(table, function, "the table")?.0;
        let bits = table.check(reference.get().map(|reference| &reference.0))?;
        match table.set(index, bits) {
            true => Ok(()),
            false => Err(no_element(function, table, index)),
        }
    })
}

/// The number of elements. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_size(table: Option<&wasm_table_t>) -> wasm_table_size_t {
    table.map_or(0, |table| table.0.size() as wasm_table_size_t)
}

/// Adds `delta` elements that are all `init`; NULL stands for the null reference. False, and nothing changes, if the type's
/// maximum or a limit of the store would be exceeded, or `init` is not of the element type or of another store, where memory has
/// run out, or without a table.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_grow(table: Lent<wasm_table_t>, delta: wasm_table_size_t, init: Lent<wasm_ref_t>) -> bool {
    error::keep(grow("wasm_table_grow", table.get(), delta.into(), init)).is_some()
}
