//! Structures.

use super::heap::Place;
use super::translate::Translator;
use crate::trap::TrapCode;
use crate::types::layout::StructLayout;
use crate::types::{DefType, FieldType, StructType};
use cranelift_codegen::ir::{InstBuilder, Value, types};

impl<'a> Translator<'a> {
    /// A structure type of the module, and its layout.
    fn structure(&mut self, ty: u32) -> (&'a StructType, std::rc::Rc<StructLayout>) {
        let DefType::Struct(declared) = &self.module.types[ty as usize] else {
            unreachable!("validation has established that it is a structure type")
        };
        let layout = self.struct_layouts.entry(ty).or_insert_with(|| StructLayout::new(declared).into()).clone();
        (declared, layout)
    }

    /// A structure of the values of its fields.
    fn new_structure(&mut self, ty: u32, values: &[Value]) {
        let (declared, layout) = self.structure(ty);
        let none = self.i32_const(0);
        let size = self.b.ins().iconst(types::I64, i64::from(layout.size));
        let reference = self.allocate(ty, none, size);
        let address = self.object(reference);
        for (i, (field, value)) in declared.fields().iter().zip(values).enumerate() {
            let flags = self.storage_flags(field.storage);
            self.store_storage(field.storage, *value, Place { address, displacement: layout.fields[i], flags });
        }
        self.push(reference);
    }

    /// `struct.new`
    pub(super) fn struct_new(&mut self, ty: u32) {
        let count = self.structure(ty).0.fields().len();
        let values = self.stack.split_off(self.stack.len() - count);
        self.new_structure(ty, &values);
    }

    /// `struct.new_default`
    pub(super) fn struct_new_default(&mut self, ty: u32) {
        let fields = self.structure(ty).0.fields();
        let values: Vec<Value> = fields.iter().map(|field| self.storage_zero(field.storage)).collect();
        self.new_structure(ty, &values);
    }

    /// Where a field of the structure of a reference is. The access, which must follow, traps if the reference is null.
    fn field(&mut self, ty: u32, field: u32, reference: Value) -> (FieldType, Place) {
        let (declared, layout) = self.structure(ty);
        let (field, displacement) = (declared.fields()[field as usize], layout.fields[field as usize]);
        let flags = self.storage_flags(field.storage);
        let flags = self.null_checked(flags, reference, displacement, TrapCode::NullStructureReference);
        let address = self.object(reference);
        (field, Place { address, displacement, flags })
    }

    /// `struct.get`, `struct.get_s`, `struct.get_u`
    pub(super) fn struct_get(&mut self, ty: u32, field: u32, signed: bool) {
        let reference = self.pop();
        let (field, place) = self.field(ty, field, reference);
        let value = self.load_storage(field.storage, signed, place);
        self.push(value);
    }

    /// `struct.set`
    pub(super) fn struct_set(&mut self, ty: u32, field: u32) {
        let (value, reference) = (self.pop(), self.pop());
        let (field, place) = self.field(ty, field, reference);
        self.store_storage(field.storage, value, place);
    }
}
