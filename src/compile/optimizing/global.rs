//! Globals. One that was read or written is not read again as long as it is known (`known.rs`).

use super::clif_type;
use super::heap::is_traced;
use super::known::Place;
use super::translate::Translator;
use crate::module::ConstOp;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};

impl Translator<'_> {
    /// Where a global's cell is: a pointer and an offset.
    fn global_cell(&mut self, global: u32) -> (Value, i32) {
        if global < self.module.imported_globals {
            (self.vmctx_pointer(self.layout.imported_global(global)), 0)
        } else {
            (self.vmctx, self.layout.defined_global(global) as i32)
        }
    }

    fn global_flags(&mut self, global: u32) -> MemFlagsData {
        let region = self.global_region(global);
        let flags = MemFlagsData::trusted().with_alias_region(Some(region));
        // A collection changes references even in constant globals.
        let ty = &self.module.globals[global as usize];
        if ty.mutable || is_traced(ty.content) { flags } else { flags.with_readonly().with_can_move() }
    }

    /// The value of a global that is known when the module is.
    fn constant_global(&mut self, global: u32) -> Option<Value> {
        let defined = global.checked_sub(self.module.imported_globals)?;
        if self.module.globals[global as usize].mutable {
            return None;
        }
        match *self.module.global_inits[defined as usize].as_slice() {
            [ConstOp::I32Const(value)] => Some(self.i32_const(value)),
            [ConstOp::I64Const(value)] => Some(self.b.ins().iconst(types::I64, value)),
            [ConstOp::F32Const(bits)] => Some(self.b.ins().f32const(Ieee32::with_bits(bits))),
            [ConstOp::F64Const(bits)] => Some(self.b.ins().f64const(Ieee64::with_bits(bits))),
            [ConstOp::V128Const(bits)] => Some(self.vector_const(bits.to_le_bytes())),
            [ConstOp::RefNull] => Some(self.zero(clif_type(self.module.globals[global as usize].content))),
            _ => None,
        }
    }

    /// `global.get`
    pub(super) fn global_get(&mut self, global: u32) {
        if let Some(value) = self.constant_global(global) {
            self.push(value);
            return;
        }
        if let Some(value) = self.known.get(Place::Global(global)) {
            self.push(value);
            return;
        }
        let ty = self.module.globals[global as usize].content;
        let (pointer, offset) = self.global_cell(global);
        let flags = self.global_flags(global);
        let value = self.b.ins().load(clif_type(ty), flags, pointer, offset);
        self.declare(value, ty);
        self.known.set(Place::Global(global), value);
        self.push(value);
    }

    /// `global.set`
    pub(super) fn global_set(&mut self, global: u32) {
        let value = self.pop();
        let (pointer, offset) = self.global_cell(global);
        let flags = self.global_flags(global);
        self.b.ins().store(flags, value, pointer, offset);
        // Imported ones may be the same global twice.
        let imported = self.module.imported_globals;
        if global < imported {
            self.known.forget_globals_below(imported);
        }
        self.known.set(Place::Global(global), value);
    }
}
