//! Modules written down with their machine code, and read back (`wasm_module_serialize`). The container is
//! `module/serialize.rs`, the form of the code `compile/image.rs`; here the two meet the code memory.
//!
//! What is read back is decoded and validated like any module. Its machine code is used only if the hash says that nothing has
//! changed since it was written, and the identity that it was written by the same version for the same processor, settings
//! and features; otherwise the functions are compiled when they are first called.

use crate::compile::code::Code;
use crate::compile::image::{self, Image, ImageError};
use crate::compile::isa_identity;
use crate::module::Module;
use crate::module::serialize::{self as container, SerializeError};
use crate::runtime::code_memory::{self, CodeKind, CodeMeta, Part};
use crate::runtime::engine::{Engine, from_compile};
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::module::{CompiledModule, from_module};
use crate::runtime::signature::no_code_memory;
use crate::runtime::tier;
use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

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
    let sections = [(container::CODE, &image.blob[..]), (container::TABLES, &image.tables[..])];
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
        roots: meta.roots.to_vec(),
    }
}

/// The module of what `serialize` gave, for any engine.
pub fn deserialize(engine: &Arc<Engine>, bytes: &[u8]) -> Result<Arc<CompiledModule>, Error> {
    let parts = container::read(bytes, identity(engine)?.as_bytes()).map_err(from_container)?;
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
    tier::compile_unlazy(&made)?;
    if engine.config().eager {
        tier::compile_all(&made)?;
    }
    Ok(made)
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
