//! Modules written down with their machine code, and read back (`wasm_module_serialize`). The container is
//! `module/serialize.rs`, the form of the code `compile/image.rs`; here the two meet the code memory.
//!
//! From a file (`deserialize_file`), nothing is read that is not needed: code and memories are mapped
//! (`module_image.rs`, `memory_image.rs`), and a function's facts are read when it is first called. The hash is checked
//! once for each file, as long as nobody changes it.
//!
//! What is read back is decoded and validated like any module. Its machine code is used only if the hash says that
//! nothing has changed since it was written, and the identity that it was written by the same version for the same
//! processor, settings and features; otherwise the functions are compiled when they are first called.

use crate::compile::code::Code;
use crate::compile::image::{self, Image, ImageError};
use crate::compile::isa_identity;
use crate::module::serialize::{self as container, Parts, SerializeError};
use crate::module::{Bytes, DataSegment, Module, ModuleFacts, SegmentMode};
use crate::runtime::code_memory::{self, CodeKind, CodeMeta, Part};
use crate::runtime::engine::{Engine, from_compile};
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::memory_image::{MemoryImage, MemoryImages};
use crate::runtime::module::{CompiledModule, from_module};
use crate::runtime::module_image::ModuleImage;
use crate::runtime::signature::no_code_memory;
use crate::runtime::sys::file_map::{FileIdentity, FileMap};
use crate::runtime::sys::vm;
use crate::runtime::tier;
use std::ffi::CStr;
use std::io;
use std::ops::Range;
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

/// What machine code depends on besides the module and the version: processor, settings, features, and the sources of the
/// code generator (`build.rs`).
fn identity(engine: &Engine) -> Result<String, Error> {
    let isa = isa_identity(engine.tunables()).map_err(from_compile)?;
    Ok(format!("{isa} {:?} generator {}", engine.config().features, env!("TENON_GENERATOR")))
}

/// The module as bytes. All functions are compiled for it.
pub fn serialize(module: &CompiledModule) -> Result<Vec<u8>, Error> {
    tier::compile_all(module)?;
    let blocks = module.blocks.lock().unwrap_or_else(PoisonError::into_inner);
    let mut codes: Vec<Option<Code>> = vec![None; module.module.bodies.len()];
    for meta in blocks.iter().flat_map(|block| block.metas()) {
        let CodeKind::Wasm { func, .. } = meta.kind else { continue };
        let Some(index) = module.module.defined_func(func) else { continue };
        // Where two threads compiled the same function, the table tells whose code is used.
        if module.code_table[index as usize].load(Ordering::Acquire) as usize == meta.start {
            codes[index as usize] = Some(code_of(meta));
        }
    }
    drop(blocks);
    let image = image::encode(codes.iter().map(Option::as_ref));
    drop(codes);
    let (memories, facts) = facts_of(module);
    let sections = [
        (container::CODE, &image.blob[..]),
        (container::TABLES, &image.tables[..]),
        (container::MEMORIES, &memories[..]),
        (container::FACTS, &facts.write()[..]),
        (container::BODIES, &write_bodies(&module.module.bodies)[..]),
    ];
    Ok(container::write(&module.module.bytes, identity(&module.engine)?.as_bytes(), &sections))
}

/// Placed code as the compiler made it.
fn code_of(meta: &CodeMeta) -> Code {
    // SAFETY: the block is alive, and placed code can be read where it is executed.
    let bytes = unsafe { std::slice::from_raw_parts(meta.start as *const u8, meta.len as usize) };
    Code {
        bytes: bytes.to_vec(),
        traps: meta.traps.to_vec(),
        positions: meta.positions.to_vec(),
        inlined: meta.inlined.to_vec(),
        vmctx_below_fp: meta.vmctx_below_fp,
        handlers: meta.handlers.to_vec(),
        frame_below_fp: meta.frame_below_fp,
        roots: meta.roots.to_vec(),
    }
}

/// The module of what `serialize` gave, for any engine.
pub fn deserialize(engine: &Arc<Engine>, bytes: &[u8]) -> Result<Arc<CompiledModule>, Error> {
    let parts = container::read(bytes, identity(engine)?.as_bytes()).map_err(from_container)?;
    from_parts(engine, &parts)
}

/// The module of a container whose bytes do not stay.
fn from_parts(engine: &Arc<Engine>, parts: &Parts<'_>) -> Result<Arc<CompiledModule>, Error> {
    let threads = tier::compile_threads();
    let module = Module::new(parts.wasm.into(), &engine.config().features, threads).map_err(from_module)?;
    let made = CompiledModule::bind_without_code(engine, module)?;
    if let (Some(blob), Some(tables)) = (parts.section(container::CODE), parts.section(container::TABLES)) {
        let image = Image::new(blob, tables).map_err(from_image)?;
        if image.len() as usize != made.module.bodies.len() {
            let (found, expected) = (image.len(), made.module.bodies.len());
            let message = format!("damaged serialized module: code of {found} functions instead of {expected}");
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        place(&made, blob, &image)?;
    }
    complete(made)
}

/// Gives code to the functions that must have some before they are called.
fn complete(made: Arc<CompiledModule>) -> Result<Arc<CompiledModule>, Error> {
    tier::compile_unlazy(&made)?;
    if made.engine.config().eager {
        tier::compile_all(&made)?;
    }
    Ok(made)
}

/// The module of a file that holds what `serialize` gave, for any engine.
pub fn deserialize_file(engine: &Arc<Engine>, path: &CStr) -> Result<Arc<CompiledModule>, Error> {
    let file = FileMap::open(path).map_err(|error| {
        let kind = if error.kind() == io::ErrorKind::OutOfMemory { ErrorKind::Memory } else { ErrorKind::Argument };
        Error::new(kind, format!("the file \"{}\" cannot be read: {error}", path.to_string_lossy()))
    })?;
    let file = Arc::new(file);
    let known = is_known(&file.identity());
    let parts = container::open(file.bytes(), identity(engine)?.as_bytes(), !known).map_err(from_container)?;
    if !known && file.identity().is_settled() {
        note(file.identity());
    }
    let place = |section: &[u8]| {
        let start = section.as_ptr() as usize - file.bytes().as_ptr() as usize;
        start..start + section.len()
    };
    let (Some(code), Some(tables), Some(memories), Some(facts), Some(bodies)) = (
        parts.section(container::CODE).map(place),
        parts.section(container::TABLES).map(place),
        parts.section(container::MEMORIES).map(place),
        parts.section(container::FACTS).and_then(Facts::read),
        parts.section(container::BODIES).and_then(read_bodies),
    ) else {
        return from_parts(engine, &parts);
    };
    let images = facts.images.as_ref().and_then(|images| images_in(&file, &memories, images));
    if !code.start.is_multiple_of(vm::page_size()) || images.is_none() && facts.spent_data > 0 {
        return from_parts(engine, &parts);
    }
    // SAFETY: the file stays mapped as long as its map lives; that it does not change is the caller's to see to.
    let wasm = unsafe { Bytes::kept_by(file.clone(), parts.wasm) };
    let Facts { tail_calls_out, objects, written_tables, spent_data, .. } = facts;
    let known = ModuleFacts { tail_calls_out, objects, written_tables, spent_data, bodies };
    let module = Module::trusted(wasm, &engine.config().features, known).map_err(from_module)?;
    let functions = module.functions.len() - module.imported_functions as usize;
    if module.bodies.len() != functions {
        let message = format!("damaged serialized module: {} bodies of {functions} functions", module.bodies.len());
        return Err(Error::new(ErrorKind::Damaged, message));
    }
    let made = CompiledModule::bind_without_code(engine, module)?;
    let _ = made.image.set(ModuleImage::new(file.clone(), code, tables, functions)?);
    if let Some(images) = images {
        let _ = made.images.set(Some(images));
    }
    complete(made)
}

/// Places the code of an image, and enters it in the code table.
fn place(module: &CompiledModule, blob: &[u8], image: &Image<'_>) -> Result<(), Error> {
    let mut parts = Vec::with_capacity(image.len() as usize);
    let mut placed = Vec::with_capacity(image.len() as usize);
    for index in 0..image.len() {
        let Some(range) = image.range(index).map_err(from_image)? else { continue };
        let Some(code) = image.function(index).map_err(from_image)? else { continue };
        let func = module.module.imported_functions + index;
        parts.push(Part {
            offset: range.start as u32,
            len: range.len() as u32,
            kind: CodeKind::Wasm { owner: ptr::from_ref(module).cast(), func },
            traps: code.traps.into(),
            positions: code.positions.into(),
            inlined: code.inlined.into(),
            vmctx_below_fp: code.vmctx_below_fp,
            handlers: code.handlers.into(),
            frame_below_fp: code.frame_below_fp,
            roots: code.roots.into(),
        });
        placed.push((index, range.start));
    }
    if parts.is_empty() {
        return Ok(());
    }
    if u32::try_from(blob.len()).is_err() {
        return Err(Error::new(ErrorKind::Limit, format!("{} bytes of machine code are too many", blob.len())));
    }
    let block = code_memory::place_image(blob, parts).map_err(no_code_memory)?;
    let start = block.address();
    let mut blocks = module.blocks.lock().unwrap_or_else(PoisonError::into_inner);
    blocks.push(block);
    for (index, offset) in placed {
        let code = start.wrapping_add(offset).cast_mut();
        module.enter(index, code);
    }
    Ok(())
}

/// Files whose hash was right.
static KNOWN: Mutex<Vec<FileIdentity>> = Mutex::new(Vec::new());

/// How many files are remembered.
const MOST_KNOWN: usize = 256;

fn is_known(file: &FileIdentity) -> bool {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).contains(file)
}

fn note(file: FileIdentity) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.push(file);
}

/// What is written down beside the code: 64-bit numbers.
struct Facts {
    /// As in [`ModuleFacts`].
    tail_calls_out: bool,
    /// As in [`ModuleFacts`].
    objects: bool,
    /// As in [`ModuleFacts`].
    written_tables: u32,
    /// As in [`ModuleFacts`].
    spent_data: u32,
    /// Of each defined memory, what its image is about, and where it begins in the section of memories. None if
    /// segments are to be run instead.
    images: Option<Vec<(Range<usize>, usize)>>,
}

/// The number of images that says that there are none.
const NO_IMAGES: u64 = u64::MAX;

impl Facts {
    /// The facts as bytes: flags, number of data segments left out, number of images, and start, end and place of each.
    fn write(&self) -> Vec<u8> {
        let count = self.images.as_ref().map_or(NO_IMAGES, |images| images.len() as u64);
        let flags = u64::from(self.tail_calls_out) | u64::from(self.objects) << 1 | u64::from(self.written_tables) << 2;
        let mut numbers = vec![flags, u64::from(self.spent_data), count];
        for (range, place) in self.images.iter().flatten() {
            numbers.extend([range.start as u64, range.end as u64, *place as u64]);
        }
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    /// What `write` gave, if it is that.
    fn read(section: &[u8]) -> Option<Facts> {
        let (numbers, rest) = section.as_chunks::<8>();
        let numbers: Vec<u64> = numbers.iter().map(|number| u64::from_le_bytes(*number)).collect();
        let (&[flags, spent, count], images) = numbers.split_first_chunk::<3>()?;
        let (images, more) = images.as_chunks::<3>();
        if flags >> 34 != 0 || !rest.is_empty() || !more.is_empty() {
            return None;
        }
        let image = |[start, end, place]: &[u64; 3]| {
            let range = usize::try_from(*start).ok()?..usize::try_from(*end).ok()?;
            (range.start <= range.end).then_some((range, usize::try_from(*place).ok()?))
        };
        let images = match count {
            NO_IMAGES => None,
            _ if count == images.len() as u64 => Some(images.iter().map(image).collect::<Option<_>>()?),
            _ => return None,
        };
        let (tail_calls_out, objects, written_tables) = (flags & 1 != 0, flags & 2 != 0, (flags >> 2) as u32);
        Some(Facts { tail_calls_out, objects, written_tables, spent_data: u32::try_from(spent).ok()?, images })
    }
}

/// The contents of the section of memories, and the facts.
fn facts_of(module: &CompiledModule) -> (Vec<u8>, Facts) {
    let mut memories = Vec::new();
    let images = module.memory_images().map(|images| {
        let place = |image: &Option<Arc<MemoryImage>>| {
            let place = memories.len();
            memories.extend_from_slice(image.as_ref().map_or(&[], |image| image.bytes()));
            (image.as_ref().map_or(0..0, |image| image.range()), place)
        };
        images.all().iter().map(place).collect()
    });
    let is_active = |segment: &DataSegment| !matches!(segment.mode, SegmentMode::Passive);
    let spent = images.is_some() && module.module.data.iter().all(is_active);
    let ModuleFacts { tail_calls_out, objects, written_tables, spent_data, .. } = module.module.facts(spent);
    (memories, Facts { tail_calls_out, objects, written_tables, spent_data, images })
}

/// Bodies as bytes: start and end of each in the module's, of 32 bits.
fn write_bodies(bodies: &[Range<u32>]) -> Vec<u8> {
    bodies.iter().flat_map(|body| [body.start, body.end]).flat_map(|number| number.to_le_bytes()).collect()
}

fn read_bodies(section: &[u8]) -> Option<Vec<Range<u32>>> {
    let (numbers, rest) = section.as_chunks::<4>();
    let (bodies, more) = numbers.as_chunks::<2>();
    let body = |[start, end]: &[[u8; 4]; 2]| u32::from_le_bytes(*start)..u32::from_le_bytes(*end);
    (rest.is_empty() && more.is_empty()).then(|| bodies.iter().map(body).collect())
}

/// The images in the section of memories, if they can be mapped from there.
fn images_in(file: &Arc<FileMap>, section: &Range<usize>, images: &[(Range<usize>, usize)]) -> Option<MemoryImages> {
    let in_file = |(range, place): &(Range<usize>, usize)| {
        (range.len() <= section.len().checked_sub(*place)?).then(|| (range.clone(), section.start + place))
    };
    MemoryImages::in_file(file, &images.iter().map(in_file).collect::<Option<Vec<_>>>()?)
}

fn from_container(error: SerializeError) -> Error {
    Error::new(ErrorKind::Damaged, error.to_string())
}

fn from_image(error: ImageError) -> Error {
    Error::new(ErrorKind::Damaged, error.to_string())
}
