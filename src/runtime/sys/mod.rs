//! What the runtime needs of the system and the processor: memory mappings, stacks, signals, and the few pieces
//! of assembly between generated code and Rust. Nothing here knows modules or instances.

pub mod compile_stack;
pub mod granules;
pub mod signals;
pub mod stack;
#[cfg(test)]
pub(crate) mod testing;
pub mod trampoline;
pub mod valgrind;
pub mod vm;

#[cfg(test)]
mod tests;
