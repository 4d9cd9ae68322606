//! The reachable blocks of a function in reverse postorder, and their instructions by position.
//!
//! ```text
//! positions   0        1   2   3   4        5   6    ...
//!             |block 0 |i  i   i  |block 1 |i   i    ...
//! ```
//! A block's own position is where its parameters are defined. Whatever defines a value comes before all uses of it.

use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{self, Block, Inst};
use cranelift_codegen::loop_analysis::LoopAnalysis;
use cranelift_codegen::packed_option::PackedOption;

/// Executions of a block that is not in a loop.
const ONCE: u64 = 64;
/// Turns of a loop, as a power of two.
const TURNS: usize = 3;
/// Loops within each other that count.
const MAX_DEPTH: usize = 12;

/// Where a function's control goes.
pub(super) struct Flow {
    /// The blocks. Elsewhere they are known by their places here.
    pub(super) blocks: Vec<Block>,
    predecessors: Lists,
    successors: Lists,
    insts: Vec<PackedOption<Inst>>,
    /// Where each block begins, and where the last one ends.
    starts: Vec<u32>,
    /// Positions of the calls from which control comes back, ascending.
    calls: Vec<u32>,
    cold: Vec<bool>,
    depth: Vec<u8>,
}

/// A list for each block, one behind the other.
#[derive(Default)]
struct Lists {
    ends: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    fn push(&mut self, items: impl Iterator<Item = u32>) {
        let start = self.items.len();
        self.items.extend(items);
        self.items[start..].sort_unstable();
        let mut kept = start;
        for i in start..self.items.len() {
            if i == start || self.items[i] != self.items[kept - 1] {
                self.items[kept] = self.items[i];
                kept += 1;
            }
        }
        self.items.truncate(kept);
        self.ends.push(kept as u32);
    }

    fn of(&self, block: u32) -> &[u32] {
        let start = if block == 0 { 0 } else { self.ends[block as usize - 1] };
        &self.items[start as usize..self.ends[block as usize] as usize]
    }
}

impl Flow {
    /// Of a function whose blocks are all filled.
    pub(super) fn new(func: &ir::Function) -> Flow {
        let graph = ControlFlowGraph::with_function(func);
        let dominators = DominatorTree::with_function(func, &graph);
        let mut loops = LoopAnalysis::new();
        loops.compute(func, &graph, &dominators);
        let blocks: Vec<Block> = dominators.cfg_rpo().copied().collect();
        let mut number = SecondaryMap::with_default(u32::MAX);
        for (i, block) in blocks.iter().enumerate() {
            number[*block] = i as u32;
        }
        let mut flow = Flow {
            blocks: Vec::new(),
            predecessors: Lists::default(),
            successors: Lists::default(),
            insts: Vec::new(),
            starts: Vec::new(),
            calls: Vec::new(),
            cold: Vec::new(),
            depth: Vec::new(),
        };
        for (i, block) in blocks.iter().enumerate() {
            let before = graph.pred_iter(*block).map(|pred| number[pred.block]).filter(|pred| *pred != u32::MAX);
            flow.predecessors.push(before);
            flow.successors.push(graph.succ_iter(*block).map(|next| number[next]));
            flow.depth.push(loops.loop_level(*block).level().min(MAX_DEPTH) as u8);
            let mut seen = flow.predecessors.of(i as u32).iter().filter(|pred| **pred < i as u32).peekable();
            let reached_by_cold = seen.peek().is_some() && seen.all(|pred| flow.cold[*pred as usize]);
            let traps =
                func.layout.last_inst(*block).is_some_and(|last| func.dfg.insts[last].opcode() == ir::Opcode::Trap);
            let cold = func.layout.is_cold(*block) || reached_by_cold || traps;
            flow.cold.push(cold);
            flow.starts.push(flow.insts.len() as u32);
            flow.insts.push(None.into());
            for inst in func.layout.block_insts(*block) {
                if func.dfg.insts[inst].opcode().is_safepoint() {
                    flow.calls.push(flow.insts.len() as u32);
                }
                flow.insts.push(Some(inst).into());
            }
        }
        flow.starts.push(flow.insts.len() as u32);
        flow.blocks = blocks;
        flow
    }

    /// Where a block begins.
    pub(super) fn start(&self, block: u32) -> u32 {
        self.starts[block as usize]
    }

    /// Behind a block's last instruction.
    pub(super) fn end(&self, block: u32) -> u32 {
        self.starts[block as usize + 1]
    }

    /// The block that a position is in.
    pub(super) fn block_at(&self, position: u32) -> u32 {
        self.starts.partition_point(|start| *start <= position) as u32 - 1
    }

    /// The instruction at a position, unless a block begins there.
    pub(super) fn inst(&self, position: u32) -> Option<Inst> {
        self.insts[position as usize].expand()
    }

    /// A block's last instruction.
    pub(super) fn last(&self, block: u32) -> Inst {
        self.inst(self.end(block) - 1).expect("a block that is filled has a last instruction")
    }

    /// From where control comes into a block.
    pub(super) fn predecessors(&self, block: u32) -> &[u32] {
        self.predecessors.of(block)
    }

    /// Where control goes from a block.
    pub(super) fn successors(&self, block: u32) -> &[u32] {
        self.successors.of(block)
    }

    /// How many calls there are.
    pub(super) fn call_count(&self) -> usize {
        self.calls.len()
    }

    /// Calls at `from..to`.
    pub(super) fn calls(&self, from: u32, to: u32) -> &[u32] {
        let first = self.calls.partition_point(|call| *call < from);
        let count = self.calls[first..].partition_point(|call| *call < to);
        &self.calls[first..first + count]
    }

    /// Whether a block ends in a call.
    pub(super) fn ends_in_call(&self, block: u32) -> bool {
        !self.calls(self.end(block) - 1, self.end(block)).is_empty()
    }

    /// Whether a block is hardly ever reached.
    pub(super) fn is_cold(&self, block: u32) -> bool {
        self.cold[block as usize]
    }

    /// In how many loops a block is.
    pub(super) fn depth(&self, block: u32) -> u8 {
        self.depth[block as usize]
    }

    /// How often a block is executed, as a guess.
    pub(super) fn frequency(&self, block: u32) -> u64 {
        if self.is_cold(block) { 1 } else { ONCE << (TURNS * usize::from(self.depth(block))) }
    }
}
