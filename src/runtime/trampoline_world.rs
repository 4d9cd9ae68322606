//! Code for the tests of this room: an entry stub and functions as a compiler would make them, written by hand, and
//! a store to run them in.

use crate::compile::code::{Code, Position, TrapSite};
use crate::runtime::code_memory::{self, CodeBlock, CodeKind};
use crate::runtime::vmctx::{EntryStub, Slot, StoreContext, Vmctx};
use crate::trap::TrapCode;
use std::arch::global_asm;
use std::ptr;
use std::sync::atomic::Ordering;

global_asm!(
    // (code: rdi, vmctx: rsi, argument: rdx, result: rcx, stub: r8) -> status
    "tenon_test_entry:",
    "push rbp",
    "mov rbp, rsp",
    "push rbx",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "sub rsp, 56",
    "mov [rbp - 48], rcx",
    "mov rbx, [rsi]",
    "mov rax, [rbx + 8]",
    "mov [rbp - 96], rax",
    "mov rax, [rbx + 16]",
    "mov [rbp - 88], rax",
    "mov [rbp - 80], rbp",
    "mov [rbp - 72], r8",
    "mov [rbp - 64], rbx",
    "lea rax, [rbp - 96]",
    "mov [rbx + 8], rax",
    "mov rax, rdi",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "call rax",
    "mov rcx, [rbp - 48]",
    "mov [rcx], rax",
    "xor eax, eax",
    "2:",
    "mov rdx, [rbp - 64]",
    "mov rcx, [rbp - 96]",
    "mov [rdx + 8], rcx",
    "mov rcx, [rbp - 88]",
    "mov [rdx + 16], rcx",
    "lea rsp, [rbp - 40]",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbx",
    "pop rbp",
    "ret",
    "tenon_test_landing:",
    "mov eax, 1",
    "jmp 2b",
    "tenon_test_entry_end:",
    // (vmctx: rdi, x: rsi): loads from x, executes ud2 if that is 1, divides 100 by it.
    "tenon_test_traps:",
    "push rbp",
    "mov rbp, rsp",
    "push rdi",
    "push r15",
    // What a trap must give back to the host as it was.
    "mov r15, 99",
    "tenon_test_traps_load:",
    "mov ecx, [rsi]",
    "cmp ecx, 1",
    "jne 2f",
    "tenon_test_traps_ud2:",
    "ud2",
    "2:",
    "xor edx, edx",
    "mov eax, 100",
    "tenon_test_traps_div:",
    "div ecx",
    "pop r15",
    "pop rdi",
    "pop rbp",
    "ret",
    "tenon_test_traps_end:",
    // (vmctx: rdi, x: rsi): calls the first builtin with the same arguments, adds 1, kept in rbx.
    "tenon_test_builtin:",
    "push rbp",
    "mov rbp, rsp",
    "push rdi",
    "push rbx",
    "mov ebx, 1",
    "mov rax, [rdi + 8]",
    "call [rax]",
    "add rax, rbx",
    "mov rbx, [rbp - 16]",
    "mov rsp, rbp",
    "pop rbp",
    "ret",
    "tenon_test_builtin_end:",
    // (vmctx: rdi, x: rsi): calls the first function of the code table with the same arguments, adds 1.
    "tenon_test_caller:",
    "push rbp",
    "mov rbp, rsp",
    "push rdi",
    "sub rsp, 8",
    "mov rax, [rdi + 16]",
    "call [rax]",
    "inc rax",
    "mov rsp, rbp",
    "pop rbp",
    "ret",
    "tenon_test_caller_end:",
    // (vmctx: rdi, x: rsi): calls the first function of the code table with a value in each register and two on the
    // stack.
    "tenon_test_all_arguments:",
    "push rbp",
    "mov rbp, rsp",
    "push rdi",
    "sub rsp, 8",
    "push 72",
    "push 71",
    "mov edx, 22",
    "mov ecx, 33",
    "mov r8d, 44",
    "mov r9d, 55",
    "mov r10d, 66",
    "pcmpeqd xmm0, xmm0",
    "psrlq xmm0, 1",
    "pcmpeqd xmm1, xmm1",
    "psrlq xmm1, 2",
    "pcmpeqd xmm2, xmm2",
    "psrlq xmm2, 3",
    "pcmpeqd xmm3, xmm3",
    "psrlq xmm3, 4",
    "pcmpeqd xmm4, xmm4",
    "psrlq xmm4, 5",
    "pcmpeqd xmm5, xmm5",
    "psrlq xmm5, 6",
    "pcmpeqd xmm6, xmm6",
    "psrlq xmm6, 7",
    "pcmpeqd xmm7, xmm7",
    "psrlq xmm7, 8",
    "pcmpeqd xmm8, xmm8",
    "psrlq xmm8, 9",
    "pcmpeqd xmm9, xmm9",
    "psrlq xmm9, 10",
    "pcmpeqd xmm10, xmm10",
    "psrlq xmm10, 11",
    "pcmpeqd xmm11, xmm11",
    "psrlq xmm11, 12",
    "pcmpeqd xmm12, xmm12",
    "psrlq xmm12, 13",
    "pcmpeqd xmm13, xmm13",
    "psrlq xmm13, 14",
    "pcmpeqd xmm14, xmm14",
    "psrlq xmm14, 15",
    "pcmpeqd xmm15, xmm15",
    "psrlq xmm15, 16",
    "mov rax, [rdi + 16]",
    "call [rax]",
    "mov rsp, rbp",
    "pop rbp",
    "ret",
    "tenon_test_all_arguments_end:",
    // What such a call passes, and the alignment of rsp, in one number.
    "tenon_test_digest:",
    "mov rax, rsp",
    "and rax, 15",
    "sub rsp, 24",
    "rol rax, 9",
    "xor rax, rsi",
    "rol rax, 9",
    "xor rax, rdx",
    "rol rax, 9",
    "xor rax, rcx",
    "rol rax, 9",
    "xor rax, r8",
    "rol rax, 9",
    "xor rax, r9",
    "rol rax, 9",
    "xor rax, r10",
    "rol rax, 9",
    "xor rax, [rsp + 32]",
    "rol rax, 9",
    "xor rax, [rsp + 40]",
    "xor rax, [rdi + 32]",
    "movups [rsp], xmm0",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm1",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm2",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm3",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm4",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm5",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm6",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm7",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm8",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm9",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm10",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm11",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm12",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm13",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm14",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "movups [rsp], xmm15",
    "xor rax, [rsp]",
    "rol rax, 5",
    "xor rax, [rsp + 8]",
    "rol rax, 7",
    "add rsp, 24",
    "ret",
    "tenon_test_digest_end:",
);

unsafe extern "C" {
    static tenon_test_entry: u8;
    static tenon_test_landing: u8;
    static tenon_test_entry_end: u8;
    static tenon_test_traps: u8;
    static tenon_test_traps_load: u8;
    static tenon_test_traps_ud2: u8;
    static tenon_test_traps_div: u8;
    static tenon_test_traps_end: u8;
    static tenon_test_builtin: u8;
    static tenon_test_builtin_end: u8;
    static tenon_test_caller: u8;
    static tenon_test_caller_end: u8;
    static tenon_test_all_arguments: u8;
    static tenon_test_all_arguments_end: u8;
    static tenon_test_digest: u8;
    static tenon_test_digest_end: u8;
}

/// Distance from the entry stub's frame pointer down to its activation.
const ACTIVATION_BELOW_FP: u32 = 96;

type TestEntry = unsafe extern "C" fn(*const u8, *mut Vmctx, usize, *mut usize, *const EntryStub) -> u32;

fn bytes(from: &'static u8, to: &'static u8) -> Vec<u8> {
    let len = ptr::from_ref(to) as usize - ptr::from_ref(from) as usize;
    // SAFETY: both are labels of the assembly above.
    unsafe { std::slice::from_raw_parts(from, len) }.to_vec()
}

fn offset(from: &'static u8, to: &'static u8) -> u32 {
    (ptr::from_ref(to) as usize - ptr::from_ref(from) as usize) as u32
}

fn code(bytes: Vec<u8>, traps: Vec<TrapSite>) -> Code {
    let positions = vec![Position { offset: 4, module_offset: 1000 }, Position { offset: 8, module_offset: 2000 }];
    Code { bytes, traps, positions, vmctx_below_fp: Some(8), ..Code::default() }
}

/// Places a function like those of a module.
pub fn place(code: Code, func: u32) -> CodeBlock {
    code_memory::place(code, CodeKind::Wasm { owner: ptr::null(), func }).unwrap()
}

/// Function 7: traps in three ways.
pub fn traps() -> CodeBlock {
    // SAFETY: labels of the assembly above.
    unsafe {
        let site = |label, code| TrapSite { offset: offset(&tenon_test_traps, label), code };
        let sites = vec![
            site(&tenon_test_traps_load, TrapCode::OutOfBoundsMemoryAccess),
            site(&tenon_test_traps_ud2, TrapCode::Unreachable),
            site(&tenon_test_traps_div, TrapCode::IntegerDivideByZero),
        ];
        place(code(bytes(&tenon_test_traps, &tenon_test_traps_end), sites), 7)
    }
}

/// Function 8: the first builtin's result and 1.
pub fn builtin_caller() -> CodeBlock {
    // SAFETY: labels of the assembly above.
    place(code(unsafe { bytes(&tenon_test_builtin, &tenon_test_builtin_end) }, Vec::new()), 8)
}

/// Function 9: the first function of the code table's result and 1.
pub fn caller() -> CodeBlock {
    // SAFETY: labels of the assembly above.
    place(code(unsafe { bytes(&tenon_test_caller, &tenon_test_caller_end) }, Vec::new()), 9)
}

/// Function 10: calls the first function of the code table with everything that can hold arguments in use.
pub fn all_arguments() -> CodeBlock {
    // SAFETY: labels of the assembly above.
    place(code(unsafe { bytes(&tenon_test_all_arguments, &tenon_test_all_arguments_end) }, Vec::new()), 10)
}

/// Function 11: a digest of what `all_arguments` passes and of the vmctx's instance.
pub fn digest() -> CodeBlock {
    // SAFETY: labels of the assembly above.
    place(code(unsafe { bytes(&tenon_test_digest, &tenon_test_digest_end) }, Vec::new()), 11)
}

/// A store, a vmctx, and an entry stub for functions (usize) -> usize. Boxed, as they point to each other.
pub struct World {
    pub store: StoreContext,
    pub vmctx: Vmctx,
    pub builtins: [*const u8; 1],
    pub code_table: [Slot; 1],
    stub: EntryStub,
    _entry: CodeBlock,
}

impl World {
    pub fn new() -> Box<World> {
        // SAFETY: labels of the assembly above.
        let (entry, landing) = unsafe {
            let bytes = bytes(&tenon_test_entry, &tenon_test_entry_end);
            (Code { bytes, ..Code::default() }, offset(&tenon_test_entry, &tenon_test_landing))
        };
        let kind = CodeKind::EntryStub { activation_below_fp: ACTIVATION_BELOW_FP };
        let entry = code_memory::place(entry, kind).unwrap();
        let stub = EntryStub {
            code: entry.address(),
            landing: entry.address().wrapping_add(landing as usize),
            frame_below_fp: ACTIVATION_BELOW_FP,
            activation_below_fp: ACTIVATION_BELOW_FP,
        };
        let mut world = Box::new(World {
            store: StoreContext::new(ptr::null()),
            vmctx: Vmctx {
                store: ptr::null_mut(),
                builtins: ptr::null(),
                code_table: ptr::null(),
                type_ids: ptr::null(),
                instance: ptr::null_mut(),
            },
            builtins: [ptr::null()],
            code_table: [Slot::new(ptr::null_mut())],
            stub,
            _entry: entry,
        });
        world.vmctx.store = &raw mut world.store;
        world.vmctx.builtins = world.builtins.as_ptr();
        world.vmctx.code_table = world.code_table.as_ptr();
        world
    }

    /// What calls of the first function reach.
    pub fn set_function(&self, code: *const u8) {
        self.code_table[0].store(code.cast_mut(), Ordering::Release);
    }

    /// Calls a function; an error if it trapped.
    ///
    /// # Safety
    /// The pointer is a live world, and the code can be run in it with this argument.
    pub unsafe fn call(world: *mut World, code: *const u8, argument: usize) -> Result<usize, ()> {
        // SAFETY: the world is alive, and its stub is of this type.
        unsafe {
            let outer = ((*world).store.activation, (*world).store.exit_fp);
            let entry = std::mem::transmute::<*const u8, TestEntry>((*world).stub.code);
            let mut result = 0;
            let status = entry(code, &raw mut (*world).vmctx, argument, &mut result, &raw const (*world).stub);
            assert_eq!(outer, ((*world).store.activation, (*world).store.exit_fp));
            if status == 0 { Ok(result) } else { Err(()) }
        }
    }
}
