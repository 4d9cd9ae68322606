//! Small numbers of threads, by which they find something that others seldom use.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

/// The calling thread's number: 0 of the first that asks, and so on.
#[inline]
pub fn thread_number() -> usize {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static OWN: Cell<u32> = const { Cell::new(u32::MAX) };
    }
    let mut own = OWN.get();
    if own == u32::MAX {
        own = NEXT.fetch_add(1, Ordering::Relaxed);
        OWN.set(own);
    }
    own as usize
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
