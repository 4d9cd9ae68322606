//! Memories (section 4.2.8): those of a store, and what a store knows of a shared one (`shared_memory.rs`).
//!
//! A memory's length is a number of its pages, which may be single bytes; what is accessible behind it is whole system
//! pages, all zero beyond the length.

use crate::config::Config;
use crate::runtime::engine::Engine;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::growth::{self, GrowError, Growing, Growth};
use crate::runtime::host_memory::CreatedMemory;
use crate::runtime::memory_image::MemoryImage;
use crate::runtime::memory_pool::Wanted;
use crate::runtime::memory_slot::MemorySlot;
use crate::runtime::object::{Object, ObjectKind, Standalone};
use crate::runtime::owed_pages::may_owe;
use crate::runtime::shared_memory::SharedMemory;
use crate::runtime::store::Store;
use crate::runtime::store_limits::{Charge, Resource, bytes_of, ensure_more};
use crate::runtime::sys::vm;
use crate::runtime::vmctx::MemoryDef;
use crate::types::{Limits, MemoryType};
use std::cell::{Cell, UnsafeCell};
use std::mem;
use std::ops::Range;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A memory: what a `wasm_memory_t*` points to.
#[repr(C)]
#[derive(Debug)]
pub struct Memory {
    /// The header.
    pub object: Object,
    /// Address of byte 0; null while some of its pages are owed, and so are not to be handed out.
    data: Cell<*mut u8>,
    declared: MemoryType,
    backing: Backing,
    /// What the store is charged for. Of a shared memory, only what this store added.
    charge: Charge,
}

#[derive(Debug)]
enum Backing {
    /// The store's own.
    Own {
        /// Base and length, for generated code.
        def: UnsafeCell<MemoryDef>,
        /// None only while it is dropped.
        slot: UnsafeCell<Option<Box<MemorySlot>>>,
        /// How often it has grown.
        growths: Cell<u64>,
    },
    /// The host's.
    Host {
        /// Base and length, for generated code.
        def: UnsafeCell<MemoryDef>,
        memory: UnsafeCell<CreatedMemory>,
        /// How often it has grown.
        growths: Cell<u64>,
    },
    Shared(Arc<SharedMemory>),
}

impl Memory {
    /// A memory of the host's, with one handle, zeroed.
    pub fn new(store: &Store, ty: MemoryType) -> Result<*mut Memory, Error> {
        check(&ty)?;
        growth::admit_memory(store, &ty)?;
        let charge = Charge::memory(store, bytes_of(&ty))?;
        let backing = Backing::new(store, ty, None)?;
        Ok(Memory::allocate(store, ty, backing, charge))
    }

    /// A shared memory as a memory of `store`, with one handle.
    pub fn of_shared(store: &Store, shared: Arc<SharedMemory>) -> Result<*mut Memory, Error> {
        if !Arc::ptr_eq(store.engine(), shared.engine()) {
            let message = "the shared memory belongs to another engine than the store";
            return Err(Error::new(ErrorKind::Store, message));
        }
        let declared = *shared.declared();
        let charge = Charge::memory(store, 0)?;
        Ok(Memory::allocate(store, declared, Backing::Shared(shared), charge))
    }

    fn allocate(store: &Store, declared: MemoryType, backing: Backing, charge: Charge) -> *mut Memory {
        let make = |object| Memory::with(object, declared, backing, charge);
        Standalone::allocate(Some(store), ObjectKind::Memory, make)
    }

    /// A memory that an instance defines, and what it holds at first; the header says which group it belongs to.
    pub fn new_in(object: Object, ty: MemoryType, image: Option<&Arc<MemoryImage>>) -> Result<Memory, Error> {
        // SAFETY: a store outlives its objects.
        let store = unsafe { &*object.store };
        let charge = Charge::memory(store, bytes_of(&ty))?;
        let backing = Backing::new(store, ty, image)?;
        Ok(Memory::with(object, ty, backing, charge))
    }

    fn with(object: Object, declared: MemoryType, backing: Backing, charge: Charge) -> Memory {
        let memory = Memory { object, data: Cell::new(ptr::null_mut()), declared, backing, charge };
        memory.data.set(memory.address());
        memory
    }

    /// Base and length, for generated code. The address does not change once the memory has its place.
    pub fn def(&self) -> *mut MemoryDef {
        match &self.backing {
            Backing::Own { def, .. } | Backing::Host { def, .. } => def.get(),
            Backing::Shared(shared) => ptr::from_ref(shared.def()).cast_mut(),
        }
    }

    /// What is shared with other stores, if this is a shared memory.
    pub fn shared(&self) -> Option<&Arc<SharedMemory>> {
        match &self.backing {
            Backing::Own { .. } | Backing::Host { .. } => None,
            Backing::Shared(shared) => Some(shared),
        }
    }

    /// Address of byte 0. All that the memory has can be used, by the system as well, until it grows.
    #[inline]
    pub fn base(&self) -> *mut u8 {
        let data = self.data.get();
        if data.is_null() { self.settle() } else { data }
    }

    /// Makes all that the memory has accessible.
    #[cold]
    fn settle(&self) -> *mut u8 {
        let base = self.address();
        // SAFETY: only the store's thread is here, and nobody keeps a reference to the slot.
        if self.slot().is_none_or(|slot| unsafe { (*slot).settle() }) {
            self.data.set(base);
        }
        // If not, the system has no memory: the first access will ask it again.
        base
    }

    /// The slot, if it is the store's own memory.
    fn slot(&self) -> Option<*mut MemorySlot> {
        let Backing::Own { slot, .. } = &self.backing else { return None };
        // SAFETY: nobody keeps a reference to the slot.
        unsafe { (*slot.get()).as_deref_mut().map(ptr::from_mut) }
    }

    /// Address of byte 0. Pages may be owed.
    #[inline]
    pub fn address(&self) -> *mut u8 {
        // SAFETY: a plain read of what only the store's thread changes, and nobody if it is shared.
        unsafe { (*self.def()).base }
    }

    /// Length in bytes.
    #[inline]
    pub fn length(&self) -> usize {
        // SAFETY: alive as long as the memory.
        unsafe { (*self.def()).length.load(Ordering::Acquire) }
    }

    /// A number that each growth changes, whoever asked for it. For a shared memory, which never moves: the length.
    pub fn generation(&self) -> u64 {
        match &self.backing {
            Backing::Own { growths, .. } | Backing::Host { growths, .. } => growths.get(),
            Backing::Shared(shared) => shared.length() as u64,
        }
    }

    /// Length in pages.
    pub fn pages(&self) -> u64 {
        self.length() as u64 >> self.declared.page_size_log2
    }

    /// Bytes of a page.
    pub fn page_size(&self) -> u64 {
        1 << self.declared.page_size_log2
    }

    /// The type, with the current size as its minimum.
    pub fn ty(&self) -> MemoryType {
        let limits = Limits { min: self.pages(), max: self.declared.limits.max };
        MemoryType { limits, ..self.declared }
    }

    /// Grows by `delta` pages (section 4.5.3, growing memories). Gives the old size in pages. The host may be asked and told:
    /// the caller holds the memory.
    pub fn grow(&self, delta: u64) -> Result<u64, GrowError> {
        let old = self.pages();
        if grown(&self.declared, old, delta)?.is_none() {
            return Ok(old);
        }
        let store = self.store();
        let bytes = delta << self.declared.page_size_log2;
        ensure_more(store, Resource::MemoryBytes, bytes)?;
        let mut growth = Growth {
            item: &self.object,
            kind: Growing::Memory,
            moved: false,
            old_size: old,
            new_size: old + delta,
            maximum: self.declared.limits.max.unwrap_or(u64::MAX),
        };
        store.growth().before(&growth)?;
        self.charge.more(bytes)?;
        let base = self.address();
        let old = self.extend(delta).inspect_err(|_| self.charge.less(bytes))?;
        // Of a shared memory, others may have added pages meanwhile.
        (growth.old_size, growth.new_size) = (old, old + delta);
        growth.moved = base != self.address();
        store.growth().after(&growth);
        Ok(old)
    }

    /// The store.
    pub fn store(&self) -> &Store {
        // SAFETY: a store outlives its objects.
        unsafe { &*self.object.store }
    }

    /// Grows by `delta` pages, without questions but that for the maximum.
    fn extend(&self, delta: u64) -> Result<u64, GrowError> {
        let (def, slot, growths) = match &self.backing {
            Backing::Own { def, slot, growths } => {
                // SAFETY: only the store's thread is here, and nobody keeps a reference to the slot.
                (def, unsafe { (*slot.get()).as_mut() }.ok_or(GrowError::System)?, growths)
            }
            Backing::Host { def, memory, growths } => return self.extend_created(def, memory, growths, delta),
            Backing::Shared(shared) => return self.store().growth().while_busy(|| shared.grow(delta)),
        };
        let old = self.pages();
        let Some(bytes) = grown(&self.declared, old, delta)? else { return Ok(old) };
        let accessible = vm::round_up(bytes).ok_or(GrowError::System)?;
        if accessible <= slot.reservation() {
            let engine = self.store().engine();
            resize(engine, &self.declared, slot, accessible, engine.defers_growth())?;
        } else {
            self.relocate(slot, accessible)?;
        }
        // SAFETY: only the store's thread changes the definition, and generated code reads it anew after a call.
        unsafe { *def.get() = MemoryDef { base: slot.base(), length: AtomicUsize::new(bytes) } };
        self.data.set(if slot.is_settled() { slot.base() } else { ptr::null_mut() });
        growths.set(growths.get() + 1);
        Ok(old)
    }

    /// Grows what the host provides.
    fn extend_created(
        &self,
        def: &UnsafeCell<MemoryDef>,
        memory: &UnsafeCell<CreatedMemory>,
        growths: &Cell<u64>,
        delta: u64,
    ) -> Result<u64, GrowError> {
        let old = self.pages();
        let Some(bytes) = grown(&self.declared, old, delta)? else { return Ok(old) };
        // SAFETY: only the store's thread is here, and nothing grows again before the host has answered.
        let (memory, result) = unsafe {
            let memory = &mut *memory.get();
            let result = self.store().growth().while_busy(|| memory.grow(bytes as u64));
            (memory, result)
        };
        let length = if result.is_ok() { bytes } else { self.length() };
        // SAFETY: only the store's thread changes the definition, and generated code reads it anew after a call. It may have
        // moved without having grown.
        unsafe { *def.get() = MemoryDef { base: memory.base(), length: AtomicUsize::new(length) } };
        self.data.set(memory.base());
        growths.set(growths.get() + 1);
        result.map(|()| old)
    }

    /// Whether the base never changes: every address within the memory stays good as long as the memory lives.
    pub fn is_pinned(&self) -> bool {
        match &self.backing {
            // SAFETY: only the store's thread is here, and nobody keeps a reference to the slot.
            Backing::Own { slot, .. } => unsafe { &*slot.get() }.as_ref().is_some_and(|slot| {
                let fixed = self.store().engine().tunables().has_fixed_base(&self.declared);
                fixed || slot.reservation() as u64 >= most_bytes(&self.declared)
            }),
            // SAFETY: as above.
            Backing::Host { memory, .. } => unsafe { &*memory.get() }.is_pinned(),
            Backing::Shared(_) => true,
        }
    }

    /// Whether the host provides its bytes.
    pub fn is_created(&self) -> bool {
        match &self.backing {
            Backing::Own { .. } => false,
            Backing::Host { .. } => true,
            Backing::Shared(shared) => shared.is_created(),
        }
    }

    /// Moves the contents to a larger reservation. Only where bases are not fixed.
    fn relocate(&self, slot: &mut Box<MemorySlot>, accessible: usize) -> Result<(), GrowError> {
        let store = self.store();
        if store.engine().tunables().has_fixed_base(&self.declared) {
            return Err(GrowError::Maximum);
        }
        let most = most_bytes(&self.declared);
        let room = (accessible as u64).saturating_mul(2).min(most).max(accessible as u64) as usize;
        let pool = store.engine().pool();
        let guard = store.engine().config().memory_guard as usize;
        let wanted = |room| Wanted { reservation: room, guard, len: accessible, exactly: false, image: None };
        let new = pool.take(&wanted(room)).or_else(|_| pool.take(&wanted(accessible)));
        let mut new = new.map_err(|_| GrowError::System)?;
        slot.move_to(&mut new);
        pool.give(mem::replace(slot, new));
        Ok(())
    }

    /// Makes the memory hold `image`, or zeros, again. Whether it could: not if it has moved or is shared.
    pub(in crate::runtime) fn restore(&self, image: Option<&Arc<MemoryImage>>) -> bool {
        let Backing::Own { slot, .. } = &self.backing else { return false };
        // SAFETY: only the store's thread is here, and nobody keeps a reference to the slot; a store outlives its objects.
        let (slot, engine) = unsafe { ((*slot.get()).as_mut(), (*self.object.store).engine()) };
        slot.is_some_and(|slot| {
            slot.image_id() == image.map_or(0, |image| image.id()) && slot.clean(engine.config().pooled_bytes).is_ok()
        })
    }

    /// The part that holds the copy of an image, which the slot makes good again only where there are pages.
    pub(in crate::runtime) fn copied_image(&self) -> Range<usize> {
        // SAFETY: only the store's thread is here, and nobody keeps a reference to the slot.
        self.slot().map_or(0..0, |slot| unsafe { (*slot).copied_image() })
    }

    /// The part `offset..offset + len`, if the memory has it.
    pub fn range(&self, offset: u64, len: u64) -> Option<*mut u8> {
        let end = offset.checked_add(len)?;
        (end <= self.length() as u64).then(|| self.base_for(end as usize).wrapping_add(offset as usize))
    }

    /// [`Memory::base`], of which only the first `end` bytes must be accessible.
    #[inline]
    fn base_for(&self, end: usize) -> *mut u8 {
        // SAFETY: nobody keeps a reference to the slot.
        let is_within = || self.slot().is_some_and(|slot| end <= unsafe { (*slot).accessible() });
        if self.data.get().is_null() && is_within() { self.address() } else { self.base() }
    }
}

impl Backing {
    fn new(store: &Store, ty: MemoryType, image: Option<&Arc<MemoryImage>>) -> Result<Backing, Error> {
        if ty.shared {
            // The host may be asked for its bytes, and is not to make others meanwhile.
            let made = store.growth().while_busy(|| SharedMemory::new(store.engine().clone(), ty));
            return Ok(Backing::Shared(made?));
        }
        let config = store.engine().config();
        if let Some(creator) = &config.memory_creator {
            check(&ty)?;
            check_pinned(config, &ty)?;
            let (length, most) = (bytes_of(&ty), most_bytes(&ty));
            let made = store.growth().while_busy(|| CreatedMemory::new(creator, length, most, config.pinned_memories));
            let memory = made?;
            let def = MemoryDef { base: memory.base(), length: AtomicUsize::new(length as usize) };
            if let Some(image) = image {
                // SAFETY: the creator gave so many bytes to this memory alone; an image is never in a memory.
                unsafe { image.copy_to(memory.base(), length as usize) };
            }
            let (def, memory) = (UnsafeCell::new(def), UnsafeCell::new(memory));
            return Ok(Backing::Host { def, memory, growths: Cell::new(0) });
        }
        let (slot, length) = reserve(store.engine(), &ty, image)?;
        let def = MemoryDef { base: slot.base(), length: AtomicUsize::new(length) };
        Ok(Backing::Own { def: UnsafeCell::new(def), slot: UnsafeCell::new(Some(slot)), growths: Cell::new(0) })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if let Backing::Own { slot, .. } = &mut self.backing
            && let Some(slot) = slot.get_mut().take()
        {
            // SAFETY: a store outlives its objects.
            unsafe { (*self.object.store).engine().pool().give(slot) };
        }
    }
}

/// The length in bytes of a memory of `old` pages with `delta` more; none if nothing changes.
pub(in crate::runtime) fn grown(ty: &MemoryType, old: u64, delta: u64) -> Result<Option<usize>, GrowError> {
    let new = old.checked_add(delta).ok_or(GrowError::Maximum)?;
    if new > most_pages(ty) {
        return Err(GrowError::Maximum);
    }
    Ok((delta > 0).then_some((new << ty.page_size_log2) as usize))
}

/// Bytes of address space that a process can have, at most.
const ADDRESS_SPACE: u64 = 1 << 47;

/// What is reserved for a shared memory at most, unless it is larger from the start: it cannot move.
const MOST_SHARED: u64 = 64 << 30;

/// The most pages that a memory of this type may ever have.
pub fn most_pages(ty: &MemoryType) -> u64 {
    let addressable = ty.most_pages().min(ADDRESS_SPACE >> ty.page_size_log2);
    ty.limits.max.unwrap_or(u64::MAX).min(addressable)
}

/// The most bytes that a memory of this type may ever have.
pub(in crate::runtime) fn most_bytes(ty: &MemoryType) -> u64 {
    most_pages(ty) << ty.page_size_log2
}

/// Whether a memory can be of this type.
pub fn check(ty: &MemoryType) -> Result<(), Error> {
    let Limits { min, max } = ty.limits;
    if ty.page_size_log2 != 0 && ty.page_size_log2 != MemoryType::PAGE_SIZE_LOG2 {
        let message = format!("memory type: pages of 2^{} bytes; they can have 1 or 65536 bytes", ty.page_size_log2);
        return Err(Error::argument(message));
    }
    if max.is_some_and(|max| min > max) {
        let message = format!("memory type: the minimum of {min} pages is above the maximum of {}", max.unwrap_or(0));
        return Err(Error::argument(message));
    }
    let most = ty.most_pages();
    if min > most || max.is_some_and(|max| max > most) {
        let size = if min > most { min } else { max.unwrap_or(0) };
        return Err(Error::argument(format!(
            "memory type: {size} pages are more than the {most} that a memory can have"
        )));
    }
    if ty.shared && max.is_none() {
        return Err(Error::argument("memory type: a shared memory must have a maximum"));
    }
    Ok(())
}

/// Lets a slot's memory have `accessible` bytes, whole system pages, which the reservation has. What lies behind them must
/// be inaccessible only where nobody checks; there they may be so themselves at first, if that is to be `deferred`.
pub(in crate::runtime) fn resize(
    engine: &Engine,
    ty: &MemoryType,
    slot: &mut MemorySlot,
    accessible: usize,
    deferred: bool,
) -> Result<(), GrowError> {
    let resized = match engine.tunables().is_guarded(ty) {
        true if deferred => slot.extend(accessible, may_owe),
        true => slot.set_accessible(accessible),
        false => slot.set_used(accessible),
    };
    resized.map_err(|_| GrowError::System)
}

/// Whether memories of this type can be pinned, if they are to be.
fn check_pinned(config: &Config, ty: &MemoryType) -> Result<(), Error> {
    if config.pinned_memories && ty.is64 && ty.limits.max.is_none() {
        let message =
            "memory type: a memory with 64-bit addresses cannot be pinned without a maximum: all of it is reserved";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    Ok(())
}

/// A slot for a new memory of this type that holds `image`, and the memory's length in bytes.
pub(in crate::runtime) fn reserve(
    engine: &Engine,
    ty: &MemoryType,
    image: Option<&Arc<MemoryImage>>,
) -> Result<(Box<MemorySlot>, usize), Error> {
    check(ty)?;
    let config = engine.config();
    check_pinned(config, ty)?;
    let min = ty.limits.min;
    let no_memory = |reason: String| {
        let of = if ty.page_size_log2 == MemoryType::PAGE_SIZE_LOG2 { "" } else { " of 1 byte" };
        Error::new(ErrorKind::Memory, format!("no memory of {min} pages{of}: {reason}"))
    };
    if min > ADDRESS_SPACE >> ty.page_size_log2 {
        return Err(no_memory(format!("that is more than the {ADDRESS_SPACE} bytes that a process can address")));
    }
    let length = (min << ty.page_size_log2) as usize;
    let accessible = length.next_multiple_of(vm::page_size());
    let full = config.memory_reservation >= Config::FULL_RESERVATION;
    let room = match (ty.is64, ty.shared) {
        (false, _) if full => Config::FULL_RESERVATION,
        (_, false) if config.pinned_memories => most_bytes(ty),
        (_, false) => config.memory_reservation.min(Config::FULL_RESERVATION).min(most_bytes(ty)),
        (_, true) => most_bytes(ty).min(MOST_SHARED),
    };
    let room = (room as usize).max(accessible);
    let exactly = engine.tunables().is_guarded(ty);
    let guard = config.memory_guard as usize;
    let slot = engine.pool().take(&Wanted { reservation: room, guard, len: accessible, exactly, image });
    let slot = slot.map_err(|error| no_memory(format!("reserving {room} bytes of address space: {error}")))?;
    Ok((slot, length))
}
