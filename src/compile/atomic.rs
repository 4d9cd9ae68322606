//! What the atomic operators mean, by families (the threads proposal): the part of `op.rs` that is about accesses which other
//! threads see as a whole, in one order for all of them.
//!
//! Such an access traps unless its address is a multiple of its size; that is checked first, then the bounds.

use super::op::{Int, Op, place};
use wasmparser::Operator;

/// How an atomic access changes what is there, given what is on the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rmw {
    /// To the sum.
    Add,
    /// To the difference.
    Sub,
    /// To the bitwise and.
    And,
    /// To the bitwise or.
    Or,
    /// To the bitwise exclusive or.
    Xor,
    /// To what is on the stack.
    Xchg,
}

/// What an atomic operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtomicOp {
    /// A load.
    Load,
    /// A store.
    Store,
    /// Changes what is there, and gives what was there.
    Rmw(Rmw),
    /// Replaces what is there if it is as expected, and gives what was there. Both are cut to the bytes of the access.
    Cmpxchg,
    /// Sleeps until notified, if what is there is as expected. Traps on a memory that is not shared.
    Wait,
    /// Wakes threads that wait at the address.
    Notify,
}

/// What an atomic access moves: bytes of an integer type, extended by zeros where they are fewer than the type has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtomicAccess {
    /// The type on the stack.
    pub ty: Int,
    /// Bytes in memory.
    pub bytes: u8,
}

/// The family of an atomic operator.
pub(super) fn family<'a>(operator: &Operator<'_>) -> Option<Op<'a>> {
    use self::Rmw::*;
    use AtomicOp::*;
    use Int::*;
    use Operator as O;
    let (op, ty, bytes, memarg) = match operator {
        O::AtomicFence { .. } => return Some(Op::AtomicFence),
        O::MemoryAtomicNotify { memarg } => (Notify, I32, 4, memarg),
        O::MemoryAtomicWait32 { memarg } => (Wait, I32, 4, memarg),
        O::MemoryAtomicWait64 { memarg } => (Wait, I64, 8, memarg),
        O::I32AtomicLoad { memarg } => (Load, I32, 4, memarg),
        O::I64AtomicLoad { memarg } => (Load, I64, 8, memarg),
        O::I32AtomicLoad8U { memarg } => (Load, I32, 1, memarg),
        O::I32AtomicLoad16U { memarg } => (Load, I32, 2, memarg),
        O::I64AtomicLoad8U { memarg } => (Load, I64, 1, memarg),
        O::I64AtomicLoad16U { memarg } => (Load, I64, 2, memarg),
        O::I64AtomicLoad32U { memarg } => (Load, I64, 4, memarg),
        O::I32AtomicStore { memarg } => (Store, I32, 4, memarg),
        O::I64AtomicStore { memarg } => (Store, I64, 8, memarg),
        O::I32AtomicStore8 { memarg } => (Store, I32, 1, memarg),
        O::I32AtomicStore16 { memarg } => (Store, I32, 2, memarg),
        O::I64AtomicStore8 { memarg } => (Store, I64, 1, memarg),
        O::I64AtomicStore16 { memarg } => (Store, I64, 2, memarg),
        O::I64AtomicStore32 { memarg } => (Store, I64, 4, memarg),
        O::I32AtomicRmwAdd { memarg } => (Rmw(Add), I32, 4, memarg),
        O::I64AtomicRmwAdd { memarg } => (Rmw(Add), I64, 8, memarg),
        O::I32AtomicRmw8AddU { memarg } => (Rmw(Add), I32, 1, memarg),
        O::I32AtomicRmw16AddU { memarg } => (Rmw(Add), I32, 2, memarg),
        O::I64AtomicRmw8AddU { memarg } => (Rmw(Add), I64, 1, memarg),
        O::I64AtomicRmw16AddU { memarg } => (Rmw(Add), I64, 2, memarg),
        O::I64AtomicRmw32AddU { memarg } => (Rmw(Add), I64, 4, memarg),
        O::I32AtomicRmwSub { memarg } => (Rmw(Sub), I32, 4, memarg),
        O::I64AtomicRmwSub { memarg } => (Rmw(Sub), I64, 8, memarg),
        O::I32AtomicRmw8SubU { memarg } => (Rmw(Sub), I32, 1, memarg),
        O::I32AtomicRmw16SubU { memarg } => (Rmw(Sub), I32, 2, memarg),
        O::I64AtomicRmw8SubU { memarg } => (Rmw(Sub), I64, 1, memarg),
        O::I64AtomicRmw16SubU { memarg } => (Rmw(Sub), I64, 2, memarg),
        O::I64AtomicRmw32SubU { memarg } => (Rmw(Sub), I64, 4, memarg),
        O::I32AtomicRmwAnd { memarg } => (Rmw(And), I32, 4, memarg),
        O::I64AtomicRmwAnd { memarg } => (Rmw(And), I64, 8, memarg),
        O::I32AtomicRmw8AndU { memarg } => (Rmw(And), I32, 1, memarg),
        O::I32AtomicRmw16AndU { memarg } => (Rmw(And), I32, 2, memarg),
        O::I64AtomicRmw8AndU { memarg } => (Rmw(And), I64, 1, memarg),
        O::I64AtomicRmw16AndU { memarg } => (Rmw(And), I64, 2, memarg),
        O::I64AtomicRmw32AndU { memarg } => (Rmw(And), I64, 4, memarg),
        O::I32AtomicRmwOr { memarg } => (Rmw(Or), I32, 4, memarg),
        O::I64AtomicRmwOr { memarg } => (Rmw(Or), I64, 8, memarg),
        O::I32AtomicRmw8OrU { memarg } => (Rmw(Or), I32, 1, memarg),
        O::I32AtomicRmw16OrU { memarg } => (Rmw(Or), I32, 2, memarg),
        O::I64AtomicRmw8OrU { memarg } => (Rmw(Or), I64, 1, memarg),
        O::I64AtomicRmw16OrU { memarg } => (Rmw(Or), I64, 2, memarg),
        O::I64AtomicRmw32OrU { memarg } => (Rmw(Or), I64, 4, memarg),
        O::I32AtomicRmwXor { memarg } => (Rmw(Xor), I32, 4, memarg),
        O::I64AtomicRmwXor { memarg } => (Rmw(Xor), I64, 8, memarg),
        O::I32AtomicRmw8XorU { memarg } => (Rmw(Xor), I32, 1, memarg),
        O::I32AtomicRmw16XorU { memarg } => (Rmw(Xor), I32, 2, memarg),
        O::I64AtomicRmw8XorU { memarg } => (Rmw(Xor), I64, 1, memarg),
        O::I64AtomicRmw16XorU { memarg } => (Rmw(Xor), I64, 2, memarg),
        O::I64AtomicRmw32XorU { memarg } => (Rmw(Xor), I64, 4, memarg),
        O::I32AtomicRmwXchg { memarg } => (Rmw(Xchg), I32, 4, memarg),
        O::I64AtomicRmwXchg { memarg } => (Rmw(Xchg), I64, 8, memarg),
        O::I32AtomicRmw8XchgU { memarg } => (Rmw(Xchg), I32, 1, memarg),
        O::I32AtomicRmw16XchgU { memarg } => (Rmw(Xchg), I32, 2, memarg),
        O::I64AtomicRmw8XchgU { memarg } => (Rmw(Xchg), I64, 1, memarg),
        O::I64AtomicRmw16XchgU { memarg } => (Rmw(Xchg), I64, 2, memarg),
        O::I64AtomicRmw32XchgU { memarg } => (Rmw(Xchg), I64, 4, memarg),
        O::I32AtomicRmwCmpxchg { memarg } => (Cmpxchg, I32, 4, memarg),
        O::I64AtomicRmwCmpxchg { memarg } => (Cmpxchg, I64, 8, memarg),
        O::I32AtomicRmw8CmpxchgU { memarg } => (Cmpxchg, I32, 1, memarg),
        O::I32AtomicRmw16CmpxchgU { memarg } => (Cmpxchg, I32, 2, memarg),
        O::I64AtomicRmw8CmpxchgU { memarg } => (Cmpxchg, I64, 1, memarg),
        O::I64AtomicRmw16CmpxchgU { memarg } => (Cmpxchg, I64, 2, memarg),
        O::I64AtomicRmw32CmpxchgU { memarg } => (Cmpxchg, I64, 4, memarg),
        _ => return None,
    };
    Some(Op::Atomic(op, AtomicAccess { ty, bytes }, place(memarg)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::{MemArg, MemArgTarget};

    /// The width that an operator's name tells is the one that its family has.
    #[test]
    fn names_and_families_agree() {
        let mut seen = 0;
        for opcode in 0..=0xffu8 {
            let bytes = [&[0xfe, opcode & 0x7f | 0x80, opcode >> 7][..], &[0; 40]].concat();
            let mut reader = wasmparser::OperatorsReader::new(wasmparser::BinaryReader::new(&bytes, 0));
            let Ok(operator) = reader.read() else { continue };
            let Some(Op::Atomic(op, AtomicAccess { ty, bytes }, _)) = family(&operator) else { continue };
            let name = super::super::op::name(&operator);
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>().parse::<u8>().ok();
            let whole = if ty == I32_TYPE { 32 } else { 64 };
            match op {
                AtomicOp::Wait => assert_eq!(name, format!("memory.atomic.wait{whole}")),
                AtomicOp::Notify => assert_eq!(name, "memory.atomic.notify"),
                _ => {
                    let (prefix, rest) = name.split_once(".atomic.").unwrap();
                    assert_eq!(digits(prefix), Some(whole), "{name}");
                    assert_eq!(digits(rest).unwrap_or(whole), bytes * 8, "{name}");
                    let verb = match op {
                        AtomicOp::Rmw(rmw) => format!("{rmw:?}"),
                        other => format!("{other:?}"),
                    };
                    assert!(rest.contains(&verb.to_lowercase()), "{name}: {verb}");
                }
            }
            seen += 1;
        }
        assert_eq!(seen, 3 + 14 + 7 * 7);
    }

    const I32_TYPE: Int = Int::I32;

    #[test]
    fn places_are_taken_over() {
        let memarg = MemArg { align: 2, max_align: 2, offset: 7, target: MemArgTarget::Memory(3), ordering: None };
        let expected = AtomicAccess { ty: Int::I64, bytes: 4 };
        let Some(Op::Atomic(op, access, place)) = family(&Operator::I64AtomicRmw32XchgU { memarg }) else { panic!() };
        assert_eq!((op, access), (AtomicOp::Rmw(Rmw::Xchg), expected));
        assert_eq!((place.memory, place.offset), (3, 7));
    }
}
