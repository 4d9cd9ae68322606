//! What a store may have: bytes of memories and of objects, elements of tables, and how many memories, tables and instances.
//!
//! Whatever is made in a store is charged to it, and refunded when it dies. A store that has reached a limit first reclaims
//! what nobody can reach any more.

use crate::runtime::collect;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::store::Store;
use crate::types::{MemoryType, TableType};
use std::array;
use std::cell::Cell;
use std::fmt;
use std::ptr;

/// What is counted. The numbers are those of `tenon_limit_enum`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Resource {
    /// Bytes of all memories, in their own pages.
    MemoryBytes,
    /// Elements of all tables.
    TableElements,
    /// Memories.
    Memories,
    /// Tables.
    Tables,
    /// Instances.
    Instances,
    /// Bytes of garbage-collected objects. The heap counts them, and has the limit from here.
    HeapBytes,
}

impl Resource {
    /// All of them, by number.
    pub const ALL: [Resource; 6] = [
        Resource::MemoryBytes,
        Resource::TableElements,
        Resource::Memories,
        Resource::Tables,
        Resource::Instances,
        Resource::HeapBytes,
    ];

    /// The words for messages.
    pub fn name(self) -> &'static str {
        match self {
            Resource::MemoryBytes => "bytes of memory",
            Resource::TableElements => "elements of tables",
            Resource::Memories => "memories",
            Resource::Tables => "tables",
            Resource::Instances => "instances",
            Resource::HeapBytes => "bytes of objects",
        }
    }
}

/// Amounts of every resource, by its number.
pub type Amounts = [u64; Resource::ALL.len()];

/// A limit that would have been exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Of what.
    pub resource: Resource,
    /// The limit.
    pub most: u64,
    /// How much is in use.
    pub used: u64,
    /// How much more was wanted.
    pub wanted: u64,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Exceeded { resource, most, used, wanted } = self;
        let name = resource.name();
        write!(f, "the store may have {most} {name}: {wanted} more would be too many, as {used} are in use")
    }
}

impl From<Exceeded> for Error {
    fn from(exceeded: Exceeded) -> Error {
        Error::new(ErrorKind::StoreLimit, exceeded.to_string())
    }
}

/// The limits of a store, and what it has.
#[derive(Debug)]
pub struct StoreLimits {
    most: [Cell<u64>; Resource::ALL.len()],
    used: [Cell<u64>; Resource::ALL.len()],
    /// Whether a growth that is refused by a limit, by the host or by the system traps.
    pub traps: Cell<bool>,
}

impl Default for StoreLimits {
    fn default() -> StoreLimits {
        StoreLimits {
            most: array::from_fn(|_| Cell::new(u64::MAX)),
            used: array::from_fn(|_| Cell::new(0)),
            traps: Cell::new(false),
        }
    }
}

impl StoreLimits {
    /// How much of a resource there may be.
    pub fn most(&self, resource: Resource) -> u64 {
        self.most[resource as usize].get()
    }

    /// How much of a resource was charged for.
    fn used(&self, resource: Resource) -> u64 {
        self.used[resource as usize].get()
    }

    fn set(&self, resource: Resource, most: u64) {
        self.most[resource as usize].set(most);
    }

    fn check(&self, resource: Resource, wanted: u64) -> Result<u64, Exceeded> {
        let (most, used) = (self.most(resource), self.used(resource));
        let sum = used.checked_add(wanted).filter(|sum| *sum <= most || wanted == 0);
        sum.ok_or(Exceeded { resource, most, used, wanted })
    }

    /// Charges for more of a resource.
    pub fn charge(&self, resource: Resource, amount: u64) -> Result<(), Exceeded> {
        let sum = self.check(resource, amount)?;
        self.used[resource as usize].set(sum);
        Ok(())
    }

    /// Takes back a charge.
    pub fn refund(&self, resource: Resource, amount: u64) {
        let used = &self.used[resource as usize];
        used.set(used.get() - amount);
    }

    fn check_all(&self, wanted: &Amounts) -> Result<(), Exceeded> {
        Resource::ALL.iter().zip(wanted).try_for_each(|(resource, wanted)| self.check(*resource, *wanted).map(drop))
    }
}

impl Store {
    /// Sets how much of a resource there may be. What there is already stays.
    pub fn set_limit(&self, resource: Resource, most: u64) {
        self.limits().set(resource, most);
        if let (Resource::HeapBytes, Some(heap)) = (resource, self.gc.heap()) {
            heap.restrict(most);
        }
    }

    /// How much of a resource there is. Of objects, also those that nobody reaches are there until they are collected.
    pub fn usage(&self, resource: Resource) -> u64 {
        match resource {
            Resource::HeapBytes => self.gc_statistics().used,
            _ => self.limits().used(resource),
        }
    }
}

/// Whether the store has room for so much more, once it has reclaimed what nobody reaches. Nothing is charged.
///
/// Objects may die: nothing of the caller's may depend on what only unfinished work knows.
pub fn ensure_room(store: &Store, wanted: &Amounts) -> Result<(), Exceeded> {
    let checked = store.limits().check_all(wanted);
    if checked.is_err() && store.collector.has_candidates() {
        collect::collect(store);
        return store.limits().check_all(wanted);
    }
    checked
}

/// [`ensure_room`] for more of one resource.
pub fn ensure_more(store: &Store, resource: Resource, amount: u64) -> Result<(), Exceeded> {
    let check = || store.limits().check(resource, amount).map(drop);
    let checked = check();
    if checked.is_err() && store.collector.has_candidates() {
        collect::collect(store);
        return check();
    }
    checked
}

/// The bytes of a memory at first.
pub fn bytes_of(ty: &MemoryType) -> u64 {
    ty.limits.min.saturating_mul(1 << ty.page_size_log2.min(63))
}

/// What memories, tables and so many instances would be charged for.
pub fn amounts<'a>(
    memories: impl IntoIterator<Item = &'a MemoryType>,
    tables: impl IntoIterator<Item = &'a TableType>,
    instances: u64,
) -> Amounts {
    let mut amounts = Amounts::default();
    let mut add = |resource: Resource, amount: u64| {
        let sum = &mut amounts[resource as usize];
        *sum = sum.saturating_add(amount);
    };
    for ty in memories {
        add(Resource::Memories, 1);
        add(Resource::MemoryBytes, bytes_of(ty));
    }
    for ty in tables {
        add(Resource::Tables, 1);
        add(Resource::TableElements, ty.limits.min);
    }
    add(Resource::Instances, instances);
    amounts
}

/// What a memory or table is charged for: itself, and its size. Refunded when dropped.
#[derive(Debug)]
pub struct Charge {
    /// Outlives its objects, and so their charges.
    store: *const Store,
    thing: Resource,
    size: Resource,
    amount: Cell<u64>,
}

impl Charge {
    /// A memory of so many bytes.
    pub fn memory(store: &Store, bytes: u64) -> Result<Charge, Exceeded> {
        Charge::new(store, Resource::Memories, Resource::MemoryBytes, bytes)
    }

    /// A table of so many elements.
    pub fn table(store: &Store, elements: u64) -> Result<Charge, Exceeded> {
        Charge::new(store, Resource::Tables, Resource::TableElements, elements)
    }

    fn new(store: &Store, thing: Resource, size: Resource, amount: u64) -> Result<Charge, Exceeded> {
        store.limits().charge(thing, 1)?;
        let charge = Charge { store: ptr::from_ref(store), thing, size, amount: Cell::new(0) };
        charge.more(amount)?;
        Ok(charge)
    }

    fn limits(&self) -> &StoreLimits {
        // SAFETY: a store outlives its objects.
        unsafe { (*self.store).limits() }
    }

    /// Charges for a growth.
    pub fn more(&self, amount: u64) -> Result<(), Exceeded> {
        self.limits().charge(self.size, amount)?;
        self.amount.set(self.amount.get() + amount);
        Ok(())
    }

    /// Takes back what a growth that failed was charged for.
    pub fn less(&self, amount: u64) {
        self.limits().refund(self.size, amount);
        self.amount.set(self.amount.get() - amount);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.limits().refund(self.size, self.amount.get());
        self.limits().refund(self.thing, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_positions() {
        for (i, resource) in Resource::ALL.iter().enumerate() {
            assert_eq!(*resource as usize, i);
        }
    }

    #[test]
    fn sums_do_not_wrap() {
        let limits = StoreLimits::default();
        assert_eq!(limits.charge(Resource::Tables, u64::MAX - 1), Ok(()));
        assert!(limits.charge(Resource::Tables, 2).is_err());
        assert_eq!(limits.charge(Resource::Tables, 1), Ok(()));
        limits.refund(Resource::Tables, u64::MAX);
        limits.set(Resource::Tables, 3);
        let exceeded = Exceeded { resource: Resource::Tables, most: 3, used: 0, wanted: 4 };
        assert_eq!(limits.charge(Resource::Tables, 4), Err(exceeded));
        assert_eq!(limits.used(Resource::Tables), 0);
        let ty =
            MemoryType { page_size_log2: 16, ..MemoryType::new32(crate::types::Limits { min: u64::MAX, max: None }) };
        assert_eq!(amounts([&ty, &ty], [], 0)[Resource::MemoryBytes as usize], u64::MAX);
    }

    #[test]
    fn what_is_there_may_stay_when_the_limit_falls() {
        let limits = StoreLimits::default();
        assert_eq!(limits.charge(Resource::Instances, 5), Ok(()));
        limits.set(Resource::Instances, 3);
        assert_eq!(limits.charge(Resource::Instances, 0), Ok(()));
        assert!(limits.charge(Resource::Instances, 1).is_err());
        limits.refund(Resource::Instances, 3);
        assert_eq!(limits.charge(Resource::Instances, 1), Ok(()));
    }
}
