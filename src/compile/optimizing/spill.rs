//! One reference that lives across calls: where it is stored to its place in the frame, and where it is read again.
//!
//! During a call the place must hold it, and behind the call only the place does, as a collection may have changed it. So each
//! use behind a call needs it read again; where a way with a call and one without meet, the reading is on the way with the call,
//! and a block parameter takes what either brings. A call that is hardly ever reached, as that of an allocation, then costs the usual
//! way nothing:
//!
//! ```text
//!       v = ...                                  v = ...
//!       brif full, cold, next                    brif full, cold, next(v)
//! cold: call gc_alloc                      cold: store v; call gc_alloc; w = load; jump next(w)
//!       jump next
//! next: use v                              next(x): use x
//! ```
//! It is stored either where it is made, or *late*, before the calls: whichever is executed less often.

use super::POINTER;
use super::flow::Flow;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{self, AliasRegion, InstBuilder, MemFlagsData, StackSlot, Value, types};

/// A reference of the function.
#[derive(Clone, Copy)]
pub(super) struct Reference {
    pub(super) value: Value,
    /// The position that defines it, and the block there.
    pub(super) at: u32,
    pub(super) block: u32,
}

/// Something that happens to a reference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Use,
    /// It is stored, before a call.
    Store,
    /// A call across which it lives.
    Call,
}

/// The blocks in which a reference lives, and what happens to it there. Made anew for each; elsewhere in this file blocks are known by
/// their places here. The first defines it.
pub(super) struct Region {
    blocks: Vec<u32>,
    /// The place of each block of the function.
    places: Vec<u32>,
    /// Whether it lives at the end of each block of the function.
    live_out: Vec<bool>,
    /// By position.
    events: Vec<(u32, Event)>,
    /// Where those of each block end.
    ends: Vec<u32>,
    /// How many blocks all that was asked for had.
    pub(super) work: usize,
}

const NOWHERE: u32 = u32::MAX;

impl Region {
    /// For the references of a function.
    pub(super) fn new(flow: &Flow) -> Region {
        let count = flow.blocks.len();
        Region {
            blocks: Vec::new(),
            places: vec![NOWHERE; count],
            live_out: vec![false; count],
            events: Vec::new(),
            ends: Vec::new(),
            work: 0,
        }
    }

    /// Finds out about a reference, whose uses are given in order. Gives whether it lives across a call.
    pub(super) fn find(&mut self, flow: &Flow, reference: &Reference, uses: &[u32]) -> bool {
        for block in self.blocks.drain(..) {
            self.places[block as usize] = NOWHERE;
            self.live_out[block as usize] = false;
        }
        self.events.clear();
        self.ends.clear();
        let Some(last) = uses.last() else { return false };
        // Most are used up where they are made.
        if *last < flow.end(reference.block) && flow.calls(reference.at + 1, *last).is_empty() {
            return false;
        }
        self.blocks.push(reference.block);
        self.places[reference.block as usize] = 0;
        let mut stack = Vec::new();
        let mut block = reference.block;
        for at in uses {
            if *at >= flow.end(block) {
                block = flow.block_at(*at);
                if self.places[block as usize] == NOWHERE {
                    self.places[block as usize] = 0;
                    self.blocks.push(block);
                    stack.push(block);
                }
            }
        }
        while let Some(block) = stack.pop() {
            for before in flow.predecessors(block) {
                self.live_out[*before as usize] = true;
                if self.places[*before as usize] == NOWHERE {
                    self.places[*before as usize] = 0;
                    self.blocks.push(*before);
                    stack.push(*before);
                }
            }
        }
        self.blocks.sort_unstable();
        self.work += self.blocks.len();
        let mut uses = uses.iter().copied().peekable();
        let mut crosses = false;
        for (place, block) in self.blocks.iter().enumerate() {
            self.places[*block as usize] = place as u32;
            let end = flow.end(*block);
            let first = self.events.len();
            while let Some(at) = uses.next_if(|at| *at < end) {
                self.events.push((at, Event::Use));
            }
            let from = if place == 0 { reference.at + 1 } else { flow.start(*block) };
            let to = match (self.live_out[*block as usize], self.events[first..].last()) {
                (true, _) => end,
                (false, Some((last, _))) => *last,
                (false, None) => from,
            };
            let calls = flow.calls(from, to.max(from));
            crosses |= !calls.is_empty();
            self.events.extend(calls.iter().map(|at| (*at, Event::Call)));
            self.events[first..].sort_unstable();
            self.ends.push(self.events.len() as u32);
        }
        crosses
    }

    fn events(&self, place: usize) -> &[(u32, Event)] {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        &self.events[start as usize..self.ends[place] as usize]
    }

    /// The calls across which it lives.
    pub(super) fn calls(&self) -> impl Iterator<Item = u32> + '_ {
        self.events.iter().filter(|(_, event)| *event == Event::Call).map(|(at, _)| *at)
    }

    /// The blocks at whose beginning it lives, and until which position it does there.
    pub(super) fn live_in<'a>(&'a self, flow: &'a Flow) -> impl Iterator<Item = (u32, u32)> + 'a {
        (1..self.blocks.len()).map(move |place| (self.blocks[place], self.until(flow, place)))
    }

    /// Until which position it lives in the block that defines it.
    pub(super) fn until_at_home(&self, flow: &Flow) -> u32 {
        self.until(flow, 0)
    }

    fn until(&self, flow: &Flow, place: usize) -> u32 {
        let block = self.blocks[place];
        match self.events(place).last() {
            Some((at, _)) if !self.live_out[block as usize] => *at,
            _ => flow.end(block),
        }
    }

    /// The predecessors of a block; all are in the region.
    fn before<'a>(&'a self, flow: &'a Flow, place: usize) -> impl Iterator<Item = usize> + 'a {
        flow.predecessors(self.blocks[place]).iter().map(|block| self.places[*block as usize] as usize)
    }

    /// The blocks behind a block at whose beginning the reference lives.
    fn behind<'a>(&'a self, flow: &'a Flow, place: usize) -> impl Iterator<Item = usize> + 'a {
        let places = flow.successors(self.blocks[place]).iter().map(|block| self.places[*block as usize]);
        places.filter(|place| *place != NOWHERE && *place != 0).map(|place| place as usize)
    }

    /// Before which calls the reference must be stored if it is not where it is made: where it may not have been before. Also, for
    /// each block, whether it has been stored at its end.
    fn late_stores(&self, flow: &Flow) -> (Vec<u32>, Vec<bool>) {
        let count = self.blocks.len();
        let calls: Vec<bool> =
            (0..count).map(|at| self.events(at).iter().any(|event| event.1 == Event::Call)).collect();
        let mut stored = vec![true; count];
        stored[0] = calls[0];
        let at_start = |stored: &[bool], place| place != 0 && self.before(flow, place).all(|before| stored[before]);
        let mut changed = true;
        while changed {
            changed = false;
            for place in 1..count {
                if stored[place] && !calls[place] && !at_start(&stored, place) {
                    stored[place] = false;
                    changed = true;
                }
            }
        }
        let first_call = |place| self.events(place).iter().find(|event| event.1 == Event::Call).map(|event| event.0);
        let stores = (0..count).filter(|place| !at_start(&stored, *place)).filter_map(first_call).collect();
        (stores, stored)
    }

    /// Adds the stores of a reference that is stored late.
    fn add_stores(&mut self, stores: &[u32]) {
        let old = std::mem::take(&mut self.events);
        let mut place = 0;
        for (i, (at, event)) in old.iter().enumerate() {
            while self.ends[place] as usize == i {
                self.ends[place] = self.events.len() as u32;
                place += 1;
            }
            if *event == Event::Call && stores.binary_search(at).is_ok() {
                self.events.push((*at, Event::Store));
            }
            self.events.push((*at, *event));
        }
        for end in &mut self.ends[place..] {
            *end = self.events.len() as u32;
        }
    }

    /// Takes the stores out again.
    fn remove_stores(&mut self) {
        let mut removed = 0;
        let mut at = 0;
        let mut ends = std::mem::take(&mut self.ends);
        for end in &mut ends {
            removed += self.events[at..*end as usize].iter().filter(|event| event.1 == Event::Store).count() as u32;
            at = *end as usize;
            *end -= removed;
        }
        self.ends = ends;
        self.events.retain(|event| event.1 != Event::Store);
    }
}

/// Where a reference is read again.
struct Plan {
    /// Whether a register holds it at the beginning of each block.
    held: Vec<bool>,
    /// Whether it is read at the end of each block, for those behind.
    at_end: Vec<bool>,
    /// Whether its place in the frame holds it wherever it is read.
    is_sound: bool,
}

impl Region {
    fn plan(&self, flow: &Flow, stored: Option<&[bool]>) -> Plan {
        let count = self.blocks.len();
        let first = |place: usize| self.events(place).first().map(|event| event.1);
        // Whether it may be used before the next call.
        let mut wanted: Vec<bool> = (0..count).map(|at| first(at).is_some_and(|event| event != Event::Call)).collect();
        let mut changed = true;
        while changed {
            changed = false;
            for place in (1..count).rev() {
                if !wanted[place] && first(place).is_none() && self.behind(flow, place).any(|next| wanted[next]) {
                    wanted[place] = true;
                    changed = true;
                }
            }
        }
        let mut held = vec![false; count];
        held[0] = true;
        let last: Vec<Option<Event>> = (0..count).map(|at| self.events(at).last().map(|event| event.1)).collect();
        let held_behind = |held: &[bool], place: usize| last[place].map_or(held[place], |event| event != Event::Call);
        // Held where any way brings it...
        changed = true;
        while changed {
            changed = false;
            for place in 1..count {
                if !held[place] && wanted[place] && self.before(flow, place).any(|before| held_behind(&held, before)) {
                    held[place] = true;
                    changed = true;
                }
            }
        }
        // ...if it can be read on all others, without that being done more often than it is worth.
        changed = true;
        while changed {
            changed = false;
            for place in 1..count {
                let missing = |before: usize| !held_behind(&held, before) && !self.may_read_at_end(flow, before, place);
                if held[place] && self.before(flow, place).any(missing) {
                    held[place] = false;
                    changed = true;
                }
            }
        }
        let mut at_end = vec![false; count];
        let mut is_sound = true;
        for place in 0..count {
            let mut is_stored =
                stored.is_none_or(|stored| place != 0 && self.before(flow, place).all(|before| stored[before]));
            let mut is_held = held[place];
            for (_, event) in self.events(place) {
                if *event == Event::Call {
                    (is_held, is_stored) = (false, true);
                } else {
                    is_sound &= is_held || is_stored;
                    is_held = true;
                }
            }
            if !is_held && self.behind(flow, place).any(|next| held[next]) {
                at_end[place] = true;
                is_sound &= is_stored;
            }
        }
        Plan { held, at_end, is_sound }
    }

    /// Whether it may be read at the end of a block for one behind it.
    fn may_read_at_end(&self, flow: &Flow, place: usize, next: usize) -> bool {
        let (block, next) = (self.blocks[place], self.blocks[next]);
        let is_only = flow.successors(block).len() == 1;
        let is_rare = flow.is_cold(block) && !flow.is_cold(next) || flow.depth(block) < flow.depth(next);
        (is_only || is_rare) && !flow.ends_in_call(block)
    }
}

/// What a block begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    /// The reference as it was made.
    Made,
    /// As it was read last in this block.
    Read(usize),
    /// The parameter of this block.
    Parameter(usize),
}

impl Region {
    /// What each block begins with, if the reference is held there.
    fn names(&self, flow: &Flow, plan: &Plan) -> Vec<Option<Name>> {
        let count = self.blocks.len();
        let reads: Vec<bool> = (0..count)
            .map(|place| {
                let mut held = plan.held[place];
                let mut reads = plan.at_end[place];
                for (_, event) in self.events(place) {
                    reads |= *event != Event::Call && !held;
                    held = *event != Event::Call;
                }
                reads
            })
            .collect();
        let mut joins = vec![false; count];
        loop {
            let mut names = vec![None; count];
            names[0] = Some(Name::Made);
            let behind = |names: &[Option<Name>], place: usize| match reads[place] {
                true => Some(Name::Read(place)),
                false => names[place],
            };
            for place in 1..count {
                if joins[place] {
                    names[place] = Some(Name::Parameter(place));
                } else if plan.held[place] {
                    // One from behind has no name yet the first time.
                    names[place] = self.before(flow, place).find_map(|before| behind(&names, before));
                }
            }
            let mut changed = false;
            for place in 1..count {
                let differs = |before: usize| behind(&names, before) != names[place];
                if plan.held[place] && !joins[place] && self.before(flow, place).any(differs) {
                    joins[place] = true;
                    changed = true;
                }
            }
            if !changed {
                return names;
            }
        }
    }

    /// Stores the reference to its place, `offset` in `slot`, and reads it there.
    pub(super) fn spill(&mut self, flow: &Flow, func: &mut ir::Function, reference: &Reference, frame: Frame) {
        let (stores, stored) = self.late_stores(flow);
        let late: u64 = stores.iter().map(|at| flow.frequency(flow.block_at(*at))).sum();
        let mut plan = None;
        if late <= flow.frequency(reference.block) {
            self.add_stores(&stores);
            plan = Some(self.plan(flow, Some(&stored))).filter(|plan| plan.is_sound);
            if plan.is_none() {
                self.remove_stores();
            }
        }
        let plan = plan.unwrap_or_else(|| {
            let at = FuncCursor::new(func);
            let mut at = match flow.inst(reference.at) {
                Some(inst) => at.after_inst(inst),
                None => at.at_first_insertion_point(flow.blocks[reference.block as usize]),
            };
            frame.store(&mut at, reference.value);
            self.plan(flow, None)
        });
        self.rewrite(flow, func, reference.value, frame, &plan);
    }

    fn rewrite(&self, flow: &Flow, func: &mut ir::Function, made: Value, frame: Frame, plan: &Plan) {
        let names = self.names(flow, plan);
        let count = self.blocks.len();
        // What each block begins and ends with.
        let mut begins = vec![made; count];
        let mut ends = vec![made; count];
        let mut has_parameter = vec![false; count];
        for place in 0..count {
            if names[place] == Some(Name::Parameter(place)) {
                begins[place] = func.dfg.append_block_param(flow.blocks[self.blocks[place] as usize], types::I32);
                has_parameter[place] = true;
            }
        }
        for place in 0..count {
            let mut current = match names[place] {
                Some(Name::Made) => Some(made),
                Some(Name::Read(before)) => Some(ends[before]),
                Some(Name::Parameter(before)) => Some(begins[before]),
                None => None,
            };
            for (at, event) in self.events(place) {
                let inst = flow.inst(*at).expect("an event is at an instruction");
                if *event == Event::Call {
                    current = None;
                    continue;
                }
                let mut cursor = FuncCursor::new(func).at_inst(inst);
                let value = *current.get_or_insert_with(|| frame.load(&mut cursor));
                if *event == Event::Store {
                    frame.store(&mut cursor, value);
                } else if value != made {
                    func.dfg.map_inst_values(inst, |old| if old == made { value } else { old });
                }
            }
            if plan.at_end[place] {
                let mut cursor = FuncCursor::new(func).at_inst(flow.last(self.blocks[place]));
                current = Some(frame.load(&mut cursor));
            }
            ends[place] = current.unwrap_or(made);
        }
        for place in (0..count).filter(|place| has_parameter[*place]) {
            let block = flow.blocks[self.blocks[place] as usize];
            for before in self.before(flow, place) {
                let last = flow.last(self.blocks[before]);
                let dfg = &mut func.dfg;
                let calls = dfg.insts[last].branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables);
                for call in calls {
                    if call.block(&dfg.value_lists) == block {
                        call.append_argument(ends[before], &mut dfg.value_lists);
                    }
                }
            }
        }
    }
}

/// The place of a reference in the frame.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) slot: StackSlot,
    pub(super) offset: u32,
    /// The alias region of all such places.
    pub(super) region: AliasRegion,
}

impl Frame {
    fn address(self, at: &mut FuncCursor<'_>) -> (Value, MemFlagsData) {
        let address = at.ins().stack_addr(POINTER, self.slot, self.offset as i32);
        (address, MemFlagsData::trusted().with_alias_region(Some(self.region)))
    }

    pub(super) fn load(self, at: &mut FuncCursor<'_>) -> Value {
        let (address, flags) = self.address(at);
        at.ins().load(types::I32, flags, address, 0)
    }

    pub(super) fn store(self, at: &mut FuncCursor<'_>, value: Value) {
        let (address, flags) = self.address(at);
        at.ins().store(flags, value, address, 0);
    }
}
