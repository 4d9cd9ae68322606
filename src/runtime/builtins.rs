//! The helpers that generated code calls; `compile/builtin.rs` has the list. Each is reached through a trampoline that
//! raises the store's trap afterwards if the helper has set it. No panic leaves a helper.

use crate::compile::layout::VAL_KIND_UNSET;
use crate::runtime::constant::func_ref;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::func::Func;
use crate::runtime::gc::boxes;
pub use crate::runtime::gc::builtins::{
    any_convert_extern, array_copy, array_init_data, array_init_elem, array_new_data, array_new_elem,
    extern_convert_any, gc_alloc, host_args_box, host_args_release,
};
use crate::runtime::gc::types::is_any;
use crate::runtime::growth::GrowError;
use crate::runtime::instance::Instance;
use crate::runtime::instantiate::{init_memory, init_table};
use crate::runtime::memory::Memory;
use crate::runtime::object::{Object, release};
use crate::runtime::parking::{self, Expected};
use crate::runtime::store::Store;
use crate::runtime::throw::throw_from_host;
pub use crate::runtime::throw::{exception_new, throw, throw_ref};
use crate::runtime::trap::{Trap, set_host_trap, set_trap, store_of};
use crate::runtime::val::{Val, check_ref, kind_name, kind_of};
use crate::runtime::vmctx::{StoreContext, Vmctx};
use crate::trap::TrapCode;
use crate::types::ValType;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// Runs a helper of an instance. A trap code, or a panic, becomes the store's trap.
///
/// # Safety
/// `vmctx` is that of a live instance whose code called the helper.
unsafe fn with<T: Default>(vmctx: *mut Vmctx, helper: impl FnOnce(&Instance) -> Result<T, TrapCode>) -> T {
    // SAFETY: the caller's promise.
    let (instance, context) = unsafe { (&*(*vmctx).instance, (*vmctx).store) };
    let (code, message) = match catch_unwind(AssertUnwindSafe(|| helper(instance))) {
        Ok(Ok(value)) => return value,
        Ok(Err(code)) => (code, code.message()),
        Err(_) => (TrapCode::Host, "internal error: a runtime helper panicked"),
    };
    // SAFETY: the caller's promise.
    unsafe { set_trap(context, code, message) };
    T::default()
}

/// Runs a helper that sets the store's trap itself. A panic becomes the store's trap.
///
/// # Safety
/// `context` is that of a live store whose code called the helper.
pub(in crate::runtime) unsafe fn guarded(context: *mut StoreContext, helper: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(helper)).is_err() {
        // SAFETY: the caller's promise.
        unsafe { set_trap(context, TrapCode::Host, "internal error: a runtime helper panicked") };
    }
}

fn check(done: bool, code: TrapCode) -> Result<(), TrapCode> {
    if done { Ok(()) } else { Err(code) }
}

/// Raises a trap.
///
/// # Safety
/// As for all helpers: called by generated code, with its vmctx.
pub unsafe extern "C" fn raise_trap(vmctx: *mut Vmctx, code: u32) {
    let code = TrapCode::from_u8(code as u8).unwrap_or(TrapCode::Host);
    // SAFETY: the vmctx, or the host function, of the code that called.
    unsafe { set_trap((*vmctx).store, code, code.message()) };
}

/// Raises the trap of a null element that was called.
///
/// # Safety
/// As [`raise_trap`].
pub unsafe extern "C" fn raise_uninitialized(vmctx: *mut Vmctx, index: u64) {
    let code = TrapCode::UninitializedElement;
    // SAFETY: the vmctx of the code that called.
    unsafe { set_trap((*vmctx).store, code, format!("{} {index}", code.message())) };
}

/// Whether functions of type `actual` may be called as functions of type `expected`.
///
/// # Safety
/// As [`raise_trap`].
pub unsafe extern "C" fn func_type_matches(vmctx: *mut Vmctx, actual: u32, expected: u32) -> u32 {
    // SAFETY: the vmctx of the code that called.
    unsafe { with(vmctx, |instance| Ok(u32::from(instance.module().engine.is_subtype(actual, expected)))) }
}

/// Raises the trap that a host function returned, or throws the exception in it.
///
/// # Safety
/// Called by the host stub of `func`, which gives up the handle to `trap`.
pub unsafe extern "C" fn raise_host_trap(func: *const Func, trap: *mut Trap) {
    // SAFETY: the caller's promise. What is no trap at all is a mistake of the host that cannot be told from one here.
    unsafe {
        let context = context_of(func);
        guarded(context, || {
            if let Some(trap) = throw_from_host(context, trap) {
                set_host_trap(context, trap);
            }
        });
    }
}

unsafe fn context_of(func: *const Func) -> *mut StoreContext {
    // SAFETY: a function's store is alive.
    unsafe { (*(*func).object.store).context() }
}

/// `wasm_val_vec_t`.
#[repr(C)]
pub struct ValVec {
    size: usize,
    data: *mut Val,
}

/// Judges a result of a host function whose kind is not the expected one. If it is wrong, the references among all
/// results, which the host function gave away, are given up.
///
/// # Safety
/// Called by the host stub of `func`; `result` is the value at `index` of its results, and `vector` was that of all results
/// when the callback was called.
pub unsafe extern "C" fn host_result(func: *const Func, index: u32, result: *mut Val, vector: *mut ValVec) {
    // SAFETY: the caller's promise.
    unsafe {
        let types = (&*func).ty().results();
        let expected = types[index as usize];
        let results = result.sub(index as usize);
        if (*vector).data != results {
            let count = adopt(results, types.len(), vector);
            if count != types.len() {
                let message = format!("host function returned a vector of {count} results, expected {}", types.len());
                return set_trap(context_of(func), TrapCode::Host, message);
            }
            if (*result).kind == kind_of(expected) {
                return;
            }
        }
        let found = (*result).kind;
        if expected.is_ref() && (*result).is_ref() {
            // Both reference kinds will do; `host_result_refs` checks the object.
            (*result).kind = kind_of(expected);
            return;
        }
        let message = if found == VAL_KIND_UNSET {
            format!("host function returned nothing for result {index}, expected {expected}")
        } else {
            format!("host function returned {} for result {index}, expected {expected}", kind_name(found))
        };
        set_trap(context_of(func), TrapCode::Host, message);
        release_refs(results, types.len());
    }
}

/// Takes over the values of a vector that a callback has made in the place of the one that it was given; tells how many there
/// are. If they are not as many as there should be, they are given up.
///
/// # Safety
/// `results` has room for `count` values, and `vector` holds values that the callback gave away, in memory of `calloc`, as
/// `wasm_val_vec_new` makes it.
unsafe fn adopt(results: *mut Val, count: usize, vector: *mut ValVec) -> usize {
    // SAFETY: the caller's promise. The vector is the stub's again, so that it is adopted once.
    unsafe {
        let given = std::mem::replace(&mut *vector, ValVec { size: count, data: results });
        let size = if given.data.is_null() { 0 } else { given.size };
        if size == count {
            std::ptr::copy_nonoverlapping(given.data, results, count);
        } else {
            release_refs(given.data, size);
        }
        libc::free(given.data.cast());
        size
    }
}

/// Gives up the handles among `count` values.
///
/// # Safety
/// `values` are as many, and own a handle for each of their references that is not null.
unsafe fn release_refs(values: *const Val, count: usize) {
    for i in 0..count {
        // SAFETY: the caller's promise.
        unsafe {
            let object = (*values.add(i)).object();
            if !object.is_null() {
                release(object);
            }
        }
    }
}

/// Gives up the handles to what a host function returned, and puts references of the `any` hierarchy, of results of types
/// `types`, where `place` says, as they are inside WebAssembly.
///
/// # Safety
/// The objects, null or with a handle each, were checked.
unsafe fn take_over(
    store: &Store,
    types: &[ValType],
    objects: impl Iterator<Item = *const Object>,
    place: impl Fn(usize) -> *mut u64,
) {
    let scope = store.gc.roots.scope();
    let mut rooted = Vec::new();
    for (i, (object, ty)) in objects.zip(types).enumerate() {
        if let (ValType::Ref(ty), true) = (*ty, is_any(*ty)) {
            rooted.push((i, scope.root(boxes::inside(object, ty) as u32)));
        }
        if !object.is_null() {
            // SAFETY: the caller's promise.
            unsafe { release(object) };
        }
    }
    for (i, reference) in rooted {
        // SAFETY: the caller's promise.
        unsafe { place(i).write(u64::from(reference.get())) };
    }
}

/// Checks and takes over the references that a host function returned: their handles are given up.
///
/// # Safety
/// Called by the host stub of `func`; `results` are its results, of the right kinds.
pub unsafe extern "C" fn host_result_refs(func: *const Func, results: *mut Val) {
    // SAFETY: the caller's promise.
    unsafe {
        let store = &*(*func).object.store;
        let types = (&*func).ty().results();
        let mut failed: Option<Error> = None;
        for (i, ty) in types.iter().enumerate().filter(|(_, ty)| ty.is_ref()) {
            let value = *results.add(i);
            if let Err(error) = value.to_bits(*ty, store, &|| format!("result {i} of the host function")) {
                failed = Some(error);
            }
        }
        let objects = (0..types.len()).map(|i| (*results.add(i)).object());
        take_over(store, types, objects, |i| &raw mut (*results.add(i)).bits);
        if let Some(error) = failed {
            set_trap(context_of(func), TrapCode::Host, error.message);
        }
    }
}

/// Checks and takes over the references among the raw results of a host function: their handles are given up.
///
/// # Safety
/// Called by the host stub of `func`; `values` begins with its results.
pub unsafe extern "C" fn raw_result_refs(func: *const Func, values: *mut [u64; 2]) {
    // SAFETY: the caller's promise.
    unsafe {
        let store = &*(*func).object.store;
        let types = (&*func).ty().results();
        let mut failed: Option<Error> = None;
        let object =
            |i: usize, ty: ValType| if ty.is_ref() { (*values.add(i))[0] as *const Object } else { ptr::null() };
        for (i, ty) in types.iter().enumerate() {
            let ValType::Ref(reference) = *ty else { continue };
            let what = || format!("result {i} of the host function");
            if let Err(error) = check_ref(object(i, *ty).as_ref(), reference, store, &what) {
                failed = Some(error);
            }
        }
        let objects = types.iter().enumerate().map(|(i, ty)| object(i, *ty));
        take_over(store, types, objects, |i| (*values.add(i)).as_mut_ptr());
        if let Some(error) = failed {
            set_trap(context_of(func), TrapCode::Host, error.message);
        }
    }
}

/// `memory.grow`
///
/// # Safety
/// Called by generated code; the index is valid.
pub unsafe extern "C" fn memory_grow(vmctx: *mut Vmctx, memory: u32, delta: u64) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { with(vmctx, |instance| grown(vmctx, "memory.grow", instance.memory(memory).grow(delta))) }
}

/// The result of a growth: the old size; -1, or the store's trap, if there was none.
///
/// # Safety
/// As [`memory_grow`].
unsafe fn grown(vmctx: *mut Vmctx, operator: &str, result: Result<u64, GrowError>) -> Result<u64, TrapCode> {
    // SAFETY: the caller's promise.
    let context = unsafe { (*vmctx).store };
    // SAFETY: the caller's promise; a trap has a handle.
    unsafe {
        match result {
            Ok(old) => return Ok(old),
            Err(GrowError::Maximum) => {}
            Err(GrowError::Trap(trap)) => set_host_trap(context, trap),
            Err(why) if store_of(context).limits().traps.get() => {
                let code = TrapCode::AllocationFailure;
                set_trap(context, code, format!("{}: {operator}: {why}", code.message()));
            }
            Err(_) => {}
        }
    }
    Ok(u64::MAX)
}

fn range(memory: &Memory, offset: u64, len: u64) -> Result<*mut u8, TrapCode> {
    memory.range(offset, len).ok_or(TrapCode::OutOfBoundsMemoryAccess)
}

/// `memory.fill`
///
/// # Safety
/// Called by generated code, which has checked that a memory has `len` bytes at `dst`.
pub unsafe extern "C" fn memory_fill(_: *mut Vmctx, dst: *mut u8, value: u32, len: u64) {
    // SAFETY: the caller's promise.
    unsafe { ptr::write_bytes(dst, value as u8, len as usize) };
}

/// `memory.copy`
///
/// # Safety
/// Called by generated code, which has checked that memories have `len` bytes at `src` and at `dst`.
pub unsafe extern "C" fn memory_copy(_: *mut Vmctx, dst: *mut u8, src: *const u8, len: u64) {
    // SAFETY: the caller's promise; the bytes may overlap.
    unsafe { ptr::copy(src, dst, len as usize) };
}

/// `memory.init`
///
/// # Safety
/// As [`memory_grow`].
pub unsafe extern "C" fn memory_init(vmctx: *mut Vmctx, memory: u32, segment: u32, dst: u64, src: u32, len: u32) {
    // SAFETY: the caller's promise.
    unsafe {
        with(vmctx, |instance| init_memory(instance, memory, segment, dst, u64::from(src), u64::from(len)));
    }
}

/// The place of an atomic access of a helper: aligned, and within the memory.
fn atomic_place(memory: &Memory, index: u64, offset: u64, size: u64) -> Result<*mut u8, TrapCode> {
    let address = index.checked_add(offset);
    check(index.wrapping_add(offset).is_multiple_of(size), TrapCode::UnalignedAtomic)?;
    range(memory, address.ok_or(TrapCode::OutOfBoundsMemoryAccess)?, size)
}

fn wait(memory: &Memory, index: u64, offset: u64, expected: Expected, timeout: i64) -> Result<u32, TrapCode> {
    check(index.wrapping_add(offset).is_multiple_of(expected.size()), TrapCode::UnalignedAtomic)?;
    check(memory.shared().is_some(), TrapCode::AtomicWaitNonShared)?;
    let place = atomic_place(memory, index, offset, expected.size())?;
    // SAFETY: aligned and within a memory that lives as long as the code that waits, and is never unmapped before.
    Ok(unsafe { parking::wait(place, expected, timeout) } as u32)
}

/// `memory.atomic.wait32`
///
/// # Safety
/// As [`memory_grow`].
pub unsafe extern "C" fn memory_atomic_wait32(
    vmctx: *mut Vmctx,
    memory: u32,
    index: u64,
    offset: u64,
    expected: u32,
    timeout: i64,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { with(vmctx, |instance| wait(instance.memory(memory), index, offset, Expected::I32(expected), timeout)) }
}

/// `memory.atomic.wait64`
///
/// # Safety
/// As [`memory_grow`].
pub unsafe extern "C" fn memory_atomic_wait64(
    vmctx: *mut Vmctx,
    memory: u32,
    index: u64,
    offset: u64,
    expected: u64,
    timeout: i64,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { with(vmctx, |instance| wait(instance.memory(memory), index, offset, Expected::I64(expected), timeout)) }
}

/// `memory.atomic.notify`. Nobody waits on a memory that is not shared.
///
/// # Safety
/// As [`memory_grow`].
pub unsafe extern "C" fn memory_atomic_notify(
    vmctx: *mut Vmctx,
    memory: u32,
    index: u64,
    offset: u64,
    count: u32,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        with(vmctx, |instance| {
            let memory = instance.memory(memory);
            let place = atomic_place(memory, index, offset, 4)?;
            Ok(if memory.shared().is_some() { parking::notify(place, count) } else { 0 })
        })
    }
}

/// `data.drop`
///
/// # Safety
/// As [`memory_grow`].
pub unsafe extern "C" fn data_drop(vmctx: *mut Vmctx, segment: u32) {
    // SAFETY: the caller's promise.
    unsafe {
        with(vmctx, |instance| {
            instance.drop_data(segment);
            Ok(())
        })
    }
}

/// `table.grow`
///
/// # Safety
/// As [`memory_grow`]; the reference is of the table's type.
pub unsafe extern "C" fn table_grow(vmctx: *mut Vmctx, table: u32, init: u64, delta: u64) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { with(vmctx, |instance| grown(vmctx, "table.grow", instance.table(table).grow(delta, init as usize))) }
}

/// `table.fill`
///
/// # Safety
/// As [`table_grow`].
pub unsafe extern "C" fn table_fill(vmctx: *mut Vmctx, table: u32, dst: u64, value: u64, len: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        with(vmctx, |instance| {
            let filled = instance.table(table).fill(dst, value as usize, len);
            check(filled, TrapCode::OutOfBoundsTableAccess)
        })
    }
}

/// `table.copy`
///
/// # Safety
/// As [`memory_grow`].
pub unsafe extern "C" fn table_copy(vmctx: *mut Vmctx, dst_table: u32, src_table: u32, dst: u64, src: u64, len: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        with(vmctx, |instance| {
            let copied = instance.table(dst_table).copy(dst, instance.table(src_table), src, len);
            check(copied, TrapCode::OutOfBoundsTableAccess)
        })
    }
}

/// `table.init`
///
/// # Safety
/// As [`memory_grow`].
pub unsafe extern "C" fn table_init(vmctx: *mut Vmctx, table: u32, segment: u32, dst: u64, src: u32, len: u32) {
    // SAFETY: the caller's promise.
    unsafe {
        with(vmctx, |instance| {
            if instance.is_element_dropped(segment) {
                let nothing = src == 0 && len == 0 && dst <= instance.table(table).size();
                return check(nothing, TrapCode::OutOfBoundsTableAccess);
            }
            init_table(instance, table, segment, dst, u64::from(src), u64::from(len))
        })
    }
}

/// `elem.drop`
///
/// # Safety
/// As [`memory_grow`].
pub unsafe extern "C" fn elem_drop(vmctx: *mut Vmctx, segment: u32) {
    // SAFETY: the caller's promise.
    unsafe {
        with(vmctx, |instance| {
            instance.drop_element(segment);
            Ok(())
        })
    }
}

/// The reference behind a lazy element.
///
/// # Safety
/// As [`memory_grow`]; the element exists.
pub unsafe extern "C" fn table_get_lazy(vmctx: *mut Vmctx, table: u32, index: u64) -> u64 {
    // SAFETY: the caller's promise.
    unsafe {
        with(vmctx, |instance| {
            let element = instance.table(table).get(index).ok_or(TrapCode::OutOfBoundsTableAccess)?;
            Ok(element as u64)
        })
    }
}

/// `ref.func`
///
/// # Safety
/// As [`memory_grow`].
pub unsafe extern "C" fn ref_func(vmctx: *mut Vmctx, func: u32) -> u64 {
    // SAFETY: the caller's promise.
    unsafe { with(vmctx, |instance| Ok(func_ref(instance, func) as u64)) }
}

/// Sets the trap of a store whose function could not be compiled.
///
/// # Safety
/// `vmctx` is that of a live instance whose code asked for the function.
pub unsafe fn fail_to_compile(vmctx: *mut Vmctx, error: &Error) {
    let code = match error.kind {
        ErrorKind::StackExhausted => TrapCode::CallStackExhausted,
        _ => TrapCode::CompilationFailure,
    };
    // SAFETY: the caller's promise.
    unsafe { set_trap((*vmctx).store, code, format!("{}: {}", code.message(), error.message)) };
}

/// The store of a vmctx.
///
/// # Safety
/// `vmctx` is that of a live instance.
pub unsafe fn store_of_vmctx<'a>(vmctx: *mut Vmctx) -> &'a crate::runtime::store::Store {
    // SAFETY: the caller's promise.
    unsafe { store_of((*vmctx).store) }
}
