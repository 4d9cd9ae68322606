//! Constant expressions of an instance (section 3.4.15): initial values of globals and tables, offsets, elements of segments.
//!
//! Elements are evaluated when they are used, which nobody can tell, unless evaluating them makes objects: those segments are
//! evaluated once, when the instance is made, and the instance keeps their values.

use crate::module::const_expr::{self, ConstContext, makes_object};
use crate::module::{ConstExpr, ElementItems};
use crate::runtime::func::Func;
use crate::runtime::gc::boxes::{any_convert_extern_quietly, extern_convert_any_quietly};
use crate::runtime::instance::Instance;
use crate::runtime::object::Object;
use crate::runtime::store::Store;
use crate::trap::TrapCode;
use crate::types::DefType;
use crate::types::layout::{ArrayLayout, StructLayout, storage_size};
use std::ptr;

/// Constant expressions of an instance see its globals and functions.
struct InstanceConsts<'a>(&'a Instance);

impl InstanceConsts<'_> {
    fn store(&self) -> &Store {
        // SAFETY: a store outlives its objects.
        unsafe { &*self.0.object.store }
    }

    /// A new object of the type with this index of the module, zeroed.
    fn allocate(&self, ty: u32, length: u32) -> Result<u32, TrapCode> {
        let id = self.0.module().type_ids[ty as usize];
        self.store().gc_allocate_quietly(id, length).map_err(|_| TrapCode::AllocationFailure)
    }

    /// Writes a field or element of an object.
    fn write(&self, reference: u32, offset: u64, size: u32, value: u128) {
        if let Ok(heap) = self.store().heap() {
            // SAFETY: the object was just made, and its layout says that the value lies there.
            unsafe { heap.write(reference, offset, size, value) };
        }
    }

    fn array(&self, ty: u32) -> Option<ArrayLayout> {
        match &self.0.module().module.types[ty as usize] {
            DefType::Array(ty) => Some(ArrayLayout::new(ty)),
            _ => None,
        }
    }
}

impl ConstContext for InstanceConsts<'_> {
    fn global(&mut self, index: u32) -> u128 {
        // SAFETY: validation lets constant expressions see only globals that are initialized already.
        unsafe { u128::from_le_bytes((*self.0.global_cell(index)).0) }
    }

    fn func(&mut self, index: u32) -> u128 {
        func_ref(self.0, index) as u128
    }

    fn struct_new(&mut self, ty: u32, fields: Option<&[u128]>) -> Result<u128, TrapCode> {
        let made = self.allocate(ty, 0)?;
        if let (DefType::Struct(ty), Some(fields)) = (&self.0.module().module.types[ty as usize], fields) {
            let layout = StructLayout::new(ty);
            for (i, (field, value)) in ty.fields().iter().zip(fields).enumerate() {
                self.write(made, u64::from(layout.fields[i]), storage_size(field.storage), *value);
            }
        }
        Ok(u128::from(made))
    }

    fn array_new(&mut self, ty: u32, value: Option<u128>, len: u32) -> Result<u128, TrapCode> {
        let made = self.allocate(ty, len)?;
        if let (Some(value), Some(layout)) = (value.filter(|value| *value != 0), self.array(ty)) {
            for i in 0..len {
                self.write(made, layout.element(i), layout.element_size, value);
            }
        }
        Ok(u128::from(made))
    }

    fn array_new_fixed(&mut self, ty: u32, values: &[u128]) -> Result<u128, TrapCode> {
        let made = self.allocate(ty, values.len() as u32)?;
        if let Some(layout) = self.array(ty) {
            for (i, value) in values.iter().enumerate() {
                self.write(made, layout.element(i as u32), layout.element_size, *value);
            }
        }
        Ok(u128::from(made))
    }

    fn any_convert_extern(&mut self, reference: u128) -> Result<u128, TrapCode> {
        // SAFETY: references in constants are to objects that are alive.
        let object = unsafe { &*(reference as usize as *const Object) };
        let converted = any_convert_extern_quietly(self.store(), object);
        converted.map(u128::from).map_err(|_| TrapCode::AllocationFailure)
    }

    fn extern_convert_any(&mut self, reference: u128) -> Result<u128, TrapCode> {
        Ok(extern_convert_any_quietly(self.store(), reference as u32) as usize as u128)
    }
}

/// The value of an expression of the instance's module. References in it are good until the next allocation.
pub(in crate::runtime) fn evaluate(instance: &Instance, expr: &ConstExpr) -> Result<u128, TrapCode> {
    const_expr::evaluate(expr, &mut InstanceConsts(instance))
}

/// An offset is an unsigned number of its type.
pub(in crate::runtime) fn address(value: u128) -> u64 {
    value as u64
}

/// Evaluates the element segments whose elements are objects of their own.
pub(in crate::runtime) fn evaluate_elements(instance: &Instance) -> Result<(), TrapCode> {
    let segments = &instance.module().module.elements;
    for (index, segment) in segments.iter().enumerate() {
        let ElementItems::Expressions(items) = &segment.items else { continue };
        if !items.iter().any(|item| makes_object(item)) {
            continue;
        }
        for (i, item) in items.iter().enumerate() {
            let value = evaluate(instance, item)? as u64;
            // The values so far are found by collections.
            instance.make_elements()[index].get_or_insert_with(|| vec![0; items.len()].into())[i] = value;
        }
    }
    Ok(())
}

/// An element of a segment that is not dropped, as it lies in a table.
pub(in crate::runtime) fn element(instance: &Instance, segment: u32, index: usize) -> u64 {
    if let Some(Some(values)) = instance.elements().get(segment as usize) {
        return values[index];
    }
    match &instance.module().module.elements[segment as usize].items {
        ElementItems::Functions(funcs) => func_ref(instance, funcs[index]) as u64,
        // What makes no objects does not fail.
        ElementItems::Expressions(items) => evaluate(instance, &items[index]).unwrap_or(0) as u64,
    }
}

/// The reference that `ref.func` gives. One to an imported function is a reference outside of that function's group.
pub fn func_ref(instance: &Instance, index: u32) -> *const Func {
    let func = instance.func(index);
    // SAFETY: functions of an instance, its own or imported, are alive.
    unsafe {
        if !ptr::eq((*func).object.group, &instance.group) {
            (*func).object.group().leak();
        }
    }
    func
}
