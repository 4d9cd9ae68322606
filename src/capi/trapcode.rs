//! Trap codes: why a trap happened, for programs to test.

use super::trap::wasm_trap_t;
use crate::trap::TrapCode;

/// Why a trap happened: one of the constants of `tenon_trap_code_enum`.
pub type tenon_trap_code_t = u8;

/// The reasons of traps. The numbers never change; later versions may have more.
#[repr(C)]
pub enum tenon_trap_code_enum {
    /// A trap made by the host, or one whose reason is only in its message.
    TENON_TRAP_HOST = 0,
    /// `unreachable` was executed.
    TENON_TRAP_UNREACHABLE = 1,
    /// An integer division or remainder by zero.
    TENON_TRAP_INTEGER_DIVIDE_BY_ZERO = 2,
    /// A signed division, or a conversion from a float, whose result does not fit.
    TENON_TRAP_INTEGER_OVERFLOW = 3,
    /// A conversion of NaN to an integer.
    TENON_TRAP_INVALID_CONVERSION_TO_INTEGER = 4,
    /// A memory access outside of the memory.
    TENON_TRAP_OUT_OF_BOUNDS_MEMORY_ACCESS = 5,
    /// A table access outside of the table.
    TENON_TRAP_OUT_OF_BOUNDS_TABLE_ACCESS = 6,
    /// `call_indirect` with an index outside of the table.
    TENON_TRAP_UNDEFINED_ELEMENT = 7,
    /// `call_indirect` on a null element.
    TENON_TRAP_UNINITIALIZED_ELEMENT = 8,
    /// `call_indirect` on a function of another type.
    TENON_TRAP_INDIRECT_CALL_TYPE_MISMATCH = 9,
    /// Recursion deeper than the stack allows.
    TENON_TRAP_CALL_STACK_EXHAUSTED = 10,
    /// A null reference where an object is needed.
    TENON_TRAP_NULL_REFERENCE = 11,
    /// A failed `ref.cast`.
    TENON_TRAP_CAST_FAILURE = 12,
    /// An array access outside of the array.
    TENON_TRAP_OUT_OF_BOUNDS_ARRAY_ACCESS = 13,
    /// An atomic access at an address that is not a multiple of its size.
    TENON_TRAP_UNALIGNED_ATOMIC = 14,
    /// An atomic wait on a memory that is not shared.
    TENON_TRAP_ATOMIC_WAIT_NON_SHARED = 15,
    /// An exception that nothing caught.
    TENON_TRAP_UNCAUGHT_EXCEPTION = 16,
    /// The store's heap, a table or a memory is full where the instruction cannot say so.
    TENON_TRAP_ALLOCATION_FAILURE = 17,
    /// The store's fuel is used up.
    TENON_TRAP_OUT_OF_FUEL = 18,
    /// The host asked for an interruption.
    TENON_TRAP_INTERRUPT = 19,
    /// A function could not be compiled: out of code memory, or too large.
    TENON_TRAP_COMPILATION_FAILURE = 20,
}

macro_rules! same_numbers {
    ($($ours:ident = $theirs:ident,)*) => {
        const _: () = {
            $(assert!(tenon_trap_code_enum::$ours as u32 == TrapCode::$theirs as u32);)*
            assert!([$(TrapCode::$theirs),*].len() == TrapCode::ALL.len());
        };
    };
}

same_numbers! {
    TENON_TRAP_HOST = Host,
    TENON_TRAP_UNREACHABLE = Unreachable,
    TENON_TRAP_INTEGER_DIVIDE_BY_ZERO = IntegerDivideByZero,
    TENON_TRAP_INTEGER_OVERFLOW = IntegerOverflow,
    TENON_TRAP_INVALID_CONVERSION_TO_INTEGER = InvalidConversionToInteger,
    TENON_TRAP_OUT_OF_BOUNDS_MEMORY_ACCESS = OutOfBoundsMemoryAccess,
    TENON_TRAP_OUT_OF_BOUNDS_TABLE_ACCESS = OutOfBoundsTableAccess,
    TENON_TRAP_UNDEFINED_ELEMENT = UndefinedElement,
    TENON_TRAP_UNINITIALIZED_ELEMENT = UninitializedElement,
    TENON_TRAP_INDIRECT_CALL_TYPE_MISMATCH = IndirectCallTypeMismatch,
    TENON_TRAP_CALL_STACK_EXHAUSTED = CallStackExhausted,
    TENON_TRAP_NULL_REFERENCE = NullReference,
    TENON_TRAP_CAST_FAILURE = CastFailure,
    TENON_TRAP_OUT_OF_BOUNDS_ARRAY_ACCESS = OutOfBoundsArrayAccess,
    TENON_TRAP_UNALIGNED_ATOMIC = UnalignedAtomic,
    TENON_TRAP_ATOMIC_WAIT_NON_SHARED = AtomicWaitNonShared,
    TENON_TRAP_UNCAUGHT_EXCEPTION = UncaughtException,
    TENON_TRAP_ALLOCATION_FAILURE = AllocationFailure,
    TENON_TRAP_OUT_OF_FUEL = OutOfFuel,
    TENON_TRAP_INTERRUPT = Interrupt,
    TENON_TRAP_COMPILATION_FAILURE = CompilationFailure,
}

/// Why the trap happened; `TENON_TRAP_HOST` for a trap of the host. With NULL: `TENON_TRAP_HOST`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_trap_code(trap: Option<&wasm_trap_t>) -> tenon_trap_code_t {
    trap.map_or(TrapCode::Host, |trap| trap.trap().code) as tenon_trap_code_t
}
