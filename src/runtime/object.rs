//! What a `wasm.h` handle points to, and how long it lives.
//!
//! Every handle (`wasm_func_t*`, `wasm_memory_t*`, ...) is a counted reference to an [`Object`] of a store. Objects
//! live and die in [`Group`]s: an instance with the functions, tables, memories, globals and tags it defines is one
//! group; whatever the host creates is a group of its own. A group is reachable while
//!
//! * a handle to one of its objects exists (`handles`, the only counter that other threads may touch),
//! * an instance that imports from it exists, or a trap with a frame of it (`pins`),
//! * a reference to one of its objects lies in a reachable table or global, or in a running frame.
//!
//! The first two are counted, so that nearly everything is reclaimed at once. The third kind of edge changes
//! with every `table.set` and is not counted: a group that may have such edges is marked `leaked`, and the collector
//! (`collect.rs`) decides. Edges within a group need no counting, so an instance whose table holds its own
//! functions is no cycle.

use crate::runtime::store::Store;
use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ObjectKind {
    /// `Func`
    Func,
    /// `Global`
    Global,
    /// `Table`
    Table,
    /// `Memory`
    Memory,
    /// `Instance`
    Instance,
    /// `ModuleObject`
    Module,
    /// `Trap`
    Trap,
    /// `Foreign`
    Foreign,
    /// `Tag`
    Tag,
    /// `Exception`
    Exception,
    /// `GcBox`
    Gc,
}

impl ObjectKind {
    /// The word for messages.
    pub fn name(self) -> &'static str {
        match self {
            ObjectKind::Func => "function",
            ObjectKind::Global => "global",
            ObjectKind::Table => "table",
            ObjectKind::Memory => "memory",
            ObjectKind::Instance => "instance",
            ObjectKind::Module => "module",
            ObjectKind::Trap => "trap",
            ObjectKind::Foreign => "foreign object",
            ObjectKind::Tag => "tag",
            ObjectKind::Exception => "exception",
            ObjectKind::Gc => "garbage-collected object",
        }
    }
}

/// A finalizer given by the host.
pub type Finalizer = unsafe extern "C" fn(*mut c_void);

/// Data that the host hangs on an object.
#[derive(Clone, Copy, Debug)]
pub struct HostInfo {
    /// The host's pointer.
    pub data: *mut c_void,
    /// Called once with `data` when the object dies or the information is replaced.
    pub finalizer: Option<Finalizer>,
}

/// The header that every object begins with: 32 bytes, so that a `Func`'s fields lie where the layout says.
#[repr(C)]
#[derive(Debug)]
pub struct Object {
    /// The store, or null for an object that belongs to none (a trap about misuse of a store that is busy).
    pub store: *const Store,
    /// The group that the object lives and dies with.
    pub group: *const Group,
    info: Cell<*mut HostInfo>,
    /// What follows the header.
    pub kind: ObjectKind,
}

const _: () = assert!(size_of::<Object>() == 32);

impl Object {
    /// A header without host information.
    pub fn new(store: *const Store, group: *const Group, kind: ObjectKind) -> Object {
        Object { store, group, info: Cell::new(ptr::null_mut()), kind }
    }

    /// The group.
    pub fn group(&self) -> &Group {
        // SAFETY: an object's group lives as long as the object.
        unsafe { &*self.group }
    }

    /// The host's information, null if none.
    pub fn host_info(&self) -> *mut c_void {
        let info = self.info.get();
        // SAFETY: `info` is null or a box made by `set_host_info`.
        if info.is_null() { ptr::null_mut() } else { unsafe { (*info).data } }
    }

    /// Replaces the host's information. The finalizer of what was there runs, unless the same is set again.
    pub fn set_host_info(&self, data: *mut c_void, finalizer: Option<Finalizer>) {
        let old = self.info.get();
        if !old.is_null() {
            // SAFETY: as in `host_info`.
            let current = unsafe { &mut *old };
            let same = current.data == data && current.finalizer.map(|f| f as usize) == finalizer.map(|f| f as usize);
            if same {
                return;
            }
        }
        let new = HostInfo { data, finalizer };
        self.info.set(Box::into_raw(Box::new(new)));
        // SAFETY: `old` was taken out of the object: nobody else will free it.
        unsafe { finalize(old) };
    }

    /// Runs the finalizer of the host's information, if any, and forgets it.
    pub fn finalize(&self) {
        let old = self.info.replace(ptr::null_mut());
        // SAFETY: taken out of the object.
        unsafe { finalize(old) };
    }

    /// Whether there is host information, and so perhaps a finalizer to run.
    pub fn has_host_info(&self) -> bool {
        !self.info.get().is_null()
    }
}

/// Frees `info` and runs its finalizer.
///
/// # Safety
/// `info` is null or a box that nobody else owns.
unsafe fn finalize(info: *mut HostInfo) {
    if info.is_null() {
        return;
    }
    // SAFETY: the caller's promise.
    let info = unsafe { Box::from_raw(info) };
    if let Some(finalizer) = info.finalizer {
        // SAFETY: the host promised that the finalizer may be called once with its data.
        unsafe { finalizer(info.data) };
    }
}

/// A unit of lifetime. See the head of this file.
#[derive(Debug)]
pub struct Group {
    /// The store, or null as in [`Object`].
    pub store: *const Store,
    /// The object that the group is about: an instance, or the single object in it.
    pub root: Cell<*const Object>,
    /// Neighbours in the store's list of groups.
    pub(in crate::runtime) previous: Cell<*const Group>,
    pub(in crate::runtime) next: Cell<*const Group>,
    /// Handles to objects of the group, those included whose release another thread has deferred.
    handles: AtomicU32,
    /// Handles that other threads have given up and the store has not yet subtracted.
    deferred: AtomicU32,
    /// Next in the store's queue of groups with deferred releases.
    pub(in crate::runtime) next_queued: AtomicPtr<Group>,
    /// Instances that import from the group.
    pub(in crate::runtime) pins: Cell<u32>,
    /// Whether references to objects of the group may lie in tables or globals outside of it.
    leaked: Cell<bool>,
    /// Set while the collector finds the group reachable.
    pub(in crate::runtime) marked: Cell<bool>,
    /// Set from the decision that the group is dead to its end.
    pub(in crate::runtime) dying: Cell<bool>,
    /// Whether the group waits in the store's list of groups that lost their last handle.
    pub(in crate::runtime) suspect: Cell<bool>,
}

impl Group {
    /// A group with one handle, not yet in its store's list.
    pub fn new(store: *const Store) -> Group {
        Group {
            store,
            root: Cell::new(ptr::null()),
            previous: Cell::new(ptr::null()),
            next: Cell::new(ptr::null()),
            handles: AtomicU32::new(1),
            deferred: AtomicU32::new(0),
            next_queued: AtomicPtr::new(ptr::null_mut()),
            pins: Cell::new(0),
            leaked: Cell::new(false),
            marked: Cell::new(false),
            dying: Cell::new(false),
            suspect: Cell::new(false),
        }
    }

    /// Whether handles exist.
    pub fn has_handles(&self) -> bool {
        self.handles.load(Ordering::Acquire) > 0
    }

    /// Whether references to it may lie where they are not counted.
    pub fn leaked(&self) -> bool {
        self.leaked.get()
    }

    /// Notes that a reference to one of its objects goes where it is not counted.
    pub fn leak(&self) {
        self.leaked.set(true);
    }

    /// One more handle. On the store's thread, or (with a handle in hand) on any.
    pub fn acquire(&self) {
        if self.handles.fetch_add(1, Ordering::Relaxed) == 0 && !self.store.is_null() {
            // SAFETY: a group's store outlives it.
            unsafe { (*self.store).rooted(1) };
        }
    }

    /// One handle less, on the store's thread. Returns whether it was the last.
    pub(in crate::runtime) fn give_up(&self, count: u32) -> bool {
        self.handles.fetch_sub(count, Ordering::AcqRel) == count
    }

    /// One handle less, from another thread: only noted. Returns whether the group must be queued.
    pub(in crate::runtime) fn defer(&self) -> bool {
        self.deferred.fetch_add(1, Ordering::AcqRel) == 0
    }

    /// Takes the noted releases.
    pub(in crate::runtime) fn take_deferred(&self) -> u32 {
        self.deferred.swap(0, Ordering::AcqRel)
    }
}

/// An object that is a group of its own. The object comes first: a pointer to it is a pointer to the whole.
#[repr(C)]
#[derive(Debug)]
pub struct Standalone<T> {
    /// The object.
    pub item: T,
    /// Its group.
    pub group: Group,
}

impl<T> Standalone<T> {
    /// Allocates an object with a group of its own, enters it in the store's list and returns it with one handle.
    /// `make` gets the header to put at the object's beginning.
    pub fn allocate(store: Option<&Store>, kind: ObjectKind, make: impl FnOnce(Object) -> T) -> *mut T {
        if let Some(store) = store {
            store.before_allocation();
        }
        Standalone::allocate_quietly(store, kind, make)
    }

    /// As [`Standalone::allocate`], but no collection happens before.
    pub fn allocate_quietly(store: Option<&Store>, kind: ObjectKind, make: impl FnOnce(Object) -> T) -> *mut T {
        let of = store.map_or(ptr::null(), ptr::from_ref);
        let mut boxed = Box::<Standalone<T>>::new_uninit();
        let place = boxed.as_mut_ptr();
        // SAFETY: both fields of the fresh allocation are written before it is used; the group's address is stable.
        let pointer = unsafe {
            let group = &raw mut (*place).group;
            group.write(Group::new(of));
            (&raw mut (*place).item).write(make(Object::new(of, group, kind)));
            Box::into_raw(boxed.assume_init())
        };
        // SAFETY: just made.
        unsafe {
            (*pointer).group.root.set(pointer.cast::<Object>());
            if let Some(store) = store {
                store.adopt(&(*pointer).group);
            }
            &raw mut (*pointer).item
        }
    }
}

/// One more handle to an object.
pub fn acquire(object: &Object) {
    object.group().acquire();
}

/// One handle less. The object may be gone afterwards, its finalizers run, and its store with it if that was deleted.
///
/// # Safety
/// `object` is an object to which the caller owns a handle.
pub unsafe fn release(object: *const Object) {
    // SAFETY: alive, as the caller holds a handle.
    let (store, group) = unsafe { ((*object).store, (*object).group) };
    if store.is_null() {
        // SAFETY: alive as above; objects without a store are shared by nobody but their handles.
        unsafe {
            if (*group).give_up(1) {
                crate::runtime::collect::free_detached(group);
            }
        }
    } else {
        // SAFETY: a store lives while a handle to one of its objects does.
        unsafe { Store::release(store, group) };
    }
}
