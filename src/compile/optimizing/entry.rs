//! Calls through tables that never change (`module/constant_table.rs`).
//!
//! Code and type are read from the element's entry behind the code table, at a distance that is known: neither the element, nor
//! the function's object, nor its vmctx is needed, and the type is compared with a constant. Where the index is a constant as
//! well, the function is known.

use super::POINTER;
use super::call::{Code, Target};
use super::translate::Translator;
use super::trap::clif_trap;
use crate::compile::layout::*;
use crate::compile::op::Callee;
use crate::trap::TrapCode;
use crate::types::HeapType;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

impl Translator<'_> {
    /// The function itself, if the callee is an element that is known; pops its index then.
    pub(super) fn resolve_callee(&mut self, callee: Callee) -> Callee {
        let Callee::Indirect { ty, table } = callee else { return callee };
        let known = || {
            let index = self.constant_of(*self.stack.last()?)?;
            let is64 = self.module.tables[table as usize].is64;
            let index = if is64 { usize::try_from(index).ok()? } else { index as u32 as usize };
            let entry = (*self.module.constant_table(table)?.elements.get(index)?)?;
            let id = |ty: u32| HeapType::Concrete(self.module.types[ty as usize].id());
            id(entry.ty).matches(id(ty)).then_some(entry.func)
        };
        match known() {
            Some(func) => {
                self.pop();
                Callee::Func(func)
            }
            None => callee,
        }
    }

    /// What a call of an element of a table needs, if the table never changes and the type says enough. Pops the index; traps if
    /// there is no function of the type.
    pub(super) fn entry_target(&mut self, ty: u32, table: u32) -> Option<Target> {
        let module = self.module;
        let constant = module.constant_table(table)?;
        let (accepted, is_only) = constant.accepted(module, ty)?;
        // Whoever walks the stack finds the vmctx in the callee's frame: it is of the same instance.
        self.calls = true;
        self.visible = true;
        let index = self.pop();
        let wide = self.extend_index(module.tables[table as usize].is64, index);
        let outside = self.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, wide, constant.elements.len() as i64);
        if !self.tunables.signals {
            self.trap_if(outside, TrapCode::UndefinedElement);
        }
        let first = module.bodies.len() as i64 * i64::from(PTR) + i64::from(constant.first * ENTRY_SIZE);
        let code_table = self.vmctx_pointer(VMCTX_CODE_TABLE);
        let entries = self.b.ins().iadd_imm_s(code_table, first);
        let offset = self.b.ins().ishl_imm_u(wide, i64::from(ENTRY_SIZE.ilog2()));
        let address = self.b.ins().iadd(entries, offset);
        // Also where a processor guesses that the index is inside.
        let null = self.b.ins().iconst(POINTER, 0);
        let address = self.b.ins().select_spectre_guard(outside, null, address);
        let flags = self.changing();
        let flags = if self.tunables.signals {
            flags.with_trap_code(Some(clif_trap(TrapCode::UndefinedElement)))
        } else {
            flags
        };
        if !is_only {
            let actual = self.b.ins().load(types::I32, flags, address, ENTRY_TYPE as i32);
            self.check_entry_type(actual, accepted, index);
        }
        let code = self.b.ins().load(POINTER, flags, address, ENTRY_CODE as i32);
        Some(Target { ty, sig: self.type_signature(ty), code: Code::At(code), vmctx: self.vmctx })
    }

    /// Traps unless an entry has this type.
    fn check_entry_type(&mut self, actual: Value, accepted: u32, index: Value) {
        let same = self.b.ins().icmp_imm_u(IntCC::Equal, actual, i64::from(accepted));
        let (cold, next) = self.cold_and_next();
        self.b.ins().brif(same, next, &[], cold, &[]);
        self.b.switch_to_block(cold);
        self.b.seal_block(cold);
        let there = self.b.ins().icmp_imm_u(IntCC::NotEqual, actual, i64::from(NO_ENTRY));
        self.trap_if_uninitialized(there, index);
        self.trap(TrapCode::IndirectCallTypeMismatch);
        self.b.switch_to_block(next);
        self.b.seal_block(next);
    }
}
