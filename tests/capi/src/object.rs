//! Owned handles over the C API's objects.
//!
//! Each handle is deleted when it is dropped, by the delete function that is named where the handle is declared. The handles only add
//! Rust's ownership; they decide nothing, so that what a test sees is what the C functions did.

use std::ffi::c_void;

use crate::error::Error;
use crate::sys;
use crate::types::{ExternType, FuncType, Limits, ValType};
use crate::val::{self, Val};

/// Declares an owned handle; `sys` must be in scope: its name, the C type, and the C function that deletes it.
macro_rules! handle {
    ($(#[$doc:meta])* $name:ident, $raw:ident, $delete:ident) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(std::ptr::NonNull<sys::$raw>);

        impl $name {
            /// Takes over an owned C handle; null gives `None`.
            ///
            /// # Safety
            /// `raw` is null or owned by the caller, who gives it up.
            #[allow(dead_code, reason = "not every handle is made from a raw one outside of its constructor")]
            pub(crate) unsafe fn from_raw(raw: *mut sys::$raw) -> Option<$name> {
                std::ptr::NonNull::new(raw).map($name)
            }

            /// The C handle, which stays this one's.
            pub fn as_ptr(&self) -> *mut sys::$raw {
                self.0.as_ptr()
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                // SAFETY: the handle is owned and is deleted once.
                unsafe { sys::$delete(self.0.as_ptr()) }
            }
        }
    };
}

pub(crate) use handle;

handle!(
    /// A configuration, before an engine takes it.
    Config, wasm_config_t, wasm_config_delete
);
handle!(
    /// An engine.
    Engine, wasm_engine_t, wasm_engine_delete
);
handle!(
    /// A store.
    Store, wasm_store_t, wasm_store_delete
);
handle!(
    /// A module.
    Module, wasm_module_t, wasm_module_delete
);
handle!(
    /// An instance.
    Instance, wasm_instance_t, wasm_instance_delete
);
handle!(
    /// A trap.
    Trap, wasm_trap_t, wasm_trap_delete
);
handle!(
    /// A reference of any kind.
    Ref, wasm_ref_t, wasm_ref_delete
);
handle!(
    /// An object of the host.
    Foreign, wasm_foreign_t, wasm_foreign_delete
);
handle!(
    /// Anything that can be imported or exported.
    Extern, wasm_extern_t, wasm_extern_delete
);
handle!(
    /// A function.
    Func, wasm_func_t, wasm_func_delete
);
handle!(
    /// A global.
    Global, wasm_global_t, wasm_global_delete
);
handle!(
    /// A table.
    Table, wasm_table_t, wasm_table_delete
);
handle!(
    /// A memory.
    Memory, wasm_memory_t, wasm_memory_delete
);
handle!(
    /// A shared memory, of no store.
    SharedMemory, tenon_shared_memory_t, tenon_shared_memory_delete
);

// SAFETY: any thread may use an engine.
unsafe impl Send for Engine {}
// SAFETY: as above, and several at once.
unsafe impl Sync for Engine {}
// SAFETY: any thread may use a shared memory.
unsafe impl Send for SharedMemory {}

impl Config {
    /// The configuration as shipped.
    pub fn new() -> Config {
        // SAFETY: no argument; the result is owned.
        unsafe { Config::from_raw(sys::wasm_config_new()) }.expect("wasm_config_new gave NULL")
    }

    /// The same, compiling functions with so much care (`tenon_optimization_enum`).
    pub fn optimization(self, level: u32) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_optimization(self.as_ptr(), level as sys::tenon_optimization_t) };
        self
    }

    /// The same, finding traps by faults or not.
    pub fn signals(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_signals(self.as_ptr(), on) };
        self
    }

    /// The same, with vectors or without.
    pub fn simd(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_simd(self.as_ptr(), on) };
        self
    }

    /// The same, with relaxed vector instructions or without.
    pub fn relaxed_simd(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_relaxed_simd(self.as_ptr(), on) };
        self
    }

    /// The same, with references as values or without.
    pub fn reference_types(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_reference_types(self.as_ptr(), on) };
        self
    }

    /// The same, with garbage-collected objects or without.
    pub fn gc(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_gc(self.as_ptr(), on) };
        self
    }

    /// The same, with so many bytes for structures and arrays at most.
    pub fn gc_heap_limit(self, bytes: u64) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_gc_heap_limit(self.as_ptr(), bytes) };
        self
    }

    /// The same, with several memories to a module or one.
    pub fn multi_memory(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_multi_memory(self.as_ptr(), on) };
        self
    }

    /// The same, with 64-bit memories and tables or without.
    pub fn memory64(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_memory64(self.as_ptr(), on) };
        self
    }

    /// The same, with pages of any size or of 64 KiB.
    pub fn custom_page_sizes(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_custom_page_sizes(self.as_ptr(), on) };
        self
    }

    /// The same, with 128-bit arithmetic or without.
    pub fn wide_arithmetic(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_wide_arithmetic(self.as_ptr(), on) };
        self
    }

    /// The same, with shared memories and atomic instructions or without.
    pub fn threads(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_threads(self.as_ptr(), on) };
        self
    }

    /// The same, with this much address space for each memory.
    pub fn memory_reservation(self, bytes: u64) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_memory_reservation(self.as_ptr(), bytes) };
        self
    }

    /// The same, compiling everything at once or not.
    pub fn eager(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_eager(self.as_ptr(), on) };
        self
    }

    /// The same, looking for unreachable objects at every allocation or not.
    pub fn collect_always(self, on: bool) -> Config {
        // SAFETY: a live configuration.
        unsafe { sys::tenon_config_set_collect_always(self.as_ptr(), on) };
        self
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl Engine {
    /// An engine of this configuration.
    pub fn new(config: Config) -> Engine {
        let raw = config.as_ptr();
        std::mem::forget(config);
        // SAFETY: the configuration is owned and passes to the engine.
        unsafe { Engine::from_raw(sys::wasm_engine_new_with_config(raw)) }
            .expect("wasm_engine_new_with_config gave NULL")
    }
}

impl Store {
    /// A store of `engine`.
    pub fn new(engine: &Engine) -> Store {
        // SAFETY: the engine is live.
        unsafe { Store::from_raw(sys::wasm_store_new(engine.as_ptr())) }.expect("wasm_store_new gave NULL")
    }
}

impl Module {
    /// Decodes and validates `binary`; `None` if it is refused.
    pub fn new(store: &Store, binary: &[u8]) -> Option<Module> {
        // SAFETY: the store is live, and the bytes are only read during the call.
        unsafe { Module::from_raw(sys::wasm_module_new(store.as_ptr(), &borrow_bytes(binary))) }
    }

    /// Whether `binary` is a valid module.
    pub fn validate(store: &Store, binary: &[u8]) -> bool {
        // SAFETY: as for `new`.
        unsafe { sys::wasm_module_validate(store.as_ptr(), &borrow_bytes(binary)) }
    }

    /// The serialized module; empty if serialization failed.
    pub fn serialize(&self) -> Vec<u8> {
        // SAFETY: the module is live, and the function only writes to the vector.
        take_bytes(|out| unsafe { sys::wasm_module_serialize(self.as_ptr(), out) })
    }

    /// A module from what `serialize` gave; `None` if it is refused.
    pub fn deserialize(store: &Store, serialized: &[u8]) -> Option<Module> {
        // SAFETY: the store is live, and the bytes are only read during the call.
        unsafe { Module::from_raw(sys::wasm_module_deserialize(store.as_ptr(), &borrow_bytes(serialized))) }
    }

    /// The imports in order: module, name, type.
    pub fn imports(&self) -> Vec<(Vec<u8>, Vec<u8>, ExternType)> {
        let mut vec = sys::wasm_importtype_vec_t { size: 0, data: std::ptr::null_mut() };
        // SAFETY: the module is live; the vector is ours, its elements live until it is deleted, and it is deleted once.
        unsafe {
            sys::wasm_module_imports(self.as_ptr(), &mut vec);
            let imports = slice(vec.data, vec.size)
                .iter()
                .map(|&import| {
                    (
                        read_bytes(sys::wasm_importtype_module(import)),
                        read_bytes(sys::wasm_importtype_name(import)),
                        ExternType::read(sys::wasm_importtype_type(import)),
                    )
                })
                .collect();
            sys::wasm_importtype_vec_delete(&mut vec);
            imports
        }
    }

    /// The exports in order: name, type.
    pub fn exports(&self) -> Vec<(Vec<u8>, ExternType)> {
        self.read_exports(|export| {
            // SAFETY: `read_exports` gives a live export type.
            unsafe { ExternType::read(sys::wasm_exporttype_type(export)) }
        })
    }

    /// The names of the exports in order. Unlike `exports`, works for types that the tests do not know.
    pub fn export_names(&self) -> Vec<Vec<u8>> {
        self.read_exports(|_| ()).into_iter().map(|(name, ())| name).collect()
    }

    fn read_exports<T>(&self, read: impl Fn(*const sys::wasm_exporttype_t) -> T) -> Vec<(Vec<u8>, T)> {
        let mut vec = sys::wasm_exporttype_vec_t { size: 0, data: std::ptr::null_mut() };
        // SAFETY: as for `imports`.
        unsafe {
            sys::wasm_module_exports(self.as_ptr(), &mut vec);
            let exports = slice(vec.data, vec.size)
                .iter()
                .map(|&export| (read_bytes(sys::wasm_exporttype_name(export)), read(export)))
                .collect();
            sys::wasm_exporttype_vec_delete(&mut vec);
            exports
        }
    }
}

/// Why there is no instance.
#[derive(Debug)]
pub enum NoInstance {
    /// The C API gave a trap: the start function's or a segment's, or the reason why the imports do not fit.
    Trap(Trap),
    /// The C API gave nothing.
    Nothing,
}

impl Instance {
    /// Instantiates `module`; an import that is `None` is given as NULL.
    pub fn new(store: &Store, module: &Module, imports: &[Option<&Extern>]) -> Result<Instance, NoInstance> {
        let mut pointers: Vec<_> =
            imports.iter().map(|import| import.map_or(std::ptr::null_mut(), Extern::as_ptr)).collect();
        let imports = sys::wasm_extern_vec_t { size: pointers.len(), data: pointers.as_mut_ptr() };
        let mut trap = std::ptr::null_mut();
        // SAFETY: store, module and imports are live; the instance and the trap are owned by the caller.
        let (instance, trap) = unsafe {
            let raw = sys::wasm_instance_new(store.as_ptr(), module.as_ptr(), &imports, &mut trap);
            (Instance::from_raw(raw), Trap::from_raw(trap))
        };
        match (instance, trap) {
            (Some(instance), None) => Ok(instance),
            (Some(_), Some(trap)) => panic!("an instance and a trap at once: {}", trap.message()),
            (None, Some(trap)) => Err(NoInstance::Trap(trap)),
            (None, None) => Err(NoInstance::Nothing),
        }
    }

    /// The exports in the order of the module's export types.
    pub fn exports(&self) -> Vec<Extern> {
        let mut vec = sys::wasm_extern_vec_t { size: 0, data: std::ptr::null_mut() };
        // SAFETY: the instance is live; each element is copied before the vector, which owns it, is deleted.
        unsafe {
            sys::wasm_instance_exports(self.as_ptr(), &mut vec);
            let exports = slice(vec.data, vec.size).iter().map(|&export| Extern::copy_raw(export)).collect();
            sys::wasm_extern_vec_delete(&mut vec);
            exports
        }
    }
}

impl Trap {
    /// A trap with this message.
    pub fn new(store: &Store, message: &str) -> Trap {
        // SAFETY: the store is live.
        unsafe { Trap::new_in(store.as_ptr(), message) }
    }

    /// # Safety
    /// `store` is live.
    unsafe fn new_in(store: *mut sys::wasm_store_t, message: &str) -> Trap {
        let terminated = format!("{message}\0");
        // SAFETY: the message is only read during the call and ends with the NUL that the header asks for.
        unsafe { Trap::from_raw(sys::wasm_trap_new(store, &borrow_bytes(terminated.as_bytes()))) }
            .expect("wasm_trap_new gave NULL")
    }

    /// The message, which must end with a NUL; the result does not.
    pub fn message(&self) -> String {
        // SAFETY: the trap is live, and the function only writes to the vector.
        let mut bytes = take_bytes(|out| unsafe { sys::wasm_trap_message(self.as_ptr(), out) });
        assert_eq!(bytes.pop(), Some(0), "a trap's message must end with a NUL");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Foreign {
    /// A new object with `info` as its host info; `None` if the API made none.
    pub fn new(store: &Store, info: usize) -> Option<Foreign> {
        // SAFETY: the store is live, and the host info is never dereferenced.
        unsafe {
            let foreign = Foreign::from_raw(sys::wasm_foreign_new(store.as_ptr()))?;
            sys::wasm_foreign_set_host_info(foreign.as_ptr(), info as *mut c_void);
            Some(foreign)
        }
    }

    /// A reference to this object.
    pub fn to_ref(&self) -> Ref {
        // SAFETY: the object is live; the view is copied, and the copy is owned.
        unsafe { Ref::from_raw(sys::wasm_ref_copy(sys::wasm_foreign_as_ref(self.as_ptr()))) }
            .expect("wasm_ref_copy gave NULL")
    }
}

impl Ref {
    /// Whether this reference is to `object`.
    pub fn is_foreign(&self, object: &Foreign) -> bool {
        // SAFETY: both are live; the view lives as long as the reference.
        unsafe {
            let view = sys::wasm_ref_as_foreign(self.as_ptr());
            !view.is_null() && sys::wasm_foreign_same(view, object.as_ptr())
        }
    }

    /// Whether the reference belongs to a heap type: one of the header's constants.
    pub fn is_of(&self, heap: u32) -> bool {
        // SAFETY: the reference is live; the type is ours and is deleted after it was looked at.
        unsafe {
            let ty = sys::tenon_valtype_new_ref(false, heap as sys::tenon_heaptype_t);
            let belongs = sys::tenon_ref_test(self.as_ptr(), ty);
            sys::wasm_valtype_delete(ty);
            belongs
        }
    }

    /// The host info of the object.
    pub fn host_info(&self) -> usize {
        // SAFETY: the reference is live.
        unsafe { sys::wasm_ref_get_host_info(self.as_ptr()) as usize }
    }
}

impl Extern {
    /// # Safety
    /// `raw` is live.
    unsafe fn copy_raw(raw: *const sys::wasm_extern_t) -> Extern {
        // SAFETY: the caller's promise; the copy is owned.
        unsafe { Extern::from_raw(sys::wasm_extern_copy(raw)) }.expect("wasm_extern_copy gave NULL")
    }

    /// The function that this is.
    pub fn func(&self) -> Option<Func> {
        // SAFETY: this is live, and a view that is not null is copied.
        unsafe {
            let view = sys::wasm_extern_as_func(self.as_ptr());
            if view.is_null() { None } else { Func::from_raw(sys::wasm_func_copy(view)) }
        }
    }

    /// The global that this is.
    pub fn global(&self) -> Option<Global> {
        // SAFETY: as for `func`.
        unsafe {
            let view = sys::wasm_extern_as_global(self.as_ptr());
            if view.is_null() { None } else { Global::from_raw(sys::wasm_global_copy(view)) }
        }
    }

    /// The table that this is.
    pub fn table(&self) -> Option<Table> {
        // SAFETY: as for `func`.
        unsafe {
            let view = sys::wasm_extern_as_table(self.as_ptr());
            if view.is_null() { None } else { Table::from_raw(sys::wasm_table_copy(view)) }
        }
    }

    /// The memory that this is.
    pub fn memory(&self) -> Option<Memory> {
        // SAFETY: as for `func`.
        unsafe {
            let view = sys::wasm_extern_as_memory(self.as_ptr());
            if view.is_null() { None } else { Memory::from_raw(sys::wasm_memory_copy(view)) }
        }
    }
}

/// What a host function does: results, or the message of a trap.
pub type HostFunc = dyn Fn(&[Val]) -> Result<Vec<Val>, String>;

/// What the C API keeps for a host function.
struct HostEnv {
    store: *mut sys::wasm_store_t,
    body: Box<HostFunc>,
}

unsafe extern "C" fn call_host(
    env: *mut c_void,
    args: *const sys::wasm_val_vec_t,
    results: *mut sys::wasm_val_vec_t,
) -> *mut sys::wasm_trap_t {
    // SAFETY: `env` is what `Func::new` gave, and its store outlives the call; `args` and `results` are live during the call, the
    // results' slots are ours to fill.
    unsafe {
        let env = &*env.cast::<HostEnv>();
        let args: Vec<Val> = slice((*args).data, (*args).size).iter().map(|arg| Val::copy_raw(arg)).collect();
        match (env.body)(&args) {
            Ok(values) => {
                assert_eq!(values.len(), (*results).size, "results of a host function");
                for (i, value) in values.into_iter().enumerate() {
                    (*results).data.add(i).write(value.into_raw());
                }
                std::ptr::null_mut()
            }
            Err(message) => {
                let trap = Trap::new_in(env.store, &message);
                let raw = trap.as_ptr();
                std::mem::forget(trap);
                raw
            }
        }
    }
}

/// What the C API keeps for a host function that takes raw values.
struct RawHostEnv {
    env: HostEnv,
    ty: FuncType,
}

unsafe extern "C" fn call_raw_host(
    env: *mut c_void,
    _caller: *const sys::wasm_func_t,
    values: *mut sys::tenon_raw_t,
) -> *mut sys::wasm_trap_t {
    // SAFETY: as for `call_host`; there are as many values as the type has parameters, and room for as many as it has results.
    unsafe {
        let RawHostEnv { env, ty } = &*env.cast::<RawHostEnv>();
        let args: Vec<Val> =
            ty.params.iter().enumerate().map(|(i, ty)| val::copy_untyped(*ty, *values.add(i))).collect();
        match (env.body)(&args) {
            Ok(results) => {
                let given: Vec<_> = results.iter().map(Val::ty).collect();
                assert_eq!(given, ty.results, "results of a host function");
                for (i, value) in results.iter().enumerate() {
                    values.add(i).write(val::borrow_untyped(value));
                }
                std::ptr::null_mut()
            }
            Err(message) => {
                let trap = Trap::new_in(env.store, &message);
                let raw = trap.as_ptr();
                std::mem::forget(trap);
                raw
            }
        }
    }
}

unsafe extern "C" fn drop_raw_host(env: *mut c_void) {
    // SAFETY: as for `drop_host`.
    drop(unsafe { Box::from_raw(env.cast::<RawHostEnv>()) });
}

unsafe extern "C" fn drop_host(env: *mut c_void) {
    // SAFETY: `env` is the box that `Func::new` gave up, and a finalizer runs once.
    drop(unsafe { Box::from_raw(env.cast::<HostEnv>()) });
}

impl Func {
    /// A function of the host.
    pub fn new(store: &Store, ty: &FuncType, body: Box<HostFunc>) -> Func {
        let env = Box::into_raw(Box::new(HostEnv { store: store.as_ptr(), body }));
        let ty = ty.new_raw();
        // SAFETY: store and type are live; `env` passes to the function, whose finalizer drops it.
        unsafe {
            let raw = sys::wasm_func_new_with_env(store.as_ptr(), ty, Some(call_host), env.cast(), Some(drop_host));
            sys::wasm_functype_delete(ty);
            Func::from_raw(raw).expect("wasm_func_new_with_env gave NULL")
        }
    }

    /// A function of the host that takes raw values. Its results must not be references.
    pub fn new_raw(store: &Store, ty: &FuncType, body: Box<HostFunc>) -> Func {
        assert!(!ty.results.iter().any(|ty| ty.is_ref()), "references as raw results");
        let env = RawHostEnv { env: HostEnv { store: store.as_ptr(), body }, ty: ty.clone() };
        let env = Box::into_raw(Box::new(env)).cast();
        let ty = ty.new_raw();
        let mut func = std::ptr::null_mut();
        // SAFETY: as for `new`; the error, if there is one, is ours.
        unsafe {
            let (callback, finalizer) = (Some(call_raw_host as _), Some(drop_raw_host as _));
            let error = sys::tenon_func_new_raw(store.as_ptr(), ty, callback, env, finalizer, &mut func);
            sys::wasm_functype_delete(ty);
            if let Some(error) = Error::from_raw(error) {
                panic!("tenon_func_new_raw: {}", error.message());
            }
            Func::from_raw(func).expect("tenon_func_new_raw gave NULL without an error")
        }
    }

    /// The function's type.
    pub fn ty(&self) -> FuncType {
        // SAFETY: the function is live; the type is ours and is deleted after it was read.
        unsafe {
            let raw = sys::wasm_func_type(self.as_ptr());
            let ty = FuncType::read(raw);
            sys::wasm_functype_delete(raw);
            ty
        }
    }

    /// Calls the function. The number and kinds of the arguments are the library's to check, unless the type has a `v128`.
    pub fn call(&self, args: &[Val]) -> Result<Vec<Val>, Trap> {
        let ty = self.ty();
        if ty.has_vectors() {
            return self.call_raw(&ty, args);
        }
        // SAFETY: the function is live.
        let arity = unsafe { sys::wasm_func_result_arity(self.as_ptr()) };
        let mut args: Vec<_> = args.iter().map(Val::borrow_raw).collect();
        let mut results: Vec<_> = (0..arity).map(|_| val::null_raw()).collect();
        let args = sys::wasm_val_vec_t { size: args.len(), data: args.as_mut_ptr() };
        let mut out = sys::wasm_val_vec_t { size: results.len(), data: results.as_mut_ptr() };
        // SAFETY: arguments are only read during the call; the results, or the trap, are ours afterwards.
        unsafe {
            match Trap::from_raw(sys::wasm_func_call(self.as_ptr(), &args, &mut out)) {
                Some(trap) => Err(trap),
                None => Ok(results.into_iter().map(|result| Val::from_raw(result)).collect()),
            }
        }
    }

    /// Calls the function, which is of type `ty`, with raw values. Panics if the arguments do not fit.
    fn call_raw(&self, ty: &FuncType, args: &[Val]) -> Result<Vec<Val>, Trap> {
        let given: Vec<_> = args.iter().map(Val::ty).collect();
        assert_eq!(given, ty.params, "types of the arguments");
        let mut values: Vec<_> = args.iter().map(val::borrow_untyped).collect();
        values.resize(args.len().max(ty.results.len()), val::borrow_untyped(&Val::V128(0)));
        // SAFETY: the function is live, the arguments fit its type, and there is room for the results, which are ours.
        unsafe {
            match Trap::from_raw(sys::tenon_func_call_raw(self.as_ptr(), values.as_mut_ptr())) {
                Some(trap) => Err(trap),
                None => Ok(ty.results.iter().zip(values).map(|(ty, value)| val::from_untyped(*ty, value)).collect()),
            }
        }
    }

    /// This function as something to import.
    pub fn to_extern(&self) -> Extern {
        // SAFETY: the function is live, and the view is copied.
        unsafe { Extern::copy_raw(sys::wasm_func_as_extern(self.as_ptr())) }
    }
}

impl Global {
    /// A global with this value; its type is the value's.
    pub fn new(store: &Store, mutable: bool, value: &Val) -> Option<Global> {
        let mutability = if mutable { sys::WASM_VAR } else { sys::WASM_CONST };
        // SAFETY: the store is live; the value type passes to the global type, which is ours and is deleted.
        unsafe {
            let ty = sys::wasm_globaltype_new(value.ty().new_raw(), mutability as sys::wasm_mutability_t);
            let global = Global::from_raw(sys::wasm_global_new(store.as_ptr(), ty, &value.borrow_raw()));
            sys::wasm_globaltype_delete(ty);
            global
        }
    }

    /// The global's value.
    pub fn get(&self) -> Val {
        let mut raw = val::null_raw();
        // SAFETY: the global is live, and the value written is ours.
        unsafe {
            sys::wasm_global_get(self.as_ptr(), &mut raw);
            Val::from_raw(raw)
        }
    }

    /// Sets the global's value.
    pub fn set(&self, value: &Val) {
        // SAFETY: the global is live, and the value is only read during the call.
        unsafe { sys::wasm_global_set(self.as_ptr(), &value.borrow_raw()) }
    }

    /// This global as something to import.
    pub fn to_extern(&self) -> Extern {
        // SAFETY: the global is live, and the view is copied.
        unsafe { Extern::copy_raw(sys::wasm_global_as_extern(self.as_ptr())) }
    }
}

impl Table {
    /// A table of nulls.
    pub fn new(store: &Store, element: ValType, limits: Limits) -> Option<Table> {
        // SAFETY: the store is live; the value type passes to the table type, which is ours and is deleted.
        unsafe {
            let ty = sys::wasm_tabletype_new(element.new_raw(), &limits.raw());
            let table = Table::from_raw(sys::wasm_table_new(store.as_ptr(), ty, std::ptr::null_mut()));
            sys::wasm_tabletype_delete(ty);
            table
        }
    }

    /// The same with indices of 64 bits.
    pub fn new64(store: &Store, element: ValType, min: u64, max: u64) -> Option<Table> {
        let mut ty = std::ptr::null_mut();
        // SAFETY: the store is live; the value type passes to the table type, which is ours and is deleted.
        unsafe {
            let error = sys::tenon_tabletype_new(element.new_raw(), min, true, max, true, &mut ty);
            if let Some(error) = Error::from_raw(error) {
                panic!("tenon_tabletype_new: {}", error.message());
            }
            let table = Table::from_raw(sys::wasm_table_new(store.as_ptr(), ty, std::ptr::null_mut()));
            sys::wasm_tabletype_delete(ty);
            table
        }
    }

    /// Number of elements.
    pub fn size(&self) -> u32 {
        // SAFETY: the table is live.
        unsafe { sys::wasm_table_size(self.as_ptr()) }
    }

    /// The element at `index`; `None` if it is null or there is none.
    pub fn get(&self, index: u32) -> Option<Ref> {
        // SAFETY: the table is live, and the reference is owned.
        unsafe { Ref::from_raw(sys::wasm_table_get(self.as_ptr(), index)) }
    }

    /// This table as something to import.
    pub fn to_extern(&self) -> Extern {
        // SAFETY: the table is live, and the view is copied.
        unsafe { Extern::copy_raw(sys::wasm_table_as_extern(self.as_ptr())) }
    }
}

impl Memory {
    /// A memory of zeros.
    pub fn new(store: &Store, limits: Limits) -> Option<Memory> {
        // SAFETY: the store is live, and the memory type is ours and is deleted.
        unsafe {
            let ty = sys::wasm_memorytype_new(&limits.raw());
            let memory = Memory::from_raw(sys::wasm_memory_new(store.as_ptr(), ty));
            sys::wasm_memorytype_delete(ty);
            memory
        }
    }

    /// A shared memory of zeros.
    pub fn new_shared(store: &Store, min: u64, max: u64) -> Option<Memory> {
        let mut ty = std::ptr::null_mut();
        // SAFETY: the store is live, and the memory type is ours and is deleted.
        unsafe {
            let error = sys::tenon_memorytype_new(min, true, max, false, true, 16, &mut ty);
            if let Some(error) = Error::from_raw(error) {
                panic!("tenon_memorytype_new: {}", error.message());
            }
            let memory = Memory::from_raw(sys::wasm_memory_new(store.as_ptr(), ty));
            sys::wasm_memorytype_delete(ty);
            memory
        }
    }

    /// What is shared of the memory with other stores; `None` if it is not a shared one.
    pub fn share(&self) -> Option<SharedMemory> {
        // SAFETY: the memory is live, and the result is owned.
        unsafe { SharedMemory::from_raw(sys::tenon_memory_share(self.as_ptr())) }
    }

    /// A copy of the memory's bytes.
    pub fn read_all(&self) -> Vec<u8> {
        // SAFETY: the memory is live, and nothing grows it between the two calls and the copy.
        unsafe {
            let data = sys::wasm_memory_data(self.as_ptr());
            slice(data.cast::<u8>(), sys::wasm_memory_data_size(self.as_ptr())).to_vec()
        }
    }

    /// This memory as something to import.
    pub fn to_extern(&self) -> Extern {
        // SAFETY: the memory is live, and the view is copied.
        unsafe { Extern::copy_raw(sys::wasm_memory_as_extern(self.as_ptr())) }
    }
}

impl SharedMemory {
    /// The memory as one of `store`; `None` if it is refused.
    pub fn obtain(&self, store: &Store) -> Option<Memory> {
        // SAFETY: both are live, and the result is owned.
        unsafe { Memory::from_raw(sys::tenon_memory_obtain(store.as_ptr(), self.as_ptr())) }
    }
}

/// A C byte vector over `bytes`, valid as long as they are; must only be read.
fn borrow_bytes(bytes: &[u8]) -> sys::wasm_byte_vec_t {
    sys::wasm_byte_vec_t { size: bytes.len(), data: bytes.as_ptr().cast_mut().cast() }
}

/// The bytes that `write` puts into a vector of ours.
pub(crate) fn take_bytes(write: impl FnOnce(&mut sys::wasm_byte_vec_t)) -> Vec<u8> {
    let mut vec = sys::wasm_byte_vec_t { size: 0, data: std::ptr::null_mut() };
    write(&mut vec);
    // SAFETY: the vector is ours, was initialised, and is deleted after it was copied.
    unsafe {
        let bytes = read_bytes(&vec);
        sys::wasm_byte_vec_delete(&mut vec);
        bytes
    }
}

/// # Safety
/// `vec` is a live byte vector.
unsafe fn read_bytes(vec: *const sys::wasm_byte_vec_t) -> Vec<u8> {
    // SAFETY: the caller's promise.
    unsafe { slice((*vec).data.cast::<u8>(), (*vec).size).to_vec() }
}

/// The elements of a C vector, whose data may be null when it is empty.
///
/// # Safety
/// `size` elements are live at `data`, for as long as the result is used.
unsafe fn slice<'a, T>(data: *const T, size: usize) -> &'a [T] {
    // SAFETY: the caller's promise; an empty slice never looks at `data`.
    if size == 0 { &[] } else { unsafe { std::slice::from_raw_parts(data, size) } }
}
