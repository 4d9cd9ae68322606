//! The host's say in growth.

use super::error::{self, Kind, tenon_error_t};
use super::external::wasm_extern_t;
use super::externtype::wasm_externkind_t;
use super::handle::{Handle, Lent};
use super::own::{Out, Own};
use super::store::wasm_store_t;
use super::trap::wasm_trap_t;
use crate::runtime::growth::{After, Before, Growth, Observer};
use std::ffi::c_void;
use std::mem::{offset_of, transmute};

/// A memory or table that grows, or is made: it grows from nothing then.
#[repr(C)]
pub struct tenon_growth_t {
    /// The memory or table, lent for the call; NULL as long as it is only being made.
    pub item: *const wasm_extern_t,
    /// What it is: WASM_EXTERN_MEMORY or WASM_EXTERN_TABLE.
    pub kind: wasm_externkind_t,
    /// Whether what it holds is at another address now. Only told afterwards.
    pub moved: bool,
    /// How many pages or elements it has before.
    pub old_size: u64,
    /// How many it has afterwards.
    pub new_size: u64,
    /// How many its type allows; UINT64_MAX if that sets no bound.
    pub maximum: u64,
}

const _: () = assert!(size_of::<tenon_growth_t>() == size_of::<Growth>());
const _: () = assert!(offset_of!(tenon_growth_t, kind) == offset_of!(Growth, kind));
const _: () = assert!(offset_of!(tenon_growth_t, moved) == offset_of!(Growth, moved));
const _: () = assert!(offset_of!(tenon_growth_t, old_size) == offset_of!(Growth, old_size));
const _: () = assert!(offset_of!(tenon_growth_t, new_size) == offset_of!(Growth, new_size));
const _: () = assert!(offset_of!(tenon_growth_t, maximum) == offset_of!(Growth, maximum));

/// Asks whether something may grow, which neither the type nor a limit of the store forbids. False refuses. If a trap is stored
/// in `trap`, it is given away, and the growth fails with it: it traps in WebAssembly.
pub type tenon_growth_before_t = Option<
    unsafe extern "C" fn(env: *mut c_void, growth: *const tenon_growth_t, trap: Out<Handle<wasm_trap_t>>) -> bool,
>;

/// Tells that something has grown: views of it are stale.
pub type tenon_growth_after_t = Option<unsafe extern "C" fn(env: *mut c_void, growth: *const tenon_growth_t)>;

type BeforeInC = unsafe extern "C" fn(*mut c_void, *const tenon_growth_t, Out<Handle<wasm_trap_t>>) -> bool;
type AfterInC = unsafe extern "C" fn(*mut c_void, *const tenon_growth_t);

/// Sets who is asked before each growth of a memory or table of the store, and before one is made, and who is told after each
/// growth, whoever asks for it; either may be NULL, and two NULLs end it. Of a shared memory, they hear of what this store asks
/// for, not of what others do. The functions may use the store, call into
/// WebAssembly too; but as long as they run nothing else grows in it, and neither memories nor tables can be made. The
/// finalizer, which may be NULL, is called once with the environment: when other functions are set or the store dies; not if
/// there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_store_set_growth_callbacks(
    store: Lent<wasm_store_t>,
    before: tenon_growth_before_t,
    after: tenon_growth_after_t,
    env: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) -> Own<tenon_error_t> {
    let function = "tenon_store_set_growth_callbacks";
    error::report(error::attempt(function, || {
        let store = store.entered(function)?;
        if store.growth().is_busy() {
            let message = format_args!("{function}: the callbacks of the store are running");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        }
        // SAFETY: the structures have the same layout, as asserted above; an external is an object, a handle to a trap a pointer
        // that may be NULL, and a variable for one a pointer to that.
        let before = before.map(|before| unsafe { transmute::<BeforeInC, Before>(before) });
        // SAFETY: as above.
        let after = after.map(|after| unsafe { transmute::<AfterInC, After>(after) });
        store.growth().set(Some(Observer { before, after, env, finalizer }));
        Ok(())
    }))
}
