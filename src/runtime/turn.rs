//! Turns: who does something with a closed store.
//!
//! A store that is open has a thread, which alone works on it; others only note what they release. Once it is closed it has none:
//! whoever calls one of its functions has it for that time, and whoever releases something sees to what is then to be done, on
//! whatever thread. One at a time does so; only who calls waits:
//!
//! ```text
//!          first          done, nobody came           store is gone
//!  idle ----------> busy ------------------> idle     busy ----------> ended
//!                   busy -- another came --> again -- done --> busy, once more
//! ```
//! Finalizers run meanwhile. What they release is seen to in the next round; what they call is called at once.

use crate::runtime::sys::thread_number::thread_number;
use std::sync::{Condvar, Mutex, PoisonError};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nobody is at it.
    #[default]
    Idle,
    /// The thread with this number is.
    Busy(u64),
    /// It is, and must go round once more.
    Again(u64),
    /// The store is gone.
    Ended,
}

/// The turns of a store. They outlive it, for those who come too late.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Turns {
    state: Mutex<State>,
    changed: Condvar,
}

impl Turns {
    /// Sees to it that `work` is done after this call began, by this thread or the one that is at it. It returns whether the store is gone.
    pub(in crate::runtime) fn see_to(&self, work: impl FnMut() -> bool) {
        let here = thread_number();
        let before = self.step(|state| match state {
            State::Idle => State::Busy(here),
            State::Busy(at) | State::Again(at) => State::Again(at),
            State::Ended => State::Ended,
        });
        if before == State::Idle {
            self.finish(work);
        }
    }

    /// Waits until nobody is at it, and takes the turn, which [`Turns::finish`] ends. Whether it was to be had: not if this thread
    /// has it already. The store is not gone: the caller holds something of it.
    pub(in crate::runtime) fn begin(&self) -> bool {
        let here = thread_number();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match *state {
                State::Idle => {
                    *state = State::Busy(here);
                    return true;
                }
                State::Busy(at) | State::Again(at) if at != here => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                _ => return false,
            }
        }
    }

    /// Does `work`, as often as somebody asks for it meanwhile, and ends the turn.
    pub(in crate::runtime) fn finish(&self, mut work: impl FnMut() -> bool) {
        loop {
            let is_gone = work();
            let before = self.step(|state| match state {
                _ if is_gone => State::Ended,
                State::Again(at) => State::Busy(at),
                _ => State::Idle,
            });
            if is_gone || !matches!(before, State::Again(_)) {
                self.changed.notify_all();
                return;
            }
        }
    }

    /// Changes the state, and gives the one before.
    fn step(&self, next: impl FnOnce(State) -> State) -> State {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *state;
        *state = next(before);
        before
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    #[test]
    fn one_at_a_time_and_nothing_is_left() {
        const THREADS: usize = 4;
        const ROUNDS: usize = 20_000;
        let (turns, inside) = (Turns::default(), AtomicUsize::new(0));
        let (waiting, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        waiting.fetch_add(1, Ordering::Relaxed);
                        turns.see_to(|| {
                            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
                            done.fetch_add(waiting.swap(0, Ordering::Relaxed), Ordering::Relaxed);
                            inside.fetch_sub(1, Ordering::Relaxed);
                            false
                        });
                    }
                });
            }
        });
        assert_eq!(done.load(Ordering::Relaxed), THREADS * ROUNDS);
    }

    #[test]
    fn who_comes_meanwhile_is_seen_to_and_who_comes_late_is_not() {
        let turns = Turns::default();
        let mut rounds = 0;
        turns.see_to(|| {
            rounds += 1;
            if rounds == 1 {
                turns.see_to(|| unreachable!("somebody is at it"));
            }
            rounds == 2
        });
        assert_eq!(rounds, 2);
        turns.see_to(|| unreachable!("the store is gone"));
    }

    #[test]
    fn who_calls_waits_and_is_alone() {
        const ROUNDS: usize = 5_000;
        let (turns, inside, done) = (Turns::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        let alone = || {
            assert_eq!(inside.fetch_add(1, Ordering::Relaxed), 0);
            done.fetch_add(1, Ordering::Relaxed);
            inside.fetch_sub(1, Ordering::Relaxed);
            false
        };
        thread::scope(|scope| {
            for calls in [true, false, true] {
                let (turns, alone) = (&turns, &alone);
                scope.spawn(move || {
                    for _ in 0..ROUNDS {
                        if !calls {
                            turns.see_to(alone);
                        } else {
                            assert!(turns.begin());
                            alone();
                            // What is called from there is part of it.
                            assert!(!turns.begin());
                            turns.see_to(|| unreachable!("it is done when the turn ends"));
                            turns.finish(alone);
                        }
                    }
                });
            }
        });
        assert!(done.load(Ordering::Relaxed) >= 4 * ROUNDS);
    }
}
