//! What the vector operators mean, by families (section 2.4.2): the part of `op.rs` that is about `v128`.
//!
//! A family is an operation, with the shape of its operands as data. Relaxed operators are given the one of their
//! permitted meanings that strict operators have, so that results do not depend on the processor.

use super::op::{FloatBinary, FloatCompare, FloatUnary, IntBinary, IntCompare, Op, place};
use wasmparser::{MemArg, Operator};

/// How the 128 bits are divided into lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Sixteen `i8`.
    I8x16,
    /// Eight `i16`.
    I16x8,
    /// Four `i32`.
    I32x4,
    /// Two `i64`.
    I64x2,
    /// Four `f32`.
    F32x4,
    /// Two `f64`.
    F64x2,
}

/// One integer vector to another of the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneUnary {
    /// Absolute value, wrapping.
    Abs,
    /// Negation, wrapping.
    Neg,
    /// Ones.
    Popcnt,
}

/// Two integer vectors to one of the same shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaneBinary {
    /// Sum, wrapping.
    Add,
    /// Difference, wrapping.
    Sub,
    /// Product, wrapping.
    Mul,
    /// Sum, saturating as signed.
    AddSatS,
    /// Sum, saturating as unsigned.
    AddSatU,
    /// Difference, saturating as signed.
    SubSatS,
    /// Difference, saturating as unsigned.
    SubSatU,
    /// The lesser, signed.
    MinS,
    /// The lesser, unsigned.
    MinU,
    /// The greater, signed.
    MaxS,
    /// The greater, unsigned.
    MaxU,
    /// Unsigned mean, rounded up.
    AvgrU,
    /// Product of fixed-point numbers with 15 bits behind the point, rounded, saturating.
    Q15MulrSatS,
}

/// Operations on all bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bitwise {
    /// And.
    And,
    /// The first, and the complement of the second.
    AndNot,
    /// Or.
    Or,
    /// Exclusive or.
    Xor,
}

/// Half of the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Half {
    /// The lower ones.
    Low,
    /// The upper ones.
    High,
}

/// A vector operator by its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorOp {
    /// `v128.const`, little-endian.
    Const([u8; 16]),
    /// `shuffle`: each lane from the 32 of both operands.
    Shuffle([u8; 16]),
    /// `swizzle`: each lane of the first by an index in the second; zero for an index that is outside.
    Swizzle,
    /// `splat`
    Splat(Shape),
    /// `extract_lane`
    Extract(Shape, u8, bool),
    /// `replace_lane`
    Replace(Shape, u8),
    /// `v128.not`
    Not,
    /// Two vectors to one, bit by bit.
    Bitwise(Bitwise),
    /// `v128.bitselect`
    Bitselect,
    /// `v128.any_true`
    AnyTrue,
    /// `all_true`
    AllTrue(Shape),
    /// `bitmask`: the topmost bits of the lanes.
    Bitmask(Shape),
    /// Integers to integers.
    Unary(Shape, LaneUnary),
    /// Integers and integers to integers.
    Binary(Shape, LaneBinary),
    /// By a number of bits modulo the lanes' width.
    Shift(Shape, IntBinary),
    /// To lanes of ones or zeros.
    IntCompare(Shape, IntCompare),
    /// Floats to floats.
    FloatUnary(Shape, FloatUnary),
    /// Floats and floats to floats.
    FloatBinary(Shape, FloatBinary),
    /// To lanes of ones or zeros.
    FloatCompare(Shape, FloatCompare),
    /// `pmin`: the second if it is less, else the first.
    PMin(Shape),
    /// `pmax`: the second if the first is less, else the first.
    PMax(Shape),
    /// Lanes of this shape to half as wide ones, saturating as signed, or as unsigned.
    Narrow(Shape, bool),
    /// Half of the lanes of this shape to twice as wide ones, by the sign or by zeros.
    Extend(Shape, Half, bool),
    /// The products of extended lanes.
    ExtMul(Shape, Half, bool),
    /// The sums of neighbouring lanes, extended.
    ExtAddPairwise(Shape, bool),
    /// `i32x4.dot_i16x8_s`, and the same of `i8x16`: sums of neighbouring products, wrapping.
    Dot(Shape),
    /// `i32x4.relaxed_dot_i8x16_i7x16_add_s`
    DotAdd,
    /// Floats of this shape to `i32x4`, saturating; missing lanes are zero.
    TruncSat(Shape, bool),
    /// Of `i32x4` as many lanes as there are floats in this shape.
    Convert(Shape, bool),
    /// `f32x4.demote_f64x2_zero`
    Demote,
    /// `f64x2.promote_low_f32x4`
    Promote,
    /// The product, negated or not, plus the third, each rounded.
    Madd(Shape, bool),
}

/// What a load reads and makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorLoad {
    /// 16 bytes.
    Whole,
    /// One lane, to all lanes.
    Splat(Shape),
    /// 8 bytes of lanes of this shape, each extended to twice its width, by the sign or by zeros.
    Extend(Shape, bool),
    /// One lane, zeros above.
    Zero(Shape),
    /// One lane in a vector that is given.
    Lane(Shape, u8),
}

/// What a store writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorStore {
    /// 16 bytes.
    Whole,
    /// One lane.
    Lane(Shape, u8),
}

impl Shape {
    /// Bytes of a lane.
    pub fn lane_bytes(self) -> u8 {
        match self {
            Shape::I8x16 => 1,
            Shape::I16x8 => 2,
            Shape::I32x4 | Shape::F32x4 => 4,
            Shape::I64x2 | Shape::F64x2 => 8,
        }
    }
}

impl VectorLoad {
    /// Bytes read.
    pub fn bytes(self) -> u8 {
        match self {
            VectorLoad::Whole => 16,
            VectorLoad::Extend(..) => 8,
            VectorLoad::Splat(shape) | VectorLoad::Zero(shape) | VectorLoad::Lane(shape, _) => shape.lane_bytes(),
        }
    }
}

impl VectorStore {
    /// Bytes written.
    pub fn bytes(self) -> u8 {
        match self {
            VectorStore::Whole => 16,
            VectorStore::Lane(shape, _) => shape.lane_bytes(),
        }
    }
}

fn load<'a>(load: VectorLoad, arg: &MemArg) -> Option<Op<'a>> {
    Some(Op::VectorLoad(load, place(arg)?))
}

fn store<'a>(store: VectorStore, arg: &MemArg) -> Option<Op<'a>> {
    Some(Op::VectorStore(store, place(arg)?))
}

/// The family of an operator that reads or writes memory, or of another vector operator.
pub(super) fn family<'a>(operator: &Operator<'a>) -> Option<Op<'a>> {
    use Operator as O;
    use Shape::*;
    match operator {
        O::V128Load { memarg } => load(VectorLoad::Whole, memarg),
        O::V128Load8x8S { memarg } => load(VectorLoad::Extend(I8x16, true), memarg),
        O::V128Load8x8U { memarg } => load(VectorLoad::Extend(I8x16, false), memarg),
        O::V128Load16x4S { memarg } => load(VectorLoad::Extend(I16x8, true), memarg),
        O::V128Load16x4U { memarg } => load(VectorLoad::Extend(I16x8, false), memarg),
        O::V128Load32x2S { memarg } => load(VectorLoad::Extend(I32x4, true), memarg),
        O::V128Load32x2U { memarg } => load(VectorLoad::Extend(I32x4, false), memarg),
        O::V128Load8Splat { memarg } => load(VectorLoad::Splat(I8x16), memarg),
        O::V128Load16Splat { memarg } => load(VectorLoad::Splat(I16x8), memarg),
        O::V128Load32Splat { memarg } => load(VectorLoad::Splat(I32x4), memarg),
        O::V128Load64Splat { memarg } => load(VectorLoad::Splat(I64x2), memarg),
        O::V128Load32Zero { memarg } => load(VectorLoad::Zero(I32x4), memarg),
        O::V128Load64Zero { memarg } => load(VectorLoad::Zero(I64x2), memarg),
        O::V128Load8Lane { memarg, lane } => load(VectorLoad::Lane(I8x16, *lane), memarg),
        O::V128Load16Lane { memarg, lane } => load(VectorLoad::Lane(I16x8, *lane), memarg),
        O::V128Load32Lane { memarg, lane } => load(VectorLoad::Lane(I32x4, *lane), memarg),
        O::V128Load64Lane { memarg, lane } => load(VectorLoad::Lane(I64x2, *lane), memarg),
        O::V128Store { memarg } => store(VectorStore::Whole, memarg),
        O::V128Store8Lane { memarg, lane } => store(VectorStore::Lane(I8x16, *lane), memarg),
        O::V128Store16Lane { memarg, lane } => store(VectorStore::Lane(I16x8, *lane), memarg),
        O::V128Store32Lane { memarg, lane } => store(VectorStore::Lane(I32x4, *lane), memarg),
        O::V128Store64Lane { memarg, lane } => store(VectorStore::Lane(I64x2, *lane), memarg),
        _ => Some(Op::Vector(vector(operator)?)),
    }
}

fn vector(operator: &Operator<'_>) -> Option<VectorOp> {
    use Half::*;
    use Operator as O;
    use Shape::*;
    use VectorOp as V;
    Some(match operator {
        O::V128Const { value } => V::Const(*value.bytes()),
        O::I8x16Shuffle { lanes } => V::Shuffle(*lanes),
        O::I8x16Swizzle | O::I8x16RelaxedSwizzle => V::Swizzle,
        O::V128Not => V::Not,
        O::V128And => V::Bitwise(Bitwise::And),
        O::V128AndNot => V::Bitwise(Bitwise::AndNot),
        O::V128Or => V::Bitwise(Bitwise::Or),
        O::V128Xor => V::Bitwise(Bitwise::Xor),
        O::V128Bitselect
        | O::I8x16RelaxedLaneselect
        | O::I16x8RelaxedLaneselect
        | O::I32x4RelaxedLaneselect
        | O::I64x2RelaxedLaneselect => V::Bitselect,
        O::V128AnyTrue => V::AnyTrue,

        O::I8x16Splat => V::Splat(I8x16),
        O::I16x8Splat => V::Splat(I16x8),
        O::I32x4Splat => V::Splat(I32x4),
        O::I64x2Splat => V::Splat(I64x2),
        O::F32x4Splat => V::Splat(F32x4),
        O::F64x2Splat => V::Splat(F64x2),
        O::I8x16ExtractLaneS { lane } => V::Extract(I8x16, *lane, true),
        O::I8x16ExtractLaneU { lane } => V::Extract(I8x16, *lane, false),
        O::I16x8ExtractLaneS { lane } => V::Extract(I16x8, *lane, true),
        O::I16x8ExtractLaneU { lane } => V::Extract(I16x8, *lane, false),
        O::I32x4ExtractLane { lane } => V::Extract(I32x4, *lane, false),
        O::I64x2ExtractLane { lane } => V::Extract(I64x2, *lane, false),
        O::F32x4ExtractLane { lane } => V::Extract(F32x4, *lane, false),
        O::F64x2ExtractLane { lane } => V::Extract(F64x2, *lane, false),
        O::I8x16ReplaceLane { lane } => V::Replace(I8x16, *lane),
        O::I16x8ReplaceLane { lane } => V::Replace(I16x8, *lane),
        O::I32x4ReplaceLane { lane } => V::Replace(I32x4, *lane),
        O::I64x2ReplaceLane { lane } => V::Replace(I64x2, *lane),
        O::F32x4ReplaceLane { lane } => V::Replace(F32x4, *lane),
        O::F64x2ReplaceLane { lane } => V::Replace(F64x2, *lane),

        O::I8x16AllTrue => V::AllTrue(I8x16),
        O::I16x8AllTrue => V::AllTrue(I16x8),
        O::I32x4AllTrue => V::AllTrue(I32x4),
        O::I64x2AllTrue => V::AllTrue(I64x2),
        O::I8x16Bitmask => V::Bitmask(I8x16),
        O::I16x8Bitmask => V::Bitmask(I16x8),
        O::I32x4Bitmask => V::Bitmask(I32x4),
        O::I64x2Bitmask => V::Bitmask(I64x2),
        O::I8x16Abs => V::Unary(I8x16, LaneUnary::Abs),
        O::I8x16Neg => V::Unary(I8x16, LaneUnary::Neg),
        O::I16x8Abs => V::Unary(I16x8, LaneUnary::Abs),
        O::I16x8Neg => V::Unary(I16x8, LaneUnary::Neg),
        O::I32x4Abs => V::Unary(I32x4, LaneUnary::Abs),
        O::I32x4Neg => V::Unary(I32x4, LaneUnary::Neg),
        O::I64x2Abs => V::Unary(I64x2, LaneUnary::Abs),
        O::I64x2Neg => V::Unary(I64x2, LaneUnary::Neg),
        O::I8x16Popcnt => V::Unary(I8x16, LaneUnary::Popcnt),
        O::I8x16Add => V::Binary(I8x16, LaneBinary::Add),
        O::I8x16Sub => V::Binary(I8x16, LaneBinary::Sub),
        O::I8x16AddSatS => V::Binary(I8x16, LaneBinary::AddSatS),
        O::I8x16AddSatU => V::Binary(I8x16, LaneBinary::AddSatU),
        O::I8x16SubSatS => V::Binary(I8x16, LaneBinary::SubSatS),
        O::I8x16SubSatU => V::Binary(I8x16, LaneBinary::SubSatU),
        O::I8x16AvgrU => V::Binary(I8x16, LaneBinary::AvgrU),
        O::I8x16MinS => V::Binary(I8x16, LaneBinary::MinS),
        O::I8x16MinU => V::Binary(I8x16, LaneBinary::MinU),
        O::I8x16MaxS => V::Binary(I8x16, LaneBinary::MaxS),
        O::I8x16MaxU => V::Binary(I8x16, LaneBinary::MaxU),
        O::I16x8Add => V::Binary(I16x8, LaneBinary::Add),
        O::I16x8Sub => V::Binary(I16x8, LaneBinary::Sub),
        O::I16x8Mul => V::Binary(I16x8, LaneBinary::Mul),
        O::I16x8AddSatS => V::Binary(I16x8, LaneBinary::AddSatS),
        O::I16x8AddSatU => V::Binary(I16x8, LaneBinary::AddSatU),
        O::I16x8SubSatS => V::Binary(I16x8, LaneBinary::SubSatS),
        O::I16x8SubSatU => V::Binary(I16x8, LaneBinary::SubSatU),
        O::I16x8AvgrU => V::Binary(I16x8, LaneBinary::AvgrU),
        O::I16x8MinS => V::Binary(I16x8, LaneBinary::MinS),
        O::I16x8MinU => V::Binary(I16x8, LaneBinary::MinU),
        O::I16x8MaxS => V::Binary(I16x8, LaneBinary::MaxS),
        O::I16x8MaxU => V::Binary(I16x8, LaneBinary::MaxU),
        O::I32x4Add => V::Binary(I32x4, LaneBinary::Add),
        O::I32x4Sub => V::Binary(I32x4, LaneBinary::Sub),
        O::I32x4Mul => V::Binary(I32x4, LaneBinary::Mul),
        O::I32x4MinS => V::Binary(I32x4, LaneBinary::MinS),
        O::I32x4MinU => V::Binary(I32x4, LaneBinary::MinU),
        O::I32x4MaxS => V::Binary(I32x4, LaneBinary::MaxS),
        O::I32x4MaxU => V::Binary(I32x4, LaneBinary::MaxU),
        O::I64x2Add => V::Binary(I64x2, LaneBinary::Add),
        O::I64x2Sub => V::Binary(I64x2, LaneBinary::Sub),
        O::I64x2Mul => V::Binary(I64x2, LaneBinary::Mul),
        O::I16x8Q15MulrSatS | O::I16x8RelaxedQ15mulrS => V::Binary(I16x8, LaneBinary::Q15MulrSatS),
        O::I8x16Shl => V::Shift(I8x16, IntBinary::Shl),
        O::I8x16ShrS => V::Shift(I8x16, IntBinary::ShrS),
        O::I8x16ShrU => V::Shift(I8x16, IntBinary::ShrU),
        O::I16x8Shl => V::Shift(I16x8, IntBinary::Shl),
        O::I16x8ShrS => V::Shift(I16x8, IntBinary::ShrS),
        O::I16x8ShrU => V::Shift(I16x8, IntBinary::ShrU),
        O::I32x4Shl => V::Shift(I32x4, IntBinary::Shl),
        O::I32x4ShrS => V::Shift(I32x4, IntBinary::ShrS),
        O::I32x4ShrU => V::Shift(I32x4, IntBinary::ShrU),
        O::I64x2Shl => V::Shift(I64x2, IntBinary::Shl),
        O::I64x2ShrS => V::Shift(I64x2, IntBinary::ShrS),
        O::I64x2ShrU => V::Shift(I64x2, IntBinary::ShrU),

        O::I8x16Eq => V::IntCompare(I8x16, IntCompare::Eq),
        O::I8x16Ne => V::IntCompare(I8x16, IntCompare::Ne),
        O::I8x16LtS => V::IntCompare(I8x16, IntCompare::LtS),
        O::I8x16LtU => V::IntCompare(I8x16, IntCompare::LtU),
        O::I8x16GtS => V::IntCompare(I8x16, IntCompare::GtS),
        O::I8x16GtU => V::IntCompare(I8x16, IntCompare::GtU),
        O::I8x16LeS => V::IntCompare(I8x16, IntCompare::LeS),
        O::I8x16LeU => V::IntCompare(I8x16, IntCompare::LeU),
        O::I8x16GeS => V::IntCompare(I8x16, IntCompare::GeS),
        O::I8x16GeU => V::IntCompare(I8x16, IntCompare::GeU),
        O::I16x8Eq => V::IntCompare(I16x8, IntCompare::Eq),
        O::I16x8Ne => V::IntCompare(I16x8, IntCompare::Ne),
        O::I16x8LtS => V::IntCompare(I16x8, IntCompare::LtS),
        O::I16x8LtU => V::IntCompare(I16x8, IntCompare::LtU),
        O::I16x8GtS => V::IntCompare(I16x8, IntCompare::GtS),
        O::I16x8GtU => V::IntCompare(I16x8, IntCompare::GtU),
        O::I16x8LeS => V::IntCompare(I16x8, IntCompare::LeS),
        O::I16x8LeU => V::IntCompare(I16x8, IntCompare::LeU),
        O::I16x8GeS => V::IntCompare(I16x8, IntCompare::GeS),
        O::I16x8GeU => V::IntCompare(I16x8, IntCompare::GeU),
        O::I32x4Eq => V::IntCompare(I32x4, IntCompare::Eq),
        O::I32x4Ne => V::IntCompare(I32x4, IntCompare::Ne),
        O::I32x4LtS => V::IntCompare(I32x4, IntCompare::LtS),
        O::I32x4LtU => V::IntCompare(I32x4, IntCompare::LtU),
        O::I32x4GtS => V::IntCompare(I32x4, IntCompare::GtS),
        O::I32x4GtU => V::IntCompare(I32x4, IntCompare::GtU),
        O::I32x4LeS => V::IntCompare(I32x4, IntCompare::LeS),
        O::I32x4LeU => V::IntCompare(I32x4, IntCompare::LeU),
        O::I32x4GeS => V::IntCompare(I32x4, IntCompare::GeS),
        O::I32x4GeU => V::IntCompare(I32x4, IntCompare::GeU),
        O::I64x2Eq => V::IntCompare(I64x2, IntCompare::Eq),
        O::I64x2Ne => V::IntCompare(I64x2, IntCompare::Ne),
        O::I64x2LtS => V::IntCompare(I64x2, IntCompare::LtS),
        O::I64x2GtS => V::IntCompare(I64x2, IntCompare::GtS),
        O::I64x2LeS => V::IntCompare(I64x2, IntCompare::LeS),
        O::I64x2GeS => V::IntCompare(I64x2, IntCompare::GeS),
        O::F32x4Eq => V::FloatCompare(F32x4, FloatCompare::Eq),
        O::F32x4Ne => V::FloatCompare(F32x4, FloatCompare::Ne),
        O::F32x4Lt => V::FloatCompare(F32x4, FloatCompare::Lt),
        O::F32x4Gt => V::FloatCompare(F32x4, FloatCompare::Gt),
        O::F32x4Le => V::FloatCompare(F32x4, FloatCompare::Le),
        O::F32x4Ge => V::FloatCompare(F32x4, FloatCompare::Ge),
        O::F32x4Abs => V::FloatUnary(F32x4, FloatUnary::Abs),
        O::F32x4Neg => V::FloatUnary(F32x4, FloatUnary::Neg),
        O::F32x4Ceil => V::FloatUnary(F32x4, FloatUnary::Ceil),
        O::F32x4Floor => V::FloatUnary(F32x4, FloatUnary::Floor),
        O::F32x4Trunc => V::FloatUnary(F32x4, FloatUnary::Trunc),
        O::F32x4Nearest => V::FloatUnary(F32x4, FloatUnary::Nearest),
        O::F32x4Sqrt => V::FloatUnary(F32x4, FloatUnary::Sqrt),
        O::F32x4Add => V::FloatBinary(F32x4, FloatBinary::Add),
        O::F32x4Sub => V::FloatBinary(F32x4, FloatBinary::Sub),
        O::F32x4Mul => V::FloatBinary(F32x4, FloatBinary::Mul),
        O::F32x4Div => V::FloatBinary(F32x4, FloatBinary::Div),
        O::F32x4Min | O::F32x4RelaxedMin => V::FloatBinary(F32x4, FloatBinary::Min),
        O::F32x4Max | O::F32x4RelaxedMax => V::FloatBinary(F32x4, FloatBinary::Max),
        O::F32x4PMin => V::PMin(F32x4),
        O::F32x4PMax => V::PMax(F32x4),
        O::F32x4RelaxedMadd => V::Madd(F32x4, false),
        O::F32x4RelaxedNmadd => V::Madd(F32x4, true),
        O::F64x2Eq => V::FloatCompare(F64x2, FloatCompare::Eq),
        O::F64x2Ne => V::FloatCompare(F64x2, FloatCompare::Ne),
        O::F64x2Lt => V::FloatCompare(F64x2, FloatCompare::Lt),
        O::F64x2Gt => V::FloatCompare(F64x2, FloatCompare::Gt),
        O::F64x2Le => V::FloatCompare(F64x2, FloatCompare::Le),
        O::F64x2Ge => V::FloatCompare(F64x2, FloatCompare::Ge),
        O::F64x2Abs => V::FloatUnary(F64x2, FloatUnary::Abs),
        O::F64x2Neg => V::FloatUnary(F64x2, FloatUnary::Neg),
        O::F64x2Ceil => V::FloatUnary(F64x2, FloatUnary::Ceil),
        O::F64x2Floor => V::FloatUnary(F64x2, FloatUnary::Floor),
        O::F64x2Trunc => V::FloatUnary(F64x2, FloatUnary::Trunc),
        O::F64x2Nearest => V::FloatUnary(F64x2, FloatUnary::Nearest),
        O::F64x2Sqrt => V::FloatUnary(F64x2, FloatUnary::Sqrt),
        O::F64x2Add => V::FloatBinary(F64x2, FloatBinary::Add),
        O::F64x2Sub => V::FloatBinary(F64x2, FloatBinary::Sub),
        O::F64x2Mul => V::FloatBinary(F64x2, FloatBinary::Mul),
        O::F64x2Div => V::FloatBinary(F64x2, FloatBinary::Div),
        O::F64x2Min | O::F64x2RelaxedMin => V::FloatBinary(F64x2, FloatBinary::Min),
        O::F64x2Max | O::F64x2RelaxedMax => V::FloatBinary(F64x2, FloatBinary::Max),
        O::F64x2PMin => V::PMin(F64x2),
        O::F64x2PMax => V::PMax(F64x2),
        O::F64x2RelaxedMadd => V::Madd(F64x2, false),
        O::F64x2RelaxedNmadd => V::Madd(F64x2, true),

        O::I8x16NarrowI16x8S => V::Narrow(I16x8, true),
        O::I8x16NarrowI16x8U => V::Narrow(I16x8, false),
        O::I16x8NarrowI32x4S => V::Narrow(I32x4, true),
        O::I16x8NarrowI32x4U => V::Narrow(I32x4, false),
        O::I16x8ExtendLowI8x16S => V::Extend(I8x16, Low, true),
        O::I16x8ExtendHighI8x16S => V::Extend(I8x16, High, true),
        O::I16x8ExtendLowI8x16U => V::Extend(I8x16, Low, false),
        O::I16x8ExtendHighI8x16U => V::Extend(I8x16, High, false),
        O::I16x8ExtMulLowI8x16S => V::ExtMul(I8x16, Low, true),
        O::I16x8ExtMulHighI8x16S => V::ExtMul(I8x16, High, true),
        O::I16x8ExtMulLowI8x16U => V::ExtMul(I8x16, Low, false),
        O::I16x8ExtMulHighI8x16U => V::ExtMul(I8x16, High, false),
        O::I16x8ExtAddPairwiseI8x16S => V::ExtAddPairwise(I8x16, true),
        O::I16x8ExtAddPairwiseI8x16U => V::ExtAddPairwise(I8x16, false),
        O::I32x4ExtendLowI16x8S => V::Extend(I16x8, Low, true),
        O::I32x4ExtendHighI16x8S => V::Extend(I16x8, High, true),
        O::I32x4ExtendLowI16x8U => V::Extend(I16x8, Low, false),
        O::I32x4ExtendHighI16x8U => V::Extend(I16x8, High, false),
        O::I32x4ExtMulLowI16x8S => V::ExtMul(I16x8, Low, true),
        O::I32x4ExtMulHighI16x8S => V::ExtMul(I16x8, High, true),
        O::I32x4ExtMulLowI16x8U => V::ExtMul(I16x8, Low, false),
        O::I32x4ExtMulHighI16x8U => V::ExtMul(I16x8, High, false),
        O::I32x4ExtAddPairwiseI16x8S => V::ExtAddPairwise(I16x8, true),
        O::I32x4ExtAddPairwiseI16x8U => V::ExtAddPairwise(I16x8, false),
        O::I64x2ExtendLowI32x4S => V::Extend(I32x4, Low, true),
        O::I64x2ExtendHighI32x4S => V::Extend(I32x4, High, true),
        O::I64x2ExtendLowI32x4U => V::Extend(I32x4, Low, false),
        O::I64x2ExtendHighI32x4U => V::Extend(I32x4, High, false),
        O::I64x2ExtMulLowI32x4S => V::ExtMul(I32x4, Low, true),
        O::I64x2ExtMulHighI32x4S => V::ExtMul(I32x4, High, true),
        O::I64x2ExtMulLowI32x4U => V::ExtMul(I32x4, Low, false),
        O::I64x2ExtMulHighI32x4U => V::ExtMul(I32x4, High, false),
        O::I32x4DotI16x8S => V::Dot(I16x8),
        O::I16x8RelaxedDotI8x16I7x16S => V::Dot(I8x16),
        O::I32x4RelaxedDotI8x16I7x16AddS => V::DotAdd,
        O::I32x4TruncSatF32x4S | O::I32x4RelaxedTruncF32x4S => V::TruncSat(F32x4, true),
        O::I32x4TruncSatF64x2SZero | O::I32x4RelaxedTruncF64x2SZero => V::TruncSat(F64x2, true),
        O::F32x4ConvertI32x4S => V::Convert(F32x4, true),
        O::F64x2ConvertLowI32x4S => V::Convert(F64x2, true),
        O::I32x4TruncSatF32x4U | O::I32x4RelaxedTruncF32x4U => V::TruncSat(F32x4, false),
        O::I32x4TruncSatF64x2UZero | O::I32x4RelaxedTruncF64x2UZero => V::TruncSat(F64x2, false),
        O::F32x4ConvertI32x4U => V::Convert(F32x4, false),
        O::F64x2ConvertLowI32x4U => V::Convert(F64x2, false),
        O::F32x4DemoteF64x2Zero => V::Demote,
        O::F64x2PromoteLowF32x4 => V::Promote,
        _ => return None,
    })
}
