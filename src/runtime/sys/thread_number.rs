//! Numbers of threads, by which they find something that others seldom use, and by which one that takes the place of another
//! is told apart from it.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// The calling thread's number: 1 of the first that asks, and so on. None is given twice.
#[inline(always)]
pub fn thread_number() -> u64 {
    thread_local! {
        static OWN: Cell<u64> = const { Cell::new(0) };
    }
    #[cold]
    fn first() -> u64 {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed) + 1;
        OWN.set(number);
        number
    }
    match OWN.get() {
        0 => first(),
        number => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_differ_and_keep_their_number() {
        let here = thread_number();
        let there = std::thread::spawn(|| (thread_number(), thread_number())).join().unwrap();
        assert_eq!(there.0, there.1);
        assert_eq!(thread_number(), here);
        assert_ne!(there.0, here);
    }
}
