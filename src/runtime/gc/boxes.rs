//! References of the `any` hierarchy on the host's side, and references of the host's on WebAssembly's.
//!
//! ```text
//!  WebAssembly, any:  reference  <------------------  GcBox { reference }  :the host, and WebAssembly, extern
//!  WebAssembly, any:  reference -> HOST { pointer } -------->  Object      :the host, and WebAssembly, extern
//! ```
//! A [`GcBox`] is an object of the store that holds a reference, `i31`s among them: what the host has handles to, and what
//! `extern.convert_any` gives. Any other object comes to the `any` hierarchy (`any.convert_extern`) behind an
//! object of the heap with the type `HOST`. Converting back gives what was there before; so does giving it to the host.

use super::object::{HEADER, HOST, HOST_SIZE, i31, is_i31};
use super::types::is_any;
use crate::runtime::collect::{self, Visitor};
use crate::runtime::error::Error;
use crate::runtime::func::Func;
use crate::runtime::object::{Object, ObjectKind, Standalone, acquire, release};
use crate::runtime::store::Store;
use crate::types::{HeapType, RefType, ValType};
use std::cell::Cell;
use std::ptr;

/// A reference of the `any` hierarchy as the host sees it.
#[repr(C)]
#[derive(Debug)]
pub struct GcBox {
    /// The header.
    pub object: Object,
    /// The reference; not null.
    pub reference: Cell<u32>,
}

impl GcBox {
    /// A box with one handle. The allocation may collect; what `read` gives afterwards is put in the box.
    pub fn new(store: &Store, read: impl FnOnce() -> u32) -> *mut GcBox {
        Standalone::allocate(Some(store), ObjectKind::Gc, |object| GcBox { object, reference: Cell::new(read()) })
    }

    /// Visits the reference. Returns the words looked at.
    pub(in crate::runtime) fn trace(&self, visitor: &mut dyn Visitor) -> usize {
        visitor.reference(self.reference.as_ptr());
        1
    }
}

/// The box that an object is, if it is one.
pub fn as_box(object: &Object) -> Option<&GcBox> {
    // SAFETY: the kind says what the object is.
    (object.kind == ObjectKind::Gc).then(|| unsafe { &*ptr::from_ref(object).cast::<GcBox>() })
}

/// Whether two objects are one and the same, or boxes of the same reference.
pub fn same(a: &Object, b: &Object) -> bool {
    match (as_box(a), as_box(b)) {
        (Some(x), Some(y)) => ptr::eq(a.store, b.store) && x.reference == y.reference,
        _ => ptr::eq(a, b),
    }
}

/// The bits that a checked reference of the host's of type `ty` has inside WebAssembly. They are good until something is
/// allocated.
pub(in crate::runtime) fn inside(object: *const Object, ty: RefType) -> u64 {
    // SAFETY: a checked reference is null or alive.
    match unsafe { object.as_ref() } {
        Some(object) if is_any(ValType::Ref(ty)) => match as_box(object) {
            Some(boxed) => u64::from(boxed.reference.get()),
            // SAFETY: a store outlives its objects. There is room, as `check` has made sure, or else something that is not null.
            None => any_convert_extern_quietly(unsafe { &*object.store }, object).map_or(i31(0).into(), u64::from),
        },
        _ => object as u64,
    }
}

/// The object, with a handle of its own, that a reference of type `ty` is to the host. `read` gives its bits inside WebAssembly,
/// before and after an allocation; null for null.
pub fn outside(store: &Store, ty: RefType, read: impl Fn() -> u64) -> *const Object {
    if read() == 0 {
        return ptr::null();
    }
    if is_any(ValType::Ref(ty)) {
        return any_outside(store, || read() as u32);
    }
    let object = read() as *const Object;
    // SAFETY: a reference that WebAssembly holds is alive.
    unsafe { acquire(&*object) };
    object
}

/// The object, with a handle of its own, that a reference of the `any` hierarchy that is not null is to the host.
fn any_outside(store: &Store, read: impl Fn() -> u32) -> *const Object {
    let Some(object) = host_object(store, read()) else { return GcBox::new(store, read).cast_const().cast() };
    // SAFETY: what an object of the heap stands for is alive.
    acquire(unsafe { &*object });
    object
}

/// Turns references inside WebAssembly, among `count` values of types `types`, into objects with a handle each. `place` gives
/// the address of the bits of a value.
///
/// # Safety
/// The values are of the types and were just given by WebAssembly: nothing was allocated since.
pub unsafe fn all_outside(store: &Store, types: &[ValType], place: impl Fn(usize) -> *mut u64) {
    let references = || types.iter().enumerate().filter(|(_, ty)| ty.is_ref());
    // Others first: once something is allocated only a handle keeps them.
    for (i, _) in references().filter(|(_, ty)| !is_any(**ty)) {
        // SAFETY: the caller's promise.
        if let Some(object) = unsafe { (place(i).read_unaligned() as *const Object).as_ref() } {
            acquire(object);
        }
    }
    if types.iter().any(|ty| is_any(*ty)) {
        // SAFETY: the caller's promise.
        unsafe { box_all(store, types, place, |_| {}) };
    }
}

/// Turns the references of the `any` hierarchy among values into objects with a handle each, which are shown to `made`.
///
/// # Safety
/// As [`all_outside`].
unsafe fn box_all(
    store: &Store,
    types: &[ValType],
    place: impl Fn(usize) -> *mut u64,
    mut made: impl FnMut(*const Object),
) {
    let scope = store.gc.roots.scope();
    let places = types.iter().enumerate().filter(|(_, ty)| is_any(**ty)).map(|(i, _)| place(i));
    // SAFETY: the caller's promise.
    let rooted: Vec<_> = places
        .filter_map(|place| unsafe {
            let reference = place.read_unaligned() as u32;
            place.write_unaligned(0);
            (reference != 0).then(|| (place, scope.root(reference)))
        })
        .collect();
    for (place, reference) in rooted {
        let object = any_outside(store, || reference.get());
        made(object);
        // SAFETY: the caller's promise.
        unsafe { place.write_unaligned(object as u64) };
    }
}

/// Turns the arguments of a callback into what the host sees: objects that are lent to it until it returns.
///
/// # Safety
/// Called on behalf of the host stub of `func`; `values` are the arguments, 16 bytes each, with the bits at `offset`.
pub unsafe fn lend_arguments(store: &Store, func: &Func, values: *mut u8, offset: u32) {
    let params = func.ty().params();
    store.gc.lent.borrow_mut().push(ptr::null());
    let place = |i: usize| values.wrapping_add(16 * i + offset as usize).cast();
    // SAFETY: the caller's promise.
    unsafe { box_all(store, params, place, |object| store.gc.lent.borrow_mut().push(object)) };
}

/// Takes back what the innermost callback was lent.
///
/// # Safety
/// That callback has returned.
pub unsafe fn take_back(store: &Store) {
    loop {
        let Some(object) = store.gc.lent.borrow_mut().pop() else { return };
        if object.is_null() {
            return;
        }
        // SAFETY: lent with a handle, which is given up here.
        unsafe { release(object) };
    }
}

/// Checks that an object is a value of a heap type of the `any` hierarchy. If it is not, says what it is.
pub fn check(store: &Store, object: &Object, heap: HeapType) -> Result<(), String> {
    let Some(boxed) = as_box(object) else {
        if heap != HeapType::Any {
            return Err(format!("a {}", object.kind.name()));
        }
        let room = store.heap().map_err(|error| error.message)?.grow(HOST_SIZE);
        return if room { Ok(()) } else { Err("an object for which the store's heap has no room".into()) };
    };
    let reference = boxed.reference.get();
    if matches(store, reference, heap) { Ok(()) } else { Err(describe(store, reference)) }
}

/// Whether a reference that is not null belongs to a heap type of the `any` hierarchy.
pub fn matches(store: &Store, reference: u32, heap: HeapType) -> bool {
    type_of(store, reference).matches(heap)
}

/// The most precise heap type of a reference that is not null.
pub fn type_of(store: &Store, reference: u32) -> HeapType {
    if is_i31(reference) {
        return HeapType::I31;
    }
    // SAFETY: a reference that is not null and no i31 is one to an object of the heap.
    let index = store.gc.heap().map_or(HOST, |heap| unsafe { heap.type_of(reference) });
    store.gc.types.borrow().get(index).map_or(HeapType::Any, |ty| HeapType::Concrete(ty.id()))
}

/// What a reference is, for messages.
pub(super) fn describe(store: &Store, reference: u32) -> String {
    match type_of(store, reference) {
        HeapType::I31 => "an i31".into(),
        HeapType::Any => "an object of the host".into(),
        ty => format!("a reference to {}", RefType { nullable: false, heap: ty }),
    }
}

/// The reference that an object, of whatever kind, is in the `any` hierarchy (`any.convert_extern`). May collect.
pub fn any_convert_extern(store: &Store, object: &Object) -> Result<u32, Error> {
    if let Some(boxed) = as_box(object) {
        return Ok(boxed.reference.get());
    }
    object.group().leak();
    let place = store.gc_place(HOST_SIZE)?;
    put_host(store, place, object)
}

/// As [`any_convert_extern`], but nothing moves.
pub fn any_convert_extern_quietly(store: &Store, object: &Object) -> Result<u32, Error> {
    if let Some(boxed) = as_box(object) {
        return Ok(boxed.reference.get());
    }
    object.group().leak();
    let place = store.gc_place_quietly(HOST_SIZE)?;
    put_host(store, place, object)
}

fn put_host(store: &Store, place: u32, object: &Object) -> Result<u32, Error> {
    let heap = store.heap()?;
    // SAFETY: the heap gave the place.
    unsafe {
        heap.write_header(place, HOST, 0);
        heap.write(place, u64::from(HEADER), 8, ptr::from_ref(object) as u128);
    }
    Ok(place)
}

/// The object that a reference of the `any` hierarchy, not null, is outside of it (`extern.convert_any`), without a handle. May collect.
pub fn extern_convert_any(store: &Store, reference: u32) -> *const Object {
    if let Some(object) = host_object(store, reference) {
        return object;
    }
    let scope = store.gc.roots.scope();
    let reference = scope.root(reference);
    // Boxes that are dropped again and again must not gather.
    collect::settle(store);
    let boxed = GcBox::new(store, || reference.get());
    // SAFETY: just made. Until it is in a frame nothing is collected.
    unsafe { without_handle(store, boxed) }
}

/// As [`extern_convert_any`], but nothing moves.
pub fn extern_convert_any_quietly(store: &Store, reference: u32) -> *const Object {
    if let Some(object) = host_object(store, reference) {
        return object;
    }
    let make = |object| GcBox { object, reference: Cell::new(reference) };
    let boxed = Standalone::allocate_quietly(Some(store), ObjectKind::Gc, make);
    // SAFETY: just made. Until it is where it is found nothing is collected.
    unsafe { without_handle(store, boxed) }
}

/// A box that WebAssembly holds, and nobody else.
///
/// # Safety
/// It has one handle, the caller's, who gives it up.
unsafe fn without_handle(store: &Store, boxed: *const GcBox) -> *const Object {
    // SAFETY: the caller's promise.
    let group = unsafe { (*boxed).object.group() };
    group.leak();
    store.unroot(group);
    boxed.cast()
}

/// The object that a reference stands for, if it is one to an object of the host.
pub fn host_object(store: &Store, reference: u32) -> Option<*const Object> {
    let heap = store.gc.heap().filter(|_| !is_i31(reference))?;
    // SAFETY: a reference that is not null and no i31 is one to an object of the heap.
    unsafe { (heap.type_of(reference) == HOST).then(|| heap.host_object(reference)) }
}
