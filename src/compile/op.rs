//! What an opcode means, once for every tier: the operators of the binary format sorted into families.
//!
//! A tier matches on some fifty families with their operands' types, widths and signs as data; it never sees the
//! hundreds of opcodes. The families are those of the specification's instruction syntax (section 2.4):
//! `iunop`, `ibinop`, `irelop`, `cvtop` and so on.
//!
//! An operator outside of the supported language is an error that names it.

use super::atomic::{self, AtomicAccess, AtomicOp};
use super::gc::{self, GcOp};
use super::vector::{self, VectorLoad, VectorOp, VectorStore};
use wasmparser::{BlockType, HeapType, MemArg, MemArgTarget, Operator, TryTable, ValType};

/// An integer type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Int {
    /// `i32`
    I32,
    /// `i64`
    I64,
}

/// A floating-point type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    /// `f32`
    F32,
    /// `f64`
    F64,
}

/// A number type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Num {
    /// An integer.
    Int(Int),
    /// A float.
    Float(Float),
}

/// `iunop`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntUnary {
    /// Leading zeros.
    Clz,
    /// Trailing zeros.
    Ctz,
    /// Ones.
    Popcnt,
    /// The lowest so many bits, sign-extended.
    Extend(u8),
}

/// `ibinop`. Shift and rotation counts are taken modulo the width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntBinary {
    /// Sum, wrapping.
    Add,
    /// Difference, wrapping.
    Sub,
    /// Product, wrapping.
    Mul,
    /// Signed quotient. Traps by zero, and if the result does not fit.
    DivS,
    /// Unsigned quotient. Traps by zero.
    DivU,
    /// Signed remainder. Traps by zero; of the least value by -1 it is 0.
    RemS,
    /// Unsigned remainder. Traps by zero.
    RemU,
    /// Bitwise and.
    And,
    /// Bitwise or.
    Or,
    /// Bitwise exclusive or.
    Xor,
    /// Shift left.
    Shl,
    /// Arithmetic shift right.
    ShrS,
    /// Logical shift right.
    ShrU,
    /// Rotation left.
    Rotl,
    /// Rotation right.
    Rotr,
}

/// `irelop`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntCompare {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less, signed.
    LtS,
    /// Less, unsigned.
    LtU,
    /// Greater, signed.
    GtS,
    /// Greater, unsigned.
    GtU,
    /// Less or equal, signed.
    LeS,
    /// Less or equal, unsigned.
    LeU,
    /// Greater or equal, signed.
    GeS,
    /// Greater or equal, unsigned.
    GeU,
}

/// `funop`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatUnary {
    /// The sign bit cleared.
    Abs,
    /// The sign bit inverted.
    Neg,
    /// Rounded up.
    Ceil,
    /// Rounded down.
    Floor,
    /// Rounded toward zero.
    Trunc,
    /// Rounded to nearest, ties to even.
    Nearest,
    /// Square root.
    Sqrt,
}

/// `fbinop`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatBinary {
    /// Sum.
    Add,
    /// Difference.
    Sub,
    /// Product.
    Mul,
    /// Quotient.
    Div,
    /// The lesser; NaN if either is; -0 is less than +0.
    Min,
    /// The greater; NaN if either is; +0 is greater than -0.
    Max,
    /// The first with the sign of the second.
    Copysign,
}

/// `frelop`. All but `Ne` are false if either is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloatCompare {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Greater.
    Gt,
    /// Less or equal.
    Le,
    /// Greater or equal.
    Ge,
}

/// `cvtop`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convert {
    /// `i32.wrap_i64`: the lower half.
    Wrap,
    /// `i64.extend_i32_s`, `_u`
    Extend {
        /// By the sign, else by zeros.
        signed: bool,
    },
    /// A float to an integer, toward zero. Unless saturating, traps on NaN and on what does not fit; saturating,
    /// NaN gives 0 and what does not fit the nearest integer that does.
    Trunc {
        /// Of this type.
        from: Float,
        /// To this type.
        to: Int,
        /// Whether the integer is signed.
        signed: bool,
        /// Whether it saturates.
        saturating: bool,
    },
    /// An integer to the nearest float.
    Convert {
        /// Of this type.
        from: Int,
        /// To this type.
        to: Float,
        /// Whether the integer is signed.
        signed: bool,
    },
    /// `f32.demote_f64`
    Demote,
    /// `f64.promote_f32`
    Promote,
    /// The bits of an integer as a float of the same width.
    FloatOfBits(Float),
    /// The bits of a float as an integer of the same width.
    BitsOfFloat(Float),
}

/// An operator on 128 bits, in halves on the stack with the lower one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wide {
    /// Sum, wrapping.
    Add,
    /// Difference, wrapping.
    Sub,
    /// The whole product of two `i64`.
    Mul {
        /// Whether they are signed.
        signed: bool,
    },
}

/// What a load or store moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// The type on the stack.
    pub ty: Num,
    /// Bytes in memory. If fewer than the type has: loads extend, stores cut.
    pub bytes: u8,
    /// Whether a load extends by the sign.
    pub signed: bool,
}

/// Where a load or store goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The memory's index.
    pub memory: u32,
    /// Added to the address without wrapping.
    pub offset: u64,
}

/// Which function a call is to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// This function.
    Func(u32),
    /// The element of a table, of a type.
    Indirect {
        /// Expected type, by index.
        ty: u32,
        /// The table's index.
        table: u32,
    },
    /// The function that a reference on the stack points to, of the type with this index.
    Ref(u32),
}

/// An operator by its family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op<'a> {
    /// `unreachable`: traps.
    Unreachable,
    /// `nop`
    Nop,
    /// `block`
    Block(BlockType),
    /// `loop`
    Loop(BlockType),
    /// `if`
    If(BlockType),
    /// `else`
    Else,
    /// `end`
    End,
    /// `br` to the label at this depth.
    Br(u32),
    /// `br_if`
    BrIf(u32),
    /// `br_table`
    BrTable(wasmparser::BrTable<'a>),
    /// `return`
    Return,
    /// `call`, `call_indirect`, `call_ref`
    Call(Callee),
    /// `throw` of an exception with this tag.
    Throw(u32),
    /// `throw_ref`
    ThrowRef,
    /// `try_table`
    TryTable(TryTable),
    /// `try`, of the legacy exceptions, as are the next four.
    Try(BlockType),
    /// `catch`
    Catch(u32),
    /// `catch_all`
    CatchAll,
    /// `delegate`: the end of a `try`.
    Delegate(u32),
    /// `rethrow` of what the handler at this depth has caught.
    Rethrow(u32),
    /// `return_call`, `return_call_indirect`, `return_call_ref`: the callee takes the place of the caller's frame.
    ReturnCall(Callee),
    /// `drop`
    Drop,
    /// `select`, with its type if it is given: always for references.
    Select(Option<ValType>),
    /// `local.get`
    LocalGet(u32),
    /// `local.set`
    LocalSet(u32),
    /// `local.tee`
    LocalTee(u32),
    /// `global.get`
    GlobalGet(u32),
    /// `global.set`
    GlobalSet(u32),
    /// A load.
    Load(Access, Place),
    /// A store.
    Store(Access, Place),
    /// `memory.size`, in pages.
    MemorySize(u32),
    /// `memory.grow`
    MemoryGrow(u32),
    /// `memory.fill`
    MemoryFill(u32),
    /// `memory.copy`
    MemoryCopy {
        /// Destination memory.
        dst: u32,
        /// Source memory.
        src: u32,
    },
    /// `memory.init`
    MemoryInit {
        /// The memory.
        memory: u32,
        /// The data segment.
        segment: u32,
    },
    /// `data.drop`
    DataDrop(u32),
    /// `i32.const`
    I32Const(i32),
    /// `i64.const`
    I64Const(i64),
    /// `f32.const`, as bits.
    F32Const(u32),
    /// `f64.const`, as bits.
    F64Const(u64),
    /// `eqz`
    IntEqz(Int),
    /// Integer to integer.
    IntUnary(Int, IntUnary),
    /// Two integers to one.
    IntBinary(Int, IntBinary),
    /// Two integers to 0 or 1.
    IntCompare(Int, IntCompare),
    /// Float to float.
    FloatUnary(Float, FloatUnary),
    /// Two floats to one.
    FloatBinary(Float, FloatBinary),
    /// Two floats to 0 or 1.
    FloatCompare(Float, FloatCompare),
    /// On 128 bits.
    Wide(Wide),
    /// Between types.
    Convert(Convert),
    /// `ref.null`
    RefNull(HeapType),
    /// `ref.as_non_null`: traps on null.
    RefAsNonNull,
    /// `br_on_null`: branches without the reference if it is null, else keeps it.
    BrOnNull(u32),
    /// `br_on_non_null`: branches with the reference unless it is null, else drops it.
    BrOnNonNull(u32),
    /// `ref.is_null`
    RefIsNull,
    /// `ref.func`
    RefFunc(u32),
    /// `table.get`
    TableGet(u32),
    /// `table.set`
    TableSet(u32),
    /// `table.size`
    TableSize(u32),
    /// `table.grow`
    TableGrow(u32),
    /// `table.fill`
    TableFill(u32),
    /// `table.copy`
    TableCopy {
        /// Destination table.
        dst: u32,
        /// Source table.
        src: u32,
    },
    /// `table.init`
    TableInit {
        /// The table.
        table: u32,
        /// The element segment.
        segment: u32,
    },
    /// `elem.drop`
    ElemDrop(u32),
    /// An access that other threads see as a whole.
    Atomic(AtomicOp, AtomicAccess, Place),
    /// `atomic.fence`
    AtomicFence,
    /// On garbage-collected objects.
    Gc(GcOp),
    /// Of vectors, without memory.
    Vector(VectorOp),
    /// A load to a vector.
    VectorLoad(VectorLoad, Place),
    /// A store of a vector.
    VectorStore(VectorStore, Place),
}

const I32: Num = Num::Int(Int::I32);
const I64: Num = Num::Int(Int::I64);
const F32: Num = Num::Float(Float::F32);
const F64: Num = Num::Float(Float::F64);

fn load<'a>(ty: Num, bytes: u8, signed: bool, arg: &MemArg) -> Option<Op<'a>> {
    Some(Op::Load(Access { ty, bytes, signed }, place(arg)?))
}

fn store<'a>(ty: Num, bytes: u8, arg: &MemArg) -> Option<Op<'a>> {
    Some(Op::Store(Access { ty, bytes, signed: false }, place(arg)?))
}

pub(super) fn place(arg: &MemArg) -> Option<Place> {
    match arg.target {
        MemArgTarget::Memory(memory) => Some(Place { memory, offset: arg.offset }),
        MemArgTarget::Array(_) => None,
    }
}

fn trunc<'a>(from: Float, to: Int, signed: bool, saturating: bool) -> Op<'a> {
    Op::Convert(Convert::Trunc { from, to, signed, saturating })
}

fn convert<'a>(from: Int, to: Float, signed: bool) -> Op<'a> {
    Op::Convert(Convert::Convert { from, to, signed })
}

impl<'a> Op<'a> {
    /// The family of an operator, or the operator's name if the language supported does not have it.
    pub fn new(operator: &Operator<'a>) -> Result<Op<'a>, String> {
        Op::families(operator).ok_or_else(|| name(operator))
    }

    fn families(operator: &Operator<'a>) -> Option<Op<'a>> {
        use Operator as O;
        Some(match operator {
            O::Unreachable => Op::Unreachable,
            O::Nop => Op::Nop,
            O::Block { blockty } => Op::Block(*blockty),
            O::Loop { blockty } => Op::Loop(*blockty),
            O::If { blockty } => Op::If(*blockty),
            O::Else => Op::Else,
            O::End => Op::End,
            O::Br { relative_depth } => Op::Br(*relative_depth),
            O::BrIf { relative_depth } => Op::BrIf(*relative_depth),
            O::BrTable { targets } => Op::BrTable(targets.clone()),
            O::Return => Op::Return,
            O::Call { function_index } => Op::Call(Callee::Func(*function_index)),
            O::CallIndirect { type_index, table_index } => {
                Op::Call(Callee::Indirect { ty: *type_index, table: *table_index })
            }
            O::Throw { tag_index } => Op::Throw(*tag_index),
            O::ThrowRef => Op::ThrowRef,
            O::TryTable { try_table } => Op::TryTable(try_table.clone()),
            O::Try { blockty } => Op::Try(*blockty),
            O::Catch { tag_index } => Op::Catch(*tag_index),
            O::CatchAll => Op::CatchAll,
            O::Delegate { relative_depth } => Op::Delegate(*relative_depth),
            O::Rethrow { relative_depth } => Op::Rethrow(*relative_depth),
            O::Drop => Op::Drop,
            O::CallRef { type_index } => Op::Call(Callee::Ref(*type_index)),
            O::ReturnCall { function_index } => Op::ReturnCall(Callee::Func(*function_index)),
            O::ReturnCallIndirect { type_index, table_index } => {
                Op::ReturnCall(Callee::Indirect { ty: *type_index, table: *table_index })
            }
            O::ReturnCallRef { type_index } => Op::ReturnCall(Callee::Ref(*type_index)),
            O::Select => Op::Select(None),
            O::TypedSelect { ty } => Op::Select(Some(*ty)),
            O::LocalGet { local_index } => Op::LocalGet(*local_index),
            O::LocalSet { local_index } => Op::LocalSet(*local_index),
            O::LocalTee { local_index } => Op::LocalTee(*local_index),
            O::GlobalGet { global_index } => Op::GlobalGet(*global_index),
            O::GlobalSet { global_index } => Op::GlobalSet(*global_index),

            O::I32Load { memarg } => load(I32, 4, false, memarg)?,
            O::I64Load { memarg } => load(I64, 8, false, memarg)?,
            O::F32Load { memarg } => load(F32, 4, false, memarg)?,
            O::F64Load { memarg } => load(F64, 8, false, memarg)?,
            O::I32Load8S { memarg } => load(I32, 1, true, memarg)?,
            O::I32Load8U { memarg } => load(I32, 1, false, memarg)?,
            O::I32Load16S { memarg } => load(I32, 2, true, memarg)?,
            O::I32Load16U { memarg } => load(I32, 2, false, memarg)?,
            O::I64Load8S { memarg } => load(I64, 1, true, memarg)?,
            O::I64Load8U { memarg } => load(I64, 1, false, memarg)?,
            O::I64Load16S { memarg } => load(I64, 2, true, memarg)?,
            O::I64Load16U { memarg } => load(I64, 2, false, memarg)?,
            O::I64Load32S { memarg } => load(I64, 4, true, memarg)?,
            O::I64Load32U { memarg } => load(I64, 4, false, memarg)?,
            O::I32Store { memarg } => store(I32, 4, memarg)?,
            O::I64Store { memarg } => store(I64, 8, memarg)?,
            O::F32Store { memarg } => store(F32, 4, memarg)?,
            O::F64Store { memarg } => store(F64, 8, memarg)?,
            O::I32Store8 { memarg } => store(I32, 1, memarg)?,
            O::I32Store16 { memarg } => store(I32, 2, memarg)?,
            O::I64Store8 { memarg } => store(I64, 1, memarg)?,
            O::I64Store16 { memarg } => store(I64, 2, memarg)?,
            O::I64Store32 { memarg } => store(I64, 4, memarg)?,

            O::MemorySize { mem } => Op::MemorySize(*mem),
            O::MemoryGrow { mem } => Op::MemoryGrow(*mem),
            O::MemoryFill { mem } => Op::MemoryFill(*mem),
            O::MemoryCopy { dst_mem, src_mem } => Op::MemoryCopy { dst: *dst_mem, src: *src_mem },
            O::MemoryInit { data_index, mem } => Op::MemoryInit { memory: *mem, segment: *data_index },
            O::DataDrop { data_index } => Op::DataDrop(*data_index),

            O::I32Const { value } => Op::I32Const(*value),
            O::I64Const { value } => Op::I64Const(*value),
            O::F32Const { value } => Op::F32Const(value.bits()),
            O::F64Const { value } => Op::F64Const(value.bits()),

            O::I32Eqz => Op::IntEqz(Int::I32),
            O::I32Eq => Op::IntCompare(Int::I32, IntCompare::Eq),
            O::I32Ne => Op::IntCompare(Int::I32, IntCompare::Ne),
            O::I32LtS => Op::IntCompare(Int::I32, IntCompare::LtS),
            O::I32LtU => Op::IntCompare(Int::I32, IntCompare::LtU),
            O::I32GtS => Op::IntCompare(Int::I32, IntCompare::GtS),
            O::I32GtU => Op::IntCompare(Int::I32, IntCompare::GtU),
            O::I32LeS => Op::IntCompare(Int::I32, IntCompare::LeS),
            O::I32LeU => Op::IntCompare(Int::I32, IntCompare::LeU),
            O::I32GeS => Op::IntCompare(Int::I32, IntCompare::GeS),
            O::I32GeU => Op::IntCompare(Int::I32, IntCompare::GeU),
            O::I64Eqz => Op::IntEqz(Int::I64),
            O::I64Eq => Op::IntCompare(Int::I64, IntCompare::Eq),
            O::I64Ne => Op::IntCompare(Int::I64, IntCompare::Ne),
            O::I64LtS => Op::IntCompare(Int::I64, IntCompare::LtS),
            O::I64LtU => Op::IntCompare(Int::I64, IntCompare::LtU),
            O::I64GtS => Op::IntCompare(Int::I64, IntCompare::GtS),
            O::I64GtU => Op::IntCompare(Int::I64, IntCompare::GtU),
            O::I64LeS => Op::IntCompare(Int::I64, IntCompare::LeS),
            O::I64LeU => Op::IntCompare(Int::I64, IntCompare::LeU),
            O::I64GeS => Op::IntCompare(Int::I64, IntCompare::GeS),
            O::I64GeU => Op::IntCompare(Int::I64, IntCompare::GeU),
            O::F32Eq => Op::FloatCompare(Float::F32, FloatCompare::Eq),
            O::F32Ne => Op::FloatCompare(Float::F32, FloatCompare::Ne),
            O::F32Lt => Op::FloatCompare(Float::F32, FloatCompare::Lt),
            O::F32Gt => Op::FloatCompare(Float::F32, FloatCompare::Gt),
            O::F32Le => Op::FloatCompare(Float::F32, FloatCompare::Le),
            O::F32Ge => Op::FloatCompare(Float::F32, FloatCompare::Ge),
            O::F64Eq => Op::FloatCompare(Float::F64, FloatCompare::Eq),
            O::F64Ne => Op::FloatCompare(Float::F64, FloatCompare::Ne),
            O::F64Lt => Op::FloatCompare(Float::F64, FloatCompare::Lt),
            O::F64Gt => Op::FloatCompare(Float::F64, FloatCompare::Gt),
            O::F64Le => Op::FloatCompare(Float::F64, FloatCompare::Le),
            O::F64Ge => Op::FloatCompare(Float::F64, FloatCompare::Ge),

            O::I32Clz => Op::IntUnary(Int::I32, IntUnary::Clz),
            O::I32Ctz => Op::IntUnary(Int::I32, IntUnary::Ctz),
            O::I32Popcnt => Op::IntUnary(Int::I32, IntUnary::Popcnt),
            O::I32Extend8S => Op::IntUnary(Int::I32, IntUnary::Extend(8)),
            O::I32Extend16S => Op::IntUnary(Int::I32, IntUnary::Extend(16)),
            O::I64Clz => Op::IntUnary(Int::I64, IntUnary::Clz),
            O::I64Ctz => Op::IntUnary(Int::I64, IntUnary::Ctz),
            O::I64Popcnt => Op::IntUnary(Int::I64, IntUnary::Popcnt),
            O::I64Extend8S => Op::IntUnary(Int::I64, IntUnary::Extend(8)),
            O::I64Extend16S => Op::IntUnary(Int::I64, IntUnary::Extend(16)),
            O::I64Extend32S => Op::IntUnary(Int::I64, IntUnary::Extend(32)),

            O::I32Add => Op::IntBinary(Int::I32, IntBinary::Add),
            O::I32Sub => Op::IntBinary(Int::I32, IntBinary::Sub),
            O::I32Mul => Op::IntBinary(Int::I32, IntBinary::Mul),
            O::I32DivS => Op::IntBinary(Int::I32, IntBinary::DivS),
            O::I32DivU => Op::IntBinary(Int::I32, IntBinary::DivU),
            O::I32RemS => Op::IntBinary(Int::I32, IntBinary::RemS),
            O::I32RemU => Op::IntBinary(Int::I32, IntBinary::RemU),
            O::I32And => Op::IntBinary(Int::I32, IntBinary::And),
            O::I32Or => Op::IntBinary(Int::I32, IntBinary::Or),
            O::I32Xor => Op::IntBinary(Int::I32, IntBinary::Xor),
            O::I32Shl => Op::IntBinary(Int::I32, IntBinary::Shl),
            O::I32ShrS => Op::IntBinary(Int::I32, IntBinary::ShrS),
            O::I32ShrU => Op::IntBinary(Int::I32, IntBinary::ShrU),
            O::I32Rotl => Op::IntBinary(Int::I32, IntBinary::Rotl),
            O::I32Rotr => Op::IntBinary(Int::I32, IntBinary::Rotr),
            O::I64Add => Op::IntBinary(Int::I64, IntBinary::Add),
            O::I64Sub => Op::IntBinary(Int::I64, IntBinary::Sub),
            O::I64Mul => Op::IntBinary(Int::I64, IntBinary::Mul),
            O::I64DivS => Op::IntBinary(Int::I64, IntBinary::DivS),
            O::I64DivU => Op::IntBinary(Int::I64, IntBinary::DivU),
            O::I64RemS => Op::IntBinary(Int::I64, IntBinary::RemS),
            O::I64RemU => Op::IntBinary(Int::I64, IntBinary::RemU),
            O::I64And => Op::IntBinary(Int::I64, IntBinary::And),
            O::I64Or => Op::IntBinary(Int::I64, IntBinary::Or),
            O::I64Xor => Op::IntBinary(Int::I64, IntBinary::Xor),
            O::I64Shl => Op::IntBinary(Int::I64, IntBinary::Shl),
            O::I64ShrS => Op::IntBinary(Int::I64, IntBinary::ShrS),
            O::I64ShrU => Op::IntBinary(Int::I64, IntBinary::ShrU),
            O::I64Rotl => Op::IntBinary(Int::I64, IntBinary::Rotl),
            O::I64Rotr => Op::IntBinary(Int::I64, IntBinary::Rotr),

            O::I64Add128 => Op::Wide(Wide::Add),
            O::I64Sub128 => Op::Wide(Wide::Sub),
            O::I64MulWideS => Op::Wide(Wide::Mul { signed: true }),
            O::I64MulWideU => Op::Wide(Wide::Mul { signed: false }),

            O::F32Abs => Op::FloatUnary(Float::F32, FloatUnary::Abs),
            O::F32Neg => Op::FloatUnary(Float::F32, FloatUnary::Neg),
            O::F32Ceil => Op::FloatUnary(Float::F32, FloatUnary::Ceil),
            O::F32Floor => Op::FloatUnary(Float::F32, FloatUnary::Floor),
            O::F32Trunc => Op::FloatUnary(Float::F32, FloatUnary::Trunc),
            O::F32Nearest => Op::FloatUnary(Float::F32, FloatUnary::Nearest),
            O::F32Sqrt => Op::FloatUnary(Float::F32, FloatUnary::Sqrt),
            O::F32Add => Op::FloatBinary(Float::F32, FloatBinary::Add),
            O::F32Sub => Op::FloatBinary(Float::F32, FloatBinary::Sub),
            O::F32Mul => Op::FloatBinary(Float::F32, FloatBinary::Mul),
            O::F32Div => Op::FloatBinary(Float::F32, FloatBinary::Div),
            O::F32Min => Op::FloatBinary(Float::F32, FloatBinary::Min),
            O::F32Max => Op::FloatBinary(Float::F32, FloatBinary::Max),
            O::F32Copysign => Op::FloatBinary(Float::F32, FloatBinary::Copysign),
            O::F64Abs => Op::FloatUnary(Float::F64, FloatUnary::Abs),
            O::F64Neg => Op::FloatUnary(Float::F64, FloatUnary::Neg),
            O::F64Ceil => Op::FloatUnary(Float::F64, FloatUnary::Ceil),
            O::F64Floor => Op::FloatUnary(Float::F64, FloatUnary::Floor),
            O::F64Trunc => Op::FloatUnary(Float::F64, FloatUnary::Trunc),
            O::F64Nearest => Op::FloatUnary(Float::F64, FloatUnary::Nearest),
            O::F64Sqrt => Op::FloatUnary(Float::F64, FloatUnary::Sqrt),
            O::F64Add => Op::FloatBinary(Float::F64, FloatBinary::Add),
            O::F64Sub => Op::FloatBinary(Float::F64, FloatBinary::Sub),
            O::F64Mul => Op::FloatBinary(Float::F64, FloatBinary::Mul),
            O::F64Div => Op::FloatBinary(Float::F64, FloatBinary::Div),
            O::F64Min => Op::FloatBinary(Float::F64, FloatBinary::Min),
            O::F64Max => Op::FloatBinary(Float::F64, FloatBinary::Max),
            O::F64Copysign => Op::FloatBinary(Float::F64, FloatBinary::Copysign),

            O::I32WrapI64 => Op::Convert(Convert::Wrap),
            O::I64ExtendI32S => Op::Convert(Convert::Extend { signed: true }),
            O::I64ExtendI32U => Op::Convert(Convert::Extend { signed: false }),
            O::I32TruncF32S => trunc(Float::F32, Int::I32, true, false),
            O::I32TruncF32U => trunc(Float::F32, Int::I32, false, false),
            O::I32TruncF64S => trunc(Float::F64, Int::I32, true, false),
            O::I32TruncF64U => trunc(Float::F64, Int::I32, false, false),
            O::I64TruncF32S => trunc(Float::F32, Int::I64, true, false),
            O::I64TruncF32U => trunc(Float::F32, Int::I64, false, false),
            O::I64TruncF64S => trunc(Float::F64, Int::I64, true, false),
            O::I64TruncF64U => trunc(Float::F64, Int::I64, false, false),
            O::I32TruncSatF32S => trunc(Float::F32, Int::I32, true, true),
            O::I32TruncSatF32U => trunc(Float::F32, Int::I32, false, true),
            O::I32TruncSatF64S => trunc(Float::F64, Int::I32, true, true),
            O::I32TruncSatF64U => trunc(Float::F64, Int::I32, false, true),
            O::I64TruncSatF32S => trunc(Float::F32, Int::I64, true, true),
            O::I64TruncSatF32U => trunc(Float::F32, Int::I64, false, true),
            O::I64TruncSatF64S => trunc(Float::F64, Int::I64, true, true),
            O::I64TruncSatF64U => trunc(Float::F64, Int::I64, false, true),
            O::F32ConvertI32S => convert(Int::I32, Float::F32, true),
            O::F32ConvertI32U => convert(Int::I32, Float::F32, false),
            O::F32ConvertI64S => convert(Int::I64, Float::F32, true),
            O::F32ConvertI64U => convert(Int::I64, Float::F32, false),
            O::F64ConvertI32S => convert(Int::I32, Float::F64, true),
            O::F64ConvertI32U => convert(Int::I32, Float::F64, false),
            O::F64ConvertI64S => convert(Int::I64, Float::F64, true),
            O::F64ConvertI64U => convert(Int::I64, Float::F64, false),
            O::F32DemoteF64 => Op::Convert(Convert::Demote),
            O::F64PromoteF32 => Op::Convert(Convert::Promote),
            O::I32ReinterpretF32 => Op::Convert(Convert::BitsOfFloat(Float::F32)),
            O::I64ReinterpretF64 => Op::Convert(Convert::BitsOfFloat(Float::F64)),
            O::F32ReinterpretI32 => Op::Convert(Convert::FloatOfBits(Float::F32)),
            O::F64ReinterpretI64 => Op::Convert(Convert::FloatOfBits(Float::F64)),

            O::RefNull { hty } => Op::RefNull(*hty),
            O::RefAsNonNull => Op::RefAsNonNull,
            O::BrOnNull { relative_depth } => Op::BrOnNull(*relative_depth),
            O::BrOnNonNull { relative_depth } => Op::BrOnNonNull(*relative_depth),
            O::RefIsNull => Op::RefIsNull,
            O::RefFunc { function_index } => Op::RefFunc(*function_index),
            O::TableGet { table } => Op::TableGet(*table),
            O::TableSet { table } => Op::TableSet(*table),
            O::TableSize { table } => Op::TableSize(*table),
            O::TableGrow { table } => Op::TableGrow(*table),
            O::TableFill { table } => Op::TableFill(*table),
            O::TableCopy { dst_table, src_table } => Op::TableCopy { dst: *dst_table, src: *src_table },
            O::TableInit { elem_index, table } => Op::TableInit { table: *table, segment: *elem_index },
            O::ElemDrop { elem_index } => Op::ElemDrop(*elem_index),
            other => return vector::family(other).or_else(|| atomic::family(other)).or_else(|| gc::family(other)),
        })
    }
}

/// The name of an operator in the text format, for messages.
pub fn name(operator: &Operator<'_>) -> String {
    macro_rules! visitor_name {
        ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
            match operator {
                $(Operator::$op { .. } => stringify!($visit),)*
                _ => "visit_unknown",
            }
        };
    }
    let visitor = wasmparser::for_each_operator!(visitor_name);
    let name = &visitor["visit_".len()..];
    // The visitors' names have an underscore where the text format has the dot behind the type or the thing acted on.
    const DOTTED: &[&str] = &[
        "i32", "i64", "f32", "f64", "v128", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2", "local", "global",
        "memory", "table", "data", "elem", "ref", "struct", "array", "any", "extern", "i31", "atomic", "cont",
    ];
    match name.split_once('_') {
        Some((first, rest)) if DOTTED.contains(&first) => {
            let rest = rest.strip_prefix("atomic_").map_or(rest.to_string(), |r| format!("atomic.{r}"));
            format!("{first}.{rest}")
        }
        _ => name.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_text_formats() {
        assert_eq!(name(&Operator::I8x16Add), "i8x16.add");
        assert_eq!(name(&Operator::ReturnCall { function_index: 0 }), "return_call");
        assert_eq!(name(&Operator::ThrowRef), "throw_ref");
        let memarg = MemArg { align: 0, max_align: 0, offset: 0, target: MemArgTarget::Memory(0), ordering: None };
        assert_eq!(name(&Operator::I32AtomicLoad8U { memarg }), "i32.atomic.load8_u");
        assert_eq!(name(&Operator::V128Load8x8S { memarg }), "v128.load8x8_s");
        assert_eq!(Op::new(&Operator::Suspend { tag_index: 0 }), Err("suspend".to_string()));
    }

    /// The proposal that an operator is from.
    fn proposal(operator: &Operator<'_>) -> &'static str {
        macro_rules! proposals {
            ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
                match operator {
                    $(Operator::$op { .. } => stringify!($proposal),)*
                    _ => "unknown",
                }
            };
        }
        wasmparser::for_each_operator!(proposals)
    }

    /// Every operator of the proposals that are supported has a family, no other has.
    #[test]
    fn families_cover_the_language() {
        let supported = [
            "mvp",
            "sign_extension",
            "saturating_float_to_int",
            "bulk_memory",
            "reference_types",
            "simd",
            "relaxed_simd",
            "exceptions",
            "legacy_exceptions",
            "tail_call",
            "function_references",
            "wide_arithmetic",
            "threads",
            "gc",
        ];
        let mut opcodes: Vec<Vec<u8>> = (0..=0xff).map(|op| vec![op]).collect();
        for prefix in 0xfb..=0xfe {
            // The second half is a LEB128 number.
            opcodes.extend((0..0x200u16).map(|op| vec![prefix, op as u8 | 0x80, (op >> 7) as u8]));
        }
        let (mut families, mut others) = (0, 0);
        for opcode in opcodes {
            // An `if` before, so that an `else` may come; zeros behind, which are operands of nearly every sort.
            let bytes = [&[0x04, 0x40], &opcode[..], &[0; 40]].concat();
            let mut reader = wasmparser::OperatorsReader::new(wasmparser::BinaryReader::new(&bytes, 0));
            reader.read().unwrap();
            let Ok(operator) = reader.read() else { continue };
            let is_in =
                supported.contains(&proposal(&operator)) && !matches!(operator, Operator::TypedSelectMulti { .. });
            assert_eq!(Op::new(&operator).is_ok(), is_in, "{operator:?}");
            if is_in { families += 1 } else { others += 1 }
        }
        assert_eq!((families, others), (575, 53));
    }

    #[test]
    fn accesses_say_what_they_move() {
        let memarg = MemArg { align: 0, max_align: 0, offset: 7, target: MemArgTarget::Memory(0), ordering: None };
        macro_rules! accesses {
            ($($op:ident $ty:ident $bytes:literal $signed:literal $variant:ident;)*) => { $(
                let expected = Op::$variant(
                    Access { ty: $ty, bytes: $bytes, signed: $signed }, Place { memory: 0, offset: 7 },
                );
                assert_eq!(Op::new(&Operator::$op { memarg }), Ok(expected));
            )* };
        }
        accesses! {
            I32Load8S I32 1 true Load; I64Load32U I64 4 false Load; F64Load F64 8 false Load; I64Store16 I64 2 false Store;
        }
    }
}
