//! How structures and arrays lie in a store's heap of garbage-collected objects: the one place that knows, for the compiler
//! and the runtime alike.
//!
//! ```text
//!  +0 u32 canonical type id     +4 u32 length of an array, 0 for a structure
//!  +8 fields in order, each at a multiple of its size (v128: of 8)   |   elements, one behind the other
//! ```
//! An object takes a multiple of 8 bytes. What a structure type has in common with the types above it lies at the same places.

use super::{ArrayType, FieldType, Hierarchy, StorageType, StructType, ValType};

/// Bytes before the fields or elements.
pub const OBJECT_HEADER: u32 = 8;

/// Bytes that a value takes in an object: references of the `any` hierarchy are 32 bits, others are pointers.
pub fn storage_size(storage: StorageType) -> u32 {
    match storage {
        StorageType::I8 => 1,
        StorageType::I16 => 2,
        StorageType::Val(ValType::I32 | ValType::F32) => 4,
        StorageType::Val(ValType::I64 | ValType::F64) => 8,
        StorageType::Val(ValType::V128) => 16,
        StorageType::Val(ValType::Ref(ty)) => match ty.heap.hierarchy() {
            Hierarchy::Any => 4,
            Hierarchy::Func | Hierarchy::Extern | Hierarchy::Exn => 8,
        },
    }
}

/// Where the fields of a structure lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructLayout {
    /// Bytes of the whole object.
    pub size: u32,
    /// Offset of each field from the object's beginning.
    pub fields: Box<[u32]>,
}

impl StructLayout {
    /// The layout of structures of type `ty`.
    pub fn new(ty: &StructType) -> StructLayout {
        StructLayout::of_fields(ty.fields())
    }

    fn of_fields(fields: &[FieldType]) -> StructLayout {
        let mut end = OBJECT_HEADER;
        let place = |field: &FieldType| {
            let size = storage_size(field.storage);
            let start = end.next_multiple_of(size.min(8));
            end = start + size;
            start
        };
        let fields = fields.iter().map(place).collect();
        StructLayout { size: end.next_multiple_of(8), fields }
    }
}

/// Where the elements of an array lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArrayLayout {
    /// Bytes of an element: a power of two.
    pub element_size: u32,
}

impl ArrayLayout {
    /// The layout of arrays of type `ty`.
    pub fn new(ty: &ArrayType) -> ArrayLayout {
        ArrayLayout { element_size: storage_size(ty.element().storage) }
    }

    /// Bytes of the whole object with so many elements.
    pub fn size(&self, length: u32) -> u64 {
        self.element(length).next_multiple_of(8)
    }

    /// Offset of an element from the object's beginning.
    pub fn element(&self, index: u32) -> u64 {
        u64::from(OBJECT_HEADER) + u64::from(index) * u64::from(self.element_size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(storages: &[StorageType]) -> StructLayout {
        let fields: Vec<FieldType> = storages.iter().map(|s| FieldType { storage: *s, mutable: true }).collect();
        StructLayout::of_fields(&fields)
    }

    #[test]
    fn fields_are_aligned_and_prefixes_stay() {
        let val = StorageType::Val;
        let all = [
            StorageType::I8,
            StorageType::I16,
            val(ValType::ANYREF),
            val(ValType::FUNCREF),
            val(ValType::F32),
            val(ValType::V128),
            StorageType::I8,
            val(ValType::I64),
        ];
        let whole = layout(&all);
        assert_eq!(*whole.fields, [8, 10, 12, 16, 24, 32, 48, 56]);
        assert_eq!(whole.size, 64);
        for count in 0..all.len() {
            assert_eq!(*layout(&all[..count]).fields, whole.fields[..count]);
        }
        assert_eq!(layout(&[]).size, 8);
        assert_eq!(layout(&[StorageType::I8]).size, 16);
    }

    #[test]
    fn arrays_are_as_large_as_their_elements_rounded_up() {
        let bytes = ArrayLayout { element_size: 1 };
        assert_eq!((bytes.size(0), bytes.size(1), bytes.size(8), bytes.size(9)), (8, 16, 16, 24));
        let vectors = ArrayLayout { element_size: 16 };
        assert_eq!(vectors.element(u32::MAX), 8 + 16 * 0xffff_ffff);
        assert_eq!(vectors.size(u32::MAX), vectors.element(u32::MAX));
    }
}
