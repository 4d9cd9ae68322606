//! Where all machine code of the process lives, and what is known of each piece of it.
//!
//! One region of address space, made at first use, is mapped twice from one anonymous file: once to write, once to
//! execute, never both at one address. Code is placed in granules of 64 bytes; a side table with a pointer for each
//! granule answers "whose code is this?" without a lock, so that a signal handler may ask.
//!
//! ```text
//! region   | island | lazy thunks, 16 bytes each | code, in granules ...                  |
//! table    |   -    |   -    -    -    -    -    | CodeMeta* per granule, null where free |
//! ```
//! A *lazy thunk* stands in a code table for a function that was never called: it loads the function's index and
//! goes, by way of the island, to the stub that compiles. Thunks know nothing of modules: all modules share them.
//!
//! A child of `fork` gets copies of its own of everything placed so far, because the file's pages would stay shared.

use crate::compile::code::{Code, Handler, Inlined, Position, Root, TrapSite, places_of};
use crate::runtime::sys::granules::Granules;
use crate::runtime::sys::memory_file::MemoryFile;
use crate::runtime::sys::valgrind;
use crate::runtime::sys::vm::{self, Protection};
use crate::runtime::trampoline;
use crate::trap::TrapCode;
use std::cell::UnsafeCell;
use std::io;
use std::mem::size_of;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Code begins at multiples of this.
pub const GRANULE: usize = 64;
/// Distance between the lazy thunks of consecutive functions.
pub const THUNK_SIZE: usize = 16;
/// Functions that have a lazy thunk: more than a module may have.
pub const MAX_THUNKS: u32 = 1 << 20;

/// Sizes that the region may have, the best first. Smaller ones serve processes whose address space is limited.
const REGION_SIZES: [usize; 3] = [1 << 30, 256 << 20, 64 << 20];
/// Where the thunks begin in the region.
const THUNKS_AT: usize = 4096;
/// Where code begins in the region.
const CODE_AT: usize = THUNKS_AT + MAX_THUNKS as usize * THUNK_SIZE;
/// Freed blocks of this size and more give their pages back to the system.
const PUNCH: usize = 64 << 10;
/// `int3`: what fills places that nothing may run to.
const FILL: u8 = 0xcc;

/// What a piece of code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeKind {
    /// A function of a module.
    Wasm {
        /// The compiled module that it belongs to.
        owner: *const (),
        /// Its index in the module, imported functions counted.
        func: u32,
    },
    /// An entry stub.
    EntryStub {
        /// Distance from its frame pointer down to its activation record.
        activation_below_fp: u32,
    },
    /// A host stub.
    HostStub,
    /// Anything else.
    Other,
}

/// What is known of a placed piece of code.
#[derive(Debug)]
pub struct CodeMeta {
    /// Address of its first byte.
    pub start: usize,
    /// Bytes.
    pub len: u32,
    /// What it is.
    pub kind: CodeKind,
    /// Its instructions that may trap, by ascending offset.
    pub traps: Box<[TrapSite]>,
    /// Which byte of the module its code stems from, by ascending offset.
    pub positions: Box<[Position]>,
    /// As in [`Code`].
    pub inlined: Box<[Inlined]>,
    /// Distance from its frame pointer down to where it keeps its vmctx, if it does.
    pub vmctx_below_fp: Option<u32>,
    /// What catches exceptions, as in [`Code`].
    pub handlers: Box<[Handler]>,
    /// As in [`Code`].
    pub frame_below_fp: u32,
    /// As in [`Code`].
    pub roots: Box<[Root]>,
}

// SAFETY: the owner of a Wasm kind is never followed here; whoever does so must know that it may be shared.
unsafe impl Send for CodeMeta {}
// SAFETY: as above; nothing changes once it is made.
unsafe impl Sync for CodeMeta {}

impl CodeMeta {
    /// Why the instruction at address `pc` may trap, if it is one that may.
    pub fn trap_at(&self, pc: usize) -> Option<TrapCode> {
        let offset = u32::try_from(pc.checked_sub(self.start)?).ok()?;
        let site = self.traps.binary_search_by_key(&offset, |site| site.offset).ok()?;
        Some(self.traps[site].code)
    }

    /// Where its frame keeps references while the call that returns to address `pc` is under way: distances from the frame
    /// pointer down.
    pub fn roots_at(&self, pc: usize) -> impl Iterator<Item = u32> + '_ {
        let call = pc.wrapping_sub(self.start);
        let first = self.roots.partition_point(|root| (root.call as usize) < call);
        let at_call = self.roots[first..].iter().take_while(move |root| root.call as usize == call);
        at_call.map(|root| root.below_fp)
    }

    /// Where in the module's bytes the instruction stands whose code holds address `pc`; if its function is inlined, then where the
    /// call of that stands, and so on outwards.
    pub fn places(&self, pc: usize) -> impl Iterator<Item = u32> + '_ {
        let position = || {
            let offset = u32::try_from(pc.checked_sub(self.start)?).ok()?;
            let after = self.positions.partition_point(|position| position.offset <= offset);
            Some(self.positions[after.checked_sub(1)?].module_offset)
        };
        position().into_iter().flat_map(|position| places_of(&self.inlined, position))
    }
}

/// One function of an image that is placed at once.
#[derive(Debug)]
pub struct Part {
    /// Where its code begins in the image: a multiple of [`GRANULE`].
    pub offset: u32,
    /// Bytes.
    pub len: u32,
    /// What it is.
    pub kind: CodeKind,
    /// As in [`CodeMeta`].
    pub traps: Box<[TrapSite]>,
    /// As in [`CodeMeta`].
    pub positions: Box<[Position]>,
    /// As in [`Code`].
    pub inlined: Box<[Inlined]>,
    /// As in [`CodeMeta`].
    pub vmctx_below_fp: Option<u32>,
    /// As in [`CodeMeta`].
    pub handlers: Box<[Handler]>,
    /// As in [`CodeMeta`].
    pub frame_below_fp: u32,
    /// As in [`CodeMeta`].
    pub roots: Box<[Root]>,
}

/// Placed code. Dropping it frees its place: nothing may run it or look it up any more by then.
#[derive(Debug)]
pub struct CodeBlock {
    /// First granule, from the region's beginning.
    first: u32,
    /// Granules.
    len: u32,
    /// Address of the first byte.
    address: usize,
    /// The parts, by ascending address.
    metas: Box<[CodeMeta]>,
    /// Whether the granules are part of a [`CodeMap`], which frees them.
    mapped: bool,
}

impl CodeBlock {
    /// Where the code can be executed.
    pub fn address(&self) -> *const u8 {
        self.address as *const u8
    }

    /// Its parts, in the order in which they were given.
    pub fn metas(&self) -> &[CodeMeta] {
        &self.metas
    }

    /// Bytes of code memory that it takes up.
    pub fn size(&self) -> usize {
        self.len as usize * GRANULE
    }
}

impl Drop for CodeBlock {
    fn drop(&mut self) {
        if let Ok(region) = region() {
            region.release(self);
        }
    }
}

/// Code of a file, mapped into the region: no part of it can be looked up before it is placed. Dropping it frees its
/// place; the blocks are to be dropped before.
#[derive(Debug)]
pub struct CodeMap {
    /// First granule, from the region's beginning.
    first: u32,
    /// Granules.
    len: u32,
    /// Where the code begins, from the region's beginning: at a page.
    offset: usize,
    /// Bytes, in whole pages.
    size: usize,
}

impl CodeMap {
    /// Maps `len` bytes of a file from `offset` on, which is a multiple of the system's page.
    pub fn new(file: libc::c_int, offset: usize, len: usize) -> io::Result<CodeMap> {
        region()?.map(file, offset, len)
    }

    /// Makes a part known that lies at its offset in the map.
    pub fn place(&self, part: Part) -> io::Result<CodeBlock> {
        if part.offset as usize + part.len as usize > self.size || !(part.offset as usize).is_multiple_of(GRANULE) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let region = region()?;
        let first = (self.offset / GRANULE) as u32 + part.offset / GRANULE as u32;
        let len = part.len.div_ceil(GRANULE as u32).max(1);
        let address = region.exec + self.offset + part.offset as usize;
        Ok(region.publish(first, len, address, vec![Part { offset: 0, ..part }], true))
    }
}

impl Drop for CodeMap {
    fn drop(&mut self) {
        if let Ok(region) = region() {
            region.unmap(self);
        }
    }
}

/// Places the code of one function or stub.
pub fn place(code: Code, kind: CodeKind) -> io::Result<CodeBlock> {
    let part = Part {
        offset: 0,
        len: u32::try_from(code.bytes.len()).map_err(|_| too_large(code.bytes.len()))?,
        kind,
        traps: code.traps.into(),
        positions: code.positions.into(),
        inlined: code.inlined.into(),
        vmctx_below_fp: code.vmctx_below_fp,
        handlers: code.handlers.into(),
        frame_below_fp: code.frame_below_fp,
        roots: code.roots.into(),
    };
    place_image(&code.bytes, vec![part])
}

/// Places the code of many functions as one block. The parts are given by ascending offset and do not overlap.
pub fn place_image(image: &[u8], parts: Vec<Part>) -> io::Result<CodeBlock> {
    let mut free_from = 0;
    for (i, part) in parts.iter().enumerate() {
        let end = part.offset as usize + part.len as usize;
        let offset = part.offset as usize;
        if !offset.is_multiple_of(GRANULE) || offset < free_from || end > image.len() {
            let message = format!("part {i} of a code image lies wrong: {} + {}", part.offset, part.len);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        free_from = end;
    }
    region()?.place(image, parts)
}

/// The code that holds address `pc`. For a return address ask for the byte before it: a call may be the last
/// instruction. Takes no lock and may be asked in a signal handler, about any address.
///
/// # Safety
/// If there is code at the address, its [`CodeBlock`] is not dropped while the result is in use.
pub unsafe fn lookup(pc: usize) -> Option<&'static CodeMeta> {
    let region = REGION.get()?;
    let offset = pc.wrapping_sub(region.exec);
    if offset >= region.size {
        return None;
    }
    let meta = region.entry(offset / GRANULE).load(Ordering::Acquire);
    // SAFETY: entries are null or point into blocks that have not been dropped; the caller keeps them so.
    let meta = unsafe { meta.as_ref() }?;
    (pc - meta.start < meta.len as usize).then_some(meta)
}

/// Makes the lazy thunks of the function indices below `count` usable, and returns the address of index 0's. The others
/// follow at distances of [`THUNK_SIZE`]. They live as long as the process.
pub fn lazy_thunks(count: u32) -> io::Result<*const u8> {
    let region = region()?;
    if count > region.thunks.load(Ordering::Acquire) {
        region.write_thunks(count)?;
    }
    Ok((region.exec + THUNKS_AT) as *const u8)
}

/// The lazy thunk of a function: reached by a call of it, it compiles the defined function with this index.
pub fn lazy_thunk(index: u32) -> io::Result<*const u8> {
    let base = lazy_thunks(index.saturating_add(1))?;
    Ok(base.wrapping_add(index as usize * THUNK_SIZE))
}

/// Whether an address is that of a lazy thunk.
pub fn is_thunk(code: *const u8) -> bool {
    match REGION.get() {
        Some(region) => (code as usize).wrapping_sub(region.exec + THUNKS_AT) < CODE_AT - THUNKS_AT,
        _ => false,
    }
}

/// Bytes of the region that are taken up by code, holes between blocks included.
pub fn used() -> usize {
    match REGION.get() {
        Some(region) => region.lock().granules.end() as usize * GRANULE - CODE_AT,
        _ => 0,
    }
}

fn too_large(len: usize) -> io::Error {
    io::Error::new(io::ErrorKind::OutOfMemory, format!("no code memory left for {len} bytes"))
}

struct Region {
    /// The mapping to execute.
    exec: usize,
    /// The mapping to write.
    write: usize,
    /// Bytes of each.
    size: usize,
    /// A pointer for each granule.
    table: *const AtomicPtr<CodeMeta>,
    /// How many thunks are written.
    thunks: AtomicU32,
    /// Held while places are taken or given and while anything is written.
    arena: Mutex<Arena>,
}

struct Arena {
    granules: Granules,
    /// What is mapped twice.
    file: MemoryFile,
    /// The process is a child of fork that could not copy the code: it may not write to what is its parent's.
    detached: bool,
}

// SAFETY: the table is an array of atomics that lives as long as the process.
unsafe impl Send for Region {}
// SAFETY: as above; everything else that changes is behind the lock.
unsafe impl Sync for Region {}

static REGION: OnceLock<Region> = OnceLock::new();

/// The region, made if there is none. What fails once may succeed later.
fn region() -> io::Result<&'static Region> {
    static MAKING: Mutex<()> = Mutex::new(());
    if let Some(region) = REGION.get() {
        return Ok(region);
    }
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    match REGION.get() {
        Some(region) => Ok(region),
        None => {
            let region = Region::new().map_err(|e| io::Error::new(e.kind(), format!("no code memory: {e}")))?;
            Ok(REGION.get_or_init(|| region))
        }
    }
}

fn code_file(size: usize) -> io::Result<MemoryFile> {
    MemoryFile::new(c"tenon code", size, true)
}

impl Region {
    fn new() -> io::Result<Region> {
        let mut error = io::Error::from(io::ErrorKind::OutOfMemory);
        for size in REGION_SIZES {
            match Region::with_size(size) {
                Ok(region) => {
                    let prepared = region.prepare();
                    if prepared.is_err() {
                        region.unmap_all();
                    }
                    return prepared.map(|()| region);
                }
                Err(e) => error = e,
            }
        }
        Err(error)
    }

    fn with_size(size: usize) -> io::Result<Region> {
        let table_len = size / GRANULE * size_of::<AtomicPtr<CodeMeta>>();
        let file = code_file(size)?;
        let exec = vm::map_file(file.descriptor(), size, Protection::ReadExecute)?;
        let rest = vm::map_file(file.descriptor(), size, Protection::ReadWrite).and_then(|write| {
            match vm::map(table_len, Protection::ReadWrite) {
                Ok(table) => Ok((write, table)),
                Err(e) => {
                    // SAFETY: it was mapped just now.
                    unsafe { vm::unmap(write, size) };
                    Err(e)
                }
            }
        });
        match rest {
            Ok((write, table)) => Ok(Region {
                exec: exec as usize,
                write: write as usize,
                size,
                table: table.cast(),
                thunks: AtomicU32::new(0),
                arena: Mutex::new(Arena {
                    granules: Granules::new((CODE_AT / GRANULE) as u32, (size / GRANULE) as u32),
                    file,
                    detached: false,
                }),
            }),
            Err(e) => {
                // SAFETY: it was mapped just now.
                unsafe { vm::unmap(exec, size) };
                Err(e)
            }
        }
    }

    /// Writes the island, and asks to be told of forks.
    fn prepare(&self) -> io::Result<()> {
        // jmp [rip + 0], followed by the address: the thunks' way to code that may be anywhere.
        let mut island = [0xff, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        island[6..].copy_from_slice(&(trampoline::lazy_compile as *const () as usize).to_le_bytes());
        // SAFETY: nobody else knows the region yet, and the island is below the thunks.
        unsafe {
            vm::populate(self.write as *mut u8, THUNKS_AT)?;
            self.fill(0, &island, THUNKS_AT);
        }
        // SAFETY: the handlers live as long as this library.
        let failed = unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(after_fork_in_child)) };
        if failed != 0 {
            return Err(io::Error::from_raw_os_error(failed));
        }
        Ok(())
    }

    /// Gives everything back. Nobody may know the region.
    fn unmap_all(&self) {
        // SAFETY: the mappings are the region's own, and nobody uses them.
        unsafe {
            vm::unmap(self.exec as *mut u8, self.size);
            vm::unmap(self.write as *mut u8, self.size);
            vm::unmap(self.table.cast_mut().cast(), self.size / GRANULE * size_of::<AtomicPtr<CodeMeta>>());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arena> {
        self.arena.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table's entry of a granule.
    fn entry(&self, granule: usize) -> &AtomicPtr<CodeMeta> {
        assert!(granule < self.size / GRANULE);
        // SAFETY: the table has an entry for each granule of the region, and all bit patterns of it are pointers.
        unsafe { &*self.table.add(granule) }
    }

    /// Writes `bytes` at `offset`, and what nobody may run to from there to `len`.
    ///
    /// # Safety
    /// The caller has the range for itself.
    unsafe fn fill(&self, offset: usize, bytes: &[u8], len: usize) {
        assert!(bytes.len() <= len && offset + len <= self.size);
        let to = (self.write + offset) as *mut u8;
        // SAFETY: inside of the writable mapping, which the caller has for itself.
        unsafe {
            ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
            to.add(bytes.len()).write_bytes(FILL, len - bytes.len());
        }
    }

    fn place(&self, image: &[u8], parts: Vec<Part>) -> io::Result<CodeBlock> {
        let len = u32::try_from(image.len().div_ceil(GRANULE).max(1)).map_err(|_| too_large(image.len()))?;
        let mut arena = self.lock();
        if arena.detached {
            return Err(io::Error::other("no code memory: it could not be copied when the process was forked"));
        }
        let first = arena.granules.take(len).ok_or_else(|| too_large(image.len()))?;
        let offset = first as usize * GRANULE;
        let size = len as usize * GRANULE;
        let pages = offset & !(vm::page_size() - 1)..vm::round_up(offset + size).unwrap_or(self.size);
        // SAFETY: the granules were free, so that nobody uses them. Populating disturbs no neighbours.
        unsafe {
            if let Err(e) = vm::populate((self.write + pages.start) as *mut u8, pages.len()) {
                arena.granules.give(first, len);
                return Err(e);
            }
            self.fill(offset, image, size);
        }
        drop(arena);
        // Other code may have been here. Processors of this architecture notice writes to what they have fetched by its
        // physical address; and before anybody comes here, a code pointer has to travel through memory.
        valgrind::discard_translations(self.exec + offset, size);
        Ok(self.publish(first, len, self.exec + offset, parts, false))
    }

    /// Makes code known that lies at an address.
    fn publish(&self, first: u32, len: u32, address: usize, parts: Vec<Part>, mapped: bool) -> CodeBlock {
        let metas = parts
            .into_iter()
            .map(|part| CodeMeta {
                start: address + part.offset as usize,
                len: part.len,
                kind: part.kind,
                traps: part.traps,
                positions: part.positions,
                inlined: part.inlined,
                vmctx_below_fp: part.vmctx_below_fp,
                handlers: part.handlers,
                frame_below_fp: part.frame_below_fp,
                roots: part.roots,
            })
            .collect();
        let block = CodeBlock { first, len, address, metas, mapped };
        for meta in &block.metas {
            let granule = (meta.start - self.exec) / GRANULE;
            for i in 0..(meta.len as usize).div_ceil(GRANULE) {
                self.entry(granule + i).store(ptr::from_ref(meta).cast_mut(), Ordering::Release);
            }
        }
        block
    }

    fn map(&self, file: libc::c_int, offset: usize, len: usize) -> io::Result<CodeMap> {
        let size = vm::round_up(len).ok_or_else(|| too_large(len))?;
        let page = vm::page_size();
        let granules = u32::try_from((size + page) / GRANULE).map_err(|_| too_large(len))?;
        let mut arena = self.lock();
        if arena.detached {
            return Err(io::Error::other("no code memory: it could not be copied when the process was forked"));
        }
        let first = arena.granules.take(granules).ok_or_else(|| too_large(len))?;
        let start = (first as usize * GRANULE).next_multiple_of(page);
        // SAFETY: the granules were free, so that nobody runs what is there.
        let mapped = unsafe { vm::map_code_over((self.exec + start) as *mut u8, file, offset, size, false) };
        if let Err(error) = mapped {
            arena.granules.give(first, granules);
            return Err(error);
        }
        drop(arena);
        valgrind::discard_translations(self.exec + start, size);
        Ok(CodeMap { first, len: granules, offset: start, size })
    }

    /// Puts the region's own memory back where a file was mapped.
    fn unmap(&self, map: &CodeMap) {
        let mut arena = self.lock();
        let at = (self.exec + map.offset) as *mut u8;
        let file = &arena.file;
        // SAFETY: the map is being dropped: nobody runs its code any more. If its place cannot be had back, it is lost.
        if file.is_open() && unsafe { vm::map_code_over(at, file.descriptor(), map.offset, map.size, true) }.is_ok() {
            arena.granules.give(map.first, map.len);
        }
    }

    fn release(&self, block: &mut CodeBlock) {
        for i in 0..block.len {
            self.entry((block.first + i) as usize).store(ptr::null_mut(), Ordering::Release);
        }
        if block.mapped {
            return;
        }
        let mut arena = self.lock();
        if arena.detached {
            return;
        }
        let offset = block.first as usize * GRANULE;
        let size = block.len as usize * GRANULE;
        let page = vm::page_size();
        let pages = offset.next_multiple_of(page)..(offset + size) & !(page - 1);
        // SAFETY: the block is being dropped: nobody runs its code any more, and nobody else has its granules yet.
        unsafe {
            if size >= PUNCH && vm::punch((self.write + pages.start) as *mut u8, pages.len()).is_ok() {
                self.fill(offset, &[], pages.start - offset);
                self.fill(pages.end, &[], offset + size - pages.end);
            } else {
                self.fill(offset, &[], size);
            }
        }
        arena.granules.give(block.first, block.len);
    }

    /// Writes thunks until there are `count`.
    fn write_thunks(&self, count: u32) -> io::Result<()> {
        if count > MAX_THUNKS {
            return Err(too_large(count as usize * THUNK_SIZE));
        }
        let arena = self.lock();
        let written = self.thunks.load(Ordering::Acquire);
        if count <= written {
            return Ok(());
        }
        if arena.detached {
            return Err(io::Error::other("no code memory: it could not be copied when the process was forked"));
        }
        // Whole pages of them, so that small modules that follow each other find theirs written.
        let count = count.next_multiple_of((4096 / THUNK_SIZE) as u32);
        let from = self.write + THUNKS_AT + written as usize * THUNK_SIZE;
        // SAFETY: the range is part of the writable mapping, and only the holder of the lock writes here.
        unsafe {
            vm::populate(from as *mut u8, (count - written) as usize * THUNK_SIZE)?;
            for index in written..count {
                let at = THUNKS_AT + index as usize * THUNK_SIZE;
                let jump = (at as u32 + 10).wrapping_neg();
                // mov eax, index; jmp island; int3 to the end.
                let low = 0xb8 | u64::from(index) << 8 | 0xe9 << 40 | u64::from(jump) << 48;
                let high = u64::from(jump) >> 16 | u64::from_le_bytes([0, 0, FILL, FILL, FILL, FILL, FILL, FILL]);
                ((self.write + at) as *mut [u64; 2]).write([low, high]);
            }
        }
        self.thunks.store(count, Ordering::Release);
        Ok(())
    }

    /// A copy of everything placed so far. The lock is held.
    fn copy(&self, arena: &Arena) -> io::Result<MemoryFile> {
        let file = code_file(self.size)?;
        let used = arena.granules.end() as usize * GRANULE;
        let copy = vm::map_file(file.descriptor(), used, Protection::ReadWrite)?;
        let thunks_end = THUNKS_AT + self.thunks.load(Ordering::Acquire) as usize * THUNK_SIZE;
        let mut result = Ok(());
        for range in [0..thunks_end, CODE_AT..used] {
            // SAFETY: the copy is new and only known here; nobody writes to the original without the lock.
            unsafe {
                result = result.and_then(|()| vm::populate(copy.add(range.start), range.len()));
                if result.is_ok() {
                    let from = (self.exec + range.start) as *const u8;
                    ptr::copy_nonoverlapping(from, copy.add(range.start), range.len());
                }
            }
        }
        // SAFETY: as above.
        unsafe { vm::unmap(copy, used) };
        result.map(|()| file)
    }

    /// Replaces what this process shares with its parent by the copy that was made before the fork.
    fn detach(&self, copy: &MemoryFile) -> io::Result<()> {
        // SAFETY: the copy has the same contents, and this is the only thread of the process.
        unsafe {
            vm::map_file_over(self.exec as *mut u8, copy.descriptor(), self.size, Protection::ReadExecute)?;
            vm::map_file_over(self.write as *mut u8, copy.descriptor(), self.size, Protection::ReadWrite)?;
        }
        Ok(())
    }
}

/// A fork that is under way.
struct Fork {
    arena: MutexGuard<'static, Arena>,
    /// What the child is to have. Made before: once both run, the parent may replace code that the child still needs.
    copy: Option<MemoryFile>,
}

struct Forking(UnsafeCell<Option<Fork>>);

// SAFETY: only the thread that has the region's lock uses it.
unsafe impl Sync for Forking {}

static FORKING: Forking = Forking(UnsafeCell::new(None));

extern "C" fn before_fork() {
    if let Some(region) = REGION.get() {
        let arena = region.lock();
        let copy = region.copy(&arena).ok();
        // SAFETY: this thread has the lock.
        unsafe { *FORKING.0.get() = Some(Fork { arena, copy }) };
    }
}

extern "C" fn after_fork() {
    // SAFETY: this thread has the lock, if `before_fork` took it; else nobody had anything to lock.
    drop(unsafe { (*FORKING.0.get()).take() });
}

extern "C" fn after_fork_in_child() {
    // SAFETY: as in `after_fork`; this is the child's only thread.
    let fork = unsafe { (*FORKING.0.get()).take() };
    if let (Some(mut fork), Some(region)) = (fork, REGION.get()) {
        match fork.copy {
            Some(copy) if region.detach(&copy).is_ok() => fork.arena.file = copy,
            _ => fork.arena.detached = true,
        }
    }
}

#[cfg(test)]
#[path = "code_memory_tests.rs"]
mod tests;
