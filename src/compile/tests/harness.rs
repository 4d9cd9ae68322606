//! A runtime as small as can be: one instance, all functions compiled beforehand, structures laid out by hand after
//! `layout.rs`, traps raised by a jump to the entry stub's landing, from helpers and from a signal handler.

#![allow(clippy::vec_box, reason = "the addresses are given to generated code")]

use super::heap::Heap;
use crate::compile::builtin::{BUILTINS, Builtin};
use crate::compile::code::{Code, EntryCode, Handler, places_of};
use crate::compile::layout::*;
use crate::compile::optimizing::Effort;
use crate::compile::{Compiler, Tunables, stubs};
use crate::config::{Features, Optimization};
use crate::module::const_expr::constant;
use crate::module::{ConstOp, ElementItems, ExternKind, Module, SegmentMode};
use crate::trap::TrapCode;
use crate::types::FuncType;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Once};

/// How functions are compiled.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    pub tunables: Tunables,
    forced: Option<(Effort, bool)>,
}

/// As the real runtime is by default.
pub const SIGNALS: Mode = Mode {
    tunables: Tunables {
        signals: true,
        guarded_memories: true,
        guard: 64 << 20,
        fixed_bases: true,
        optimization: Optimization::Speed,
    },
    forced: None,
};
/// Signals, but memories that need checks.
pub const CHECKED: Mode = Mode {
    tunables: Tunables {
        signals: true,
        guarded_memories: false,
        guard: 0,
        fixed_bases: false,
        optimization: Optimization::Speed,
    },
    forced: None,
};
/// No signals.
pub const NO_SIGNALS: Mode = Mode {
    tunables: Tunables {
        signals: false,
        guarded_memories: false,
        guard: 0,
        fixed_bases: false,
        optimization: Optimization::Speed,
    },
    forced: None,
};
/// What else only functions of absurd size go through.
const LITTLE: Mode = Mode { forced: Some((Effort::Little, true)), ..NO_SIGNALS };
const LEAST: Mode = Mode { forced: Some((Effort::Least, false)), ..SIGNALS };
/// Nothing is inlined.
pub const APART: Mode =
    Mode { tunables: Tunables { optimization: Optimization::Little, ..SIGNALS.tunables }, ..SIGNALS };
/// Those for functions of sane size.
pub const USUAL: [Mode; 3] = [SIGNALS, CHECKED, NO_SIGNALS];
/// All of them.
pub const ALL: [Mode; 6] = [SIGNALS, CHECKED, NO_SIGNALS, LITTLE, LEAST, APART];

/// A `wasm_val_t`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Val {
    pub kind: u64,
    pub of: u64,
}

pub fn i32v(value: i32) -> Val {
    Val { kind: 0, of: u64::from(value as u32) }
}

pub fn i64v(value: i64) -> Val {
    Val { kind: 1, of: value as u64 }
}

pub fn f32v(value: f32) -> Val {
    Val { kind: 2, of: u64::from(value.to_bits()) }
}

pub fn f64v(value: f64) -> Val {
    Val { kind: 3, of: value.to_bits() }
}

/// How a call ended.
pub type Outcome = Result<Vec<Val>, TrapCode>;

/// The words of a `Func`: up to its type id, callback and environment.
const FUNC_WORDS: usize = 13;
/// Behind the store's words that the layout knows.
const STORE_WORDS: usize = 24;
const STORE_FAKE: usize = 20;

/// An instance that runs.
pub struct Fake {
    pub module: Module,
    pub codes: Vec<Code>,
    pub store: Box<[u64; STORE_WORDS]>,
    pub vmctx: Vec<u128>,
    pub layout: VmctxLayout,
    /// One for each function of the index space.
    pub funcs: Vec<Box<[u64; FUNC_WORDS]>>,
    pub memories: Vec<Box<[u64; 2]>>,
    pub tables: Vec<Table>,
    /// What helpers were called, with all their arguments but the vmctx.
    pub helpers: Vec<(Builtin, Vec<u64>)>,
    /// The functions on the stack at the last helper call or trap, innermost first, as defined functions, each with the
    /// offset in its code at which it stopped.
    pub trace: Vec<(usize, u32)>,
    pub trap: Option<TrapCode>,
    pub raised_host_trap: u64,
    pub limit: u64,
    pub heap: Heap,
    /// Exceptions that somebody wanted a reference to. Laid out as `Exception`: tag and payload behind a header.
    pub exceptions: Vec<Box<[u64; 6]>>,
    /// Only their addresses matter. Imported ones of one type are one tag.
    tags: Vec<Box<u64>>,
    payloads: Vec<Vec<u128>>,
    code_table: Vec<u64>,
    _type_ids: Vec<u32>,
    slots: Vec<Box<u64>>,
    text: Text,
    tunables: Tunables,
    entries: HashMap<FuncType, Entry>,
    starts: Vec<(usize, usize)>,
}

pub struct Table {
    pub elements: Vec<u64>,
    _def: Box<[u64; 2]>,
}

/// Executable memory.
struct Text {
    base: *mut u8,
    size: usize,
    used: usize,
}

/// A placed entry stub, as `EntryStub`.
#[repr(C)]
struct Entry {
    code: u64,
    landing: u64,
    frame_below_fp: u32,
    activation_below_fp: u32,
    raw: Option<Box<Entry>>,
}

impl Text {
    fn new(size: usize) -> Text {
        let all = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new mapping.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), size, all, flags, -1, 0) };
        assert_ne!(base, libc::MAP_FAILED);
        Text { base: base.cast(), size, used: 0 }
    }

    fn place(&mut self, bytes: &[u8]) -> u64 {
        self.used = self.used.next_multiple_of(64);
        assert!(self.used + bytes.len() <= self.size);
        // SAFETY: within the mapping.
        unsafe {
            let at = self.base.add(self.used);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len());
            self.used += bytes.len();
            at as u64
        }
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: the mapping is not used any more.
        unsafe { libc::munmap(self.base.cast(), self.size) };
    }
}

thread_local! {
    /// The instance whose code runs, for the signal handler.
    static RUNNING: Cell<*mut Fake> = const { Cell::new(std::ptr::null_mut()) };
}

const RESERVATION: usize = (4 << 30) + (64 << 20);

/// A module from its text.
pub fn module(wat: &str) -> Module {
    let bytes = crate::text::translate(wat.as_bytes()).unwrap_or_else(|e| panic!("{e}"));
    let bytes: Arc<[u8]> = bytes.into();
    let features = Features { legacy_exceptions: true, ..Features::ALL };
    Module::new(bytes, &features, 1).unwrap_or_else(|e| panic!("{e}"))
}

/// Code of a host function, for the imports of an instance.
pub struct Host {
    pub callback: u64,
    pub env: Option<u64>,
}

impl Fake {
    pub fn new(wat: &str, mode: &Mode) -> Box<Fake> {
        Fake::with_imports(wat, mode, &[])
    }

    /// An instance whose imported functions are these.
    pub fn with_imports(wat: &str, mode: &Mode, hosts: &[Host]) -> Box<Fake> {
        install_handler();
        let module = module(wat);
        let mut compiler = Compiler::new(&mode.tunables).unwrap();
        compiler.forced = mode.forced;
        let layout = VmctxLayout::new(&module);
        let mut text = Text::new(64 << 20);
        let mut codes = Vec::new();
        let mut starts = Vec::new();
        for func in module.imported_functions..module.functions.len() as u32 {
            let code = compiler.function(&module, func).unwrap_or_else(|e| panic!("function {func}: {e}"));
            let start = text.place(&code.bytes) as usize;
            starts.push((start, start + code.bytes.len()));
            codes.push(code);
        }
        let mut code_table: Vec<u64> = starts.iter().map(|(start, _)| *start as u64).collect();
        for entry in module.constant_elements() {
            let code = |func: u32| code_table[(func - module.imported_functions) as usize];
            let words = entry.map_or([0, u64::from(NO_ENTRY)], |entry| [code(entry.func), u64::from(entry.ty)]);
            code_table.extend(words);
        }
        let type_ids: Vec<u32> = (0..module.types.len())
            .map(|i| 100 + module.types.iter().position(|t| *t == module.types[i]).unwrap() as u32)
            .collect();
        let mut fake = Box::new(Fake {
            codes,
            store: Box::new([0; STORE_WORDS]),
            vmctx: vec![0; layout.size().div_ceil(16) as usize],
            layout,
            funcs: Vec::new(),
            memories: Vec::new(),
            tables: Vec::new(),
            helpers: Vec::new(),
            trace: Vec::new(),
            trap: None,
            raised_host_trap: 0,
            limit: 0,
            heap: Heap::new(&module, &type_ids),
            exceptions: Vec::new(),
            tags: Vec::new(),
            payloads: vec![vec![0; 64]],
            code_table,
            _type_ids: type_ids,
            slots: Vec::new(),
            text,
            tunables: mode.tunables,
            entries: HashMap::new(),
            starts,
            module,
        });
        fake.link(&mut compiler, hosts);
        fake
    }

    fn link(&mut self, compiler: &mut Compiler, hosts: &[Host]) {
        let fake = &raw mut *self as u64;
        self.store[STORE_FAKE] = fake;
        self.store[STORE_BUILTINS as usize / 8] = helper_table() as u64;
        let store = self.store.as_ptr() as u64;
        let vmctx = self.vmctx.as_ptr() as u64;
        assert_eq!(hosts.len(), self.module.imported_functions as usize);
        for func in 0..self.module.functions.len() as u32 {
            let ty = self.module.functions[func as usize];
            let mut object = Box::new([0u64; FUNC_WORDS]);
            object[0] = store;
            object[FUNC_TYPE_ID as usize / 8] = u64::from(self._type_ids[ty as usize]);
            match self.module.defined_func(func) {
                Some(defined) => {
                    object[FUNC_SLOT as usize / 8] = &raw const self.code_table[defined as usize] as u64;
                    object[FUNC_VMCTX as usize / 8] = vmctx;
                }
                None => {
                    let host = &hosts[func as usize];
                    let ty = self.module.func_type(func);
                    let code = stubs::host_stub(compiler, ty, host.env.is_some()).unwrap();
                    let slot = Box::new(self.text.place(&code.bytes));
                    object[FUNC_SLOT as usize / 8] = &raw const *slot as u64;
                    object[FUNC_VMCTX as usize / 8] = object.as_ptr() as u64;
                    object[FUNC_CALLBACK as usize / 8] = host.callback;
                    object[FUNC_ENV as usize / 8] = host.env.unwrap_or(0);
                    self.slots.push(slot);
                }
            }
            self.funcs.push(object);
        }
        for (offset, value) in [
            (VMCTX_STORE, store),
            (VMCTX_BUILTINS, helper_table() as u64),
            (VMCTX_CODE_TABLE, self.code_table.as_ptr() as u64),
            (VMCTX_TYPE_IDS, self._type_ids.as_ptr() as u64),
            (VMCTX_INSTANCE, fake),
        ] {
            self.set_word(offset, value);
        }
        self.store[STORE_PAYLOAD as usize / 8] = self.payloads[0].as_ptr() as u64;
        self.heap.enter(&mut *self.store);
        for tag in 0..self.module.tags.len() {
            self.tags.push(Box::new(0));
            let ty = self.module.tag_type(tag as u32);
            let same = (0..tag).find(|other| self.module.tag_type(*other as u32) == ty);
            let object = if tag < self.module.imported_tags as usize { same.unwrap_or(tag) } else { tag };
            let address = &raw const *self.tags[object] as u64;
            self.set_word(self.layout.tag(tag as u32), address);
        }
        for func in 0..self.module.imported_functions {
            let (at, object) = (self.layout.imported_function(func), &self.funcs[func as usize]);
            let (slot, callee) = (object[FUNC_SLOT as usize / 8], object[FUNC_VMCTX as usize / 8]);
            let object = object.as_ptr() as u64;
            self.set_word(at + IMPORT_FUNC_SLOT, slot);
            self.set_word(at + IMPORT_FUNC_VMCTX, callee);
            self.set_word(at + IMPORT_FUNC_FUNC, object);
        }
        for memory in 0..self.module.memories.len() {
            let ty = self.module.memories[memory];
            let length = (ty.limits.min << ty.page_size_log2) as usize;
            // SAFETY: a new mapping.
            let base = unsafe {
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
                let base = libc::mmap(std::ptr::null_mut(), RESERVATION, libc::PROT_NONE, flags, -1, 0);
                assert_ne!(base, libc::MAP_FAILED);
                assert_eq!(libc::mprotect(base, length, libc::PROT_READ | libc::PROT_WRITE), 0);
                base as u64
            };
            let def = Box::new([base, length as u64]);
            let at = self.layout.memory(memory as u32);
            // A base that may move is not to be read from here.
            let fixed = if self.tunables.has_fixed_base(&self.module.memories[memory]) { base } else { 8 };
            self.set_word(at + MEMORY_BASE, fixed);
            self.set_word(at + MEMORY_DEF, def.as_ptr() as u64);
            self.memories.push(def);
        }
        for table in 0..self.module.tables.len() {
            let elements = vec![0u64; self.module.tables[table].limits.min as usize];
            let def = Box::new([elements.as_ptr() as u64, elements.len() as u64]);
            self.set_word(self.layout.table(table as u32), def.as_ptr() as u64);
            self.tables.push(Table { elements, _def: def });
        }
        self.init();
    }

    /// Active element segments of plain functions, lazily; data segments; globals of one constant.
    fn init(&mut self) {
        for segment in &self.module.elements {
            let SegmentMode::Active { index, offset } = &segment.mode else { continue };
            let offset = constant(offset).expect("a constant offset");
            let ElementItems::Functions(functions) = &segment.items else { panic!("plain functions") };
            for (i, func) in functions.iter().enumerate() {
                self.tables[*index as usize].elements[offset as usize + i] = u64::from(*func) << 1 | 1;
            }
        }
        for segment in &self.module.data {
            let SegmentMode::Active { index, offset } = &segment.mode else { continue };
            let [ConstOp::I32Const(offset)] = offset[..] else { panic!("a constant offset") };
            let bytes = &self.module.bytes[segment.range.start as usize..segment.range.end as usize];
            // SAFETY: the tests' segments fit.
            unsafe {
                let at = (self.memories[*index as usize][0] as *mut u8).add(offset as usize);
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), at, bytes.len());
            }
        }
        for (i, init) in self.module.global_inits.iter().enumerate() {
            let bits = match init[..] {
                [ConstOp::I32Const(v)] => u64::from(v as u32),
                [ConstOp::I64Const(v)] => v as u64,
                [ConstOp::F32Const(v)] => u64::from(v),
                [ConstOp::F64Const(v)] => v,
                [ConstOp::RefNull] => 0,
                _ => panic!("one constant"),
            };
            let at = self.layout.defined_global(self.module.imported_globals + i as u32);
            self.vmctx[at as usize / 16] = u128::from(bits);
        }
    }

    pub fn set_word(&mut self, offset: u32, value: u64) {
        // SAFETY: offsets are those of the layout.
        unsafe { *self.vmctx.as_mut_ptr().cast::<u64>().add(offset as usize / 8) = value };
    }

    /// The index of an exported function.
    pub fn export(&self, name: &str) -> u32 {
        let export = self.module.exports.iter().find(|e| e.name == name && e.kind == ExternKind::Func);
        export.unwrap_or_else(|| panic!("no function {name}")).index
    }

    fn entry(&mut self, ty: &FuncType) -> *const Entry {
        if !self.entries.contains_key(ty) {
            let mut compiler = Compiler::new(&self.tunables).unwrap();
            let mut placed = self.place_entry(&stubs::entry_stub(&mut compiler, ty).unwrap());
            placed.raw = Some(Box::new(self.place_entry(&stubs::raw_entry_stub(&mut compiler, ty).unwrap())));
            self.entries.insert(ty.clone(), placed);
        }
        &raw const self.entries[ty]
    }

    fn place_entry(&mut self, code: &EntryCode) -> Entry {
        let at = self.text.place(&code.code.bytes);
        Entry {
            code: at,
            landing: at + u64::from(code.landing),
            frame_below_fp: code.frame_below_fp,
            activation_below_fp: code.activation_below_fp,
            raw: None,
        }
    }

    /// Calls an exported function.
    pub fn call(&mut self, name: &str, args: &[Val]) -> Outcome {
        let func = self.export(name);
        let ty = self.module.func_type(func).clone();
        let mut results = vec![Val { kind: 0xaaaa_aaaa_aaaa_aa00, of: 0xbbbb_bbbb_bbbb_bbbb }; ty.results().len()];
        match self.enter(func, args.as_ptr().cast(), results.as_mut_ptr().cast(), false) {
            STATUS_OK => {
                // Only the kind's byte is the stub's to write.
                Ok(results.iter().map(|v| Val { kind: v.kind & 0xff, of: v.of }).collect())
            }
            STATUS_TRAP => Err(self.trap.take().expect("a trap is set")),
            status => panic!("argument {} has the wrong kind", status - STATUS_KIND),
        }
    }

    /// Calls a function through its entry stub, by raw pointers.
    pub fn enter(&mut self, func: u32, args: *const u8, results: *mut u8, raw: bool) -> u32 {
        type Stub = unsafe extern "C" fn(*const u64, *mut u64, *const u8, *mut u8, *const Entry) -> u32;
        let ty = self.module.func_type(func).clone();
        let mut entry = self.entry(&ty);
        // SAFETY: the stubs follow the layout; the entry is boxed or in the map until the call is over.
        unsafe {
            if raw {
                entry = &raw const **(*entry).raw.as_ref().unwrap();
            }
            let stub: Stub = std::mem::transmute((*entry).code);
            let outer = RUNNING.replace(&raw mut *self);
            let here = &raw const outer as u64;
            if self.limit == 0 {
                self.store[STORE_STACK_LIMIT as usize / 8] = here - (512 << 10);
            } else {
                self.store[STORE_STACK_LIMIT as usize / 8] = self.limit;
            }
            let before = (self.store[STORE_ACTIVATION as usize / 8], self.store[STORE_EXIT_FP as usize / 8]);
            let func = self.funcs[func as usize].as_ptr();
            let status = call_preserving(stub as usize as u64, func, self.store.as_mut_ptr(), args, results, entry);
            let after = (self.store[STORE_ACTIVATION as usize / 8], self.store[STORE_EXIT_FP as usize / 8]);
            assert_eq!(before, after, "the activation is undone");
            RUNNING.set(outer);
            status
        }
    }

    /// Bytes of a memory.
    pub fn memory(&mut self, memory: usize) -> &mut [u8] {
        let [base, length] = *self.memories[memory];
        // SAFETY: so long is the accessible part.
        unsafe { std::slice::from_raw_parts_mut(base as *mut u8, length as usize) }
    }

    /// The functions on the stack at the last trap, innermost first, each with the opcode of the operator it was at.
    pub fn stopped_at(&self) -> Vec<(usize, u8)> {
        let mut stops = Vec::new();
        for (func, offset) in &self.trace {
            let Code { positions, inlined, .. } = &self.codes[*func];
            let at = positions.partition_point(|p| p.offset <= *offset);
            for place in places_of(inlined, positions[at - 1].module_offset) {
                let func = self.module.function_at(place).expect("it is the place of an operator");
                stops.push((func as usize, self.module.bytes[place as usize]));
            }
        }
        stops
    }

    /// The function and the offset in its code of an address.
    fn find(&self, pc: usize) -> Option<(usize, u32)> {
        let at = self.starts.iter().position(|(start, end)| (*start..*end).contains(&pc))?;
        Some((at, (pc - self.starts[at].0) as u32))
    }

    /// The places of references: in frames from `fp` on, in globals and tables, and among values of exceptions.
    pub fn roots(&mut self, mut fp: u64, mut pc: u64) -> Vec<*mut u32> {
        let mut places = Vec::new();
        let activation = self.store[STORE_ACTIVATION as usize / 8];
        // SAFETY: frames of this thread, up to the entry stub's.
        unsafe {
            let end = *((activation + u64::from(ACTIVATION_FP)) as *const u64);
            while fp != end {
                if let Some((func, offset)) = self.find(pc as usize - 1) {
                    let roots = self.codes[func].roots.iter().filter(|root| root.call == offset + 1);
                    let below_fp = roots.flat_map(|root| root.places());
                    places.extend(below_fp.map(|below| (fp - u64::from(below)) as *mut u32));
                }
                pc = *((fp + 8) as *const u64);
                fp = *(fp as *const u64);
            }
        }
        let any = Some(crate::types::Hierarchy::Any);
        for (i, global) in self.module.globals.iter().enumerate().filter(|(_, g)| g.content.hierarchy() == any) {
            assert!(!global.content.is_ref() || i >= self.module.imported_globals as usize);
            let at = self.layout.defined_global(i as u32) as usize / 16;
            places.push((&raw mut self.vmctx[at]).cast());
        }
        for (i, table) in self.tables.iter_mut().enumerate() {
            if self.module.tables[i].element.heap.hierarchy() == crate::types::Hierarchy::Any {
                places.extend(table.elements.iter_mut().map(|element| (&raw mut *element).cast::<u32>()));
            }
        }
        places
    }

    /// Walks the frames from `fp` and checks that each that belongs to a function holds the vmctx. Only the innermost must;
    /// others may leave it to the frame of the function that they called.
    fn frames(&mut self, mut fp: u64, mut pc: u64) {
        self.trace.clear();
        let activation = self.store[STORE_ACTIVATION as usize / 8];
        // SAFETY: frames of this thread, up to the entry stub's.
        unsafe {
            let end = *((activation + u64::from(ACTIVATION_FP)) as *const u64);
            while fp != end {
                if let Some((func, offset)) = self.find(pc as usize - 1) {
                    let below = self.codes[func].vmctx_below_fp;
                    assert!(below.is_some() || !self.trace.is_empty(), "the innermost frame keeps its vmctx");
                    if let Some(below) = below {
                        assert_eq!(*((fp - u64::from(below)) as *const u64), self.vmctx.as_ptr() as u64);
                    }
                    self.trace.push((func, offset));
                }
                pc = *((fp + 8) as *const u64);
                fp = *(fp as *const u64);
            }
        }
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        for def in &self.memories {
            // SAFETY: the mapping is not used any more.
            unsafe { libc::munmap(def[0] as *mut _, RESERVATION) };
        }
    }
}

/// Calls an entry stub and checks that it preserves what the C convention says, whichever way it returns.
unsafe fn call_preserving(
    stub: u64,
    func: *const u64,
    store: *mut u64,
    args: *const u8,
    results: *mut u8,
    entry: *const Entry,
) -> u32 {
    let mut saved = [stub, func as u64, store as u64, args as u64, results as u64, entry as u64, 0, 0];
    // SAFETY: saves and restores what it changes.
    unsafe {
        std::arch::asm!(
            "push rbx",
            "push rbp",
            "push r12",
            "push r13",
            "push r14",
            "push r15",
            "push rax",
            "push rax",
            "mov rbx, 0x1111", "mov rbp, 0x2222", "mov r12, 0x3333", "mov r13, 0x4444", "mov r14, 0x5555",
            "mov r15, 0x6666",
            "mov r10, [rax]", "mov rdi, [rax + 8]", "mov rsi, [rax + 16]", "mov rdx, [rax + 24]",
            "mov rcx, [rax + 32]", "mov r8, [rax + 40]",
            "call r10",
            "pop rcx",
            "pop rcx",
            "mov [rcx + 48], rax",
            "xor rdx, rdx",
            "cmp rbx, 0x1111", "setne dl", "add dh, dl",
            "cmp rbp, 0x2222", "setne dl", "add dh, dl",
            "cmp r12, 0x3333", "setne dl", "add dh, dl",
            "cmp r13, 0x4444", "setne dl", "add dh, dl",
            "cmp r14, 0x5555", "setne dl", "add dh, dl",
            "cmp r15, 0x6666", "setne dl", "add dh, dl",
            "mov [rcx + 56], rdx",
            "pop r15",
            "pop r14",
            "pop r13",
            "pop r12",
            "pop rbp",
            "pop rbx",
            inout("rax") saved.as_mut_ptr() => _,
            clobber_abi("C"),
        );
    }
    assert_eq!(saved[7] >> 8, 0, "registers are preserved");
    saved[6] as u32
}

/// Raises a trap: everything but frame and stack pointer is garbage where it lands.
#[unsafe(naked)]
unsafe extern "C" fn land(fp: u64, sp: u64, landing: u64) -> ! {
    std::arch::naked_asm!(
        "mov rbp, rdi",
        "mov rsp, rsi",
        "mov rax, rdx",
        "mov rbx, -1",
        "mov rcx, -1",
        "mov rdx, -1",
        "mov rsi, -1",
        "mov rdi, -1",
        "mov r8, -1",
        "mov r9, -1",
        "mov r10, -1",
        "mov r11, -1",
        "mov r12, -1",
        "mov r13, -1",
        "mov r14, -1",
        "mov r15, -1",
        "jmp rax",
    )
}

/// Goes on where an exception is caught: everything but what it gets is garbage there.
#[unsafe(naked)]
unsafe extern "C" fn land_caught(fp: u64, sp: u64, landing: u64, payload: u64, exception: u64) -> ! {
    std::arch::naked_asm!(
        "mov rbp, rdi",
        "mov rsp, rsi",
        "mov r11, rdx",
        "mov rax, rcx",
        "mov rdx, r8",
        "mov rbx, -1",
        "mov rcx, -1",
        "mov rsi, -1",
        "mov rdi, -1",
        "mov r8, -1",
        "mov r9, -1",
        "mov r10, -1",
        "mov r12, -1",
        "mov r13, -1",
        "mov r14, -1",
        "mov r15, -1",
        "pcmpeqd xmm0, xmm0",
        "movaps xmm1, xmm0",
        "movaps xmm2, xmm0",
        "movaps xmm3, xmm0",
        "movaps xmm4, xmm0",
        "movaps xmm15, xmm0",
        "jmp r11",
    )
}

/// Where a trap of a store lands: frame pointer, stack pointer, landing.
unsafe fn landing(store: *const u64) -> (u64, u64, u64) {
    // SAFETY: an activation is running.
    unsafe {
        let activation = *store.add(STORE_ACTIVATION as usize / 8) as *const u64;
        let fp = *activation.add(ACTIVATION_FP as usize / 8);
        let stub = *activation.add(ACTIVATION_STUB as usize / 8) as *const Entry;
        assert_eq!(*activation.add(ACTIVATION_STORE as usize / 8), store as u64);
        assert_eq!(activation as u64, fp - u64::from((*stub).activation_below_fp));
        (fp, fp - u64::from((*stub).frame_below_fp), (*stub).landing)
    }
}

fn install_handler() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: installs a handler that only touches its own thread's state.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handler as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
            for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE] {
                assert_eq!(libc::sigaction(signal, &action, std::ptr::null_mut()), 0);
            }
        }
    });
}

unsafe extern "C" fn handler(signal: i32, _: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel's context; the instance runs on this thread.
    unsafe {
        let registers = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        let pc = registers[libc::REG_RIP as usize] as usize;
        let fake = RUNNING.get();
        let found = if fake.is_null() { None } else { (*fake).find(pc) };
        let site = found.and_then(|(func, offset)| {
            let code = &(&(*fake).codes)[func];
            code.traps.iter().find(|t| t.offset == offset).copied()
        });
        let Some(site) = site else {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &action, std::ptr::null_mut());
            return;
        };
        assert!((*fake).tunables.signals, "no signals are wanted");
        if site.code != TrapCode::CallStackExhausted {
            let fp = registers[libc::REG_RBP as usize] as u64;
            (*fake).frames(fp, pc as u64 + 1);
        }
        (*fake).trap = Some(site.code);
        let (fp, sp, landing) = landing((*fake).store.as_ptr());
        #[allow(clippy::needless_range_loop, reason = "the number is part of the message")]
        for register in 0..16 {
            registers[register] = -1;
        }
        registers[libc::REG_RBP as usize] = fp as i64;
        registers[libc::REG_RSP as usize] = sp as i64;
        registers[libc::REG_RIP as usize] = landing as i64;
    }
}

/// The table of helpers. Each is a thunk that passes its frame pointer, its return address and its number on.
fn helper_table() -> *const u64 {
    static ONCE: Once = Once::new();
    static mut TABLE: [u64; BUILTINS.len()] = [0; BUILTINS.len()];
    ONCE.call_once(|| {
        let mut text = Text::new(4096);
        let table = &raw mut TABLE;
        for i in 0..BUILTINS.len() {
            let mut bytes = vec![0xb8];
            bytes.extend((i as u32).to_le_bytes()); // mov eax, i
            bytes.extend([0x49, 0xbb]); // mov r11, thunk
            bytes.extend((helper_thunk as *const () as u64).to_le_bytes());
            bytes.extend([0x41, 0xff, 0xe3]); // jmp r11
            // SAFETY: once, before any use.
            unsafe { (*table)[i] = text.place(&bytes) };
        }
        std::mem::forget(text);
    });
    (&raw const TABLE).cast()
}

#[unsafe(naked)]
unsafe extern "C" fn helper_thunk() {
    std::arch::naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, 64",
        "mov [rsp], rdi",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], rcx",
        "mov [rsp + 32], r8",
        "mov [rsp + 40], r9",
        "mov rdi, rax",
        "mov rsi, rsp",
        "mov rdx, [rbp]",
        "mov rcx, [rbp + 8]",
        "call {helper}",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
        helper = sym helper,
    )
}

unsafe extern "C" fn helper(number: u32, args: *const u64, fp: u64, pc: u64) -> u64 {
    // SAFETY: generated code calls helpers as their signatures say.
    unsafe {
        let store = *(*args as *const *mut u64);
        let fake = *store.add(STORE_FAKE) as *mut Fake;
        let signature = &BUILTINS[number as usize];
        let builtin: Builtin = std::mem::transmute(number);
        let args: Vec<u64> = (0..signature.params.len())
            .map(|i| match signature.params[i] {
                crate::compile::builtin::BuiltinType::I32 => *args.add(i) & 0xffff_ffff,
                crate::compile::builtin::BuiltinType::I64 => *args.add(i),
            })
            .collect();
        assert_eq!(fp % 16, 0, "the stack is aligned");
        (*fake).frames(fp, pc);
        (*fake).helpers.push((builtin, args[1..].to_vec()));
        match builtin {
            Builtin::raise_trap => (*fake).raise(TrapCode::from_u8(args[1] as u8).unwrap()),
            Builtin::raise_host_trap => {
                (*fake).raised_host_trap = args[1];
                (*fake).raise(TrapCode::Host)
            }
            Builtin::raise_uninitialized => (*fake).raise(TrapCode::UninitializedElement),
            Builtin::func_type_matches => 0,
            Builtin::throw => (*fake).throw(args[1], 0, fp, pc),
            Builtin::throw_ref => {
                let exception = args[1] as *const u64;
                (*fake).throw(*exception.add(EXCEPTION_TAG as usize / 8), args[1], fp, pc)
            }
            Builtin::exception_new => (*fake).new_exception(args[1]),
            Builtin::gc_alloc => (*fake).allocate(args[1], args[2], args[3], fp, pc),
            Builtin::array_copy => {
                std::ptr::copy(args[2] as *const u8, args[1] as *mut u8, args[3] as usize);
                0
            }
            Builtin::memory_grow => (*fake).grow_memory(args[1] as usize, args[2]),
            Builtin::table_get_lazy => {
                let (table, index) = (args[1] as usize, args[2] as usize);
                let func = (&(*fake).tables)[table].elements[index] >> 1;
                let func = (&(*fake).funcs)[func as usize].as_ptr() as u64;
                (&mut (*fake).tables)[table].elements[index] = func;
                func
            }
            Builtin::ref_func => (&(*fake).funcs)[args[1] as usize].as_ptr() as u64,
            _ => 0x1_0000_002a,
        }
    }
}

impl Fake {
    unsafe fn raise(&mut self, code: TrapCode) -> ! {
        self.trap = Some(code);
        // SAFETY: called from a helper, above an activation; nothing between has to be dropped.
        unsafe {
            let (fp, sp, landing) = landing(self.store.as_ptr());
            land(fp, sp, landing)
        }
    }

    fn new_exception(&mut self, tag: u64) -> u64 {
        let payload = self.payloads[0].clone();
        let mut exception = Box::new([0; 6]);
        exception[EXCEPTION_TAG as usize / 8] = tag;
        exception[EXCEPTION_PAYLOAD as usize / 8] = payload.as_ptr() as u64;
        self.payloads.push(payload);
        self.exceptions.push(exception);
        self.exceptions.last().unwrap().as_ptr() as u64
    }

    /// Goes to the innermost handler, as the runtime does.
    unsafe fn throw(&mut self, tag: u64, exception: u64, mut fp: u64, mut pc: u64) -> ! {
        let activation = self.store[STORE_ACTIVATION as usize / 8];
        // SAFETY: frames of this thread, up to the entry stub's.
        unsafe {
            let end = *((activation + u64::from(ACTIVATION_FP)) as *const u64);
            while fp != end {
                if let Some((func, offset)) = self.find(pc as usize - 1) {
                    let code = &self.codes[func];
                    let matches = |handler: &&Handler| {
                        let word = |offset: u32| *self.vmctx.as_ptr().cast::<u64>().add(offset as usize / 8);
                        handler.call == offset + 1 && handler.clause.tag.is_none_or(|at| word(at) == tag)
                    };
                    if let Some(handler) = code.handlers.iter().find(matches) {
                        let landing = self.starts[func].0 as u64 + u64::from(handler.landing);
                        let (sp, by_ref) = (fp - u64::from(code.frame_below_fp), handler.clause.by_ref);
                        let exception = if by_ref && exception == 0 { self.new_exception(tag) } else { exception };
                        let payload = match exception as *const u64 {
                            none if none.is_null() => self.store[STORE_PAYLOAD as usize / 8],
                            exception => *exception.add(EXCEPTION_PAYLOAD as usize / 8),
                        };
                        land_caught(fp, sp, landing, payload, if by_ref { exception } else { u64::MAX });
                    }
                }
                pc = *((fp + 8) as *const u64);
                fp = *(fp as *const u64);
            }
            self.raise(TrapCode::UncaughtException)
        }
    }

    fn grow_memory(&mut self, memory: usize, delta: u64) -> u64 {
        let [base, length] = *self.memories[memory];
        let ty = self.module.memories[memory];
        let old = length >> ty.page_size_log2;
        let max = ty.limits.max.unwrap_or(65536);
        if old + delta > max {
            return u64::MAX;
        }
        let new = (old + delta) << ty.page_size_log2;
        // SAFETY: within the reservation.
        let done = unsafe { libc::mprotect(base as *mut _, new as usize, libc::PROT_READ | libc::PROT_WRITE) };
        assert_eq!(done, 0);
        self.memories[memory][1] = new;
        old
    }
}

/// Whether two outcomes are the same, but for the bits of NaNs.
pub fn same(a: &Outcome, b: &Outcome) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => a.iter().zip(b).all(|(a, b)| {
            let nan32 = |v: &Val| v.kind == 2 && f32::from_bits(v.of as u32).is_nan() && v.of >> 32 == 0;
            let nan64 = |v: &Val| v.kind == 3 && f64::from_bits(v.of).is_nan();
            a == b || nan32(a) && nan32(b) || nan64(a) && nan64(b)
        }),
        (a, b) => a == b,
    }
}
