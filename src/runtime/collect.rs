//! Which groups of a store are dead, and their end; and with them, which garbage-collected objects are reachable.
//!
//! A group that lost its last handle is a *suspect*. If nothing pins it and no reference to it ever left it, it dies at
//! once. If it is `leaked`, only tracing can tell: from the groups with handles (and, while code runs, from every word
//! on the stack that looks like an address of an object: references in running frames are found conservatively) along
//! imports, tables and globals. A trace costs as much as the store is large, so suspects and allocations
//! earn credit, and a trace happens when the credit covers the cost of the last one. Small stores trace at once.
//!
//! Objects of the store's heap (`gc/`) refer to groups, and groups to them, so both are traced together: an object that is
//! reached is copied to where it survives, and whoever refers to it is told its new place. In running frames references to
//! such objects are found exactly, by the compiler's maps.
//!
//! Death is in two steps, since finalizers are the host's code and may use the API: first all finalizers of
//! all dying groups run, then the memory goes.

use crate::runtime::exception::{Exception, trace_values};
use crate::runtime::foreign::Foreign;
use crate::runtime::func;
use crate::runtime::gc::GcBox;
use crate::runtime::gc::collect::Evacuation;
use crate::runtime::gc::roots::each_in_frames;
use crate::runtime::global::HostGlobal;
use crate::runtime::instance::Instance;
use crate::runtime::memory::Memory;
use crate::runtime::module::ModuleObject;
use crate::runtime::object::{Group, Object, ObjectKind, Standalone};
use crate::runtime::store::Store;
use crate::runtime::sys::stack;
use crate::runtime::table::Table;
use crate::runtime::tag::Tag;
use crate::runtime::trap::Trap;
use std::cell::{Cell, RefCell};
use std::ptr;

/// Credit for each suspect whose fate only a trace can tell, in words of tracing.
const CREDIT_OF_SUSPECT: usize = 64;
/// Credit for each allocation while there are such suspects.
const CREDIT_OF_ALLOCATION: usize = 16;
/// While code runs, this many suspects gather before a trace scans the stack for them.
const SUSPECTS_WHILE_RUNNING: usize = 256;

/// What a trace does with the references that it is shown.
pub trait Visitor {
    /// A reference to an object of the store, which is not null.
    fn object(&mut self, object: *const Object);
    /// The place of a reference to an object of the store's heap, of null, or of an `i31`. It is shown once.
    fn reference(&mut self, place: *mut u32);
}

/// A trace under way.
struct Tracer<'a> {
    store: &'a Store,
    /// Groups that are found reachable, but whose references are not yet followed.
    work: Vec<*const Group>,
    /// The copying of the heap's objects, if there is a heap.
    evacuation: Option<Evacuation<'a>>,
}

impl Visitor for Tracer<'_> {
    fn object(&mut self, object: *const Object) {
        mark(self.store, &mut self.work, object);
    }

    fn reference(&mut self, place: *mut u32) {
        if let Some(evacuation) = &mut self.evacuation {
            // SAFETY: the place is valid, and every object in the heap is whole where a trace may happen.
            unsafe { evacuation.forward_at(place) };
        }
    }
}

impl Tracer<'_> {
    /// Follows references until nothing new is found. Returns the words looked at.
    fn run(&mut self) -> usize {
        let mut words = 0;
        loop {
            while let Some(group) = self.work.pop() {
                // SAFETY: only groups of the store's list are marked.
                words += 8 + trace(unsafe { &*group }, self);
            }
            if let Some(evacuation) = &mut self.evacuation {
                let (store, work) = (self.store, &mut self.work);
                // SAFETY: as in `reference`.
                words += unsafe { evacuation.scan(&mut |object| mark(store, work, object)) };
            }
            if self.work.is_empty() {
                return words;
            }
        }
    }
}

/// Notes that an object is reachable.
fn mark(store: &Store, work: &mut Vec<*const Group>, object: *const Object) {
    // SAFETY: tables, globals, imports and objects of the heap refer to live objects only.
    let group = unsafe { &*(*object).group };
    if ptr::eq(group.store, store) && !group.marked.replace(true) {
        work.push(group);
    }
}

/// The collector's state in a store.
#[derive(Debug, Default)]
pub struct Collector {
    /// Set while finalizers run or a trace is under way.
    busy: Cell<bool>,
    suspects: RefCell<Vec<*const Group>>,
    /// Groups without handles that survived so far because they are leaked.
    dubious: Cell<usize>,
    credit: Cell<usize>,
    cost: Cell<usize>,
    patience: Cell<usize>,
}

impl Collector {
    /// Whether finalizers run or a trace is under way.
    pub fn is_busy(&self) -> bool {
        self.busy.get()
    }

    /// Whether a trace may find something that nobody reaches.
    pub fn has_candidates(&self) -> bool {
        self.dubious.get() > 0 || !self.suspects.borrow().is_empty()
    }

    /// Notes an allocation.
    pub fn allocated(&self) {
        if self.dubious.get() > 0 {
            self.credit.set(self.credit.get() + CREDIT_OF_ALLOCATION);
        }
    }

    /// Notes that only a trace can tell whether some group is reachable.
    fn doubt(&self) {
        self.dubious.set(self.dubious.get() + 1);
        self.credit.set(self.credit.get() + CREDIT_OF_SUSPECT);
    }

    /// Notes that `group` has no handles any more.
    pub fn suspect(&self, store: &Store, group: &Group) {
        if !group.suspect.replace(true) {
            self.suspects.borrow_mut().push(group);
        }
        store.attention.set(true);
    }
}

/// Decides about the suspects, as far as that is due.
pub fn settle(store: &Store) {
    let collector = &store.collector;
    if collector.busy.get() {
        return;
    }
    if store.is_running() {
        let count = collector.suspects.borrow().len();
        if count >= SUSPECTS_WHILE_RUNNING.max(collector.patience.get()) {
            collect(store);
            collector.patience.set(collector.suspects.borrow().len() * 2);
        }
        return;
    }
    store.attention.set(false);
    collector.patience.set(0);
    loop {
        let suspects = collector.suspects.take();
        if suspects.is_empty() {
            break;
        }
        let mut dead = Vec::new();
        for group in suspects {
            // SAFETY: a group on the list is alive: it is removed from it before it is freed.
            let g = unsafe { &*group };
            g.suspect.set(false);
            if g.has_handles() {
                continue;
            }
            if g.leaked() {
                collector.doubt();
            } else if g.pins.get() == 0 {
                dead.push(group);
            }
        }
        destroy(store, dead);
    }
    if collector.dubious.get() > 0 && collector.credit.get() >= collector.cost.get() {
        collect(store);
    }
}

/// Traces the store and destroys what cannot be reached. While code runs, its stack is scanned for references.
pub fn collect(store: &Store) {
    let collector = &store.collector;
    if collector.busy.get() {
        return;
    }
    let types = store.gc.types.borrow();
    let evacuation = match store.gc.heap().map(|heap| Evacuation::begin(heap, types.shapes())) {
        // Without memory for what survives nothing can be decided.
        Some(None) => return,
        evacuation => evacuation.flatten(),
    };
    collector.busy.set(true);
    let mut tracer = Tracer { store, work: Vec::new(), evacuation };
    each_group(store, |group| {
        group.suspect.set(false);
        group.marked.set(group.has_handles());
        if group.marked.get() {
            tracer.work.push(group);
        }
    });
    collector.suspects.borrow_mut().clear();
    store.gc.roots.each(&mut |place| tracer.reference(place));
    if store.is_running() {
        mark_from_stack(store, &mut tracer.work);
        // SAFETY: whoever allocates while code runs was called by it.
        unsafe { each_in_frames(store, &mut |place| tracer.reference(place)) };
    }
    // SAFETY: the tag of an exception on its way is alive, and so is what its values refer to.
    if let Some(tag) = unsafe { store.throwing.get().as_ref() } {
        tracer.object(&tag.object);
        // SAFETY: the values are there until the exception has its object.
        trace_values(tag.params(), unsafe { (*store.context()).payload }, &mut tracer);
    }
    let mut words = tracer.run();
    if let Some(evacuation) = tracer.evacuation {
        evacuation.finish();
    }
    drop(types);
    let mut dead = Vec::new();
    let mut survivors = 0;
    each_group(store, |group| {
        words += 1;
        if !group.marked.get() {
            dead.push(ptr::from_ref(group));
        } else if !group.has_handles() {
            if group.leaked() {
                survivors += 1;
            } else if group.pins.get() == 0 {
                // Only a word on the stack says that it is alive, which will soon be gone.
                collector.suspect(store, group);
            }
        }
    });
    collector.cost.set(words);
    collector.credit.set(0);
    collector.dubious.set(survivors);
    collector.busy.set(false);
    store.gc_resize(0);
    destroy(store, dead);
}

/// Whether a group that has lost its last handle can be freed at once, even while code runs: a box of a garbage-collected
/// object that WebAssembly never saw as an object of the host's, and that has no finalizer.
pub fn is_mere_box(group: &Group) -> bool {
    // SAFETY: the root lives as long as the group.
    let plain = || kind(group) == ObjectKind::Gc && unsafe { !(*group.root.get()).has_host_info() };
    !group.leaked() && group.pins.get() == 0 && !group.suspect.get() && !group.dying.get() && plain()
}

/// Frees such a group.
///
/// # Safety
/// [`is_mere_box`] says so, it has no handles, and nobody uses it any more.
pub unsafe fn free_box(store: &Store, group: *const Group) {
    // SAFETY: the caller's promise.
    unsafe {
        store.disown(&*group);
        free(group);
    }
}

/// Destroys everything in the store, reachable or not.
pub fn everything(store: &Store) {
    loop {
        let mut all = Vec::new();
        each_group(store, |group| all.push(ptr::from_ref(group)));
        if all.is_empty() {
            return;
        }
        destroy(store, all);
    }
}

fn each_group(store: &Store, mut visit: impl FnMut(&Group)) {
    let mut next = store.groups.get();
    // SAFETY: groups in the list are alive; `visit` frees none.
    while let Some(group) = unsafe { next.as_ref() } {
        next = group.next.get();
        visit(group);
    }
}

/// Finalizes and frees `dead`, and in turn what only they pinned.
fn destroy(store: &Store, mut dead: Vec<*const Group>) {
    let collector = &store.collector;
    if dead.is_empty() || collector.busy.replace(true) {
        return;
    }
    while !dead.is_empty() {
        each_of(&dead, |group| group.dying.set(true));
        each_of(&dead, finalize);
        let mut unpinned = Vec::new();
        each_of(&dead, |group| {
            each_pinned(group, |pinned| {
                let pins = pinned.pins.get() - 1;
                pinned.pins.set(pins);
                if pins == 0 && !pinned.has_handles() && !pinned.suspect.get() && !pinned.dying.get() {
                    unpinned.push(ptr::from_ref(pinned));
                }
            });
        });
        // SAFETY: groups on the list are alive, the dying ones included.
        collector.suspects.borrow_mut().retain(|suspect| unsafe { !(**suspect).dying.get() });
        for group in dead.drain(..) {
            // SAFETY: nothing reaches the group any more, and it is freed once.
            unsafe {
                store.disown(&*group);
                free(group);
            }
        }
        each_of(&unpinned, |group| {
            if group.leaked() {
                collector.doubt();
            } else {
                dead.push(group);
            }
        });
    }
    collector.busy.set(false);
}

/// Visits groups that are alive. Finalizers cannot free one while the collector is busy.
fn each_of(groups: &[*const Group], mut visit: impl FnMut(&Group)) {
    for group in groups {
        // SAFETY: the callers' lists hold live groups only.
        visit(unsafe { &**group });
    }
}

/// Frees an object that belongs to no store.
///
/// # Safety
/// The group's last handle is gone.
pub unsafe fn free_detached(group: *const Group) {
    // SAFETY: the caller's promise.
    unsafe {
        finalize(&*group);
        free(group);
    }
}

fn kind(group: &Group) -> ObjectKind {
    // SAFETY: a group's root lives as long as the group.
    unsafe { (*group.root.get()).kind }
}

fn instance(group: &Group) -> Option<&Instance> {
    // SAFETY: the kind says what the root is.
    (kind(group) == ObjectKind::Instance).then(|| unsafe { &*group.root.get().cast::<Instance>() })
}

/// Runs the finalizers of a group's objects.
fn finalize(group: &Group) {
    match instance(group) {
        Some(instance) => instance.each_object(|object| object.finalize()),
        // SAFETY: the root lives as long as the group.
        None => unsafe {
            (*group.root.get()).finalize();
            if kind(group) == ObjectKind::Func {
                func::finalize_env(group.root.get().cast());
            }
        },
    }
}

/// Visits the groups that the group pins, once for each time: an instance its imports, a trap the instances of its frames
/// and its exception.
fn each_pinned(group: &Group, visit: impl FnMut(&Group)) {
    if let Some(instance) = instance(group) {
        instance.each_import(visit);
    } else if kind(group) == ObjectKind::Trap {
        // SAFETY: the kind says what the root is.
        unsafe { (*group.root.get().cast::<Trap>()).each_pinned(visit) };
    }
}

/// Visits the references that objects of the group hold, outside of the group or not. Returns the words looked at.
fn trace(group: &Group, visitor: &mut dyn Visitor) -> usize {
    let root = group.root.get();
    each_pinned(group, |pinned| visitor.object(pinned.root.get()));
    match kind(group) {
        // SAFETY: the kind says what the root is.
        ObjectKind::Instance => unsafe { (*root.cast::<Instance>()).trace(visitor) },
        // SAFETY: the kind says what the root is.
        ObjectKind::Table => unsafe { (*root.cast::<Table>()).trace(visitor) },
        // SAFETY: as above.
        ObjectKind::Global => unsafe { (*root.cast::<HostGlobal>()).trace(visitor) },
        // SAFETY: as above.
        ObjectKind::Exception => unsafe { (*root.cast::<Exception>()).trace(visitor) },
        // SAFETY: as above.
        ObjectKind::Gc => unsafe { (*root.cast::<GcBox>()).trace(visitor) },
        ObjectKind::Func | ObjectKind::Memory | ObjectKind::Module => 0,
        ObjectKind::Trap | ObjectKind::Foreign | ObjectKind::Tag => 0,
    }
}

/// Frees a group and its objects.
///
/// # Safety
/// Nothing reaches them any more; finalizers have run.
unsafe fn free(group: *const Group) {
    // SAFETY: the kind says what was allocated; the caller promises that this is the only free.
    unsafe {
        let root = (*group).root.get().cast_mut();
        match kind(&*group) {
            ObjectKind::Instance => Instance::free(root.cast()),
            ObjectKind::Func => func::free_host(root.cast()),
            ObjectKind::Global => drop(Box::from_raw(root.cast::<Standalone<HostGlobal>>())),
            ObjectKind::Table => drop(Box::from_raw(root.cast::<Standalone<Table>>())),
            ObjectKind::Memory => drop(Box::from_raw(root.cast::<Standalone<Memory>>())),
            ObjectKind::Module => drop(Box::from_raw(root.cast::<Standalone<ModuleObject>>())),
            ObjectKind::Trap => drop(Box::from_raw(root.cast::<Standalone<Trap>>())),
            ObjectKind::Foreign => drop(Box::from_raw(root.cast::<Standalone<Foreign>>())),
            ObjectKind::Tag => drop(Box::from_raw(root.cast::<Standalone<Tag>>())),
            ObjectKind::Exception => drop(Box::from_raw(root.cast::<Standalone<Exception>>())),
            ObjectKind::Gc => drop(Box::from_raw(root.cast::<Standalone<GcBox>>())),
        }
    }
}

/// Marks every group that a word on the running stack may refer to.
#[inline(never)]
fn mark_from_stack(store: &Store, work: &mut Vec<*const Group>) {
    let mut places: Vec<(usize, usize, *const Group)> = Vec::new();
    each_group(store, |group| match instance(group) {
        Some(instance) => instance.each_allocation(|start, end| places.push((start, end, group))),
        None => {
            let start = group.root.get() as usize;
            places.push((start, start + 1, group));
        }
    });
    places.sort_unstable_by_key(|place| place.0);
    // Most words are nothing like an address of an object.
    let range = places.first().map_or(0, |place| place.0)..places.last().map_or(0, |place| place.1);
    let mut end = 0;
    // SAFETY: activations are alive while they are in the list, which the store's thread is reading.
    unsafe {
        let mut activation = (*store.context()).activation;
        while !activation.is_null() {
            end = (*activation).fp;
            activation = (*activation).previous;
        }
    }
    stack::with_registers_spilled(|sp| {
        let mut at = sp & !7;
        while at < end {
            // SAFETY: between the stack pointer and the outermost entry frame lies this thread's own stack.
            let word = unsafe { (at as *const usize).read_volatile() };
            let after = if range.contains(&word) { places.partition_point(|place| place.0 <= word) } else { 0 };
            if after > 0 {
                let (_, place_end, group) = places[after - 1];
                // SAFETY: groups of the list are alive.
                if word < place_end && !unsafe { (*group).marked.replace(true) } {
                    work.push(group);
                }
            }
            at += 8;
        }
    });
}
