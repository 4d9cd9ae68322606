//! Vectors. A `v128` is an `I8X16` on the operand stack, in locals and in signatures; operators see it as their shape asks.
//!
//! The views are bitcasts, which cost nothing; one that undoes another is not made, so that the instruction selector finds
//! the patterns that it knows. Nothing here becomes a call: all that the processor might lack is older than SSE4.1, and
//! products and sums of floats are never fused.

use super::memory::Address;
use super::numeric::{float_cc, int_cc};
use super::translate::Translator;
use crate::compile::op::*;
use crate::compile::vector::*;
use cranelift_codegen::ir::condcodes::FloatCC;
use cranelift_codegen::ir::types::{F32X4, F64X2, I8, I8X16, I16, I16X8, I32, I32X4, I64X2};
use cranelift_codegen::ir::{self, Endianness, InstBuilder, InstructionData, MemFlagsData, Opcode, Value};

/// The type that has this shape.
fn shape_type(shape: Shape) -> ir::Type {
    match shape {
        Shape::I8x16 => I8X16,
        Shape::I16x8 => I16X8,
        Shape::I32x4 => I32X4,
        Shape::I64x2 => I64X2,
        Shape::F32x4 => F32X4,
        Shape::F64x2 => F64X2,
    }
}

impl Translator<'_> {
    /// A vector, whatever its lanes, as one of type `ty`.
    fn view(&mut self, value: Value, ty: ir::Type) -> Value {
        let dfg = &self.b.func.dfg;
        let value = dfg.resolve_aliases(value);
        if dfg.value_type(value) == ty {
            return value;
        }
        if let Some(inst) = dfg.value_def(value).inst()
            && let InstructionData::LoadNoOffset { opcode: Opcode::Bitcast, arg, .. } = dfg.insts[inst]
            && dfg.value_type(arg) == ty
        {
            return arg;
        }
        let flags = MemFlagsData::new().with_endianness(Endianness::Little);
        self.b.ins().bitcast(ty, flags, value)
    }

    fn pop_as(&mut self, ty: ir::Type) -> Value {
        let value = self.pop();
        self.view(value, ty)
    }

    fn push_vector(&mut self, value: Value) {
        let value = self.view(value, I8X16);
        self.push(value);
    }

    /// A constant vector.
    pub(super) fn vector_const(&mut self, bytes: [u8; 16]) -> Value {
        let constant = self.b.func.dfg.constants.insert(bytes.as_slice().into());
        self.b.ins().vconst(I8X16, constant)
    }

    fn vector_zero(&mut self, ty: ir::Type) -> Value {
        let constant = self.b.func.dfg.constants.insert([0; 16].as_slice().into());
        self.b.ins().vconst(ty, constant)
    }

    /// The lower bits of a number on the stack as a lane.
    fn pop_lane(&mut self, shape: Shape) -> Value {
        let value = self.pop();
        match shape {
            Shape::I8x16 => self.b.ins().ireduce(I8, value),
            Shape::I16x8 => self.b.ins().ireduce(I16, value),
            _ => value,
        }
    }

    /// A vector operator that touches no memory.
    pub(super) fn vector(&mut self, op: VectorOp) {
        let value = match op {
            VectorOp::Const(bytes) => self.vector_const(bytes),
            VectorOp::Extract(..) | VectorOp::AnyTrue | VectorOp::AllTrue(_) | VectorOp::Bitmask(_) => {
                return self.vector_to_number(op);
            }
            VectorOp::Shuffle(lanes) => {
                let (b, a) = (self.pop(), self.pop());
                let lanes = self.b.func.dfg.immediates.push(lanes.as_slice().into());
                self.b.ins().shuffle(a, b, lanes)
            }
            VectorOp::Swizzle => {
                let (b, a) = (self.pop(), self.pop());
                self.b.ins().swizzle(a, b)
            }
            VectorOp::Splat(shape) => {
                let lane = self.pop_lane(shape);
                self.b.ins().splat(shape_type(shape), lane)
            }
            VectorOp::Replace(shape, index) => {
                let lane = self.pop_lane(shape);
                let vector = self.pop_as(shape_type(shape));
                self.b.ins().insertlane(vector, lane, index)
            }
            VectorOp::Not => {
                let a = self.pop();
                self.b.ins().bnot(a)
            }
            VectorOp::Bitwise(op) => {
                let (b, a) = (self.pop(), self.pop());
                match op {
                    Bitwise::And => self.b.ins().band(a, b),
                    Bitwise::AndNot => {
                        let b = self.b.ins().bnot(b);
                        self.b.ins().band(a, b)
                    }
                    Bitwise::Or => self.b.ins().bor(a, b),
                    Bitwise::Xor => self.b.ins().bxor(a, b),
                }
            }
            VectorOp::Bitselect => {
                let (mask, b, a) = (self.pop(), self.pop(), self.pop());
                self.b.ins().bitselect(mask, a, b)
            }
            VectorOp::Unary(shape, op) => {
                let a = self.pop_as(shape_type(shape));
                match op {
                    LaneUnary::Abs => self.b.ins().iabs(a),
                    LaneUnary::Neg => self.b.ins().ineg(a),
                    LaneUnary::Popcnt => self.b.ins().popcnt(a),
                }
            }
            VectorOp::Binary(shape, op) => self.lane_binary(shape, op),
            VectorOp::Shift(shape, op) => {
                let count = self.pop();
                let a = self.pop_as(shape_type(shape));
                match op {
                    IntBinary::Shl => self.b.ins().ishl(a, count),
                    IntBinary::ShrS => self.b.ins().sshr(a, count),
                    _ => self.b.ins().ushr(a, count),
                }
            }
            VectorOp::IntCompare(shape, op) => {
                let (a, b) = self.pop_two(shape);
                self.b.ins().icmp(int_cc(op), a, b)
            }
            VectorOp::FloatUnary(shape, op) => {
                let a = self.pop_as(shape_type(shape));
                self.float_unary_of(op, a)
            }
            VectorOp::FloatBinary(shape, op) => {
                let (a, b) = self.pop_two(shape);
                self.float_binary_of(op, a, b)
            }
            VectorOp::FloatCompare(shape, op) => {
                let (a, b) = self.pop_two(shape);
                self.b.ins().fcmp(float_cc(op), a, b)
            }
            VectorOp::PMin(shape) => {
                let (a, b) = self.pop_two(shape);
                self.second_if_less(b, a, a, b)
            }
            VectorOp::PMax(shape) => {
                let (a, b) = self.pop_two(shape);
                self.second_if_less(a, b, a, b)
            }
            VectorOp::Madd(shape, negated) => {
                let c = self.pop_as(shape_type(shape));
                let (a, b) = self.pop_two(shape);
                let product = self.b.ins().fmul(a, b);
                if negated { self.b.ins().fsub(c, product) } else { self.b.ins().fadd(product, c) }
            }
            VectorOp::Narrow(..)
            | VectorOp::Extend(..)
            | VectorOp::ExtMul(..)
            | VectorOp::ExtAddPairwise(..)
            | VectorOp::Dot(_)
            | VectorOp::DotAdd => self.change_width(op),
            VectorOp::TruncSat(shape, signed) => self.vector_trunc(shape, signed),
            VectorOp::Convert(shape, signed) => {
                let a = self.pop_as(I32X4);
                match (shape, signed) {
                    (Shape::F64x2, true) => {
                        let wide = self.b.ins().swiden_low(a);
                        self.b.ins().fcvt_from_sint(F64X2, wide)
                    }
                    (Shape::F64x2, false) => {
                        let wide = self.b.ins().uwiden_low(a);
                        self.b.ins().fcvt_from_uint(F64X2, wide)
                    }
                    (_, true) => self.b.ins().fcvt_from_sint(F32X4, a),
                    (_, false) => self.b.ins().fcvt_from_uint(F32X4, a),
                }
            }
            VectorOp::Demote => {
                let a = self.pop_as(F64X2);
                self.b.ins().fvdemote(a)
            }
            VectorOp::Promote => {
                let a = self.pop_as(F32X4);
                self.b.ins().fvpromote_low(a)
            }
        };
        self.push_vector(value);
    }

    /// Two operands of a shape, the first first.
    fn pop_two(&mut self, shape: Shape) -> (Value, Value) {
        let ty = shape_type(shape);
        let b = self.pop_as(ty);
        let a = self.pop_as(ty);
        (a, b)
    }

    /// In each lane `b` where `x < y`, else `a`.
    fn second_if_less(&mut self, x: Value, y: Value, a: Value, b: Value) -> Value {
        let ty = self.b.func.dfg.value_type(a);
        let mask = self.b.ins().fcmp(FloatCC::LessThan, x, y);
        let mask = self.view(mask, ty);
        self.b.ins().bitselect(mask, b, a)
    }

    fn vector_to_number(&mut self, op: VectorOp) {
        let value = match op {
            VectorOp::Extract(shape, index, signed) => {
                let a = self.pop_as(shape_type(shape));
                let lane = self.b.ins().extractlane(a, index);
                match (shape, signed) {
                    (Shape::I8x16 | Shape::I16x8, true) => self.b.ins().sextend(I32, lane),
                    (Shape::I8x16 | Shape::I16x8, false) => self.b.ins().uextend(I32, lane),
                    _ => lane,
                }
            }
            VectorOp::AllTrue(shape) => {
                let a = self.pop_as(shape_type(shape));
                let all = self.b.ins().vall_true(a);
                self.b.ins().uextend(I32, all)
            }
            VectorOp::Bitmask(shape) => {
                let a = self.pop_as(shape_type(shape));
                self.b.ins().vhigh_bits(I32, a)
            }
            _ => {
                let a = self.pop();
                let any = self.b.ins().vany_true(a);
                self.b.ins().uextend(I32, any)
            }
        };
        self.push(value);
    }

    fn lane_binary(&mut self, shape: Shape, op: LaneBinary) -> Value {
        let (a, b) = self.pop_two(shape);
        let ins = self.b.ins();
        match op {
            LaneBinary::Add => ins.iadd(a, b),
            LaneBinary::Sub => ins.isub(a, b),
            LaneBinary::Mul => ins.imul(a, b),
            LaneBinary::AddSatS => ins.sadd_sat(a, b),
            LaneBinary::AddSatU => ins.uadd_sat(a, b),
            LaneBinary::SubSatS => ins.ssub_sat(a, b),
            LaneBinary::SubSatU => ins.usub_sat(a, b),
            LaneBinary::MinS => ins.smin(a, b),
            LaneBinary::MinU => ins.umin(a, b),
            LaneBinary::MaxS => ins.smax(a, b),
            LaneBinary::MaxU => ins.umax(a, b),
            LaneBinary::AvgrU => ins.avg_round(a, b),
            LaneBinary::Q15MulrSatS => ins.sqmul_round_sat(a, b),
        }
    }

    /// Half of the lanes, extended.
    fn widen(&mut self, a: Value, half: Half, signed: bool) -> Value {
        match (half, signed) {
            (Half::Low, true) => self.b.ins().swiden_low(a),
            (Half::Low, false) => self.b.ins().uwiden_low(a),
            (Half::High, true) => self.b.ins().swiden_high(a),
            (Half::High, false) => self.b.ins().uwiden_high(a),
        }
    }

    /// The sums of neighbouring products of signed lanes.
    fn dot(&mut self, a: Value, b: Value) -> Value {
        let [low, high] = [Half::Low, Half::High].map(|half| {
            let (a, b) = (self.widen(a, half, true), self.widen(b, half, true));
            self.b.ins().imul(a, b)
        });
        self.b.ins().iadd_pairwise(low, high)
    }

    /// The sums of neighbouring lanes.
    fn add_pairwise(&mut self, a: Value, signed: bool) -> Value {
        let low = self.widen(a, Half::Low, signed);
        let high = self.widen(a, Half::High, signed);
        self.b.ins().iadd_pairwise(low, high)
    }

    fn change_width(&mut self, op: VectorOp) -> Value {
        match op {
            VectorOp::Narrow(shape, signed) => {
                let (a, b) = self.pop_two(shape);
                if signed { self.b.ins().snarrow(a, b) } else { self.b.ins().unarrow(a, b) }
            }
            VectorOp::Extend(shape, half, signed) => {
                let a = self.pop_as(shape_type(shape));
                self.widen(a, half, signed)
            }
            VectorOp::ExtMul(shape, half, signed) => {
                let (a, b) = self.pop_two(shape);
                let a = self.widen(a, half, signed);
                let b = self.widen(b, half, signed);
                self.b.ins().imul(a, b)
            }
            VectorOp::ExtAddPairwise(shape, signed) => {
                let a = self.pop_as(shape_type(shape));
                self.add_pairwise(a, signed)
            }
            VectorOp::Dot(shape) => {
                let (a, b) = self.pop_two(shape);
                self.dot(a, b)
            }
            _ => {
                let c = self.pop_as(I32X4);
                let (a, b) = self.pop_two(Shape::I8x16);
                let products = self.dot(a, b);
                let sums = self.add_pairwise(products, true);
                self.b.ins().iadd(sums, c)
            }
        }
    }

    fn vector_trunc(&mut self, shape: Shape, signed: bool) -> Value {
        let a = self.pop_as(shape_type(shape));
        match (shape, signed) {
            // Of two lanes the selector knows these combinations as a whole only.
            (Shape::F64x2, true) => {
                let wide = self.b.ins().fcvt_to_sint_sat(I64X2, a);
                let zero = self.vector_zero(I64X2);
                self.b.ins().snarrow(wide, zero)
            }
            (Shape::F64x2, false) => {
                let wide = self.b.ins().fcvt_to_uint_sat(I64X2, a);
                let zero = self.vector_zero(I64X2);
                self.b.ins().uunarrow(wide, zero)
            }
            (_, true) => self.b.ins().fcvt_to_sint_sat(I32X4, a),
            (_, false) => self.b.ins().fcvt_to_uint_sat(I32X4, a),
        }
    }

    /// A load of a vector, or of what becomes one.
    pub(super) fn vector_load(&mut self, load: VectorLoad, place: Place) {
        let vector = match load {
            VectorLoad::Lane(shape, _) => Some(self.pop_as(shape_type(shape))),
            _ => None,
        };
        let Address { address: p, displacement: d, flags } = self.address(place, load.bytes());
        let ins = self.b.ins();
        let value = match load {
            VectorLoad::Whole => ins.load(I8X16, flags, p, d),
            VectorLoad::Extend(Shape::I8x16, true) => ins.sload8x8(flags, p, d),
            VectorLoad::Extend(Shape::I8x16, false) => ins.uload8x8(flags, p, d),
            VectorLoad::Extend(Shape::I16x8, true) => ins.sload16x4(flags, p, d),
            VectorLoad::Extend(Shape::I16x8, false) => ins.uload16x4(flags, p, d),
            VectorLoad::Extend(_, true) => ins.sload32x2(flags, p, d),
            VectorLoad::Extend(_, false) => ins.uload32x2(flags, p, d),
            VectorLoad::Splat(shape) => {
                let ty = shape_type(shape);
                let lane = ins.load(ty.lane_type(), flags, p, d);
                self.b.ins().splat(ty, lane)
            }
            VectorLoad::Zero(shape) => {
                let ty = shape_type(shape);
                let lane = ins.load(ty.lane_type(), flags, p, d);
                self.b.ins().scalar_to_vector(ty, lane)
            }
            VectorLoad::Lane(shape, index) => {
                let lane = ins.load(shape_type(shape).lane_type(), flags, p, d);
                let vector = vector.expect("popped for a load of a lane");
                self.b.ins().insertlane(vector, lane, index)
            }
        };
        self.push_vector(value);
    }

    /// A store of a vector or a lane.
    pub(super) fn vector_store(&mut self, store: VectorStore, place: Place) {
        let value = match store {
            VectorStore::Whole => self.pop(),
            VectorStore::Lane(shape, index) => {
                let vector = self.pop_as(shape_type(shape));
                self.b.ins().extractlane(vector, index)
            }
        };
        let Address { address: p, displacement: d, flags } = self.address(place, store.bytes());
        self.b.ins().store(flags, value, p, d);
    }
}
