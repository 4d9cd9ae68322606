//! Tests of the room, with code that runs: a runtime as small as can be (`harness.rs`) stands in for the real one.

mod control;
mod harness;
