//! Calls: through the module's code table, to imports, through tables, and to the runtime's helpers.

use super::POINTER;
use super::env::{signature, wasm_signature};
use super::translate::Translator;
use crate::compile::CompileError;
use crate::compile::builtin::{Builtin, BuiltinType};
use crate::compile::layout::*;
use crate::compile::op::Callee;
use crate::trap::TrapCode;
use crate::types::{HeapType, Hierarchy};
use cranelift_codegen::ir::{self, ExtFuncData, ExternalName, InstBuilder, SigRef, UserExternalName, Value, types};

/// What a call is made to.
pub(super) struct Target {
    /// The type, by index.
    pub(super) ty: u32,
    pub(super) sig: SigRef,
    pub(super) code: Code,
    pub(super) vmctx: Value,
}

/// Where the callee's code is.
#[derive(Clone, Copy)]
pub(super) enum Code {
    /// It is the function being compiled.
    This(ir::FuncRef),
    /// At this address.
    At(Value),
}

impl Translator<'_> {
    /// Calls a helper with the vmctx and `args`.
    pub(super) fn builtin(&mut self, builtin: Builtin, args: &[Value]) -> Option<Value> {
        self.visible = true;
        self.is_leaf = false;
        // These write nothing that is known, or do not come back.
        let harmless = [Builtin::memory_fill, Builtin::memory_copy, Builtin::raise_trap, Builtin::raise_uninitialized];
        if !harmless.contains(&builtin) {
            self.known.clear();
        }
        let sig = self.builtin_signature(builtin);
        // These pointers never change, but are wanted only where the helper is called: not to be kept in registers.
        let flags = self.changing();
        let table = self.b.ins().load(POINTER, flags, self.vmctx, VMCTX_BUILTINS as i32);
        let code = self.b.ins().load(POINTER, flags, table, builtin.offset() as i32);
        let mut all = Vec::with_capacity(args.len() + 1);
        all.push(self.vmctx);
        all.extend_from_slice(args);
        let call = self.b.ins().call_indirect(sig, code, &all);
        self.b.inst_results(call).first().copied()
    }

    fn builtin_signature(&mut self, builtin: Builtin) -> SigRef {
        if let Some(sig) = self.builtin_signatures[builtin as usize] {
            return sig;
        }
        let clif = |ty: &BuiltinType| match ty {
            BuiltinType::I32 => types::I32,
            BuiltinType::I64 => types::I64,
        };
        let declared = builtin.signature();
        let sig = signature(declared.params.iter().map(clif), declared.result.as_ref().map(clif));
        let sig = self.b.import_signature(sig);
        self.builtin_signatures[builtin as usize] = Some(sig);
        sig
    }

    /// The signature of a function type of the module.
    pub(super) fn type_signature(&mut self, ty: u32) -> SigRef {
        if let Some(sig) = self.type_signatures.get(&ty) {
            return *sig;
        }
        let sig = wasm_signature(self.module.type_of_funcs(ty));
        let sig = self.b.import_signature(sig);
        self.type_signatures.insert(ty, sig);
        sig
    }

    /// `call`, `call_indirect`, `call_ref`
    pub(super) fn call(&mut self, callee: Callee) -> Result<(), CompileError> {
        let callee = self.resolve_callee(callee);
        if let Callee::Func(func) = callee
            && self.is_worth_inlining(func)
        {
            return self.inline(func);
        }
        let target = self.target(callee)?;
        let args = self.pop_args(target.ty, target.vmctx);
        if let Some(scope) = self.handlers {
            return self.call_caught(target.ty, target.sig, target.code, &args, scope);
        }
        let call = match target.code {
            Code::This(func) => self.b.ins().call(func, &args),
            Code::At(code) => self.b.ins().call_indirect(target.sig, code, &args),
        };
        self.known.clear();
        let results = self.b.func.dfg.inst_results(call).to_vec();
        let types = self.module.type_of_funcs(target.ty).results();
        for (result, ty) in results.into_iter().zip(types) {
            self.declare(result, *ty);
            self.push(result);
        }
        Ok(())
    }

    /// `return_call`, `return_call_indirect`, `return_call_ref`
    pub(super) fn return_call(&mut self, callee: Callee) -> Result<(), CompileError> {
        let callee = self.resolve_callee(callee);
        let target = self.target(callee)?;
        let args = self.pop_args(target.ty, target.vmctx);
        match target.code {
            Code::This(func) => self.b.ins().return_call(func, &args),
            Code::At(code) => self.b.ins().return_call_indirect(target.sig, code, &args),
        };
        self.reachable = false;
        Ok(())
    }

    /// What a call needs besides its arguments. Pops what tells the callee; traps if there is none of the type.
    fn target(&mut self, callee: Callee) -> Result<Target, CompileError> {
        self.is_leaf = false;
        match callee {
            Callee::Func(func) => self.func_target(func),
            Callee::Indirect { ty, table } => {
                if let Some(target) = self.entry_target(ty, table) {
                    return Ok(target);
                }
                let index = self.pop();
                let func = self.table_element(table, index, TrapCode::UndefinedElement);
                let element = self.module.tables[table as usize].element;
                debug_assert_eq!(element.heap.hierarchy(), Hierarchy::Func);
                if element.nullable {
                    self.trap_if_uninitialized(func, index);
                }
                if !element.heap.matches(HeapType::Concrete(self.module.types[ty as usize].id())) {
                    self.check_func_type(ty, func);
                }
                self.ref_target(ty, func)
            }
            Callee::Ref(ty) => {
                let func = self.pop();
                self.trap_unless(func, TrapCode::NullFunctionReference);
                self.ref_target(ty, func)
            }
        }
    }

    fn func_target(&mut self, func: u32) -> Result<Target, CompileError> {
        // Whoever walks the stack knows the vmctx of a frame that called a function of its own module: it is the callee's.
        self.calls = true;
        self.visible |= self.module.defined_func(func).is_none();
        let ty = self.module.functions[func as usize];
        let sig = self.type_signature(ty);
        if func == self.func_index {
            let code = Code::This(self.this_function(sig));
            return Ok(Target { ty, sig, code, vmctx: self.vmctx });
        }
        let (code, vmctx) = match self.module.defined_func(func) {
            Some(defined) => {
                // The table's address never changes, but kept over a call it would be spilled, and reading it from there
                // costs the same as reading it anew; in loops it took registers from what is used more.
                // Its entries change: a better compiled function may take the place at any time.
                let flags = self.changing();
                let table = self.b.ins().load(POINTER, flags, self.vmctx, VMCTX_CODE_TABLE as i32);
                (self.b.ins().load(POINTER, flags, table, (defined * PTR) as i32), self.vmctx)
            }
            None => {
                let entry = self.layout.imported_function(func);
                let slot = self.vmctx_pointer(entry + IMPORT_FUNC_SLOT);
                let vmctx = self.vmctx_pointer(entry + IMPORT_FUNC_VMCTX);
                let flags = self.changing();
                (self.b.ins().load(POINTER, flags, slot, 0), vmctx)
            }
        };
        Ok(Target { ty, sig, code: Code::At(code), vmctx })
    }

    /// The function that a reference points to, which is not null.
    fn ref_target(&mut self, ty: u32, func: Value) -> Result<Target, CompileError> {
        self.visible = true;
        let sig = self.type_signature(ty);
        let flags = self.changing();
        let slot = self.b.ins().load(POINTER, flags, func, FUNC_SLOT as i32);
        let vmctx = self.b.ins().load(POINTER, flags, func, FUNC_VMCTX as i32);
        let code = self.b.ins().load(POINTER, flags, slot, 0);
        Ok(Target { ty, sig, code: Code::At(code), vmctx })
    }

    /// Traps unless a function has this type or one below it.
    fn check_func_type(&mut self, ty: u32, func: Value) {
        let flags = self.changing();
        let actual = self.b.ins().load(types::I32, flags, func, FUNC_TYPE_ID as i32);
        let expected = self.type_id(ty);
        let same = self.b.ins().icmp(ir::condcodes::IntCC::Equal, actual, expected);
        if self.module.types[ty as usize].is_final() {
            self.trap_unless(same, TrapCode::IndirectCallTypeMismatch);
            return;
        }
        let (slow, matches) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(slow);
        self.b.ins().brif(same, matches, &[], slow, &[]);
        self.b.seal_block(slow);
        self.b.switch_to_block(slow);
        let below = self.builtin(Builtin::func_type_matches, &[actual, expected]).expect("it has a result");
        self.trap_unless(below, TrapCode::IndirectCallTypeMismatch);
        self.b.ins().jump(matches, &[]);
        self.b.seal_block(matches);
        self.b.switch_to_block(matches);
    }

    /// The function being compiled, for direct calls of itself; `finish.rs` resolves them.
    fn this_function(&mut self, signature: SigRef) -> ir::FuncRef {
        if let Some(callee) = self.this_function {
            return callee;
        }
        let name = self.b.func.declare_imported_user_function(UserExternalName { namespace: 0, index: 0 });
        let data = ExtFuncData { name: ExternalName::user(name), signature, colocated: true, patchable: false };
        let callee = self.b.import_function(data);
        self.this_function = Some(callee);
        callee
    }

    fn pop_args(&mut self, ty: u32, vmctx: Value) -> Vec<Value> {
        let count = self.module.type_of_funcs(ty).params().len();
        let at = self.stack.len() - count;
        let mut args = Vec::with_capacity(count + 1);
        args.push(vmctx);
        args.extend(self.stack.drain(at..));
        args
    }
}
