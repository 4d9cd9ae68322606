//! When functions are compiled: each at its first call, or all at once, on all processors.
//!
//! An entry of a module's code table points to a thunk until its function is compiled; then the code pointer is stored
//! with release, once. Two threads may compile the same function at once: the first to finish wins.

use crate::compile::returns_in_memory;
use crate::module::helpers::{available_threads, with_helpers};
use crate::module::serialize::MISMATCH;
use crate::runtime::code_memory::{self, CodeBlock, CodeKind};
use crate::runtime::engine::no_compile_stack;
use crate::runtime::error::{Error, ErrorKind};
use crate::runtime::module::CompiledModule;
use crate::runtime::signature::no_code_memory;
use crate::runtime::sys::compile_stack;
use crate::runtime::vmctx::Vmctx;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// The code of a defined function, which was called for the first time. Runs on a compile stack: makes no objects of the
/// store.
///
/// # Safety
/// The vmctx is that of a live instance whose module defines the function.
pub unsafe fn compile_lazily(vmctx: *mut Vmctx, index: u32) -> Result<*const u8, Error> {
    // SAFETY: the caller's promise.
    compile_one(unsafe { (*(*vmctx).instance).module() }, index)
}

/// Finds the code of a defined function in the module's file, or compiles it, on the calling thread's stack, and enters it in the code table. Gives its code.
fn compile_one(module: &CompiledModule, index: u32) -> Result<*const u8, Error> {
    let func = module.module.imported_functions + index;
    let kind = CodeKind::Wasm { owner: ptr::from_ref(module).cast(), func };
    if let Some(image) = module.image.get()
        && let Some(block) = image.place(index, kind)?
    {
        return Ok(install(module, index, block));
    }
    let body = &module.module.bodies[index as usize];
    if !module.module.bytes.check(body.start as usize..body.end as usize) {
        return Err(Error::new(ErrorKind::Damaged, MISMATCH.to_string()));
    }
    let code = module.engine.compile_here(|compiler| compiler.function(&module.module, func))?;
    let block = code_memory::place(code, kind).map_err(no_code_memory)?;
    Ok(install(module, index, block))
}

fn install(module: &CompiledModule, index: u32, block: CodeBlock) -> *const u8 {
    let code = block.address();
    let mut blocks = module.blocks.lock().unwrap_or_else(PoisonError::into_inner);
    module.enter(index, code.cast_mut());
    // A block that another thread entered meanwhile stays: code of it may be running.
    blocks.push(block);
    code
}

/// Compiles the functions that lazy thunks cannot stand in for: where results do not fit in registers, the callee's vmctx
/// is not where the lazy trampoline looks for it. They are rare.
pub fn compile_unlazy(module: &CompiledModule) -> Result<(), Error> {
    let of_type: Vec<bool> = module.module.types.iter().map(|ty| ty.as_func().is_some_and(returns_in_memory)).collect();
    if !of_type.contains(&true) {
        return Ok(());
    }
    let defined = &module.module.functions[module.module.imported_functions as usize..];
    for (index, ty) in (0..).zip(defined) {
        if of_type[*ty as usize] && !module.is_compiled(index) {
            compile_stack::on_compile_stack(|| compile_one(module, index)).map_err(no_compile_stack)??;
        }
    }
    Ok(())
}

/// Compiles all functions that are not compiled yet, on all processors.
pub fn compile_all(module: &CompiledModule) -> Result<(), Error> {
    let next = AtomicU32::new(0);
    let count = module.module.bodies.len() as u32;
    let work = || -> Result<(), Error> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok(());
            }
            if !module.is_compiled(index) {
                compile_stack::on_compile_stack(|| compile_one(module, index)).map_err(no_compile_stack)??;
            }
        }
    };
    let helpers = available_threads().min(count as usize / 16 + 1) - 1;
    let failed = Mutex::new(None);
    let help = || {
        if let Err(error) = work() {
            *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    };
    with_helpers(helpers, &help, work)?;
    failed.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
}
