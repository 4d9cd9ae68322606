//! What Cranelift made, as `Code`: bytes with their relocations resolved, trap sites, positions.

use super::frame::MAX_FRAME_WITHOUT_SIGNALS;
use super::translate::Body;
use super::trap::trap_code;
use crate::compile::CompileError;
use crate::compile::code::{Clause, Code, Handler, Position, Root, TrapSite};
use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::{ExternalName, StackSlot, UserStackMap};
use cranelift_codegen::{
    CompiledCode, Context, FinalizedMachExceptionHandler, FinalizedRelocTarget, MachBufferFrameLayout,
};

/// The code of the function in `ctx`, which is compiled.
pub(super) fn function(ctx: &Context, body: &Body) -> Result<Code, CompileError> {
    let compiled = compiled(ctx)?;
    let frame = frame_size(ctx)?;
    if body.small_frame && frame > MAX_FRAME_WITHOUT_SIGNALS {
        return Err(CompileError::TooLarge(format!(
            "the function needs {frame} bytes of stack, more than {MAX_FRAME_WITHOUT_SIGNALS} without signals"
        )));
    }
    let mut code = code(ctx, body.vmctx_slot)?;
    code.positions = positions(compiled, &code.traps, body.module_offset);
    code.inlined.clone_from(&body.inlined);
    code.handlers = handlers(compiled);
    if !code.handlers.is_empty() {
        code.frame_below_fp = frame;
    }
    Ok(code)
}

fn compiled(ctx: &Context) -> Result<&CompiledCode, CompileError> {
    ctx.compiled_code().ok_or_else(|| CompileError::Internal("nothing is compiled".into()))
}

fn layout(compiled: &CompiledCode) -> Result<&MachBufferFrameLayout, CompileError> {
    compiled.buffer.frame_layout().ok_or_else(|| CompileError::Internal("the frame's layout is unknown".into()))
}

/// Bytes of the frame below its frame pointer.
pub(super) fn frame_size(ctx: &Context) -> Result<u32, CompileError> {
    Ok(layout(compiled(ctx)?)?.frame_to_fp_offset)
}

/// Distance from the frame pointer down to a stack slot.
pub(in crate::compile) fn slot_below_fp(ctx: &Context, slot: StackSlot) -> Result<u32, CompileError> {
    let layout = layout(compiled(ctx)?)?;
    Ok(layout.frame_to_fp_offset - layout.stackslots[slot].offset)
}

/// Where the exceptional edge of the only `try_call` continues, and the frame's size there.
pub(in crate::compile) fn landing(ctx: &Context) -> Result<(u32, u32), CompileError> {
    let compiled = compiled(ctx)?;
    let frame = layout(compiled)?.frame_to_fp_offset;
    for site in compiled.buffer.call_sites() {
        for handler in site.exception_handlers {
            if let FinalizedMachExceptionHandler::Default(landing) = *handler {
                return Ok((landing, site.frame_offset.unwrap_or(frame)));
            }
        }
    }
    Err(CompileError::Internal("there is no landing".into()))
}

/// The code in `ctx`, without positions.
pub(in crate::compile) fn code(ctx: &Context, vmctx_slot: Option<StackSlot>) -> Result<Code, CompileError> {
    let compiled = compiled(ctx)?;
    let mut bytes = compiled.code_buffer().to_vec();
    for reloc in compiled.buffer.relocs() {
        // The only name that is ever declared is the function's own.
        let target = match (&reloc.kind, &reloc.target) {
            (Reloc::X86CallPCRel4, FinalizedRelocTarget::ExternalName(ExternalName::User(_))) => 0,
            (Reloc::X86CallPCRel4, FinalizedRelocTarget::Func(offset)) => i64::from(*offset),
            (kind, target) => {
                return Err(CompileError::Internal(format!("a relocation of kind {kind} for {target:?}")));
            }
        };
        let at = reloc.offset as usize;
        let distance = i32::try_from(target + reloc.addend - at as i64)
            .map_err(|_| CompileError::TooLarge("the function's code is larger than 2 GiB".into()))?;
        bytes[at..at + 4].copy_from_slice(&distance.to_le_bytes());
    }
    let mut traps = Vec::with_capacity(compiled.buffer.traps().len());
    for trap in compiled.buffer.traps() {
        let code = trap_code(trap.code)
            .ok_or_else(|| CompileError::Internal(format!("the trap code {} is unknown", trap.code)))?;
        traps.push(TrapSite { offset: trap.offset, code });
    }
    traps.sort_by_key(|t| t.offset);
    let vmctx_below_fp = vmctx_slot.map(|slot| slot_below_fp(ctx, slot)).transpose()?;
    let roots = roots(compiled)?;
    Ok(Code { bytes, traps, vmctx_below_fp, roots, ..Code::default() })
}

/// Where references are during calls.
fn roots(compiled: &CompiledCode) -> Result<Vec<Root>, CompileError> {
    let maps = compiled.buffer.user_stack_maps();
    if maps.is_empty() {
        return Ok(Vec::new());
    }
    let frame = layout(compiled)?.frame_to_fp_offset;
    let roots_of = |(call, _, map): &(u32, u32, UserStackMap)| {
        let call = *call;
        map.entries().map(move |(_, above_sp)| Root { call, below_fp: frame - above_sp }).collect::<Vec<_>>()
    };
    let mut roots: Vec<Root> = maps.iter().flat_map(roots_of).collect();
    roots.sort_by_key(|root| root.call);
    Ok(roots)
}

/// What catches exceptions.
fn handlers(compiled: &CompiledCode) -> Vec<Handler> {
    let mut handlers = Vec::new();
    for site in compiled.buffer.call_sites() {
        for handler in site.exception_handlers {
            if let FinalizedMachExceptionHandler::Tag(tag, landing) = *handler {
                handlers.push(Handler { call: site.ret_addr, clause: Clause::from_u32(tag.as_u32()), landing });
            }
        }
    }
    handlers.sort_by_key(|handler| handler.call);
    handlers
}

/// The positions that can ever be asked for: those of instructions that trap, and of calls.
fn positions(compiled: &CompiledCode, traps: &[TrapSite], body: u32) -> Vec<Position> {
    let mut wanted: Vec<u32> = traps.iter().map(|t| t.offset).collect();
    wanted.extend(compiled.buffer.call_sites().map(|c| c.ret_addr - 1));
    wanted.sort_unstable();
    let mut wanted = wanted.into_iter().peekable();
    // Code without a position is the prologue's.
    let mut positions = vec![Position { offset: 0, module_offset: body }];
    for range in compiled.buffer.get_srclocs_sorted() {
        while wanted.next_if(|w| *w < range.start).is_some() {}
        if range.loc.is_default() || wanted.peek().is_none_or(|w| *w >= range.end) {
            continue;
        }
        let position = Position { offset: range.start, module_offset: range.loc.bits() };
        if positions.last().is_some_and(|last| last.module_offset == position.module_offset) {
            continue;
        }
        if positions.last().is_some_and(|last| last.offset == position.offset) {
            positions.pop();
        }
        positions.push(position);
    }
    positions
}
