//! Module instances (section 4.2.5).
//!
//! ```text
//!  one allocation:   | Instance (bookkeeping) | vmctx (what generated code sees; compile/layout.rs) |
//! ```
//! An instance and the functions, tables, memories and globals it defines are one group: they live and die
//! together. What it imports it pins. `Func`s and `Global`s for the host are made when they are first asked for.

use crate::module::{ExternKind, Module};
use crate::runtime::collect::Visitor;
use crate::runtime::func::Func;
use crate::runtime::global::{Global, trace_cell, trace_word};
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
use std::ptr;
use std::sync::Arc;

/// An instance: what a `wasm_instance_t*` points to.
#[repr(C)]
#[derive(Debug)]
pub struct Instance {
    /// The header.
    pub object: Object,
    /// The group of this instance and all it defines.
    pub group: Group,
    module: Arc<CompiledModule>,
    /// What was imported, in the order of the imports.
    pub(in crate::runtime) imports: Box<[*const Object]>,
    /// The defined memories. Their addresses do not change.
    #[allow(clippy::vec_box)]
    pub(in crate::runtime) memories: UnsafeCell<Vec<Box<Memory>>>,
    /// The defined tables. Their addresses do not change.
    #[allow(clippy::vec_box)]
    pub(in crate::runtime) tables: UnsafeCell<Vec<Box<Table>>>,
    /// The defined tags. Their addresses do not change.
    pub(in crate::runtime) tags: UnsafeCell<Box<[Tag]>>,
    /// By index of defined function, null where none was asked for. Empty until one is.
    funcs: UnsafeCell<Vec<*mut Func>>,
    /// The functions in `funcs` that are not null.
    made_funcs: UnsafeCell<Vec<*mut Func>>,
    /// Globals that were asked for, with their index.
    #[allow(clippy::vec_box)]
    globals: UnsafeCell<Vec<(u32, Box<Global>)>>,
    /// The elements of segments whose expressions make objects, by segment. Empty if there are none.
    pub(in crate::runtime) elements: UnsafeCell<Vec<Option<Box<[u64]>>>>,
    /// Element and data segments that are dropped, one bit each: elements first.
    dropped: Box<[Cell<u64>]>,
}

/// Where the vmctx begins in the allocation.
const VMCTX_OFFSET: usize = size_of::<Instance>().next_multiple_of(16);

fn layout_of(module: &CompiledModule) -> Layout {
    let size = VMCTX_OFFSET + module.layout.size() as usize;
    Layout::from_size_align(size, 16).unwrap_or(Layout::new::<Instance>())
}

impl Instance {
    /// Allocates an instance whose imports are entered and pinned, and nothing else: no memories, tables or values of
    /// globals. It has one handle. `imports` match the module's in number, kind and store. None if memory is exhausted.
    pub(in crate::runtime) fn allocate(
        store: &Store,
        module: Arc<CompiledModule>,
        imports: Box<[*const Object]>,
    ) -> Option<*mut Instance> {
        store.before_allocation();
        let layout = layout_of(&module);
        // SAFETY: the layout is larger than an `Instance`, and so not empty.
        let place = unsafe { alloc_zeroed(layout) }.cast::<Instance>();
        if place.is_null() {
            return None;
        }
        let segments = module.module.elements.len() + module.module.data.len();
        // SAFETY: fresh memory of the right size and alignment.
        unsafe {
            let group = &raw mut (*place).group;
            place.write(Instance {
                object: Object::new(store, group, ObjectKind::Instance),
                group: Group::new(store),
                module,
                imports,
                memories: UnsafeCell::default(),
                tables: UnsafeCell::default(),
                tags: UnsafeCell::default(),
                funcs: UnsafeCell::default(),
                made_funcs: UnsafeCell::default(),
                globals: UnsafeCell::default(),
                elements: UnsafeCell::default(),
                dropped: vec![Cell::new(0); segments.div_ceil(64)].into(),
            });
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
            for (import, object) in self.module.module.imports.iter().zip(&self.imports) {
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
        let entry = crate::runtime::vmctx::VmMemory { base: memory.base(), def: memory.def() };
        // SAFETY: the caller's promise.
        unsafe { *self.at(self.module.layout.memory(index)) = entry };
    }

    /// A place in the vmctx.
    pub(in crate::runtime) fn at<T>(&self, offset: u32) -> *mut T {
        self.vmctx().cast::<u8>().wrapping_add(offset as usize).cast()
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
        let mut of_kind = self.decl().imports.iter().zip(&self.imports).filter(|(import, _)| import.kind == kind);
        of_kind.nth(nth as usize).map_or(ptr::null(), |(_, object)| *object)
    }

    /// A function of the index space, as an object. The index is valid.
    pub fn func(&self, index: u32) -> *mut Func {
        let Some(defined) = self.decl().defined_func(index) else {
            // SAFETY: filled at allocation.
            return unsafe { (*self.at::<ImportedFunc>(self.module.layout.imported_function(index))).func };
        };
        // SAFETY: only the store's thread is here, and no reference to the vectors is kept.
        unsafe {
            let funcs = &mut *self.funcs.get();
            if funcs.is_empty() {
                *funcs = vec![ptr::null_mut(); self.decl().bodies.len()];
            }
            let place = &mut funcs[defined as usize];
            if place.is_null() {
                *place = Box::into_raw(Box::new(self.make_func(index, defined)));
                (*self.made_funcs.get()).push(*place);
                if self.module.leaks_refs {
                    self.group.leak();
                }
            }
            *place
        }
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
            callback: ptr::null(),
            env: ptr::null_mut(),
            entry: Cell::new(signature.fast_entry()),
            signature,
            index,
        }
    }

    /// A table of the index space. The index is valid.
    pub fn table(&self, index: u32) -> &Table {
        match index.checked_sub(self.decl().imported_tables) {
            // SAFETY: tables are boxed and live as long as the instance; the vector is filled before code runs.
            Some(defined) => unsafe { &(&*self.tables.get())[defined as usize] },
            // SAFETY: imports are pinned and of their kinds.
            None => unsafe { &*self.imported(ExternKind::Table, index).cast() },
        }
    }

    /// A memory of the index space. The index is valid.
    pub fn memory(&self, index: u32) -> &Memory {
        match index.checked_sub(self.decl().imported_memories) {
            // SAFETY: as for tables.
            Some(defined) => unsafe { &(&*self.memories.get())[defined as usize] },
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
        // SAFETY: only the store's thread is here; the globals are boxed.
        let made = unsafe { &mut *self.globals.get() };
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
        // SAFETY: only the store's thread is here.
        if let Some(values) = unsafe { (&mut *self.elements.get()).get_mut(segment as usize) } {
            *values = None;
        }
    }

    /// Whether a data segment is dropped.
    pub fn is_data_dropped(&self, segment: u32) -> bool {
        self.is_dropped(self.decl().elements.len() + segment as usize)
    }

    /// Drops a data segment.
    pub fn drop_data(&self, segment: u32) {
        self.set_dropped(self.decl().elements.len() + segment as usize);
    }

    fn is_dropped(&self, bit: usize) -> bool {
        self.dropped[bit / 64].get() >> (bit % 64) & 1 == 1
    }

    fn set_dropped(&self, bit: usize) {
        let word = &self.dropped[bit / 64];
        word.set(word.get() | 1 << (bit % 64));
    }

    /// Visits the groups of imports, once for each import. Those of the instance's own group do not occur.
    pub(in crate::runtime) fn each_import(&self, mut visit: impl FnMut(&Group)) {
        for object in &self.imports {
            // SAFETY: imports are pinned.
            visit(unsafe { (**object).group() });
        }
    }

    /// Visits every object of the group.
    pub(in crate::runtime) fn each_object(&self, mut visit: impl FnMut(&Object)) {
        visit(&self.object);
        // SAFETY: only the store's thread is here. Finalizers that run meanwhile cannot make new objects of a dying
        // instance.
        unsafe {
            for func in &*self.made_funcs.get() {
                visit(&(**func).object);
            }
            for memory in &*self.memories.get() {
                visit(&memory.object);
            }
            for table in &*self.tables.get() {
                visit(&table.object);
            }
            for (_, global) in &*self.globals.get() {
                visit(&global.object);
            }
            for tag in &*self.tags.get() {
                visit(&tag.object);
            }
        }
    }

    /// Visits the references that its tables and globals hold. Returns the words looked at.
    pub(in crate::runtime) fn trace(&self, visitor: &mut dyn Visitor) -> usize {
        let mut words = 0;
        // SAFETY: only the store's thread is here.
        for table in unsafe { &*self.tables.get() } {
            words += table.trace(visitor);
        }
        for (index, ty) in self.decl().globals.iter().enumerate().skip(self.decl().imported_globals as usize) {
            if ty.content.is_ref() {
                words += trace_cell(ty.content, self.global_cell(index as u32), visitor);
            }
        }
        // SAFETY: as above.
        for (values, segment) in unsafe { &mut *self.elements.get() }.iter_mut().zip(&self.decl().elements) {
            for value in values.iter_mut().flatten() {
                words += trace_word(ValType::Ref(segment.ty), value, visitor);
            }
        }
        words
    }

    /// Visits the address ranges by which running code may know the group.
    pub(in crate::runtime) fn each_allocation(&self, mut visit: impl FnMut(usize, usize)) {
        let start = ptr::from_ref(self) as usize;
        visit(start, start + layout_of(&self.module).size());
        // SAFETY: only the store's thread is here.
        for func in unsafe { &*self.made_funcs.get() } {
            visit(*func as usize, *func as usize + size_of::<Func>());
        }
    }

    /// Frees an instance and what it defines.
    ///
    /// # Safety
    /// Nothing reaches it; finalizers have run. Its store has been charged for it.
    pub(in crate::runtime) unsafe fn free(instance: *mut Instance) {
        // SAFETY: the functions are boxes of this instance; the allocation was made with this layout.
        unsafe {
            for func in &*(*instance).made_funcs.get() {
                drop(Box::from_raw(*func));
            }
            let layout = layout_of(&(*instance).module);
            (*(*instance).object.store).limits().refund(Resource::Instances, 1);
            ptr::drop_in_place(instance);
            dealloc(instance.cast(), layout);
        }
    }
}
