//! Evaluation of constant expressions.
//!
//! Values are 128 raw bits: integers and floats in the low bits, zero above; null is zero. Validation has happened,
//! so nothing is checked here; on an expression that is not valid the result is meaningless, but there is one.

use super::{ConstOp, Module};
use crate::types::ValType;

/// What an expression may refer to.
pub trait ConstContext {
    /// The value of a global.
    fn global(&mut self, index: u32) -> u128;
    /// The reference to a function.
    fn func(&mut self, index: u32) -> u128;
}

/// The value of `expr`.
pub fn evaluate(expr: &[ConstOp], context: &mut impl ConstContext) -> u128 {
    if let [op] = expr {
        return leaf(*op, context).unwrap_or(0);
    }
    let mut stack = Vec::with_capacity(expr.len());
    for op in expr {
        let value = match leaf(*op, context) {
            Some(value) => value,
            None => {
                let b = stack.pop().unwrap_or(0);
                let a = stack.pop().unwrap_or(0);
                binary(*op, a as u64, b as u64)
            }
        };
        stack.push(value);
    }
    stack.pop().unwrap_or(0)
}

/// The value of `expr` if it refers to nothing: known before there is an instance.
pub fn constant(expr: &[ConstOp]) -> Option<u128> {
    struct Nothing(bool);
    impl ConstContext for Nothing {
        fn global(&mut self, _: u32) -> u128 {
            self.0 = true;
            0
        }
        fn func(&mut self, _: u32) -> u128 {
            self.0 = true;
            0
        }
    }
    let mut context = Nothing(false);
    let value = evaluate(expr, &mut context);
    (!context.0).then_some(value)
}

/// The type of `expr`'s value in `module`; none for null, whose heap type is not kept.
pub fn result_type(expr: &[ConstOp], module: &Module) -> Option<ValType> {
    match expr.last()? {
        ConstOp::I32Const(_) | ConstOp::I32Add | ConstOp::I32Sub | ConstOp::I32Mul => Some(ValType::I32),
        ConstOp::I64Const(_) | ConstOp::I64Add | ConstOp::I64Sub | ConstOp::I64Mul => Some(ValType::I64),
        ConstOp::F32Const(_) => Some(ValType::F32),
        ConstOp::F64Const(_) => Some(ValType::F64),
        ConstOp::V128Const(_) => Some(ValType::V128),
        ConstOp::GlobalGet(index) => Some(module.globals.get(*index as usize)?.content),
        ConstOp::RefFunc(_) => Some(ValType::FUNCREF),
        ConstOp::RefNull => None,
    }
}

/// The value of an instruction without operands.
fn leaf(op: ConstOp, context: &mut impl ConstContext) -> Option<u128> {
    Some(match op {
        ConstOp::I32Const(value) => u128::from(value as u32),
        ConstOp::I64Const(value) => u128::from(value as u64),
        ConstOp::F32Const(bits) => u128::from(bits),
        ConstOp::F64Const(bits) => u128::from(bits),
        ConstOp::V128Const(bits) => bits,
        ConstOp::GlobalGet(index) => context.global(index),
        ConstOp::RefFunc(index) => context.func(index),
        ConstOp::RefNull => 0,
        ConstOp::I32Add | ConstOp::I32Sub | ConstOp::I32Mul => return None,
        ConstOp::I64Add | ConstOp::I64Sub | ConstOp::I64Mul => return None,
    })
}

/// The value of an instruction with two operands.
fn binary(op: ConstOp, a: u64, b: u64) -> u128 {
    let (x, y) = (a as u32, b as u32);
    match op {
        ConstOp::I32Add => u128::from(x.wrapping_add(y)),
        ConstOp::I32Sub => u128::from(x.wrapping_sub(y)),
        ConstOp::I32Mul => u128::from(x.wrapping_mul(y)),
        ConstOp::I64Add => u128::from(a.wrapping_add(b)),
        ConstOp::I64Sub => u128::from(a.wrapping_sub(b)),
        ConstOp::I64Mul => u128::from(a.wrapping_mul(b)),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::ConstOp::*;
    use super::*;

    struct Context;
    impl ConstContext for Context {
        fn global(&mut self, index: u32) -> u128 {
            u128::from(index) + 100
        }
        fn func(&mut self, index: u32) -> u128 {
            u128::from(index) + 0xf000
        }
    }

    #[test]
    fn leaves() {
        let cases = [
            (I32Const(-1), 0xffff_ffff),
            (I64Const(-2), 0xffff_ffff_ffff_fffe),
            (F32Const(0x7fc0_0001), 0x7fc0_0001),
            (F64Const(1 << 63), 1 << 63),
            (V128Const(u128::MAX - 1), u128::MAX - 1),
            (GlobalGet(3), 103),
            (RefFunc(7), 0xf007),
            (RefNull, 0),
        ];
        for (op, expected) in cases {
            assert_eq!(evaluate(&[op], &mut Context), expected, "{op:?}");
        }
    }

    #[test]
    fn arithmetic_wraps_and_keeps_order() {
        assert_eq!(evaluate(&[I32Const(5), I32Const(7), I32Sub], &mut Context), 0xffff_fffe);
        assert_eq!(evaluate(&[I32Const(i32::MAX), I32Const(1), I32Add], &mut Context), 0x8000_0000);
        assert_eq!(evaluate(&[I32Const(1 << 30), I32Const(4), I32Mul], &mut Context), 0);
        assert_eq!(evaluate(&[I64Const(1), I64Const(2), I64Sub], &mut Context), 0xffff_ffff_ffff_ffff);
        assert_eq!(evaluate(&[I64Const(1 << 62), I64Const(4), I64Mul], &mut Context), 0);
        // 100 * (2 + 3) - 1
        let nested = [GlobalGet(0), I32Const(2), I32Const(3), I32Add, I32Mul, I32Const(1), I32Sub];
        assert_eq!(evaluate(&nested, &mut Context), 499);
    }

    #[test]
    fn what_is_not_valid_has_some_value() {
        assert_eq!(evaluate(&[], &mut Context), 0);
        assert_eq!(evaluate(&[I32Add], &mut Context), 0);
        assert_eq!(evaluate(&[I32Const(1), I32Const(2), I64Mul, I32Sub, I32Add], &mut Context), 0xffff_fffe);
    }

    #[test]
    fn constants_refer_to_nothing() {
        assert_eq!(constant(&[I32Const(2), I32Const(3), I32Mul]), Some(6));
        assert_eq!(constant(&[RefNull]), Some(0));
        assert_eq!(constant(&[GlobalGet(0)]), None);
        assert_eq!(constant(&[GlobalGet(0), I32Const(3), I32Mul]), None);
        assert_eq!(constant(&[RefFunc(0)]), None);
    }
}
