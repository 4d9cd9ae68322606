//! Tables and references.

use super::POINTER;
use super::clif_trap;
use super::env::clif_type;
use super::translate::Translator;
use crate::compile::builtin::Builtin;
use crate::compile::layout::*;
use crate::trap::TrapCode;
use crate::types::{Hierarchy, ValType};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};

impl Translator<'_> {
    /// An index or a number of elements as 64 bits.
    fn extend_element_index(&mut self, table: u32, value: Value) -> Value {
        let is64 = self.module.tables[table as usize].is64;
        self.extend_index(is64, value)
    }

    /// Whether a table has as many elements as at first.
    fn never_grows(&self, table: u32) -> bool {
        let limits = self.module.tables[table as usize].limits;
        limits.max == Some(limits.min) || self.module.constant_table(table).is_some()
    }

    /// A table's length, in 64 bits.
    fn table_length(&mut self, table: u32) -> Value {
        if self.never_grows(table) {
            let length = self.module.tables[table as usize].limits.min;
            return self.b.ins().iconst(types::I64, length as i64);
        }
        let def = self.vmctx_pointer(self.layout.table(table));
        let flags = self.changing();
        self.b.ins().load(types::I64, flags, def, TABLE_DEF_LENGTH as i32)
    }

    /// The address of an element. Traps with `code` if the index is outside; with signals the access does that, as the address is
    /// null then.
    fn table_address(&mut self, table: u32, index: Value, code: TrapCode) -> Value {
        let index = self.extend_element_index(table, index);
        let length = self.table_length(table);
        let outside = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, length);
        self.visible = true;
        if !self.tunables.signals {
            self.trap_if(outside, code);
        }
        let def = self.vmctx_pointer(self.layout.table(table));
        // What does not grow does not move.
        let flags = if self.never_grows(table) { self.constant() } else { self.changing() };
        let elements = self.b.ins().load(POINTER, flags, def, TABLE_DEF_ELEMENTS as i32);
        let offset = self.b.ins().ishl_imm_u(index, 3);
        let address = self.b.ins().iadd(elements, offset);
        // Also where a processor guesses that the index is inside.
        let null = self.b.ins().iconst(POINTER, 0);
        self.b.ins().select_spectre_guard(outside, null, address)
    }

    /// An element as it lies in the table.
    fn cell_of_element(&mut self, table: u32, value: Value) -> Value {
        self.cell_of(value, ValType::Ref(self.module.tables[table as usize].element))
    }

    /// Flags of an access to an element, which traps with `code` if its index is outside.
    fn element_flags(&mut self, table: u32, code: TrapCode) -> MemFlagsData {
        let region = self.table_region(table);
        let flags = MemFlagsData::trusted().with_alias_region(Some(region));
        if self.tunables.signals { flags.with_trap_code(Some(clif_trap(code))) } else { flags }
    }

    /// The element at an index, which is a reference even if the table held a lazy one.
    pub(super) fn table_element(&mut self, table: u32, index: Value, code: TrapCode) -> Value {
        let address = self.table_address(table, index, code);
        let flags = self.element_flags(table, code);
        let ty = ValType::Ref(self.module.tables[table as usize].element);
        let element = self.b.ins().load(clif_type(ty), flags, address, 0);
        self.declare(element, ty);
        if ty.hierarchy() != Some(Hierarchy::Func) {
            return element;
        }
        let (cold, next) = self.cold_and_next();
        let reference = self.b.append_block_param(next, POINTER);
        let lazy = self.b.ins().band_imm_u(element, 1);
        self.b.ins().brif(lazy, cold, &[], next, &[element.into()]);

        self.b.switch_to_block(cold);
        self.b.seal_block(cold);
        let number = self.index_const(table);
        let index = self.extend_element_index(table, index);
        let found = self.builtin(Builtin::table_get_lazy, &[number, index]).expect("table_get_lazy has a result");
        self.b.ins().jump(next, &[found.into()]);

        self.b.switch_to_block(next);
        self.b.seal_block(next);
        reference
    }

    /// `table.get`
    pub(super) fn table_get(&mut self, table: u32) {
        let index = self.pop();
        let element = self.table_element(table, index, TrapCode::OutOfBoundsTableAccess);
        self.push(element);
    }

    /// `table.set`
    pub(super) fn table_set(&mut self, table: u32) {
        let (value, index) = (self.pop(), self.pop());
        let code = TrapCode::OutOfBoundsTableAccess;
        let address = self.table_address(table, index, code);
        let flags = self.element_flags(table, code);
        let value = self.cell_of_element(table, value);
        self.b.ins().store(flags, value, address, 0);
    }

    /// `table.size`
    pub(super) fn table_size(&mut self, table: u32) {
        let length = self.table_length(table);
        let is64 = self.module.tables[table as usize].is64;
        let length = if is64 { length } else { self.b.ins().ireduce(types::I32, length) };
        self.push(length);
    }

    /// `table.grow`
    pub(super) fn table_grow(&mut self, table: u32) {
        let (delta, init) = (self.pop(), self.pop());
        let delta = self.extend_element_index(table, delta);
        let init = self.cell_of_element(table, init);
        let number = self.index_const(table);
        let old = self.builtin(Builtin::table_grow, &[number, init, delta]).expect("table_grow has a result");
        let is64 = self.module.tables[table as usize].is64;
        let old = if is64 { old } else { self.b.ins().ireduce(types::I32, old) };
        self.push(old);
    }

    /// `table.fill`
    pub(super) fn table_fill(&mut self, table: u32) {
        let (len, value, dst) = (self.pop(), self.pop(), self.pop());
        let len = self.extend_element_index(table, len);
        let dst = self.extend_element_index(table, dst);
        let value = self.cell_of_element(table, value);
        let number = self.index_const(table);
        self.builtin(Builtin::table_fill, &[number, dst, value, len]);
    }

    /// `table.copy`
    pub(super) fn table_copy(&mut self, dst_table: u32, src_table: u32) {
        let (len, src, dst) = (self.pop(), self.pop(), self.pop());
        let (dst64, src64) = (self.module.tables[dst_table as usize].is64, self.module.tables[src_table as usize].is64);
        let len = self.extend_index(dst64 && src64, len);
        let src = self.extend_index(src64, src);
        let dst = self.extend_index(dst64, dst);
        let (dst_number, src_number) = (self.index_const(dst_table), self.index_const(src_table));
        self.builtin(Builtin::table_copy, &[dst_number, src_number, dst, src, len]);
    }

    /// `table.init`
    pub(super) fn table_init(&mut self, table: u32, segment: u32) {
        let (len, src, dst) = (self.pop(), self.pop(), self.pop());
        let dst = self.extend_element_index(table, dst);
        let (number, segment) = (self.index_const(table), self.index_const(segment));
        self.builtin(Builtin::table_init, &[number, segment, dst, src, len]);
    }

    /// `elem.drop`
    pub(super) fn elem_drop(&mut self, segment: u32) {
        let segment = self.index_const(segment);
        self.builtin(Builtin::elem_drop, &[segment]);
    }

    /// `ref.func`
    pub(super) fn ref_func(&mut self, func: u32) {
        let reference = if func < self.module.imported_functions {
            self.vmctx_pointer(self.layout.imported_function(func) + IMPORT_FUNC_FUNC)
        } else {
            let func = self.index_const(func);
            self.builtin(Builtin::ref_func, &[func]).expect("ref_func has a result")
        };
        self.push(reference);
    }

    /// `ref.is_null`
    pub(super) fn ref_is_null(&mut self) {
        let reference = self.pop();
        let is_null = self.b.ins().icmp_imm_u(IntCC::Equal, reference, 0);
        let is_null = self.b.ins().uextend(types::I32, is_null);
        self.push(is_null);
    }

    /// `ref.as_non_null`
    pub(super) fn ref_as_non_null(&mut self) {
        let reference = self.pop();
        self.trap_unless(reference, TrapCode::NullReference);
        self.is_not_null(reference);
        self.push(reference);
    }
}
