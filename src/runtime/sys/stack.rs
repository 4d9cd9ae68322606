//! Where the current thread's stack lies.
//!
//! What a store may use of the stack is measured when a host calls into it from a thread that it has not
//! seen yet. That path may be slow; the answer is remembered per thread.

use std::arch::asm;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ops::Range;

/// What is assumed to be usable below the stack pointer when it is not on the thread's own stack, as with coroutines.
/// Nobody can be asked how large such a stack is; libraries that make them hardly ever make them smaller.
pub const FOREIGN_STACK: usize = 64 << 10;

/// The most that is believed of the first thread's stack. It grows on demand until it meets its limit, which can be raised
/// at any time, or another mapping; the system keeps at least this much free of mappings.
const MAIN_STACK_MAX: usize = 64 << 20;

/// The stack pointer.
#[inline(always)]
pub fn stack_pointer() -> usize {
    let rsp;
    // SAFETY: it reads a register.
    unsafe { asm!("mov {}, rsp", out(reg) rsp, options(nomem, nostack, preserves_flags)) };
    rsp
}

/// The stack that the caller runs on, from its lowest usable address to its end. If it is not the one that the
/// thread was made with, [`FOREIGN_STACK`] bytes below the stack pointer are assumed.
pub fn current_stack() -> Range<usize> {
    thread_local! {
        static OWN: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
    }
    let here = stack_pointer();
    let mut own = OWN.get();
    if own.1 == 0
        && let Some(stack) = thread_stack()
    {
        own = (stack.start, stack.end);
        OWN.set(own);
    }
    if (own.0..own.1).contains(&here) { own.0..own.1 } else { here.saturating_sub(FOREIGN_STACK)..here }
}

/// The stack that the system gave the thread.
fn thread_stack() -> Option<Range<usize>> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut address, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: pthread_getattr_np initialises the attributes if it succeeds; they are destroyed once.
    let main = unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let found = libc::pthread_attr_getstack(attributes.as_ptr(), &mut address, &mut size) == 0;
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        if !found {
            return None;
        }
        libc::getpid() == libc::gettid()
    };
    // A guard is not part of it, except before glibc 2.27: there its page comes off the reserve that everybody keeps.
    let end = address as usize + size;
    let size = if main { size.min(MAIN_STACK_MAX) } else { size };
    Some(end - size..end)
}

/// Calls `f` with a stack pointer above which everything that the callers' registers held lies in memory: the registers
/// that a callee must preserve are written to the stack first. Never inlined: valgrind knows the readers of the stack by this frame.
#[inline(never)]
pub fn with_registers_spilled(f: impl FnOnce(usize)) {
    let mut registers = [0usize; 5];
    // SAFETY: copies the callee-saved registers to memory that is ours. rbp is among the frames.
    unsafe {
        std::arch::asm!(
            "mov [{0}], rbx",
            "mov [{0} + 8], r12",
            "mov [{0} + 16], r13",
            "mov [{0} + 24], r14",
            "mov [{0} + 32], r15",
            in(reg) registers.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
    }
    f(registers.as_ptr() as usize);
    std::hint::black_box(&registers);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// The mapping that holds an address, as /proc tells, and its protection.
    fn mapping(address: usize) -> (Range<usize>, String) {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let found = maps.lines().find_map(|line| {
            let mut words = line.split(' ');
            let (from, to) = words.next()?.split_once('-')?;
            let range = usize::from_str_radix(from, 16).ok()?..usize::from_str_radix(to, 16).ok()?;
            range.contains(&address).then(|| (range, words.next().unwrap_or("").to_string()))
        });
        found.unwrap()
    }

    #[test]
    fn a_small_thread_has_its_size() {
        let check = || {
            let stack = current_stack();
            assert!(stack.contains(&stack_pointer()));
            assert!((200 << 10..=256 << 10).contains(&stack.len()), "{stack:x?}");
            // All of it can be written to, and what is below cannot.
            let (own, protection) = mapping(stack_pointer());
            assert!(protection.starts_with("rw") && own.start <= stack.start, "{own:x?} {stack:x?}");
            assert_eq!(current_stack(), stack);
        };
        std::thread::Builder::new().stack_size(256 << 10).spawn(check).unwrap().join().unwrap();
    }

    #[test]
    fn another_stack_is_not_trusted_far() {
        let (stack, here) =
            super::super::compile_stack::on_compile_stack(|| (current_stack(), stack_pointer())).unwrap();
        assert!(stack.start < here && stack.len() == FOREIGN_STACK && stack.end.abs_diff(here) < 4096);
    }

    const ASK: &str = "TENON_TEST_PRINT_STACK";

    /// Tests never run on the process's first thread. What stands here does, before `main`.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static BEFORE_MAIN: extern "C" fn() = {
        extern "C" fn print_stack() {
            if std::env::var_os(ASK).is_some() {
                let stack = current_stack();
                assert!(stack.contains(&stack_pointer()));
                println!("{}", stack.len());
                std::process::exit(0);
            }
        }
        print_stack
    };

    #[test]
    fn the_first_thread_follows_its_limit() {
        for (limit, expected) in [(256, 256 << 10), (8192, 8 << 20), (65536, MAIN_STACK_MAX), (100_000, MAIN_STACK_MAX)]
        {
            let script = format!("ulimit -s {limit} && {ASK}=1 exec \"$0\"");
            let program = std::env::current_exe().unwrap();
            let output = Command::new("sh").arg("-c").arg(script).arg(program).output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            let size: usize = text.trim().parse().unwrap_or_else(|_| panic!("{limit}: {text}"));
            assert!(size <= expected && size > expected - (64 << 10), "{limit}: {size}");
        }
    }
}
