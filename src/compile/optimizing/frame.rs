//! The frame: its stack check, and the slot in which it keeps its vmctx for whoever walks the stack.
//!
//! With signals the check is Cranelift's, before the frame is set up; it traps with the vmctx still in its register.
//! Without, it is code at the entry that looks at the stack pointer, which includes the whole frame by then. A small frame from which
//! nothing is called needs no check: what is kept free behind the limit is enough for it.

use super::env::{REGION_FRAME, REGION_OTHER, region, signature};
use super::{POINTER, clif_trap};
use crate::compile::builtin::Builtin;
use crate::compile::layout::*;
use crate::trap::TrapCode;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, GlobalValueData, InstBuilder, MemFlagsData, StackSlot, types};
use cranelift_codegen::ir::{StackSlotData, StackSlotKind};

/// The largest frame without signals: what lies behind the limit for helpers is at least this.
pub(super) const MAX_FRAME_WITHOUT_SIGNALS: u32 = 32 << 10;

/// The largest frame without a check. Only with signals: without, behind the limit there may be a large frame already.
pub(super) const MAX_UNCHECKED_FRAME: u32 = 2 << 10;

/// The trap on a full stack in the prologue. The function's first parameter must be the vmctx.
pub(super) fn limit_stack(func: &mut ir::Function) {
    let flags = func.dfg.mem_flags.insert_unchecked(MemFlagsData::trusted().with_readonly());
    let vmctx = func.create_global_value(GlobalValueData::VMContext);
    let mut load = |base, offset: u32| {
        let offset = (offset as i32).into();
        func.create_global_value(GlobalValueData::Load { base, offset, global_type: POINTER, flags })
    };
    let store = load(vmctx, VMCTX_STORE);
    let limit = load(store, STORE_STACK_LIMIT);
    func.stack_limit = Some(limit);
}

/// Stores the first parameter into a new slot, at the very beginning.
pub(super) fn keep_vmctx(func: &mut ir::Function, entry: ir::Block) -> StackSlot {
    // Twice the size that it needs: spilled registers follow it, and those of 16 bytes must not cross cache lines.
    let slot = func.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, 2 * PTR, 4));
    let flags = MemFlagsData::trusted().with_alias_region(Some(region(func, REGION_FRAME)));
    let vmctx = func.dfg.block_params(entry)[0];
    let mut at = FuncCursor::new(func).at_first_insertion_point(entry);
    let address = at.ins().stack_addr(POINTER, slot, 0);
    at.ins().store(flags, vmctx, address, 0);
    slot
}

/// The stack check without signals, at the end of the entry block, which must be a plain jump.
pub(super) fn check_stack(func: &mut ir::Function, entry: ir::Block) {
    let flags = MemFlagsData::trusted().with_alias_region(Some(region(func, REGION_OTHER)));
    let vmctx = func.dfg.block_params(entry)[0];
    let jump = func.layout.last_inst(entry).expect("the entry block ends with a jump");
    let start = func.block_successors(entry).next().expect("the entry block ends with a jump");
    let full = func.dfg.make_block();
    func.layout.append_block(full);
    func.layout.set_cold(full);

    let mut at = FuncCursor::new(func).at_inst(jump);
    let store = at.ins().load(POINTER, flags, vmctx, VMCTX_STORE as i32);
    let limit = at.ins().load(POINTER, flags, store, STORE_STACK_LIMIT as i32);
    let here = at.ins().get_stack_pointer(POINTER);
    let is_full = at.ins().icmp(IntCC::UnsignedLessThan, here, limit);
    at.func.replace(jump).brif(is_full, full, &[], start, &[]);

    let sig = func.import_signature(signature([POINTER, types::I32], None));
    let mut at = FuncCursor::new(func).at_bottom(full);
    let store = at.ins().load(POINTER, flags, vmctx, VMCTX_STORE as i32);
    let table = at.ins().load(POINTER, flags, store, STORE_BUILTINS as i32);
    let raise = at.ins().load(POINTER, flags, table, Builtin::raise_trap.offset() as i32);
    let code = at.ins().iconst(types::I32, i64::from(TrapCode::CallStackExhausted as u8));
    at.ins().call_indirect(sig, raise, &[vmctx, code]);
    at.ins().trap(clif_trap(TrapCode::CallStackExhausted));
}
