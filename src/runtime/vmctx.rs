//! The structures that generated code shares with the runtime, and the proof that they lie where
//! `compile/layout.rs` says. The drawing is there.

use crate::compile::layout as at;
use crate::runtime::exception::Exception;
use crate::runtime::func::{Func, HostFunc};
use crate::runtime::gc::heap::Window;
use crate::runtime::gc::{GcBox, GcType};
use crate::runtime::instance::Instance;
use crate::runtime::trap::Trap;
use std::mem::{offset_of, size_of};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicUsize};

/// A place that holds a code pointer. Calls go through it, so code can be replaced by one release store.
pub type Slot = AtomicPtr<u8>;

/// The part of a store that generated code and trampolines touch. It is the beginning of `Store`.
#[repr(C)]
#[derive(Debug)]
pub struct StoreContext {
    /// The lowest address that the stack may reach.
    pub stack_limit: usize,
    /// The innermost activation, or null when no WebAssembly of this store is running.
    pub activation: *mut Activation,
    /// Frame pointer of the frame (host stub or builtin trampoline) through which WebAssembly was last left.
    pub exit_fp: usize,
    /// The trap that is being raised, or null.
    pub trap: *mut Trap,
    /// The builtins' trampolines, by number.
    pub builtins: *const *const u8,
    /// The cells in which the values of an exception are when it is thrown.
    pub payload: *mut GlobalCell,
    /// Where the trampolines of throwing helpers continue.
    pub unwind: Unwind,
    /// The heap of garbage-collected objects.
    pub gc: Window,
}

/// Where the handler of an exception begins, and what it gets.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Unwind {
    /// Its address.
    pub pc: usize,
    /// The frame pointer there.
    pub fp: usize,
    /// The stack pointer there.
    pub sp: usize,
    /// The values.
    pub payload: *const GlobalCell,
    /// The exception, if the handler wants a reference.
    pub exception: *const Exception,
}

/// One crossing from the host into WebAssembly: lives in the frame of its entry stub.
#[repr(C)]
#[derive(Debug)]
pub struct Activation {
    /// The next outer activation of the store, or null.
    pub previous: *mut Activation,
    /// The store's `exit_fp` when this one began: where the outer activation was left.
    pub saved_exit_fp: usize,
    /// Frame pointer of the entry stub.
    pub fp: usize,
    /// The entry stub.
    pub stub: *const EntryStub,
    /// The store.
    pub store: *mut StoreContext,
}

/// A placed entry stub.
#[repr(C)]
#[derive(Debug)]
pub struct EntryStub {
    /// Its code, an [`EntryFn`].
    pub code: *const u8,
    /// Where a raised trap continues.
    pub landing: *const u8,
    /// Distance from its frame pointer down to its stack pointer at the call.
    pub frame_below_fp: u32,
    /// Distance from its frame pointer down to its [`Activation`].
    pub activation_below_fp: u32,
}

/// What an entry stub's code is. `args` and `results` are arrays of `wasm_val_t`, or of raw values.
pub type EntryFn = unsafe extern "C" fn(
    func: *const Func,
    store: *mut StoreContext,
    args: *const u8,
    results: *mut u8,
    stub: *const EntryStub,
) -> u32;

/// What generated code knows of a memory.
#[repr(C)]
#[derive(Debug)]
pub struct MemoryDef {
    /// Address of byte 0.
    pub base: *mut u8,
    /// Accessible bytes. Of a shared memory, other threads change it.
    pub length: AtomicUsize,
}

/// What generated code knows of a table.
#[repr(C)]
#[derive(Debug)]
pub struct TableDef {
    /// The elements; see `layout.rs` for their form.
    pub elements: *mut usize,
    /// How many.
    pub length: usize,
}

/// The fixed beginning of an instance's vmctx.
#[repr(C)]
#[derive(Debug)]
pub struct Vmctx {
    /// The store.
    pub store: *mut StoreContext,
    /// The builtins' trampolines, by number.
    pub builtins: *const *const u8,
    /// The module's code table.
    pub code_table: *const Slot,
    /// Canonical ids of the module's types.
    pub type_ids: *const u32,
    /// The instance.
    pub instance: *mut Instance,
}

/// An imported function in a vmctx.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ImportedFunc {
    /// Where its code pointer is.
    pub slot: *const Slot,
    /// What to call it with.
    pub vmctx: *mut Vmctx,
    /// The function itself.
    pub func: *mut Func,
}

/// A memory in a vmctx.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct VmMemory {
    /// Its base, where bases are fixed.
    pub base: *mut u8,
    /// Its definition.
    pub def: *mut MemoryDef,
}

/// A global's value: 16 bytes of which its type uses the first ones.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GlobalCell(pub [u8; 16]);

impl GlobalCell {
    /// The lower 64 bits.
    pub fn low(&self) -> u64 {
        let mut low = [0; 8];
        low.copy_from_slice(&self.0[..8]);
        u64::from_le_bytes(low)
    }

    /// A cell with these lower bits and zeros above.
    pub fn from_low(low: u64) -> GlobalCell {
        GlobalCell(u128::from(low).to_le_bytes())
    }
}

impl StoreContext {
    /// A context that runs nothing and lets nothing run.
    pub fn new(builtins: *const *const u8) -> StoreContext {
        StoreContext {
            stack_limit: usize::MAX,
            activation: ptr::null_mut(),
            exit_fp: 0,
            trap: ptr::null_mut(),
            builtins,
            payload: ptr::null_mut(),
            unwind: Unwind { pc: 0, fp: 0, sp: 0, payload: ptr::null(), exception: ptr::null() },
            gc: Window::none(),
        }
    }
}

macro_rules! assert_offsets {
    ($($ty:ty { $($field:ident = $offset:expr),* $(,)? })*) => {
        $($(const _: () = assert!(offset_of!($ty, $field) == $offset as usize);)*)*
    };
}

assert_offsets! {
    StoreContext {
        stack_limit = at::STORE_STACK_LIMIT,
        activation = at::STORE_ACTIVATION,
        exit_fp = at::STORE_EXIT_FP,
        trap = at::STORE_TRAP,
        builtins = at::STORE_BUILTINS,
        payload = at::STORE_PAYLOAD,
        unwind = at::STORE_UNWIND_PC,
        gc = at::STORE_GC_BASE,
    }
    Window {
        base = 0,
        next = at::STORE_GC_NEXT - at::STORE_GC_BASE,
        limit = at::STORE_GC_LIMIT - at::STORE_GC_BASE,
        types = at::STORE_GC_TYPES - at::STORE_GC_BASE,
    }
    Unwind {
        pc = 0,
        fp = at::STORE_UNWIND_FP - at::STORE_UNWIND_PC,
        sp = at::STORE_UNWIND_SP - at::STORE_UNWIND_PC,
        payload = at::STORE_UNWIND_PAYLOAD - at::STORE_UNWIND_PC,
        exception = at::STORE_UNWIND_EXCEPTION - at::STORE_UNWIND_PC,
    }
    GcType {
        id = at::GC_TYPE_ID,
        depth = at::GC_TYPE_DEPTH,
        kind = at::GC_TYPE_KIND,
        display = at::GC_TYPE_DISPLAY,
    }
    GcBox { reference = at::GC_BOX_REFERENCE }
    Exception { tag = at::EXCEPTION_TAG, payload = at::EXCEPTION_PAYLOAD }
    Activation {
        previous = at::ACTIVATION_PREVIOUS,
        saved_exit_fp = at::ACTIVATION_EXIT_FP,
        fp = at::ACTIVATION_FP,
        stub = at::ACTIVATION_STUB,
        store = at::ACTIVATION_STORE,
    }
    EntryStub {
        code = at::ENTRY_STUB_CODE,
        landing = at::ENTRY_STUB_LANDING,
        frame_below_fp = at::ENTRY_STUB_FRAME,
        activation_below_fp = at::ENTRY_STUB_ACTIVATION,
    }
    MemoryDef { base = at::MEMORY_DEF_BASE, length = at::MEMORY_DEF_LENGTH }
    TableDef { elements = at::TABLE_DEF_ELEMENTS, length = at::TABLE_DEF_LENGTH }
    Vmctx {
        store = at::VMCTX_STORE,
        builtins = at::VMCTX_BUILTINS,
        code_table = at::VMCTX_CODE_TABLE,
        type_ids = at::VMCTX_TYPE_IDS,
        instance = at::VMCTX_INSTANCE,
    }
    ImportedFunc {
        slot = at::IMPORT_FUNC_SLOT,
        vmctx = at::IMPORT_FUNC_VMCTX,
        func = at::IMPORT_FUNC_FUNC,
    }
    VmMemory { base = at::MEMORY_BASE, def = at::MEMORY_DEF }
    Func {
        slot = at::FUNC_SLOT,
        vmctx = at::FUNC_VMCTX,
        type_id = at::FUNC_TYPE_ID,
    }
    HostFunc { callback = at::FUNC_CALLBACK, env = at::FUNC_ENV }
}

const _: () = assert!(size_of::<Activation>() == at::ACTIVATION_SIZE as usize);
const _: () = assert!(size_of::<ImportedFunc>() == at::IMPORT_FUNC_SIZE as usize);
const _: () = assert!(size_of::<VmMemory>() == at::MEMORY_SIZE as usize);
const _: () = assert!(size_of::<GlobalCell>() == at::GLOBAL_CELL as usize);
const _: () = assert!(size_of::<GlobalCell>() == at::PAYLOAD_CELL as usize);
const _: () = assert!(size_of::<Vmctx>() == at::VMCTX_DYNAMIC as usize);
