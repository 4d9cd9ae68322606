//! Linkers: definitions by name, and instances whose imports are found among them.

use super::error::{self, Kind, tenon_error_t};
use super::external::wasm_extern_t;
use super::handle::{Counted, Handle, Lent, Noun, required};
use super::instance::{self, wasm_instance_t};
use super::module::wasm_module_t;
use super::own::{Out, Own, boxed};
use super::store::wasm_store_t;
use super::trap::wasm_trap_t;
use crate::runtime::linker::Linker;
use crate::runtime::store::Store;
use std::cell::RefCell;
use std::ffi::c_char;
use std::fmt;

/// Things of one store under pairs of names. It keeps what is defined in it, and the store itself, alive.
pub struct tenon_linker_t {
    linker: RefCell<Linker>,
    /// A trap that nobody sees: a store lives as long as a reference to something in it.
    _store: Counted<wasm_trap_t>,
}

impl tenon_linker_t {
    /// The store, or the failure that the calling thread may not use it.
    fn entered<'a>(
        linker: Option<&'a tenon_linker_t>,
        function: &str,
    ) -> Result<(&'a RefCell<Linker>, &'a Store), tenon_error_t> {
        let linker = &required(linker, function, "the linker")?.linker;
        // SAFETY: kept alive by the linker.
        let store = unsafe { &*linker.borrow().store() };
        store.enter().map_err(|error| tenon_error_t::from(error).within(function))?;
        Ok((linker, store))
    }
}

/// A name of the caller's.
fn name<'a>(function: &str, which: &str, text: *const c_char, size: usize) -> Result<&'a str, tenon_error_t> {
    let argument = |message: fmt::Arguments<'_>| tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message);
    if size == 0 {
        return Ok("");
    }
    if text.is_null() || size > isize::MAX as usize {
        return Err(argument(format_args!("{function}: {which} of {size} bytes is at {text:p}")));
    }
    // SAFETY: by the header's contract there are as many bytes, and they stay for the call.
    let bytes = unsafe { std::slice::from_raw_parts(text.cast::<u8>(), size) };
    str::from_utf8(bytes).map_err(|_| argument(format_args!("{function}: {which} is not UTF-8")))
}

/// Makes a linker without definitions, for things of this store. With NULL, or where memory has run out: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_linker_new(store: Lent<wasm_store_t>) -> Own<tenon_linker_t> {
    let function = "tenon_linker_new";
    let linker = error::attempt(function, || {
        let store = store.entered(function)?;
        Ok(tenon_linker_t { linker: RefCell::new(Linker::new(store)), _store: wasm_trap_t::keeper(store)? })
    });
    boxed(error::keep(linker)?)
}

/// Deletes a linker; NULL is allowed. Instances that were made with it stay.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_linker_delete(linker: Own<tenon_linker_t>) {
    error::guard("tenon_linker_delete", (), || drop(linker));
}

/// Defines a thing under two names, each of as many bytes of UTF-8 as its size says. The linker takes a reference of its own. An
/// error if there is such a definition already, or the thing is of another store.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_linker_define(
    linker: Lent<tenon_linker_t>,
    module: *const c_char,
    module_size: usize,
    name: *const c_char,
    name_size: usize,
    item: Option<&wasm_extern_t>,
) -> Own<tenon_error_t> {
    let function = "tenon_linker_define";
    error::report(error::attempt(function, || {
        let (linker, _) = tenon_linker_t::entered(linker.get(), function)?;
        let module = self::name(function, "the module's name", module, module_size)?;
        let name = self::name(function, "the name", name, name_size)?;
        let item = required(item, function, "the item")?.object();
        Ok(linker.borrow_mut().define(module, name, item)?)
    }))
}

/// Registers an instance under a name: defines each of its exports under that name and the export's own. An error, and
/// nothing is defined, if there is such a definition already, or the instance is of another store.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_linker_define_instance(
    linker: Lent<tenon_linker_t>,
    name: *const c_char,
    name_size: usize,
    instance: Option<&wasm_instance_t>,
) -> Own<tenon_error_t> {
    let function = "tenon_linker_define_instance";
    error::report(error::attempt(function, || {
        let (linker, _) = tenon_linker_t::entered(linker.get(), function)?;
        let name = self::name(function, "the name", name, name_size)?;
        let instance = required(instance, function, "the instance")?.instance();
        Ok(linker.borrow_mut().define_instance(name, instance)?)
    }))
}

/// What is defined under two names, as a reference of the caller's; NULL if nothing is.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_linker_get(
    linker: Option<&tenon_linker_t>,
    module: *const c_char,
    module_size: usize,
    name: *const c_char,
    name_size: usize,
) -> Handle<wasm_extern_t> {
    let function = "tenon_linker_get";
    error::keep(error::attempt(function, || {
        let (linker, _) = tenon_linker_t::entered(linker, function)?;
        let module = self::name(function, "the module's name", module, module_size)?;
        let name = self::name(function, "the name", name, name_size)?;
        let linker = linker.borrow();
        let Some(object) = linker.get(module, name) else {
            let message = format_args!("{function}: \"{module}\" \"{name}\" is not defined");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_LINK, message));
        };
        // SAFETY: alive while it is defined.
        Ok(unsafe { Counted::of_object(object) })
    }))?
}

/// Makes an instance of a module of the linker's store; its imports are the linker's definitions under their names. An
/// import that is not defined is an error that names it. As in `tenon_instance_new`, `out` receives the instance or NULL, and
/// `trap`, which may be NULL, a trap or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_linker_instantiate(
    linker: Option<&tenon_linker_t>,
    module: Option<&wasm_module_t>,
    out: Out<Handle<wasm_instance_t>>,
    trap: Out<Handle<wasm_trap_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_linker_instantiate";
    let mut raised = None;
    let made = error::attempt(function, || {
        let (linker, store) = tenon_linker_t::entered(linker, function)?;
        let module = instance::module_of(function, store, module)?;
        let imports = linker.borrow().resolve(&module.module)?;
        instance::make(store, &module, &imports, &mut raised)
    });
    // Without a variable the trap is not wanted.
    drop(trap.write(raised));
    error::answer(out, made)
}
