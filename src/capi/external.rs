//! Externals (specification: Runtime Structure, External Values): what can be imported and exported.

use super::externtype::{ExternKind, wasm_externkind_t, wasm_externtype_t};
use super::func::wasm_func_t;
use super::global::wasm_global_t;
use super::handle::{self, Handle, Lent, Noun, noun};
use super::memory::wasm_memory_t;
use super::own::{Out, Own, Take};
use super::reference::wasm_ref_t;
use super::table::wasm_table_t;
use super::vec::{self, vector};
use crate::runtime::instantiate::extern_type;
use crate::runtime::object::{Object, ObjectKind};
use std::ffi::c_void;

/// A function, a global, a table, a memory or a tag.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_extern_t(Object);
noun!(wasm_extern_t, ObjectKind::Func | ObjectKind::Global | ObjectKind::Table | ObjectKind::Memory | ObjectKind::Tag);

/// Gives up a reference to an external; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_delete(external: Handle<wasm_extern_t>) {
    drop(external);
}

/// Makes another reference to the same external. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_copy(external: Option<&wasm_extern_t>) -> Handle<wasm_extern_t> {
    handle::copy(external)
}

/// Whether two references are to the same external. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_same(external: Option<&wasm_extern_t>, other: Option<&wasm_extern_t>) -> bool {
    handle::same(external, other)
}

/// The host's information about the external: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_get_host_info(external: Option<&wasm_extern_t>) -> *mut c_void {
    handle::get_host_info(external, "wasm_extern_get_host_info")
}

/// Attaches information of the host to the external. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_set_host_info(external: Lent<wasm_extern_t>, info: *mut c_void) {
    handle::set_host_info(external, info, None, "wasm_extern_set_host_info");
}

/// Attaches information of the host to the external. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the external dies.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_set_host_info_with_finalizer(
    external: Lent<wasm_extern_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(external, info, finalizer, "wasm_extern_set_host_info_with_finalizer");
}

/// Sees an external as a reference. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_ref(external: Lent<wasm_extern_t>) -> Lent<wasm_ref_t> {
    handle::see(external)
}

/// Sees a reference as an external. The same object: nothing changes hands. With NULL, or a reference to something
/// else: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_extern(reference: Lent<wasm_ref_t>) -> Lent<wasm_extern_t> {
    handle::see(reference)
}

/// `wasm_extern_as_ref` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_ref_const(external: Option<&wasm_extern_t>) -> Option<&wasm_ref_t> {
    handle::see_const(external)
}

/// `wasm_ref_as_extern` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_extern_const(reference: Option<&wasm_ref_t>) -> Option<&wasm_extern_t> {
    handle::see_const(reference)
}

/// A vector of externals.
#[repr(C)]
pub struct wasm_extern_vec_t {
    /// How many there are.
    pub size: usize,
    /// The externals; NULL if there are none.
    pub data: *mut Handle<wasm_extern_t>,
}
vector!(wasm_extern_vec_t of Handle<wasm_extern_t>);

/// Makes an empty vector of externals.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_vec_new_empty(out: Out<wasm_extern_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` externals, to be filled in by the caller. They are NULL at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_vec_new_uninitialized(out: Out<wasm_extern_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` externals that `data` points to, and takes them over. Where memory has run out,
/// the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_vec_new(out: Out<wasm_extern_vec_t>, size: usize, data: *const Handle<wasm_extern_t>) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of externals, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_vec_copy(out: Out<wasm_extern_vec_t>, vec: Option<&wasm_extern_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the externals in it, NULL among them or not. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_vec_delete(vec: Take<wasm_extern_vec_t>) {
    vec::delete(vec);
}

/// What kind of thing it is. With NULL: `WASM_EXTERN_FUNC`.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_kind(external: Option<&wasm_extern_t>) -> wasm_externkind_t {
    let kind = match external.map(|external| external.object().kind) {
        Some(ObjectKind::Global) => ExternKind::WASM_EXTERN_GLOBAL,
        Some(ObjectKind::Table) => ExternKind::WASM_EXTERN_TABLE,
        Some(ObjectKind::Memory) => ExternKind::WASM_EXTERN_MEMORY,
        Some(ObjectKind::Tag) => ExternKind::WASM_EXTERN_TAG,
        _ => ExternKind::WASM_EXTERN_FUNC,
    };
    kind as wasm_externkind_t
}

/// The type; that of a table or memory has the size it has now as its minimum. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_type(external: Option<&wasm_extern_t>) -> Own<wasm_externtype_t> {
    wasm_externtype_t::from_ty(&extern_type(external?.object())?)
}

/// Sees a function as an external. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_as_extern(func: Lent<wasm_func_t>) -> Lent<wasm_extern_t> {
    handle::see(func)
}

/// Sees a global as an external. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_as_extern(global: Lent<wasm_global_t>) -> Lent<wasm_extern_t> {
    handle::see(global)
}

/// Sees a table as an external. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_as_extern(table: Lent<wasm_table_t>) -> Lent<wasm_extern_t> {
    handle::see(table)
}

/// Sees a memory as an external. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_as_extern(memory: Lent<wasm_memory_t>) -> Lent<wasm_extern_t> {
    handle::see(memory)
}

/// Sees an external as a function. The same object: nothing changes hands. With NULL, or another kind: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_func(external: Lent<wasm_extern_t>) -> Lent<wasm_func_t> {
    handle::see(external)
}

/// Sees an external as a global. The same object: nothing changes hands. With NULL, or another kind: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_global(external: Lent<wasm_extern_t>) -> Lent<wasm_global_t> {
    handle::see(external)
}

/// Sees an external as a table. The same object: nothing changes hands. With NULL, or another kind: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_table(external: Lent<wasm_extern_t>) -> Lent<wasm_table_t> {
    handle::see(external)
}

/// Sees an external as a memory. The same object: nothing changes hands. With NULL, or another kind: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_memory(external: Lent<wasm_extern_t>) -> Lent<wasm_memory_t> {
    handle::see(external)
}

/// `wasm_func_as_extern` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_func_as_extern_const(func: Option<&wasm_func_t>) -> Option<&wasm_extern_t> {
    handle::see_const(func)
}

/// `wasm_global_as_extern` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_global_as_extern_const(global: Option<&wasm_global_t>) -> Option<&wasm_extern_t> {
    handle::see_const(global)
}

/// `wasm_table_as_extern` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_table_as_extern_const(table: Option<&wasm_table_t>) -> Option<&wasm_extern_t> {
    handle::see_const(table)
}

/// `wasm_memory_as_extern` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_memory_as_extern_const(memory: Option<&wasm_memory_t>) -> Option<&wasm_extern_t> {
    handle::see_const(memory)
}

/// `wasm_extern_as_func` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_func_const(external: Option<&wasm_extern_t>) -> Option<&wasm_func_t> {
    handle::see_const(external)
}

/// `wasm_extern_as_global` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_global_const(external: Option<&wasm_extern_t>) -> Option<&wasm_global_t> {
    handle::see_const(external)
}

/// `wasm_extern_as_table` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_table_const(external: Option<&wasm_extern_t>) -> Option<&wasm_table_t> {
    handle::see_const(external)
}

/// `wasm_extern_as_memory` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_memory_const(external: Option<&wasm_extern_t>) -> Option<&wasm_memory_t> {
    handle::see_const(external)
}
