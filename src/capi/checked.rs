//! Functions of `wasm.h` once more, which return the reason if they fail.

use super::byte::wasm_byte_vec_t;
use super::config::wasm_config_t;
use super::engine::{self, wasm_engine_t};
use super::error::{self, tenon_error_t};
use super::external::wasm_extern_vec_t;
use super::func::{self, wasm_func_callback_with_env_t, wasm_func_t};
use super::functype::wasm_functype_t;
use super::global::{self, wasm_global_t};
use super::globaltype::wasm_globaltype_t;
use super::handle::{Handle, Lent};
use super::instance::{self, wasm_instance_t};
use super::memory::{self, wasm_memory_t};
use super::memorytype::wasm_memorytype_t;
use super::module::{self, wasm_module_t};
use super::own::{Out, Own};
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::table::{self, wasm_table_t};
use super::tabletype::wasm_tabletype_t;
use super::trap::wasm_trap_t;
use super::val::wasm_val_t;
use std::ffi::{c_char, c_void};

/// `wasm_engine_new_with_config` with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_engine_new(config: Own<wasm_config_t>, out: Out<Own<wasm_engine_t>>) -> Own<tenon_error_t> {
    error::answer(out, engine::new("tenon_engine_new", config))
}

/// `wasm_module_new` with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_module_new(
    store: Lent<wasm_store_t>,
    binary: Option<&wasm_byte_vec_t>,
    out: Out<Handle<wasm_module_t>>,
) -> Own<tenon_error_t> {
    error::answer(out, module::new("tenon_module_new", store, binary))
}

/// `wasm_module_validate` with a reason: NULL if the binary is a valid module.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_module_validate(
    store: Lent<wasm_store_t>,
    binary: Option<&wasm_byte_vec_t>,
) -> Own<tenon_error_t> {
    error::report(module::validate("tenon_module_validate", store, binary))
}

/// `wasm_module_serialize` with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_module_serialize(
    module: Option<&wasm_module_t>,
    out: Out<wasm_byte_vec_t>,
) -> Own<tenon_error_t> {
    error::report(module::serialize("tenon_module_serialize", module, out))
}

/// `wasm_module_deserialize` with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_module_deserialize(
    store: Lent<wasm_store_t>,
    binary: Option<&wasm_byte_vec_t>,
    out: Out<Handle<wasm_module_t>>,
) -> Own<tenon_error_t> {
    error::answer(out, module::deserialize("tenon_module_deserialize", store, binary))
}

/// Makes a module of a file that holds what `wasm_module_serialize` gave; the path ends with a zero byte. As
/// `tenon_module_deserialize`, but the file is mapped: nothing is read before it is needed, and processes share its memory.
/// What a process first uses of a file is checked then, and again after a change. As long as the module lives, the file
/// must not be written to or made shorter; it may be deleted, or replaced by another of the same name.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_module_deserialize_file(
    store: Lent<wasm_store_t>,
    path: *const c_char,
    out: Out<Handle<wasm_module_t>>,
) -> Own<tenon_error_t> {
    error::answer(out, module::deserialize_file("tenon_module_deserialize_file", store, path))
}

/// `wasm_instance_new` with a reason. The reason of a trap is its message; the trap itself goes to `trap`, unless that is
/// NULL. Where something else is the reason, `trap` receives a trap that says the same.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_instance_new(
    store: Lent<wasm_store_t>,
    module: Option<&wasm_module_t>,
    imports: Option<&wasm_extern_vec_t>,
    out: Out<Handle<wasm_instance_t>>,
    trap: Out<Handle<wasm_trap_t>>,
) -> Own<tenon_error_t> {
    error::answer(out, instance::new("tenon_instance_new", store, module, imports, trap))
}

/// `wasm_func_new_with_env` with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_func_new(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_functype_t>,
    callback: wasm_func_callback_with_env_t,
    env: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
    out: Out<Handle<wasm_func_t>>,
) -> Own<tenon_error_t> {
    error::answer(out, func::new("tenon_func_new", store, ty, func::with_env(callback), env, finalizer))
}

/// `wasm_global_new` with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_global_new(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_globaltype_t>,
    value: Option<&wasm_val_t>,
    out: Out<Handle<wasm_global_t>>,
) -> Own<tenon_error_t> {
    error::answer(out, global::new("tenon_global_new", store, ty, value))
}

/// `wasm_global_set` with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_global_set(global: Lent<wasm_global_t>, value: Option<&wasm_val_t>) -> Own<tenon_error_t> {
    error::report(global::set("tenon_global_set", global.get(), value))
}

/// `wasm_table_new` with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_table_new(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_tabletype_t>,
    init: Lent<wasm_ref_t>,
    out: Out<Handle<wasm_table_t>>,
) -> Own<tenon_error_t> {
    error::answer(out, table::new("tenon_table_new", store, ty, init))
}

/// `wasm_table_grow` with a reason: `TENON_ERROR_LIMIT` if the type's maximum would be exceeded, `TENON_ERROR_STORE_LIMIT` if a
/// limit of the store would be or its callback refuses, `TENON_ERROR_MEMORY` where memory has run out. `old`, if it is not NULL,
/// receives how many elements there were.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_table_grow(
    table: Lent<wasm_table_t>,
    delta: u64,
    init: Lent<wasm_ref_t>,
    old: Out<u64>,
) -> Own<tenon_error_t> {
    error::report(table::grow("tenon_table_grow", table.get(), delta, init).map(|size| {
        let _not_asked_for = old.write(size);
    }))
}

/// `wasm_memory_new` with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_new(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_memorytype_t>,
    out: Out<Handle<wasm_memory_t>>,
) -> Own<tenon_error_t> {
    error::answer(out, memory::new("tenon_memory_new", store, ty))
}

/// `wasm_memory_grow` with a reason: `TENON_ERROR_LIMIT` if the type's maximum would be exceeded, `TENON_ERROR_STORE_LIMIT` if a
/// limit of the store would be or its callback refuses, `TENON_ERROR_MEMORY` where memory has run out. `old`, if it is not NULL,
/// receives how many pages there were.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_grow(memory: Lent<wasm_memory_t>, delta: u64, old: Out<u64>) -> Own<tenon_error_t> {
    error::report(memory::grow("tenon_memory_grow", memory.get(), delta).map(|size| {
        let _not_asked_for = old.write(size);
    }))
}
