//! The implementation limits of modules, all of them, so that what is refused can be looked up.
//!
//! They are the ones that engines have agreed on for the web, so that a module which runs elsewhere
//! is not refused here. Those marked *parser* are wasmparser's own; stating them here lets a test notice when they move.

/// Bytes of a module. All offsets into a module fit 32 bits because of it.
pub const MAX_MODULE_SIZE: usize = 1 << 30;
/// Types of a module (parser).
pub const MAX_TYPES: u32 = 1_000_000;
/// Functions that a module defines (parser), and imports and functions together.
pub const MAX_FUNCTIONS: u32 = 1_000_000;
/// Imports of a module (parser).
pub const MAX_IMPORTS: u32 = 1_000_000;
/// Exports of a module (parser).
pub const MAX_EXPORTS: u32 = 1_000_000;
/// Globals of a module (parser).
pub const MAX_GLOBALS: u32 = 1_000_000;
/// Tables of a module (parser).
pub const MAX_TABLES: u32 = 100_000;
/// Memories of a module, where there can be several (parser).
pub const MAX_MEMORIES: u32 = 100;
/// Element segments of a module (parser).
pub const MAX_ELEMENT_SEGMENTS: u32 = 100_000;
/// Data segments of a module (parser).
pub const MAX_DATA_SEGMENTS: u32 = 100_000;
/// Elements of a segment (parser).
pub const MAX_SEGMENT_ELEMENTS: u32 = 10_000_000;
/// Pages of 64 KiB that a 32-bit memory may declare (parser; also the specification's).
pub const MAX_MEMORY_PAGES: u64 = 65_536;
/// Bytes of a name (parser).
pub const MAX_NAME_SIZE: usize = 100_000;
/// Bytes of a function's body (parser).
pub const MAX_BODY_SIZE: usize = 7_654_321;
/// Parameters and locals of a function together (parser).
pub const MAX_LOCALS: u32 = 50_000;
/// Parameters of a function type (parser).
pub const MAX_PARAMS: usize = 1000;
/// Results of a function type (parser).
pub const MAX_RESULTS: usize = 1000;
