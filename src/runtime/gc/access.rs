//! What the host does with garbage-collected objects: makes, reads and writes them, and asks what they are. Everything is
//! checked: kinds, types, bounds, mutability.

use super::boxes::{self, GcBox, as_box};
use super::object::{HEADER, i31, i31_bits, is_i31};
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::func::Func;
use crate::runtime::object::{Object, ObjectKind};
use crate::runtime::store::Store;
use crate::runtime::wide::WideVal;
use crate::types::layout::{ArrayLayout, StructLayout, storage_size};
use crate::types::{ArrayType, DefType, FieldType, HeapType, Hierarchy, RefType, StorageType, StructType, ValType};
use std::ptr;

/// How a packed value becomes an `i32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// With zeros above.
    Zero,
    /// With copies of its highest bit above.
    Sign,
}

/// A place in an object.
#[derive(Clone, Copy)]
struct Place {
    field: FieldType,
    offset: u64,
}

impl Place {
    /// The type of the values that go in and come out.
    fn ty(&self) -> ValType {
        value_type(self.field)
    }

    /// Writes the bits of a checked value.
    fn write(&self, store: &Store, reference: u32, [low, high]: [u64; 2]) -> Result<(), Error> {
        let bits = u128::from(high) << 64 | u128::from(low);
        // SAFETY: the object has the place, which holds values of this type.
        unsafe { store.heap()?.write(reference, self.offset, storage_size(self.field.storage), bits) };
        Ok(())
    }

    /// Reads a value. `reference` tells where the object is, before and after an allocation.
    fn read(&self, store: &Store, reference: impl Fn() -> u32, extension: Extension) -> Result<WideVal, Error> {
        let heap = store.heap()?;
        let bits = || {
            // SAFETY: the object has the place, which holds values of this type.
            let bits = unsafe { heap.read(reference(), self.offset, storage_size(self.field.storage)) };
            let low = match (self.field.storage, extension) {
                (StorageType::I8, Extension::Sign) => bits as i8 as u32 as u64,
                (StorageType::I16, Extension::Sign) => bits as i16 as u32 as u64,
                _ => bits as u64,
            };
            [low, (bits >> 64) as u64]
        };
        Ok(WideVal::outside(store, self.ty(), bits))
    }
}

/// The type of the values of a field.
fn value_type(field: FieldType) -> ValType {
    if let StorageType::Val(ty) = field.storage { ty } else { ValType::I32 }
}

/// Whether fields of the type have a value when none is given.
fn is_defaultable(field: FieldType) -> bool {
    !matches!(value_type(field), ValType::Ref(RefType { nullable: false, .. }))
}

fn argument<T>(message: String) -> Result<T, Error> {
    Err(Error::argument(message))
}

/// Makes a type known to the store, and kept by the engine.
fn register(store: &Store, ty: &DefType) -> Result<u32, Error> {
    if !store.gc.types.borrow().contains(ty) {
        let types = [ty.clone()];
        store.engine().keep_types(&types);
        store.register_types(&types)?;
    }
    store.heap()?;
    Ok(ty.id().index())
}

/// An object that `fill` writes values to, in a box with one handle. While it does nothing may move.
fn make(
    store: &Store,
    (index, length): (u32, u32),
    fill: impl FnOnce(u32) -> Result<(), Error>,
) -> Result<*mut GcBox, Error> {
    let reference = store.gc_allocate(index, length)?;
    fill(reference)?;
    let scope = store.gc.roots.scope();
    let reference = scope.root(reference);
    Ok(GcBox::new(store, || reference.get()))
}

/// A new structure, with one handle; without values, all fields are zero or null.
pub fn struct_new(store: &Store, ty: &DefType, values: Option<&[WideVal]>) -> Result<*mut GcBox, Error> {
    let DefType::Struct(of) = ty else { return argument("the type is not one of structures".into()) };
    let fields = of.fields();
    match values {
        None => {
            if let Some(i) = fields.iter().position(|field| !is_defaultable(*field)) {
                return argument(format!("field {i} has no default: its type is {}", value_type(fields[i])));
            }
        }
        Some(values) if values.len() != fields.len() => {
            let (given, expected) = (values.len(), fields.len());
            return argument(format!("{given} values are given for a structure of {expected} fields"));
        }
        Some(values) => {
            for (i, (value, field)) in values.iter().zip(fields).enumerate() {
                value.to_bits(value_type(*field), store, &|| format!("field {i}"))?;
            }
        }
    }
    let index = register(store, ty)?;
    make(store, (index, 0), |reference| {
        let mut values = struct_places(of).zip(values.unwrap_or(&[]));
        values.try_for_each(|(place, value)| place.write(store, reference, value.inside(place.ty())))
    })
}

fn struct_places(ty: &StructType) -> impl Iterator<Item = Place> {
    let offsets = StructLayout::new(ty).fields;
    ty.fields().iter().zip(offsets).map(|(field, offset)| Place { field: *field, offset: offset.into() })
}

fn array_place(ty: &ArrayType, index: u32) -> Place {
    Place { field: ty.element(), offset: ArrayLayout::new(ty).element(index) }
}

fn array_type(ty: &DefType) -> Result<&ArrayType, Error> {
    if let DefType::Array(ty) = ty { Ok(ty) } else { argument("the type is not one of arrays".into()) }
}

/// A new array of `length` elements that are all `value`, with one handle; without a value they are zero or null.
pub fn array_new(store: &Store, ty: &DefType, value: Option<WideVal>, length: u32) -> Result<*mut GcBox, Error> {
    let of = array_type(ty)?;
    match value {
        Some(value) => {
            value.to_bits(value_type(of.element()), store, &|| "the value of the elements".into())?;
        }
        None if !is_defaultable(of.element()) => {
            return argument(format!("the elements have no default: their type is {}", value_type(of.element())));
        }
        None => {}
    }
    let index = register(store, ty)?;
    make(store, (index, length), |reference| {
        let Some(value) = value else { return Ok(()) };
        let bits = value.inside(value_type(of.element()));
        (0..length).try_for_each(|i| array_place(of, i).write(store, reference, bits))
    })
}

/// A new array of these elements, with one handle.
pub fn array_new_fixed(store: &Store, ty: &DefType, values: &[WideVal]) -> Result<*mut GcBox, Error> {
    let of = array_type(ty)?;
    let Ok(length) = u32::try_from(values.len()) else {
        return argument(format!("{} elements are more than an array can have", values.len()));
    };
    for (i, value) in values.iter().enumerate() {
        value.to_bits(value_type(of.element()), store, &|| format!("element {i}"))?;
    }
    let index = register(store, ty)?;
    make(store, (index, length), |reference| {
        let mut values = (0..).map(|i| array_place(of, i)).zip(values);
        values.try_for_each(|(place, value)| place.write(store, reference, value.inside(place.ty())))
    })
}

/// An `i31` with the low 31 bits of `value`, with one handle.
pub fn i31_new(store: &Store, value: u32) -> Result<*mut GcBox, Error> {
    store.heap()?;
    Ok(GcBox::new(store, || i31(value)))
}

/// The number that an `i31` is.
pub fn i31_get(object: &Object, extension: Extension) -> Result<u32, Error> {
    match as_box(object).map(|boxed| boxed.reference.get()) {
        Some(reference) if is_i31(reference) => Ok(match extension {
            Extension::Zero => i31_bits(reference),
            Extension::Sign => (reference as i32 >> 1) as u32,
        }),
        _ => argument(format!("expected an i31, found {}", describe(object))),
    }
}

/// What an object is, for messages.
fn describe(object: &Object) -> String {
    match as_box(object) {
        // SAFETY: a store outlives its objects.
        Some(boxed) => boxes::describe(unsafe { &*object.store }, boxed.reference.get()),
        None => format!("a {}", object.kind.name()),
    }
}

/// An object of the host's hands, with its type.
struct Found<'a> {
    store: &'a Store,
    boxed: &'a GcBox,
    ty: DefType,
}

impl<'a> Found<'a> {
    fn new(object: &'a Object, expected: &str) -> Result<Found<'a>, Error> {
        // SAFETY: a store outlives its objects; what is in a box is an object of the heap.
        let store = unsafe { &*object.store };
        let found = as_box(object).and_then(|boxed| {
            let reference = boxed.reference.get();
            let heap = store.gc.heap().filter(|_| !is_i31(reference))?;
            // SAFETY: a reference that is not null and no i31 is one to an object of the heap.
            let ty = store.gc.types.borrow().get(unsafe { heap.type_of(reference) })?.clone();
            Some(Found { store, boxed, ty })
        });
        found.ok_or_else(|| Error::argument(format!("expected {expected}, found {}", describe(object))))
    }

    fn reference(&self) -> u32 {
        self.boxed.reference.get()
    }

    fn array(object: &'a Object) -> Result<(Found<'a>, ArrayType), Error> {
        let found = Found::new(object, "an array")?;
        match &found.ty {
            DefType::Array(ty) => {
                let ty = ty.clone();
                Ok((found, ty))
            }
            _ => argument(format!("expected an array, found {}", describe(object))),
        }
    }

    fn length(&self) -> Result<u32, Error> {
        // SAFETY: an array is in the box.
        Ok(unsafe { self.store.heap()?.length_of(self.reference()) })
    }

    fn field(object: &'a Object, index: usize) -> Result<(Found<'a>, Place), Error> {
        let found = Found::new(object, "a structure")?;
        let DefType::Struct(ty) = &found.ty else {
            return argument(format!("expected a structure, found {}", describe(object)));
        };
        let Some(place) = struct_places(ty).nth(index) else {
            return argument(format!("there is no field {index} in a structure of {}", ty.fields().len()));
        };
        Ok((found, place))
    }

    fn element(object: &'a Object, index: u32) -> Result<(Found<'a>, Place), Error> {
        let (found, ty) = Found::array(object)?;
        let length = found.length()?;
        if index >= length {
            return argument(format!("there is no element {index} in an array of {length}"));
        }
        Ok((found, array_place(&ty, index)))
    }

    fn read(&self, place: Place, extension: Extension) -> Result<WideVal, Error> {
        place.read(self.store, || self.reference(), extension)
    }

    fn check_write(&self, place: Place, value: WideVal) -> Result<(), Error> {
        if !place.field.mutable {
            let what = if matches!(self.ty, DefType::Struct(_)) { "field is" } else { "elements are" };
            return argument(format!("the {what} constant"));
        }
        value.to_bits(place.ty(), self.store, &|| "the value".into()).map(|_| ())
    }

    fn write(&self, place: Place, value: WideVal) -> Result<(), Error> {
        self.check_write(place, value)?;
        let bits = value.inside(place.ty());
        place.write(self.store, self.reference(), bits)
    }
}

/// How many fields a structure has.
pub fn struct_len(object: &Object) -> Result<usize, Error> {
    match &Found::new(object, "a structure")?.ty {
        DefType::Struct(ty) => Ok(ty.fields().len()),
        _ => argument(format!("expected a structure, found {}", describe(object))),
    }
}

/// A field of a structure. A reference comes with a handle of its own.
pub fn struct_get(object: &Object, index: usize, extension: Extension) -> Result<WideVal, Error> {
    let (found, place) = Found::field(object, index)?;
    found.read(place, extension)
}

/// Replaces a field of a structure.
pub fn struct_set(object: &Object, index: usize, value: WideVal) -> Result<(), Error> {
    let (found, place) = Found::field(object, index)?;
    found.write(place, value)
}

/// The length of an array.
pub fn array_len(object: &Object) -> Result<u32, Error> {
    Found::array(object)?.0.length()
}

/// An element of an array. A reference comes with a handle of its own.
pub fn array_get(object: &Object, index: u32, extension: Extension) -> Result<WideVal, Error> {
    let (found, place) = Found::element(object, index)?;
    found.read(place, extension)
}

/// Replaces an element of an array.
pub fn array_set(object: &Object, index: u32, value: WideVal) -> Result<(), Error> {
    let (found, place) = Found::element(object, index)?;
    found.write(place, value)
}

fn check_range(what: &str, start: u32, count: u32, length: u32) -> Result<(), Error> {
    if u64::from(start) + u64::from(count) <= u64::from(length) {
        return Ok(());
    }
    argument(format!("there are no elements {start} up to {start} + {count} in {what} of {length}"))
}

/// Replaces the elements `start..start + count` of an array by `value`.
pub fn array_fill(object: &Object, start: u32, value: WideVal, count: u32) -> Result<(), Error> {
    let (found, ty) = Found::array(object)?;
    check_range("an array", start, count, found.length()?)?;
    found.check_write(array_place(&ty, 0), value)?;
    let bits = value.inside(value_type(ty.element()));
    (start..start + count).try_for_each(|i| array_place(&ty, i).write(found.store, found.reference(), bits))
}

/// Copies `count` elements from one array to another, or within one.
pub fn array_copy(to: &Object, at: u32, from: &Object, start: u32, count: u32) -> Result<(), Error> {
    let (to, to_ty) = Found::array(to)?;
    let (from, from_ty) = Found::array(from)?;
    if !ptr::eq(to.store, from.store) {
        return Err(Error::new(ErrorKind::Store, "the arrays belong to different stores"));
    }
    let (into, of) = (to_ty.element(), from_ty.element());
    let fits = match (of.storage, into.storage) {
        (StorageType::Val(of), StorageType::Val(into)) => of.matches(into),
        (of, into) => of == into,
    };
    if !into.mutable || !fits {
        let why = if into.mutable { "the elements are of another type" } else { "its elements are constant" };
        return argument(format!("the array cannot be copied to: {why}"));
    }
    check_range("the array that is written", at, count, to.length()?)?;
    check_range("the array that is read", start, count, from.length()?)?;
    let heap = to.store.heap()?;
    let size = storage_size(into.storage) as usize;
    // SAFETY: both arrays have the elements, which are of one size; `copy` allows them to overlap.
    unsafe {
        let target = heap.at(to.reference()).add(HEADER as usize + at as usize * size);
        let source = heap.at(from.reference()).add(HEADER as usize + start as usize * size);
        ptr::copy(source, target, count as usize * size);
    }
    Ok(())
}

/// The most precise type of a reference that is not null, in the `any` hierarchy for what WebAssembly makes.
pub fn type_of(object: &Object) -> RefType {
    let heap = match object.kind {
        ObjectKind::Exception => HeapType::Exn,
        // SAFETY: the kind says what the object is.
        ObjectKind::Func => HeapType::Concrete(unsafe { (*ptr::from_ref(object).cast::<Func>()).ty().id() }),
        _ => match as_box(object) {
            // SAFETY: a store outlives its objects.
            Some(boxed) => boxes::type_of(unsafe { &*object.store }, boxed.reference.get()),
            None => HeapType::Extern,
        },
    };
    RefType { nullable: false, heap }
}

/// Whether a reference, null or not, is of a type. Any object is of type `extern` and, converted, of type `any`.
pub fn is_of_type(object: Option<&Object>, ty: RefType) -> bool {
    let Some(object) = object else { return ty.nullable };
    match ty.heap {
        HeapType::Extern | HeapType::Any => true,
        heap if heap.hierarchy() == Hierarchy::Extern => false,
        heap => type_of(object).heap.matches(heap),
    }
}
