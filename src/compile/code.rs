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
    /// Other functions' bodies that stand in the code in place of calls, by ascending `start`.
    pub inlined: Vec<Inlined>,
    /// Distance from the frame pointer down to where the frame keeps its vmctx, if it does. A frame does that can be the
    /// innermost when it is seen (it can trap, or calls the runtime), or whose callee may be of another instance.
    pub vmctx_below_fp: Option<u32>,
    /// What catches exceptions, by ascending offset of the call that they come out of, and in the order in which they
    /// are to be asked.
    pub handlers: Vec<Handler>,
    /// Distance from the frame pointer down to where the stack pointer is when a handler begins. 0 without handlers.
    pub frame_below_fp: u32,
    /// Where the frame keeps references that a collection must find and may change, by ascending offset of the call during
    /// which they are there.
    pub roots: Vec<Root>,
}

/// A place in a frame that holds a reference of the `any` hierarchy (32 bits) during a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// Offset in the code to which the call returns.
    pub call: u32,
    /// Distance from the frame pointer down to the place.
    pub below_fp: u32,
}

/// A clause that may catch an exception which comes out of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    /// Offset in the code to which the call returns.
    pub call: u32,
    /// Which exceptions it catches, and how it wants them.
    pub clause: Clause,
    /// Offset in the code at which it begins: with the payload's address in `rax`, and in `rdx` the exception, if the
    /// clause wants a reference.
    pub landing: u32,
}

/// What a clause catches: `catch`, `catch_ref`, `catch_all` and `catch_all_ref`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Offset in the vmctx of the address of the tag that the exception must have, if it must.
    pub tag: Option<u32>,
    /// Whether it wants a reference to the exception.
    pub by_ref: bool,
}

impl Clause {
    const ALL: u32 = u32::MAX >> 1;

    /// As a number.
    pub fn to_u32(self) -> u32 {
        self.tag.unwrap_or(Clause::ALL) << 1 | u32::from(self.by_ref)
    }

    /// The clause with this number.
    pub fn from_u32(number: u32) -> Clause {
        let tag = Some(number >> 1).filter(|tag| *tag != Clause::ALL);
        Clause { tag, by_ref: number & 1 == 1 }
    }
}

/// An instruction that may trap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrapSite {
    /// Offset of the instruction in the code.
    pub offset: u32,
    /// The reason if it does.
    pub code: TrapCode,
}

/// From `offset` to the next position's, code stems from the instruction at `module_offset` of the module, or of an inlined body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Offset in the code.
    pub offset: u32,
    /// Offset in the module's bytes; from the first inlined body's `start` on, a place in such a body ([`Inlined`]).
    pub module_offset: u32,
}

/// A copy of a function's body in the code of another function. Its instructions have positions of their own, so that it is known
/// for which call it stands:
///
/// ```text
///  positions   0 .. end of the module's bytes .. start ......... next start .. next start ..
///              as in the module                  this copy       the next one
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inlined {
    /// The position of the body's first byte.
    pub start: u32,
    /// Where that byte stands in the module.
    pub body: u32,
    /// The position of the call for which it stands: less than `start`, and inlined itself if the call is.
    pub call: u32,
}

/// The places in the module that a position stands for, the innermost first: an instruction of an inlined body, the call for which
/// that stands, and so on to the function whose code it is.
pub fn places_of(inlined: &[Inlined], position: u32) -> impl Iterator<Item = u32> + '_ {
    let mut next = Some(position);
    std::iter::from_fn(move || {
        let position = next?;
        let after = inlined.partition_point(|body| body.start <= position);
        let body = after.checked_sub(1).map(|at| inlined[at]);
        next = body.map(|body| body.call);
        Some(body.map_or(position, |body| (position - body.start).wrapping_add(body.body)))
    })
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
