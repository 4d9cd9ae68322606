//! Tests of references against types, and what depends on them. Types of a module are compared by their canonical ids; a final
//! type by one comparison, any other by the display of the object's type (`compile/layout.rs`).

use super::POINTER;
use super::env::REGION_HEAP_TYPES;
use super::translate::Translator;
use crate::compile::CompileError;
use crate::compile::builtin::Builtin;
use crate::compile::gc::Target;
use crate::compile::layout::*;
use crate::trap::TrapCode;
use crate::types::{DefType, HeapType, Hierarchy};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, MemFlagsData, Value, types};
use wasmparser::HeapType as Parsed;

/// Where a test continues.
#[derive(Clone, Copy)]
struct Ways {
    yes: Block,
    no: Block,
}

/// What a reference may be, as far as the type tells that it has in any case.
#[derive(Clone, Copy)]
struct Possible {
    null: bool,
    i31: bool,
    /// A pointer of the host.
    host: bool,
}

impl Possible {
    const ANYTHING: Possible = Possible { null: true, i31: true, host: true };

    /// A reference of this type.
    fn of(nullable: bool, heap: HeapType) -> Possible {
        let host = matches!(heap, HeapType::Any);
        Possible { null: nullable, i31: host || matches!(heap, HeapType::Eq | HeapType::I31), host }
    }
}

impl Translator<'_> {
    /// A heap type, with its index if it is one of the module's types.
    pub(super) fn heap_type(&self, heap: Parsed) -> Result<(HeapType, Option<u32>), CompileError> {
        let index = match heap {
            Parsed::Concrete(index) => index.as_module_index(),
            _ => None,
        };
        let heap = self.module.heap_type(heap).map_err(|e| CompileError::Internal(e.to_string()))?;
        Ok((heap, index))
    }

    /// Ends the block: continues at `yes` if a reference belongs to a type, else at `no`.
    fn branch_on_type(
        &mut self,
        reference: Value,
        possible: Possible,
        target: Target,
        ways: Ways,
    ) -> Result<(), CompileError> {
        let (heap, index) = self.heap_type(target.heap)?;
        let of_null = if target.nullable { ways.yes } else { ways.no };
        if heap.is_bottom() {
            self.b.ins().brif(reference, ways.no, &[], of_null, &[]);
            return Ok(());
        }
        if heap == heap.top() {
            self.b.ins().brif(reference, ways.yes, &[], of_null, &[]);
            return Ok(());
        }
        if possible.null {
            let some = self.b.create_block();
            self.b.ins().brif(reference, some, &[], of_null, &[]);
            self.b.seal_block(some);
            self.b.switch_to_block(some);
        }
        let index = || index.ok_or_else(|| CompileError::Internal("a heap type has no index".into()));
        match heap.hierarchy() {
            Hierarchy::Func => self.branch_on_func(reference, index()?, ways),
            Hierarchy::Any => match heap {
                HeapType::I31 => {
                    let is_i31 = self.b.ins().band_imm_u(reference, 1);
                    self.b.ins().brif(is_i31, ways.yes, &[], ways.no, &[]);
                }
                HeapType::Eq => {
                    let id = self.object_type_or(reference, Possible::ANYTHING, ways.yes);
                    let is_host = self.b.ins().icmp_imm_u(IntCC::Equal, id, i64::from(GC_HOST));
                    self.b.ins().brif(is_host, ways.no, &[], ways.yes, &[]);
                }
                HeapType::Struct => self.branch_on_kind(reference, possible, GC_KIND_STRUCT, ways),
                HeapType::Array => self.branch_on_kind(reference, possible, GC_KIND_ARRAY, ways),
                _ => self.branch_on_defined(reference, possible, index()?, ways),
            },
            // Nothing lies between their tops and bottoms.
            Hierarchy::Extern | Hierarchy::Exn => drop(self.b.ins().jump(ways.yes, &[])),
        }
        Ok(())
    }

    /// The type id of a reference's object; continues at `of_i31` if the reference, which is not null, has none.
    fn object_type_or(&mut self, reference: Value, possible: Possible, of_i31: Block) -> Value {
        if !possible.i31 {
            return self.object_type(reference);
        }
        let object = self.b.create_block();
        let is_i31 = self.b.ins().band_imm_u(reference, 1);
        self.b.ins().brif(is_i31, of_i31, &[], object, &[]);
        self.b.seal_block(object);
        self.b.switch_to_block(object);
        self.object_type(reference)
    }

    /// The `GcType` of an id; continues at `of_host` if it is that of a host's pointer, which has none.
    fn type_of(&mut self, id: Value, possible: Possible, of_host: Block) -> Value {
        if possible.host {
            let known = self.b.create_block();
            let is_host = self.b.ins().icmp_imm_u(IntCC::Equal, id, i64::from(GC_HOST));
            self.b.ins().brif(is_host, of_host, &[], known, &[]);
            self.b.seal_block(known);
            self.b.switch_to_block(known);
        }
        let store = self.vmctx_pointer(VMCTX_STORE);
        let flags = self.changing();
        let types = self.b.ins().load(POINTER, flags, store, STORE_GC_TYPES as i32);
        let id = self.b.ins().uextend(types::I64, id);
        let distance = self.b.ins().ishl_imm_u(id, 3);
        let entry = self.b.ins().iadd(types, distance);
        self.b.ins().load(POINTER, flags, entry, 0)
    }

    fn type_field(&mut self, ty: Value, offset: u32) -> Value {
        let region = self.region(REGION_HEAP_TYPES);
        let flags = MemFlagsData::trusted().with_alias_region(Some(region));
        self.b.ins().load(types::I32, flags, ty, offset as i32)
    }

    /// As [`Translator::branch_on_type`], for all structures or all arrays.
    fn branch_on_kind(&mut self, reference: Value, possible: Possible, kind: u32, ways: Ways) {
        let id = self.object_type_or(reference, possible, ways.no);
        let ty = self.type_of(id, possible, ways.no);
        let actual = self.type_field(ty, GC_TYPE_KIND);
        let same = self.b.ins().icmp_imm_u(IntCC::Equal, actual, i64::from(kind));
        self.b.ins().brif(same, ways.yes, &[], ways.no, &[]);
    }

    /// As [`Translator::branch_on_type`], for a structure or array type of the module.
    fn branch_on_defined(&mut self, reference: Value, possible: Possible, ty: u32, ways: Ways) {
        let id = self.object_type_or(reference, possible, ways.no);
        let expected = self.type_id(ty);
        let declared: &DefType = &self.module.types[ty as usize];
        let same = self.b.ins().icmp(IntCC::Equal, id, expected);
        if declared.is_final() {
            self.b.ins().brif(same, ways.yes, &[], ways.no, &[]);
            return;
        }
        let depth = declared.supertypes().len() as u32;
        let below = self.b.create_block();
        self.b.ins().brif(same, ways.yes, &[], below, &[]);
        self.b.seal_block(below);
        self.b.switch_to_block(below);
        let actual = self.type_of(id, possible, ways.no);
        if depth >= GC_DISPLAY {
            let deep = self.b.create_block();
            let actual_depth = self.type_field(actual, GC_TYPE_DEPTH);
            let is_deep = self.b.ins().icmp_imm_u(IntCC::UnsignedGreaterThanOrEqual, actual_depth, i64::from(depth));
            self.b.ins().brif(is_deep, deep, &[], ways.no, &[]);
            self.b.seal_block(deep);
            self.b.switch_to_block(deep);
        }
        let above = self.type_field(actual, GC_TYPE_DISPLAY + 4 * depth);
        let same = self.b.ins().icmp(IntCC::Equal, above, expected);
        self.b.ins().brif(same, ways.yes, &[], ways.no, &[]);
    }

    /// As [`Translator::branch_on_type`], for a function type of the module.
    fn branch_on_func(&mut self, func: Value, ty: u32, ways: Ways) {
        let flags = self.changing();
        let actual = self.b.ins().load(types::I32, flags, func, FUNC_TYPE_ID as i32);
        let expected = self.type_id(ty);
        let same = self.b.ins().icmp(IntCC::Equal, actual, expected);
        if self.module.types[ty as usize].is_final() {
            self.b.ins().brif(same, ways.yes, &[], ways.no, &[]);
            return;
        }
        let slow = self.b.create_block();
        self.b.ins().brif(same, ways.yes, &[], slow, &[]);
        self.b.seal_block(slow);
        self.b.switch_to_block(slow);
        let below = self.builtin(Builtin::func_type_matches, &[actual, expected]).expect("it has a result");
        self.b.ins().brif(below, ways.yes, &[], ways.no, &[]);
    }

    fn ways(&mut self) -> Ways {
        Ways { yes: self.b.create_block(), no: self.b.create_block() }
    }

    fn begin_way(&mut self, way: Block) {
        self.b.seal_block(way);
        self.b.switch_to_block(way);
    }

    /// `ref.test`
    pub(super) fn ref_test(&mut self, target: Target) -> Result<(), CompileError> {
        let reference = self.pop();
        let ways = self.ways();
        let done = self.b.create_block();
        let result = self.b.append_block_param(done, types::I32);
        self.branch_on_type(reference, Possible::ANYTHING, target, ways)?;
        for (way, value) in [(ways.yes, 1), (ways.no, 0)] {
            self.begin_way(way);
            let value = self.i32_const(value);
            self.b.ins().jump(done, &[value.into()]);
        }
        self.begin_way(done);
        self.push(result);
        Ok(())
    }

    /// `ref.cast`
    pub(super) fn ref_cast(&mut self, target: Target) -> Result<(), CompileError> {
        let reference = self.pop();
        let ways = self.ways();
        self.b.set_cold_block(ways.no);
        self.branch_on_type(reference, Possible::ANYTHING, target, ways)?;
        self.begin_way(ways.no);
        self.trap(TrapCode::CastFailure);
        self.begin_way(ways.yes);
        self.push(reference);
        Ok(())
    }

    /// `br_on_cast`, `br_on_cast_fail`
    pub(super) fn br_on_cast(
        &mut self,
        depth: u32,
        from: Target,
        to: Target,
        on_fail: bool,
    ) -> Result<(), CompileError> {
        let possible = Possible::of(from.nullable, self.heap_type(from.heap)?.0);
        let reference = *self.stack.last().expect("validation has counted the operands");
        let ways = self.ways();
        self.branch_on_type(reference, possible, to, ways)?;
        let (taken, next) = if on_fail { (ways.no, ways.yes) } else { (ways.yes, ways.no) };
        self.begin_way(taken);
        self.br(depth);
        self.reachable = true;
        self.begin_way(next);
        Ok(())
    }
}
