//! What is known of things outside of the function that were read, written or checked before.
//!
//! Globals, and where memories are, are not read again as long as nobody else can have changed them: on the straight way from
//! there, up to calls and loops. Where ways join, what all of them know is still known. Cranelift does the same, but not
//! where a loop around changes them: what it finds out about the loop's head the first time, before it has seen
//! the loop's end, spoils what it knows further on. Of a loop that changes nothing, Cranelift knows all.
//!
//! Memories never shrink: an address that was inside of one is so ever after, and accesses behind it that go no further need no
//! check.

use cranelift_codegen::ir::{DataFlowGraph, Value};

/// How much is known at most of each kind: the latest.
const MAX_KNOWN: usize = 16;

/// What a value is known of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A global.
    Global(u32),
    /// The base of a memory that may move.
    MemoryBase(u32),
    /// The bytes of a memory that is not shared.
    MemoryLength(u32),
}

/// Bytes that are inside of a memory, from an index on.
#[derive(Clone, Copy)]
pub(super) struct Inside {
    pub(super) memory: u32,
    pub(super) index: Value,
    /// How many.
    pub(super) bytes: u64,
    /// The memory's base at the time, and the address that the check gave; none if a branch was the check.
    pub(super) checked: Option<(Value, Value)>,
}

/// What is known at a place in the function, the latest last.
#[derive(Clone, Default)]
pub(super) struct Known {
    values: Vec<(Place, Value)>,
    inside: Vec<Inside>,
}

fn push<T>(known: &mut Vec<T>, new: T) {
    if known.len() == MAX_KNOWN {
        known.remove(0);
    }
    known.push(new);
}

impl Known {
    pub(super) fn get(&self, place: Place) -> Option<Value> {
        self.values.iter().find(|known| known.0 == place).map(|known| known.1)
    }

    pub(super) fn set(&mut self, place: Place, value: Value) {
        self.values.retain(|known| known.0 != place);
        push(&mut self.values, (place, value));
    }

    /// What is known to be inside of a memory from `index` on.
    pub(super) fn inside(&self, dfg: &DataFlowGraph, memory: u32, index: Value) -> Option<Inside> {
        let same = |known: &&Inside| known.memory == memory && dfg.resolve_aliases(known.index) == index;
        self.inside.iter().rev().find(same).copied()
    }

    pub(super) fn set_inside(&mut self, inside: Inside) {
        self.inside.retain(|known| known.memory != inside.memory || known.index != inside.index);
        push(&mut self.inside, inside);
    }

    /// Forgets what calls may change.
    pub(super) fn clear(&mut self) {
        self.values.clear();
    }

    /// Forgets all globals below an index.
    pub(super) fn forget_globals_below(&mut self, end: u32) {
        self.values.retain(|known| !matches!(known.0, Place::Global(global) if global < end));
    }

    /// Keeps what another way that leads to the same place knows as well.
    pub(super) fn meet(&mut self, other: &Known) {
        self.values.retain(|known| other.values.contains(known));
        self.inside.retain_mut(|known| {
            let same = |other: &&Inside| {
                (other.memory, other.index, other.checked) == (known.memory, known.index, known.checked)
            };
            let Some(other) = other.inside.iter().find(same) else { return false };
            known.bytes = known.bytes.min(other.bytes);
            true
        });
    }
}
