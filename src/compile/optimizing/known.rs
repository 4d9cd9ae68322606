//! What is known of things outside of the function that were read or written before: globals, and where memories are.
//!
//! They are not read again as long as nobody else can have changed them: on the straight way from there, up to calls and
//! loops. Where ways join, what all of them know is still known. Cranelift does the same, but not where a loop around changes them: what
//! it finds out about the loop's head the first time, before it has seen the loop's end, spoils what it knows
//! further on. Of a loop that changes nothing, Cranelift knows all.

use cranelift_codegen::ir::Value;

/// How much is known at most: the latest.
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

/// Places whose values are known, the latest last.
#[derive(Clone, Default)]
pub(super) struct Known(Vec<(Place, Value)>);

impl Known {
    pub(super) fn get(&self, place: Place) -> Option<Value> {
        self.0.iter().find(|known| known.0 == place).map(|known| known.1)
    }

    pub(super) fn set(&mut self, place: Place, value: Value) {
        self.0.retain(|known| known.0 != place);
        if self.0.len() == MAX_KNOWN {
            self.0.remove(0);
        }
        self.0.push((place, value));
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Forgets all globals below an index.
    pub(super) fn forget_globals_below(&mut self, end: u32) {
        self.0.retain(|known| !matches!(known.0, Place::Global(global) if global < end));
    }

    /// Keeps what another way that leads to the same place knows as well.
    pub(super) fn meet(&mut self, other: &Known) {
        self.0.retain(|known| other.0.contains(known));
    }
}
