//! Tests of the trampolines, the signal handlers and the frame walker with code written by hand (`trampoline_world.rs`), and
//! with implementations of their own behind the trampolines.

use super::world::{self, World};
use super::{LAZY_FRAME, raise};
use crate::compile::code::{Code, Position};
use crate::compile::layout as at;
use crate::runtime::code_memory::CodeKind;
use crate::runtime::signals;
use crate::runtime::sys::compile_stack::on_compile_stack;
use crate::runtime::sys::stack::stack_pointer;
use crate::runtime::sys::testing::in_child;
use crate::runtime::sys::vm;
use crate::runtime::trampoline;
use crate::runtime::unwind::{self, Frame, Start};
use crate::runtime::vmctx::{StoreContext, Vmctx};
use crate::trap::TrapCode;
use std::arch::{asm, naked_asm};
use std::cell::{Cell, RefCell};
use std::ptr;

/// What a store's trap is set to here: never followed.
fn some_trap() -> *mut crate::runtime::trap::Trap {
    ptr::dangling_mut()
}

thread_local! {
    /// Function index, module offset and whether the vmctx is that of the world, of each frame seen.
    static SEEN: RefCell<Vec<(u32, Option<u32>, bool)>> = const { RefCell::new(Vec::new()) };
    static WORLD: Cell<*mut World> = const { Cell::new(ptr::null_mut()) };
    static NESTED: Cell<usize> = const { Cell::new(0) };
}

fn see(store: *const StoreContext, start: Start, vmctx: *mut Vmctx) {
    let mut seen = Vec::new();
    let mut each = |frame: Frame| {
        let CodeKind::Wasm { func, .. } = frame.meta.kind else { panic!("{:?}", frame.meta.kind) };
        // SAFETY: the frame is being walked.
        seen.push((func, frame.places().next(), unsafe { frame.vmctx() } == Some(vmctx)));
        true
    };
    // SAFETY: called by a builtin or after a fault of the store.
    unsafe { unwind::walk(store, start, &mut each) };
    SEEN.set(seen);
}

builtin_trampoline!(double_trampoline, double);

/// Doubles `x`; traps if it is 0.
unsafe extern "C" fn double(vmctx: *mut Vmctx, x: usize) -> usize {
    // SAFETY: called by the world's code.
    unsafe {
        see((*vmctx).store, Start::Exit, vmctx);
        if x == 0 {
            (*(*vmctx).store).trap = some_trap();
        }
    }
    2 * x
}

builtin_trampoline!(alignment_trampoline, alignment);

/// The stack pointer's last bits on entry.
#[unsafe(naked)]
unsafe extern "C" fn alignment() {
    naked_asm!("mov rax, rsp", "and rax, 15", "ret")
}

builtin_trampoline!(reenter_trampoline, reenter);

/// Calls the world again, as a host function would, until nested three times.
unsafe extern "C" fn reenter(vmctx: *mut Vmctx, x: usize) -> usize {
    // SAFETY: called by the world's code.
    unsafe {
        if NESTED.get() == 3 {
            see((*vmctx).store, Start::Exit, vmctx);
            return x;
        }
        NESTED.set(NESTED.get() + 1);
        let code = (*WORLD.get()).code_table[0].load(std::sync::atomic::Ordering::Relaxed);
        World::call(WORLD.get(), code, x).unwrap()
    }
}

fn with_builtin(trampoline: unsafe extern "C" fn()) -> Box<World> {
    let mut world = World::new();
    world.builtins[0] = trampoline as *const u8;
    world
}

#[test]
fn builtins_return_and_trap() {
    let mut world = with_builtin(double_trampoline);
    let code = world::builtin_caller();
    for x in [1, 2, 100] {
        // SAFETY: the world lives.
        assert_eq!(unsafe { World::call(&mut *world, code.address(), x) }, Ok(2 * x + 1));
        assert_eq!(SEEN.take(), [(8, Some(2000), true)]);
    }
    // SAFETY: as above.
    assert_eq!(unsafe { World::call(&mut *world, code.address(), 0) }, Err(()));
    assert_eq!(world.store.trap, some_trap());
    assert!(world.store.activation.is_null());
}

#[test]
fn builtins_find_the_stack_aligned() {
    let mut world = with_builtin(alignment_trampoline);
    let code = world::builtin_caller();
    // SAFETY: the world lives.
    assert_eq!(unsafe { World::call(&mut *world, code.address(), 0) }, Ok(8 + 1));
}

#[test]
fn frames_of_all_activations_are_found() {
    let mut world = with_builtin(reenter_trampoline);
    let (inner, outer) = (world::builtin_caller(), world::caller());
    world.set_function(inner.address());
    WORLD.set(&mut *world);
    NESTED.set(0);
    // SAFETY: the world lives.
    assert_eq!(unsafe { World::call(WORLD.get(), outer.address(), 5) }, Ok(5 + 4 + 1));
    let frame = |func| (func, Some(2000), true);
    assert_eq!(SEEN.take(), [frame(8), frame(8), frame(8), frame(8), frame(9)]);
    let mut count = 0;
    // SAFETY: nothing is running.
    unsafe {
        unwind::walk(&world.store, Start::Exit, &mut |_| {
            count += 1;
            true
        })
    };
    assert_eq!(count, 0);
}

#[test]
fn a_call_may_be_the_last_instruction() {
    let mut world = with_builtin(double_trampoline);
    // push rbp; mov rbp, rsp; push rdi; sub rsp, 8; mov rax, [rdi + 8]; call [rax]
    let mut bytes = vec![0x55, 0x48, 0x89, 0xe5, 0x57, 0x48, 0x83, 0xec, 8, 0x48, 0x8b, 0x47, 8, 0xff, 0x10];
    // To the end of its granule.
    bytes.splice(0..0, [0x90; 49]);
    let positions = vec![Position { offset: 0, module_offset: 10 }, Position { offset: 62, module_offset: 20 }];
    let code = world::place(Code { bytes, positions, vmctx_below_fp: Some(8), ..Code::default() }, 12);
    assert_eq!(code.metas()[0].len, 64);
    // SAFETY: the world lives; the builtin traps.
    assert_eq!(unsafe { World::call(&mut *world, code.address(), 0) }, Err(()));
    assert_eq!(SEEN.take(), [(12, Some(20), true)]);
}

lazy_trampoline! {
    test_lazy, compile
}

thread_local! {
    static COMPILED: Cell<(*const u8, u32)> = const { Cell::new((ptr::null(), 0)) };
}

unsafe extern "C" fn compile(vmctx: *mut Vmctx, index: u32) -> *const u8 {
    // SAFETY: called by the world's code.
    let store = unsafe { (*vmctx).store };
    let (code, _) = COMPILED.get();
    COMPILED.set((code, index));
    see(store, Start::Exit, vmctx);
    if code.is_null() {
        // SAFETY: as above.
        unsafe { (*store).trap = some_trap() };
    }
    on_compile_stack(|| {
        // SAFETY: only overwrites registers that it says it does.
        unsafe {
            asm!(
                "pcmpeqd xmm0, xmm0",
                "pcmpeqd xmm1, xmm1",
                "pcmpeqd xmm2, xmm2",
                "pcmpeqd xmm3, xmm3",
                "pcmpeqd xmm4, xmm4",
                "pcmpeqd xmm5, xmm5",
                "pcmpeqd xmm6, xmm6",
                "pcmpeqd xmm7, xmm7",
                "pcmpeqd xmm8, xmm8",
                "pcmpeqd xmm9, xmm9",
                "pcmpeqd xmm10, xmm10",
                "pcmpeqd xmm11, xmm11",
                "pcmpeqd xmm12, xmm12",
                "pcmpeqd xmm13, xmm13",
                "pcmpeqd xmm14, xmm14",
                "pcmpeqd xmm15, xmm15",
                "mov r10, 1",
                "mov r11, 2",
                clobber_abi("C"),
            );
        }
    })
    .unwrap();
    code
}

/// A thunk like those of `code_memory`, but of `test_lazy`.
fn thunk(index: u32) -> crate::runtime::code_memory::CodeBlock {
    let mut bytes = vec![0xb8];
    bytes.extend(index.to_le_bytes());
    // mov r11, test_lazy; jmp r11
    bytes.extend([0x49, 0xbb]);
    bytes.extend((test_lazy as *const () as usize).to_le_bytes());
    bytes.extend([0x41, 0xff, 0xe3]);
    crate::runtime::code_memory::place(Code { bytes, ..Code::default() }, CodeKind::Other).unwrap()
}

#[test]
fn lazily_compiled_functions_get_their_arguments() {
    let mut world = World::new();
    world.vmctx.instance = ptr::without_provenance_mut(0x1234_5678);
    let (caller, target, thunk) = (world::all_arguments(), world::digest(), thunk(77));
    world.set_function(target.address());
    // SAFETY: the world lives.
    let direct = unsafe { World::call(&mut *world, caller.address(), 11) };
    COMPILED.set((target.address(), 0));
    world.set_function(thunk.address());
    // SAFETY: as above.
    let lazy = unsafe { World::call(&mut *world, caller.address(), 11) };
    assert!(direct.is_ok_and(|digest| digest != 0));
    assert_eq!(lazy, direct);
    assert_eq!(COMPILED.get(), (target.address(), 77));
    assert_eq!(SEEN.take(), [(10, Some(2000), true)]);
    // From a frame of the entry stub only.
    // SAFETY: as above.
    unsafe { World::call(&mut *world, thunk.address(), 11) }.unwrap();
    assert_eq!(SEEN.take(), []);
    COMPILED.set((ptr::null(), 0));
    // SAFETY: as above.
    assert_eq!(unsafe { World::call(&mut *world, caller.address(), 11) }, Err(()));
    assert_eq!((world.store.trap, COMPILED.get().1), (some_trap(), 77));
}

#[test]
fn the_table_has_a_trampoline_for_each_builtin() {
    let count = crate::compile::builtin::BUILTINS.len();
    // SAFETY: the table has this length.
    let table = unsafe { std::slice::from_raw_parts(trampoline::TRAMPOLINES.as_ptr(), count) };
    let different: std::collections::HashSet<_> = table.iter().collect();
    assert_eq!(different.len(), count);
    assert_eq!(at::PTR as usize * count, size_of_val(table));
}

fault_trampoline! {
    test_fault, record_fault
}

thread_local! {
    static FAULT: Cell<(usize, u32, usize)> = const { Cell::new((0, 0, 0)) };
}

unsafe extern "C" fn record_fault(store: *mut StoreContext, pc: usize, fp: usize, code: u32) {
    FAULT.set((pc, code, stack_pointer()));
    // SAFETY: called for the world's code.
    unsafe {
        see(store, Start::Fault { pc, fp, vmctx: ptr::null_mut() }, &raw mut (*WORLD.get()).vmctx);
        (*store).trap = some_trap();
    }
    assert_eq!(format!("{:?} {}", std::hint::black_box(1.5f64), 7), "1.5 7");
}

unsafe extern "C" fn test_handler(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes these.
    unsafe {
        if !signals::claim(&*info, &mut *context.cast(), test_fault as *const () as usize) {
            libc::_exit(signal);
        }
    }
}

/// Sets a handler; the flags say of what kind it is.
fn handle(signal: i32, handler: usize, flags: i32) {
    // SAFETY: the handlers here are of the kind that their flags say.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        assert_eq!(libc::sigaction(signal, &action, ptr::null_mut()), 0);
    }
}

const TEST_FLAGS: i32 = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;

fn handle_faults() {
    for signal in [libc::SIGSEGV, libc::SIGILL, libc::SIGFPE] {
        handle(signal, test_handler as *const () as usize, TEST_FLAGS);
    }
}

/// Runs `f` with an alternate signal stack, or without.
fn with_alternate_stack(alternate: bool, f: impl FnOnce()) {
    let memory = vm::map(64 << 10, vm::Protection::ReadWrite).unwrap();
    let stack = |flags| libc::stack_t { ss_sp: memory.cast(), ss_flags: flags, ss_size: 64 << 10 };
    // SAFETY: the stack is ours until the process ends.
    unsafe {
        assert_eq!(libc::sigaltstack(&stack(if alternate { 0 } else { libc::SS_DISABLE }), ptr::null_mut()), 0);
        f();
        assert_eq!(libc::sigaltstack(&stack(libc::SS_DISABLE), ptr::null_mut()), 0);
    }
}

#[test]
fn faults_of_code_are_raised_as_traps() {
    for alternate in [false, true] {
        let status = in_child(|| {
            handle_faults();
            let code = world::traps();
            let outer = world::caller();
            let mut world = World::new();
            world.set_function(code.address());
            WORLD.set(&mut *world);
            with_alternate_stack(alternate, || {
                let cases: [(*const u32, TrapCode); 3] = [
                    (ptr::without_provenance(16), TrapCode::OutOfBoundsMemoryAccess),
                    (&1, TrapCode::Unreachable),
                    (&0, TrapCode::IntegerDivideByZero),
                ];
                let sites = code.metas()[0].traps.clone();
                for (i, (argument, expected)) in cases.into_iter().cycle().take(9).enumerate() {
                    world.store.trap = ptr::null_mut();
                    // SAFETY: the world lives; faults are handled.
                    let result = unsafe { World::call(&mut *world, outer.address(), argument as usize) };
                    assert_eq!((result, world.store.trap), (Err(()), some_trap()));
                    let (pc, number, sp) = FAULT.get();
                    assert_eq!((pc - code.address() as usize, number), (sites[i % 3].offset as usize, expected as u32));
                    assert!(sp.abs_diff(stack_pointer()) < 64 << 10);
                    assert_eq!(SEEN.take(), [(7, Some(2000), true), (9, Some(2000), true)]);
                    // SAFETY: as above.
                    let good = unsafe { World::call(&mut *world, outer.address(), &raw const FIVE as usize) };
                    assert_eq!(good, Ok(20 + 1));
                }
            });
            0
        });
        assert_eq!(status, Ok(0));
    }
}

static FIVE: u32 = 5;

#[test]
fn other_faults_are_not_claimed() {
    /// Loads from its argument, in frames that are complete.
    fn loads(site: u32) -> Code {
        // push rbp; mov rbp, rsp; mov eax, [rsi]; pop rbp; ret
        let bytes = vec![0x55, 0x48, 0x89, 0xe5, 0x8b, 0x06, 0x5d, 0xc3];
        let traps = vec![crate::compile::code::TrapSite { offset: site, code: TrapCode::Unreachable }];
        Code { bytes, traps, ..Code::default() }
    }
    let wasm = CodeKind::Wasm { owner: ptr::null(), func: 0 };
    // As a control, the one that is claimed; then the wrong kind, and the wrong instruction.
    for (kind, site, expected) in [
        (wasm, 4, 0),
        (CodeKind::HostStub, 4, libc::SIGSEGV),
        (CodeKind::Other, 4, libc::SIGSEGV),
        (wasm, 3, libc::SIGSEGV),
    ] {
        let status = in_child(|| {
            handle_faults();
            let mut world = World::new();
            WORLD.set(&mut *world);
            let code = crate::runtime::code_memory::place(loads(site), kind).unwrap();
            // SAFETY: the world lives; faults are handled.
            unsafe { World::call(&mut *world, code.address(), 16) }.map_or(0, |_| 100)
        });
        assert_eq!(status, Ok(expected as u8), "{kind:?} {site}");
    }
}

builtin_trampoline!(kill_trampoline, kill_self);

unsafe extern "C" fn kill_self(_vmctx: *mut Vmctx, _x: usize) -> usize {
    // SAFETY: a signal to this process.
    unsafe { libc::kill(libc::getpid(), libc::SIGSEGV) };
    1
}

#[test]
fn a_sent_signal_is_not_claimed() {
    let status = in_child(|| {
        handle_faults();
        let mut world = with_builtin(kill_trampoline);
        let code = world::builtin_caller();
        // SAFETY: the world lives.
        unsafe { World::call(&mut *world, code.address(), 0) }.map_or(100, |_| 101)
    });
    assert_eq!(status, Ok(libc::SIGSEGV as u8));
    // Nor at an instruction that may trap.
    // SAFETY: structures of zeros; the code is not run.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let mut context: libc::ucontext_t = std::mem::zeroed();
        let code = world::traps();
        let pc = code.address() as usize + code.metas()[0].traps[0].offset as usize;
        context.uc_mcontext.gregs[libc::REG_RIP as usize] = pc as i64;
        for sent in [libc::SI_USER, libc::SI_QUEUE, libc::SI_TKILL] {
            info.si_code = sent;
            assert!(!signals::claim(&info, &mut context, 1));
        }
    }
}

/// Writes where nothing is. (Valgrind does not execute loads whose result nobody uses.)
fn fault() {
    // SAFETY: none: the fault is what is wanted.
    unsafe { asm!("mov [{0}], {0}", in(reg) 16usize) };
}

extern "C" fn exit_40(_: i32) {
    // SAFETY: ends the child.
    unsafe { libc::_exit(40) }
}

/// Ends the child with a number that says what it was given and whether it found the signals blocked that should be.
unsafe extern "C" fn exit_with_facts(signal: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel passes these; ends the child.
    unsafe {
        let mut mask: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &mut mask);
        let own = libc::sigismember(&mask, signal);
        let other = libc::sigismember(&mask, libc::SIGUSR1);
        let address = (*info).si_addr() as usize == 16;
        libc::_exit(50 + own + 2 * other + 4 * i32::from(address))
    }
}

#[test]
fn previous_handlers_are_still_called() {
    let segv = libc::SIGSEGV;
    let facts = exit_with_facts as *const () as usize;
    let plain = exit_40 as *const () as usize;
    let cases: [(usize, i32, Result<u8, i32>); 6] = [
        (plain, 0, Ok(40)),
        (facts, libc::SA_SIGINFO, Ok(50 + 1 + 4)),
        (facts, libc::SA_SIGINFO | libc::SA_NODEFER, Ok(50 + 4)),
        (facts, TEST_FLAGS | libc::SA_RESETHAND, Ok(50 + 4)),
        (libc::SIG_DFL, 0, Err(segv)),
        (libc::SIG_IGN, 0, Err(segv)),
    ];
    for (handler, flags, expected) in cases {
        let status = in_child(|| {
            handle(segv, handler, flags);
            signals::install().unwrap();
            fault();
            0
        });
        assert_eq!(status, expected, "{handler:x} {flags:x}");
    }
    let masked = in_child(|| {
        // SAFETY: as in `handle`.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = facts;
            action.sa_flags = libc::SA_SIGINFO;
            libc::sigaddset(&mut action.sa_mask, libc::SIGUSR1);
            assert_eq!(libc::sigaction(segv, &action, ptr::null_mut()), 0);
        }
        signals::install().unwrap();
        fault();
        0
    });
    assert_eq!(masked, Ok(50 + 1 + 2 + 4));
}

#[test]
fn sent_signals_do_what_they_did() {
    let plain = exit_40 as *const () as usize;
    for (handler, expected) in [(libc::SIG_IGN, Ok(0)), (libc::SIG_DFL, Err(libc::SIGSEGV)), (plain, Ok(40))] {
        let status = in_child(|| {
            handle(libc::SIGSEGV, handler, 0);
            signals::install().unwrap();
            // SAFETY: a signal to this process.
            unsafe { libc::kill(libc::getpid(), libc::SIGSEGV) };
            0
        });
        assert_eq!(status, expected, "{handler:x}");
    }
}

static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

extern "C" fn count_call(_: i32) {
    CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
}

#[test]
fn a_handler_to_be_called_once_is() {
    let status = in_child(|| {
        handle(libc::SIGSEGV, count_call as *const () as usize, libc::SA_RESETHAND);
        signals::install().unwrap();
        // SAFETY: signals to this process.
        unsafe {
            libc::kill(libc::getpid(), libc::SIGSEGV);
            assert_eq!(CALLS.load(std::sync::atomic::Ordering::Relaxed), 1);
            libc::kill(libc::getpid(), libc::SIGSEGV);
        }
        0
    });
    assert_eq!(status, Err(libc::SIGSEGV));
}

static REPLACED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// Calls what it replaced, as a well-behaved handler does.
unsafe extern "C" fn replacement(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    CALLS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    type Handler = unsafe extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);
    let previous = REPLACED.load(std::sync::atomic::Ordering::Relaxed);
    // SAFETY: it replaced a handler of this kind.
    unsafe { std::mem::transmute::<usize, Handler>(previous)(signal, info, context) }
}

fn replace() {
    // SAFETY: as in `handle`.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let mut previous = std::mem::zeroed::<libc::sigaction>();
        action.sa_sigaction = replacement as *const () as usize;
        action.sa_flags = TEST_FLAGS;
        assert_eq!(libc::sigaction(libc::SIGSEGV, &action, &mut previous), 0);
        REPLACED.store(previous.sa_sigaction, std::sync::atomic::Ordering::Relaxed);
    }
}

fn current() -> usize {
    // SAFETY: asks only.
    unsafe {
        let mut current: libc::sigaction = std::mem::zeroed();
        assert_eq!(libc::sigaction(libc::SIGSEGV, ptr::null(), &mut current), 0);
        current.sa_sigaction
    }
}

#[test]
fn handlers_that_were_replaced_are_installed_again() {
    let status = in_child(|| {
        handle(libc::SIGSEGV, exit_40 as *const () as usize, 0);
        signals::install().unwrap();
        let first = current();
        signals::install().unwrap();
        assert_eq!(current(), first);
        replace();
        assert_eq!(REPLACED.load(std::sync::atomic::Ordering::Relaxed), first);
        signals::install().unwrap();
        assert!(current() != first && current() != replacement as *const () as usize);
        // The new one, the replacement, the first one, and what was there before: each once.
        fault();
        0
    });
    assert_eq!(status, Ok(40));
}

#[test]
fn handlers_are_not_installed_without_end() {
    let status = in_child(|| {
        handle(libc::SIGSEGV, libc::SIG_IGN, 0);
        let installed = (0..10)
            .take_while(|_| {
                let done = signals::install().is_ok();
                handle(libc::SIGSEGV, libc::SIG_IGN, 0);
                done
            })
            .count();
        installed as u8
    });
    assert_eq!(status, Ok(4));
}

#[test]
fn raising_goes_to_the_landing_pad_at_any_depth() {
    builtin_trampoline!(deep_trampoline, deep);

    unsafe extern "C" fn deep(vmctx: *mut Vmctx, x: usize) -> usize {
        if x > 0 {
            // SAFETY: a call with the same vmctx.
            return unsafe { deep(vmctx, std::hint::black_box(x - 1)) } + 1;
        }
        // SAFETY: the frames of `deep` have nothing to drop.
        unsafe {
            (*(*vmctx).store).trap = some_trap();
            raise((*vmctx).store)
        }
    }

    let mut world = with_builtin(deep_trampoline);
    let code = world::builtin_caller();
    // SAFETY: the world lives.
    assert_eq!(unsafe { World::call(&mut *world, code.address(), 1000) }, Err(()));
    assert!(world.store.activation.is_null());
}
