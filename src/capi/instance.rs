//! Instances of modules (specification: Runtime Structure, Module Instances). The type itself is declared in the
//! header's template, because frames mention it.

use super::error::{self, Kind, tenon_error_t};
use super::external::wasm_extern_vec_t;
use super::handle::{self, Counted, Handle, Lent, Noun, entered, noun, required};
use super::module::wasm_module_t;
use super::own::Out;
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::trap::wasm_trap_t;
use super::vec::{self, Owned, Vector};
use crate::runtime::instance::Instance;
use crate::runtime::instantiate::{InstantiateError, instantiate};
use crate::runtime::lease::Lease;
use crate::runtime::module::CompiledModule;
use crate::runtime::object::{Object, ObjectKind};
use crate::runtime::store::Store;
use crate::runtime::trap::Trap;
use crate::trap::TrapCode;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

/// An instance of a module.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_instance_t(Instance);
noun!(wasm_instance_t, ObjectKind::Instance);

impl wasm_instance_t {
    /// The instance.
    pub(crate) fn instance(&self) -> &Instance {
        &self.0
    }
}

/// Gives up a reference to an instance; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_delete(instance: Handle<wasm_instance_t>) {
    drop(instance);
}

/// Makes another reference to the same instance. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_copy(instance: Option<&wasm_instance_t>) -> Handle<wasm_instance_t> {
    handle::copy(instance)
}

/// Whether two references are to the same instance. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_same(instance: Option<&wasm_instance_t>, other: Option<&wasm_instance_t>) -> bool {
    handle::same(instance, other)
}

/// The host's information about the instance: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_get_host_info(instance: Option<&wasm_instance_t>) -> *mut c_void {
    handle::get_host_info(instance, "wasm_instance_get_host_info")
}

/// Attaches information of the host to the instance. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_set_host_info(instance: Lent<wasm_instance_t>, info: *mut c_void) {
    handle::set_host_info(instance, info, None, "wasm_instance_set_host_info");
}

/// Attaches information of the host to the instance. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the instance dies.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_set_host_info_with_finalizer(
    instance: Lent<wasm_instance_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(instance, info, finalizer, "wasm_instance_set_host_info_with_finalizer");
}

/// Sees an instance as a reference. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_as_ref(instance: Lent<wasm_instance_t>) -> Lent<wasm_ref_t> {
    handle::see(instance)
}

/// Sees a reference as an instance. The same object: nothing changes hands. With NULL, or a reference to something
/// else: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_instance(reference: Lent<wasm_ref_t>) -> Lent<wasm_instance_t> {
    handle::see(reference)
}

/// `wasm_instance_as_ref` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_as_ref_const(instance: Option<&wasm_instance_t>) -> Option<&wasm_ref_t> {
    handle::see_const(instance)
}

/// `wasm_ref_as_instance` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_instance_const(reference: Option<&wasm_ref_t>) -> Option<&wasm_instance_t> {
    handle::see_const(reference)
}

/// Instantiates a module in its store. A failure comes with a trap that says the same; the trap's own failure is
/// its message.
pub(crate) fn new(
    function: &str,
    store: Lent<wasm_store_t>,
    module: Option<&wasm_module_t>,
    imports: Option<&wasm_extern_vec_t>,
    trap: Out<Handle<wasm_trap_t>>,
) -> Result<Counted<wasm_instance_t>, tenon_error_t> {
    let mut raised = None;
    let made = error::attempt(function, || {
        let store = store.entered(function)?;
        let module = module_of(function, store, module)?;
        let imports = imports.map_or(&[][..], |imports| imports.elements());
        // SAFETY: a handle is a pointer that may be NULL, and an external begins with the header of its object.
        let imports = unsafe { std::slice::from_raw_parts(imports.as_ptr().cast::<*const Object>(), imports.len()) };
        make(store, &module, imports, &mut raised)
    });
    if raised.is_none() && !trap.is_null() {
        raised = made.as_ref().err().and_then(|error| trap_of(store, error));
    }
    // Without a variable the trap is not wanted.
    drop(trap.write(raised));
    made
}

/// Instantiates a module; `raised` is the trap if there was one.
pub(crate) fn make(
    store: &Store,
    module: &Arc<CompiledModule>,
    imports: &[*const Object],
    raised: &mut Handle<wasm_trap_t>,
) -> Result<Counted<wasm_instance_t>, tenon_error_t> {
    match instantiate(store, module, imports) {
        // SAFETY: a new instance comes with a handle.
        Ok(instance) => unsafe { Counted::take(instance) }.ok_or_else(error::last),
        Err(InstantiateError::Error(error)) => Err(error.into()),
        Err(InstantiateError::Trap(trap)) => {
            // SAFETY: the trap comes with a handle.
            *raised = unsafe { Counted::take(trap) };
            Err(raised.as_ref().map_or_else(error::last, |trap: &Counted<wasm_trap_t>| trap.to_error()))
        }
    }
}

/// The module, if it is the store's.
pub(crate) fn module_of(
    function: &str,
    store: &Store,
    module: Option<&wasm_module_t>,
) -> Result<Lease<CompiledModule>, tenon_error_t> {
    let module = required(module, function, "the module")?;
    if !ptr::eq(module.object().store, store) {
        let message =
            format_args!("{function}: the module belongs to another store; wasm_module_share can give it to this");
        return Err(tenon_error_t::new(Kind::TENON_ERROR_STORE, message));
    }
    Ok(module.module().clone())
}

/// A trap that says what an error says.
fn trap_of(store: Lent<wasm_store_t>, error: &tenon_error_t) -> Handle<wasm_trap_t> {
    error::guard("making a trap", None, || {
        let store = store.get().map(wasm_store_t::store).filter(|store| store.enter().is_ok());
        // SAFETY: a new trap comes with a handle.
        unsafe { Counted::take(Trap::new(store, TrapCode::Host, error.message().to_bytes())) }
    })
}

/// Makes an instance of a module of the store. The imports are lent, one for each import of the module, in the same order;
/// NULL stands for an empty vector. The start function runs, if there is one.
///
/// NULL if an import is missing or of the wrong type or store, if an active segment does not fit, if the start function
/// traps, if a limit of the store would be exceeded, or where memory has run out. Then `trap`, if it is not NULL, receives a trap with the reason, else NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_new(
    store: Lent<wasm_store_t>,
    module: Option<&wasm_module_t>,
    imports: Option<&wasm_extern_vec_t>,
    trap: Out<Handle<wasm_trap_t>>,
) -> Handle<wasm_instance_t> {
    error::keep(new("wasm_instance_new", store, module, imports, trap))
}

/// The exports, in the order of the module's declarations. With NULL, or where memory has run out: none.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_instance_exports(instance: Option<&wasm_instance_t>, out: Out<wasm_extern_vec_t>) {
    let function = "wasm_instance_exports";
    let exports = error::attempt(function, || {
        let instance = &entered(instance, function, "the instance")?.0;
        let objects: Vec<*const Object> = instance.exports().collect();
        // SAFETY: what an instance that is alive exports is alive.
        let handles = objects.into_iter().map(|object| Some(unsafe { Counted::of_object(object) }));
        Owned::<wasm_extern_vec_t>::collect(handles).ok_or_else(error::last)
    });
    match error::keep(exports) {
        Some(exports) => vec::give(out, exports),
        None => vec::new_empty(out),
    }
}
