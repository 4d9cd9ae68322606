//! Why execution stopped: the trap codes, with the specification's wording.

/// The reason of a trap. The numbers are part of `tenon.h` and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TrapCode {
    /// A trap made by the host, or one whose reason is only in its message.
    Host = 0,
    /// `unreachable` was executed.
    Unreachable = 1,
    /// An integer division or remainder by zero.
    IntegerDivideByZero = 2,
    /// A signed division, or a conversion from a float, whose result does not fit.
    IntegerOverflow = 3,
    /// A conversion of NaN to an integer.
    InvalidConversionToInteger = 4,
    /// A memory access outside of the memory.
    OutOfBoundsMemoryAccess = 5,
    /// A table access outside of the table.
    OutOfBoundsTableAccess = 6,
    /// `call_indirect` with an index outside of the table.
    UndefinedElement = 7,
    /// `call_indirect` on a null element.
    UninitializedElement = 8,
    /// `call_indirect` on a function of another type.
    IndirectCallTypeMismatch = 9,
    /// Recursion deeper than the stack allows.
    CallStackExhausted = 10,
    /// A null reference where an object is needed.
    NullReference = 11,
    /// A failed `ref.cast`.
    CastFailure = 12,
    /// An array access outside of the array.
    OutOfBoundsArrayAccess = 13,
    /// An atomic access at an address that is not a multiple of its size.
    UnalignedAtomic = 14,
    /// An atomic wait on a memory that is not shared.
    AtomicWaitNonShared = 15,
    /// An exception that nothing caught.
    UncaughtException = 16,
    /// The store's heap, a table or a memory is full where the instruction cannot say so.
    AllocationFailure = 17,
    /// The store's fuel is used up.
    OutOfFuel = 18,
    /// The host asked for an interruption.
    Interrupt = 19,
    /// A function could not be compiled: out of code memory, or too large.
    CompilationFailure = 20,
    /// `call_ref` of a null reference: a `NullReference` with a message of its own.
    NullFunctionReference = 64,
    /// `throw_ref` of a null reference, likewise.
    NullExceptionReference = 65,
    /// An access to a field of a null reference, likewise.
    NullStructureReference = 66,
    /// An access to an array by a null reference, likewise.
    NullArrayReference = 67,
    /// `i31.get_s` or `i31.get_u` of a null reference, likewise.
    NullI31Reference = 68,
}

impl TrapCode {
    /// All codes of `tenon.h`, in the order of their numbers.
    pub const ALL: [TrapCode; 21] = [
        TrapCode::Host,
        TrapCode::Unreachable,
        TrapCode::IntegerDivideByZero,
        TrapCode::IntegerOverflow,
        TrapCode::InvalidConversionToInteger,
        TrapCode::OutOfBoundsMemoryAccess,
        TrapCode::OutOfBoundsTableAccess,
        TrapCode::UndefinedElement,
        TrapCode::UninitializedElement,
        TrapCode::IndirectCallTypeMismatch,
        TrapCode::CallStackExhausted,
        TrapCode::NullReference,
        TrapCode::CastFailure,
        TrapCode::OutOfBoundsArrayAccess,
        TrapCode::UnalignedAtomic,
        TrapCode::AtomicWaitNonShared,
        TrapCode::UncaughtException,
        TrapCode::AllocationFailure,
        TrapCode::OutOfFuel,
        TrapCode::Interrupt,
        TrapCode::CompilationFailure,
    ];

    /// The code with this number.
    pub fn from_u8(number: u8) -> Option<TrapCode> {
        match number {
            64 => Some(TrapCode::NullFunctionReference),
            65 => Some(TrapCode::NullExceptionReference),
            66 => Some(TrapCode::NullStructureReference),
            67 => Some(TrapCode::NullArrayReference),
            68 => Some(TrapCode::NullI31Reference),
            number => TrapCode::ALL.get(usize::from(number)).copied(),
        }
    }

    /// The code of `tenon.h`: some that the specification words differently are one there.
    pub fn public(self) -> TrapCode {
        match self {
            TrapCode::NullFunctionReference | TrapCode::NullExceptionReference => TrapCode::NullReference,
            TrapCode::NullStructureReference | TrapCode::NullArrayReference | TrapCode::NullI31Reference => {
                TrapCode::NullReference
            }
            code => code,
        }
    }

    /// The specification's wording.
    pub fn message(self) -> &'static str {
        match self {
            TrapCode::Host => "host trap",
            TrapCode::Unreachable => "unreachable",
            TrapCode::IntegerDivideByZero => "integer divide by zero",
            TrapCode::IntegerOverflow => "integer overflow",
            TrapCode::InvalidConversionToInteger => "invalid conversion to integer",
            TrapCode::OutOfBoundsMemoryAccess => "out of bounds memory access",
            TrapCode::OutOfBoundsTableAccess => "out of bounds table access",
            TrapCode::UndefinedElement => "undefined element",
            TrapCode::UninitializedElement => "uninitialized element",
            TrapCode::IndirectCallTypeMismatch => "indirect call type mismatch",
            TrapCode::CallStackExhausted => "call stack exhausted",
            TrapCode::NullReference => "null reference",
            TrapCode::CastFailure => "cast failure",
            TrapCode::OutOfBoundsArrayAccess => "out of bounds array access",
            TrapCode::UnalignedAtomic => "unaligned atomic",
            TrapCode::AtomicWaitNonShared => "expected shared memory",
            TrapCode::UncaughtException => "uncaught exception",
            TrapCode::AllocationFailure => "allocation failure",
            TrapCode::OutOfFuel => "out of fuel",
            TrapCode::Interrupt => "interrupt",
            TrapCode::CompilationFailure => "compilation failure",
            TrapCode::NullFunctionReference => "null function reference",
            TrapCode::NullExceptionReference => "null exception reference",
            TrapCode::NullStructureReference => "null structure reference",
            TrapCode::NullArrayReference => "null array reference",
            TrapCode::NullI31Reference => "null i31 reference",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TrapCode;

    #[test]
    fn numbers_are_positions() {
        for (i, code) in TrapCode::ALL.iter().enumerate() {
            assert_eq!(*code as usize, i);
            assert_eq!(TrapCode::from_u8(i as u8), Some(*code));
        }
        assert_eq!(TrapCode::from_u8(TrapCode::ALL.len() as u8), None);
        for number in 0..=255 {
            if let Some(code) = TrapCode::from_u8(number) {
                assert_eq!(code as u8, number);
                assert!(TrapCode::ALL.contains(&code.public()));
            }
        }
    }
}
