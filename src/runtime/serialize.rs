//! Modules written down with their machine code, and read back (`wasm_module_serialize`). The container is
//! `module/serialize.rs`, the form of the code `compile/image.rs`; here the two meet the code memory.
//!
//! Nothing is read that is not needed: code and memories are mapped (`module_image.rs`, `memory_image.rs`), from the file
//! (`deserialize_file`), or from one without a name that the bytes are copied to; a function's facts are read when it is first
//! called. What is used is checked before, and once for each file, as long as nobody changes it (`module/seal.rs`).
//!
//! The module is valid, as it was when it was written and is undamaged; only what declares things is decoded. Its machine code is
//! used only if the identity says that it was written by the same version for the same processor, settings and
//! features; otherwise the module is validated, and its functions are compiled when they are first called.

use crate::compile::code::Code;
use crate::compile::image;
use crate::compile::isa_identity;
use crate::module::helpers::available_threads;
use crate::module::seal::Checked;
use crate::module::serialize::{self as container, Container, SerializeError};
use crate::module::{Bytes, DataSegment, Module, ModuleFacts, SegmentMode};
use crate::runtime::code_memory::{CodeKind, CodeMeta};
use crate::runtime::engine::{Engine, from_compile};
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::memory_image::{MemoryImage, MemoryImages};
use crate::runtime::module::{CompiledModule, from_module};
use crate::runtime::module_image::ModuleImage;
use crate::runtime::sys::file_map::{FileIdentity, FileMap};
use crate::runtime::tier;
use std::ffi::CStr;
use std::io;
use std::ops::Range;
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
    let wasm = &module.module.bytes;
    if !wasm.check(0..wasm.len()) {
        return Err(from_container(container::MISMATCH));
    }
    Ok(container::write(wasm, identity(&module.engine)?.as_bytes(), &sections))
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

/// From so many bytes on they are copied to a file without a name, so that code and memories are mapped from there.
const MAPPED: usize = 256 << 10;

/// Up to so many bytes are checked as a whole when they are loaded.
const CHECKED_AT_ONCE: usize = 1 << 20;

/// The module of what `serialize` gave, for any engine. The bytes are copied.
pub fn deserialize(engine: &Arc<Engine>, bytes: &[u8]) -> Result<Arc<CompiledModule>, Error> {
    if !container::is_serialized(bytes) {
        return Err(from_container(SerializeError::NotSerialized));
    }
    let file = if bytes.len() < MAPPED { None } else { FileMap::copy_of(c"tenon module", bytes).ok().map(Arc::new) };
    let bytes = match &file {
        Some(file) => bytes_in(file),
        None => {
            let mut copy = Vec::new();
            if copy.try_reserve_exact(bytes.len()).is_err() {
                let message = format!("out of memory: {} bytes could not be allocated", bytes.len());
                return Err(Error::new(ErrorKind::Memory, message));
            }
            copy.extend_from_slice(bytes);
            Bytes::from(copy)
        }
    };
    let opened = Container::open(bytes, identity(engine)?.as_bytes(), None).map_err(from_container)?;
    from_opened(engine, &opened, file.as_ref())
}

/// All bytes of a file.
fn bytes_in(file: &Arc<FileMap>) -> Bytes {
    // SAFETY: the file stays mapped as long as its map lives; that it does not change is the caller's to see to.
    unsafe { Bytes::kept_by(file.clone(), file.bytes()) }
}

/// The module of a container, whose bytes are those of `file` if there is one.
fn from_opened(
    engine: &Arc<Engine>,
    opened: &Container,
    file: Option<&Arc<FileMap>>,
) -> Result<Arc<CompiledModule>, Error> {
    let sealed = opened.sealed();
    if sealed.bytes().len() <= CHECKED_AT_ONCE {
        opened.check_all().map_err(from_container)?;
    }
    let features = &engine.config().features;
    if !opened.same_identity {
        let wasm = opened.part(opened.wasm()).map_err(from_container)?;
        let module = Module::new(wasm.into(), features, available_threads()).map_err(from_module)?;
        return complete(CompiledModule::bind_without_code(engine, module)?);
    }
    let lacks = || from_container(SerializeError::Damaged("a section is missing, or makes no sense"));
    let place = |tag| opened.place(tag).ok_or_else(lacks);
    let section = |tag| opened.section(tag).map_err(from_container)?.ok_or_else(lacks);
    let facts = Facts::read(section(container::FACTS)?).ok_or_else(lacks)?;
    let bodies = read_bodies(section(container::BODIES)?).ok_or_else(lacks)?;
    let images = match (&facts.images, file) {
        (Some(images), Some(file)) => {
            section(container::MEMORIES)?;
            images_in(file, &place(container::MEMORIES)?, images)
        }
        _ => None,
    };
    // Without images the data segments are needed.
    let spent_data = if images.is_some() { facts.spent_data } else { 0 };
    let Facts { tail_calls_out, objects, written_tables, .. } = facts;
    let known = ModuleFacts { tail_calls_out, objects, written_tables, spent_data, bodies };
    let module = Module::trusted(Bytes::sealed(sealed, opened.wasm()), features, known)
        .map_err(|_| from_container(container::MISMATCH))?;
    let functions = module.functions.len() - module.imported_functions as usize;
    if module.bodies.len() != functions {
        let message = format!("damaged serialized module: {} bodies of {functions} functions", module.bodies.len());
        return Err(Error::new(ErrorKind::Damaged, message));
    }
    let made = CompiledModule::bind_without_code(engine, module)?;
    let (code, tables) = (place(container::CODE)?, place(container::TABLES)?);
    let image = ModuleImage::new(sealed.clone(), file.map(|file| &**file), code, tables, functions)?;
    let _ = made.image.set(image);
    if let Some(images) = images {
        let _ = made.images.set(Some(images));
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
    let checked = checked_before(&file.identity());
    let is_new = checked.is_none();
    let opened = Container::open(bytes_in(&file), identity(engine)?.as_bytes(), checked).map_err(from_container)?;
    if is_new && file.identity().is_settled() {
        note(file.identity(), opened.sealed().checked().clone());
    }
    from_opened(engine, &opened, Some(&file))
}

/// Files whose head was undamaged, and what else of them was.
static KNOWN: Mutex<Vec<(FileIdentity, Arc<Checked>)>> = Mutex::new(Vec::new());

/// How many files are remembered.
const MOST_KNOWN: usize = 256;

fn checked_before(file: &FileIdentity) -> Option<Arc<Checked>> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.iter().find(|(identity, _)| identity == file).map(|(_, checked)| checked.clone())
}

fn note(file: FileIdentity, checked: Arc<Checked>) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.push((file, checked));
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
    /// The facts as bytes: flags (and above them the bits of tables), number of data segments left out, number of images, and start, end and place of each.
    fn write(&self) -> Vec<u8> {
        let count = self.images.as_ref().map_or(NO_IMAGES, |images| images.len() as u64);
        let flags = u64::from(self.tail_calls_out) | u64::from(self.objects) << 1;
        let flags = flags | u64::from(self.written_tables) << 2;
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
