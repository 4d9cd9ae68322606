//! A store (section 4.2.3): the objects of one thread of work, and the state of running code.
//!
//! **Threads.** A store is used by one thread at a time, and may move to another while nothing of it runs. Which
//! thread that is, is not asked of the system at each call: the store remembers the address range of the stack it was
//! last entered from. A stack pointer inside is the same thread; outside, the slow path finds out whether the stack is
//! exhausted, the store has moved, or two threads use it at once (an error).
//!
//! ```text
//!   stack.start                                                        stack.end
//!   |-- reserve for the host --|-------- WebAssembly may use --------|...
//!                              ^ stack_limit      ^ entry_low        ^ sp at the first entry
//! ```
//!
//! **Release from other threads.** Finalizer threads may drop handles at any time: they only count the release in
//! the group and queue it; the store's own thread subtracts it when it next enters the store or releases something. A closed
//! store has no thread of its own: whoever releases something subtracts it, in turns (`turn.rs`).
//!
//! **Life.** `wasm_store_delete` closes the store. What handles still reach stays usable until the last handle goes; then
//! everything is finalized and freed.

use crate::runtime::collect;
use crate::runtime::engine::Engine;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::gc;
use crate::runtime::growth::Watch;
use crate::runtime::lease::Lease;
use crate::runtime::object::Group;
use crate::runtime::owed_pages;
use crate::runtime::store_limits::StoreLimits;
use crate::runtime::sys::stack;
use crate::runtime::tag::Tag;
use crate::runtime::trampoline;
use crate::runtime::turn::Turns;
use crate::runtime::vmctx::{GlobalCell, StoreContext};
use std::cell::{Cell, UnsafeCell};
use std::ops::Range;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock};

/// A store. Always boxed; its address is its identity.
#[repr(C)]
#[derive(Debug)]
pub struct Store {
    /// What generated code sees. First, so that its address is the store's.
    context: UnsafeCell<StoreContext>,
    /// Stack pointers from here to `stack_high` may enter without further questions.
    entry_low: Cell<usize>,
    /// End of the stack that the store was last entered from.
    stack_high: Cell<usize>,
    /// Groups with deferred releases, linked through `next_queued`.
    queue: AtomicPtr<Group>,
    /// Whether something waits for the moment when no code of the store runs.
    pub(in crate::runtime) attention: Cell<bool>,
    stack: Cell<(usize, usize)>,
    engine: Lease<Engine>,
    /// Everything alive, newest first.
    pub(in crate::runtime) groups: Cell<*const Group>,
    /// How many groups there are.
    pub(in crate::runtime) group_count: Cell<usize>,
    /// Groups that have handles.
    rooted: Cell<usize>,
    /// State of the collector.
    pub(in crate::runtime) collector: collect::Collector,
    /// Garbage-collected objects.
    pub(in crate::runtime) gc: gc::state::State,
    /// What `StoreContext::payload` points to.
    payload: UnsafeCell<Vec<GlobalCell>>,
    /// While an exception is being made of the values in the payload cells: its tag. Else null.
    pub(in crate::runtime) throwing: Cell<*const Tag>,
    limits: StoreLimits,
    growth: Watch,
    closed: AtomicBool,
    /// Who does something about it now that it is closed, if somebody may.
    turns: OnceLock<Arc<Turns>>,
}

impl Store {
    /// A new store of `engine`.
    pub fn new(engine: &Arc<Engine>) -> *mut Store {
        Box::into_raw(Box::new(Store {
            context: UnsafeCell::new(StoreContext::new(trampoline::TRAMPOLINES.as_ptr())),
            entry_low: Cell::new(usize::MAX),
            stack_high: Cell::new(0),
            queue: AtomicPtr::new(ptr::null_mut()),
            attention: Cell::new(false),
            stack: Cell::new((0, 0)),
            engine: Lease::new(engine),
            groups: Cell::new(ptr::null()),
            group_count: Cell::new(0),
            rooted: Cell::new(0),
            collector: collect::Collector::default(),
            gc: gc::state::State::default(),
            payload: UnsafeCell::default(),
            throwing: Cell::new(ptr::null()),
            limits: StoreLimits::default(),
            growth: Watch::default(),
            closed: AtomicBool::new(false),
            turns: OnceLock::new(),
        }))
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// What the store may have, and has.
    pub fn limits(&self) -> &StoreLimits {
        &self.limits
    }

    /// Who has a say in growth.
    pub fn growth(&self) -> &Watch {
        &self.growth
    }

    /// What generated code sees of the store.
    #[inline]
    pub fn context(&self) -> *mut StoreContext {
        self.context.get()
    }

    /// Whether code of the store is running.
    pub fn is_running(&self) -> bool {
        // SAFETY: a plain read; a race with another thread is the misuse that callers look for.
        unsafe { !(*self.context()).activation.is_null() }
    }

    /// Whether the calling thread's stack pointer may enter without further questions.
    #[inline(always)]
    pub fn is_entered_from(&self, sp: usize) -> bool {
        sp >= self.entry_low.get() && sp < self.stack_high.get()
    }

    /// Makes sure that the calling thread may use the store now; moves an idle store to this thread.
    pub fn enter(&self) -> Result<(), Error> {
        let sp = stack::stack_pointer();
        if !self.is_entered_from(sp) {
            return self.enter_slowly(sp);
        }
        if self.has_deferred() {
            // SAFETY: the caller holds the store or something of it, so that it is not freed.
            unsafe { Store::settle(self) };
        }
        Ok(())
    }

    #[cold]
    fn enter_slowly(&self, sp: usize) -> Result<(), Error> {
        let (start, end) = self.stack.get();
        if self.is_running() {
            if sp < start || sp >= end {
                return Err(Error::new(ErrorKind::Thread, "the store is in use on another thread"));
            }
            // SAFETY: a plain read.
            if sp < unsafe { (*self.context()).stack_limit } {
                return Err(Error::new(ErrorKind::StackExhausted, "call stack exhausted"));
            }
            return Ok(());
        }
        if self.engine.defers_growth() {
            // It may have come to a thread that must not find owed pages.
            owed_pages::may_owe();
        }
        let range = stack::current_stack();
        let low = self.lowest(&range, sp);
        if sp < low + 4096 {
            return Err(Error::new(ErrorKind::StackExhausted, "call stack exhausted"));
        }
        self.stack.set((range.start, range.end));
        self.stack_high.set(range.end);
        self.entry_low.set(low + (sp - low) / 2);
        // SAFETY: nothing of the store runs, so nobody reads the context.
        unsafe { (*self.context()).stack_limit = low };
        self.drain();
        Ok(())
    }

    /// Forgets which stack the store was last entered from: the next entry looks anew. To be called when a store that does not
    /// run has moved to another thread, whose stack may lie where that of a thread that is gone did.
    pub fn forget_stack(&self) {
        if !self.is_running() {
            self.entry_low.set(usize::MAX);
            self.stack_high.set(0);
        }
    }

    /// The lowest address that code entered at `sp` may use: leaves the host a reserve.
    fn lowest(&self, range: &Range<usize>, sp: usize) -> usize {
        let size = range.end.saturating_sub(range.start);
        let reserve = (size / 8).max(64 << 10).min(size / 2);
        let floor = range.start + reserve;
        floor.max(sp.saturating_sub(self.engine.config().max_stack))
    }

    /// Whether the calling thread is the one that last entered, or nobody ever did.
    fn is_mine(&self) -> bool {
        let sp = stack::stack_pointer();
        let (start, end) = self.stack.get();
        (sp >= start && sp < end) || end == 0
    }

    /// To be called before a group is made: nothing that is half done may be seen by a trace.
    pub(in crate::runtime) fn before_allocation(&self) {
        if self.engine.config().collect_always {
            collect::collect(self);
        }
    }

    /// Enters a new group in the list. It has its first handle.
    pub(in crate::runtime) fn adopt(&self, group: &Group) {
        let head = self.groups.get();
        group.next.set(head);
        if !head.is_null() {
            // SAFETY: groups in the list are alive.
            unsafe { (*head).previous.set(group) };
        }
        self.groups.set(group);
        self.group_count.set(self.group_count.get() + 1);
        self.rooted(1);
        self.collector.allocated();
    }

    /// Takes a dying group out of the list.
    pub(in crate::runtime) fn disown(&self, group: &Group) {
        let (previous, next) = (group.previous.get(), group.next.get());
        // SAFETY: neighbours in the list are alive.
        unsafe {
            match previous.as_ref() {
                Some(p) => p.next.set(next),
                None => self.groups.set(next),
            }
            if let Some(n) = next.as_ref() {
                n.previous.set(previous);
            }
        }
        self.group_count.set(self.group_count.get() - 1);
    }

    /// Makes room for the values of exceptions that carry so many.
    pub(in crate::runtime) fn reserve_payload(&self, count: usize) {
        // SAFETY: only the store's thread is here, and no exception is on its way.
        unsafe {
            let payload = &mut *self.payload.get();
            if count > payload.len() {
                payload.resize(count, GlobalCell::default());
                (*self.context()).payload = payload.as_mut_ptr();
            }
        }
    }

    /// Gives up a handle to an object of `group`, which is leaked, but lets nothing die now.
    pub(in crate::runtime) fn unroot(&self, group: &Group) {
        if group.give_up(1) {
            self.lost_last_handle(group);
        }
    }

    /// Notes that `change` more groups have handles.
    pub(in crate::runtime) fn rooted(&self, change: isize) {
        self.rooted.set(self.rooted.get().wrapping_add_signed(change));
    }

    /// Gives up a handle to an object of `group`; see [`crate::runtime::object::release`].
    ///
    /// # Safety
    /// Both are alive, and the caller owns a handle to an object of the group.
    pub unsafe fn release(store: *const Store, group: *const Group) {
        // SAFETY: alive by the caller's promise.
        let (this, group) = unsafe { (&*store, &*group) };
        let (closed, running) = (this.closed.load(Ordering::Acquire), this.is_running());
        if !this.is_mine() || closed && !running {
            // The store may end as soon as the handle is given up.
            let turns = (closed && !running).then(|| this.turns());
            if group.defer() {
                this.enqueue(group);
            }
            if let Some(turns) = turns {
                // SAFETY: whoever ends the store says so to `turns`.
                turns.see_to(|| unsafe { Store::settle_now(store) });
            }
            return;
        }
        if group.give_up(1) {
            this.lost_last_handle(group);
        }
        // SAFETY: nothing below uses the store if it is freed.
        unsafe { Store::settle(store) };
    }

    fn enqueue(&self, group: &Group) {
        let new = ptr::from_ref(group).cast_mut();
        let mut head = self.queue.load(Ordering::Relaxed);
        loop {
            group.next_queued.store(head, Ordering::Relaxed);
            match self.queue.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Subtracts what other threads have released.
    fn drain(&self) {
        let mut group = self.queue.swap(ptr::null_mut(), Ordering::AcqRel);
        // SAFETY: a group with deferred releases has handles, so it is alive until they are subtracted here; its link is
        // read before they are taken, after which it may be queued again.
        while let Some(g) = unsafe { group.as_ref() } {
            group = g.next_queued.load(Ordering::Relaxed);
            let count = g.take_deferred();
            if count > 0 && g.give_up(count) {
                self.lost_last_handle(g);
            }
        }
    }

    fn lost_last_handle(&self, group: &Group) {
        self.rooted(-1);
        if collect::is_mere_box(group) {
            // SAFETY: its last handle is gone, and no caller uses the group again.
            unsafe { collect::free_box(self, group) };
            return;
        }
        self.collector.suspect(self, group);
    }

    /// Does what can be done now about groups that lost their last handle; frees a closed store that nobody holds.
    /// Call it when an object of the store may have become unreachable, and after the outermost activation ends.
    ///
    /// # Safety
    /// `store` is alive, and the calling thread may use it. It may be freed by this call.
    pub unsafe fn settle(store: *const Store) {
        // SAFETY: alive by the caller's promise.
        match unsafe { (*store).turns.get() } {
            None => {
                // SAFETY: the caller's promise; nobody else may do this.
                unsafe { Store::settle_now(store) };
            }
            // SAFETY: whoever ends the store says so to the turns.
            Some(turns) => turns.clone().see_to(|| unsafe { Store::settle_now(store) }),
        }
    }

    /// As [`Store::settle`], by the one whose turn it is. Returns whether the store was freed.
    ///
    /// # Safety
    /// As there; nobody else does this at the same time.
    unsafe fn settle_now(store: *const Store) -> bool {
        // SAFETY: alive by the caller's promise.
        let this = unsafe { &*store };
        this.drain();
        collect::settle(this);
        let ends = this.closed.load(Ordering::Acquire)
            && this.rooted.get() == 0
            && !this.is_running()
            && !this.collector.is_busy()
            && !this.growth.is_busy();
        if ends {
            collect::everything(this);
            // SAFETY: closed and without handles: nobody else knows the address.
            drop(unsafe { Box::from_raw(store.cast_mut()) });
        }
        ends
    }

    /// The turns, for a store that is closed or about to be.
    fn turns(&self) -> Arc<Turns> {
        self.turns.get_or_init(Arc::default).clone()
    }

    /// Whether other threads have released handles that are not yet subtracted.
    pub fn has_deferred(&self) -> bool {
        !self.queue.load(Ordering::Relaxed).is_null()
    }

    /// `wasm_store_delete`: closes the store. Objects with handles stay usable until those go.
    ///
    /// # Safety
    /// `store` is alive and not yet closed; the caller gives it up.
    pub unsafe fn close(store: *const Store) {
        // SAFETY: alive by the caller's promise.
        let this = unsafe { &*store };
        this.drain();
        // Where there are handles, others may release them as soon as the store is closed.
        let turns = (this.rooted.get() > 0).then(|| this.turns());
        this.closed.store(true, Ordering::Release);
        if this.is_running() {
            // A finalizer or callback deletes the store it runs in: the end of the outermost activation settles it.
            this.attention.set(true);
            return;
        }
        let Some(turns) = turns else {
            // SAFETY: alive until here; nobody else knows it.
            unsafe { Store::settle_now(store) };
            return;
        };
        turns.see_to(|| {
            // SAFETY: alive, as nobody was told that it has ended.
            let this = unsafe { &*store };
            if !this.collector.is_busy() {
                collect::collect(this);
            }
            // SAFETY: as above; it is this thread's turn.
            unsafe { Store::settle_now(store) }
        });
    }

    /// Ends the store with everything in it, whatever handles there are: they are not used again, not even to be released.
    ///
    /// # Safety
    /// `store` is alive, its code does not run, and nobody uses it or anything of it during this call or afterwards.
    pub unsafe fn destroy(store: *const Store) {
        // SAFETY: alive by the caller's promise.
        collect::everything(unsafe { &*store });
        // SAFETY: made by `new`; nobody uses the address any more.
        drop(unsafe { Box::from_raw(store.cast_mut()) });
    }
}
