//! Stacks to compile on. A compiler needs far more stack than may be left where WebAssembly runs: calls reach
//! functions that are not compiled yet on threads of 256 KiB, near their stack limit.
//!
//! A stack is a mapping with a guard page below. A few are kept for reuse, without a lock: a process may be forked while
//! another thread takes one.

use super::valgrind;
use super::vm::{self, Protection};
use std::any::Any;
use std::arch::naked_asm;
use std::io;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Bytes of a stack. Only what was touched takes up memory.
const STACK_SIZE: usize = 8 << 20;
/// Stacks kept for reuse.
const KEPT: usize = 4;

/// Why something was not, or not completely, run on a compile stack.
#[derive(Debug)]
pub enum StackError {
    /// There is no memory for a stack.
    Memory(io::Error),
    /// It panicked, with this message.
    Panic(String),
}

/// Runs `f` on a stack of 8 MiB of its own and returns what it returned. A panic ends there and is an error.
/// `f` may do this again.
pub fn on_compile_stack<R, F: FnOnce() -> R>(f: F) -> Result<R, StackError> {
    let stack = Stack::take().map_err(StackError::Memory)?;
    let mut work: Work<F, R> = Work { f: ManuallyDrop::new(f), result: None };
    // SAFETY: `run` with this type is given a pointer to this type, and returns in every case.
    unsafe { switch(stack.top(), run::<F, R>, ptr::from_mut(&mut work).cast()) };
    stack.give();
    match work.result {
        Some(Ok(result)) => Ok(result),
        Some(Err(payload)) => Err(StackError::Panic(message(payload))),
        None => Err(StackError::Panic(String::new())),
    }
}

struct Work<F, R> {
    f: ManuallyDrop<F>,
    result: Option<std::thread::Result<R>>,
}

unsafe extern "C" fn run<F: FnOnce() -> R, R>(work: *mut u8) {
    // SAFETY: `on_compile_stack` passes this and waits.
    let work = unsafe { &mut *work.cast::<Work<F, R>>() };
    // SAFETY: taken once, here.
    let f = unsafe { ManuallyDrop::take(&mut work.f) };
    work.result = Some(catch_unwind(AssertUnwindSafe(f)));
}

fn message(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => match payload.downcast::<&'static str>() {
            Ok(message) => (*message).to_string(),
            Err(payload) => {
                // Its drop may panic as well.
                std::mem::forget(payload);
                "a value of unknown type".to_string()
            }
        },
    }
}

/// Calls `f(data)` with `rsp` at `top`, which is a multiple of 16.
#[unsafe(naked)]
unsafe extern "C" fn switch(top: *mut u8, f: unsafe extern "C" fn(*mut u8), data: *mut u8) {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "mov rsp, rdi",
        "mov rdi, rdx",
        "call rsi",
        "mov rsp, rbp",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}

/// A stack, with what must be remembered of it at its top.
struct Stack(*mut Header);

#[repr(C, align(16))]
struct Header {
    mapping: *mut u8,
    valgrind_id: usize,
}

static STACKS: [AtomicPtr<Header>; KEPT] = [const { AtomicPtr::new(ptr::null_mut()) }; KEPT];

impl Stack {
    fn take() -> io::Result<Stack> {
        for kept in &STACKS {
            if !kept.load(Ordering::Relaxed).is_null() {
                let stack = kept.swap(ptr::null_mut(), Ordering::Acquire);
                if !stack.is_null() {
                    return Ok(Stack(stack));
                }
            }
        }
        let guard = vm::page_size();
        let mapping = vm::map(guard + STACK_SIZE, Protection::None)?;
        let header = mapping.wrapping_add(guard + STACK_SIZE - size_of::<Header>()).cast::<Header>();
        // SAFETY: the mapping is new, and large enough for the header at its end.
        unsafe {
            if let Err(e) = vm::protect(mapping.add(guard), STACK_SIZE, Protection::ReadWrite) {
                vm::unmap(mapping, guard + STACK_SIZE);
                return Err(e);
            }
            let valgrind_id = valgrind::register_stack(mapping as usize + guard, header as usize);
            header.write(Header { mapping, valgrind_id });
        }
        Ok(Stack(header))
    }

    fn top(&self) -> *mut u8 {
        self.0.cast()
    }

    fn give(self) {
        for kept in &STACKS {
            if kept.compare_exchange(ptr::null_mut(), self.0, Ordering::Release, Ordering::Relaxed).is_ok() {
                return;
            }
        }
        // SAFETY: the header was written when the stack was made; nobody runs on it or knows it any more.
        unsafe {
            let Header { mapping, valgrind_id } = self.0.read();
            valgrind::deregister_stack(valgrind_id);
            vm::unmap(mapping, vm::page_size() + STACK_SIZE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::stack::stack_pointer;
    use super::super::testing::in_child;
    use super::*;

    #[test]
    fn it_runs_elsewhere_and_returns() {
        let here = stack_pointer();
        let mut seen = 0;
        let result = on_compile_stack(|| {
            let mut large = [1u8; 2 << 20];
            std::hint::black_box(&mut large);
            seen = stack_pointer();
            let inner = on_compile_stack(stack_pointer).unwrap();
            assert!(inner.abs_diff(seen) > 1 << 20);
            large.iter().map(|&b| usize::from(b)).sum::<usize>()
        });
        assert_eq!(result.unwrap(), 2 << 20);
        assert!(here.abs_diff(seen) > 1 << 20);
    }

    #[test]
    fn it_runs_from_a_small_thread() {
        let thread = std::thread::Builder::new().stack_size(32 << 10).spawn(|| {
            on_compile_stack(|| std::hint::black_box([3u8; 6 << 20]).iter().filter(|&&b| b == 3).count()).unwrap()
        });
        assert_eq!(thread.unwrap().join().unwrap(), 6 << 20);
    }

    #[test]
    fn a_panic_is_an_error_and_drops_what_it_should() {
        struct Count<'a>(&'a mut u32);
        impl Drop for Count<'_> {
            fn drop(&mut self) {
                *self.0 += 1;
            }
        }
        let mut dropped = 0;
        let held = Count(&mut dropped);
        let result: Result<(), StackError> = on_compile_stack(move || {
            let _held = held;
            panic!("out of {}", "cheese");
        });
        assert!(matches!(result, Err(StackError::Panic(m)) if m == "out of cheese"));
        assert_eq!(dropped, 1);
        assert!(matches!(on_compile_stack(|| panic!("plain")), Err::<(), _>(StackError::Panic(m)) if m == "plain"));
    }

    #[test]
    fn stacks_are_kept_and_reused() {
        // In a child, where nobody else takes them.
        let status = in_child(|| {
            let kept = || STACKS.iter().filter(|stack| !stack.load(Ordering::Relaxed).is_null()).count();
            while kept() > 0 {
                Stack::take().unwrap();
            }
            for _ in 0..10 {
                on_compile_stack(|| assert_eq!(kept(), 0)).unwrap();
                assert_eq!(kept(), 1);
            }
            let many: Vec<_> = (0..2 * KEPT).map(|_| Stack::take().unwrap()).collect();
            many.into_iter().for_each(Stack::give);
            assert_eq!(kept(), KEPT);
            0
        });
        assert_eq!(status, Ok(0));
    }

    #[test]
    fn many_threads_at_once() {
        let threads: Vec<_> = (0..16usize)
            .map(|i| std::thread::spawn(move || (0..50).map(|_| on_compile_stack(|| i).unwrap()).sum::<usize>()))
            .collect();
        let sums: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert_eq!(sums, (0..16).map(|i| i * 50).collect::<Vec<_>>());
    }
}
