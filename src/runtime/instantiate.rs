//! Instantiation (section 4.5.4): imports are checked, memories, tables and globals made, segments copied, the start
//! function called.

use crate::module::const_expr::{self, ConstContext};
use crate::module::{ConstExpr, DataSegment, ElementItems, ElementSegment, ExternKind, Module, SegmentMode};
use crate::runtime::call;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::func::Func;
use crate::runtime::global::Global;
use crate::runtime::growth;
use crate::runtime::instance::Instance;
use crate::runtime::memory::Memory;
use crate::runtime::memory_image::MemoryImages;
use crate::runtime::module::CompiledModule;
use crate::runtime::object::{Object, ObjectKind, release};
use crate::runtime::store::Store;
use crate::runtime::store_limits::Resource;
use crate::runtime::table::{Table, lazy};
use crate::runtime::table_image::TableImages;
use crate::runtime::tag::Tag;
use crate::runtime::trap::Trap;
use crate::runtime::vmctx::GlobalCell;
use crate::trap::TrapCode;
use crate::types::{ExternType, Hierarchy};
use std::ptr;
use std::sync::Arc;

/// Why there is no instance.
#[derive(Debug)]
pub enum InstantiateError {
    /// Nothing was changed: imports do not fit, or memory is exhausted.
    Error(Error),
    /// A segment did not fit, or the start function trapped. The trap has one handle, the caller's.
    Trap(*mut Trap),
}

impl From<Error> for InstantiateError {
    fn from(error: Error) -> InstantiateError {
        InstantiateError::Error(error)
    }
}

/// The type of an object that can be imported; None for the kinds that cannot.
pub fn extern_type(object: &Object) -> Option<ExternType> {
    let at = ptr::from_ref(object);
    // SAFETY: the kind says what the object is.
    unsafe {
        match object.kind {
            ObjectKind::Func => Some(ExternType::Func((*at.cast::<Func>()).ty().clone())),
            ObjectKind::Global => Some(ExternType::Global((*at.cast::<Global>()).ty)),
            ObjectKind::Table => Some(ExternType::Table((*at.cast::<Table>()).ty())),
            ObjectKind::Memory => Some(ExternType::Memory((*at.cast::<Memory>()).ty())),
            ObjectKind::Tag => Some(ExternType::Tag((*at.cast::<Tag>()).ty.clone())),
            ObjectKind::Instance | ObjectKind::Module | ObjectKind::Trap => None,
            ObjectKind::Foreign | ObjectKind::Exception => None,
        }
    }
}

/// A new instance of `module` in `store`, with one handle. Entries of `imports` may be null, which is an error if the
/// module imports something there. More imports than the module has are an error, too.
pub fn instantiate(
    store: &Store,
    module: &Arc<CompiledModule>,
    imports: &[*const Object],
) -> Result<*mut Instance, InstantiateError> {
    store.enter()?;
    if !Arc::ptr_eq(store.engine(), &module.engine) {
        let message = "the module belongs to another engine than the store";
        return Err(Error::new(ErrorKind::Store, message).into());
    }
    check_imports(store, &module.module, imports)?;
    growth::admit_instance(store, &module.module).map_err(|why| match why {
        Ok(error) => InstantiateError::Error(error),
        Err(trap) => InstantiateError::Trap(trap),
    })?;
    store.limits().charge(Resource::Instances, 1).map_err(Error::from)?;
    let Some(instance) = Instance::allocate(store, module, imports) else {
        store.limits().refund(Resource::Instances, 1);
        return Err(Error::new(ErrorKind::Memory, "no memory for the instance").into());
    };
    // SAFETY: just made, with one handle, which keeps it alive until it is given up below.
    let filled = fill(store, unsafe { &*instance });
    match filled {
        Ok(()) => Ok(instance),
        Err(error) => {
            // SAFETY: the handle from `allocate` is given up.
            unsafe { release(instance.cast()) };
            Err(error)
        }
    }
}

/// Makes zero what images have put into memories, as the instance does not come to its data segments. Others can see it: its
/// functions may be in their tables already.
fn forget_images(instance: &Instance) {
    for memory in instance.memories() {
        memory.discard(0, memory.length() as u64);
    }
}

fn check_imports(store: &Store, module: &Module, imports: &[*const Object]) -> Result<(), Error> {
    let link = |message: String| Err(Error::new(ErrorKind::Link, message));
    if imports.len() > module.imports.len() {
        let expected = module.imports.len();
        return link(format!("{} imports are given, but the module has {expected}", imports.len()));
    }
    let mut next = [0; ExternKind::COUNT];
    for (i, import) in module.imports.iter().enumerate() {
        let count = module.imports.len();
        let place = || format!("\"{}\" \"{}\" (import {i} of {count})", import.module, import.name);
        let index = &mut next[import.kind as usize];
        let expected = module.extern_type(import.kind, *index);
        *index += 1;
        // SAFETY: what the host gives is null or alive (the API's contract).
        let Some(object) = (unsafe { imports.get(i).and_then(|object| object.as_ref()) }) else {
            let what = if i < imports.len() { "null is given" } else { "nothing is given" };
            return link(format!("unknown import {}: expected {expected}, but {what}", place()));
        };
        let Some(actual) = extern_type(object) else {
            let kind = object.kind.name();
            return link(format!("incompatible import type for {}: expected {expected}, found a {kind}", place()));
        };
        if !ptr::eq(object.store, store) {
            let kind = object.kind.name();
            let message = format!("import {}: the {kind} belongs to another store", place());
            return Err(Error::new(ErrorKind::Store, message));
        }
        if !actual.matches(&expected) {
            return link(format!("incompatible import type for {}: expected {expected}, found {actual}", place()));
        }
    }
    Ok(())
}

/// Makes what the instance defines, and runs its segments and start function.
fn fill(store: &Store, instance: &Instance) -> Result<(), InstantiateError> {
    let compiled = instance.module();
    let module = &compiled.module;
    leak_shared_imports(instance, compiled);
    define_tags(store, instance, module);
    let images = compiled.memory_images();
    define_memories(instance, module, images)?;
    for (index, init) in (module.imported_globals..).zip(&module.global_inits) {
        let value = evaluate(instance, init);
        // SAFETY: the cell is in the vmctx of this instance, which no code uses yet.
        unsafe { *instance.global_cell(index) = GlobalCell(value.to_le_bytes()) };
    }
    let tables = compiled.table_images();
    define_tables(instance, module, tables)?;
    for (index, segment) in (0..).zip(&module.elements) {
        match &segment.mode {
            SegmentMode::Active { .. } if tables.is_some() => instance.drop_element(index),
            SegmentMode::Active { index: table, offset } => {
                let offset = address(evaluate(instance, offset));
                init_table(instance, *table, segment, offset, 0, segment.items.len() as u64).map_err(|code| {
                    forget_images(instance);
                    trap(store, code)
                })?;
                instance.drop_element(index);
            }
            SegmentMode::Declared => instance.drop_element(index),
            SegmentMode::Passive => {}
        }
    }
    let segments = if images.is_some() { &[][..] } else { &module.data };
    for (index, segment) in (0..).zip(segments) {
        if let SegmentMode::Active { index: memory, offset } = &segment.mode {
            let offset = address(evaluate(instance, offset));
            let len = u64::from(segment.range.end - segment.range.start);
            init_memory(instance, *memory, index, offset, 0, len).map_err(|code| trap(store, code))?;
            instance.drop_data(index);
        }
    }
    if let Some(start) = module.start {
        // SAFETY: the instance is alive and complete; the function is its own or an import.
        let trap = unsafe { call::call(instance.func(start), &[], &mut []) };
        if !trap.is_null() {
            return Err(InstantiateError::Trap(trap));
        }
    }
    Ok(())
}

fn trap(store: &Store, code: TrapCode) -> InstantiateError {
    InstantiateError::Trap(Trap::new(Some(store), code, code.message()))
}

/// References to functions of a group can leave it, uncounted, through what others import from it.
fn leak_shared_imports(instance: &Instance, compiled: &CompiledModule) {
    let module = &compiled.module;
    let mut funcs = 0;
    for (import, object) in module.imports.iter().zip(instance.imports()) {
        let shares = match import.kind {
            ExternKind::Func => {
                funcs += 1;
                module.func_type(funcs - 1).has_refs()
            }
            ExternKind::Table => true,
            // SAFETY: imports were checked to be of their kinds.
            ExternKind::Global => unsafe { (*object.cast::<Global>()).ty.content.is_ref() },
            ExternKind::Memory | ExternKind::Tag => false,
        };
        if shares {
            // SAFETY: imports are alive.
            unsafe { (**object).group().leak() };
        }
    }
}

fn define_tags(store: &Store, instance: &Instance, module: &Module) {
    for tag in 0..module.tags.len() as u32 {
        store.reserve_payload(module.tag_type(tag).params().len());
    }
    let object = || Object::new(instance.object.store, &instance.group, ObjectKind::Tag);
    let defined = module.imported_tags..module.tags.len() as u32;
    for index in defined {
        // SAFETY: no code of the instance runs yet; the tags are made in their order, and the offset is a tag's.
        unsafe {
            let tag = instance.put_tag(Tag::new_in(object(), module.tag_type(index)));
            *instance.at(instance.module().layout.tag(index)) = ptr::from_ref(tag);
        }
    }
}

fn define_memories(instance: &Instance, module: &Module, images: Option<&MemoryImages>) -> Result<(), Error> {
    for (index, ty) in (module.imported_memories..).zip(&module.memories[module.imported_memories as usize..]) {
        let object = Object::new(instance.object.store, &instance.group, ObjectKind::Memory);
        let defined = (index - module.imported_memories) as usize;
        let memory = Memory::new_in(object, *ty, images.and_then(|images| images.get(defined)))?;
        // SAFETY: no code of the instance runs yet; memories are made in their order, and the index is in the space.
        unsafe {
            let memory = instance.put_memory(memory);
            instance.enter_memory(index, memory);
        }
    }
    Ok(())
}

fn define_tables(instance: &Instance, module: &Module, images: Option<&TableImages>) -> Result<(), Error> {
    for function in images.map_or(&[][..], TableImages::imported) {
        func_ref(instance, *function);
    }
    let types = &module.tables[module.imported_tables as usize..];
    for ((index, ty), init) in (module.imported_tables..).zip(types).zip(&module.table_inits) {
        let init = evaluate(instance, init) as usize;
        let object = Object::new(instance.object.store, &instance.group, ObjectKind::Table);
        let table = Table::new_in(object, *ty, instance, init)?;
        let image = images.map_or(&[][..], |images| images.get((index - module.imported_tables) as usize));
        if let Some(part) = table.part(0, image.len() as u64) {
            part.copy_from_slice(image);
        }
        // SAFETY: no code of the instance runs yet; tables are made in their order, and the offset is a table's.
        unsafe { *instance.at(instance.module().layout.table(index)) = instance.put_table(table).def.get() };
    }
    Ok(())
}

/// Constant expressions of an instance see its globals and functions.
struct InstanceConsts<'a>(&'a Instance);

impl ConstContext for InstanceConsts<'_> {
    fn global(&mut self, index: u32) -> u128 {
        // SAFETY: validation lets constant expressions see only globals that are initialized already.
        unsafe { u128::from_le_bytes((*self.0.global_cell(index)).0) }
    }

    fn func(&mut self, index: u32) -> u128 {
        func_ref(self.0, index) as u128
    }
}

pub(in crate::runtime) fn evaluate(instance: &Instance, expr: &ConstExpr) -> u128 {
    const_expr::evaluate(expr, &mut InstanceConsts(instance))
}

/// An offset is an unsigned number of its type.
pub(in crate::runtime) fn address(value: u128) -> u64 {
    value as u64
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

/// `table.init` (section 4.4.6), also for active segments. The indices are valid.
pub fn init_table(
    instance: &Instance,
    table: u32,
    segment: &ElementSegment,
    dst: u64,
    src: u64,
    len: u64,
) -> Result<(), TrapCode> {
    let out_of_bounds = TrapCode::OutOfBoundsTableAccess;
    let table = instance.table(table);
    let end = src.checked_add(len).filter(|end| *end <= segment.items.len() as u64).ok_or(out_of_bounds)?;
    let source = src as usize..end as usize;
    table.part(dst, len).ok_or(out_of_bounds)?;
    let keeps_lazy = table.is_owned_by(instance) && table.ty().element.heap.hierarchy() == Hierarchy::Func;
    let module = &instance.module().module;
    let element = |i: usize| -> usize {
        match &segment.items {
            ElementItems::Functions(funcs) => {
                let func = funcs[i];
                match module.defined_func(func) {
                    Some(_) if keeps_lazy => lazy(func),
                    _ => func_ref(instance, func) as usize,
                }
            }
            ElementItems::Expressions(items) => evaluate(instance, &items[i]) as usize,
        }
    };
    for (to, i) in (dst..).zip(source) {
        table.set(to, element(i) as *const Object);
    }
    Ok(())
}

/// `memory.init` (section 4.4.7), also for active segments. The indices are valid.
pub fn init_memory(
    instance: &Instance,
    memory: u32,
    segment: u32,
    dst: u64,
    src: u64,
    len: u64,
) -> Result<(), TrapCode> {
    let out_of_bounds = TrapCode::OutOfBoundsMemoryAccess;
    let module = &instance.module().module;
    let data = match module.data.get(segment as usize) {
        Some(DataSegment { range, .. }) if !instance.is_data_dropped(segment) => {
            &module.bytes[range.start as usize..range.end as usize]
        }
        _ => &[],
    };
    let end = src.checked_add(len).filter(|end| *end <= data.len() as u64).ok_or(out_of_bounds)?;
    let data = &data[src as usize..end as usize];
    let place = instance.memory(memory).range(dst, len).ok_or(out_of_bounds)?;
    // SAFETY: the memory has that part; module bytes are never in a memory.
    unsafe { ptr::copy_nonoverlapping(data.as_ptr(), place, data.len()) };
    Ok(())
}
