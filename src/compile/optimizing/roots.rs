//! Where references are during calls: each that lives across one has a place in the frame, which a collection finds and changes.
//!
//! The places lie one behind the other in one slot; references that never live at the same time share one. `spill.rs` says when
//! a reference is in its place, and when in a register.

use super::env::{REGION_ROOTS, region};
use super::flow::Flow;
use super::spill::{Frame, Reference, Region};
use crate::compile::CompileError;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::{EntitySet, SecondaryMap};
use cranelift_codegen::ir::{self, Block, BlockArg, BlockCall, Inst, InstBuilder, Value, types};
use cranelift_codegen::ir::{StackSlotData, StackSlotKind, UserStackMapEntry};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Bytes of a place.
const SIZE: u32 = 4;
/// Blocks in which references live, summed up.
const MAX_WORK: usize = 16 << 20;
/// Calls across which references live, summed up.
const MAX_ROOTS: usize = 4 << 20;

/// A reference that lives across a call.
struct Crossing {
    /// Its number.
    reference: u32,
    /// Until where it lives in the block that defines it.
    until: u32,
}

/// A block at whose beginning a crossing lives.
struct LiveIn {
    block: u32,
    crossing: u32,
    until: u32,
}

/// Gives places to the references that need one, among those declared and what they are passed on as, and tells of them at the calls.
pub(super) fn keep(func: &mut ir::Function, declared: &[Value]) -> Result<(), CompileError> {
    if declared.is_empty() {
        return Ok(());
    }
    // Aliases are no more, once they are resolved.
    let declared: Vec<Value> = declared.iter().map(|value| func.dfg.resolve_aliases(*value)).collect();
    func.dfg.resolve_all_aliases();
    split_caught_edges(func);
    let flow = Flow::new(func);
    if flow.call_count() == 0 {
        return Ok(());
    }
    let are_references = passed_on(func, &flow, &declared);
    let (references, uses) = references(func, &flow, &are_references);
    let uses_of = uses_of(&references, &uses);

    let mut region = Region::new(&flow);
    let (mut crossings, mut live_in, mut roots) = (Vec::new(), Vec::new(), 0);
    for (i, reference) in references.iter().enumerate() {
        if !region.find(&flow, reference, &uses_of[i]) {
            continue;
        }
        let crossing = crossings.len() as u32;
        let blocks = region.live_in(&flow).map(|(block, until)| LiveIn { block, crossing, until });
        live_in.extend(blocks);
        crossings.push(Crossing { reference: i as u32, until: region.until_at_home(&flow) });
        roots += region.calls().count();
        if region.work > MAX_WORK || roots > MAX_ROOTS {
            let message = "the function has too many references in too many blocks or across too many calls";
            return Err(CompileError::TooLarge(message.into()));
        }
    }
    if crossings.is_empty() {
        return Ok(());
    }
    let (places, count) = places(&flow, &references, &crossings, live_in);
    let slot = func.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, SIZE * count, 2));
    let alias_region = self::region(func, REGION_ROOTS);
    for (crossing, place) in crossings.iter().zip(places) {
        let reference = &references[crossing.reference as usize];
        region.find(&flow, reference, &uses_of[crossing.reference as usize]);
        let offset = place * SIZE;
        for call in region.calls() {
            let call = flow.inst(call).expect("a call is an instruction");
            func.dfg.append_user_stack_map_entry(call, UserStackMapEntry { ty: types::I32, slot, offset });
        }
        region.spill(&flow, func, reference, Frame { slot, offset, region: alias_region });
    }
    Ok(())
}

/// Puts a block on each edge from a call that passes on a value: what is passed on is read behind the call.
fn split_caught_edges(func: &mut ir::Function) {
    let blocks: Vec<Block> = func.layout.blocks().collect();
    for block in blocks {
        let Some(call) = func.layout.last_inst(block) else { continue };
        if func.dfg.insts[call].exception_table().is_none() {
            continue;
        }
        let edges = destinations(func, call).len();
        let mut behind = block;
        for edge in 0..edges {
            let to = destinations(func, call)[edge];
            let args: Vec<BlockArg> = to.args(&func.dfg.value_lists).collect();
            if !args.iter().any(|arg| matches!(arg, BlockArg::Value(_))) {
                continue;
            }
            let target = to.block(&func.dfg.value_lists);
            let between = func.dfg.make_block();
            func.layout.insert_block_after(between, behind);
            behind = between;
            if func.layout.is_cold(target) {
                func.layout.set_cold(between);
            }
            let (mut given, mut passed) = (Vec::new(), Vec::new());
            for (i, arg) in args.into_iter().enumerate() {
                if matches!(arg, BlockArg::Value(_)) {
                    passed.push(arg);
                    continue;
                }
                let ty = func.dfg.value_type(func.dfg.block_params(target)[i]);
                given.push(arg);
                passed.push(BlockArg::Value(func.dfg.append_block_param(between, ty)));
            }
            FuncCursor::new(func).at_bottom(between).ins().jump(target, &passed);
            let to = BlockCall::new(between, given, &mut func.dfg.value_lists);
            let dfg = &mut func.dfg;
            dfg.insts[call].branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables)[edge] = to;
        }
    }
}

fn destinations(func: &ir::Function, inst: Inst) -> &[BlockCall] {
    func.dfg.insts[inst].branch_destination(&func.dfg.jump_tables, &func.dfg.exception_tables)
}

/// The values declared, and the block parameters that take them.
fn passed_on(func: &ir::Function, flow: &Flow, declared: &[Value]) -> EntitySet<Value> {
    let mut found = EntitySet::new();
    let mut work = Vec::new();
    for value in declared {
        if found.insert(*value) {
            work.push(*value);
        }
    }
    let mut edges = Vec::new();
    for block in 0..flow.blocks.len() as u32 {
        for to in destinations(func, flow.last(block)) {
            let params = func.dfg.block_params(to.block(&func.dfg.value_lists));
            for (arg, param) in to.args(&func.dfg.value_lists).zip(params) {
                if let Some(arg) = arg.as_value()
                    && func.dfg.value_type(*param) == types::I32
                {
                    edges.push((arg, *param));
                }
            }
        }
    }
    edges.sort_unstable();
    edges.dedup();
    while let Some(value) = work.pop() {
        let first = edges.partition_point(|edge| edge.0 < value);
        for (_, param) in edges[first..].iter().take_while(|edge| edge.0 == value) {
            if found.insert(*param) {
                work.push(*param);
            }
        }
    }
    found
}

/// The references in the order in which they are defined, and the uses of each by number and position, in order.
fn references(func: &ir::Function, flow: &Flow, are: &EntitySet<Value>) -> (Vec<Reference>, Vec<(u32, u32)>) {
    let mut references: Vec<Reference> = Vec::new();
    let mut numbers = SecondaryMap::with_default(u32::MAX);
    let mut uses = Vec::new();
    for block in 0..flow.blocks.len() as u32 {
        let mut define = |values: &[Value], at: u32, numbers: &mut SecondaryMap<Value, u32>| {
            for value in values.iter().filter(|value| are.contains(**value)) {
                numbers[*value] = references.len() as u32;
                references.push(Reference { value: *value, at, block });
            }
        };
        define(func.dfg.block_params(flow.blocks[block as usize]), flow.start(block), &mut numbers);
        for at in flow.start(block) + 1..flow.end(block) {
            let inst = flow.inst(at).expect("a block begins only once");
            let used = func.dfg.inst_values(inst).filter(|value| are.contains(*value));
            uses.extend(used.map(|value| (numbers[value], at)));
            define(func.dfg.inst_results(inst), at, &mut numbers);
        }
    }
    uses.sort_unstable();
    uses.dedup();
    (references, uses)
}

/// The positions of the uses of each reference.
fn uses_of(references: &[Reference], uses: &[(u32, u32)]) -> Vec<Vec<u32>> {
    let mut of = vec![Vec::new(); references.len()];
    for (reference, at) in uses {
        of[*reference as usize].push(*at);
    }
    of
}

/// A place for each crossing, and how many there are. As every definition comes before all blocks in which its value lives, the
/// first place that nothing takes there is as good as any.
fn places(flow: &Flow, references: &[Reference], crossings: &[Crossing], mut live_in: Vec<LiveIn>) -> (Vec<u32>, u32) {
    live_in.sort_unstable_by_key(|live| (live.block, live.crossing));
    let mut places = vec![0; crossings.len()];
    let mut taken: Vec<bool> = Vec::new();
    let mut first = 0;
    while let Some(crossing) = crossings.get(first) {
        let block = references[crossing.reference as usize].block;
        taken.fill(false);
        let mut ending = BinaryHeap::new();
        let from = live_in.partition_point(|live| live.block < block);
        for live in live_in[from..].iter().take_while(|live| live.block == block) {
            let place = places[live.crossing as usize];
            taken[place as usize] = true;
            ending.push(Reverse((live.until, place)));
        }
        let mut free_from = 0;
        for (i, crossing) in crossings.iter().enumerate().skip(first) {
            let reference = &references[crossing.reference as usize];
            if reference.block != block {
                break;
            }
            first = i + 1;
            while let Some(Reverse((until, place))) = ending.peek().copied()
                && until <= reference.at
            {
                ending.pop();
                taken[place as usize] = false;
                free_from = free_from.min(place as usize);
            }
            let place = (free_from..).find(|place| !taken.get(*place).is_some_and(|taken| *taken)).unwrap_or(0);
            free_from = place + 1;
            if place == taken.len() {
                taken.push(false);
            }
            taken[place] = true;
            places[i] = place as u32;
            ending.push(Reverse((crossing.until.max(flow.start(block)), place as u32)));
        }
    }
    (places, taken.len() as u32)
}
