//! References to what threads share and hold for a short time: a store its engine, an instance its module. They are
//! counted where threads hardly ever meet, since a counter that two threads change is slower than all else that they do
//! for an instance.
//!
//! ```text
//!  Arc<T>  <-- one count for all leases together
//!  central |   bias while closing + leases that are not counted in shards + 1 while open |
//!  shards  |  +3  |  -1  |   0  | ...    their sum: leases that were made less those that ended there
//! ```
//! While the host holds what leases are made of, they are *open*: each is counted in the shard of the thread that makes
//! or ends it, and nobody needs to know the sum. When the host gives it up, they are *closed*: each shard's count is
//! taken to the central counter, and a mark left by which whoever comes later knows to go there. The central counter
//! reaching zero ends the common count.

use crate::runtime::sys::thread_number::thread_number;
use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::sync::atomic::{AtomicIsize, Ordering, fence};
use std::sync::{Arc, Mutex, PoisonError};

const SHARDS: usize = 16;
/// The count of a shard that is closed, give or take what came later, which means nothing.
const CLOSED: isize = isize::MIN / 2;
/// More than there can be leases.
const BIAS: isize = 1 << 40;

/// A counter on a cache line of its own.
#[derive(Debug)]
#[repr(align(128))]
struct Shard(AtomicIsize);

/// The leases of one object: a part of it.
#[derive(Debug)]
pub struct Leases {
    shards: [Shard; SHARDS],
    central: AtomicIsize,
    /// How many hold it open.
    owners: Mutex<u32>,
}

/// What leases can be made of.
pub trait Leased {
    /// Its leases.
    fn leases(&self) -> &Leases;
}

impl Default for Leases {
    fn default() -> Leases {
        Leases {
            shards: [const { Shard(AtomicIsize::new(CLOSED)) }; SHARDS],
            central: AtomicIsize::new(0),
            owners: Mutex::default(),
        }
    }
}

fn is_closed(count: isize) -> bool {
    count < CLOSED / 2
}

impl Leases {
    fn own_shard(&self) -> &AtomicIsize {
        &self.shards[thread_number() as usize % SHARDS].0
    }

    /// Notes that a lease is made. Whether the common count must be taken.
    fn add(&self) -> bool {
        is_closed(self.own_shard().fetch_add(1, Ordering::Relaxed)) && self.central.fetch_add(1, Ordering::Relaxed) == 0
    }

    /// Notes that a lease ends. Whether the common count must be given up.
    fn remove(&self) -> bool {
        is_closed(self.own_shard().fetch_sub(1, Ordering::Release)) && self.central.fetch_sub(1, Ordering::Release) == 1
    }

    /// Lets leases be counted in shards from now on. Whether the common count must be taken.
    fn open(&self) -> bool {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        *owners += 1;
        if *owners > 1 {
            return false;
        }
        let first = self.central.fetch_add(1, Ordering::Relaxed) == 0;
        for shard in &self.shards {
            shard.0.store(0, Ordering::Relaxed);
        }
        first
    }

    /// Undoes `open`. Whether the common count must be given up.
    fn close(&self) -> bool {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        *owners -= 1;
        if *owners > 0 {
            return false;
        }
        // Shards that are still open may hold the beginnings of leases whose ends come to the central counter.
        self.central.fetch_add(BIAS, Ordering::Relaxed);
        for shard in &self.shards {
            let count = shard.0.swap(CLOSED, Ordering::AcqRel);
            self.central.fetch_add(count, Ordering::Relaxed);
        }
        self.central.fetch_sub(BIAS + 1, Ordering::Release) == BIAS + 1
    }
}

/// Opens the leases of an object that its maker will hold for long. To be closed by [`close`].
pub fn open<T: Leased>(owner: &Arc<T>) {
    if owner.leases().open() {
        mem::forget(owner.clone());
    }
}

/// Undoes [`open`], once for each time.
pub fn close<T: Leased>(owner: &Arc<T>) {
    if owner.leases().close() {
        // SAFETY: the common count, which was taken for the first lease or for being open; now there is neither.
        unsafe { give_up(owner) };
    }
}

/// Gives up the common count.
///
/// # Safety
/// It was taken, and whoever noticed that it has to go calls this once.
unsafe fn give_up<T>(arc: &Arc<T>) {
    fence(Ordering::Acquire);
    // SAFETY: the caller's promise.
    unsafe { Arc::decrement_strong_count(Arc::as_ptr(arc)) };
}

/// A reference to a shared object that is made and dropped often.
#[derive(Debug)]
pub struct Lease<T: Leased>(ManuallyDrop<Arc<T>>);

impl<T: Leased> Lease<T> {
    /// A lease of the object.
    pub fn new(of: &Arc<T>) -> Lease<T> {
        if of.leases().add() {
            mem::forget(of.clone());
        }
        // SAFETY: the common count keeps the object alive while there are leases; the alias is never dropped as an `Arc`.
        Lease(ManuallyDrop::new(unsafe { Arc::from_raw(Arc::as_ptr(of)) }))
    }
}

impl<T: Leased> Deref for Lease<T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        &self.0
    }
}

impl<T: Leased> Clone for Lease<T> {
    fn clone(&self) -> Lease<T> {
        Lease::new(self)
    }
}

impl<T: Leased> Drop for Lease<T> {
    fn drop(&mut self) {
        if self.0.leases().remove() {
            // SAFETY: this was the last lease, and they are closed.
            unsafe { give_up(&self.0) };
        }
    }
}

#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
