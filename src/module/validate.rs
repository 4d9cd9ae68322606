//! Validation of function bodies, on several threads where there is much to do.
//!
//! Bodies do not depend on each other, so they are handed out in chunks of bytes, in order. Whatever the number of
//! threads, the error that is reported is the first one of the module: a chunk is only skipped when an earlier one
//! has failed.

use super::error::{ModuleError, ModuleErrorKind};
use super::helpers::with_helpers;
use super::limits;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use wasmparser::{BinaryReader, FuncToValidate, FuncValidator, FuncValidatorAllocations, FunctionBody};
use wasmparser::{ValidatorResources, WasmFeatures};

/// Bytes of code above which more than one thread is worth its start.
const PARALLEL_SIZE: usize = 256 << 10;
/// Bytes of code that a thread takes at a time.
const CHUNK_SIZE: usize = 64 << 10;

/// The bodies of a module and what is needed to validate them.
pub(super) struct Bodies<'a> {
    /// The module's bytes.
    pub bytes: &'a [u8],
    /// Where each body stands.
    pub ranges: &'a [Range<u32>],
    /// The type index of each.
    pub types: &'a [u32],
    /// The function index of the first.
    pub first_index: u32,
    /// The declarations, as wasmparser keeps them.
    pub resources: ValidatorResources,
    /// What is allowed.
    pub features: WasmFeatures,
    /// Set if a tail call to an imported function, or to one that is known at run time only, is among them.
    pub tail_calls_out: AtomicBool,
    /// Set if an instruction about garbage-collected objects is among them.
    pub objects: AtomicBool,
    /// Gets the bits of tables that one of them may write, as in [`super::Module`].
    pub written_tables: AtomicU32,
}

impl Bodies<'_> {
    /// Validates all, and does `meanwhile` on this thread while others begin. The error is the one with the
    /// lowest offset, with its function's index.
    pub fn validate<T>(&self, threads: usize, meanwhile: impl FnOnce() -> T) -> (Result<(), ModuleError>, T) {
        let size: usize = self.ranges.iter().map(|r| r.len()).sum();
        if threads <= 1 || size <= PARALLEL_SIZE {
            let checked = self.validate_some(0..self.ranges.len(), &mut FuncValidatorAllocations::default());
            return (checked, meanwhile());
        }
        let chunks = self.chunks();
        let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(chunks.len()));
        let work = Work { bodies: self, chunks: &chunks, next, failed, first: Mutex::default() };
        let done = with_helpers(threads.min(chunks.len()) - 1, &|| work.run(), || {
            let done = meanwhile();
            work.run();
            done
        });
        let first = work.first.into_inner().unwrap_or_else(PoisonError::into_inner);
        (first.map_or(Ok(()), |(_, error)| Err(error)), done)
    }

    /// Cuts the bodies into runs of about `CHUNK_SIZE` bytes.
    fn chunks(&self) -> Vec<Range<usize>> {
        let mut chunks = Vec::new();
        let (mut start, mut size) = (0, 0);
        for (i, range) in self.ranges.iter().enumerate() {
            size += range.len();
            if size >= CHUNK_SIZE {
                chunks.push(start..i + 1);
                (start, size) = (i + 1, 0);
            }
        }
        if start < self.ranges.len() {
            chunks.push(start..self.ranges.len());
        }
        chunks
    }

    /// Validates a run of bodies, in order.
    fn validate_some(&self, bodies: Range<usize>, allocs: &mut FuncValidatorAllocations) -> Result<(), ModuleError> {
        for i in bodies {
            let range = &self.ranges[i];
            let index = self.first_index + i as u32;
            let in_function = |error: ModuleError| ModuleError { function: Some((index, None)), ..error };
            if range.len() > limits::MAX_BODY_SIZE {
                let message =
                    format!("function body of {} bytes; at most {} are allowed", range.len(), limits::MAX_BODY_SIZE);
                return Err(in_function(ModuleError::new(ModuleErrorKind::Limit, message, range.start as usize)));
            }
            // The resources are lent rather than cloned: a shared count that several threads write to is slow.
            let function =
                FuncToValidate { resources: &self.resources, index, ty: self.types[i], features: self.features };
            let mut validator = function.into_validator(std::mem::take(allocs));
            let bytes = &self.bytes[range.start as usize..range.end as usize];
            let body = FunctionBody::new(BinaryReader::new_features(bytes, u64::from(range.start), self.features));
            self.validate_one(&mut validator, &body).map_err(|error| in_function(locals_error(error.into(), &body)))?;
            *allocs = validator.into_allocations();
        }
        Ok(())
    }
}

impl Bodies<'_> {
    /// `FuncValidator::validate`, which also looks out for what the module keeps of its code.
    fn validate_one(
        &self,
        validator: &mut FuncValidator<&ValidatorResources>,
        body: &FunctionBody<'_>,
    ) -> Result<(), wasmparser::Error> {
        const OBJECTS: u8 = 0xfb;
        const RETURN_CALL: u8 = 0x12;
        const RETURN_CALL_INDIRECT: u8 = 0x13;
        const RETURN_CALL_REF: u8 = 0x15;
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        let bytes = &self.bytes[..body.range().end as usize];
        while !reader.eof() {
            let at = reader.original_position();
            if let opcode @ (RETURN_CALL | RETURN_CALL_INDIRECT | RETURN_CALL_REF) = bytes[at as usize] {
                let mut operand = BinaryReader::new(&bytes[at as usize + 1..], at + 1);
                if opcode != RETURN_CALL || operand.read_var_u32().is_ok_and(|func| func < self.first_index) {
                    self.tail_calls_out.store(true, Ordering::Relaxed);
                }
            }
            if bytes[at as usize] == OBJECTS && !self.objects.load(Ordering::Relaxed) {
                self.objects.store(true, Ordering::Relaxed);
            }
            if let TABLE_SET | TABLES = bytes[at as usize]
                && let Some(table) = written_table(&bytes[at as usize..])
            {
                let bit = 1u32.checked_shl(table).unwrap_or(0);
                if self.written_tables.load(Ordering::Relaxed) & bit != bit {
                    self.written_tables.fetch_or(bit, Ordering::Relaxed);
                }
            }
            reader.visit_operator(&mut validator.visitor(at))??;
        }
        reader.finish_expression(&validator.visitor(reader.original_position()))
    }
}

const TABLE_SET: u8 = 0x26;
/// What the instructions about whole tables begin with, among others.
const TABLES: u8 = 0xfc;

/// The table that the instruction at the beginning of `bytes` writes to, if it does.
fn written_table(bytes: &[u8]) -> Option<u32> {
    const TABLE_INIT: u32 = 12;
    const TABLE_COPY: u32 = 14;
    const TABLE_GROW: u32 = 15;
    const TABLE_FILL: u32 = 17;
    let mut reader = BinaryReader::new(&bytes[1..], 0);
    if bytes[0] != TABLE_SET {
        match reader.read_var_u32().ok()? {
            TABLE_COPY | TABLE_GROW | TABLE_FILL => {}
            TABLE_INIT => {
                reader.read_var_u32().ok()?;
            }
            _ => return None,
        }
    }
    reader.read_var_u32().ok()
}

/// What threads share while they validate.
struct Work<'a> {
    bodies: &'a Bodies<'a>,
    chunks: &'a [Range<usize>],
    /// The next chunk that nobody has taken.
    next: AtomicUsize,
    /// The earliest chunk that is known to have failed. Only spares work.
    failed: AtomicUsize,
    /// The same, with the error.
    first: Mutex<Option<(usize, ModuleError)>>,
}

impl Work<'_> {
    /// Takes chunks until none is left, or one has failed.
    fn run(&self) {
        let mut allocs = FuncValidatorAllocations::default();
        loop {
            let i = self.next.fetch_add(1, Ordering::Relaxed);
            if i >= self.chunks.len() || i > self.failed.load(Ordering::Relaxed) {
                return;
            }
            if let Err(error) = self.bodies.validate_some(self.chunks[i].clone(), &mut allocs) {
                self.failed.fetch_min(i, Ordering::Relaxed);
                let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
                if first.as_ref().is_none_or(|(earliest, _)| i < *earliest) {
                    *first = Some((i, error));
                }
                return;
            }
        }
    }
}

/// More locals than 32 bits can count are malformed; wasmparser says the same of them as of those above its limit.
fn locals_error(error: ModuleError, body: &FunctionBody<'_>) -> ModuleError {
    if error.kind != ModuleErrorKind::Limit || !error.message.contains("too many locals") {
        return error;
    }
    let count = count_locals(body);
    if count <= u64::from(u32::MAX) {
        return error;
    }
    ModuleError { kind: ModuleErrorKind::Malformed, message: format!("too many locals: {count}"), ..error }
}

/// The locals that a body declares, as far as that can be read. wasmparser's own reader of them has its limit.
fn count_locals(body: &FunctionBody<'_>) -> u64 {
    let mut reader = body.get_binary_reader();
    let mut count = 0;
    for _ in 0..reader.read_var_u32().unwrap_or(0) {
        let Ok(more) = reader.read_var_u32() else { break };
        count += u64::from(more);
        if reader.read::<wasmparser::ValType>().is_err() {
            break;
        }
    }
    count
}
