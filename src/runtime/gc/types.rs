//! The structure and array types of a store, by canonical index: what generated code asks in casts (`GcType`), and what the
//! collector asks about objects (`Shape`).
//!
//! ```text
//!  StoreContext.gc.types --> | GcType* | null | GcType* | ...        by canonical index
//!                                |
//!                                +-> id, depth, kind, display: ids of the types above, the outermost first, and itself
//! ```
//! A store learns of types from the instances that are made in it, and from the host. The engine keeps the types.

use super::shape::{Holds, Shape};
use crate::compile::layout::{GC_DISPLAY, GC_KIND_ARRAY, GC_KIND_STRUCT};
use crate::types::layout::{ArrayLayout, StructLayout};
use crate::types::{DefType, Hierarchy, RefType, StorageType, ValType};
use std::ptr;

/// What generated code knows of a structure or array type.
#[repr(C, align(8))]
#[derive(Debug)]
pub struct GcType {
    /// Canonical id.
    pub id: u32,
    /// How many types are above it.
    pub depth: u32,
    /// `GC_KIND_STRUCT` or `GC_KIND_ARRAY`.
    pub kind: u32,
    reserved: u32,
    /// The beginning of the display.
    pub display: [u32; GC_DISPLAY as usize],
}

/// Words of a `GcType` before its display.
const FIXED: usize = 4;
/// What is the id of no type.
const NO_ID: u32 = u32::MAX - 3;

/// The types of a store.
#[derive(Debug, Default)]
pub struct Types {
    /// What generated code sees. Moves when it grows.
    table: Vec<*const GcType>,
    shapes: Vec<Shape>,
    entries: Vec<Option<Entry>>,
}

/// A type of the store.
#[derive(Debug)]
struct Entry {
    /// The `GcType`, as words: at least as many as it has, and aligned like it.
    _words: Box<[u64]>,
    ty: DefType,
}

impl Types {
    /// Adds a type, unless it is there already or is a function type.
    pub fn add(&mut self, ty: &DefType) {
        if self.contains(ty) {
            return;
        }
        let index = ty.id().index() as usize;
        let (kind, shape) = match ty {
            DefType::Func(_) => return,
            DefType::Struct(ty) => {
                let layout = StructLayout::new(ty);
                let fields = ty.fields().iter().zip(&layout.fields);
                let fields = fields.map(|(field, offset)| (*offset, holds(field.storage)));
                (GC_KIND_STRUCT, Shape::of_structure(layout.size, fields))
            }
            DefType::Array(ty) => {
                let element = ArrayLayout::new(ty).element_size;
                (GC_KIND_ARRAY, Shape::Array { element, holds: holds(ty.element().storage) })
            }
        };
        if self.table.len() <= index {
            let size = (index + 1).next_power_of_two();
            self.table.resize(size, ptr::null());
            self.shapes.resize(size, Shape::None);
            self.entries.resize_with(size, || None);
        }
        let words = words(ty, kind);
        self.table[index] = words.as_ptr().cast();
        self.shapes[index] = shape;
        self.entries[index] = Some(Entry { _words: words, ty: ty.clone() });
    }

    /// Whether the type is there already.
    pub fn contains(&self, ty: &DefType) -> bool {
        self.table.get(ty.id().index() as usize).is_some_and(|entry| !entry.is_null())
    }

    /// What generated code sees: `GcType`s by index. Valid until a type is added.
    pub fn table(&self) -> *const *const GcType {
        self.table.as_ptr()
    }

    /// Bytes of an object of a type that is there.
    pub fn size(&self, index: u32, length: u32) -> u64 {
        self.shapes[index as usize].size(length)
    }

    /// The shapes, by index.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The type with this index, if the store knows it.
    pub fn get(&self, index: u32) -> Option<&DefType> {
        self.entries.get(index as usize)?.as_ref().map(|entry| &entry.ty)
    }
}

/// A `GcType` and its whole display.
fn words(ty: &DefType, kind: u32) -> Box<[u64]> {
    let above = ty.supertypes();
    let mut words = vec![ty.id().index(), above.len() as u32, kind, 0];
    words.extend(above.iter().map(|ty| ty.index()));
    words.push(ty.id().index());
    let least = FIXED + GC_DISPLAY as usize;
    words.resize(words.len().max(least).next_multiple_of(2), NO_ID);
    words.chunks(2).map(|pair| u64::from(pair[1]) << 32 | u64::from(pair[0])).collect()
}

/// What a value in an object is to the collector.
fn holds(storage: StorageType) -> Holds {
    match storage {
        StorageType::Val(ValType::Ref(RefType { heap, .. })) => match heap.hierarchy() {
            Hierarchy::Any => Holds::Reference,
            Hierarchy::Func | Hierarchy::Extern | Hierarchy::Exn => Holds::Pointer,
        },
        _ => Holds::Number,
    }
}

/// Whether a type has values that are references to objects of a heap.
pub fn is_any(ty: ValType) -> bool {
    ty.hierarchy() == Some(Hierarchy::Any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{CompositeType, DefKind, FieldType, SubType, TypeId, register};

    fn structure(supertype: Option<TypeId>, fields: &[StorageType]) -> SubType {
        let fields = fields.iter().map(|storage| FieldType { storage: *storage, mutable: true }).collect();
        SubType { is_final: false, supertype, composite: CompositeType::Struct(fields) }
    }

    fn display(types: &Types, ty: &DefType) -> (u32, u32, u32, Vec<u32>) {
        // SAFETY: the type was added; a display has as many entries as are read.
        unsafe {
            let entry = *types.table().add(ty.id().index() as usize);
            let entries = ((*entry).depth + 1).max(GC_DISPLAY) as usize;
            let display = entry.cast::<u32>().add(FIXED);
            ((*entry).id, (*entry).depth, (*entry).kind, (0..entries).map(|i| *display.add(i)).collect())
        }
    }

    #[test]
    fn displays_have_the_types_above() {
        let own = |place| TypeId::in_group(place, DefKind::Struct);
        let chain: Vec<SubType> =
            (0..12).map(|i: u32| structure(i.checked_sub(1).map(own), &[StorageType::Val(ValType::F64)])).collect();
        let chain = register(chain).unwrap();
        let mut types = Types::default();
        for ty in chain.iter().rev() {
            types.add(ty);
        }
        let ids: Vec<u32> = chain.iter().map(|ty| ty.id().index()).collect();
        let mut first = ids[..3].to_vec();
        first.resize(GC_DISPLAY as usize, NO_ID);
        assert_eq!(display(&types, &chain[2]), (ids[2], 2, GC_KIND_STRUCT, first));
        assert_eq!(display(&types, &chain[11]), (ids[11], 11, GC_KIND_STRUCT, ids));
        assert_eq!(types.get(chain[5].id().index()), Some(&chain[5]));
    }

    #[test]
    fn shapes_know_the_references() {
        let val = StorageType::Val;
        let fields = [StorageType::I8, val(ValType::ANYREF), val(ValType::FUNCREF), val(ValType::I31REF)];
        let element = FieldType { storage: val(ValType::EXTERNREF), mutable: true };
        let array = SubType { is_final: true, supertype: None, composite: CompositeType::Array(element) };
        let ty = register(vec![structure(None, &fields), array]).unwrap();
        let mut types = Types::default();
        types.add(&ty[0]);
        types.add(&ty[1]);
        let shape = |ty: &DefType| types.shapes()[ty.id().index() as usize].clone();
        assert_eq!(shape(&ty[0]), Shape::Small { size: 32, references: 0b10010, pointers: 0b10 });
        assert_eq!(shape(&ty[1]), Shape::Array { element: 8, holds: Holds::Pointer });
        assert_eq!(display(&types, &ty[1]).2, GC_KIND_ARRAY);
    }
}
