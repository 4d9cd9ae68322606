//! The walk over a function's body: operators are read, sorted into families and turned into Cranelift's IR.
//!
//! The operand stack is a stack of IR values. Nothing is checked here that
//! validation has established; bytes that cannot be read give an internal error.

use super::control::Frame;
use super::env::{clif_type, wasm_signature};
use super::exception::Shape;
use super::frame;
use super::inline::Inlining;
use super::known::Known;
use super::locals::Locals;
use super::roots::{self, Area};
use crate::compile::builtin::{BUILTINS, Builtin};
use crate::compile::code::Inlined;
use crate::compile::gc::GcOp;
use crate::compile::layout::*;
use crate::compile::op::Op;
use crate::compile::{CompileError, Tunables};
use crate::module::Module;
use crate::types::ValType;
use crate::types::layout::StructLayout;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{self, InstBuilder, SigRef, SourceLoc, StackSlot, Value, types};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use wasmparser::{BinaryReader, FunctionBody, OperatorsReaderAllocations};

/// The state of a translation.
pub(super) struct Translator<'a> {
    pub(super) b: FunctionBuilder<'a>,
    pub(super) tunables: &'a Tunables,
    pub(super) module: &'a Module,
    pub(super) layout: VmctxLayout,
    /// The function that is compiled; others may be inlined.
    pub(super) func_index: u32,
    /// Where the current operator stands in the module.
    pub(super) at: u32,
    pub(super) vmctx: Value,
    /// The operand stack.
    pub(super) stack: Vec<Value>,
    /// The blocks around the current operator, the function's body first.
    pub(super) control: Vec<Frame>,
    /// How many of them are loops.
    pub(super) loops: usize,
    /// Whether the current operator can be reached.
    pub(super) reachable: bool,
    /// Blocks around the current operator that are not in `control`, as they cannot be reached.
    pub(super) skipped: usize,
    /// Whether the frame can be seen: it calls, or may trap.
    pub(super) visible: bool,
    /// Whether it calls functions of its module.
    pub(super) calls: bool,
    /// Whether it calls nothing at all.
    pub(super) is_leaf: bool,
    pub(super) this_function: Option<ir::FuncRef>,
    pub(super) type_signatures: HashMap<u32, SigRef>,
    pub(super) builtin_signatures: [Option<SigRef>; BUILTINS.len()],
    pub(super) locals: Locals,
    pub(super) known: Known,
    pub(super) inlining: Inlining,
    /// The layouts of structure types that were asked for.
    pub(super) struct_layouts: HashMap<u32, Rc<StructLayout>>,
    /// The innermost block around whose clauses may catch something.
    pub(super) handlers: Option<usize>,
    /// Entries of all tables of handlers.
    pub(super) handler_entries: usize,
    /// What each following `try` turns out to be, once there is one.
    pub(super) shapes: Option<std::vec::IntoIter<Shape>>,
    /// How high the operand stack was.
    highest: usize,
    /// Values that are references which a collection may change. What they are passed on as is found out later.
    pub(super) references: Vec<Value>,
    /// References that are not null wherever the current operator is reached.
    pub(super) not_null: Vec<Value>,
    /// Where the body ends in the module.
    pub(super) body_end: u32,
    /// What looking ahead takes memory for.
    pub(super) ahead: OperatorsReaderAllocations,
}

/// What a translation tells besides the IR.
pub(super) struct Body {
    /// The slot that holds the vmctx.
    pub(super) vmctx_slot: Option<StackSlot>,
    /// Where the body begins in the module.
    pub(super) module_offset: u32,
    /// Whether a large frame is an error.
    pub(super) small_frame: bool,
    /// Whether there is no stack check, so that a large frame needs one.
    pub(super) unchecked: bool,
    /// Stretches of the frame in which there are references during every call.
    pub(super) areas: Vec<Area>,
    /// An upper bound, more or less, of the values that live at the same time.
    pub(super) live: usize,
    /// The bodies that are inlined.
    pub(super) inlined: Vec<Inlined>,
}

/// Turns a defined function of a validated module into IR. Gives nothing if locals of this sort take too much memory. A function
/// that calls nothing has no stack check with signals, unless it must always be there.
#[allow(clippy::too_many_arguments)]
pub(super) fn translate(
    func: &mut ir::Function,
    fctx: &mut FunctionBuilderContext,
    target: TargetFrontendConfig,
    tunables: &Tunables,
    module: &Module,
    func_index: u32,
    locals: Locals,
    always_check: bool,
) -> Result<Option<Body>, CompileError> {
    let defined = module
        .defined_func(func_index)
        .ok_or_else(|| CompileError::Internal(format!("function {func_index} is imported")))?;
    let range = module.bodies[defined as usize].clone();
    let body = body_of(module, &range);

    func.signature = wasm_signature(module.func_type(func_index));
    if tunables.signals {
        frame::limit_stack(func);
    }
    // Positions are relative to this one.
    func.params.ensure_base_srcloc(SourceLoc::new(range.start));
    let mut b = FunctionBuilder::new(func, fctx);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let params = b.block_params(entry).to_vec();
    if !tunables.signals {
        // The entry's end is where the stack check goes, if there turns out to be need for one.
        let start = b.create_block();
        b.ins().jump(start, &[]);
        b.switch_to_block(start);
        b.seal_block(start);
    }

    let mut translator = Translator {
        b,
        tunables,
        module,
        layout: VmctxLayout::new(module),
        func_index,
        at: 0,
        vmctx: params[0],
        stack: Vec::new(),
        control: Vec::new(),
        loops: 0,
        reachable: true,
        skipped: 0,
        visible: false,
        calls: false,
        is_leaf: true,
        this_function: None,
        type_signatures: HashMap::new(),
        builtin_signatures: [None; BUILTINS.len()],
        locals,
        known: Known::default(),
        inlining: Inlining::new(module, &range, tunables),
        struct_layouts: HashMap::new(),
        handlers: None,
        handler_entries: 0,
        shapes: None,
        highest: 0,
        references: Vec::new(),
        not_null: Vec::new(),
        body_end: range.end,
        ahead: OperatorsReaderAllocations::default(),
    };
    let result = translator.function(&body, &params[1..]);
    let Translator { b, visible, calls, is_leaf, locals, highest, inlining, references, .. } = translator;
    if result.is_err() || locals.is_too_large() {
        // Only a whole function leaves the builder's context fit for the next one.
        *fctx = FunctionBuilderContext::new();
        return result.map(|()| None);
    }
    b.finalize(target);
    let areas = roots::keep(func, &references).into_iter().chain(locals.root(func)).collect();

    // Without signals, a full stack is found by a frame that is complete.
    let visible = visible || calls && (!tunables.signals || module.tail_calls_out);
    let vmctx_slot = visible.then(|| frame::keep_vmctx(func, entry));
    if visible && !tunables.signals {
        frame::check_stack(func, entry);
    }
    if tunables.signals && is_leaf && !always_check {
        func.stack_limit = None;
    }
    let unchecked = func.stack_limit.is_none() && tunables.signals;
    let live = highest.max(locals.values());
    let inlined = inlining.bodies();
    Ok(Some(Body {
        vmctx_slot,
        module_offset: range.start,
        small_frame: !tunables.signals,
        unchecked,
        areas,
        live,
        inlined,
    }))
}

/// A function's body, which stands at `range` in the module.
pub(super) fn body_of<'a>(module: &'a Module, range: &Range<u32>) -> FunctionBody<'a> {
    let bytes = &module.bytes[range.start as usize..range.end as usize];
    FunctionBody::new(BinaryReader::new(bytes, u64::from(range.start)))
}

pub(super) fn unreadable(e: wasmparser::Error) -> CompileError {
    CompileError::Internal(format!("a validated function cannot be read: {e}"))
}

impl Translator<'_> {
    fn function(&mut self, body: &FunctionBody<'_>, params: &[Value]) -> Result<(), CompileError> {
        self.body(self.func_index, body, params).map(drop)
    }

    /// The body of a function, called with these values. Gives false if the locals took too much: then nothing follows.
    pub(super) fn body(&mut self, func: u32, body: &FunctionBody<'_>, params: &[Value]) -> Result<bool, CompileError> {
        let around = std::mem::replace(&mut self.body_end, body.range().end as u32);
        for (param, ty) in params.iter().zip(self.module.func_type(func).params()) {
            self.declare(*param, *ty);
            self.locals.declare(&mut self.b, *ty, *param);
        }
        let mut locals = body.get_locals_reader().map_err(unreadable)?;
        for _ in 0..locals.get_count() {
            let (count, ty) = locals.read().map_err(unreadable)?;
            let ty = self.val_type(ty)?;
            let zero = self.zero(clif_type(ty));
            for _ in 0..count {
                self.locals.declare(&mut self.b, ty, zero);
            }
        }

        self.begin_body(func);
        let mut operators = body.get_operators_reader().map_err(unreadable)?;
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset().map_err(unreadable)?;
            self.at = offset as u32;
            self.b.set_srcloc(SourceLoc::new(self.inlining.position(self.at)));
            let op =
                Op::new(&operator).map_err(|what| CompileError::NotSupported { what, module_offset: Some(self.at) })?;
            if self.reachable {
                self.op(op)?;
                self.highest = self.highest.max(self.stack.len());
                if self.locals.is_too_large() {
                    return Ok(false);
                }
            } else {
                self.unreachable_op(op)?;
            }
        }
        self.body_end = around;
        Ok(true)
    }

    /// A value type as the parser gives it.
    pub(super) fn val_type(&self, ty: wasmparser::ValType) -> Result<ValType, CompileError> {
        self.module.val_type(ty).map_err(|e| CompileError::Internal(e.to_string()))
    }

    /// Zero, or null.
    pub(super) fn zero(&mut self, ty: ir::Type) -> Value {
        match ty {
            types::F32 => self.b.ins().f32const(Ieee32::with_bits(0)),
            types::F64 => self.b.ins().f64const(Ieee64::with_bits(0)),
            types::I8X16 => self.vector_const([0; 16]),
            ty => self.b.ins().iconst(ty, 0),
        }
    }

    /// The value of a local.
    fn local(&mut self, local: u32) -> Value {
        let value = self.locals.get(&mut self.b, local);
        if !self.locals.are_values() {
            self.declare(value, self.locals.ty(local));
        }
        value
    }

    pub(super) fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    pub(super) fn pop(&mut self) -> Value {
        self.stack.pop().expect("validation has counted the operands")
    }

    /// An operator that can be reached.
    fn op(&mut self, op: Op<'_>) -> Result<(), CompileError> {
        match op {
            Op::Nop => {}
            Op::Unreachable => self.unreachable(),
            Op::Block(ty) => self.block(ty)?,
            Op::Loop(ty) => self.loop_(ty)?,
            Op::If(ty) => self.if_(ty)?,
            Op::Else => self.else_(),
            Op::End | Op::Delegate(_) => self.end()?,
            Op::Br(depth) => self.br(depth),
            Op::BrIf(depth) => self.br_if(depth),
            Op::BrTable(targets) => self.br_table(&targets).map_err(unreadable)?,
            Op::Return => self.return_(),
            Op::Call(callee) => self.call(callee)?,
            Op::ReturnCall(callee) => self.return_call(callee)?,
            Op::Throw(tag) => self.throw(tag)?,
            Op::ThrowRef => self.throw_ref()?,
            Op::TryTable(table) => self.try_table(&table)?,
            Op::Try(ty) => self.try_(ty)?,
            Op::Catch(_) | Op::CatchAll => self.catch()?,
            Op::Rethrow(depth) => self.rethrow(depth)?,
            Op::Drop => {
                self.pop();
            }
            Op::Select(ty) => {
                let (condition, b, a) = (self.pop(), self.pop(), self.pop());
                let value = self.b.ins().select(condition, a, b);
                if let Some(ty) = ty {
                    let ty = self.val_type(ty)?;
                    self.declare(value, ty);
                }
                self.push(value);
            }
            Op::LocalGet(local) => {
                let value = self.local(local);
                self.push(value);
            }
            Op::LocalSet(local) => {
                let value = self.pop();
                self.locals.set(&mut self.b, local, value);
            }
            Op::LocalTee(local) => {
                let value = self.pop();
                self.locals.set(&mut self.b, local, value);
                self.push(value);
            }
            Op::GlobalGet(global) => self.global_get(global),
            Op::GlobalSet(global) => self.global_set(global),
            Op::Load(access, place) => self.load(access, place),
            Op::Store(access, place) => self.store(access, place),
            Op::MemorySize(memory) => self.memory_size(memory),
            Op::MemoryGrow(memory) => self.memory_grow(memory),
            Op::MemoryFill(memory) => self.memory_fill(memory),
            Op::MemoryCopy { dst, src } => self.memory_copy(dst, src),
            Op::MemoryInit { memory, segment } => self.memory_init(memory, segment),
            Op::DataDrop(segment) => self.data_drop(segment),
            Op::I32Const(value) => {
                let value = self.i32_const(value);
                self.push(value);
            }
            Op::I64Const(value) => {
                let value = self.b.ins().iconst(types::I64, value);
                self.push(value);
            }
            Op::F32Const(bits) => {
                let value = self.b.ins().f32const(Ieee32::with_bits(bits));
                self.push(value);
            }
            Op::F64Const(bits) => {
                let value = self.b.ins().f64const(Ieee64::with_bits(bits));
                self.push(value);
            }
            Op::IntEqz(_) => self.int_eqz(),
            Op::IntUnary(ty, op) => self.int_unary(ty, op),
            Op::IntBinary(ty, op) => self.int_binary(ty, op),
            Op::IntCompare(_, op) => self.int_compare(op),
            Op::FloatUnary(_, op) => self.float_unary(op),
            Op::FloatBinary(_, op) => self.float_binary(op),
            Op::FloatCompare(_, op) => self.float_compare(op),
            Op::Wide(op) => self.wide(op),
            Op::Convert(op) => self.convert(op),
            Op::RefNull(heap) => self.ref_null(heap)?,
            Op::RefAsNonNull => self.ref_as_non_null(),
            Op::BrOnNull(depth) => self.br_on_null(depth),
            Op::BrOnNonNull(depth) => self.br_on_non_null(depth),
            Op::RefIsNull => self.ref_is_null(),
            Op::RefFunc(func) => self.ref_func(func),
            Op::TableGet(table) => self.table_get(table),
            Op::TableSet(table) => self.table_set(table),
            Op::TableSize(table) => self.table_size(table),
            Op::TableGrow(table) => self.table_grow(table),
            Op::TableFill(table) => self.table_fill(table),
            Op::TableCopy { dst, src } => self.table_copy(dst, src),
            Op::TableInit { table, segment } => self.table_init(table, segment),
            Op::ElemDrop(segment) => self.elem_drop(segment),
            Op::Atomic(op, access, place) => self.atomic(op, access, place),
            Op::AtomicFence => self.atomic_fence(),
            Op::Gc(op) => self.gc(op)?,
            Op::Vector(op) => self.vector(op),
            Op::VectorLoad(load, place) => self.vector_load(load, place),
            Op::VectorStore(store, place) => self.vector_store(store, place),
        }
        Ok(())
    }

    /// An operator on garbage-collected objects.
    fn gc(&mut self, op: GcOp) -> Result<(), CompileError> {
        match op {
            GcOp::StructNew(ty) => self.struct_new(ty),
            GcOp::StructNewDefault(ty) => self.struct_new_default(ty),
            GcOp::StructGet { ty, field, signed } => self.struct_get(ty, field, signed),
            GcOp::StructSet { ty, field } => self.struct_set(ty, field),
            GcOp::ArrayNew(ty) => self.array_new(ty),
            GcOp::ArrayNewDefault(ty) => self.array_new_default(ty),
            GcOp::ArrayNewFixed { ty, len } => self.array_new_fixed(ty, len),
            GcOp::ArrayNewData { ty, segment } => self.array_new_segment(Builtin::array_new_data, ty, segment),
            GcOp::ArrayNewElem { ty, segment } => self.array_new_segment(Builtin::array_new_elem, ty, segment),
            GcOp::ArrayGet { ty, signed } => self.array_get(ty, signed),
            GcOp::ArraySet(ty) => self.array_set(ty),
            GcOp::ArrayLen => self.array_len(),
            GcOp::ArrayFill(ty) => self.array_fill(ty),
            GcOp::ArrayCopy { dst, src } => self.array_copy(dst, src),
            GcOp::ArrayInitData { ty, segment } => self.array_init_data(ty, segment),
            GcOp::ArrayInitElem { segment, .. } => self.array_init_elem(segment),
            GcOp::RefI31 => self.ref_i31(),
            GcOp::I31Get { signed } => self.i31_get(signed),
            GcOp::RefEq => self.ref_eq(),
            GcOp::RefTest(target) => self.ref_test(target)?,
            GcOp::RefCast(target) => self.ref_cast(target)?,
            GcOp::BrOnCast { depth, from, to, on_fail } => self.br_on_cast(depth, from, to, on_fail)?,
            GcOp::AnyConvertExtern => self.any_convert_extern(),
            GcOp::ExternConvertAny => self.extern_convert_any(),
        }
        Ok(())
    }

    /// An operator that cannot be reached: only the nesting counts.
    fn unreachable_op(&mut self, op: Op<'_>) -> Result<(), CompileError> {
        match op {
            Op::Block(_) | Op::Loop(_) | Op::If(_) | Op::TryTable(_) => self.skipped += 1,
            Op::Try(_) => {
                self.skip_try()?;
                self.skipped += 1;
            }
            Op::Else if self.skipped == 0 => self.else_(),
            Op::Catch(_) | Op::CatchAll if self.skipped == 0 => self.catch()?,
            Op::End | Op::Delegate(_) if self.skipped == 0 => self.end()?,
            Op::End | Op::Delegate(_) => self.skipped -= 1,
            _ => {}
        }
        Ok(())
    }
}
