//! Calling a function from the host (section 7.1.7, `func_invoke`).
//!
//! The fast way asks four questions (is the stack the store's, do both counts fit, is there a stub) and jumps to the entry
//! stub of the type, which checks the kinds. Everything else is slow: first calls, references, mistakes.

use crate::compile::layout::{STATUS_KIND, STATUS_OK, STATUS_TRAP};
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::func::Func;
use crate::runtime::gc::boxes;
use crate::runtime::gc::types::is_any;
use crate::runtime::object::Object;
use crate::runtime::store::Store;
use crate::runtime::sys::stack::stack_pointer;
use crate::runtime::trap::Trap;
use crate::runtime::val::{Val, kind_name};
use crate::runtime::vmctx::{EntryFn, EntryStub};
use crate::trap::TrapCode;
use crate::types::ValType;
use std::mem::transmute;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

/// Calls `func`. Null if it returned, its results in `results`, references among them with a handle each; else a trap with one
/// handle, and `results` is unspecified.
///
/// # Safety
/// `func` is alive, and references in `args` are null or alive. The function's store may be freed if it is closed and
/// the function held the last handle.
#[inline(always)]
pub unsafe fn call(func: *const Func, args: &[Val], results: &mut [Val]) -> *mut Trap {
    // SAFETY: the caller's promise; slices are valid.
    unsafe { call_parts(func, args.as_ptr(), args.len(), results.as_mut_ptr(), results.len()) }
}

/// [`call`] with arrays that come from C: the address of an empty one may be null, and a count may be nonsense that no
/// function's arity equals. Does not panic.
///
/// # Safety
/// As [`call`]; the arrays have as many values as their counts say.
#[inline(always)]
pub unsafe fn call_parts(
    func: *const Func,
    args: *const Val,
    arg_count: usize,
    results: *mut Val,
    result_count: usize,
) -> *mut Trap {
    // SAFETY: the caller's promise; a function's store is alive.
    unsafe {
        let f = &*func;
        let store = f.object.store;
        let entry = f.entry.get();
        if (*store).is_entered_from(stack_pointer())
            && arg_count == usize::from(f.params)
            && result_count == usize::from(f.results)
            && !entry.is_null()
        {
            let status = run(func, store, args, results, entry);
            if status == STATUS_OK && !(*store).attention.get() {
                return ptr::null_mut();
            }
            return finish_guarded(func, store, args, status);
        }
        call_guarded(func, args, arg_count, results, result_count)
    }
}

/// The slow way, which may allocate and so on, and ends panics.
#[cold]
#[inline(never)]
unsafe fn call_guarded(
    func: *const Func,
    args: *const Val,
    arg_count: usize,
    results: *mut Val,
    result_count: usize,
) -> *mut Trap {
    // SAFETY: the caller's promise. Counts that no array can have are cut to what no function has.
    let (args, results) = unsafe {
        (
            slice::from_raw_parts(non_null(args.cast_mut()), arg_count.min(MAX_COUNT)),
            slice::from_raw_parts_mut(non_null(results), result_count.min(MAX_COUNT)),
        )
    };
    // SAFETY: the caller's promise.
    no_panic(|| unsafe { call_slowly(func, args, results) })
}

/// More arguments or results than a function can have.
const MAX_COUNT: usize = 1 << 17;

fn non_null(values: *mut Val) -> *mut Val {
    if values.is_null() { ptr::dangling_mut() } else { values }
}

#[cold]
#[inline(never)]
unsafe fn finish_guarded(func: *const Func, store: *const Store, args: *const Val, status: u32) -> *mut Trap {
    // SAFETY: the caller's promise; the arguments are as many as the function was called with.
    no_panic(|| unsafe { finish(func, store, args, status) })
}

/// Ends a panic, which would be a mistake of ours, as a trap.
pub(in crate::runtime) fn no_panic(work: impl FnOnce() -> *mut Trap) -> *mut Trap {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        // A payload could panic again when dropped.
        std::mem::forget(panic);
        Trap::new(None, TrapCode::Host, "internal error: a call panicked in the engine")
    })
}

/// # Safety
/// As [`call`], with counts checked.
#[inline(always)]
pub(in crate::runtime) unsafe fn run(
    func: *const Func,
    store: *const Store,
    args: *const Val,
    results: *mut Val,
    entry: *const EntryStub,
) -> u32 {
    // SAFETY: an entry stub's code is an `EntryFn`; counts are checked, kinds it checks itself.
    unsafe {
        let code = transmute::<*const u8, EntryFn>((*entry).code);
        code(func, (*store).context(), args.cast(), results.cast(), entry)
    }
}

/// What happened, if it was not the plain success. The function is looked at only if it was not called.
pub(in crate::runtime) unsafe fn finish(
    func: *const Func,
    store: *const Store,
    args: *const Val,
    status: u32,
) -> *mut Trap {
    // SAFETY: the store is alive until `settle`, which comes last.
    unsafe {
        let trap = match status {
            STATUS_OK => ptr::null_mut(),
            STATUS_TRAP => take_trap(&*store),
            _ => {
                let i = (status - STATUS_KIND) as usize;
                let expected = (&*func).ty().params()[i];
                let found = kind_name((*args.add(i)).kind);
                misuse(&*store, &Error::argument(format!("argument {i}: expected {expected}, found {found}")))
            }
        };
        if (*store).attention.get() && !(*store).is_running() {
            Store::settle(store);
        }
        trap
    }
}

fn take_trap(store: &Store) -> *mut Trap {
    // SAFETY: only the store's thread is here.
    unsafe { ptr::replace(&raw mut (*store.context()).trap, ptr::null_mut()) }
}

/// A trap that says what was wrong with a call.
pub fn misuse(store: &Store, error: &Error) -> *mut Trap {
    let (store, code) = match error.kind {
        // The store is busy elsewhere: nothing of it may be touched.
        ErrorKind::Thread => (None, TrapCode::Host),
        ErrorKind::StackExhausted => (Some(store), TrapCode::CallStackExhausted),
        _ => (Some(store), TrapCode::Host),
    };
    Trap::new(store, code, error.message.as_bytes())
}

unsafe fn call_slowly(func: *const Func, args: &[Val], results: &mut [Val]) -> *mut Trap {
    // SAFETY: the caller's promise.
    unsafe {
        let store = (*func).object.store;
        let _turn = Store::take_turn(store);
        if let Err(error) = (*store).enter() {
            return misuse(&*store, &error);
        }
        let f = &*func;
        // Callers that want no results give none: the function runs, and only a success is a mistake then.
        let discard = results.is_empty() && f.results > 0;
        if args.len() != usize::from(f.params) || (results.len() != usize::from(f.results) && !discard) {
            let ty = f.ty();
            let message = if args.len() != usize::from(f.params) {
                format!("{} arguments are given to a function of type {ty}, which takes {}", args.len(), f.params)
            } else {
                format!(
                    "room for {} results is given to a function of type {ty}, which has {}",
                    results.len(),
                    f.results
                )
            };
            return misuse(&*store, &Error::argument(message));
        }
        let entry = match f.signature().entry((*store).engine()) {
            Ok(entry) => entry,
            Err(error) => return misuse(&*store, &error),
        };
        f.entry.set(f.signature().fast_entry());
        let mut scratch;
        let results = if discard {
            scratch = vec![Val { kind: 0, bits: 0 }; usize::from(f.results)];
            &mut scratch[..]
        } else {
            results
        };
        if !f.signature().has_refs {
            let missing = discard.then(|| too_few(f));
            let status = run(func, store, args.as_ptr(), results.as_mut_ptr(), entry);
            return finish_discarding(func, store, args, status, missing);
        }
        let checked = match check_refs(f, &*store, args) {
            Ok(checked) => checked,
            Err(error) => return misuse(&*store, &error),
        };
        let missing = discard.then(|| too_few(f));
        let status = run(func, store, checked.as_ptr(), results.as_mut_ptr(), entry);
        if status == STATUS_OK && missing.is_none() {
            let results = results.as_mut_ptr();
            boxes::all_outside(&*store, f.ty().results(), |i| &raw mut (*results.wrapping_add(i)).bits);
        }
        finish_discarding(func, store, &checked, status, missing)
    }
}

fn too_few(func: &Func) -> Error {
    let message =
        format!("no room for results is given to a function of type {}, which has {}", func.ty(), func.results);
    Error::argument(message)
}

unsafe fn finish_discarding(
    func: *const Func,
    store: *const Store,
    args: &[Val],
    status: u32,
    missing: Option<Error>,
) -> *mut Trap {
    // SAFETY: as in `finish`.
    unsafe {
        match missing {
            Some(error) if status == STATUS_OK => {
                let trap = misuse(&*store, &error);
                let none = finish(func, store, args.as_ptr(), status);
                debug_assert!(none.is_null());
                trap
            }
            _ => finish(func, store, args.as_ptr(), status),
        }
    }
}

/// The arguments with their references checked and given the kind that the type says.
fn check_refs(func: &Func, store: &Store, args: &[Val]) -> Result<Vec<Val>, Error> {
    let types = func.ty().params();
    let mut checked = args.to_vec();
    for (i, (arg, ty)) in checked.iter_mut().zip(types).enumerate() {
        if ty.is_ref() {
            arg.bits = arg.to_bits(*ty, store, &|| format!("argument {i}"))?;
            arg.kind = crate::runtime::val::kind_of(*ty);
            if arg.bits != 0 {
                func.object.group().leak();
            }
        }
    }
    Ok(checked)
}

/// Calls `func` with raw values: `values` holds the arguments, one in each 16 bytes, and afterwards the results. It has
/// room for the larger number of both. References are addresses of objects; those in the results get a handle each. Does
/// not panic.
///
/// # Safety
/// As [`call`]; `values` has that room, and its references are null or alive and of the right kind and store.
#[inline(always)]
pub unsafe fn call_raw(func: *const Func, values: *mut [u8; 16]) -> *mut Trap {
    // SAFETY: the caller's promise.
    unsafe {
        let f = &*func;
        let store = f.object.store;
        let entry = f.signature().fast_raw_entry();
        if (*store).is_entered_from(stack_pointer()) && !entry.is_null() {
            let status = run(func, store, values.cast(), values.cast(), entry);
            if status == STATUS_OK && !(*store).attention.get() {
                return ptr::null_mut();
            }
            return finish_guarded(func, store, ptr::null(), status);
        }
        call_raw_guarded(func, values)
    }
}

#[cold]
#[inline(never)]
unsafe fn call_raw_guarded(func: *const Func, values: *mut [u8; 16]) -> *mut Trap {
    // SAFETY: the caller's promise.
    no_panic(|| unsafe { call_raw_slowly(func, values) })
}

unsafe fn call_raw_slowly(func: *const Func, values: *mut [u8; 16]) -> *mut Trap {
    // SAFETY: the caller's promise.
    unsafe {
        let f = &*func;
        let store = f.object.store;
        let _turn = Store::take_turn(store);
        if let Err(error) = (*store).enter() {
            return misuse(&*store, &error);
        }
        let signature = f.signature();
        let entry = match signature.raw_entry((*store).engine()) {
            Ok(entry) => entry,
            Err(error) => return misuse(&*store, &error),
        };
        if signature.has_refs {
            enter_refs(f, values);
        }
        let status = run(func, store, values.cast(), values.cast(), entry);
        if status == STATUS_OK && signature.has_refs {
            boxes::all_outside(&*store, signature.ty.results(), |i| values.wrapping_add(i).cast());
        }
        finish(func, store, ptr::null(), status)
    }
}

/// Turns the references among raw arguments into what they are inside WebAssembly, and notes that they leave the host.
///
/// # Safety
/// There is a place for each argument; references are null or alive, and of the right kinds.
unsafe fn enter_refs(func: &Func, values: *mut [u8; 16]) {
    for (i, ty) in func.ty().params().iter().enumerate() {
        let ValType::Ref(ty) = *ty else { continue };
        // SAFETY: the caller's promise.
        unsafe {
            let place = values.add(i).cast::<*const Object>();
            let object = place.read();
            if let Some(object) = object.as_ref() {
                if !is_any(ValType::Ref(ty)) {
                    object.group().leak();
                }
                func.object.group().leak();
            }
            place.cast::<u64>().write(boxes::inside(object, ty));
        }
    }
}
