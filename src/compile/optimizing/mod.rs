//! The optimizing tier: families of operators to Cranelift's IR, and its machine code to `Code`.
//!
//! ```text
//! translate.rs   the walk over a body: operand stack, dispatch        env.rs      vmctx loads, alias regions
//! control.rs     blocks, branches, unreachable code                   trap.rs     traps, with signals and without
//! locals.rs      locals, as values or in the frame
//! numeric.rs     numbers                                              call.rs     calls, builtins
//! memory.rs      linear memories                                      table.rs    tables, references
//! frame.rs       stack check, the vmctx's slot                        finish.rs   what Cranelift made, as `Code`
//! simd.rs        vectors                                              exception.rs  exceptions
//! atomic.rs      atomic accesses                                       heap.rs     garbage-collected objects, i31
//! structure.rs   structures                                            array.rs    arrays
//! cast.rs        tests of references against types                    global.rs   globals
//! inline.rs      small functions in place of calls                    choice.rs   an `if` that only chooses between values
//! roots.rs       where references are during calls                    spill.rs    one of them: stored and read again
//! flow.rs        the blocks in order, as these two want them           entry.rs    calls through constant tables
//! known.rs       what need not be read or checked again
//! ```
//! A `Compiler` holds everything that can be used again; each thread has its own.

mod array;
mod atomic;
mod call;
mod cast;
mod choice;
mod control;
mod entry;
mod env;
mod exception;
pub(in crate::compile) mod finish;
mod flow;
mod frame;
mod global;
mod heap;
mod inline;
mod known;
mod locals;
mod memory;
mod numeric;
mod roots;
mod simd;
mod spill;
mod structure;
mod table;
mod translate;
mod trap;

pub(in crate::compile) use env::{clif_type, wasm_signature};
pub(in crate::compile) use heap::is_traced;
use trap::clif_trap;

use super::code::Code;
use super::{CompileError, Tunables};
use crate::config::Optimization;
use crate::module::Module;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::isa::{OwnedTargetIsa, TargetFrontendConfig};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_codegen::{CodegenError, Context, ir};
use cranelift_frontend::FunctionBuilderContext;
use locals::Locals;

/// What is given to the optimizer at most. Beyond, its passes, which are not linear, would take unbounded time for
/// code that is as a rule generated and executed once.
const MAX_OPTIMIZED_INSTS: usize = 150_000;
/// Blocks at most, for the same reason.
const MAX_OPTIMIZED_BLOCKS: usize = 20_000;
/// Where the register allocator that looks for the best places is too slow, too.
const MAX_BACKTRACKING_INSTS: usize = 600_000;
/// Blocks, likewise.
const MAX_BACKTRACKING_BLOCKS: usize = 40_000;
/// Values that live at the same time: it takes time in proportion to their square.
const MAX_BACKTRACKING_LIVE: usize = 3000;

/// How much is done for speed of the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::compile) enum Effort {
    /// All optimizations.
    Full,
    /// None before register allocation.
    Little,
    /// None at all.
    Least,
}

/// Compiles functions, and stubs (`stubs.rs`), one after the other.
pub struct Compiler {
    tunables: Tunables,
    isas: [OwnedTargetIsa; 3],
    /// What tests force upon it: the effort, and whether locals are in memory.
    #[cfg(test)]
    pub(in crate::compile) forced: Option<(Effort, bool)>,
    pub(in crate::compile) ctx: Context,
    pub(in crate::compile) fctx: FunctionBuilderContext,
}

impl Compiler {
    /// A compiler for this host.
    pub fn new(tunables: &Tunables) -> Result<Compiler, CompileError> {
        Ok(Compiler {
            tunables: *tunables,
            isas: [isa(Effort::Full)?, isa(Effort::Little)?, isa(Effort::Least)?],
            #[cfg(test)]
            forced: None,
            ctx: Context::new(),
            fctx: FunctionBuilderContext::new(),
        })
    }

    /// Compiles a defined function; `func` is its index of the whole space. The module must be validated.
    pub fn function(&mut self, module: &Module, func: u32) -> Result<Code, CompileError> {
        let mut body = self.body(module, func, false)?;
        if body.unchecked && finish::frame_size(&self.ctx)? > frame::MAX_UNCHECKED_FRAME {
            body = self.body(module, func, true)?;
        }
        finish::function(&self.ctx, &body)
    }

    /// Compiles a function, which is in the context then; with a stack check in any case, or only if it calls something.
    fn body(&mut self, module: &Module, func: u32, always_check: bool) -> Result<translate::Body, CompileError> {
        let target = self.frontend_config();
        let (ctx, fctx, tunables) = (&mut self.ctx, &mut self.fctx, &self.tunables);
        let mut translate = |locals| {
            ctx.clear();
            translate::translate(&mut ctx.func, fctx, target, tunables, module, func, locals, always_check)
        };
        #[cfg(not(test))]
        let first = Locals::as_values();
        #[cfg(test)]
        let first = if self.forced.is_some_and(|f| f.1) { Locals::in_memory() } else { Locals::as_values() };
        let body = match translate(first)? {
            Some(body) => Some(body),
            None => translate(Locals::in_memory())?,
        };
        let body = body.ok_or_else(|| CompileError::TooLarge("the function has too many locals".into()))?;
        let effort = self.effort(body.live);
        self.compile(effort)?;
        Ok(body)
    }

    /// What the function builder asks for.
    pub(in crate::compile) fn frontend_config(&self) -> TargetFrontendConfig {
        self.isas[0].frontend_config()
    }

    /// How much effort the function in the context is worth, in which so many values live at the same time.
    fn effort(&self, live: usize) -> Effort {
        #[cfg(test)]
        if let Some((effort, _)) = self.forced {
            return effort;
        }
        let insts = self.ctx.func.dfg.num_insts();
        let blocks = self.ctx.func.dfg.num_blocks();
        let wanted = match self.tunables.optimization {
            Optimization::Speed => Effort::Full,
            Optimization::Little => Effort::Little,
            Optimization::None => Effort::Least,
        };
        let affordable =
            if insts > MAX_BACKTRACKING_INSTS || blocks > MAX_BACKTRACKING_BLOCKS || live > MAX_BACKTRACKING_LIVE {
                Effort::Least
            } else if insts > MAX_OPTIMIZED_INSTS || blocks > MAX_OPTIMIZED_BLOCKS {
                Effort::Little
            } else {
                Effort::Full
            };
        wanted.max(affordable)
    }

    /// Compiles what is in the context.
    pub(in crate::compile) fn compile(&mut self, effort: Effort) -> Result<(), CompileError> {
        let isa = &*self.isas[effort as usize];
        match self.ctx.compile(isa, &mut ControlPlane::default()) {
            Ok(_) => Ok(()),
            Err(e) => Err(match e.inner {
                CodegenError::ImplLimitExceeded => {
                    CompileError::TooLarge("the function's stack frame is too large".into())
                }
                CodegenError::CodeTooLarge => CompileError::TooLarge("the function is too large".into()),
                CodegenError::Verifier(errors) => CompileError::Internal(format!("{errors}\n{}", e.func.display())),
                other => CompileError::Internal(other.to_string()),
            }),
        }
    }
}

/// A name for all that the code depends on besides module and compiler's source: processor, its features, settings.
pub fn isa_identity(tunables: &Tunables) -> Result<String, CompileError> {
    let isa = isa(Effort::Full)?;
    let mut flags: Vec<String> = isa.isa_flags().iter().map(|f| f.to_string()).collect();
    flags.sort();
    Ok(format!("cranelift {} {} {} {tunables:?}", cranelift_codegen::VERSION, isa.triple(), flags.join(" ")))
}

fn isa(effort: Effort) -> Result<OwnedTargetIsa, CompileError> {
    let mut flags = settings::builder();
    let verify = if cfg!(any(test, debug_assertions)) { "true" } else { "false" };
    let (opt_level, regalloc) = match effort {
        Effort::Full => ("speed", "backtracking"),
        Effort::Little => ("none", "backtracking"),
        Effort::Least => ("none", "single_pass"),
    };
    let settings = [
        ("opt_level", opt_level),
        ("regalloc_algorithm", regalloc),
        ("enable_verifier", verify),
        ("unwind_info", "false"),
        ("preserve_frame_pointers", "true"),
        ("enable_probestack", "false"),
        ("enable_multi_ret_implicit_sret", "true"),
        ("enable_heap_access_spectre_mitigation", "true"),
        ("enable_table_access_spectre_mitigation", "true"),
    ];
    for (name, value) in settings {
        flags.set(name, value).map_err(|e| CompileError::Internal(format!("setting {name}: {e}")))?;
    }
    let isa = cranelift_native::builder()
        .map_err(|e| CompileError::Host(format!("this processor is not supported: {e}")))?
        .finish(settings::Flags::new(flags))
        .map_err(|e| CompileError::Host(format!("this processor is not supported: {e}")))?;
    // Without them, rounding and shuffles would need calls into a library that generated code cannot reach.
    for (flag, name) in [("has_ssse3", "SSSE3"), ("has_sse41", "SSE4.1")] {
        if !isa.isa_flags().iter().any(|f| f.name == flag && f.as_bool() == Some(true)) {
            return Err(CompileError::Host(format!("this processor is not supported: it lacks {name}")));
        }
    }
    Ok(isa)
}

/// The pointers' type.
const POINTER: ir::Type = ir::types::I64;
