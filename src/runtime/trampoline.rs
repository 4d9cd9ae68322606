//! The assembly between generated code and Rust: the builtins' trampolines, raising a trap, the stub behind the lazy
//! thunks, and where the signal handler sends a thread that trapped.
//!
//! All of them look like functions with a frame pointer, so that the frame walker can pass, and say so to debuggers.
//! On entry to each, as to any C function, `rsp` is 8 below a multiple of 16:
//!
//! ```text
//!            builtin's trampoline       lazy_compile                fault
//!  fp + 8    return address in wasm     return address in wasm      pc of the fault
//!  fp        caller's rbp               caller's rbp                fp of the fault
//!  fp - 8    rbx                        store                       store
//!            (alignment)                integer argument registers
//!                                       xmm0 .. xmm15
//! ```
//! The first two record their frame as the one through which WebAssembly was left.

use crate::compile::builtin::BUILTINS;
use crate::compile::builtin::for_each_builtin;
use crate::compile::layout as at;
use crate::runtime::builtins::fail_to_compile;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::sys::compile_stack::{self, StackError};
use crate::runtime::vmctx::{StoreContext, Vmctx};
use crate::runtime::{builtins, tier, trap};
use std::arch::naked_asm;

/// The table of code pointers that the vmctx points to. See [`TRAMPOLINES`].
#[derive(Debug)]
pub struct Trampolines([*const u8; BUILTINS.len()]);

// SAFETY: the pointers are to code and never change.
unsafe impl Sync for Trampolines {}

impl Trampolines {
    /// The table, for `StoreContext::builtins` and `Vmctx::builtins`.
    pub const fn as_ptr(&self) -> *const *const u8 {
        self.0.as_ptr()
    }
}

/// Defines the trampoline in front of a builtin's implementation.
macro_rules! builtin_trampoline {
    (throw, $implementation:path) => { throwing_trampoline!(throw, $implementation); };
    (throw_ref, $implementation:path) => { throwing_trampoline!(throw_ref, $implementation); };
    (raise_host_trap, $implementation:path) => { throwing_trampoline!(raise_host_trap, $implementation); };
    ($name:ident, $implementation:path) => {
        #[doc = concat!("Calls `", stringify!($implementation), "` for generated code.")]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            naked_asm!(
                ".cfi_startproc",
                "push rbp",
                ".cfi_def_cfa_offset 16",
                ".cfi_offset rbp, -16",
                "mov rbp, rsp",
                ".cfi_def_cfa_register rbp",
                "push rbx",
                ".cfi_offset rbx, -24",
                "sub rsp, 8",
                "mov rbx, [rdi + {store}]",
                "mov [rbx + {exit_fp}], rbp",
                "call {implementation}",
                "cmp qword ptr [rbx + {trap}], 0",
                "jne 2f",
                "mov rbx, [rbp - 8]",
                "mov rsp, rbp",
                "pop rbp",
                ".cfi_def_cfa rsp, 8",
                "ret",
                "2:",
                ".cfi_def_cfa rbp, 16",
                "mov rdi, rbx",
                "jmp {raise}",
                ".cfi_endproc",
                store = const at::VMCTX_STORE,
                exit_fp = const at::STORE_EXIT_FP,
                trap = const at::STORE_TRAP,
                implementation = sym $implementation,
                raise = sym raise,
            )
        }
    };
}

/// Defines the trampoline in front of a helper that does not return.
macro_rules! throwing_trampoline {
    ($name:ident, $implementation:path) => {
        #[doc = concat!("Calls `", stringify!($implementation), "` for generated code, and goes where it says.")]
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            naked_asm!(
                ".cfi_startproc",
                "push rbp",
                ".cfi_def_cfa_offset 16",
                ".cfi_offset rbp, -16",
                "mov rbp, rsp",
                ".cfi_def_cfa_register rbp",
                "push rbx",
                ".cfi_offset rbx, -24",
                "sub rsp, 8",
                "mov rbx, [rdi + {store}]",
                "mov [rbx + {exit_fp}], rbp",
                "call {implementation}",
                "mov rdi, rbx",
                "cmp qword ptr [rbx + {trap}], 0",
                "jne {raise}",
                "jmp {unwind}",
                ".cfi_endproc",
                store = const at::VMCTX_STORE,
                exit_fp = const at::STORE_EXIT_FP,
                trap = const at::STORE_TRAP,
                implementation = sym $implementation,
                raise = sym raise,
                unwind = sym unwind,
            )
        }
    };
}

macro_rules! trampolines {
    ($($number:literal $name:ident($($param:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
        mod builtin {
            use super::*;
            $(builtin_trampoline!($name, builtins::$name);)*
        }

        /// The builtins' trampolines, by number.
        pub static TRAMPOLINES: Trampolines = Trampolines([$(builtin::$name as *const u8),*]);
    };
}

for_each_builtin!(trampolines);

// Arguments on the stack would have to be copied, and all are in registers.
const _: () = {
    let mut i = 0;
    while i < BUILTINS.len() {
        assert!(BUILTINS[i].params.len() <= 6);
        i += 1;
    }
};

/// Leaves the innermost activation of the store, at its entry stub's landing pad, which restores the outer one and
/// returns to the host that a trap was raised.
///
/// # Safety
/// The store has an activation on this stack, its `trap` is set, and no Rust frame in between has anything to drop.
#[unsafe(naked)]
pub unsafe extern "C" fn raise(store: *mut StoreContext) -> ! {
    naked_asm!(
        "mov rax, [rdi + {activation}]",
        "mov rcx, [rax + {stub}]",
        "mov rax, [rax + {fp}]",
        "mov edx, [rcx + {frame}]",
        "mov rbp, rax",
        "sub rax, rdx",
        // Not by way of rbp: what lies below rsp may be overwritten by a signal at any time.
        "mov rsp, rax",
        "jmp [rcx + {landing}]",
        activation = const at::STORE_ACTIVATION,
        stub = const at::ACTIVATION_STUB,
        fp = const at::ACTIVATION_FP,
        frame = const at::ENTRY_STUB_FRAME,
        landing = const at::ENTRY_STUB_LANDING,
    )
}

/// Continues at the handler of an exception, which assumes nothing of the other registers.
///
/// # Safety
/// The store's `unwind` tells of a frame of its innermost activation, and no Rust frame in between has anything to drop.
#[unsafe(naked)]
unsafe extern "C" fn unwind(store: *mut StoreContext) -> ! {
    naked_asm!(
        "mov rbp, [rdi + {fp}]",
        "mov rax, [rdi + {payload}]",
        "mov rdx, [rdi + {exception}]",
        "mov rsp, [rdi + {sp}]",
        "jmp [rdi + {pc}]",
        fp = const at::STORE_UNWIND_FP,
        payload = const at::STORE_UNWIND_PAYLOAD,
        exception = const at::STORE_UNWIND_EXCEPTION,
        sp = const at::STORE_UNWIND_SP,
        pc = const at::STORE_UNWIND_PC,
    )
}

/// Bytes that `lazy_compile` keeps below its frame pointer: the store, nine integer and 16 vector registers.
pub(super) const LAZY_FRAME: u32 = 16 * 16 + 10 * 8;

/// Defines the stub behind the lazy thunks.
macro_rules! lazy_trampoline {
    ($(#[$attribute:meta])* $name:ident, $implementation:path) => {
        $(#[$attribute])*
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            naked_asm!(
                ".cfi_startproc",
                "push rbp",
                ".cfi_def_cfa_offset 16",
                ".cfi_offset rbp, -16",
                "mov rbp, rsp",
                ".cfi_def_cfa_register rbp",
                "sub rsp, {size}",
                "and rsp, -16",
                "movaps [rsp], xmm0",
                "movaps [rsp + 16], xmm1",
                "movaps [rsp + 32], xmm2",
                "movaps [rsp + 48], xmm3",
                "movaps [rsp + 64], xmm4",
                "movaps [rsp + 80], xmm5",
                "movaps [rsp + 96], xmm6",
                "movaps [rsp + 112], xmm7",
                "movaps [rsp + 128], xmm8",
                "movaps [rsp + 144], xmm9",
                "movaps [rsp + 160], xmm10",
                "movaps [rsp + 176], xmm11",
                "movaps [rsp + 192], xmm12",
                "movaps [rsp + 208], xmm13",
                "movaps [rsp + 224], xmm14",
                "movaps [rsp + 240], xmm15",
                "mov r11, [rdi + {store}]",
                "mov [r11 + {exit_fp}], rbp",
                "mov [rbp - 8], r11",
                "mov [rbp - 16], rdi",
                "mov [rbp - 24], rsi",
                "mov [rbp - 32], rdx",
                "mov [rbp - 40], rcx",
                "mov [rbp - 48], r8",
                "mov [rbp - 56], r9",
                "mov [rbp - 64], r10",
                "mov esi, eax",
                "call {implementation}",
                "test rax, rax",
                "jz 2f",
                "mov r11, rax",
                "mov r10, [rbp - 64]",
                "mov r9, [rbp - 56]",
                "mov r8, [rbp - 48]",
                "mov rcx, [rbp - 40]",
                "mov rdx, [rbp - 32]",
                "mov rsi, [rbp - 24]",
                "mov rdi, [rbp - 16]",
                "movaps xmm0, [rsp]",
                "movaps xmm1, [rsp + 16]",
                "movaps xmm2, [rsp + 32]",
                "movaps xmm3, [rsp + 48]",
                "movaps xmm4, [rsp + 64]",
                "movaps xmm5, [rsp + 80]",
                "movaps xmm6, [rsp + 96]",
                "movaps xmm7, [rsp + 112]",
                "movaps xmm8, [rsp + 128]",
                "movaps xmm9, [rsp + 144]",
                "movaps xmm10, [rsp + 160]",
                "movaps xmm11, [rsp + 176]",
                "movaps xmm12, [rsp + 192]",
                "movaps xmm13, [rsp + 208]",
                "movaps xmm14, [rsp + 224]",
                "movaps xmm15, [rsp + 240]",
                "mov rsp, rbp",
                "pop rbp",
                ".cfi_def_cfa rsp, 8",
                "jmp r11",
                "2:",
                ".cfi_def_cfa rbp, 16",
                "mov rdi, [rbp - 8]",
                "jmp {raise}",
                ".cfi_endproc",
                size = const LAZY_FRAME,
                store = const at::VMCTX_STORE,
                exit_fp = const at::STORE_EXIT_FP,
                implementation = sym $implementation,
                raise = sym raise,
            )
        }
    };
}

lazy_trampoline! {
    /// Where the lazy thunks lead to: a function is being called, its defined index is in `eax`, and its arguments are
    /// wherever its type puts them, the vmctx in `rdi`. Compiles it and goes on to its code, with everything as it was.
    ///
    /// # Safety
    /// Reached from a lazy thunk in a code table only.
    lazy_compile, compile_aside
}

/// Compiles on a stack that is large enough, whatever the caller's. Null if the store's trap is set instead.
unsafe extern "C" fn compile_aside(vmctx: *mut Vmctx, index: u32) -> *const u8 {
    // SAFETY: generated code passes the vmctx of the instance whose code table it called through, which is alive.
    let compiled = compile_stack::on_compile_stack(|| unsafe { tier::compile_lazily(vmctx, index) });
    // The trap is made here: the stack that the collector looks at is the caller's.
    let error = match compiled {
        Ok(Ok(code)) => return code,
        Ok(Err(error)) => error,
        Err(error) => {
            let reason = match &error {
                StackError::Memory(e) => format!("no stack to compile on: {e}"),
                StackError::Panic(message) => format!("the compiler panicked: {message}"),
            };
            Error::new(ErrorKind::Internal, format!("function {index} of the code section: {reason}"))
        }
    };
    // SAFETY: as above.
    unsafe { fail_to_compile(vmctx, &error) };
    std::ptr::null()
}

/// Defines what a trapping thread goes on with.
macro_rules! fault_trampoline {
    ($(#[$attribute:meta])* $name:ident, $implementation:path) => {
        $(#[$attribute])*
        #[unsafe(naked)]
        pub unsafe extern "C" fn $name() {
            naked_asm!(
                ".cfi_startproc",
                ".cfi_def_cfa rsp, 0",
                ".cfi_undefined rip",
                "push rsi",
                "push rdx",
                "mov rbp, rsp",
                ".cfi_def_cfa rbp, 16",
                "push rdi",
                "sub rsp, 8",
                "call {implementation}",
                "mov rdi, [rbp - 8]",
                "jmp {raise}",
                ".cfi_endproc",
                implementation = sym $implementation,
                raise = sym raise,
            )
        }
    };
}

fault_trampoline! {
    /// Where the signal handler sends a thread whose WebAssembly trapped, on the stack of the fault, with `rsp` a multiple of
    /// 16: `rdi` is the store, `rsi` and `rdx` are the fault's pc and frame pointer, `ecx` is the trap code, `r8`
    /// and `r9` are what `rdi` and `rsi` were at the fault.
    ///
    /// # Safety
    /// Reached from the signal handler only.
    fault, trap::raise_fault
}

#[cfg(test)]
#[path = "trampoline_tests.rs"]
mod tests;
#[cfg(test)]
#[path = "trampoline_world.rs"]
mod world;
