//! Turns: who does something about a closed store.
//!
//! A store that is open has a thread, which alone works on it; others only note what they release. Once it is closed it has none, and
//! whoever releases something sees to what is then to be done, on whatever thread. One at a time does so, and nobody waits:
//!
//! ```text
//!          first          done, nobody came           store is gone
//!  idle ----------> busy ------------------> idle     busy ----------> ended
//!                   busy -- another came --> again -- done --> busy, once more
//! ```
//! Finalizers run meanwhile. What they release is seen to in the next round.

use std::sync::{Mutex, PoisonError};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nobody is at it.
    #[default]
    Idle,
    /// Somebody is.
    Busy,
    /// Somebody is, and must go round once more.
    Again,
    /// The store is gone.
    Ended,
}

/// The turns of a store. They outlive it, for those who come too late.
#[derive(Debug, Default)]
pub(in crate::runtime) struct Turns(Mutex<State>);

impl Turns {
    /// Sees to it that `work` is done after this call began, by this thread or the one that is at it. It returns whether the store is gone.
    pub(in crate::runtime) fn see_to(&self, mut work: impl FnMut() -> bool) {
        if self.step(|state| match state {
            State::Idle => State::Busy,
            State::Busy | State::Again => State::Again,
            State::Ended => State::Ended,
        }) != State::Idle
        {
            return;
        }
        loop {
            let is_gone = work();
            let before = self.step(|state| match state {
                _ if is_gone => State::Ended,
                State::Again => State::Busy,
                _ => State::Idle,
            });
            if is_gone || before != State::Again {
                return;
            }
        }
    }

    /// Changes the state, and gives the one before.
    fn step(&self, next: impl FnOnce(State) -> State) -> State {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
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
}
