//! Tests of the room, with code that runs: a runtime as small as can be (`harness.rs`) stands in for the real one.

mod calls;
mod choice;
mod control;
mod entries;
mod exceptions;
mod gc;
mod harness;
mod heap;
mod hints;
mod inline;
mod limits;
mod memory;
mod numeric;
mod stubs;
