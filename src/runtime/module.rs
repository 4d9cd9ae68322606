//! A module ready to run in an engine: its declarations, and a code table whose entries point to lazy thunks
//! until a function is first called. Shared by stores on any thread.

use crate::compile::layout::{NO_ENTRY, VmctxLayout};
use crate::module::Module;
use crate::module::helpers::available_threads;
use crate::runtime::code_memory::{self, CodeBlock};
use crate::runtime::engine::Engine;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::gc::types::is_any;
use crate::runtime::instance::InstanceParts;
use crate::runtime::lease::{Lease, Leased, Leases};
use crate::runtime::memory_image::MemoryImages;
use crate::runtime::module_image::ModuleImage;
use crate::runtime::object::{Object, ObjectKind, Standalone};
use crate::runtime::signature::{Signature, no_code_memory};
use crate::runtime::store::Store;
use crate::runtime::table_image::TableImages;
use crate::runtime::tier;
use crate::runtime::vmctx::Slot;
use crate::types::{DefType, ValType};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

/// A module bound to an engine.
#[derive(Debug)]
pub struct CompiledModule {
    /// What it declares.
    pub module: Module,
    /// The engine.
    pub engine: Arc<Engine>,
    /// Where things lie in its instances.
    pub layout: VmctxLayout,
    /// Canonical function types, by type index; null for types of other kinds.
    pub signatures: Box<[*const Signature]>,
    /// Their ids, for generated code.
    pub type_ids: Box<[u32]>,
    /// Code pointers, by index of defined function; then the entries of constant tables, as `compile/layout.rs` says.
    pub code_table: Box<[Slot]>,
    /// The constant tables' entries as pairs of a defined function and where a code pointer of it stands in the code table, in order.
    entries: Box<[(u32, u32)]>,
    /// Whether its instances may pass references to their functions where those are not counted: through imported
    /// tables and globals, calls with references, or garbage-collected objects.
    pub leaks_refs: bool,
    /// Whether its instances need a heap for garbage-collected objects.
    pub needs_heap: bool,
    /// The code that the table points to.
    pub(in crate::runtime) blocks: Mutex<Vec<CodeBlock>>,
    /// Code that is there already. After the blocks, which are made of it, so that it is dropped after them.
    pub(in crate::runtime) image: OnceLock<ModuleImage>,
    /// What its memories hold at first.
    pub(in crate::runtime) images: OnceLock<Option<MemoryImages>>,
    tables: OnceLock<Option<TableImages>>,
    /// Where the parts of its instances lie.
    pub(in crate::runtime) parts: InstanceParts,
    leases: Leases,
}

impl Leased for CompiledModule {
    fn leases(&self) -> &Leases {
        &self.leases
    }
}

// SAFETY: the signatures live as long as the engine, which the module keeps, and are themselves shared.
unsafe impl Send for CompiledModule {}
// SAFETY: as above; everything that changes is atomic or behind a lock.
unsafe impl Sync for CompiledModule {}

impl CompiledModule {
    /// Decodes, validates and binds a module (`module_decode` and `module_validate` of the embedding, section 7.1.6).
    pub fn new(engine: &Arc<Engine>, bytes: Arc<[u8]>) -> Result<Arc<CompiledModule>, Error> {
        let threads = available_threads();
        let module = Module::new(bytes, &engine.config().features, threads).map_err(from_module)?;
        let made = CompiledModule::bind(engine, module)?;
        if engine.config().eager {
            tier::compile_all(&made)?;
        }
        Ok(made)
    }

    /// Binds a validated module to an engine; hardly anything is compiled yet.
    pub fn bind(engine: &Arc<Engine>, module: Module) -> Result<Arc<CompiledModule>, Error> {
        let made = CompiledModule::bind_without_code(engine, module)?;
        tier::compile_unlazy(&made)?;
        Ok(made)
    }

    /// A module whose functions are all thunks. Those that thunks cannot stand in for must get code before they are called.
    pub(in crate::runtime) fn bind_without_code(
        engine: &Arc<Engine>,
        module: Module,
    ) -> Result<Arc<CompiledModule>, Error> {
        engine.keep_types(&module.types);
        let signature = |ty: &DefType| ty.as_func().map_or(Ok(ptr::null()), |ty| engine.signature(ty));
        let signatures = module.types.iter().map(signature).collect::<Result<Box<[_]>, _>>()?;
        let type_ids = module.types.iter().map(|ty| ty.id().index()).collect();
        let count = module.bodies.len() as u32;
        let thunks = code_memory::lazy_thunks(count).map_err(no_code_memory)?;
        let thunk = |i: u32| thunks.wrapping_add(i as usize * code_memory::THUNK_SIZE).cast_mut();
        let mut code_table: Vec<Slot> = (0..count).map(|i| AtomicPtr::new(thunk(i))).collect();
        let mut entries = Vec::new();
        for entry in module.constant_elements() {
            let defined = entry.map(|entry| entry.func - module.imported_functions);
            entries.extend(defined.map(|defined| (defined, code_table.len() as u32)));
            code_table.push(AtomicPtr::new(defined.map_or(ptr::null_mut(), thunk)));
            let ty = entry.map_or(NO_ENTRY, |entry| entry.ty);
            code_table.push(AtomicPtr::new(ptr::without_provenance_mut(ty as usize)));
        }
        entries.sort_unstable();
        let leaks_refs = module.tables[..module.imported_tables as usize].iter().len() > 0
            || module.globals[..module.imported_globals as usize].iter().any(|g| g.mutable && g.content.is_ref())
            || (0..module.imported_functions).any(|f| module.func_type(f).has_refs());
        let needs_heap = needs_heap(&module);
        let leaks_refs = leaks_refs || needs_heap;
        let layout = VmctxLayout::new(&module);
        let parts = InstanceParts::new(&module, &layout);
        Ok(Arc::new(CompiledModule {
            module,
            engine: engine.clone(),
            layout,
            signatures,
            type_ids,
            code_table: code_table.into(),
            entries: entries.into(),
            leaks_refs,
            needs_heap,
            blocks: Mutex::default(),
            image: OnceLock::new(),
            images: OnceLock::new(),
            tables: OnceLock::new(),
            parts,
            leases: Leases::default(),
        }))
    }

    /// Enters the code of a defined function wherever it is called from.
    pub(in crate::runtime) fn enter(&self, defined: u32, code: *mut u8) {
        self.code_table[defined as usize].store(code, Ordering::Release);
        let first = self.entries.partition_point(|entry| entry.0 < defined);
        for (_, at) in self.entries[first..].iter().take_while(|entry| entry.0 == defined) {
            self.code_table[*at as usize].store(code, Ordering::Release);
        }
    }

    /// Whether a defined function has code of its own.
    pub fn is_compiled(&self, defined: u32) -> bool {
        let code = self.code_table[defined as usize].load(Ordering::Acquire);
        !code_memory::is_thunk(code)
    }

    /// What its memories hold at first, if that can be said for all of them and once for all instances.
    pub fn memory_images(&self) -> Option<&MemoryImages> {
        self.images.get_or_init(|| MemoryImages::of(&self.module)).as_ref()
    }

    /// What its tables hold at first, if that can be said for all of them and once for all instances.
    pub fn table_images(&self) -> Option<&TableImages> {
        self.tables.get_or_init(|| TableImages::of(&self.module)).as_ref()
    }

    /// The signature of a function of the index space.
    pub fn signature_of(&self, func: u32) -> &Signature {
        // SAFETY: signatures live as long as the engine, which the module keeps; functions have function types.
        unsafe { &*self.signatures[self.module.functions[func as usize] as usize] }
    }
}

impl Drop for CompiledModule {
    fn drop(&mut self) {
        if let Some(Some(images)) = self.images.get() {
            self.engine.pool().forget(&images.ids().collect::<Vec<_>>());
        }
    }
}

/// Whether instances need a heap: code of the module relies on there being one.
fn needs_heap(module: &Module) -> bool {
    module.objects
        || module.types.iter().any(|ty| match ty {
            DefType::Func(ty) => ty.params().iter().chain(ty.results()).any(|ty| is_any(*ty)),
            DefType::Struct(_) | DefType::Array(_) => true,
        })
        || module.tables.iter().any(|ty| is_any(ValType::Ref(ty.element)))
        || module.globals.iter().any(|ty| is_any(ty.content))
}

/// A failure of decoding or validation as a failure of the API.
pub fn from_module(error: crate::module::ModuleError) -> Error {
    use crate::module::ModuleErrorKind as Kind;
    let kind = match error.kind {
        Kind::Malformed => ErrorKind::Malformed,
        Kind::Invalid => ErrorKind::Invalid,
        Kind::Unsupported => ErrorKind::Unsupported,
        Kind::Limit => ErrorKind::Limit,
    };
    Error { kind, message: error.to_string(), offset: error.offset }
}

/// What a `wasm_module_t` points to: a module as an object of a store.
#[repr(C)]
#[derive(Debug)]
pub struct ModuleObject {
    /// The header.
    pub object: Object,
    /// The module.
    pub module: Lease<CompiledModule>,
}

impl ModuleObject {
    /// A new object for the module, with one handle.
    pub fn new(store: &Store, module: &Arc<CompiledModule>) -> *mut ModuleObject {
        let module = Lease::new(module);
        Standalone::allocate(Some(store), ObjectKind::Module, |object| ModuleObject { object, module })
    }
}
