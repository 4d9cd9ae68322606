//! The helpers about garbage-collected objects that generated code calls (`compile/builtin.rs`), and the bodies behind
//! constant expressions that do the same.

use super::boxes;
use super::object::HEADER;
use super::types::is_any;
use crate::module::{ElementItems, ElementSegment};
use crate::runtime::builtins::guarded;
use crate::runtime::constant::{element, func_ref};
use crate::runtime::error::Error;
use crate::runtime::func::Func;
use crate::runtime::instance::Instance;
use crate::runtime::object::Object;
use crate::runtime::store::Store;
use crate::runtime::trap::{set_trap, store_of};
use crate::runtime::vmctx::{StoreContext, Vmctx};
use crate::trap::TrapCode;
use crate::types::layout::ArrayLayout;
use crate::types::{DefType, Hierarchy, ValType};
use std::ptr;

/// Why a helper cannot do what it should.
enum Failure {
    /// A trap of the specification.
    Trap(TrapCode),
    /// There is no memory.
    Memory(Error),
}

impl From<TrapCode> for Failure {
    fn from(code: TrapCode) -> Failure {
        Failure::Trap(code)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Memory(error)
    }
}

/// Runs a helper of a store. A failure, or a panic, becomes the store's trap.
///
/// # Safety
/// `context` is that of a live store whose code called the helper.
unsafe fn with<T: Default>(context: *mut StoreContext, helper: impl FnOnce(&Store) -> Result<T, Failure>) -> T {
    let mut value = T::default();
    // SAFETY: the caller's promise.
    unsafe {
        guarded(context, || match helper(store_of(context)) {
            Ok(made) => value = made,
            Err(Failure::Trap(code)) => set_trap(context, code, code.message()),
            Err(Failure::Memory(error)) => {
                let code = TrapCode::AllocationFailure;
                set_trap(context, code, format!("{}: {}", code.message(), error.message));
            }
        });
    }
    value
}

/// A new object, of which only the header is written.
///
/// # Safety
/// As for all helpers: called by generated code, with its vmctx. The type is one of the store's, the size that of an object.
pub unsafe extern "C" fn gc_alloc(vmctx: *mut Vmctx, type_id: u32, length: u32, size: u64) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        with((*vmctx).store, |store| {
            let place = store.gc_place(size)?;
            store.heap()?.write_header(place, type_id, length);
            Ok(place)
        })
    }
}

/// The array type with an index of the instance's module, and its canonical index.
fn array_type(instance: &Instance, ty: u32) -> Option<(u32, ArrayLayout, ValType)> {
    let DefType::Array(array) = &instance.module().module.types[ty as usize] else { return None };
    let value = match array.element().storage {
        crate::types::StorageType::Val(ty) => ty,
        _ => ValType::I32,
    };
    Some((instance.module().type_ids[ty as usize], ArrayLayout::new(array), value))
}

/// The bytes `offset..offset + len` of a data segment, which has none once it is dropped.
fn data(instance: &Instance, segment: u32, offset: u32, len: u64) -> Result<&[u8], Failure> {
    let all = instance.data(segment);
    let end = u64::from(offset).checked_add(len).filter(|end| *end <= all.len() as u64);
    let end = end.ok_or(TrapCode::OutOfBoundsMemoryAccess)?;
    Ok(&all[offset as usize..end as usize])
}

/// `array.new_data`
///
/// # Safety
/// As [`gc_alloc`]; the indices are valid, the type one of arrays of numbers.
pub unsafe extern "C" fn array_new_data(vmctx: *mut Vmctx, ty: u32, segment: u32, offset: u32, len: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        let instance = &*(*vmctx).instance;
        with((*vmctx).store, |store| {
            let (index, layout, _) = array_type(instance, ty).ok_or(TrapCode::Host)?;
            let bytes = data(instance, segment, offset, u64::from(len) * u64::from(layout.element_size))?;
            let array = store.gc_place(layout.size(len))?;
            let heap = store.heap()?;
            heap.write_header(array, index, len);
            ptr::copy_nonoverlapping(bytes.as_ptr(), heap.at(array).add(HEADER as usize), bytes.len());
            Ok(array)
        })
    }
}

/// `array.init_data`, once null and the array's bounds are checked.
///
/// # Safety
/// As [`gc_alloc`]; `dst` is the address of `len` bytes in an array, the index valid.
pub unsafe extern "C" fn array_init_data(vmctx: *mut Vmctx, segment: u32, dst: *mut u8, offset: u32, len: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        let instance = &*(*vmctx).instance;
        with((*vmctx).store, |_| {
            let bytes = data(instance, segment, offset, len)?;
            ptr::copy_nonoverlapping(bytes.as_ptr(), dst, bytes.len());
            Ok(())
        });
    }
}

/// Checks that an element segment, which has no elements once it is dropped, has `offset..offset + len`.
fn check_elements(instance: &Instance, segment: u32, offset: u32, len: u32) -> Result<&ElementSegment, Failure> {
    let items = &instance.module().module.elements[segment as usize];
    let count = if instance.is_element_dropped(segment) { 0 } else { items.items.len() as u64 };
    if u64::from(offset) + u64::from(len) > count {
        return Err(TrapCode::OutOfBoundsTableAccess.into());
    }
    Ok(items)
}

/// Puts elements of a segment into an array, as values of `ty`. Nothing moves.
///
/// # Safety
/// The segment and the array have the elements; the array has elements of that type.
unsafe fn put_elements(
    instance: &Instance,
    (segment, items): (u32, &ElementSegment),
    offset: u32,
    len: u32,
    to: *mut u8,
) {
    let any = items.ty.heap.hierarchy() == Hierarchy::Any;
    for i in 0..len as usize {
        let value = element(instance, segment, offset as usize + i);
        // SAFETY: the caller's promise.
        unsafe {
            if any {
                to.cast::<u32>().add(i).write(value as u32);
            } else {
                to.cast::<u64>().add(i).write(value);
            }
        }
    }
}

/// `array.new_elem`
///
/// # Safety
/// As [`gc_alloc`]; the indices are valid, and fit one another.
pub unsafe extern "C" fn array_new_elem(vmctx: *mut Vmctx, ty: u32, segment: u32, offset: u32, len: u32) -> u32 {
    // SAFETY: the caller's promise.
    unsafe {
        let instance = &*(*vmctx).instance;
        with((*vmctx).store, |store| {
            let (index, layout, _) = array_type(instance, ty).ok_or(TrapCode::Host)?;
            let items = check_elements(instance, segment, offset, len)?;
            make_functions(instance, items, offset, len);
            let array = store.gc_place(layout.size(len))?;
            let heap = store.heap()?;
            heap.write_header(array, index, len);
            put_elements(instance, (segment, items), offset, len, heap.at(array).add(HEADER as usize));
            Ok(array)
        })
    }
}

/// Functions get their objects before an array is allocated that has no elements yet.
fn make_functions(instance: &Instance, items: &ElementSegment, offset: u32, len: u32) {
    if let ElementItems::Functions(funcs) = &items.items {
        for func in &funcs[offset as usize..(offset + len) as usize] {
            func_ref(instance, *func);
        }
    }
}

/// `array.init_elem`, once null and the array's bounds are checked.
///
/// # Safety
/// As [`gc_alloc`]; the indices are valid and fit one another, and the array has the elements `at..at + len`.
pub unsafe extern "C" fn array_init_elem(vmctx: *mut Vmctx, array: u32, at: u32, segment: u32, offset: u32, len: u32) {
    // SAFETY: the caller's promise.
    unsafe {
        let instance = &*(*vmctx).instance;
        with((*vmctx).store, |store| {
            let items = check_elements(instance, segment, offset, len)?;
            let size: u64 = if is_any(ValType::Ref(items.ty)) { 4 } else { 8 };
            let to = store.heap()?.at(array).add((u64::from(HEADER) + u64::from(at) * size) as usize);
            put_elements(instance, (segment, items), offset, len, to);
            Ok(())
        });
    }
}

/// `array.copy`, once null and bounds are checked.
///
/// # Safety
/// Both are the address of `len` bytes in arrays.
pub unsafe extern "C" fn array_copy(_: *mut Vmctx, dst: *mut u8, src: *const u8, len: u64) {
    // SAFETY: the caller's promise; `copy` allows them to overlap.
    unsafe { ptr::copy(src, dst, len as usize) };
}

/// `any.convert_extern`
///
/// # Safety
/// As [`gc_alloc`]; the reference is not null.
pub unsafe extern "C" fn any_convert_extern(vmctx: *mut Vmctx, object: *const Object) -> u32 {
    // SAFETY: the caller's promise. The object is on the stack, and so alive.
    unsafe { with((*vmctx).store, |store| Ok(boxes::any_convert_extern(store, &*object)?)) }
}

/// `extern.convert_any`
///
/// # Safety
/// As [`gc_alloc`]; the reference is not null.
pub unsafe extern "C" fn extern_convert_any(vmctx: *mut Vmctx, reference: u32) -> *const Object {
    // SAFETY: the caller's promise.
    unsafe { with((*vmctx).store, |store| Ok(boxes::extern_convert_any(store, reference) as usize)) as *const Object }
}

/// Turns the arguments of a callback that are of the `any` hierarchy into objects that it is lent.
///
/// # Safety
/// Called by the host stub of `func` with its arguments, 16 bytes each, their bits at `offset`.
pub unsafe extern "C" fn host_args_box(func: *const Func, values: *mut u8, offset: u32) {
    // SAFETY: the caller's promise; a function's store is alive.
    unsafe {
        let context = (*(*func).object.store).context();
        with(context, |store| {
            boxes::lend_arguments(store, &*func, values, offset);
            Ok(())
        });
        // While the callback runs, WebAssembly was left through the stub and not through the trampoline of this.
        (*context).exit_fp = *((*context).exit_fp as *const usize);
    }
}

/// Takes back what the callback was lent.
///
/// # Safety
/// Called by the host stub of `func` when its callback has returned.
pub unsafe extern "C" fn host_args_release(func: *const Func) {
    // SAFETY: the caller's promise; a function's store is alive.
    unsafe {
        let context = (*(*func).object.store).context();
        with(context, |store| {
            boxes::take_back(store);
            Ok(())
        });
    }
}
