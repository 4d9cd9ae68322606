//! Modules (specification: Modules), as objects of a store.

use super::byte::wasm_byte_vec_t;
use super::error::{self, Kind, tenon_error_t};
use super::exporttype::{wasm_exporttype_t, wasm_exporttype_vec_t};
use super::handle::{self, Counted, Handle, Lent, noun, required};
use super::importtype::{wasm_importtype_t, wasm_importtype_vec_t};
use super::own::{Out, Own, boxed};
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::vec::{self, Owned};
use crate::module::Module;
use crate::module::helpers::available_threads;
use crate::runtime::lease::{self, Lease};
use crate::runtime::module::{CompiledModule, ModuleObject, from_module};
use crate::runtime::object::ObjectKind;
use crate::runtime::serialize;
use crate::runtime::store::Store;
use std::ffi::{CStr, c_char, c_void};
use std::sync::Arc;

/// A module: valid, and ready to be instantiated in its store.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_module_t(ModuleObject);
noun!(wasm_module_t, ObjectKind::Module);

impl wasm_module_t {
    /// The module.
    pub(crate) fn module(&self) -> &Lease<CompiledModule> {
        &self.0.module
    }

    /// The C object for a module in a store.
    pub(crate) fn new(store: &Store, module: &Arc<CompiledModule>) -> Result<Counted<wasm_module_t>, tenon_error_t> {
        // SAFETY: a new object comes with a handle.
        unsafe { Counted::take(ModuleObject::new(store, module)) }.ok_or_else(error::last)
    }
}

/// Gives up a reference to a module; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_delete(module: Handle<wasm_module_t>) {
    drop(module);
}

/// Makes another reference to the same module. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_copy(module: Option<&wasm_module_t>) -> Handle<wasm_module_t> {
    handle::copy(module)
}

/// Whether two references are to the same module. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_same(module: Option<&wasm_module_t>, other: Option<&wasm_module_t>) -> bool {
    handle::same(module, other)
}

/// The host's information about the module: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_get_host_info(module: Option<&wasm_module_t>) -> *mut c_void {
    handle::get_host_info(module, "wasm_module_get_host_info")
}

/// Attaches information of the host to the module. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_set_host_info(module: Lent<wasm_module_t>, info: *mut c_void) {
    handle::set_host_info(module, info, None, "wasm_module_set_host_info");
}

/// Attaches information of the host to the module. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the module dies.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_set_host_info_with_finalizer(
    module: Lent<wasm_module_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(module, info, finalizer, "wasm_module_set_host_info_with_finalizer");
}

/// Sees a module as a reference. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_as_ref(module: Lent<wasm_module_t>) -> Lent<wasm_ref_t> {
    handle::see(module)
}

/// Sees a reference as a module. The same object: nothing changes hands. With NULL, or a reference to something
/// else: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_module(reference: Lent<wasm_ref_t>) -> Lent<wasm_module_t> {
    handle::see(reference)
}

/// `wasm_module_as_ref` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_as_ref_const(module: Option<&wasm_module_t>) -> Option<&wasm_ref_t> {
    handle::see_const(module)
}

/// `wasm_ref_as_module` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_module_const(reference: Option<&wasm_ref_t>) -> Option<&wasm_module_t> {
    handle::see_const(reference)
}

/// A module that belongs to no store. Any thread may use it.
pub struct wasm_shared_module_t(Arc<CompiledModule>);

impl Drop for wasm_shared_module_t {
    fn drop(&mut self) {
        lease::close(&self.0);
    }
}

/// Deletes a shared module; NULL is allowed. Modules that were obtained from it stay.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_shared_module_delete(module: Own<wasm_shared_module_t>) {
    error::guard("wasm_shared_module_delete", (), || drop(module));
}

/// Makes a module of this one that belongs to no store, so that another thread can obtain it. Nothing is
/// compiled again. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_share(module: Option<&wasm_module_t>) -> Own<wasm_shared_module_t> {
    let module = error::keep(required(module, "wasm_module_share", "the module"))?;
    let module = Arc::clone(module.module());
    lease::open(&module);
    boxed(wasm_shared_module_t(module))
}

/// Makes a module of a store from a shared one. The store must be of the engine that the module was made with;
/// otherwise, or with NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_obtain(
    store: Lent<wasm_store_t>,
    module: Option<&wasm_shared_module_t>,
) -> Handle<wasm_module_t> {
    let function = "wasm_module_obtain";
    error::keep(error::attempt(function, || {
        let store = store.entered(function)?;
        let module = &required(module, function, "the module")?.0;
        if !Arc::ptr_eq(&module.engine, store.engine()) {
            let message = format_args!("{function}: the module was made with another engine than the store's");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_STORE, message));
        }
        wasm_module_t::new(store, module)
    }))
}

/// A copy of a binary for a module to keep, or the failure that there is no memory for it.
fn copy_binary(binary: &[u8]) -> Result<Arc<[u8]>, tenon_error_t> {
    // An `Arc` cannot be asked for politely: ask for as much in a way that may be refused first.
    let mut probe = Vec::<u8>::new();
    if probe.try_reserve_exact(binary.len() + 64).is_err() {
        error::out_of_memory(binary.len());
        return Err(error::last());
    }
    drop(probe);
    Ok(Arc::from(binary))
}

/// Decodes and validates a binary, and makes a module of it in the store.
pub(crate) fn new(
    function: &str,
    store: Lent<wasm_store_t>,
    binary: Option<&wasm_byte_vec_t>,
) -> Result<Counted<wasm_module_t>, tenon_error_t> {
    error::attempt(function, || {
        let store = store.entered(function)?;
        let binary = copy_binary(required(binary, function, "the binary")?.as_bytes())?;
        wasm_module_t::new(store, &CompiledModule::new(store.engine(), binary)?)
    })
}

/// Decodes and validates a binary.
pub(crate) fn validate(
    function: &str,
    store: Lent<wasm_store_t>,
    binary: Option<&wasm_byte_vec_t>,
) -> Result<(), tenon_error_t> {
    error::attempt(function, || {
        let store = store.entered(function)?;
        let binary = required(binary, function, "the binary")?.as_bytes();
        let features = &store.engine().config().features;
        Ok(Module::validate_only(binary, features, available_threads()).map_err(from_module)?)
    })
}

/// Writes a module down; `out` is empty where that fails.
pub(crate) fn serialize(
    function: &str,
    module: Option<&wasm_module_t>,
    out: Out<wasm_byte_vec_t>,
) -> Result<(), tenon_error_t> {
    let bytes = error::attempt(function, || {
        let module = required(module, function, "the module")?;
        let bytes = serialize::serialize(module.module())?;
        wasm_byte_vec_t::from_bytes(&bytes).ok_or_else(error::last)
    });
    match bytes {
        Ok(bytes) => {
            vec::give(out, bytes);
            Ok(())
        }
        Err(error) => {
            vec::new_empty(out);
            Err(error)
        }
    }
}

/// Makes a module in the store of what `wasm_module_serialize` gave.
pub(crate) fn deserialize(
    function: &str,
    store: Lent<wasm_store_t>,
    binary: Option<&wasm_byte_vec_t>,
) -> Result<Counted<wasm_module_t>, tenon_error_t> {
    error::attempt(function, || {
        let store = store.entered(function)?;
        let binary = required(binary, function, "the binary")?.as_bytes();
        wasm_module_t::new(store, &serialize::deserialize(store.engine(), binary)?)
    })
}

/// Makes a module in the store of a file that holds what `wasm_module_serialize` gave.
pub(crate) fn deserialize_file(
    function: &str,
    store: Lent<wasm_store_t>,
    path: *const c_char,
) -> Result<Counted<wasm_module_t>, tenon_error_t> {
    error::attempt(function, || {
        let store = store.entered(function)?;
        if path.is_null() {
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, format_args!("{function}: the path is NULL")));
        }
        // SAFETY: the caller says that the path ends with a zero byte.
        let path = unsafe { CStr::from_ptr(path) };
        wasm_module_t::new(store, &serialize::deserialize_file(store.engine(), path)?)
    })
}

/// Makes a module of its binary, which is copied. NULL if it is malformed or invalid, with NULL, or where memory has run
/// out.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_new(
    store: Lent<wasm_store_t>,
    binary: Option<&wasm_byte_vec_t>,
) -> Handle<wasm_module_t> {
    error::keep(new("wasm_module_new", store, binary))
}

/// Whether a binary is a valid module.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_validate(store: Lent<wasm_store_t>, binary: Option<&wasm_byte_vec_t>) -> bool {
    error::keep(validate("wasm_module_validate", store, binary)).is_some()
}

/// What the module imports, in the order of its declarations. With NULL, or where memory has run out: nothing.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_imports(module: Option<&wasm_module_t>, out: Out<wasm_importtype_vec_t>) {
    let types = error::guard("wasm_module_imports", None, || {
        let types = module?.module().module.import_types();
        Owned::collect(types.iter().map(|ty| wasm_importtype_t::from_ty(ty).map(Some)))
    });
    match types {
        Some(types) => vec::give(out, types),
        None => vec::new_empty(out),
    }
}

/// What the module exports, in the order of its declarations. With NULL, or where memory has run out: nothing.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_exports(module: Option<&wasm_module_t>, out: Out<wasm_exporttype_vec_t>) {
    let types = error::guard("wasm_module_exports", None, || {
        let types = module?.module().module.export_types();
        Owned::collect(types.iter().map(|ty| wasm_exporttype_t::from_ty(ty).map(Some)))
    });
    match types {
        Some(types) => vec::give(out, types),
        None => vec::new_empty(out),
    }
}

/// Writes the module down with its machine code, all of it: functions that were not called yet are compiled now. Empty with
/// NULL, or where something fails.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_serialize(module: Option<&wasm_module_t>, out: Out<wasm_byte_vec_t>) {
    error::keep(serialize("wasm_module_serialize", module, out));
}

/// Makes a module of what `wasm_module_serialize` gave; the bytes are copied. What another version, machine or configuration
/// wrote is compiled anew, each function when it is first called. NULL if the bytes are damaged or something else, or with NULL.
/// Beyond a megabyte, damage of a function's code is found when the function is first called: it is never run, and the call
/// traps. Only accidents are found: machine code from somebody who is not trusted must not be given to this function.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_module_deserialize(
    store: Lent<wasm_store_t>,
    binary: Option<&wasm_byte_vec_t>,
) -> Handle<wasm_module_t> {
    error::keep(deserialize("wasm_module_deserialize", store, binary))
}
