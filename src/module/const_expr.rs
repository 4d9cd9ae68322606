//! Evaluation of constant expressions.
//!
//! Values are 128 raw bits: integers and floats in the low bits, zero above; null is zero; references of the `any` hierarchy are
//! 32 bits (`compile/layout.rs`), zero above. Validation has happened, so nothing is checked here; on an expression
//! that is not valid the result is meaningless, but there is one.

use super::ConstOp;
use crate::trap::TrapCode;

/// What an expression may refer to, and what makes the objects that it asks for.
///
/// Values are held here while objects are made: making one must not move others.
pub trait ConstContext {
    /// The value of a global.
    fn global(&mut self, index: u32) -> u128;
    /// The reference to a function.
    fn func(&mut self, index: u32) -> u128;
    /// A structure of the type with this index, with the default values of its fields if none are given.
    fn struct_new(&mut self, ty: u32, fields: Option<&[u128]>) -> Result<u128, TrapCode>;
    /// An array of the type with this index, of `len` times the same value, or the default value.
    fn array_new(&mut self, ty: u32, value: Option<u128>, len: u32) -> Result<u128, TrapCode>;
    /// An array of the type with this index.
    fn array_new_fixed(&mut self, ty: u32, values: &[u128]) -> Result<u128, TrapCode>;
    /// `any.convert_extern`, of a reference that is not null.
    fn any_convert_extern(&mut self, reference: u128) -> Result<u128, TrapCode>;
    /// `extern.convert_any`, of a reference that is not null.
    fn extern_convert_any(&mut self, reference: u128) -> Result<u128, TrapCode>;
}

/// The value of `expr`, or why it traps: objects may find no room.
pub fn evaluate(expr: &[ConstOp], context: &mut impl ConstContext) -> Result<u128, TrapCode> {
    if let [op] = expr
        && let Some(value) = leaf(*op, context)
    {
        return Ok(value);
    }
    let mut stack = Vec::with_capacity(expr.len());
    for op in expr {
        let value = match leaf(*op, context) {
            Some(value) => value,
            None => operator(*op, &mut stack, context)?,
        };
        stack.push(value);
    }
    Ok(stack.pop().unwrap_or(0))
}

/// The value of `expr` if it refers to nothing and makes nothing: known before there is an instance.
pub fn constant(expr: &[ConstOp]) -> Option<u128> {
    let depends = |op: &ConstOp| matches!(op, ConstOp::GlobalGet(_) | ConstOp::RefFunc(_));
    if expr.iter().any(depends) || makes_object(expr) {
        return None;
    }
    evaluate(expr, &mut Nothing).ok()
}

/// The context of expressions that ask for nothing.
struct Nothing;

impl ConstContext for Nothing {
    fn global(&mut self, _: u32) -> u128 {
        0
    }
    fn func(&mut self, _: u32) -> u128 {
        0
    }
    fn struct_new(&mut self, _: u32, _: Option<&[u128]>) -> Result<u128, TrapCode> {
        Ok(0)
    }
    fn array_new(&mut self, _: u32, _: Option<u128>, _: u32) -> Result<u128, TrapCode> {
        Ok(0)
    }
    fn array_new_fixed(&mut self, _: u32, _: &[u128]) -> Result<u128, TrapCode> {
        Ok(0)
    }
    fn any_convert_extern(&mut self, _: u128) -> Result<u128, TrapCode> {
        Ok(0)
    }
    fn extern_convert_any(&mut self, _: u128) -> Result<u128, TrapCode> {
        Ok(0)
    }
}

/// Whether evaluating `expr` makes an object, another one each time.
pub fn makes_object(expr: &[ConstOp]) -> bool {
    expr.iter().any(|op| {
        let makes_struct = matches!(op, ConstOp::StructNew { .. } | ConstOp::StructNewDefault(_));
        let makes_array =
            matches!(op, ConstOp::ArrayNew(_) | ConstOp::ArrayNewDefault(_) | ConstOp::ArrayNewFixed { .. });
        makes_struct || makes_array || matches!(op, ConstOp::AnyConvertExtern | ConstOp::ExternConvertAny)
    })
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
        _ => return None,
    })
}

/// The value of an instruction that takes its operands from the stack.
fn operator(op: ConstOp, stack: &mut Vec<u128>, context: &mut impl ConstContext) -> Result<u128, TrapCode> {
    match op {
        ConstOp::StructNew { ty, fields } => context.struct_new(ty, Some(&take(stack, fields))),
        ConstOp::StructNewDefault(ty) => context.struct_new(ty, None),
        ConstOp::ArrayNew(ty) => {
            let [value, len] = operands(stack);
            context.array_new(ty, Some(value), len as u32)
        }
        ConstOp::ArrayNewDefault(ty) => {
            let [len] = operands(stack);
            context.array_new(ty, None, len as u32)
        }
        ConstOp::ArrayNewFixed { ty, len } => context.array_new_fixed(ty, &take(stack, len)),
        ConstOp::RefI31 => {
            let [value] = operands(stack);
            Ok(u128::from((value as u32) << 1 | 1))
        }
        ConstOp::AnyConvertExtern | ConstOp::ExternConvertAny => match (operands(stack), op) {
            ([0], _) => Ok(0),
            ([reference], ConstOp::AnyConvertExtern) => context.any_convert_extern(reference),
            ([reference], _) => context.extern_convert_any(reference),
        },
        _ => {
            let [a, b] = operands(stack);
            Ok(binary(op, a as u64, b as u64))
        }
    }
}

/// The uppermost operands, the lowest first.
fn operands<const N: usize>(stack: &mut Vec<u128>) -> [u128; N] {
    let mut operands = [0; N];
    for place in operands.iter_mut().rev() {
        *place = stack.pop().unwrap_or(0);
    }
    operands
}

/// As [`operands`], of a number that only the module tells.
fn take(stack: &mut Vec<u128>, count: u32) -> Vec<u128> {
    stack.split_off(stack.len().saturating_sub(count as usize))
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

    /// Objects are numbered, and their operands noted.
    #[derive(Default)]
    struct Context(Vec<(&'static str, u32, Vec<u128>)>);

    impl Context {
        fn make(&mut self, what: &'static str, ty: u32, operands: &[u128]) -> Result<u128, TrapCode> {
            self.0.push((what, ty, operands.to_vec()));
            Ok(self.0.len() as u128 * 8)
        }
    }

    impl ConstContext for Context {
        fn global(&mut self, index: u32) -> u128 {
            u128::from(index) + 100
        }
        fn func(&mut self, index: u32) -> u128 {
            u128::from(index) + 0xf000
        }
        fn struct_new(&mut self, ty: u32, fields: Option<&[u128]>) -> Result<u128, TrapCode> {
            self.make(if fields.is_some() { "struct" } else { "default struct" }, ty, fields.unwrap_or(&[]))
        }
        fn array_new(&mut self, ty: u32, value: Option<u128>, len: u32) -> Result<u128, TrapCode> {
            if len == 77 {
                return Err(TrapCode::AllocationFailure);
            }
            self.make("array", ty, &[value.unwrap_or(u128::MAX), u128::from(len)])
        }
        fn array_new_fixed(&mut self, ty: u32, values: &[u128]) -> Result<u128, TrapCode> {
            self.make("fixed array", ty, values)
        }
        fn any_convert_extern(&mut self, reference: u128) -> Result<u128, TrapCode> {
            self.make("any", 0, &[reference])
        }
        fn extern_convert_any(&mut self, reference: u128) -> Result<u128, TrapCode> {
            self.make("extern", 0, &[reference])
        }
    }

    fn value(expr: &[ConstOp]) -> u128 {
        evaluate(expr, &mut Context::default()).unwrap()
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
            assert_eq!(value(&[op]), expected, "{op:?}");
        }
    }

    #[test]
    fn arithmetic_wraps_and_keeps_order() {
        assert_eq!(value(&[I32Const(5), I32Const(7), I32Sub]), 0xffff_fffe);
        assert_eq!(value(&[I32Const(i32::MAX), I32Const(1), I32Add]), 0x8000_0000);
        assert_eq!(value(&[I32Const(1 << 30), I32Const(4), I32Mul]), 0);
        assert_eq!(value(&[I64Const(1), I64Const(2), I64Sub]), 0xffff_ffff_ffff_ffff);
        assert_eq!(value(&[I64Const(1 << 62), I64Const(4), I64Mul]), 0);
        // 100 * (2 + 3) - 1
        let nested = [GlobalGet(0), I32Const(2), I32Const(3), I32Add, I32Mul, I32Const(1), I32Sub];
        assert_eq!(value(&nested), 499);
    }

    #[test]
    fn objects_take_their_operands_in_order() {
        let mut context = Context::default();
        let expr = [
            I32Const(1),
            I32Const(-1),
            RefI31,
            StructNew { ty: 4, fields: 2 },
            StructNewDefault(5),
            I32Const(9),
            I32Const(3),
            ArrayNew(6),
            I32Const(2),
            ArrayNewDefault(7),
            ArrayNewFixed { ty: 8, len: 4 },
            ExternConvertAny,
            AnyConvertExtern,
        ];
        assert!(makes_object(&expr));
        assert_eq!(evaluate(&expr, &mut context), Ok(7 * 8));
        let expected: [(&str, u32, Vec<u128>); 7] = [
            ("struct", 4, vec![1, 0xffff_ffff]),
            ("default struct", 5, vec![]),
            ("array", 6, vec![9, 3]),
            ("array", 7, vec![u128::MAX, 2]),
            ("fixed array", 8, vec![8, 16, 24, 32]),
            ("extern", 0, vec![40]),
            ("any", 0, vec![48]),
        ];
        assert_eq!(context.0, expected);
        assert_eq!(
            evaluate(&[I32Const(77), ArrayNewDefault(0), RefNull], &mut context),
            Err(TrapCode::AllocationFailure)
        );
    }

    #[test]
    fn null_is_converted_to_null() {
        assert_eq!(value(&[RefNull, AnyConvertExtern]), 0);
        assert_eq!(value(&[RefNull, ExternConvertAny]), 0);
        assert!(!makes_object(&[I32Const(1), RefI31]) && !makes_object(&[RefFunc(0)]));
    }

    #[test]
    fn what_is_not_valid_has_some_value() {
        assert_eq!(value(&[]), 0);
        assert_eq!(value(&[I32Add]), 0);
        assert_eq!(value(&[I32Const(1), I32Const(2), I64Mul, I32Sub, I32Add]), 0xffff_fffe);
    }
}
