//! Modules written down with their machine code, and read back (`wasm_module_serialize`). The container is
//! `module/serialize.rs`, the form of the code `compile/image.rs`; here the two meet the code memory.
//!
//! From a file (`deserialize_file`), nothing is read that is not needed: code and memories are mapped (`module_image.rs`,
//! `memory_image.rs`), and a function's facts are read when it is first called. The hash is checked once for each file, as
//! long as nobody changes it.
//!
//! What is read back is decoded and validated like any module. Its machine code is used only if the hash says that nothing has
//! changed since it was written, and the identity that it was written by the same version for the same processor, settings
//! and features; otherwise the functions are compiled when they are first called.

use crate::compile::code::Code;
use crate::compile::image::{self, Image, ImageError};
use crate::compile::isa_identity;
use crate::module::serialize::{self as container, Parts, SerializeError};
use crate::module::{BodyFacts, Bytes, Module};
use crate::runtime::code_memory::{self, CodeKind, CodeMeta, Part};
use crate::runtime::engine::{Engine, from_compile};
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::memory_image::MemoryImages;
use crate::runtime::module::{CompiledModule, from_module};
use crate::runtime::module_image::ModuleImage;
use crate::runtime::signature::no_code_memory;
use crate::runtime::sys::file_map::{FileIdentity, FileMap};
use crate::runtime::sys::vm;
use crate::runtime::tier;
use std::collections::HashSet;
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
        (container::FACTS, &facts[..]),
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
        vmctx_below_fp: meta.vmctx_below_fp,
        handlers: meta.handlers.to_vec(),
        frame_below_fp: meta.frame_below_fp,
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
        if image.len() as usize != made.code_table.len() {
            let (found, expected) = (image.len(), made.code_table.len());
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
    let (Some(code), Some(tables), Some(memories), Some(facts)) = (
        parts.section(container::CODE).map(place),
        parts.section(container::TABLES).map(place),
        parts.section(container::MEMORIES).map(place),
        parts.section(container::FACTS).and_then(read_facts),
    ) else {
        return from_parts(engine, &parts);
    };
    if !code.start.is_multiple_of(vm::page_size()) {
        return from_parts(engine, &parts);
    }
    // SAFETY: the file stays mapped as long as its map lives; that it does not change is the caller's to see to.
    let wasm = unsafe { Bytes::kept_by(file.clone(), parts.wasm) };
    let module = Module::trusted(wasm, &engine.config().features, facts.bodies).map_err(from_module)?;
    let made = CompiledModule::bind_without_code(engine, module)?;
    let count = made.code_table.len();
    let _ = made.image.set(ModuleImage::new(file.clone(), code, tables, count)?);
    if let Some(images) = facts.memories
        && images.len() == made.module.memories.len() - made.module.imported_memories as usize
        && images.iter().all(|(range, offset)| range.len() <= memories.len().saturating_sub(*offset))
    {
        let images: Vec<_> = images.into_iter().map(|(range, offset)| (range, memories.start + offset)).collect();
        if let Some(images) = MemoryImages::in_file(&file, &images) {
            let _ = made.images.set(Some(images));
        }
    }
    complete(made)
}

/// Files whose hash was right.
static KNOWN: Mutex<Option<HashSet<FileIdentity>>> = Mutex::new(None);

/// How many files are remembered.
const MOST_KNOWN: usize = 4096;

fn is_known(file: &FileIdentity) -> bool {
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|known| known.contains(file))
}

fn note(file: FileIdentity) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.insert(file);
}

/// What is written down beside the code.
struct Facts {
    bodies: BodyFacts,
    /// Of each defined memory, what its image is about, and where it begins in the section of memories.
    memories: Option<Vec<(Range<usize>, usize)>>,
}

/// The number of images that says that there are none: segments are to be run.
const NO_IMAGES: u64 = u64::MAX;

/// The sections of memories and facts: the latter 64-bit numbers, of which the first are flags and the number of images, followed
/// by start, end and place of each.
fn facts_of(module: &CompiledModule) -> (Vec<u8>, Vec<u8>) {
    let mut numbers = vec![u64::from(module.module.body_facts().tail_calls_out)];
    let mut memories = Vec::new();
    match module.memory_images() {
        None => numbers.push(NO_IMAGES),
        Some(images) => {
            numbers.push(images.all().len() as u64);
            for image in images.all() {
                let range = image.as_ref().map_or(0..0, |image| image.range());
                numbers.extend([range.start as u64, range.end as u64, memories.len() as u64]);
                memories.extend_from_slice(image.as_ref().map_or(&[], |image| image.bytes()));
            }
        }
    }
    (memories, numbers.iter().flat_map(|number| number.to_le_bytes()).collect())
}

fn read_facts(section: &[u8]) -> Option<Facts> {
    let (numbers, rest) = section.as_chunks::<8>();
    let numbers: Vec<u64> = numbers.iter().map(|number| u64::from_le_bytes(*number)).collect();
    let (&[flags, count], images) = numbers.split_first_chunk::<2>()?;
    let (images, more) = images.as_chunks::<3>();
    if flags > 1 || !rest.is_empty() || !more.is_empty() {
        return None;
    }
    let image = |[start, end, place]: &[u64; 3]| {
        (start <= end)
            .then_some((usize::try_from(*start).ok()?..usize::try_from(*end).ok()?, usize::try_from(*place).ok()?))
    };
    let memories = match count {
        NO_IMAGES => None,
        _ if count as usize == images.len() => Some(images.iter().map(image).collect::<Option<_>>()?),
        _ => return None,
    };
    Some(Facts { bodies: BodyFacts { tail_calls_out: flags == 1 }, memories })
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
            vmctx_below_fp: code.vmctx_below_fp,
            handlers: code.handlers.into(),
            frame_below_fp: code.frame_below_fp,
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
        module.code_table[index as usize].store(code, Ordering::Release);
    }
    Ok(())
}

fn from_container(error: SerializeError) -> Error {
    Error::new(ErrorKind::Damaged, error.to_string())
}

fn from_image(error: ImageError) -> Error {
    Error::new(ErrorKind::Damaged, error.to_string())
}
