//! Numbers. Cranelift's instructions mean what WebAssembly's do, traps included; without signals the traps of
//! divisions and conversions are checked for beforehand.

use super::memory::{float_type, int_type};
use super::translate::Translator;
use crate::compile::op::*;
use crate::trap::TrapCode;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};

impl Translator<'_> {
    /// `i32.const`
    pub(super) fn i32_const(&mut self, value: i32) -> Value {
        self.b.ins().iconst(types::I32, i64::from(value as u32))
    }

    /// An index as an argument of a helper.
    pub(super) fn index_const(&mut self, index: u32) -> Value {
        self.b.ins().iconst(types::I32, i64::from(index))
    }

    /// A condition as 0 or 1.
    fn push_bool(&mut self, condition: Value) {
        let value = self.b.ins().uextend(types::I32, condition);
        self.push(value);
    }

    pub(super) fn int_eqz(&mut self) {
        let a = self.pop();
        let zero = self.b.ins().icmp_imm_u(IntCC::Equal, a, 0);
        self.push_bool(zero);
    }

    pub(super) fn int_compare(&mut self, op: IntCompare) {
        let (b, a) = (self.pop(), self.pop());
        let condition = self.b.ins().icmp(int_cc(op), a, b);
        self.push_bool(condition);
    }

    pub(super) fn float_compare(&mut self, op: FloatCompare) {
        let (b, a) = (self.pop(), self.pop());
        let condition = self.b.ins().fcmp(float_cc(op), a, b);
        self.push_bool(condition);
    }

    /// An operator on 128 bits.
    pub(super) fn wide(&mut self, op: Wide) {
        let value = match op {
            Wide::Mul { signed } => {
                let (b, a) = (self.pop(), self.pop());
                let [a, b] = [a, b].map(|half| match signed {
                    true => self.b.ins().sextend(types::I128, half),
                    false => self.b.ins().uextend(types::I128, half),
                });
                self.b.ins().imul(a, b)
            }
            Wide::Add | Wide::Sub => {
                let (b, a) = (self.pop_wide(), self.pop_wide());
                if op == Wide::Add { self.b.ins().iadd(a, b) } else { self.b.ins().isub(a, b) }
            }
        };
        let (low, high) = self.b.ins().isplit(value);
        self.push(low);
        self.push(high);
    }

    fn pop_wide(&mut self) -> Value {
        let (high, low) = (self.pop(), self.pop());
        self.b.ins().iconcat(low, high)
    }

    pub(super) fn int_unary(&mut self, ty: Int, op: IntUnary) {
        let a = self.pop();
        let value = match op {
            IntUnary::Clz => self.b.ins().clz(a),
            IntUnary::Ctz => self.b.ins().ctz(a),
            IntUnary::Popcnt => self.b.ins().popcnt(a),
            IntUnary::Extend(bits) => {
                let narrow = types::Type::int(u16::from(bits)).expect("8, 16 or 32 bits");
                let low = self.b.ins().ireduce(narrow, a);
                self.b.ins().sextend(int_type(ty), low)
            }
        };
        self.push(value);
    }

    pub(super) fn int_binary(&mut self, ty: Int, op: IntBinary) {
        let (b, a) = (self.pop(), self.pop());
        let value = match op {
            IntBinary::Add => self.b.ins().iadd(a, b),
            IntBinary::Sub => self.b.ins().isub(a, b),
            IntBinary::Mul => self.b.ins().imul(a, b),
            IntBinary::DivS => {
                self.check_divisor(b);
                self.check_quotient(ty, a, b);
                self.b.ins().sdiv(a, b)
            }
            IntBinary::DivU => {
                self.check_divisor(b);
                self.b.ins().udiv(a, b)
            }
            IntBinary::RemS => {
                self.check_divisor(b);
                self.b.ins().srem(a, b)
            }
            IntBinary::RemU => {
                self.check_divisor(b);
                self.b.ins().urem(a, b)
            }
            IntBinary::And => self.b.ins().band(a, b),
            IntBinary::Or => self.b.ins().bor(a, b),
            IntBinary::Xor => self.b.ins().bxor(a, b),
            IntBinary::Shl => self.b.ins().ishl(a, b),
            IntBinary::ShrS => self.b.ins().sshr(a, b),
            IntBinary::ShrU => self.b.ins().ushr(a, b),
            IntBinary::Rotl => self.b.ins().rotl(a, b),
            IntBinary::Rotr => self.b.ins().rotr(a, b),
        };
        self.push(value);
    }

    /// A division traps by zero.
    fn check_divisor(&mut self, b: Value) {
        if self.constant_of(b).is_some_and(|b| b != 0) {
            return;
        }
        self.visible = true;
        if !self.tunables.signals {
            self.trap_unless(b, TrapCode::IntegerDivideByZero);
        }
    }

    /// A signed division traps if it is of the least value by -1.
    fn check_quotient(&mut self, ty: Int, a: Value, b: Value) {
        let (least, minus_one) = match ty {
            Int::I32 => (i64::from(i32::MIN as u32), i64::from(u32::MAX)),
            Int::I64 => (i64::MIN, -1),
        };
        let same = |constant: i64, other: i64| match ty {
            Int::I32 => constant as i32 == other as i32,
            Int::I64 => constant == other,
        };
        if self.constant_of(b).is_some_and(|b| !same(b, minus_one))
            || self.constant_of(a).is_some_and(|a| !same(a, least))
        {
            return;
        }
        self.visible = true;
        if !self.tunables.signals {
            let least = self.b.ins().iconst(int_type(ty), least);
            let is_least = self.b.ins().icmp(IntCC::Equal, a, least);
            let minus_one = self.b.ins().iconst(int_type(ty), minus_one);
            let is_minus_one = self.b.ins().icmp(IntCC::Equal, b, minus_one);
            let overflows = self.b.ins().band(is_least, is_minus_one);
            self.trap_if(overflows, TrapCode::IntegerOverflow);
        }
    }

    pub(super) fn float_unary(&mut self, op: FloatUnary) {
        let a = self.pop();
        let value = self.float_unary_of(op, a);
        self.push(value);
    }

    /// Of a float, or of each in a vector.
    pub(super) fn float_unary_of(&mut self, op: FloatUnary, a: Value) -> Value {
        match op {
            FloatUnary::Abs => self.b.ins().fabs(a),
            FloatUnary::Neg => self.b.ins().fneg(a),
            FloatUnary::Ceil => self.b.ins().ceil(a),
            FloatUnary::Floor => self.b.ins().floor(a),
            FloatUnary::Trunc => self.b.ins().trunc(a),
            FloatUnary::Nearest => self.b.ins().nearest(a),
            FloatUnary::Sqrt => self.b.ins().sqrt(a),
        }
    }

    pub(super) fn float_binary(&mut self, op: FloatBinary) {
        let (b, a) = (self.pop(), self.pop());
        let value = self.float_binary_of(op, a, b);
        self.push(value);
    }

    /// Of two floats, or of each pair in two vectors.
    pub(super) fn float_binary_of(&mut self, op: FloatBinary, a: Value, b: Value) -> Value {
        match op {
            FloatBinary::Add => self.b.ins().fadd(a, b),
            FloatBinary::Sub => self.b.ins().fsub(a, b),
            FloatBinary::Mul => self.b.ins().fmul(a, b),
            FloatBinary::Div => self.b.ins().fdiv(a, b),
            FloatBinary::Min => self.b.ins().fmin(a, b),
            FloatBinary::Max => self.b.ins().fmax(a, b),
            FloatBinary::Copysign => self.b.ins().fcopysign(a, b),
        }
    }

    pub(super) fn convert(&mut self, op: Convert) {
        let a = self.pop();
        let value = match op {
            Convert::Wrap => self.b.ins().ireduce(types::I32, a),
            Convert::Extend { signed: true } => self.b.ins().sextend(types::I64, a),
            Convert::Extend { signed: false } => self.b.ins().uextend(types::I64, a),
            Convert::Trunc { to, signed, saturating: true, .. } => self.saturate(a, to, signed),
            Convert::Trunc { from, to, signed, saturating: false } => {
                self.visible = true;
                if self.tunables.signals && signed {
                    self.b.ins().fcvt_to_sint(int_type(to), a)
                } else if self.tunables.signals {
                    self.b.ins().fcvt_to_uint(int_type(to), a)
                } else {
                    self.check_trunc(a, from, to, signed);
                    self.saturate(a, to, signed)
                }
            }
            Convert::Convert { to, signed: true, .. } => self.b.ins().fcvt_from_sint(float_type(to), a),
            Convert::Convert { to, signed: false, .. } => self.b.ins().fcvt_from_uint(float_type(to), a),
            Convert::Demote => self.b.ins().fdemote(types::F32, a),
            Convert::Promote => self.b.ins().fpromote(types::F64, a),
            Convert::FloatOfBits(ty) => self.b.ins().bitcast(float_type(ty), MemFlagsData::new(), a),
            Convert::BitsOfFloat(Float::F32) => self.b.ins().bitcast(types::I32, MemFlagsData::new(), a),
            Convert::BitsOfFloat(Float::F64) => self.b.ins().bitcast(types::I64, MemFlagsData::new(), a),
        };
        self.push(value);
    }

    fn saturate(&mut self, a: Value, to: Int, signed: bool) -> Value {
        if signed {
            self.b.ins().fcvt_to_sint_sat(int_type(to), a)
        } else {
            self.b.ins().fcvt_to_uint_sat(int_type(to), a)
        }
    }

    /// A conversion traps on NaN, and unless the float lies between the bounds.
    fn check_trunc(&mut self, a: Value, from: Float, to: Int, signed: bool) {
        let number = self.b.ins().fcmp(FloatCC::Ordered, a, a);
        self.trap_unless(number, TrapCode::InvalidConversionToInteger);
        let Bounds { above, inclusive, below } = bounds(from, to, signed);
        let above = self.float_const(from, above);
        let cc = if inclusive { FloatCC::GreaterThanOrEqual } else { FloatCC::GreaterThan };
        let is_above = self.b.ins().fcmp(cc, a, above);
        let below = self.float_const(from, below);
        let is_below = self.b.ins().fcmp(FloatCC::LessThan, a, below);
        let fits = self.b.ins().band(is_above, is_below);
        self.trap_unless(fits, TrapCode::IntegerOverflow);
    }

    fn float_const(&mut self, ty: Float, value: f64) -> Value {
        match ty {
            Float::F32 => self.b.ins().f32const(Ieee32::with_float(value as f32)),
            Float::F64 => self.b.ins().f64const(Ieee64::with_float(value)),
        }
    }
}

/// The condition of a comparison.
pub(super) fn int_cc(op: IntCompare) -> IntCC {
    match op {
        IntCompare::Eq => IntCC::Equal,
        IntCompare::Ne => IntCC::NotEqual,
        IntCompare::LtS => IntCC::SignedLessThan,
        IntCompare::LtU => IntCC::UnsignedLessThan,
        IntCompare::GtS => IntCC::SignedGreaterThan,
        IntCompare::GtU => IntCC::UnsignedGreaterThan,
        IntCompare::LeS => IntCC::SignedLessThanOrEqual,
        IntCompare::LeU => IntCC::UnsignedLessThanOrEqual,
        IntCompare::GeS => IntCC::SignedGreaterThanOrEqual,
        IntCompare::GeU => IntCC::UnsignedGreaterThanOrEqual,
    }
}

/// The condition of a comparison.
pub(super) fn float_cc(op: FloatCompare) -> FloatCC {
    match op {
        FloatCompare::Eq => FloatCC::Equal,
        FloatCompare::Ne => FloatCC::NotEqual,
        FloatCompare::Lt => FloatCC::LessThan,
        FloatCompare::Gt => FloatCC::GreaterThan,
        FloatCompare::Le => FloatCC::LessThanOrEqual,
        FloatCompare::Ge => FloatCC::GreaterThanOrEqual,
    }
}

/// The floats that truncate to an integer type: those above (or at) one bound and below another, all exact.
struct Bounds {
    above: f64,
    inclusive: bool,
    below: f64,
}

fn bounds(from: Float, to: Int, signed: bool) -> Bounds {
    let bits = match to {
        Int::I32 => 32,
        Int::I64 => 64,
    };
    if !signed {
        return Bounds { above: -1.0, inclusive: false, below: 2f64.powi(bits) };
    }
    let least = -2f64.powi(bits - 1);
    // One below the least integer is a float only where the significand is longer than the integer.
    let (above, inclusive) = match (from, to) {
        (Float::F64, Int::I32) => (least - 1.0, false),
        _ => (least, true),
    };
    Bounds { above, inclusive, below: -least }
}
