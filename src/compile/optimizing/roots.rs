//! Where references are during calls: each that lives across one has a place in the frame, which a collection finds and changes.
//!
//! The places lie one behind the other in one slot; references that never live at the same time share one. `spill.rs` says when
//! a reference is in its place, and when in a register.
//!
//! To find out who lives where takes time and memory in proportion to references times blocks and calls. Where that gets too
//! large, nothing is found out: the places are an *area* all of which holds references, or null, during every call.

use super::POINTER;
use super::env::{REGION_ROOTS, region};
use super::flow::Flow;
use super::spill::{Frame, Reference, Region, needs_place, spill_always};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::entity::{EntitySet, SecondaryMap};
use cranelift_codegen::ir::{self, Block, BlockArg, BlockCall, Inst, InstBuilder, MemFlagsData, Value, types};
use cranelift_codegen::ir::{StackSlot, StackSlotData, StackSlotKind, UserStackMapEntry};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Bytes of a place.
pub(super) const ROOT_SIZE: u32 = 4;
/// Blocks in which references live, summed up.
const MAX_WORK: usize = 16 << 20;
/// Calls across which references live, summed up.
const MAX_ROOTS: usize = 4 << 20;

/// A slot that is full of references, or null, during every call.
pub(super) struct Area {
    pub(super) slot: StackSlot,
    /// How many.
    pub(super) count: u32,
}

impl Area {
    /// Tells of it at every call, by its first place.
    pub(super) fn root_everywhere(&self, func: &mut ir::Function) {
        let entry = UserStackMapEntry { ty: types::I32, slot: self.slot, offset: 0 };
        let mut next = func.layout.entry_block();
        while let Some(block) = next {
            let mut inst = func.layout.first_inst(block);
            while let Some(call) = inst {
                if func.dfg.insts[call].opcode().is_safepoint() {
                    func.dfg.append_user_stack_map_entry(call, entry.clone());
                }
                inst = func.layout.next_inst(call);
            }
            next = func.layout.next_block(block);
        }
    }
}

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
/// Gives the area, if they are in one.
pub(super) fn keep(func: &mut ir::Function, declared: &[Value]) -> Option<Area> {
    if declared.is_empty() {
        return None;
    }
    // Aliases are no more, once they are resolved.
    let declared: Vec<Value> = declared.iter().map(|value| func.dfg.resolve_aliases(*value)).collect();
    func.dfg.resolve_all_aliases();
    split_caught_edges(func);
    let flow = Flow::new(func);
    if flow.call_count() == 0 {
        return None;
    }
    let are_references = passed_on(func, &flow, &declared);
    let (references, uses) = references(func, &flow, &are_references);

    let mut region = Region::new(&flow);
    let (mut crossings, mut live_in, mut roots) = (Vec::new(), Vec::new(), 0);
    for (i, reference) in references.iter().enumerate() {
        if !region.find(&flow, reference, uses.of(i)) {
            continue;
        }
        let crossing = crossings.len() as u32;
        let blocks = region.live_in(&flow).map(|(block, until)| LiveIn { block, crossing, until });
        live_in.extend(blocks);
        crossings.push(Crossing { reference: i as u32, until: region.until_at_home(&flow) });
        roots += region.calls().count();
        if region.work > MAX_WORK || roots > MAX_ROOTS {
            return Some(keep_in_area(func, &flow, &references, &uses));
        }
    }
    if crossings.is_empty() {
        return None;
    }
    let (places, count) = places(&flow, &references, &crossings, live_in);
    let slot = func.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, ROOT_SIZE * count, 2));
    let alias_region = self::region(func, REGION_ROOTS);
    for (crossing, place) in crossings.iter().zip(places) {
        let reference = &references[crossing.reference as usize];
        region.find(&flow, reference, uses.of(crossing.reference as usize));
        let offset = place * ROOT_SIZE;
        for call in region.calls() {
            let call = flow.inst(call).expect("a call is an instruction");
            func.dfg.append_user_stack_map_entry(call, UserStackMapEntry { ty: types::I32, slot, offset });
        }
        region.spill(&flow, func, reference, Frame { slot, offset, region: alias_region });
    }
    None
}

/// Gives places to all references that may need one, without asking where they live: what is used in other blocks has its own,
/// what is not shares them with those of other blocks.
fn keep_in_area(func: &mut ir::Function, flow: &Flow, references: &[Reference], uses: &Uses) -> Area {
    let slot = func.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, 0, 3));
    let region = self::region(func, REGION_ROOTS);
    let is_shared = |i: usize| uses.of(i).last().is_some_and(|last| *last >= flow.end(references[i].block));
    let shared = (0..references.len()).filter(|i| is_shared(*i)).count() as u32;
    let (mut next_shared, mut next, mut count, mut block) = (0, shared, shared, 0);
    for (i, reference) in references.iter().enumerate() {
        if !needs_place(flow, reference, uses.of(i)) {
            continue;
        }
        if reference.block != block {
            (block, next) = (reference.block, shared);
        }
        let place = if is_shared(i) { &mut next_shared } else { &mut next };
        let offset = *place * ROOT_SIZE;
        *place += 1;
        count = count.max(*place);
        spill_always(flow, func, reference, uses.of(i), Frame { slot, offset, region });
    }
    count = count.next_multiple_of(2);
    func.sized_stack_slots[slot].size = count * ROOT_SIZE;
    // Nothing may be called before all of them are null.
    let mut at = FuncCursor::new(func).at_first_insertion_point(flow.blocks[0]);
    let flags = MemFlagsData::trusted().with_alias_region(Some(region));
    let zero = at.ins().iconst(types::I64, 0);
    for pair in 0..count / 2 {
        let address = at.ins().stack_addr(POINTER, slot, (2 * pair * ROOT_SIZE) as i32);
        at.ins().store(flags, zero, address, 0);
    }
    let area = Area { slot, count };
    area.root_everywhere(func);
    area
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

/// The positions of the uses of each reference, in order.
struct Uses {
    positions: Vec<u32>,
    ends: Vec<u32>,
}

impl Uses {
    fn of(&self, reference: usize) -> &[u32] {
        let start = if reference == 0 { 0 } else { self.ends[reference - 1] };
        &self.positions[start as usize..self.ends[reference] as usize]
    }
}

/// The references in the order in which they are defined, and their uses.
fn references(func: &ir::Function, flow: &Flow, are: &EntitySet<Value>) -> (Vec<Reference>, Uses) {
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
    let ends = (0..references.len() as u32).map(|i| uses.partition_point(|used| used.0 <= i) as u32).collect();
    (references, Uses { positions: uses.into_iter().map(|used| used.1).collect(), ends })
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

#[cfg(test)]
mod tests {
    use super::super::{Effort, isa};
    use super::*;
    use cranelift_codegen::ir::{AbiParam, Function, SigRef, Signature, UserFuncName};
    use cranelift_codegen::isa::CallConv;
    use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

    /// A function that is being built: of a reference, a condition, and the address of something to call.
    struct Building<'a> {
        b: FunctionBuilder<'a>,
        reference: Value,
        condition: Value,
        code: Value,
        callee: SigRef,
    }

    impl Building<'_> {
        fn call(&mut self) {
            self.b.ins().call_indirect(self.callee, self.code, &[]);
        }
    }

    /// What becomes of a function when its reference is kept: for each block, as it is displayed, how often it stores to the frame
    /// and reads there.
    fn kept(build: impl FnOnce(&mut Building<'_>)) -> Vec<(usize, usize)> {
        let mut signature = Signature::new(CallConv::Tail);
        signature.params = [types::I32, types::I32, types::I64].map(AbiParam::new).to_vec();
        signature.returns = vec![AbiParam::new(types::I32)];
        let mut func = Function::with_name_signature(UserFuncName::default(), signature);
        let mut context = FunctionBuilderContext::new();
        let mut b = FunctionBuilder::new(&mut func, &mut context);
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let [reference, condition, code] = *b.block_params(entry) else { unreachable!("it has three parameters") };
        let callee = b.import_signature(Signature::new(CallConv::Tail));
        let mut building = Building { b, reference, condition, code, callee };
        build(&mut building);
        building.b.seal_all_blocks();
        building.b.finalize(isa(Effort::Full).unwrap().frontend_config());
        assert!(keep(&mut func, &[reference]).is_none());
        let text = func.display().to_string();
        let blocks = text.split("\nblock").skip(1);
        blocks.map(|block| (block.matches("store").count(), block.matches("= load").count())).collect()
    }

    #[test]
    fn the_usual_way_neither_stores_nor_reads() {
        let blocks = kept(|it| {
            let (cold, next) = (it.b.create_block(), it.b.create_block());
            it.b.set_cold_block(cold);
            it.b.ins().brif(it.condition, cold, &[], next, &[]);
            it.b.switch_to_block(cold);
            it.call();
            it.b.ins().jump(next, &[]);
            it.b.switch_to_block(next);
            it.b.ins().return_(&[it.reference]);
        });
        assert_eq!(blocks, [(0, 0), (1, 1), (0, 0)]);
    }

    #[test]
    fn what_loops_need_is_stored_and_read_outside_of_them() {
        // A loop that calls, then one that uses the reference at each turn.
        let blocks = kept(|it| {
            let [calling, between, using, end] = [(); 4].map(|()| it.b.create_block());
            it.b.ins().jump(calling, &[]);
            it.b.switch_to_block(calling);
            it.call();
            it.b.ins().brif(it.condition, calling, &[], between, &[]);
            it.b.switch_to_block(between);
            it.b.ins().jump(using, &[]);
            it.b.switch_to_block(using);
            let same = it.b.ins().iadd(it.reference, it.condition);
            it.b.ins().brif(same, using, &[], end, &[]);
            it.b.switch_to_block(end);
            it.b.ins().return_(&[it.reference]);
        });
        assert_eq!(blocks, [(1, 0), (0, 0), (0, 1), (0, 0), (0, 0)]);
    }

    #[test]
    fn a_second_call_finds_it_stored() {
        let blocks = kept(|it| {
            it.call();
            it.call();
            it.b.ins().return_(&[it.reference]);
        });
        assert_eq!(blocks, [(1, 1)]);
    }
}
