//! Traps. With signals: `ud2` and faults, whose places in the code the runtime knows. Without: explicit checks that
//! branch to cold code, which calls the `raise_trap` builtin and does not come back.

use super::translate::Translator;
use crate::compile::builtin::Builtin;
use crate::trap::TrapCode;
use cranelift_codegen::ir::{self, InstBuilder, Value, types};

/// Cranelift's trap code for ours.
pub(super) fn clif_trap(code: TrapCode) -> ir::TrapCode {
    ir::TrapCode::unwrap_user(code as u8)
}

/// Our trap code for one of Cranelift's, which has some of its own.
pub(super) fn trap_code(code: ir::TrapCode) -> Option<TrapCode> {
    match code {
        ir::TrapCode::STACK_OVERFLOW => Some(TrapCode::CallStackExhausted),
        ir::TrapCode::INTEGER_OVERFLOW => Some(TrapCode::IntegerOverflow),
        ir::TrapCode::HEAP_OUT_OF_BOUNDS => Some(TrapCode::OutOfBoundsMemoryAccess),
        ir::TrapCode::INTEGER_DIVISION_BY_ZERO => Some(TrapCode::IntegerDivideByZero),
        ir::TrapCode::BAD_CONVERSION_TO_INTEGER => Some(TrapCode::InvalidConversionToInteger),
        other => TrapCode::from_u8(other.as_raw().get()),
    }
}

impl Translator<'_> {
    /// Traps. The current block ends.
    pub(super) fn trap(&mut self, code: TrapCode) {
        self.visible = true;
        if !self.tunables.signals {
            let number = self.b.ins().iconst(types::I32, i64::from(code as u8));
            self.builtin(Builtin::raise_trap, &[number]);
        }
        self.b.ins().trap(clif_trap(code));
    }

    /// Traps if `condition` is not zero.
    pub(super) fn trap_if(&mut self, condition: Value, code: TrapCode) {
        self.visible = true;
        if self.tunables.signals {
            self.b.ins().trapnz(condition, clif_trap(code));
        } else {
            let (cold, next) = self.cold_and_next();
            self.b.ins().brif(condition, cold, &[], next, &[]);
            self.raise_in(cold, next, code);
        }
    }

    /// Traps if `condition` is zero.
    pub(super) fn trap_unless(&mut self, condition: Value, code: TrapCode) {
        self.visible = true;
        if self.tunables.signals {
            self.b.ins().trapz(condition, clif_trap(code));
        } else {
            let (cold, next) = self.cold_and_next();
            self.b.ins().brif(condition, next, &[], cold, &[]);
            self.raise_in(cold, next, code);
        }
    }

    /// Traps if the element of a table that was read at `index` is null. The specification's message has the index, which
    /// a fault could not tell: the check is explicit in either mode.
    pub(super) fn trap_if_uninitialized(&mut self, element: Value, index: Value) {
        self.visible = true;
        let (cold, next) = self.cold_and_next();
        self.b.ins().brif(element, next, &[], cold, &[]);
        self.b.switch_to_block(cold);
        self.b.seal_block(cold);
        let is_narrow = self.b.func.dfg.value_type(index) == types::I32;
        let index = if is_narrow { self.b.ins().uextend(types::I64, index) } else { index };
        self.builtin(Builtin::raise_uninitialized, &[index]);
        self.b.ins().trap(clif_trap(TrapCode::UninitializedElement));
        self.b.switch_to_block(next);
        self.b.seal_block(next);
    }

    /// A block that is hardly ever reached, and the one that goes on.
    pub(super) fn cold_and_next(&mut self) -> (ir::Block, ir::Block) {
        let cold = self.b.create_block();
        self.b.set_cold_block(cold);
        (cold, self.b.create_block())
    }

    fn raise_in(&mut self, cold: ir::Block, next: ir::Block, code: TrapCode) {
        self.b.switch_to_block(cold);
        self.b.seal_block(cold);
        self.trap(code);
        self.b.switch_to_block(next);
        self.b.seal_block(next);
    }
}
