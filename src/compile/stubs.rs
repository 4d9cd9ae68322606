//! Stubs that cross the boundary between the host and WebAssembly, one for each function type.
//!
//! **Entry stub** (C calling convention): host to WebAssembly.
//!
//! ```text
//!   fp ->  | caller's fp |            check the kinds of all arguments        (kind mismatch: STATUS_KIND + i)
//!          | callee-saved|            store.activation = &record
//!          | Activation  | <- record  arguments = *args;  call *func.slot
//!   sp ->  | outgoing    |            *results = ...; store.activation = record.previous      (STATUS_OK)
//!                            landing: store.activation = record.previous                      (STATUS_TRAP)
//! ```
//! The call is a `try_call`: Cranelift assumes that the landing pad is reached with every register clobbered, so whoever raises
//! a trap only has to set the frame and stack pointers and jump.
//!
//! References of the `any` hierarchy are in the arrays of entry stubs as they are in WebAssembly, with zeros above: the caller
//! converts them, and so do the helpers that a host stub calls.
//!
//! **Host stub** (WebAssembly's calling convention): WebAssembly to a C callback. The hidden argument is the host's `Func`.

use super::CompileError;
use super::builtin::{Builtin, BuiltinType};
use super::code::{Code, EntryCode};
use super::layout::*;
use super::optimizing::{Compiler, Effort, clif_type, finish, is_traced, wasm_signature};
use crate::trap::TrapCode;
use crate::types::{FuncType, Hierarchy, ValType};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I8, I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, InstBuilder, MemFlagsData, Signature,
    StackSlot, StackSlotData, StackSlotKind, Type, Value,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

/// How values lie in the arrays of a stub.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// `wasm_val_t`: a kind and 8 bytes.
    Tagged,
    /// 16 bytes of value.
    Raw,
}

/// The stub through which the host calls functions of type `ty` with arrays of `wasm_val_t`.
pub fn entry_stub(compiler: &mut Compiler, ty: &FuncType) -> Result<EntryCode, CompileError> {
    check_expressible(ty)?;
    entry(compiler, ty, Form::Tagged)
}

/// The stub through which the host calls functions of type `ty` with arrays of raw values. All arguments are read
/// before a result is written, so both arrays may be the same.
pub fn raw_entry_stub(compiler: &mut Compiler, ty: &FuncType) -> Result<EntryCode, CompileError> {
    entry(compiler, ty, Form::Raw)
}

/// The code of host functions of type `ty` whose callback takes vectors of `wasm_val_t`, behind an environment if
/// `with_env`.
pub fn host_stub(compiler: &mut Compiler, ty: &FuncType, with_env: bool) -> Result<Code, CompileError> {
    check_expressible(ty)?;
    host(compiler, ty, |stub, func| {
        let params = ty.params().len() as u32;
        let results = ty.results().len() as u32;
        let values = stub.slot((params + results) * VAL_SIZE, 4);
        for (i, param) in ty.params().iter().enumerate() {
            let value = stub.param(1 + i);
            let at = i as u32 * VAL_SIZE;
            stub.store_tagged(*param, value, values, at);
        }
        stub.box_args(func, ty, values, VAL_OF);
        for i in 0..results {
            let at = (params + i) * VAL_SIZE;
            let unset = stub.b.ins().iconst(I64, i64::from(VAL_KIND_UNSET));
            let zero = stub.b.ins().iconst(I64, 0);
            stub.b.ins().stack_store(I64, unset, values, (at + VAL_KIND) as i32);
            stub.b.ins().stack_store(I64, zero, values, (at + VAL_OF) as i32);
        }
        let vectors = stub.slot(32, 3);
        let args_data = stub.b.ins().stack_addr(I64, values, 0);
        let results_data = stub.b.ins().stack_addr(I64, values, (params * VAL_SIZE) as i32);
        for (at, size, data) in [(0, params, args_data), (16, results, results_data)] {
            let size = stub.b.ins().iconst(I64, i64::from(size));
            stub.b.ins().stack_store(I64, size, vectors, at);
            stub.b.ins().stack_store(I64, data, vectors, at + 8);
        }
        let args_vec = stub.b.ins().stack_addr(I64, vectors, 0);
        let results_vec = stub.b.ins().stack_addr(I64, vectors, 16);
        let callback = stub.load(I64, func, FUNC_CALLBACK);
        let args = if with_env {
            let env = stub.load(I64, func, FUNC_ENV);
            vec![env, args_vec, results_vec]
        } else {
            vec![args_vec, results_vec]
        };
        let trap = stub.call_host(callback, &args);
        stub.release_args(func, ty);
        stub.raise_if_trap(func, trap);
        for (i, result) in ty.results().iter().enumerate() {
            let at = (params + i as u32) * VAL_SIZE;
            stub.check_result(func, i, *result, values, at, results_vec);
        }
        if ty.results().iter().any(|result| result.is_ref()) {
            stub.call_builtin(func, Builtin::host_result_refs, &[results_data]);
        }
        ty.results()
            .iter()
            .enumerate()
            .map(|(i, result)| {
                let at = (params + i as u32) * VAL_SIZE + VAL_OF;
                Ok(stub.b.ins().stack_load(I64, clif_type(*result), values, at as i32))
            })
            .collect()
    })
}

/// The code of host functions of type `ty` whose callback takes an array of raw values.
pub fn raw_host_stub(compiler: &mut Compiler, ty: &FuncType) -> Result<Code, CompileError> {
    host(compiler, ty, |stub, func| {
        let count = ty.params().len().max(ty.results().len()) as u32;
        let values = stub.slot(count * RAW_SIZE, 4);
        for (i, param) in ty.params().iter().enumerate() {
            let value = stub.param(1 + i);
            stub.store_raw(*param, value, values, i as u32 * RAW_SIZE);
        }
        stub.box_args(func, ty, values, 0);
        let callback = stub.load(I64, func, FUNC_CALLBACK);
        let env = stub.load(I64, func, FUNC_ENV);
        let array = stub.b.ins().stack_addr(I64, values, 0);
        let trap = stub.call_host(callback, &[env, func, array]);
        stub.release_args(func, ty);
        stub.raise_if_trap(func, trap);
        if ty.results().iter().any(|result| result.is_ref()) {
            stub.call_builtin(func, Builtin::raw_result_refs, &[array]);
        }
        ty.results()
            .iter()
            .enumerate()
            .map(|(i, result)| {
                Ok(stub.b.ins().stack_load(I64, clif_type(*result), values, (i as u32 * RAW_SIZE) as i32))
            })
            .collect()
    })
}

/// A `wasm_val_t` has no room for a v128.
fn check_expressible(ty: &FuncType) -> Result<(), CompileError> {
    let all = ty.params().iter().chain(ty.results());
    if all.into_iter().any(|t| *t == ValType::V128) {
        let what = format!("a function of type {ty} crossing the boundary as wasm_val_t: v128 does not fit");
        return Err(CompileError::NotSupported { what, module_offset: None });
    }
    Ok(())
}

/// The kind of a `wasm_val_t` of type `ty`: references are of one of two kinds.
fn val_kind(ty: ValType) -> i64 {
    match ty {
        ValType::I32 => 0,
        ValType::I64 => 1,
        ValType::F32 => 2,
        ValType::F64 => 3,
        ValType::V128 => 4,
        ValType::Ref(ty) if ty.heap.hierarchy() == Hierarchy::Func => 129,
        ValType::Ref(_) => 128,
    }
}

/// A stub under construction.
struct Stub<'a> {
    b: FunctionBuilder<'a>,
    entry: Block,
}

impl Stub<'_> {
    fn param(&self, index: usize) -> Value {
        self.b.func.dfg.block_params(self.entry)[index]
    }

    fn load(&mut self, ty: Type, at: Value, offset: u32) -> Value {
        self.b.ins().load(ty, Self::flags(ty), at, offset as i32)
    }

    fn store(&mut self, value: Value, at: Value, offset: u32) {
        let flags = Self::flags(self.b.func.dfg.value_type(value));
        self.b.ins().store(flags, value, at, offset as i32);
    }

    /// Only the host's arrays hold vectors, and they are aligned to 8 bytes.
    fn flags(ty: Type) -> MemFlagsData {
        if ty.is_vector() { MemFlagsData::new().with_notrap() } else { MemFlagsData::trusted() }
    }

    fn slot(&mut self, size: u32, align_log2: u8) -> StackSlot {
        self.b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, size, align_log2))
    }

    /// Makes references among the arguments what the host sees, if there can be any.
    fn box_args(&mut self, func: Value, ty: &FuncType, values: StackSlot, offset: u32) {
        if ty.params().iter().any(|param| is_traced(*param)) {
            let values = self.b.ins().stack_addr(I64, values, 0);
            let offset = self.b.ins().iconst(I32, i64::from(offset));
            self.call_builtin(func, Builtin::host_args_box, &[values, offset]);
        }
    }

    /// Gives up what `box_args` has made.
    fn release_args(&mut self, func: Value, ty: &FuncType) {
        if ty.params().iter().any(|param| is_traced(*param)) {
            self.call_builtin(func, Builtin::host_args_release, &[]);
        }
    }

    /// The bits of `value` in 64, zeros above.
    fn widen(&mut self, ty: ValType, value: Value) -> Value {
        match ty {
            ValType::Ref(_) if is_traced(ty) => self.b.ins().uextend(I64, value),
            ValType::I32 => self.b.ins().uextend(I64, value),
            ValType::F32 => {
                let bits = self.b.ins().bitcast(I32, MemFlagsData::new(), value);
                self.b.ins().uextend(I64, bits)
            }
            _ => value,
        }
    }

    /// Writes a whole `wasm_val_t`, padding included, so that the host sees no stale bytes.
    fn store_tagged(&mut self, ty: ValType, value: Value, slot: StackSlot, at: u32) {
        let kind = self.b.ins().iconst(I64, val_kind(ty));
        let wide = self.widen(ty, value);
        self.b.ins().stack_store(I64, kind, slot, (at + VAL_KIND) as i32);
        self.b.ins().stack_store(I64, wide, slot, (at + VAL_OF) as i32);
    }

    fn store_raw(&mut self, ty: ValType, value: Value, slot: StackSlot, at: u32) {
        let wide = self.widen(ty, value);
        self.b.ins().stack_store(I64, wide, slot, at as i32);
        if ty != ValType::V128 {
            let zero = self.b.ins().iconst(I64, 0);
            self.b.ins().stack_store(I64, zero, slot, at as i32 + 8);
        }
    }

    /// Calls a C function that gives a pointer.
    fn call_host(&mut self, callee: Value, args: &[Value]) -> Value {
        let mut sig = Signature::new(CallConv::SystemV);
        sig.params.extend(args.iter().map(|_| AbiParam::new(I64)));
        sig.returns.push(AbiParam::new(I64));
        let sig = self.b.import_signature(sig);
        let call = self.b.ins().call_indirect(sig, callee, args);
        self.b.inst_results(call)[0]
    }

    /// Calls a builtin on behalf of the host function `func`.
    fn call_builtin(&mut self, func: Value, builtin: Builtin, args: &[Value]) {
        let signature = builtin.signature();
        let mut sig = Signature::new(CallConv::SystemV);
        sig.params.extend(signature.params.iter().map(|param| {
            AbiParam::new(match param {
                BuiltinType::I32 => I32,
                BuiltinType::I64 => I64,
            })
        }));
        let sig = self.b.import_signature(sig);
        let store = self.load(I64, func, VMCTX_STORE);
        let table = self.load(I64, store, STORE_BUILTINS);
        let code = self.load(I64, table, builtin.offset());
        let args: Vec<Value> = [func].iter().chain(args).copied().collect();
        self.b.ins().call_indirect(sig, code, &args);
    }

    /// Branches to a cold block if `condition`, which runs `cold`, and goes on behind it.
    fn cold_if(&mut self, condition: Value, cold: impl FnOnce(&mut Self)) {
        let (aside, next) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(aside);
        self.b.ins().brif(condition, aside, &[], next, &[]);
        self.b.seal_block(aside);
        self.b.switch_to_block(aside);
        cold(self);
        self.b.ins().jump(next, &[]);
        self.b.seal_block(next);
        self.b.switch_to_block(next);
    }

    fn raise_if_trap(&mut self, func: Value, trap: Value) {
        self.cold_if(trap, |stub| stub.call_builtin(func, Builtin::raise_host_trap, &[trap]));
    }

    /// Asks the runtime about a result that has not the expected kind. (Where the callback has put another vector in the place of
    /// the one that it was given, no result here has.)
    fn check_result(&mut self, func: Value, index: usize, ty: ValType, slot: StackSlot, at: u32, vector: Value) {
        let kind = self.b.ins().stack_load(I64, I8, slot, (at + VAL_KIND) as i32);
        let differs = self.b.ins().icmp_imm_u(IntCC::NotEqual, kind, val_kind(ty));
        self.cold_if(differs, |stub| {
            let index = stub.b.ins().iconst(I32, index as i64);
            let result = stub.b.ins().stack_addr(I64, slot, at as i32);
            stub.call_builtin(func, Builtin::host_result, &[index, result, vector]);
        });
    }
}

/// Builds a function of signature `sig` and compiles it. What `make` gives is passed on.
fn build<T>(
    compiler: &mut Compiler,
    sig: Signature,
    make: impl FnOnce(&mut Stub<'_>) -> Result<T, CompileError>,
) -> Result<T, CompileError> {
    compiler.ctx.clear();
    compiler.ctx.func.signature = sig;
    let target = compiler.frontend_config();
    let mut b = FunctionBuilder::new(&mut compiler.ctx.func, &mut compiler.fctx);
    let entry = b.create_block();
    let mut stub = Stub { b, entry };
    stub.b.append_block_params_for_function_params(entry);
    stub.b.switch_to_block(entry);
    stub.b.seal_block(entry);
    match make(&mut stub) {
        Ok(made) => {
            stub.b.finalize(target);
            compiler.compile(Effort::Full)?;
            Ok(made)
        }
        Err(e) => {
            // Only a whole function leaves the builder's context fit for the next one.
            compiler.fctx = FunctionBuilderContext::new();
            Err(e)
        }
    }
}

/// The frame's distances that a stub's users need, and the end of the `try_call`.
fn entry(compiler: &mut Compiler, ty: &FuncType, form: Form) -> Result<EntryCode, CompileError> {
    let wasm = wasm_signature(ty);
    let mut sig = Signature::new(CallConv::SystemV);
    sig.params.extend([AbiParam::new(I64); 5]);
    sig.returns.push(AbiParam::new(I32));
    let record = build(compiler, sig, |stub| {
        let [func, store, args, results, this] = [0, 1, 2, 3, 4].map(|i| stub.param(i));
        if form == Form::Tagged {
            check_kinds(stub, ty, args);
        }
        let slot = stub.slot(ACTIVATION_SIZE, 3);
        let activation = stub.b.ins().stack_addr(I64, slot, 0);
        let previous = stub.load(I64, store, STORE_ACTIVATION);
        let exit_fp = stub.load(I64, store, STORE_EXIT_FP);
        let fp = stub.b.ins().get_frame_pointer(I64);
        for (value, at) in [
            (previous, ACTIVATION_PREVIOUS),
            (exit_fp, ACTIVATION_EXIT_FP),
            (fp, ACTIVATION_FP),
            (this, ACTIVATION_STUB),
            (store, ACTIVATION_STORE),
        ] {
            stub.store(value, activation, at);
        }
        stub.store(activation, store, STORE_ACTIVATION);
        let code_slot = stub.load(I64, func, FUNC_SLOT);
        let code = stub.load(I64, code_slot, 0);
        let mut values = vec![stub.load(I64, func, FUNC_VMCTX)];
        let (step, of) = if form == Form::Tagged { (VAL_SIZE, VAL_OF) } else { (RAW_SIZE, 0) };
        for (i, param) in ty.params().iter().enumerate() {
            values.push(stub.load(clif_type(*param), args, i as u32 * step + of));
        }
        call_and_return(stub, ty, form, wasm, code, &values, slot, results)?;
        Ok(slot)
    })?;
    let (landing, frame_below_fp) = finish::landing(&compiler.ctx)?;
    let activation_below_fp = finish::slot_below_fp(&compiler.ctx, record)?;
    Ok(EntryCode { code: finish::code(&compiler.ctx, None)?, landing, frame_below_fp, activation_below_fp })
}

/// Returns `STATUS_KIND + i` for the first argument `i` of the wrong kind.
fn check_kinds(stub: &mut Stub<'_>, ty: &FuncType, args: Value) {
    if ty.params().is_empty() {
        return;
    }
    let wrong = stub.b.create_block();
    let status = stub.b.append_block_param(wrong, I32);
    stub.b.set_cold_block(wrong);
    for (i, param) in ty.params().iter().enumerate() {
        let kind = stub.load(I8, args, i as u32 * VAL_SIZE + VAL_KIND);
        let differs = stub.b.ins().icmp_imm_u(IntCC::NotEqual, kind, val_kind(*param));
        let code = stub.b.ins().iconst(I32, i64::from(STATUS_KIND) + i as i64);
        let next = stub.b.create_block();
        stub.b.ins().brif(differs, wrong, &[code.into()], next, &[]);
        stub.b.seal_block(next);
        stub.b.switch_to_block(next);
    }
    let next = stub.b.current_block();
    stub.b.seal_block(wrong);
    stub.b.switch_to_block(wrong);
    stub.b.ins().return_(&[status]);
    if let Some(next) = next {
        stub.b.switch_to_block(next);
    }
}

#[allow(clippy::too_many_arguments)]
fn call_and_return(
    stub: &mut Stub<'_>,
    ty: &FuncType,
    form: Form,
    wasm: Signature,
    code: Value,
    values: &[Value],
    record: StackSlot,
    results: Value,
) -> Result<(), CompileError> {
    let (done, landing) = (stub.b.create_block(), stub.b.create_block());
    stub.b.set_cold_block(landing);
    let mut returned = Vec::with_capacity(ty.results().len());
    for result in ty.results() {
        returned.push(stub.b.append_block_param(done, clif_type(*result)));
    }
    let wasm = stub.b.import_signature(wasm);
    let rets: Vec<BlockArg> = (0..returned.len() as u32).map(BlockArg::TryCallRet).collect();
    let pool = &mut stub.b.func.dfg.value_lists;
    let normal = BlockCall::new(done, rets, pool);
    let handler = ExceptionTableItem::Default(BlockCall::new(landing, [], pool));
    let table = stub.b.func.dfg.exception_tables.push(ExceptionTableData::new(wasm, normal, [handler]));
    stub.b.ins().try_call_indirect(code, values, table);
    stub.b.seal_block(done);
    stub.b.seal_block(landing);
    for (block, status) in [(done, STATUS_OK), (landing, STATUS_TRAP)] {
        stub.b.switch_to_block(block);
        if block == done {
            write_results(stub, ty, form, &returned, results);
        }
        let activation = stub.b.ins().stack_addr(I64, record, 0);
        let store = stub.load(I64, activation, ACTIVATION_STORE);
        let previous = stub.load(I64, activation, ACTIVATION_PREVIOUS);
        let exit_fp = stub.load(I64, activation, ACTIVATION_EXIT_FP);
        stub.store(previous, store, STORE_ACTIVATION);
        stub.store(exit_fp, store, STORE_EXIT_FP);
        let status = stub.b.ins().iconst(I32, i64::from(status));
        stub.b.ins().return_(&[status]);
    }
    Ok(())
}

fn write_results(stub: &mut Stub<'_>, ty: &FuncType, form: Form, returned: &[Value], results: Value) {
    for (i, (result, value)) in ty.results().iter().zip(returned).enumerate() {
        let wide = stub.widen(*result, *value);
        if form == Form::Tagged {
            let at = i as u32 * VAL_SIZE;
            let kind = stub.b.ins().iconst(I8, val_kind(*result));
            stub.store(kind, results, at + VAL_KIND);
            stub.store(wide, results, at + VAL_OF);
        } else {
            stub.store(wide, results, i as u32 * RAW_SIZE);
        }
    }
}

/// A host stub: `make` calls the callback and gives the results.
fn host(
    compiler: &mut Compiler,
    ty: &FuncType,
    make: impl FnOnce(&mut Stub<'_>, Value) -> Result<Vec<Value>, CompileError>,
) -> Result<Code, CompileError> {
    build(compiler, wasm_signature(ty), |stub| {
        let func = stub.param(0);
        let store = stub.load(I64, func, VMCTX_STORE);
        let fp = stub.b.ins().get_frame_pointer(I64);
        stub.store(fp, store, STORE_EXIT_FP);
        let sp = stub.b.ins().get_stack_pointer(I64);
        let limit = stub.load(I64, store, STORE_STACK_LIMIT);
        let exhausted = stub.b.ins().icmp(IntCC::UnsignedLessThan, sp, limit);
        stub.cold_if(exhausted, |stub| {
            let code = stub.b.ins().iconst(I32, TrapCode::CallStackExhausted as i64);
            stub.call_builtin(func, Builtin::raise_trap, &[code]);
        });
        let results = make(stub, func)?;
        stub.b.ins().return_(&results);
        Ok(())
    })?;
    finish::code(&compiler.ctx, None)
}
