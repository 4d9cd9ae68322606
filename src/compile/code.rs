//! What a compiler makes: bytes and what the runtime must know of them.

use crate::trap::TrapCode;

/// The code of one function. Position independent: calls go through the vmctx, or to the function itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Code {
    /// The machine code. Begins at an address that is a multiple of 64 once it is placed.
    pub bytes: Vec<u8>,
    /// Instructions that may trap, by ascending offset.
    pub traps: Vec<TrapSite>,
    /// Which byte of the module each piece of code stems from, by ascending offset.
    pub positions: Vec<Position>,
    /// Distance from the frame pointer down to where the frame keeps its vmctx, if it does. A frame does that can be the
    /// innermost when it is seen (it can trap, or calls the runtime), or whose callee may be of another instance.
    pub vmctx_below_fp: Option<u32>,
}

/// An instruction that may trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrapSite {
    /// Offset of the instruction in the code.
    pub offset: u32,
    /// The reason if it does.
    pub code: TrapCode,
}

/// From `offset` to the next position's, code stems from the instruction at `module_offset` of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Offset in the code.
    pub offset: u32,
    /// Offset in the module's bytes.
    pub module_offset: u32,
}

/// An entry stub: how the host calls functions of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryCode {
    /// The code of the stub.
    pub code: Code,
    /// Offset at which a raised trap continues.
    pub landing: u32,
    /// Distance from its frame pointer down to its stack pointer at the call.
    pub frame_below_fp: u32,
    /// Distance from its frame pointer down to its activation record.
    pub activation_below_fp: u32,
}
