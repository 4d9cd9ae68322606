//! Whether a growth is deferred (`owed_pages.rs`).
//!
//! To make pages accessible costs a system call, some 0.8 us with what the kernel does for it. To defer it costs nothing if the
//! next growth comes before the first access, as both are paid for at once; but the access pays for a fault in addition, some 2 us. What
//! a program will do is guessed from what it did:
//!
//! ```text
//!                 +--------- not touched before the next growth: 2 in a row halve the window ----------+
//!                 v                                                                                    |
//!           +-----------+                                                                              |
//!  start -> | deferring |------------------------------------------------------------------------------+
//!           +-----------+
//!             |       ^
//!     touched |       | as many growths as the window was
//!             v       |
//!           +-----------+
//!           |   eager   |   and the window doubles: 8, 16, ... 256
//!           +-----------+
//! ```
//! Why this loses little, whatever the program does. Always touching: of n growths about log2(n / 8) fault until the window is
//! 256, and one of 257 from there on, 2 us in 200. Never touching: nothing is paid for. Something between: a growth that was
//! not touched has saved 0.8 us, so that the two that halve the window have earned the fault that doubled it; what is lost by
//! faults without having been earned before is one fault for each window, and less for each that is larger.
//!
//! Pages that are asked for, by the host or a helper, cost no fault, and say nothing.

/// How many growths are eager after the first fault.
const LEAST_WINDOW: u16 = 8;
/// And at most.
const MOST_WINDOW: u16 = 256;

/// What is known of the growths of memories in a slot. It outlives them: the slot is for instances of one module.
#[derive(Clone, Copy, Debug)]
pub struct GrowthPolicy {
    /// How many growths will be eager after the next fault.
    window: u16,
    /// How many are to be eager yet.
    eager: u16,
    /// Whether the growth before the last was not touched either.
    untouched: bool,
}

impl Default for GrowthPolicy {
    fn default() -> GrowthPolicy {
        GrowthPolicy { window: LEAST_WINDOW, eager: 0, untouched: false }
    }
}

impl GrowthPolicy {
    /// Whether the next growth is to be deferred.
    #[inline]
    pub fn defers(&mut self) -> bool {
        let is_eager = self.eager > 0;
        self.eager -= u16::from(is_eager);
        !is_eager
    }

    /// What was deferred last has been touched: an access has faulted.
    pub fn touched(&mut self) {
        self.eager = self.window;
        self.window = (self.window * 2).min(MOST_WINDOW);
        self.untouched = false;
    }

    /// What was deferred last is still owed when the memory grows again or ends.
    #[inline]
    pub fn untouched(&mut self) {
        if self.untouched {
            self.window = (self.window / 2).max(LEAST_WINDOW);
        }
        self.untouched = !self.untouched;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Costs in nanoseconds.
    const EAGER: u64 = 800;
    const FAULT: u64 = 2000;

    /// The cost of growths, each of which is touched or not.
    fn cost(growths: impl IntoIterator<Item = bool>) -> u64 {
        let (mut policy, mut owed, mut cost) = (GrowthPolicy::default(), false, 0);
        for touched in growths {
            if owed {
                policy.untouched();
            }
            let deferred = policy.defers();
            owed = deferred && !touched;
            if deferred && touched {
                policy.touched();
            }
            cost += if owed { 0 } else { EAGER } + if deferred && touched { FAULT } else { 0 };
        }
        cost
    }

    #[test]
    fn touching_always_costs_little_more_than_eagerness() {
        for (count, percent) in [(1, 250), (10, 51), (100, 13), (1000, 4), (10_000, 2)] {
            let eager = count as u64 * EAGER;
            let extra = cost((0..count).map(|_| true)) - eager;
            assert!(extra * 100 <= eager * percent, "{count}: {extra} more than {eager}");
        }
    }

    #[test]
    fn touching_never_costs_nothing() {
        assert_eq!(cost((0..1000).map(|_| false)), 0);
    }

    #[test]
    fn a_change_of_habit_is_noticed() {
        let touched = 2000;
        let extra = cost((0..touched).map(|_| true)) - touched * EAGER;
        // At most a window of growths is paid for in vain.
        let both = cost((0..touched).map(|_| true).chain((0..2000).map(|_| false)));
        assert!(both <= touched * EAGER + extra + u64::from(MOST_WINDOW) * EAGER);
        // And forgotten: the next touch is followed by few.
        let mut policy = GrowthPolicy { window: MOST_WINDOW, eager: 0, untouched: false };
        for _ in 0..20 {
            assert!(policy.defers());
            policy.untouched();
        }
        policy.touched();
        assert_eq!((0..20).position(|_| policy.defers()), Some(LEAST_WINDOW.into()));
    }

    #[test]
    fn no_pattern_costs_much_more_than_eagerness() {
        let mut random = 88_172_645_463_325_252u64;
        for shift in 0..64 {
            // Patterns of up to 64 growths, repeated.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let pattern = random | 1 << shift;
            for len in 1..64 {
                let count = 64 * len;
                let cost = cost((0..count).map(|i| pattern >> (i % len) & 1 == 1));
                assert!(
                    cost * 100 <= count * EAGER * 115 + 100 * FAULT,
                    "{pattern:b} {len}: {cost} of {}",
                    count * EAGER
                );
            }
        }
    }
}
