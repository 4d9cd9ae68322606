//! What the runtime needs of the system and the processor: memory mappings and stacks. Nothing here knows modules,
//! instances or code.

pub mod compile_stack;
pub mod file_map;
pub mod granules;
pub mod memory_file;
pub mod pagemap;
pub mod stack;
#[cfg(test)]
pub(crate) mod testing;
pub mod thread_number;
pub mod valgrind;
pub mod vm;
