//! A heap of garbage-collected objects for the harness: whenever its help is asked for, all objects move, and where they were
//! becomes inaccessible. A reference that the code's table of roots does not tell of faults when it is used.

use super::harness::Fake;
use crate::compile::layout::*;
use crate::module::Module;
use crate::types::layout::{ArrayLayout, OBJECT_HEADER, StructLayout};
use crate::types::{DefType, Hierarchy, StorageType};

/// Address space of the heap: what references can reach.
const SIZE: usize = 4 << 30;
/// Where objects lie, by turns.
const HALVES: [u64; 2] = [1 << 20, 2 << 30];
/// Bytes of each half.
const HALF: usize = 16 << 20;
/// The words of a `GcType`.
const TYPE_WORDS: usize = 16;

/// The heap.
pub struct Heap {
    base: u64,
    /// Which half is in use.
    half: usize,
    /// How often all objects moved.
    pub moves: usize,
    shapes: Vec<Option<Shape>>,
    /// Not changed once `table` points to them.
    types: Vec<[u32; TYPE_WORDS]>,
    table: Vec<u64>,
}

/// What a move must know of a type.
enum Shape {
    Struct { size: u64, references: Vec<u32> },
    Array { element_size: u64, references: bool },
}

fn is_reference(storage: StorageType) -> bool {
    matches!(storage, StorageType::Val(ty) if ty.hierarchy() == Some(Hierarchy::Any))
}

fn shape(ty: &DefType) -> Option<Shape> {
    match ty {
        DefType::Func(_) => None,
        DefType::Struct(ty) => {
            let layout = StructLayout::new(ty);
            let fields = ty.fields().iter().zip(&layout.fields);
            let references = fields.filter(|(field, _)| is_reference(field.storage)).map(|(_, at)| *at).collect();
            Some(Shape::Struct { size: layout.size.into(), references })
        }
        DefType::Array(ty) => {
            let element_size = ArrayLayout::new(ty).element_size.into();
            Some(Shape::Array { element_size, references: is_reference(ty.element().storage) })
        }
    }
}

impl Heap {
    /// A heap for objects of a module's types, whose ids are given.
    pub fn new(module: &Module, ids: &[u32]) -> Heap {
        // SAFETY: a new mapping.
        let base = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            libc::mmap(std::ptr::null_mut(), SIZE, libc::PROT_NONE, flags, -1, 0)
        };
        assert_ne!(base, libc::MAP_FAILED);
        let count = ids.iter().max().map_or(0, |id| *id as usize + 1);
        let mut heap = Heap {
            base: base as u64,
            half: 0,
            moves: 0,
            shapes: (0..count).map(|_| None).collect(),
            types: Vec::new(),
            table: vec![0; count],
        };
        let id_of = |ty: &DefType| ids[module.types.iter().position(|t| t == ty).unwrap()];
        for (ty, id) in module.types.iter().zip(ids) {
            let mut words = [u32::MAX - 3; TYPE_WORDS];
            let display = (GC_TYPE_DISPLAY / 4) as usize;
            let above = ty.supertypes().iter().map(|above| id_of(&above.resolve().unwrap()));
            let kind = if matches!(ty, DefType::Array(_)) { GC_KIND_ARRAY } else { GC_KIND_STRUCT };
            words[..3].copy_from_slice(&[*id, ty.supertypes().len() as u32, kind]);
            for (i, id) in above.chain([*id]).enumerate() {
                words[display + i] = id;
            }
            heap.types.push(words);
            heap.shapes[*id as usize] = shape(ty);
        }
        for (words, id) in heap.types.iter().zip(ids) {
            heap.table[*id as usize] = words.as_ptr() as u64;
        }
        heap.protect(0, libc::PROT_READ | libc::PROT_WRITE);
        heap
    }

    fn protect(&self, half: usize, protection: i32) {
        // SAFETY: part of the mapping.
        let done = unsafe { libc::mprotect((self.base + HALVES[half]) as *mut _, HALF, protection) };
        assert_eq!(done, 0);
    }

    /// What a store has of it.
    pub fn enter(&self, store: &mut [u64]) {
        store[STORE_GC_BASE as usize / 8] = self.base;
        store[STORE_GC_TYPES as usize / 8] = self.table.as_ptr() as u64;
        store[STORE_GC_NEXT as usize / 8] = HALVES[self.half];
    }

    fn word(&self, reference: u64) -> *mut u32 {
        (self.base + reference) as *mut u32
    }

    /// Visits the references in all objects up to `end`.
    fn each_reference(&self, end: u64, mut visit: impl FnMut(*mut u32)) {
        let mut at = HALVES[self.half];
        while at < end {
            // SAFETY: objects lie one behind the other, each with a header.
            let [ty, length] = unsafe { *self.word(at).cast::<[u32; 2]>() };
            match self.shapes[ty as usize].as_ref().expect("objects have a type") {
                Shape::Struct { size, references } => {
                    assert_eq!(length, 0, "a structure has no length");
                    references.iter().for_each(|offset| visit(self.word(at + u64::from(*offset))));
                    at += size;
                }
                Shape::Array { element_size, references } => {
                    let first = at + u64::from(OBJECT_HEADER);
                    let elements = 0..if *references { u64::from(length) } else { 0 };
                    elements.for_each(|i| visit(self.word(first + i * element_size)));
                    at = (first + u64::from(length) * element_size).next_multiple_of(8);
                }
            }
        }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: the mapping is not used any more.
        unsafe { libc::munmap(self.base as *mut _, SIZE) };
    }
}

impl Fake {
    /// `gc_alloc`: everything moves.
    pub fn allocate(&mut self, ty: u64, length: u64, size: u64, fp: u64, pc: u64) -> u64 {
        let mut places = self.roots(fp, pc);
        let heap = &mut self.heap;
        let next = self.store[STORE_GC_NEXT as usize / 8];
        let (from, to) = (HALVES[heap.half], HALVES[1 - heap.half]);
        heap.protect(1 - heap.half, libc::PROT_READ | libc::PROT_WRITE);
        // SAFETY: both halves are accessible.
        unsafe { std::ptr::copy(heap.word(from).cast::<u8>(), heap.word(to).cast(), (next - from) as usize) };
        heap.protect(heap.half, libc::PROT_NONE);
        heap.half = 1 - heap.half;
        heap.moves += 1;
        let moved = to + (next - from);
        heap.each_reference(moved, |place| places.push(place));
        for place in places {
            // SAFETY: places of references, in frames, cells or objects.
            unsafe {
                let reference = *place;
                if reference == 0 || reference & 1 == 1 {
                    continue;
                }
                let old = u64::from(reference);
                assert!((from..next).contains(&old) && old % 8 == 0, "{reference:#x} is not the object it should be");
                *place = (old - from + to) as u32;
            }
        }
        // SAFETY: within the half, which the tests do not fill.
        unsafe { *heap.word(moved).cast::<[u32; 2]>() = [ty as u32, length as u32] };
        assert!(moved + size <= to + HALF as u64);
        self.store[STORE_GC_NEXT as usize / 8] = moved + size;
        moved
    }
}
