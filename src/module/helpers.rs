//! Threads that help with what is done for a whole module: validation and compilation.
//!
//! They are the system's own: `std::thread` ends the process where there is no memory for what it keeps of a thread.

use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The most threads that work on a module.
const MOST: usize = 16;
/// Bytes of stack of a helper.
const STACK_SIZE: usize = 2 << 20;

/// How many threads may work on a module, the calling one among them: as many as there are processors for.
pub fn available_threads() -> usize {
    // The system is asked by reading files.
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| std::thread::available_parallelism().map_or(1, |n| n.get()).min(MOST))
}

struct Shared<'a> {
    work: &'a (dyn Fn() + Sync),
    panicked: AtomicBool,
}

/// The helpers that were started. Dropping this waits for their end.
struct Helpers {
    threads: [MaybeUninit<libc::pthread_t>; MOST],
    count: usize,
}

impl Drop for Helpers {
    fn drop(&mut self) {
        for thread in &self.threads[..self.count] {
            // SAFETY: so many were started, and each is waited for once.
            unsafe { libc::pthread_join(thread.assume_init(), ptr::null_mut()) };
        }
    }
}

/// Does `here` on the calling thread and meanwhile `work` on up to `count` others. Returns when all have ended. A thread
/// that cannot be started is one that does not help. Panics if a helper does.
pub fn with_helpers<R>(count: usize, work: &(dyn Fn() + Sync), here: impl FnOnce() -> R) -> R {
    let shared = Shared { work, panicked: AtomicBool::new(false) };
    let mut helpers = Helpers { threads: [MaybeUninit::uninit(); MOST], count: 0 };
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    // SAFETY: the attributes are initialized before they are used and destroyed afterwards; `start` gets what it expects,
    // which lives until the helpers have ended, as `helpers` is dropped before `shared`, even by a panic.
    unsafe {
        if libc::pthread_attr_init(attributes.as_mut_ptr()) == 0 {
            libc::pthread_attr_setstacksize(attributes.as_mut_ptr(), STACK_SIZE);
            let argument = (&raw const shared).cast_mut().cast();
            for thread in helpers.threads.iter_mut().take(count) {
                if libc::pthread_create(thread.as_mut_ptr(), attributes.as_ptr(), start, argument) != 0 {
                    break;
                }
                helpers.count += 1;
            }
            libc::pthread_attr_destroy(attributes.as_mut_ptr());
        }
    }
    let result = here();
    drop(helpers);
    assert!(!shared.panicked.load(Ordering::Relaxed), "a helping thread panicked");
    result
}

extern "C" fn start(shared: *mut libc::c_void) -> *mut libc::c_void {
    // SAFETY: `with_helpers` passes this and waits.
    let shared = unsafe { &*shared.cast::<Shared<'_>>() };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(shared.work)) {
        shared.panicked.store(true, Ordering::Relaxed);
        // Its drop may panic as well.
        std::mem::forget(panic);
    }
    ptr::null_mut()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn all_work_is_done_before_it_returns() {
        for count in [0, 1, 3, 100] {
            let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let work = || {
                while next.fetch_add(1, Ordering::Relaxed) < 1000 {
                    done.fetch_add(1, Ordering::Relaxed);
                }
            };
            assert_eq!(with_helpers(count, &work, || 5), 5);
            work();
            assert_eq!(done.load(Ordering::Relaxed), 1000);
        }
    }

    #[test]
    fn a_helper_that_panics_is_noticed() {
        let result = catch_unwind(AssertUnwindSafe(|| with_helpers(1, &|| panic!("on purpose"), || ())));
        assert!(result.is_err());
    }
}
