//! Traps: why execution stopped and where. A `Trap` is what a `wasm_trap_t*` points to.

use crate::compile::returns_in_memory;
use crate::runtime::code_memory::{self, CodeKind};
use crate::runtime::exception::Exception;
use crate::runtime::instance::Instance;
use crate::runtime::module::CompiledModule;
use crate::runtime::object::{Group, Object, ObjectKind, Standalone, acquire, release};
use crate::runtime::store::Store;
use crate::runtime::unwind::{self, Start};
use crate::runtime::vmctx::{StoreContext, Vmctx};
use crate::trap::TrapCode;
use std::cell::RefCell;
use std::ptr;

/// The most frames that a trap keeps: the innermost ones.
pub const MAX_FRAMES: usize = 128;

/// A trap.
#[repr(C)]
#[derive(Debug)]
pub struct Trap {
    /// The header.
    pub object: Object,
    /// The reason.
    pub code: TrapCode,
    /// The message, without a final NUL.
    pub message: Vec<u8>,
    /// Pins the instances, as an import would.
    records: RefCell<Vec<Record>>,
    /// The exception that nobody caught, or null. Pinned likewise.
    exception: *const Exception,
}

/// A frame as a trap keeps it.
#[derive(Clone, Copy, Debug)]
struct Record {
    instance: *const Instance,
    func_index: u32,
    module_offset: usize,
    func_offset: usize,
}

impl Record {
    /// A function at a place in the module. Pins the instance.
    ///
    /// # Safety
    /// The instance is alive, and defines the function.
    unsafe fn new(instance: *const Instance, func_index: u32, module_offset: u32) -> Record {
        // SAFETY: as the caller says.
        let (group, module) = unsafe { (&(*instance).group, &(*instance).module().module) };
        group.pins.set(group.pins.get() + 1);
        let body = &module.bodies[(func_index - module.imported_functions) as usize];
        let func_offset = module_offset.saturating_sub(body.start) as usize;
        Record { instance, func_index, module_offset: module_offset as usize, func_offset }
    }
}

/// A function that was running, and where in it. Holds a handle to its instance.
#[derive(Debug)]
pub struct Frame {
    instance: *const Instance,
    /// Index in the module's function index space.
    pub func_index: u32,
    /// Byte offset in the module.
    pub module_offset: usize,
    /// Byte offset in the function's body.
    pub func_offset: usize,
}

impl Frame {
    /// The instance.
    pub fn instance(&self) -> *const Instance {
        self.instance
    }

    /// The function's name, if the module has a name section that gives one.
    pub fn func_name(&self) -> Option<&str> {
        // SAFETY: the frame holds a handle to the instance.
        unsafe { (*self.instance).module().module.name_of_function(self.func_index) }
    }

    /// The module's name, if it has a name section that gives one.
    pub fn module_name(&self) -> Option<&str> {
        // SAFETY: the frame holds a handle to the instance.
        unsafe { (*self.instance).module().module.name() }
    }
}

impl Clone for Frame {
    fn clone(&self) -> Frame {
        // SAFETY: the frame holds a handle to the instance.
        acquire(unsafe { &(*self.instance).object });
        Frame { ..*self }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: the frame owns a handle to the instance.
        unsafe { release(self.instance.cast()) };
    }
}

impl Trap {
    /// A trap with one handle and no frames. Without a store, for misuse of a store that cannot be touched.
    pub fn new(store: Option<&Store>, code: TrapCode, message: impl Into<Vec<u8>>) -> *mut Trap {
        Standalone::allocate(store, ObjectKind::Trap, Trap::maker(code, message.into()))
    }

    fn maker(code: TrapCode, message: Vec<u8>) -> impl FnOnce(Object) -> Trap {
        let code = code.public();
        move |object| Trap { object, code, message, records: RefCell::default(), exception: ptr::null() }
    }

    /// A trap that carries an exception, with one handle and no frames.
    pub fn of_exception(exception: &Exception) -> *mut Trap {
        let code = TrapCode::UncaughtException;
        let message = format!("{}: {}", code.message(), exception.tag().ty);
        // SAFETY: a store outlives its objects.
        let trap = Trap::new(unsafe { exception.object.store.as_ref() }, code, message);
        let group = exception.object.group();
        group.pins.set(group.pins.get() + 1);
        // SAFETY: just made, and known to nobody else.
        unsafe { (*trap).exception = exception };
        trap
    }

    /// The exception that nobody caught, if that is what the trap is about; else null. The trap keeps it alive.
    pub fn exception(&self) -> *const Exception {
        self.exception
    }

    /// The frames, innermost first.
    pub fn frames(&self) -> Vec<Frame> {
        let frame = |record: &Record| {
            let Record { instance, func_index, module_offset, func_offset } = *record;
            // SAFETY: the trap pins the instance.
            acquire(unsafe { &(*instance).object });
            Frame { instance, func_index, module_offset, func_offset }
        };
        self.records.borrow().iter().map(frame).collect()
    }

    /// Visits the groups that it pins: those of the instances in its frames, once for each frame, and of its exception.
    pub(in crate::runtime) fn each_pinned(&self, mut visit: impl FnMut(&Group)) {
        // SAFETY: the trap pins the exception.
        if let Some(exception) = unsafe { self.exception.as_ref() } {
            visit(exception.object.group());
        }
        for record in &*self.records.borrow() {
            // SAFETY: the trap pins the instance.
            visit(unsafe { &(*record.instance).group });
        }
    }

    /// Records the running frames, unless the trap has some already.
    fn capture(&self, store: *mut StoreContext, start: Start) {
        if !self.records.borrow().is_empty() {
            return;
        }
        let mut records = Vec::new();
        // SAFETY: the store's thread is here, below the frames that are walked.
        unsafe {
            unwind::walk(store, start, &mut |frame| {
                let (Some(vmctx), CodeKind::Wasm { func: func_index, .. }) = (frame.vmctx(), &frame.meta.kind) else {
                    return true;
                };
                let instance = (*vmctx).instance;
                let module = &(*instance).module().module;
                // A frame stands for several functions if some are inlined.
                let mut places = frame.places().peekable();
                if places.peek().is_none() {
                    records.push(Record::new(instance, *func_index, 0));
                }
                for place in places.take(MAX_FRAMES - records.len()) {
                    let func_index = module.function_at(place).unwrap_or(*func_index);
                    records.push(Record::new(instance, func_index, place));
                }
                records.len() < MAX_FRAMES
            });
        }
        *self.records.borrow_mut() = records;
    }
}

/// The store that a context is the beginning of.
///
/// # Safety
/// `context` is the context of a live store.
pub unsafe fn store_of<'a>(context: *mut StoreContext) -> &'a Store {
    // SAFETY: the context is a store's first field.
    unsafe { &*context.cast::<Store>() }
}

/// Sets the store's trap to a new one with the frames that run now, left through `exit_fp`.
///
/// # Safety
/// `context` is the context of a live store whose code called the runtime on this thread.
pub unsafe fn set_trap(context: *mut StoreContext, code: TrapCode, message: impl Into<Vec<u8>>) {
    // SAFETY: the caller's promise.
    unsafe {
        let trap = Trap::new(Some(store_of(context)), code, message);
        (*trap).capture(context, Start::Exit);
        (*context).trap = trap;
    }
}

/// Sets the store's trap to one that a host function returned. The frames are recorded if it has none.
///
/// # Safety
/// As [`set_trap`]; the caller owns a handle to `trap` and gives it up.
pub unsafe fn set_host_trap(context: *mut StoreContext, trap: *mut Trap) {
    // SAFETY: the caller's promise. A trap of no store, or of another one, cannot hold frames of this.
    unsafe {
        if ptr::eq((*trap).object.store, store_of(context)) {
            (*trap).capture(context, Start::Exit);
        }
        (*context).trap = trap;
    }
}

/// Sets the store's trap to one that carries an exception which nobody catches.
///
/// # Safety
/// As [`set_trap`]; the exception is alive and of the store.
pub unsafe fn raise_uncaught(context: *mut StoreContext, exception: *const Exception) {
    // SAFETY: the caller's promise.
    unsafe {
        let trap = Trap::of_exception(&*exception);
        (*trap).capture(context, Start::Exit);
        (*context).trap = trap;
    }
}

/// Records a trap that was found by a hardware fault: called by the fault trampoline, which raises it afterwards.
///
/// # Safety
/// `context` is the context of the store whose code faulted at `pc` in the frame `fp`, on this thread. `first`
/// and `second` are what the first two argument registers held.
pub unsafe extern "C" fn raise_fault(
    context: *mut StoreContext,
    pc: usize,
    fp: usize,
    code: u32,
    first: *mut Vmctx,
    second: *mut Vmctx,
) {
    let code = TrapCode::from_u8(code as u8).unwrap_or(TrapCode::Host);
    // SAFETY: the caller's promise.
    unsafe {
        let vmctx = match code {
            // Found in the prologue, before the frame keeps the vmctx: it is still where the caller put it.
            TrapCode::CallStackExhausted if returns_in_memory_at(pc) => second,
            TrapCode::CallStackExhausted => first,
            _ => ptr::null_mut(),
        };
        // Nothing may be collected: frames are looked through from where WebAssembly was left, and it was not.
        let make = Trap::maker(code, code.message().into());
        let trap = Standalone::allocate_quietly(Some(store_of(context)), ObjectKind::Trap, make);
        (*trap).capture(context, Start::Fault { pc, fp, vmctx });
        (*context).trap = trap;
    }
}

/// Whether the function at `pc` gets the address of a place for its results before its vmctx.
///
/// # Safety
/// The code at `pc` is running.
unsafe fn returns_in_memory_at(pc: usize) -> bool {
    // SAFETY: code that is running is alive, and so is the module that owns it.
    unsafe {
        match code_memory::lookup(pc).map(|meta| &meta.kind) {
            Some(CodeKind::Wasm { owner, func }) => {
                returns_in_memory((*owner.cast::<CompiledModule>()).module.func_type(*func))
            }
            _ => false,
        }
    }
}
