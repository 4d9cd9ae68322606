//! Pages that memories have and that are not accessible yet: what deferred growth owes.
//!
//! ```text
//!  base                  from            paid              to
//!   |---- accessible -----|-- accessible --|----- owed -----|----- no access: beyond the memory -----|
//! ```
//! `from` is where the first growth that was deferred began, and `to` is where the memory ends. All three are addresses, or 0
//! as long as nothing of the memory was ever deferred. Whoever is about to use all of the memory pays; else the first access to
//! an owed page does, by the fault that it raises, wherever it comes from: WebAssembly, a helper, the host.
//!
//! The handler of that fault knows an address only. So all that it needs lies here, in places that belong to addresses, and
//! not to memories that may be gone: reservations of 4 GiB cannot begin in the same 4 GiB twice.
//!
//! ```text
//!  address >> 32:       k             k + 1             k + 2
//!                 |      [ reservation   ]|               |          what is owed stands at k
//! ```
//! This relies on the handler. Once a thread that would not get there is seen to use a store, because it blocks the signal or
//! because somebody has replaced the handler, everything is paid for and nothing is owed any more in the process.
//!
//! Threads: the memory's own moves `to`, and any that faults moves `paid`. A fault may be about pages that another thread has
//! paid for since: pages from `from` on are paid for again, which changes nothing.

use crate::runtime::signals;
use crate::runtime::sys::vm;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The logarithm of what a place stands for, and of the least reservation that can owe.
const SPAN_LOG2: u32 = 32;
/// Addresses of user space are below.
const ADDRESS_BITS: u32 = 47;

static PLACES: [OwedPages; 1 << (ADDRESS_BITS - SPAN_LOG2)] =
    [const { OwedPages::none() }; 1 << (ADDRESS_BITS - SPAN_LOG2)];

/// Whether nothing is owed any more.
static ENDED: AtomicBool = AtomicBool::new(false);

/// Whether the calling thread may begin to owe. If its faults do not reach the handler, nobody may from now on.
pub fn may_owe() -> bool {
    if ENDED.load(Ordering::Relaxed) {
        return false;
    }
    let reach = signals::reach_this_thread();
    if !reach {
        end();
    }
    reach
}

/// Pays for everything, for good.
#[cold]
fn end() {
    ENDED.store(true, Ordering::SeqCst);
    for owed in &PLACES {
        let to = owed.to.load(Ordering::Acquire);
        if to > 0 {
            owed.pay(to - 1);
        }
    }
}

/// What the memory in a reservation owes. On a cache line of its own: other threads write to the neighbours.
#[derive(Debug)]
#[repr(align(64))]
pub struct OwedPages {
    from: AtomicUsize,
    paid: AtomicUsize,
    to: AtomicUsize,
}

impl OwedPages {
    const fn none() -> OwedPages {
        OwedPages { from: AtomicUsize::new(0), paid: AtomicUsize::new(0), to: AtomicUsize::new(0) }
    }

    /// The place of a reservation, if it has one: it must be large enough to have it for itself.
    #[inline]
    pub fn of(base: *mut u8, reservation: usize) -> Option<&'static OwedPages> {
        let end = (base as usize).checked_add(reservation)?;
        (reservation >> SPAN_LOG2 > 0 && end >> ADDRESS_BITS == 0).then(|| &PLACES[base as usize >> SPAN_LOG2])
    }

    /// Owes what lies from `accessible`, where the accessible pages end, to `to`. By the memory's thread.
    #[inline]
    pub fn owe(&self, accessible: usize, to: usize) {
        if self.from.load(Ordering::Relaxed) == 0 {
            self.from.store(accessible, Ordering::Relaxed);
        }
        if self.paid.load(Ordering::Relaxed) != accessible {
            self.paid.store(accessible, Ordering::Relaxed);
        }
        self.to.store(to, Ordering::Release);
    }

    /// Up to where faults have paid; not above what is owed.
    #[inline]
    pub fn paid(&self) -> usize {
        self.paid.load(Ordering::Acquire)
    }

    /// Owes nothing any more: the reservation's next memory begins.
    pub fn forget(&self) {
        if self.from.load(Ordering::Relaxed) == 0 {
            // The usual case, which writes to nothing.
            return;
        }
        for end in [&self.to, &self.from, &self.paid] {
            end.store(0, Ordering::Release);
        }
    }

    /// Pays, if the address is within what was owed once.
    fn pay(&self, address: usize) -> bool {
        let (from, to) = (self.from.load(Ordering::Acquire), self.to.load(Ordering::Acquire));
        if !(from..to).contains(&address) {
            return false;
        }
        let page = address & !(vm::page_size() - 1);
        let start = self.paid.load(Ordering::Acquire).clamp(from, page);
        // SAFETY: a part of the reservation that its memory has. Nobody relies on its being inaccessible.
        let paid = unsafe { vm::make_accessible(start as *mut u8, to - start) };
        if paid {
            self.paid.fetch_max(to, Ordering::AcqRel);
        }
        paid
    }
}

/// Makes the pages accessible that a memory owes, if the address, whose access has faulted, is within them. Otherwise, and if the
/// system refuses, the fault is somebody else's. For handlers of signals.
pub fn pay_for(address: usize) -> bool {
    let span = address >> SPAN_LOG2;
    // The reservation may have begun in the span before.
    [Some(span), span.checked_sub(1)]
        .into_iter()
        .flatten()
        .filter_map(|span| PLACES.get(span))
        .any(|owed| owed.pay(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::sys::vm::Protection;

    const PAGE: usize = 64 << 10;
    const SPAN: usize = 1 << SPAN_LOG2;

    #[test]
    fn reservations_have_places_of_their_own() {
        let at = |base: usize, len| OwedPages::of(base as *mut u8, len).map(std::ptr::from_ref);
        assert_eq!(at(5 * SPAN, SPAN - 1), None);
        assert_eq!(at(SPAN << 15, SPAN), None);
        assert_eq!(at((SPAN << 15) - SPAN + 1, SPAN), None);
        assert_eq!(at(usize::MAX, SPAN), None);
        let all = [5 * SPAN, 6 * SPAN + 4096, 8 * SPAN - 4096, (SPAN << 15) - SPAN - 4096].map(|base| at(base, SPAN));
        for (i, place) in all.iter().enumerate() {
            assert!(place.is_some() && !all[..i].contains(place));
        }
    }

    #[test]
    fn only_what_is_owed_is_paid_for() {
        let base = vm::map(SPAN, Protection::None).unwrap();
        let first = base as usize;
        let owed = OwedPages::of(base, SPAN).unwrap();
        assert!(!pay_for(first) && !pay_for(first + PAGE));
        // SAFETY: this test's own mapping.
        unsafe { vm::protect(base, PAGE, Protection::ReadWrite).unwrap() };
        owed.owe(first + PAGE, first + 2 * PAGE);
        owed.owe(first + PAGE, first + 3 * PAGE);
        assert!(!pay_for(first + PAGE - 1) && !pay_for(first + 3 * PAGE) && !pay_for(0) && !pay_for(usize::MAX));
        assert_eq!(owed.paid(), first + PAGE);
        assert!(pay_for(first + 3 * PAGE - 1));
        assert_eq!(owed.paid(), first + 3 * PAGE);
        // SAFETY: accessible now.
        unsafe {
            assert_eq!(base.add(PAGE).read(), 0);
            base.add(3 * PAGE - 1).write(7);
        }
        // A thread that has faulted at the same time, and only now comes to ask.
        assert!(pay_for(first + PAGE));
        owed.owe(first + 3 * PAGE, first + 4 * PAGE);
        assert!(pay_for(first + 2 * PAGE));
        assert_eq!(owed.paid(), first + 4 * PAGE);
        // SAFETY: as above.
        assert_eq!(unsafe { base.add(3 * PAGE - 1).read() }, 7);
        owed.forget();
        assert!(!pay_for(first + PAGE) && !pay_for(first + 3 * PAGE));
        // SAFETY: this test's own mapping.
        unsafe { vm::unmap(base, SPAN) };
    }

    #[test]
    fn what_the_system_refuses_is_not_paid() {
        let base = vm::map(SPAN, Protection::None).unwrap();
        let first = base as usize;
        let owed = OwedPages::of(base, SPAN).unwrap();
        owed.owe(first + PAGE, first + 3 * PAGE);
        // SAFETY: this test's own mapping. Others may map there, which is not what is asked for.
        unsafe { vm::unmap(base, 3 * PAGE) };
        assert!(!pay_for(first + 2 * PAGE));
        owed.forget();
        // SAFETY: as above.
        unsafe { vm::unmap(base.add(3 * PAGE), SPAN - 3 * PAGE) };
    }
}
