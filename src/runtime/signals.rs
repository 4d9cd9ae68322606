//! Traps found by the hardware: handlers for the signals that faults in generated code raise.
//!
//! A handler claims a signal only if the fault is at an instruction of a WebAssembly function that its compiler marked as one
//! that may trap. It then finds the store at the entry stub, by way of the frame pointers, makes the interrupted thread
//! continue in `trampoline::fault`, and returns; it never jumps out. Every other signal goes to the handler that was
//! there before, as if ours did not exist: the Go runtime, the JVM and Python rely on theirs.
//!
//! Before that it sees whether the address is one of a page that a memory owes (`owed_pages.rs`). That is no trap: the page
//! becomes accessible, and the thread accesses it again, whatever code that is.
//!
//! The handlers run on the thread's alternate stack if it has one (`SA_ONSTACK`), which is never replaced. Without one they run
//! on the thread's own stack, where there is room: WebAssembly keeps a reserve below its stack limit.
//!
//! SIGBUS is not needed: linear memories are anonymous, and an access to their inaccessible parts is a SIGSEGV.
//!
//! Under valgrind, a faulting instruction is only known exactly, as it must be here, with
//! `--vex-iropt-register-updates=allregs-at-each-insn`.
//!
//! Nothing in here that a handler reaches takes a lock, allocates, or uses thread-locals.

use crate::runtime::owed_pages;
use crate::runtime::trampoline;
use crate::runtime::unwind;
use libc::{c_int, c_void, sigaction, siginfo_t, ucontext_t};
use std::cell::Cell;
use std::io;
use std::mem::zeroed;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

/// The signals.
const SIGNALS: [c_int; 3] = [libc::SIGSEGV, libc::SIGILL, libc::SIGFPE];

/// How often the handlers can be installed again after somebody replaced them. Each time has a handler function of its
/// own with its own predecessor: whoever replaced the first may well call it, which would otherwise call the replacement.
const GENERATIONS: usize = 4;

type Handler = unsafe extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

const HANDLERS: [Handler; GENERATIONS] = [handler::<0>, handler::<1>, handler::<2>, handler::<3>];

/// What each generation of handlers replaced, by generation and position in `SIGNALS`.
static PREVIOUS: [[AtomicPtr<sigaction>; SIGNALS.len()]; GENERATIONS] =
    [const { [const { AtomicPtr::new(ptr::null_mut()) }; SIGNALS.len()] }; GENERATIONS];

/// Which of them were called, for those that are to be called once.
static CALLED: [[AtomicBool; SIGNALS.len()]; GENERATIONS] =
    [const { [const { AtomicBool::new(false) }; SIGNALS.len()] }; GENERATIONS];

/// Installs the handlers, or those of them that somebody has replaced since. To be called for each engine that relies
/// on them.
pub fn install() -> io::Result<()> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _lock = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    (0..SIGNALS.len()).try_for_each(install_one)
}

fn install_one(signal: usize) -> io::Result<()> {
    // SAFETY: a sigaction of zeros is a valid one, SIG_DFL without flags.
    let mut current: sigaction = unsafe { zeroed() };
    // SAFETY: asks only.
    check(unsafe { sigaction(SIGNALS[signal], ptr::null(), &mut current) })?;
    if is_ours(&current) {
        return Ok(());
    }
    let unused = (0..GENERATIONS).find(|&generation| PREVIOUS[generation][signal].load(Ordering::Acquire).is_null());
    let Some(generation) = unused else {
        let message = format!("the handler of signal {} was replaced {GENERATIONS} times", SIGNALS[signal]);
        return Err(io::Error::other(message));
    };
    // The handler may run before the next line does: first say what it is to call. It is never freed.
    let previous = Box::leak(Box::new(current));
    PREVIOUS[generation][signal].store(previous, Ordering::Release);
    // SAFETY: as above; the mask is empty.
    let mut ours: sigaction = unsafe { zeroed() };
    ours.sa_sigaction = HANDLERS[generation] as *const () as usize;
    ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: the handler is one for SA_SIGINFO.
    check(unsafe { sigaction(SIGNALS[signal], &ours, ptr::null_mut()) })
}

/// Whether a fault of the calling thread would reach our handler first: nobody has replaced it since, and the thread does not block
/// the signal. The system is asked each 32nd time that a thread comes.
pub fn reach_this_thread() -> bool {
    thread_local! {
        static KNOWN: Cell<u8> = const { Cell::new(0) };
    }
    let known = KNOWN.get();
    if known > 0 {
        KNOWN.set(known - 1);
        return true;
    }
    // SAFETY: a sigaction and a mask of zeros are valid ones.
    let (mut current, mut mask): (sigaction, libc::sigset_t) = unsafe { (zeroed(), zeroed()) };
    // SAFETY: asks only; the structures are ours.
    let reach = unsafe {
        sigaction(libc::SIGSEGV, ptr::null(), &mut current) == 0
            && is_ours(&current)
            && libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), &mut mask) == 0
            && libc::sigismember(&mask, libc::SIGSEGV) == 0
    };
    KNOWN.set(if reach { 31 } else { 0 });
    reach
}

fn is_ours(action: &sigaction) -> bool {
    HANDLERS.iter().any(|&ours| action.sa_sigaction == ours as *const () as usize)
}

fn check(result: c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

unsafe extern "C" fn handler<const GENERATION: usize>(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes these for SA_SIGINFO.
    unsafe {
        if signal == libc::SIGSEGV && is_access(&*info, &*context.cast::<ucontext_t>()) {
            let errno = libc::__errno_location();
            let before = *errno;
            let paid = owed_pages::pay_for((*info).si_addr() as usize);
            *errno = before;
            if paid {
                return;
            }
        }
        if !claim(&*info, &mut *context.cast::<ucontext_t>(), trampoline::fault as *const () as usize) {
            chain(GENERATION, signal, info, context);
        }
    }
}

/// Whether an instruction has read or written what it may not, although something is mapped there. Not whether it is itself in such
/// a place: to make that accessible would not help it.
fn is_access(info: &siginfo_t, context: &ucontext_t) -> bool {
    /// The mapping does not permit it.
    const SEGV_ACCERR: c_int = 2;
    /// In the processor's reason for a page fault: an instruction was to be fetched.
    const FETCH: i64 = 1 << 4;
    info.si_code == SEGV_ACCERR && context.uc_mcontext.gregs[libc::REG_ERR as usize] & FETCH == 0
}

/// Makes the thread continue at `target`, which is `trampoline::fault`, if this is a trap.
///
/// # Safety
/// Called by a handler with what it was given.
pub(super) unsafe fn claim(info: &siginfo_t, context: &mut ucontext_t, target: usize) -> bool {
    if info.si_code <= 0 {
        // Somebody sent it: no instruction faulted, wherever the thread happens to be.
        return false;
    }
    let registers = &mut context.uc_mcontext.gregs;
    let pc = registers[libc::REG_RIP as usize] as usize;
    let fp = registers[libc::REG_RBP as usize] as usize;
    // SAFETY: this thread is running the code, so it is alive.
    let Some(meta) = (unsafe { unwind::wasm_at(pc) }) else { return false };
    let Some(code) = meta.trap_at(pc) else { return false };
    // SAFETY: the code at `pc` may trap, so its frame is complete: `fp` and all up to the entry stub are of generated code.
    let Some(activation) = (unsafe { unwind::activation_from(pc, fp) }) else { return false };
    let arguments = (registers[libc::REG_RDI as usize], registers[libc::REG_RSI as usize]);
    // SAFETY: the activation is alive while the code that it called runs.
    registers[libc::REG_RDI as usize] = unsafe { (*activation).store } as i64;
    registers[libc::REG_RSI as usize] = pc as i64;
    registers[libc::REG_RDX as usize] = fp as i64;
    registers[libc::REG_RCX as usize] = code as i64;
    // The check for stack is the only one before the frame keeps the vmctx, which is still in one of these then.
    (registers[libc::REG_R8 as usize], registers[libc::REG_R9 as usize]) = arguments;
    // Generated code keeps nothing below its stack pointer.
    registers[libc::REG_RSP as usize] &= !15;
    registers[libc::REG_RIP as usize] = target as i64;
    true
}

/// Does what would have been done without us.
///
/// # Safety
/// Called by the handler of this generation with what it was given.
unsafe fn chain(generation: usize, signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let Some(index) = SIGNALS.iter().position(|&s| s == signal) else { return };
    // SAFETY: what is in a slot is never freed.
    let Some(previous) = (unsafe { PREVIOUS[generation][index].load(Ordering::Acquire).as_ref() }) else { return };
    // SAFETY: a sigaction of zeros is a valid one, SIG_DFL without flags.
    let default: sigaction = unsafe { zeroed() };
    let once = previous.sa_flags & libc::SA_RESETHAND != 0;
    let previous = if once && CALLED[generation][index].swap(true, Ordering::AcqRel) { &default } else { previous };
    // SAFETY: the kernel passes a valid one.
    let sent = unsafe { (*info).si_code } <= 0;
    match previous.sa_sigaction {
        libc::SIG_IGN if sent => {}
        libc::SIG_DFL | libc::SIG_IGN => {
            // A fault that is ignored has the default action, too. The instruction faults again when we return, and
            // what was sent is sent again; the process ends the way it would have.
            // SAFETY: restores the default; raise is allowed in handlers.
            unsafe {
                sigaction(signal, &default, ptr::null_mut());
                if sent {
                    libc::raise(signal);
                }
            }
        }
        function => {
            // The kernel would block the mask and, without SA_NODEFER, the signal while it runs. Returning from our
            // handler restores the mask.
            // SAFETY: the sets are valid, and the function is a handler of the kind that its flags say.
            unsafe {
                let mut mask = previous.sa_mask;
                if previous.sa_flags & libc::SA_NODEFER == 0 {
                    libc::sigaddset(&mut mask, signal);
                }
                libc::pthread_sigmask(libc::SIG_BLOCK, &mask, ptr::null_mut());
                if previous.sa_flags & libc::SA_SIGINFO != 0 {
                    std::mem::transmute::<usize, Handler>(function)(signal, info, context);
                } else {
                    std::mem::transmute::<usize, unsafe extern "C" fn(c_int)>(function)(signal);
                }
            }
        }
    }
}
