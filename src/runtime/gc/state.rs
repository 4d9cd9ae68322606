//! What a store has for garbage-collected objects: the heap, made when it is first needed, and its types. And allocation, which
//! may collect: then every reference moves that is not in a frame's map, in an object, or [rooted](super::roots).

use super::heap::{Heap, Statistics};
use super::object::HEADER;
use super::roots::Roots;
use super::types::Types;
use crate::runtime::collect;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::object::Object;
use crate::runtime::store::Store;
use crate::runtime::store_limits::{Exceeded, Resource};
use crate::types::DefType;
use std::cell::{OnceCell, RefCell};

/// The part of a store that has to do with garbage-collected objects.
#[derive(Debug, Default)]
pub struct State {
    heap: OnceCell<Heap>,
    pub(in crate::runtime) types: RefCell<Types>,
    pub(in crate::runtime) roots: Roots,
    /// The objects that running callbacks were lent as arguments, the innermost callback's last; null before those of each.
    pub(super) lent: RefCell<Vec<*const Object>>,
}

/// Bytes of a heap for each group of the store that a collection looks at.
const BYTES_PER_GROUP: u64 = 64;

impl State {
    /// The heap, if the store has one.
    pub fn heap(&self) -> Option<&Heap> {
        self.heap.get()
    }
}

impl Store {
    /// The heap of the store, made now if it has none.
    pub fn heap(&self) -> Result<&Heap, Error> {
        if let Some(heap) = self.gc.heap() {
            return Ok(heap);
        }
        let config = self.engine().config();
        // SAFETY: the store's context lives as long as the store, and so as its heap.
        let window = unsafe { &raw mut (*self.context()).gc };
        let heap = Heap::new(window, config.gc_heap_limit, config.collect_always)?;
        heap.restrict(self.limits().most(Resource::HeapBytes));
        Ok(self.gc.heap.get_or_init(|| heap))
    }

    /// Makes the structure and array types among these known to the store, and a heap if there is none. The caller
    /// makes sure that they are kept by the engine.
    pub fn register_types(&self, types: &[DefType]) -> Result<(), Error> {
        self.heap()?;
        let mut known = self.gc.types.borrow_mut();
        for ty in types {
            known.add(ty);
        }
        // SAFETY: only the store's thread is here.
        unsafe { (*self.context()).gc.types = known.table() };
        Ok(())
    }

    /// A new object of a type that the store knows, zeroed behind its header; `length` is 0 for a structure. May collect.
    pub fn gc_allocate(&self, type_index: u32, length: u32) -> Result<u32, Error> {
        let size = self.gc.types.borrow().size(type_index, length);
        let place = self.gc_place(size)?;
        self.begin_object(place, type_index, length, size)
    }

    /// As [`Store::gc_allocate`], but nothing moves: the heap grows up to its limit.
    pub fn gc_allocate_quietly(&self, type_index: u32, length: u32) -> Result<u32, Error> {
        let size = self.gc.types.borrow().size(type_index, length);
        let place = self.gc_place_quietly(size)?;
        self.begin_object(place, type_index, length, size)
    }

    fn begin_object(&self, place: u32, type_index: u32, length: u32, size: u64) -> Result<u32, Error> {
        let heap = self.heap()?;
        // SAFETY: the heap gave the place, of that size.
        unsafe {
            heap.write_header(place, type_index, length);
            heap.at(place).add(HEADER as usize).write_bytes(0, size as usize - HEADER as usize);
        }
        Ok(place)
    }

    /// A place of `size` bytes in the heap, of which nothing is written: the caller does before anything else is
    /// allocated. May collect.
    pub(super) fn gc_place(&self, size: u64) -> Result<u32, Error> {
        let heap = self.heap()?;
        if self.engine().config().collect_always {
            collect::collect(self);
        } else if let Some(place) = heap.bump(size) {
            return Ok(place);
        }
        if size > heap.limit() {
            return Err(full(heap, size));
        }
        if let Some(place) = heap.bump(size) {
            return Ok(place);
        }
        collect::collect(self);
        self.gc_resize(size);
        heap.bump(size).ok_or_else(|| full(heap, size))
    }

    /// Gives the heap, if there is one, the size that is right for what it holds and `size` bytes more.
    pub(in crate::runtime) fn gc_resize(&self, size: u64) {
        if let Some(heap) = self.gc.heap() {
            heap.resize(size, self.group_count.get() as u64 * BYTES_PER_GROUP);
        }
    }

    pub(super) fn gc_place_quietly(&self, size: u64) -> Result<u32, Error> {
        let heap = self.heap()?;
        if let Some(place) = heap.bump(size) {
            return Ok(place);
        }
        if heap.grow(size)
            && let Some(place) = heap.bump(size)
        {
            return Ok(place);
        }
        Err(full(heap, size))
    }

    /// Figures about the heap; zeros if the store has none.
    pub fn gc_statistics(&self) -> Statistics {
        self.gc.heap().map_or(Statistics::default(), Heap::statistics)
    }
}

fn full(heap: &Heap, size: u64) -> Error {
    let (used, limit) = (heap.used(), heap.limit());
    if heap.is_restricted() && used.saturating_add(size) > limit {
        return Exceeded { resource: Resource::HeapBytes, most: limit, used, wanted: size }.into();
    }
    let why = if used.saturating_add(size) > limit { "the store's heap of objects is full" } else { "out of memory" };
    let message = format!("{why}: {size} bytes are wanted, {used} of at most {limit} bytes are in use");
    Error::new(ErrorKind::Memory, message)
}
