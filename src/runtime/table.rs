//! Tables (section 4.2.7). An element is null, the address of an object, or, in a funcref table of an
//! instance, lazy: the index of one of its functions, whose `Func` is made when somebody asks. In a table of the `any`
//! hierarchy it is a reference of 32 bits.

use crate::runtime::collect::Visitor;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::gc::boxes;
use crate::runtime::growth::{self, GrowError, Growing, Growth};
use crate::runtime::instance::Instance;
use crate::runtime::object::{Object, ObjectKind, Standalone};
use crate::runtime::store::Store;
use crate::runtime::store_limits::{Amounts, Charge, Resource, ensure_room};
use crate::runtime::val::check_ref;
use crate::runtime::vmctx::TableDef;
use crate::types::{Hierarchy, Limits, TableType, ValType};
use std::alloc::{Layout, alloc_zeroed};
use std::cell::UnsafeCell;
use std::ptr;

/// The most elements that a table can have.
pub const MAX_ELEMENTS: u64 = 10_000_000;

/// A table: what a `wasm_table_t*` points to.
#[repr(C)]
#[derive(Debug)]
pub struct Table {
    /// The header.
    pub object: Object,
    /// Elements and length, for generated code.
    pub def: UnsafeCell<TableDef>,
    declared: TableType,
    elements: UnsafeCell<Vec<usize>>,
    /// The instance that lazy elements refer to; null for tables of the host.
    owner: *const Instance,
    /// What the store is charged for.
    charge: Charge,
}

/// The form of a lazy element: function `index` of the instance that owns the table.
pub fn lazy(index: u32) -> usize {
    (index as usize) << 1 | 1
}

impl Table {
    /// A table of the host's, with one handle, filled with `init`.
    pub fn new(store: &Store, ty: TableType, init: Option<&Object>) -> Result<*mut Table, Error> {
        check_ref(init, ty.element, store, &|| String::from("initial element of the table"))?;
        check_type(&ty, init.is_none())?;
        growth::admit_table(store, &ty)?;
        let charge = Charge::table(store, ty.limits.min)?;
        let init = init.map_or(ptr::null(), ptr::from_ref);
        let mut elements = allocate(&ty, boxes::inside(init, ty.element) as usize)?;
        store.engine().keep_type_in(ValType::Ref(ty.element));
        let table = Standalone::allocate(Some(store), ObjectKind::Table, |object| {
            let now = boxes::inside(init, ty.element) as usize;
            // The allocation may have moved what a reference refers to.
            if elements.first().is_some_and(|element| *element != now) {
                elements.fill(now);
            }
            Table::with_elements(object, ty, elements, ptr::null(), charge)
        });
        // SAFETY: just made.
        unsafe { (*table).object.group().leak() };
        Ok(table)
    }

    /// A table that `owner` defines, filled with `init`.
    pub fn new_in(object: Object, ty: TableType, owner: *const Instance, init: usize) -> Result<Table, Error> {
        check_type(&ty, init == 0)?;
        // SAFETY: a store outlives its objects.
        let charge = Charge::table(unsafe { &*object.store }, ty.limits.min)?;
        Ok(Table::with_elements(object, ty, allocate(&ty, init)?, owner, charge))
    }

    fn with_elements(
        object: Object,
        declared: TableType,
        mut elements: Vec<usize>,
        owner: *const Instance,
        charge: Charge,
    ) -> Table {
        let def = TableDef { elements: elements.as_mut_ptr(), length: elements.len() };
        Table { object, def: UnsafeCell::new(def), declared, elements: UnsafeCell::new(elements), owner, charge }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        // SAFETY: a store outlives its objects.
        unsafe { &*self.object.store }
    }

    /// The number of elements.
    pub fn size(&self) -> u64 {
        // SAFETY: a plain read of what only the store's thread changes.
        unsafe { (*self.def.get()).length as u64 }
    }

    /// The type, with the current size as its minimum.
    pub fn ty(&self) -> TableType {
        let limits = Limits { min: self.size(), max: self.declared.limits.max };
        TableType { limits, ..self.declared }
    }

    fn place(&self, index: u64) -> Option<*mut usize> {
        // SAFETY: as in `size`; the element is within the table.
        (index < self.size()).then(|| unsafe { (*self.def.get()).elements.add(index as usize) })
    }

    /// Whether the elements are of the `any` hierarchy.
    fn is_any(&self) -> bool {
        self.declared.element.heap.hierarchy() == Hierarchy::Any
    }

    /// The element at `index`, as it is inside WebAssembly, made real if it was lazy. None outside of the table.
    pub fn get(&self, index: u64) -> Option<usize> {
        let place = self.place(index)?;
        // SAFETY: within the table; a lazy element's owner lives as long as the table, being of its group.
        unsafe {
            if *place & 1 == 1 && !self.is_any() {
                *place = (*self.owner).func((*place >> 1) as u32) as usize;
            }
            Some(*place)
        }
    }

    /// The element at `index` for the host, with a handle of its own; null for null. None outside of the table.
    pub fn get_outside(&self, index: u64) -> Option<*const Object> {
        self.get(index)?;
        Some(boxes::outside(self.store(), self.declared.element, || self.get(index).unwrap_or(0) as u64))
    }

    /// Checks that a reference of the host may be an element, and notes that it leaves the host. Gives it as it is inside
    /// WebAssembly, until something is allocated.
    pub fn check(&self, value: Option<&Object>) -> Result<usize, Error> {
        check_ref(value, self.declared.element, self.store(), &|| String::from("element of the table"))?;
        self.object.group().leak();
        Ok(boxes::inside(value.map_or(ptr::null(), ptr::from_ref), self.declared.element) as usize)
    }

    /// Replaces the element at `index` by a checked reference. Whether there is one.
    pub fn set(&self, index: u64, value: usize) -> bool {
        match self.place(index) {
            // SAFETY: within the table.
            Some(place) => unsafe { *place = value },
            None => return false,
        }
        true
    }

    /// Grows by `delta` elements of a checked reference (section 4.5.3, growing tables). Gives the old size. The host may be
    /// asked and told: the caller holds the table and the reference.
    pub fn grow(&self, delta: u64, init: usize) -> Result<u64, GrowError> {
        let old = self.size();
        let maximum = self.declared.limits.max.unwrap_or(u64::MAX);
        let new = old.checked_add(delta).filter(|new| *new <= maximum.min(MAX_ELEMENTS)).ok_or(GrowError::Maximum)?;
        if delta == 0 {
            return Ok(old);
        }
        let store = self.store();
        // The host may be asked, and objects may move meanwhile.
        let scope = store.gc.roots.scope();
        let rooted = self.is_any().then(|| scope.root(init as u32));
        let mut wanted = Amounts::default();
        wanted[Resource::TableElements as usize] = delta;
        ensure_room(store, &wanted)?;
        let item = &raw const self.object;
        let mut growth = Growth { item, kind: Growing::Table, moved: false, old_size: old, new_size: new, maximum };
        store.growth().before(&growth)?;
        self.charge.more(delta)?;
        // SAFETY: only the store's thread is here, and nobody keeps a reference to the vector.
        let elements = unsafe { &mut *self.elements.get() };
        let place = elements.as_ptr();
        if elements.try_reserve(delta as usize).is_err() {
            self.charge.less(delta);
            return Err(GrowError::System);
        }
        let init = rooted.map_or(init, |reference| reference.get() as usize);
        elements.resize(new as usize, init);
        growth.moved = elements.as_ptr() != place;
        // SAFETY: as above.
        unsafe { *self.def.get() = TableDef { elements: elements.as_mut_ptr(), length: elements.len() } };
        store.growth().after(&growth);
        Ok(old)
    }

    /// Fills `dst..dst + len` with a checked reference. Whether the table has that part.
    pub fn fill(&self, dst: u64, value: usize, len: u64) -> bool {
        let Some(part) = self.part(dst, len) else { return false };
        part.fill(value);
        true
    }

    /// Copies elements between tables, or within one. Whether both have the part.
    pub fn copy(&self, dst: u64, from: &Table, src: u64, len: u64) -> bool {
        if self.part(dst, len).is_none() || from.part(src, len).is_none() {
            return false;
        }
        if !ptr::eq(self, from)
            && from.declared.element.heap.hierarchy() == Hierarchy::Func
            && !ptr::eq(self.owner, from.owner)
        {
            for i in src..src + len {
                from.get(i);
            }
        }
        // SAFETY: both parts were checked; `copy` allows them to overlap.
        unsafe {
            let to = (*self.def.get()).elements.add(dst as usize);
            let at = (*from.def.get()).elements.add(src as usize);
            ptr::copy(at, to, len as usize);
        }
        true
    }

    /// The elements `start..start + len`, raw, if the table has them.
    #[allow(clippy::mut_from_ref)]
    pub fn part(&self, start: u64, len: u64) -> Option<&mut [usize]> {
        let end = start.checked_add(len)?;
        if end > self.size() {
            return None;
        }
        // SAFETY: within the table; the caller uses the slice at once and keeps no other.
        Some(unsafe { std::slice::from_raw_parts_mut((*self.def.get()).elements.add(start as usize), len as usize) })
    }

    /// Whether lazy elements of `instance` may be put into the table.
    pub fn is_owned_by(&self, instance: *const Instance) -> bool {
        ptr::eq(self.owner, instance)
    }

    /// Visits the references in it. Returns the words looked at.
    pub fn trace(&self, visitor: &mut dyn Visitor) -> usize {
        // SAFETY: only the store's thread is here.
        let elements = unsafe { &mut *self.elements.get() };
        for element in &mut *elements {
            if self.is_any() {
                visitor.reference(ptr::from_mut(element).cast());
            } else if *element != 0 && *element & 1 == 0 {
                visitor.object(*element as *const Object);
            }
        }
        elements.len()
    }
}

/// Whether a table can be of this type, with elements that are null at first or not.
fn check_type(ty: &TableType, is_null: bool) -> Result<(), Error> {
    let Limits { min, max } = ty.limits;
    if max.is_some_and(|max| min > max) {
        let message = format!("table type: the minimum of {min} elements is above the maximum of {}", max.unwrap_or(0));
        return Err(Error::argument(message));
    }
    if min > MAX_ELEMENTS {
        let message = format!("table type: {min} elements are more than the {MAX_ELEMENTS} that a table can have");
        return Err(Error::new(ErrorKind::Limit, message));
    }
    if is_null && !ty.element.nullable {
        return Err(Error::argument(format!("table of {}: the initial element is null", ty.element)));
    }
    Ok(())
}

fn allocate(ty: &TableType, init: usize) -> Result<Vec<usize>, Error> {
    let min = ty.limits.min;
    let elements = if init == 0 { zeroed(min as usize) } else { filled(min as usize, init) };
    elements.ok_or_else(|| Error::new(ErrorKind::Memory, format!("no memory for a table of {min} elements")))
}

fn filled(count: usize, value: usize) -> Option<Vec<usize>> {
    let mut elements = Vec::new();
    elements.try_reserve_exact(count).ok()?;
    elements.resize(count, value);
    Some(elements)
}

/// Zeroed memory comes from the system without being touched.
fn zeroed(count: usize) -> Option<Vec<usize>> {
    if count == 0 {
        return Some(Vec::new());
    }
    let layout = Layout::array::<usize>(count).ok()?;
    // SAFETY: the layout is not empty.
    let elements = unsafe { alloc_zeroed(layout) }.cast::<usize>();
    // SAFETY: fresh memory of the global allocator, with room for `count` elements, all of them zero.
    (!elements.is_null()).then(|| unsafe { Vec::from_raw_parts(elements, count, count) })
}
