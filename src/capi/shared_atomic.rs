//! Atomic accesses of the host to shared memories.

use super::error::{self, Kind, tenon_error_t};
use super::handle::required;
use super::own::{Out, Own};
use super::sharedmemory::{place, tenon_shared_memory_t};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::SeqCst};

/// What a read-modify-write does: one of the constants of `tenon_atomic_enum`.
pub type tenon_atomic_t = u8;

/// What a read-modify-write writes, of what was there and its operand.
#[repr(C)]
pub enum tenon_atomic_enum {
    /// The sum.
    TENON_ATOMIC_ADD = 0,
    /// What was there, less the operand.
    TENON_ATOMIC_SUB = 1,
    /// The bits that both have.
    TENON_ATOMIC_AND = 2,
    /// The bits that either has.
    TENON_ATOMIC_OR = 3,
    /// The bits in which they differ.
    TENON_ATOMIC_XOR = 4,
    /// The operand.
    TENON_ATOMIC_EXCHANGE = 5,
}

/// An access, whose values are wrapped to its size.
#[derive(Clone, Copy)]
enum Access {
    Load,
    Store(u64),
    Modify(tenon_atomic_t, u64),
    CompareExchange { expected: u64, replacement: u64 },
}

/// Does an access with one of the types for atomic accesses. Gives what was there.
macro_rules! access_as {
    ($atomic:ty, $int:ty, $at:expr, $access:expr) => {{
        // SAFETY: aligned and within a memory that lives as long as the caller's reference; all that WebAssembly's threads
        // do there at the same time are accesses of this machine.
        let at = unsafe { <$atomic>::from_ptr($at.cast()) };
        let old = match $access {
            Access::Load => at.load(SeqCst),
            Access::Store(value) => at.swap(value as $int, SeqCst),
            Access::Modify(0, value) => at.fetch_add(value as $int, SeqCst),
            Access::Modify(1, value) => at.fetch_sub(value as $int, SeqCst),
            Access::Modify(2, value) => at.fetch_and(value as $int, SeqCst),
            Access::Modify(3, value) => at.fetch_or(value as $int, SeqCst),
            Access::Modify(4, value) => at.fetch_xor(value as $int, SeqCst),
            Access::Modify(_, value) => at.swap(value as $int, SeqCst),
            Access::CompareExchange { expected, replacement } => {
                at.compare_exchange(expected as $int, replacement as $int, SeqCst, SeqCst).unwrap_or_else(|found| found)
            }
        };
        u64::from(old)
    }};
}

fn access(
    function: &str,
    memory: Option<&tenon_shared_memory_t>,
    address: u64,
    size: u8,
    access: Access,
) -> Result<u64, tenon_error_t> {
    error::attempt(function, || {
        let memory = required(memory, function, "the memory")?.shared();
        let refused = |message| Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        if !matches!(size, 1 | 2 | 4 | 8) {
            return refused(format_args!("{function}: an access of {size} bytes; it can have 1, 2, 4 or 8"));
        }
        if let Access::Modify(operation @ 6.., _) = access {
            return refused(format_args!("{function}: {operation} is no kind of operation"));
        }
        let at = place(function, memory, address, u64::from(size))?;
        Ok(match size {
            1 => access_as!(AtomicU8, u8, at, access),
            2 => access_as!(AtomicU16, u16, at, access),
            4 => access_as!(AtomicU32, u32, at, access),
            _ => access_as!(AtomicU64, u64, at, access),
        })
    })
}

/// Reads a number of `size` bytes, 1, 2, 4 or 8, atomically and in the one order of all such accesses, WebAssembly's included.
/// The address is a multiple of `size`. `out` receives the number, zero if there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_atomic_load(
    memory: Option<&tenon_shared_memory_t>,
    address: u64,
    size: u8,
    out: Out<u64>,
) -> Own<tenon_error_t> {
    error::answer_or(out, 0, access("tenon_shared_memory_atomic_load", memory, address, size, Access::Load))
}

/// Writes the lowest `size` bytes of a number; otherwise as `tenon_shared_memory_atomic_load`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_atomic_store(
    memory: Option<&tenon_shared_memory_t>,
    address: u64,
    size: u8,
    value: u64,
) -> Own<tenon_error_t> {
    let done = access("tenon_shared_memory_atomic_store", memory, address, size, Access::Store(value));
    error::report(done.map(drop))
}

/// Replaces a number by what the operation, one of the constants of `tenon_atomic_enum`, makes of it and the operand, of which
/// the lowest `size` bytes count. `old`, if it is not NULL, receives what was there. Otherwise as
/// `tenon_shared_memory_atomic_load`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_atomic_rmw(
    memory: Option<&tenon_shared_memory_t>,
    address: u64,
    size: u8,
    operation: tenon_atomic_t,
    operand: u64,
    old: Out<u64>,
) -> Own<tenon_error_t> {
    let access_kind = Access::Modify(operation, operand);
    error::answer_or(old, 0, access("tenon_shared_memory_atomic_rmw", memory, address, size, access_kind))
}

/// Replaces a number if it is the expected one; of both, the lowest `size` bytes count. `old`, if it is not NULL, receives what
/// was there: the expected number if it was replaced. Otherwise as `tenon_shared_memory_atomic_load`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_shared_memory_atomic_cmpxchg(
    memory: Option<&tenon_shared_memory_t>,
    address: u64,
    size: u8,
    expected: u64,
    replacement: u64,
    old: Out<u64>,
) -> Own<tenon_error_t> {
    let access_kind = Access::CompareExchange { expected, replacement };
    error::answer_or(old, 0, access("tenon_shared_memory_atomic_cmpxchg", memory, address, size, access_kind))
}
