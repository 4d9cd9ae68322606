//! Functions (section 4.2.6): those of instances and those of the host. A `Func` is what a `wasm_func_t*` points to, and
//! also what a funcref is inside WebAssembly.

use crate::runtime::engine::Engine;
use crate::runtime::error::Error;
use crate::runtime::object::{Finalizer, Object, ObjectKind, Standalone};
use crate::runtime::signature::Signature;
use crate::runtime::store::Store;
use crate::runtime::trap::Trap;
use crate::runtime::val::Val;
use crate::runtime::vmctx::{EntryStub, Slot, Vmctx};
use crate::types::FuncType;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::AtomicPtr;

/// A function. The first fields lie where `compile/layout.rs` says.
#[repr(C)]
#[derive(Debug)]
pub struct Func {
    /// The header.
    pub object: Object,
    /// Where its code pointer is.
    pub slot: *const Slot,
    /// What its code is called with: the instance's context, or for a host function this `Func`.
    pub vmctx: *mut Vmctx,
    /// Canonical type id.
    pub type_id: u32,
    /// Number of parameters.
    pub params: u16,
    /// Number of results.
    pub results: u16,
    /// The entry stub, once it exists. Null as long as it does not, and for types that need the slow path (references).
    pub entry: Cell<*const EntryStub>,
    /// The type; owned by the engine.
    pub signature: *const Signature,
    /// Index in the module's function index space; `u32::MAX` for host functions.
    pub index: u32,
    /// Another function of the same instance that was asked for, or null.
    pub next: Cell<*mut Func>,
}

/// A vector of values as the C API passes it: `wasm_val_vec_t`.
#[repr(C)]
#[derive(Debug)]
pub struct ValVec {
    /// How many.
    pub size: usize,
    /// The values.
    pub data: *mut Val,
}

/// `wasm_func_callback_t`
pub type Callback = unsafe extern "C" fn(args: *const ValVec, results: *mut ValVec) -> *mut Trap;
/// `wasm_func_callback_with_env_t`
pub type CallbackWithEnv =
    unsafe extern "C" fn(env: *mut c_void, args: *const ValVec, results: *mut ValVec) -> *mut Trap;
/// A callback that gets arguments and leaves results as raw values of 16 bytes, in one array. `caller` is the host
/// function itself.
pub type RawCallback = unsafe extern "C" fn(env: *mut c_void, caller: *const Func, values: *mut [u8; 16]) -> *mut Trap;

/// The callback of a host function.
#[derive(Clone, Copy, Debug)]
pub enum HostCallback {
    /// Without environment.
    Plain(Callback),
    /// With environment.
    WithEnv(CallbackWithEnv),
    /// With environment and raw values.
    Raw(RawCallback),
}

/// A host function. The callback and its environment lie where `compile/layout.rs` says.
#[repr(C)]
#[derive(Debug)]
pub(in crate::runtime) struct HostFunc {
    func: Func,
    pub(in crate::runtime) callback: *const c_void,
    /// What the callback gets first, if it was made with an environment.
    pub(in crate::runtime) env: *mut c_void,
    slot: Slot,
    finalizer: Cell<Option<Finalizer>>,
}

impl Func {
    /// A host function, with one handle. The finalizer is called with `env` when the function dies; if the function
    /// cannot be made, it is not called and `env` stays the caller's.
    pub fn new_host(
        store: &Store,
        ty: &FuncType,
        callback: HostCallback,
        env: *mut c_void,
        finalizer: Option<Finalizer>,
    ) -> Result<*mut Func, Error> {
        let engine: &Engine = store.engine();
        let signature = engine.signature(ty)?;
        // SAFETY: signatures live as long as the engine, which the store keeps.
        let sig = unsafe { &*signature };
        let (code, callback) = match callback {
            HostCallback::Plain(f) => (sig.host_stub(engine)?, f as *const c_void),
            HostCallback::WithEnv(f) => (sig.host_env_stub(engine)?, f as *const c_void),
            HostCallback::Raw(f) => (sig.raw_host_stub(engine)?, f as *const c_void),
        };
        let made = Standalone::allocate(Some(store), ObjectKind::Func, |object| HostFunc {
            func: Func {
                object,
                slot: ptr::null(),
                vmctx: ptr::null_mut(),
                type_id: sig.id,
                params: sig.ty.params().len() as u16,
                results: sig.ty.results().len() as u16,
                entry: Cell::new(sig.fast_entry()),
                signature,
                index: u32::MAX,
                next: Cell::new(ptr::null_mut()),
            },
            callback,
            env,
            slot: AtomicPtr::new(code.cast_mut()),
            finalizer: Cell::new(finalizer),
        });
        // SAFETY: just made, at its final address.
        unsafe {
            (*made).func.slot = &raw const (*made).slot;
            (*made).func.vmctx = made.cast();
            Ok(&raw mut (*made).func)
        }
    }

    /// The type.
    pub fn ty(&self) -> &FuncType {
        // SAFETY: signatures live as long as the engine, which the store keeps.
        unsafe { &(*self.signature).ty }
    }

    /// The signature.
    #[inline]
    pub fn signature(&self) -> &Signature {
        // SAFETY: as in `ty`.
        unsafe { &*self.signature }
    }

    /// Whether the host made it.
    pub fn is_host(&self) -> bool {
        self.index == u32::MAX
    }
}

/// Runs the finalizer of a host function's environment.
///
/// # Safety
/// `func` is a host function that is about to be freed.
pub unsafe fn finalize_env(func: *const Func) {
    // SAFETY: host functions are `HostFunc`s.
    let host = unsafe { &*func.cast::<HostFunc>() };
    if let Some(finalizer) = host.finalizer.take() {
        // SAFETY: the host promised that it may be called once with its environment.
        unsafe { finalizer(host.env) };
    }
}

/// Frees a host function.
///
/// # Safety
/// `func` is a host function that nothing reaches.
pub unsafe fn free_host(func: *mut Func) {
    // SAFETY: host functions are made by `Standalone::new`.
    drop(unsafe { Box::from_raw(func.cast::<Standalone<HostFunc>>()) });
}
