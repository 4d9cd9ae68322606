//! Every offset that generated code and the hand-written trampolines use. The runtime's structures are
//! asserted against these at compile time (`runtime/vmctx.rs`), so that neither can move alone.
//!
//! All pointers are 8 bytes. A *vmctx* is what a WebAssembly function gets as its hidden first argument:
//! for a function of an instance, the instance's context drawn here; for a host function, its function object.
//! Both begin with the store, so that helpers can find it from either.
//!
//! ```text
//! vmctx of an instance                      imported function (24 bytes)   memory (16 bytes)
//!  +0  store        -> StoreContext          +0  slot  -> code pointer      +0  base (if bases are fixed)
//!  +8  builtins     -> [code pointer]        +8  vmctx of the callee        +8  def -> MemoryDef
//!  +16 code_table   -> [code pointer]        +16 func  -> Func
//!  +24 type_ids     -> [u32]
//!  +32 instance     -> Instance             table (8 bytes)                global
//!  +40 imported functions                    def -> TableDef               imported: (8) -> cell of 16 bytes
//!      memories                                                            defined: the cell, aligned to 16
//!      tables
//!      tags (8 bytes): -> Tag
//!      imported globals
//!      defined globals
//! ```
//!
//! ```text
//! code table, shared by the instances of a module                entry (16 bytes)
//!  code pointers of the defined functions                         +0 code pointer
//!  entries of the constant tables, one after the other            +8 type (u32): an index in the module, or NO_ENTRY
//! ```
//!
//! ```text
//! StoreContext         Func (a funcref)            MemoryDef         TableDef          Activation
//!  +0  stack_limit      +0  store                   +0 base           +0 elements       +0  previous
//!  +8  activation       +8..32 object header        +8 length, bytes  +8 length         +8  saved_exit_fp
//!  +16 exit_fp          +32 slot -> code pointer                                        +16 fp of the entry stub
//!  +24 trap             +40 vmctx of the callee                                         +24 stub -> EntryStub
//!  +32 builtins         +48 type id (u32)                                               +32 store
//!  +40 payload -> cells                                           Exception
//!  +48 unwind: pc, fp, sp, payload, exception                      +0..32 object header
//!  +88  gc_base -> heap                                             +32 tag -> Tag
//!  +96  gc_next, offset                                             +40 payload -> cells of 16 bytes
//!  +104 gc_limit, offset
//!  +112 gc_types -> [GcType*], by canonical type id
//! ```
//!
//! ```text
//! heap of garbage-collected objects (types/layout.rs)   GcType                    GcBox
//!  gc_base + 0      never accessible, up to 4096         +0  type id (u32)         +0..32 object header
//!  gc_base + r      the object of reference r            +4  depth (u32)           +32 reference (u32)
//!    +0 type id       or HOST: +8 -> Object              +8  kind (u32)
//!    +4 length                                           +16 display: [u32]
//! ```
//!
//! A reference of the `any` hierarchy is 32 bits: 0 is null; with bit 0 set it is an `i31`, `value << 1 | 1`; else it is the
//! offset of an object in the store's heap, a multiple of 8. In a cell of 8 or 16 bytes it has zeros above. Where the host sees
//! one it is null or points to a `GcBox`, which is also what `extern.convert_any` gives.
//!
//! A type's depth is the number of types above it, and its display has the ids of those, the outermost first, and then its own.
//! A display has at least `GC_DISPLAY` entries, filled up with what is no id.
//!
//! An exception that is thrown has its values in the cells at `payload`, or in those of its `Exception` if there is one. A
//! handler begins (`unwind`) at `pc` with the payload's address in `rax` and the `Exception` in `rdx`.
//!
//! A funcref is null or points to a `Func`. An element of a funcref table may also be *lazy*: `index << 1 | 1`, a
//! function of the instance that owns the table; whoever reads it asks the `table_get_lazy` builtin. References of
//! the host and exceptions are null or point to an object of the store.

use crate::module::Module;

/// Bytes of a pointer.
pub const PTR: u32 = 8;

/// vmctx and `Func`: the store.
pub const VMCTX_STORE: u32 = 0;
/// vmctx: the table of builtins.
pub const VMCTX_BUILTINS: u32 = 8;
/// vmctx: the module's code table, one code pointer for each defined function.
pub const VMCTX_CODE_TABLE: u32 = 16;
/// vmctx: canonical type ids of the module's types, as `u32`s.
pub const VMCTX_TYPE_IDS: u32 = 24;
/// vmctx: the instance.
pub const VMCTX_INSTANCE: u32 = 32;
/// vmctx: where the parts that depend on the module begin.
pub const VMCTX_DYNAMIC: u32 = 40;

/// Size of the entry of a constant table's element.
pub const ENTRY_SIZE: u32 = 16;
/// Entry: the code pointer.
pub const ENTRY_CODE: u32 = 0;
/// Entry: the first index in the module that means the function's type.
pub const ENTRY_TYPE: u32 = 8;
/// What stands there for an element that is null.
pub const NO_ENTRY: u32 = u32::MAX;

/// Size of an imported function's entry.
pub const IMPORT_FUNC_SIZE: u32 = 24;
/// Imported function: pointer to the place that holds the code pointer.
pub const IMPORT_FUNC_SLOT: u32 = 0;
/// Imported function: the callee's vmctx.
pub const IMPORT_FUNC_VMCTX: u32 = 8;
/// Imported function: its `Func`, which is also its reference.
pub const IMPORT_FUNC_FUNC: u32 = 16;

/// Size of a memory's entry.
pub const MEMORY_SIZE: u32 = 16;
/// Memory: the base, valid if bases are fixed.
pub const MEMORY_BASE: u32 = 0;
/// Memory: its definition.
pub const MEMORY_DEF: u32 = 8;
/// MemoryDef: the base.
pub const MEMORY_DEF_BASE: u32 = 0;
/// MemoryDef: accessible length in bytes.
pub const MEMORY_DEF_LENGTH: u32 = 8;

/// Size of a table's entry: a pointer to its definition.
pub const TABLE_SIZE: u32 = 8;
/// TableDef: pointer to the elements, 8 bytes each.
pub const TABLE_DEF_ELEMENTS: u32 = 0;
/// TableDef: number of elements (64 bits).
pub const TABLE_DEF_LENGTH: u32 = 8;

/// Bytes of a global's cell.
pub const GLOBAL_CELL: u32 = 16;

/// Func: pointer to the place that holds the code pointer.
pub const FUNC_SLOT: u32 = 32;
/// Func: the vmctx to call it with.
pub const FUNC_VMCTX: u32 = 40;
/// Func: canonical type id.
pub const FUNC_TYPE_ID: u32 = 48;
/// Func of the host: the C callback.
pub const FUNC_CALLBACK: u32 = 88;
/// Func of the host: the callback's environment.
pub const FUNC_ENV: u32 = 96;

/// StoreContext: the lowest address that the stack may reach.
pub const STORE_STACK_LIMIT: u32 = 0;
/// StoreContext: the innermost activation, or null.
pub const STORE_ACTIVATION: u32 = 8;
/// StoreContext: frame pointer of the frame through which WebAssembly was last left.
pub const STORE_EXIT_FP: u32 = 16;
/// StoreContext: the trap that is being raised, or null.
pub const STORE_TRAP: u32 = 24;
/// StoreContext: the table of builtins.
pub const STORE_BUILTINS: u32 = 32;

/// StoreContext: the cells in which the values of an exception are when it is thrown.
pub const STORE_PAYLOAD: u32 = 40;
/// StoreContext: where the handler of an exception begins.
pub const STORE_UNWIND_PC: u32 = 48;
/// StoreContext: the frame pointer there.
pub const STORE_UNWIND_FP: u32 = 56;
/// StoreContext: the stack pointer there.
pub const STORE_UNWIND_SP: u32 = 64;
/// StoreContext: what goes into `rax` there, the payload's address.
pub const STORE_UNWIND_PAYLOAD: u32 = 72;
/// StoreContext: what goes into `rdx` there, the exception or null.
pub const STORE_UNWIND_EXCEPTION: u32 = 80;

/// StoreContext: address of the heap of garbage-collected objects. Null until the store has one; then it never changes.
pub const STORE_GC_BASE: u32 = 88;
/// StoreContext: offset in the heap at which the next object begins (`u64`).
pub const STORE_GC_NEXT: u32 = 96;
/// StoreContext: the offset that an object may end at (`u64`), without the help of `gc_alloc`.
pub const STORE_GC_LIMIT: u32 = 104;
/// StoreContext: pointers to the `GcType`s of the store, by canonical id. Moves when types are added.
pub const STORE_GC_TYPES: u32 = 112;

/// Heap object: the canonical id of its type (`u32`), or [`GC_HOST`].
pub const GC_OBJECT_TYPE: u32 = 0;
/// Heap object: the length of an array (`u32`).
pub const GC_OBJECT_LENGTH: u32 = 4;
/// The type id of an object that holds a pointer of the host's, behind the header: it is of type `any` only.
pub const GC_HOST: u32 = 0xffff_fffe;
/// Bytes at the heap's beginning that are never accessible: what is read through null is there.
pub const GC_NULL_GUARD: u32 = 4096;
/// `GcType`: its id (`u32`).
pub const GC_TYPE_ID: u32 = 0;
/// `GcType`: the number of types above it (`u32`).
pub const GC_TYPE_DEPTH: u32 = 4;
/// `GcType`: [`GC_KIND_STRUCT`] or [`GC_KIND_ARRAY`] (`u32`).
pub const GC_TYPE_KIND: u32 = 8;
/// `GcType`: the ids of the types above it and its own (`u32` each).
pub const GC_TYPE_DISPLAY: u32 = 16;
/// Entries that a display has at least.
pub const GC_DISPLAY: u32 = 8;
/// The kind of structure types.
pub const GC_KIND_STRUCT: u32 = 1;
/// The kind of array types.
pub const GC_KIND_ARRAY: u32 = 2;
/// `GcBox`: the reference (`u32`).
pub const GC_BOX_REFERENCE: u32 = 32;

/// Exception: its tag.
pub const EXCEPTION_TAG: u32 = 32;
/// Exception: its values.
pub const EXCEPTION_PAYLOAD: u32 = 40;
/// Bytes of a value of an exception.
pub const PAYLOAD_CELL: u32 = 16;

/// Size of an activation record.
pub const ACTIVATION_SIZE: u32 = 40;
/// Activation: the next outer one.
pub const ACTIVATION_PREVIOUS: u32 = 0;
/// Activation: the store's `exit_fp` when the activation began.
pub const ACTIVATION_EXIT_FP: u32 = 8;
/// Activation: frame pointer of the entry stub.
pub const ACTIVATION_FP: u32 = 16;
/// Activation: the entry stub's description.
pub const ACTIVATION_STUB: u32 = 24;
/// Activation: the store.
pub const ACTIVATION_STORE: u32 = 32;

/// EntryStub: its code.
pub const ENTRY_STUB_CODE: u32 = 0;
/// EntryStub: where a raised trap continues.
pub const ENTRY_STUB_LANDING: u32 = 8;
/// EntryStub: distance from its frame pointer down to its stack pointer (`u32`).
pub const ENTRY_STUB_FRAME: u32 = 16;
/// EntryStub: distance from its frame pointer down to its activation record (`u32`).
pub const ENTRY_STUB_ACTIVATION: u32 = 20;

/// What an entry stub returns: done, results are written.
pub const STATUS_OK: u32 = 0;
/// What an entry stub returns: the store's trap is set.
pub const STATUS_TRAP: u32 = 1;
/// What an entry stub returns: argument `status - STATUS_KIND` has the wrong kind; nothing was called.
pub const STATUS_KIND: u32 = 2;

/// Bytes of a `wasm_val_t`.
pub const VAL_SIZE: u32 = 16;
/// `wasm_val_t`: the kind (`u8`).
pub const VAL_KIND: u32 = 0;
/// `wasm_val_t`: the value.
pub const VAL_OF: u32 = 8;
/// The kind that results of a callback are preset with, so that a callback that returns nothing is noticed.
pub const VAL_KIND_UNSET: u8 = 0x7f;
/// Bytes of a raw value.
pub const RAW_SIZE: u32 = 16;

/// Where the parts of a module's vmctx lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VmctxLayout {
    memories: u32,
    tables: u32,
    tags: u32,
    imported_globals: u32,
    defined_globals: u32,
    imported_global_count: u32,
    size: u32,
}

impl VmctxLayout {
    /// The layout for instances of `module`.
    pub fn new(module: &Module) -> VmctxLayout {
        let memories = VMCTX_DYNAMIC + module.imported_functions * IMPORT_FUNC_SIZE;
        let tables = memories + module.memories.len() as u32 * MEMORY_SIZE;
        let tags = tables + module.tables.len() as u32 * TABLE_SIZE;
        let imported_globals = tags + module.tags.len() as u32 * PTR;
        let defined_globals = (imported_globals + module.imported_globals * PTR).next_multiple_of(16);
        let defined = module.globals.len() as u32 - module.imported_globals;
        VmctxLayout {
            memories,
            tables,
            tags,
            imported_globals,
            defined_globals,
            imported_global_count: module.imported_globals,
            size: defined_globals + defined * GLOBAL_CELL,
        }
    }

    /// Bytes of the whole vmctx.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Offset of an imported function's entry.
    pub fn imported_function(&self, func: u32) -> u32 {
        VMCTX_DYNAMIC + func * IMPORT_FUNC_SIZE
    }

    /// Offset of a memory's entry.
    pub fn memory(&self, memory: u32) -> u32 {
        self.memories + memory * MEMORY_SIZE
    }

    /// Offset of the pointer to a table's definition.
    pub fn table(&self, table: u32) -> u32 {
        self.tables + table * TABLE_SIZE
    }

    /// Offset of the pointer to a tag.
    pub fn tag(&self, tag: u32) -> u32 {
        self.tags + tag * PTR
    }

    /// Offset of the pointer to an imported global's cell.
    pub fn imported_global(&self, global: u32) -> u32 {
        self.imported_globals + global * PTR
    }

    /// Offset of a defined global's cell; `global` is an index of the whole space.
    pub fn defined_global(&self, global: u32) -> u32 {
        self.defined_globals + (global - self.imported_global_count) * GLOBAL_CELL
    }
}
