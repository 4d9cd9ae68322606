//! Waiting and notifying (the threads proposal): threads that sleep until another one notifies the address they wait at.
//!
//! The queues are the process's own, by address: a shared memory never moves, and no two have the same addresses.

use parking_lot_core::{DEFAULT_PARK_TOKEN, DEFAULT_UNPARK_TOKEN, FilterOp, ParkResult};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What must be at the address for a thread to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// `memory.atomic.wait32`
    I32(u32),
    /// `memory.atomic.wait64`
    I64(u64),
}

impl Expected {
    /// Its bytes.
    pub fn size(self) -> u64 {
        match self {
            Expected::I32(_) => 4,
            Expected::I64(_) => 8,
        }
    }
}

/// How a wait ended: the numbers are the instructions' results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Somebody notified.
    Notified = 0,
    /// Something else was there: no wait.
    NotEqual = 1,
    /// Nobody did for as long as the timeout.
    TimedOut = 2,
}

/// Waits at an address while nobody notifies it, if `expected` is there; not longer than `timeout` nanoseconds unless that
/// is negative.
///
/// # Safety
/// `address` is aligned and valid for `expected`'s size, and stays so during the wait.
pub unsafe fn wait(address: *mut u8, expected: Expected, timeout: i64) -> Waited {
    // What is too far away to be told is never.
    let deadline = u64::try_from(timeout).ok().and_then(|ns| Instant::now().checked_add(Duration::from_nanos(ns)));
    let is_there = || {
        // SAFETY: the caller's promise.
        unsafe {
            match expected {
                Expected::I32(value) => AtomicU32::from_ptr(address.cast()).load(Ordering::SeqCst) == value,
                Expected::I64(value) => AtomicU64::from_ptr(address.cast()).load(Ordering::SeqCst) == value,
            }
        }
    };
    // SAFETY: the key is an address of this process's own; none of the closures panics or parks.
    let parked =
        unsafe { parking_lot_core::park(address as usize, is_there, || {}, |_, _| {}, DEFAULT_PARK_TOKEN, deadline) };
    match parked {
        ParkResult::Unparked(_) => Waited::Notified,
        ParkResult::Invalid => Waited::NotEqual,
        ParkResult::TimedOut => Waited::TimedOut,
    }
}

/// Wakes up to `count` of those that wait at an address, who came first first. Gives how many.
pub fn notify(address: *mut u8, count: u32) -> u32 {
    let mut left = count;
    let choose = |_| match left.checked_sub(1) {
        Some(fewer) => {
            left = fewer;
            FilterOp::Unpark
        }
        None => FilterOp::Stop,
    };
    // SAFETY: as in `wait`.
    let result = unsafe { parking_lot_core::unpark_filter(address as usize, choose, |_| DEFAULT_UNPARK_TOKEN) };
    result.unparked_threads as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    fn at(word: &AtomicU32) -> *mut u8 {
        word.as_ptr().cast()
    }

    #[test]
    fn who_need_not_wait_does_not() {
        let word = AtomicU32::new(5);
        let wide = AtomicU64::new(5);
        // SAFETY: aligned, and alive during the waits.
        unsafe {
            assert_eq!(wait(at(&word), Expected::I32(4), -1), Waited::NotEqual);
            assert_eq!(wait(at(&word), Expected::I32(5), 0), Waited::TimedOut);
            assert_eq!(wait(at(&word), Expected::I32(5), 1_000_000), Waited::TimedOut);
            assert_eq!(wait(wide.as_ptr().cast(), Expected::I64(5 + (1 << 32)), -1), Waited::NotEqual);
            assert_eq!(wait(wide.as_ptr().cast(), Expected::I64(5), 1), Waited::TimedOut);
        }
        assert_eq!(notify(at(&word), u32::MAX), 0);
    }

    #[test]
    fn as_many_wake_as_were_asked_for() {
        const THREADS: usize = 5;
        let (word, other) = (AtomicU32::new(0), AtomicU32::new(0));
        let awake = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    // SAFETY: aligned, and alive during the wait.
                    assert_eq!(unsafe { wait(at(&word), Expected::I32(0), i64::MAX) }, Waited::Notified);
                    awake.fetch_add(1, Ordering::SeqCst);
                });
            }
            assert_eq!((notify(at(&other), 9), notify(at(&word), 0)), (0, 0));
            let (mut woken, mut rounds) = (0, 0);
            while woken < THREADS {
                let now = notify(at(&word), 2) as usize;
                assert!(now <= 2);
                woken += now;
                rounds += 1;
                thread::yield_now();
            }
            assert!(rounds >= THREADS.div_ceil(2));
        });
        assert_eq!(awake.into_inner(), THREADS);
    }
}
