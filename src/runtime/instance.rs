//! Module instances (section 4.2.5).
//!
//! ```text
//!  one allocation:   | Instance (bookkeeping) | vmctx (what generated code sees; compile/layout.rs) |
//!                    | memories | tables | tags (those it defines) | imports | dropped segments, a bit each |
//! ```
//! Where the parts begin is the same for all instances of a module ([`InstanceParts`]). What most instances never have
//! (objects for functions and globals) has an allocation of its own when it is first asked for.
//!
//! An instance and the functions, tables, memories and globals it defines are one group: they live and die
//! together. What it imports it pins. `Func`s and `Global`s for the host are made when they are first asked for.

use crate::compile::layout::VmctxLayout;
use crate::module::{DataSegment, ExternKind, Module, SegmentMode};
use crate::runtime::collect::Visitor;
use crate::runtime::func::Func;
use crate::runtime::global::{Global, trace_cell, trace_word};
use crate::runtime::lease::Lease;
use crate::runtime::memory::Memory;
use crate::runtime::module::CompiledModule;
use crate::runtime::object::{Group, Object, ObjectKind};
use crate::runtime::store::Store;
use crate::runtime::store_limits::Resource;
use crate::runtime::table::Table;
use crate::runtime::tag::Tag;
use crate::runtime::trampoline;
use crate::runtime::vmctx::{GlobalCell, ImportedFunc, Vmctx};
use crate::types::ValType;
use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::{Cell, UnsafeCell};
use std::sync::Arc;
use std::{ptr, slice};

/// An instance: what a `wasm_instance_t*` points to.
#[repr(C)]
#[derive(Debug)]
pub struct Instance {
    /// The header.
    pub object: Object,
    /// The group of this instance and all it defines.
    pub group: Group,
    module: Lease<CompiledModule>,
    /// The functions that were asked for, the newest first, linked through `next`.
    funcs: Cell<*mut Func>,
    more: UnsafeCell<Option<Box<More>>>,
    /// How many of the memories, tables and tags that it defines are made: all, once it is complete.
    memory_count: Cell<u32>,
    table_count: Cell<u32>,
    tag_count: Cell<u32>,
}

/// What few instances have.
#[derive(Debug, Default)]
struct More {
    /// The functions that were asked for by index of defined function, null where none was. Empty while there are few.
    by_index: Vec<*mut Func>,
    /// The globals that were asked for, with their index.
    #[allow(clippy::vec_box)]
    globals: Vec<(u32, Box<Global>)>,
    /// The elements of segments whose expressions make objects, by segment. Empty if there are none.
    elements: Vec<Option<Box<[u64]>>>,
}

/// With so many functions or fewer, one is looked for among all.
const FEW: usize = 8;

/// Where the vmctx begins in the allocation.
const VMCTX_OFFSET: usize = size_of::<Instance>().next_multiple_of(16);

/// Where the parts of a module's instances lie, from the beginning of the allocation.
#[derive(Debug)]
pub struct InstanceParts {
    memories: usize,
    tables: usize,
    tags: usize,
    imports: usize,
    import_count: usize,
    dropped: usize,
    dropped_count: usize,
    layout: Layout,
}

impl InstanceParts {
    /// The parts of instances of `module`.
    pub fn new(module: &Module, vmctx: &VmctxLayout) -> InstanceParts {
        let defined = |all: usize, imported: u32| all - imported as usize;
        let memories = VMCTX_OFFSET + (vmctx.size() as usize).next_multiple_of(16);
        let tables = memories + defined(module.memories.len(), module.imported_memories) * size_of::<Memory>();
        let tags = tables + defined(module.tables.len(), module.imported_tables) * size_of::<Table>();
        let imports = tags + defined(module.tags.len(), module.imported_tags) * size_of::<Tag>();
        let import_count = module.imports.len();
        let dropped = imports + import_count * size_of::<*const Object>();
        let dropped_count = (module.elements.len() + module.data.len()).div_ceil(64);
        let size = dropped + dropped_count * size_of::<u64>();
        // A size that no layout can have is more than there is memory.
        let layout = Layout::from_size_align(size, 16).unwrap_or(Layout::new::<Instance>());
        InstanceParts { memories, tables, tags, imports, import_count, dropped, dropped_count, layout }
    }
}

const _: () = assert!(align_of::<Memory>() == 8 && align_of::<Table>() == 8 && align_of::<Tag>() == 8);

impl Instance {
    /// Allocates an instance whose imports are entered and pinned, and nothing else: no memories, tables or values of
    /// globals. It has one handle. `imports` match the module's in number, kind and store. None if memory is exhausted.
    pub(in crate::runtime) fn allocate(
        store: &Store,
        module: &Arc<CompiledModule>,
        imports: &[*const Object],
    ) -> Option<*mut Instance> {
        store.before_allocation();
        let parts = &module.parts;
        // SAFETY: the layout is at least as large as an `Instance`, and so not empty.
        let place = unsafe { alloc_zeroed(parts.layout) }.cast::<Instance>();
        if place.is_null() {
            return None;
        }
        // SAFETY: fresh memory of the right size and alignment.
        unsafe {
            let group = &raw mut (*place).group;
            place.write(Instance {
                object: Object::new(store, group, ObjectKind::Instance),
                group: Group::new(store),
                module: Lease::new(module),
                funcs: Cell::new(ptr::null_mut()),
                more: UnsafeCell::default(),
                memory_count: Cell::new(0),
                table_count: Cell::new(0),
                tag_count: Cell::new(0),
            });
            ptr::copy_nonoverlapping(imports.as_ptr(), (*place).part(parts.imports), parts.import_count);
            (*place).group.root.set(place.cast());
            (*place).fill_vmctx(store);
            (*place).each_import(|group| group.pins.set(group.pins.get() + 1));
            store.adopt(&(*place).group);
            Some(place)
        }
    }

    unsafe fn fill_vmctx(&mut self, store: &Store) {
        let vmctx = self.vmctx();
        let instance = ptr::from_mut(self);
        // SAFETY: the vmctx is as large as the layout says; imports are of the kinds that the module declares.
        unsafe {
            *vmctx = Vmctx {
                store: store.context(),
                builtins: trampoline::TRAMPOLINES.as_ptr(),
                code_table: self.module.code_table.as_ptr(),
                type_ids: self.module.type_ids.as_ptr(),
                instance,
            };
            let (mut funcs, mut tables, mut memories, mut globals, mut tags) = (0, 0, 0, 0, 0);
            for (import, object) in self.module.module.imports.iter().zip(self.imports()) {
                match import.kind {
                    ExternKind::Func => {
                        let func = object.cast::<Func>().cast_mut();
                        let entry = ImportedFunc { slot: (*func).slot, vmctx: (*func).vmctx, func };
                        *self.at(self.module.layout.imported_function(funcs)) = entry;
                        funcs += 1;
                    }
                    ExternKind::Table => {
                        *self.at(self.module.layout.table(tables)) = (*object.cast::<Table>()).def.get();
                        tables += 1;
                    }
                    ExternKind::Memory => {
                        self.enter_memory(memories, &*object.cast::<Memory>());
                        memories += 1;
                    }
                    ExternKind::Global => {
                        *self.at(self.module.layout.imported_global(globals)) = (*object.cast::<Global>()).cell;
                        globals += 1;
                    }
                    ExternKind::Tag => {
                        *self.at(self.module.layout.tag(tags)) = object.cast::<Tag>();
                        tags += 1;
                    }
                }
            }
        }
    }

    /// Enters a memory in the vmctx.
    ///
    /// # Safety
    /// `index` is in the module's index space.
    pub(in crate::runtime) unsafe fn enter_memory(&self, index: u32, memory: &Memory) {
        let entry = crate::runtime::vmctx::VmMemory { base: memory.address(), def: memory.def() };
        // SAFETY: the caller's promise.
        unsafe { *self.at(self.module.layout.memory(index)) = entry };
    }

    /// A place in the vmctx.
    pub(in crate::runtime) fn at<T>(&self, offset: u32) -> *mut T {
        self.vmctx().cast::<u8>().wrapping_add(offset as usize).cast()
    }

    /// A place in the allocation.
    fn part<T>(&self, offset: usize) -> *mut T {
        ptr::from_ref(self).cast::<u8>().wrapping_add(offset).cast_mut().cast()
    }

    /// What was imported, in the order of the imports.
    pub fn imports(&self) -> &[*const Object] {
        let parts = &self.module.parts;
        // SAFETY: filled at allocation; nobody changes it.
        unsafe { slice::from_raw_parts(self.part(parts.imports), parts.import_count) }
    }

    /// The memories that it defines, as far as they are made. Their addresses do not change.
    pub fn memories(&self) -> &[Memory] {
        // SAFETY: so many were put there.
        unsafe { slice::from_raw_parts(self.part(self.module.parts.memories), self.memory_count.get() as usize) }
    }

    /// The tables that it defines, as far as they are made. Their addresses do not change.
    pub fn tables(&self) -> &[Table] {
        // SAFETY: as for memories.
        unsafe { slice::from_raw_parts(self.part(self.module.parts.tables), self.table_count.get() as usize) }
    }

    /// The tags that it defines, as far as they are made. Their addresses do not change.
    pub fn tags(&self) -> &[Tag] {
        // SAFETY: as for memories.
        unsafe { slice::from_raw_parts(self.part(self.module.parts.tags), self.tag_count.get() as usize) }
    }

    /// Puts the next of the memories that the module defines into its place.
    ///
    /// # Safety
    /// There is one more.
    pub(in crate::runtime) unsafe fn put_memory(&self, memory: Memory) -> &Memory {
        // SAFETY: the caller's promise.
        unsafe { self.put(self.module.parts.memories, &self.memory_count, memory) }
    }

    /// Puts the next of the tables that the module defines into its place.
    ///
    /// # Safety
    /// There is one more.
    pub(in crate::runtime) unsafe fn put_table(&self, table: Table) -> &Table {
        // SAFETY: the caller's promise.
        unsafe { self.put(self.module.parts.tables, &self.table_count, table) }
    }

    /// Puts the next of the tags that the module defines into its place.
    ///
    /// # Safety
    /// There is one more.
    pub(in crate::runtime) unsafe fn put_tag(&self, tag: Tag) -> &Tag {
        // SAFETY: the caller's promise.
        unsafe { self.put(self.module.parts.tags, &self.tag_count, tag) }
    }

    /// # Safety
    /// At `offset` there is room for more than `count` of them.
    unsafe fn put<T>(&self, offset: usize, count: &Cell<u32>, item: T) -> &T {
        let place = self.part::<T>(offset).wrapping_add(count.get() as usize);
        // SAFETY: the caller's promise; the place holds nothing yet.
        unsafe { place.write(item) };
        count.set(count.get() + 1);
        // SAFETY: just written; it stays there as long as the instance.
        unsafe { &*place }
    }

    /// The vmctx.
    pub fn vmctx(&self) -> *mut Vmctx {
        ptr::from_ref(self).cast::<u8>().wrapping_add(VMCTX_OFFSET).cast_mut().cast()
    }

    /// The module.
    pub fn module(&self) -> &Arc<CompiledModule> {
        &self.module
    }

    fn decl(&self) -> &Module {
        &self.module.module
    }

    /// The object that was imported as the `nth` of its kind.
    fn imported(&self, kind: ExternKind, nth: u32) -> *const Object {
        let mut of_kind = self.decl().imports.iter().zip(self.imports()).filter(|(import, _)| import.kind == kind);
        of_kind.nth(nth as usize).map_or(ptr::null(), |(_, object)| *object)
    }

    /// A function of the index space, as an object. The index is valid.
    pub fn func(&self, index: u32) -> *mut Func {
        let Some(defined) = self.decl().defined_func(index) else {
            // SAFETY: filled at allocation.
            return unsafe { (*self.at::<ImportedFunc>(self.module.layout.imported_function(index))).func };
        };
        // SAFETY: only the store's thread is here, and no reference to what was made is kept.
        let more = unsafe { (*self.more.get()).as_deref_mut() };
        let by_index = more.map_or(&mut [][..], |more| &mut more.by_index[..]);
        let known = match by_index.get(defined as usize) {
            Some(func) => Some(*func).filter(|func| !func.is_null()),
            // SAFETY: functions that were made live as long as the instance.
            None => self.funcs().find(|func| unsafe { (**func).index } == index),
        };
        if let Some(func) = known {
            return func;
        }
        let func = Box::into_raw(Box::new(self.make_func(index, defined)));
        self.funcs.set(func);
        if let Some(place) = by_index.get_mut(defined as usize) {
            *place = func;
        } else if self.funcs().nth(FEW).is_some() {
            let mut by_index = vec![ptr::null_mut(); self.decl().bodies.len()];
            for func in self.funcs() {
                // SAFETY: as above; all of them are defined functions.
                let index = unsafe { (*func).index } - self.decl().imported_functions;
                by_index[index as usize] = func;
            }
            self.more().by_index = by_index;
        }
        if self.module.leaks_refs {
            self.group.leak();
        }
        func
    }

    /// The functions that were asked for. None of them goes before the instance.
    fn funcs(&self) -> impl Iterator<Item = *mut Func> + use<> {
        let first = self.funcs.get();
        std::iter::successors((!first.is_null()).then_some(first), |func| {
            // SAFETY: functions that were made live as long as the instance.
            let next = unsafe { (**func).next.get() };
            (!next.is_null()).then_some(next)
        })
    }

    /// What few instances have, made if it is not there.
    #[allow(clippy::mut_from_ref)]
    fn more(&self) -> &mut More {
        // SAFETY: only the store's thread is here, and no reference is kept.
        unsafe { (*self.more.get()).get_or_insert_default() }
    }

    /// The globals that were asked for.
    fn globals(&self) -> &[(u32, Box<Global>)] {
        // SAFETY: only the store's thread is here; nobody asks for globals meanwhile.
        unsafe { (*self.more.get()).as_ref() }.map_or(&[], |more| &more.globals)
    }

    /// The values of element segments whose expressions make objects, by segment. Empty if there are none. Not to be kept.
    #[allow(clippy::mut_from_ref)]
    pub(in crate::runtime) fn elements(&self) -> &mut [Option<Box<[u64]>>] {
        // SAFETY: only the store's thread is here.
        unsafe { (*self.more.get()).as_mut() }.map_or(&mut [], |more| &mut more.elements)
    }

    /// As [`Instance::elements`], with a place for each segment.
    #[allow(clippy::mut_from_ref)]
    pub(in crate::runtime) fn make_elements(&self) -> &mut [Option<Box<[u64]>>] {
        let elements = &mut self.more().elements;
        elements.resize(self.decl().elements.len(), None);
        elements
    }

    fn make_func(&self, index: u32, defined: u32) -> Func {
        let signature = self.module.signature_of(index);
        Func {
            object: Object::new(self.object.store, &self.group, ObjectKind::Func),
            slot: &self.module.code_table[defined as usize],
            vmctx: self.vmctx(),
            type_id: signature.id,
            params: signature.ty.params().len() as u16,
            results: signature.ty.results().len() as u16,
            entry: Cell::new(signature.fast_entry()),
            signature,
            index,
            next: self.funcs.clone(),
        }
    }

    /// A table of the index space. The index is valid.
    pub fn table(&self, index: u32) -> &Table {
        match index.checked_sub(self.decl().imported_tables) {
            Some(defined) => &self.tables()[defined as usize],
            // SAFETY: imports are pinned and of their kinds.
            None => unsafe { &*self.imported(ExternKind::Table, index).cast() },
        }
    }

    /// A memory of the index space. The index is valid.
    pub fn memory(&self, index: u32) -> &Memory {
        match index.checked_sub(self.decl().imported_memories) {
            Some(defined) => &self.memories()[defined as usize],
            // SAFETY: as for tables.
            None => unsafe { &*self.imported(ExternKind::Memory, index).cast() },
        }
    }

    /// A tag of the index space. The index is valid.
    pub fn tag(&self, index: u32) -> *const Tag {
        // SAFETY: filled before anybody asks.
        unsafe { *self.at(self.module.layout.tag(index)) }
    }

    /// Where a global of the index space has its value. The index is valid.
    pub fn global_cell(&self, index: u32) -> *mut GlobalCell {
        if index < self.decl().imported_globals {
            // SAFETY: filled at allocation.
            unsafe { *self.at(self.module.layout.imported_global(index)) }
        } else {
            self.at(self.module.layout.defined_global(index))
        }
    }

    /// A global of the index space, as an object. The index is valid.
    pub fn global(&self, index: u32) -> *const Global {
        if index < self.decl().imported_globals {
            return self.imported(ExternKind::Global, index).cast();
        }
        let made = &mut self.more().globals;
        if let Some((_, global)) = made.iter().find(|(i, _)| *i == index) {
            return &raw const **global;
        }
        let object = Object::new(self.object.store, &self.group, ObjectKind::Global);
        let ty = self.decl().globals[index as usize];
        let global = Box::new(Global { object, ty, cell: self.global_cell(index) });
        let address = &raw const *global;
        made.push((index, global));
        address
    }

    /// What `kind` and `index` name, as an object without a new handle. The index is valid.
    pub fn get_extern(&self, kind: ExternKind, index: u32) -> *const Object {
        match kind {
            ExternKind::Func => self.func(index).cast_const().cast(),
            ExternKind::Table => ptr::from_ref(self.table(index)).cast(),
            ExternKind::Memory => ptr::from_ref(self.memory(index)).cast(),
            ExternKind::Global => self.global(index).cast(),
            ExternKind::Tag => self.tag(index).cast(),
        }
    }

    /// The exports, in the order of the module, without new handles.
    pub fn exports(&self) -> impl Iterator<Item = *const Object> {
        self.decl().exports.iter().map(|export| self.get_extern(export.kind, export.index))
    }

    /// Whether an element segment is dropped.
    pub fn is_element_dropped(&self, segment: u32) -> bool {
        self.is_dropped(segment as usize)
    }

    /// Drops an element segment.
    pub fn drop_element(&self, segment: u32) {
        self.set_dropped(segment as usize);
        if let Some(values) = self.elements().get_mut(segment as usize) {
            *values = None;
        }
    }

    /// Whether a data segment is dropped. Active ones are at the latest when the instance is complete; those for which
    /// images stand are from the beginning.
    pub fn is_data_dropped(&self, segment: u32) -> bool {
        let Some(declared) = self.decl().data.get(segment as usize) else { return true };
        let spent = !matches!(declared.mode, SegmentMode::Passive) && self.module.memory_images().is_some();
        spent || self.is_dropped(self.decl().elements.len() + segment as usize)
    }

    /// The bytes of a data segment, of which none are left once it is dropped.
    pub fn data(&self, segment: u32) -> &[u8] {
        match self.decl().data.get(segment as usize) {
            Some(DataSegment { range, .. }) if !self.is_data_dropped(segment) => {
                &self.decl().bytes[range.start as usize..range.end as usize]
            }
            _ => &[],
        }
    }

    /// Drops a data segment.
    pub fn drop_data(&self, segment: u32) {
        if segment as usize >= self.decl().data.len() {
            return;
        }
        self.set_dropped(self.decl().elements.len() + segment as usize);
    }

    fn dropped(&self) -> &[Cell<u64>] {
        let parts = &self.module.parts;
        // SAFETY: zeros at allocation, which are words of bits.
        unsafe { slice::from_raw_parts(self.part(parts.dropped), parts.dropped_count) }
    }

    fn is_dropped(&self, bit: usize) -> bool {
        self.dropped()[bit / 64].get() >> (bit % 64) & 1 == 1
    }

    fn set_dropped(&self, bit: usize) {
        let word = &self.dropped()[bit / 64];
        word.set(word.get() | 1 << (bit % 64));
    }

    /// Visits the groups of imports, once for each import. Those of the instance's own group do not occur.
    pub(in crate::runtime) fn each_import(&self, mut visit: impl FnMut(&Group)) {
        for object in self.imports() {
            // SAFETY: imports are pinned.
            visit(unsafe { (**object).group() });
        }
    }

    /// Visits every object of the group.
    pub(in crate::runtime) fn each_object(&self, mut visit: impl FnMut(&Object)) {
        visit(&self.object);
        for func in self.funcs() {
            // SAFETY: alive. Finalizers that run meanwhile cannot make new objects of a dying instance.
            visit(unsafe { &(*func).object });
        }
        self.memories().iter().for_each(|memory| visit(&memory.object));
        self.tables().iter().for_each(|table| visit(&table.object));
        self.globals().iter().for_each(|(_, global)| visit(&global.object));
        self.tags().iter().for_each(|tag| visit(&tag.object));
    }

    /// Visits the references that its tables and globals hold. Returns the words looked at.
    pub(in crate::runtime) fn trace(&self, visitor: &mut dyn Visitor) -> usize {
        let mut words = 0;
        for table in self.tables() {
            words += table.trace(visitor);
        }
        for (index, ty) in self.decl().globals.iter().enumerate().skip(self.decl().imported_globals as usize) {
            if ty.content.is_ref() {
                words += trace_cell(ty.content, self.global_cell(index as u32), visitor);
            }
        }
        for (values, segment) in self.elements().iter_mut().zip(&self.decl().elements) {
            for value in values.iter_mut().flatten() {
                words += trace_word(ValType::Ref(segment.ty), value, visitor);
            }
        }
        words
    }

    /// Visits the address ranges by which running code may know the group.
    pub(in crate::runtime) fn each_allocation(&self, mut visit: impl FnMut(usize, usize)) {
        let start = ptr::from_ref(self) as usize;
        visit(start, start + self.module.parts.layout.size());
        for func in self.funcs() {
            visit(func as usize, func as usize + size_of::<Func>());
        }
    }

    /// Frees an instance and what it defines.
    ///
    /// # Safety
    /// Nothing reaches it; finalizers have run. Its store has been charged for it.
    pub(in crate::runtime) unsafe fn free(instance: *mut Instance) {
        // SAFETY: the functions are boxes of this instance, the parts its own; the allocation was made with this layout.
        unsafe {
            let this = &*instance;
            let mut func = this.funcs.get();
            while !func.is_null() {
                func = Box::from_raw(func).next.get();
            }
            let layout = this.module.parts.layout;
            let parts = &this.module.parts;
            // Before the module, of which the memories' slots may hold the image.
            drop_parts::<Memory>(this.part(parts.memories), &this.memory_count);
            drop_parts::<Table>(this.part(parts.tables), &this.table_count);
            drop_parts::<Tag>(this.part(parts.tags), &this.tag_count);
            (*this.object.store).limits().refund(Resource::Instances, 1);
            ptr::drop_in_place(instance);
            dealloc(instance.cast(), layout);
        }
    }
}

/// Drops what was put into an instance's places for one kind of parts.
///
/// # Safety
/// At `first` there are `count` of them, which nobody uses any more.
unsafe fn drop_parts<T>(first: *mut T, count: &Cell<u32>) {
    let count = count.replace(0) as usize;
    // SAFETY: the caller's promise.
    unsafe { ptr::drop_in_place(ptr::slice_from_raw_parts_mut(first, count)) };
}
