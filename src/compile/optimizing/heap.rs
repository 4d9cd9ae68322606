//! The store's heap of garbage-collected objects: references, addresses, allocation, and what a field or element holds.
//!
//! A reference is 32 bits (`compile/layout.rs`), and every value that is one is declared to the function builder: where one lives
//! during a call, it lies in the frame, in a place that the code's `roots` tell of, and is read again afterwards. An
//! address in the heap is not a reference: it must not live across a call that may collect.

use super::POINTER;
use super::env::{REGION_HEAP_FIELDS, REGION_HEAP_HEADER, REGION_HEAP_TOP};
use super::translate::Translator;
use super::trap::clif_trap;
use crate::compile::CompileError;
use crate::compile::builtin::Builtin;
use crate::compile::layout::*;
use crate::trap::TrapCode;
use crate::types::layout::OBJECT_HEADER;
use crate::types::{Hierarchy, StorageType, ValType};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};

/// Whether values of a type are references that a collection may change.
pub(in crate::compile) fn is_traced(ty: ValType) -> bool {
    ty.hierarchy() == Some(Hierarchy::Any)
}

/// What a field or element is for alias analysis: those of different sorts never meet.
fn sort(storage: StorageType) -> u32 {
    match storage {
        StorageType::I8 => 0,
        StorageType::I16 => 1,
        StorageType::Val(ValType::I32) => 2,
        StorageType::Val(ValType::I64) => 3,
        StorageType::Val(ValType::F32) => 4,
        StorageType::Val(ValType::F64) => 5,
        StorageType::Val(ValType::V128) => 6,
        StorageType::Val(ty @ ValType::Ref(_)) if is_traced(ty) => 7,
        StorageType::Val(ValType::Ref(_)) => 8,
    }
}

/// A place in an object: `address + displacement`.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) address: Value,
    pub(super) displacement: u32,
    pub(super) flags: MemFlagsData,
}

impl Translator<'_> {
    /// Says that a value is a reference, if its type is one that a collection may change.
    pub(super) fn declare(&mut self, value: Value, ty: ValType) {
        if is_traced(ty) {
            self.declare_reference(value);
        }
    }

    /// Says that a value is a reference of the `any` hierarchy.
    pub(super) fn declare_reference(&mut self, value: Value) {
        self.references.push(value);
    }

    /// A value as it is put into a cell of 8 bytes: references of 32 bits with zeros above.
    pub(super) fn cell_of(&mut self, value: Value, ty: ValType) -> Value {
        if is_traced(ty) { self.b.ins().uextend(types::I64, value) } else { value }
    }

    /// The address of the object of a reference.
    pub(super) fn object(&mut self, reference: Value) -> Value {
        let store = self.vmctx_pointer(VMCTX_STORE);
        // An instance whose code gets here has a heap, which stays where it is.
        let flags = self.constant();
        let base = self.b.ins().load(POINTER, flags, store, STORE_GC_BASE as i32);
        let offset = self.b.ins().uextend(types::I64, reference);
        self.b.ins().iadd(base, offset)
    }

    fn header_flags(&mut self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.region(REGION_HEAP_HEADER)))
    }

    /// Flags of accesses to fields or elements. Those of 16 bytes are aligned to 8.
    pub(super) fn storage_flags(&mut self, storage: StorageType) -> MemFlagsData {
        let flags = MemFlagsData::new().with_notrap();
        let flags = if storage == StorageType::Val(ValType::V128) { flags } else { flags.with_aligned() };
        flags.with_alias_region(Some(self.region(REGION_HEAP_FIELDS + sort(storage))))
    }

    /// Flags for an access to an object at `displacement` that traps with `code` if its reference is null. The access itself
    /// may do that, being to memory that is never accessible.
    pub(super) fn null_checked(
        &mut self,
        flags: MemFlagsData,
        reference: Value,
        displacement: u32,
        code: TrapCode,
    ) -> MemFlagsData {
        self.visible = true;
        self.is_not_null(reference);
        if self.tunables.signals && displacement < GC_NULL_GUARD - 16 {
            return flags.with_trap_code(Some(clif_trap(code)));
        }
        self.trap_unless(reference, code);
        flags
    }

    /// The type id in the header of an object that is not null.
    pub(super) fn object_type(&mut self, reference: Value) -> Value {
        let object = self.object(reference);
        let flags = self.header_flags();
        self.b.ins().load(types::I32, flags, object, GC_OBJECT_TYPE as i32)
    }

    /// The length of an array. Traps if the reference is null.
    pub(super) fn array_length(&mut self, reference: Value) -> Value {
        let flags = self.header_flags();
        let flags = self.null_checked(flags, reference, GC_OBJECT_LENGTH, TrapCode::NullArrayReference);
        let object = self.object(reference);
        self.b.ins().load(types::I32, flags, object, GC_OBJECT_LENGTH as i32)
    }

    /// A new object of the type with index `ty`, of `size` bytes (64 bits), with its header and nothing else. Everything must
    /// be written before anything is called.
    pub(super) fn allocate(&mut self, ty: u32, length: Value, size: Value) -> Value {
        let store = self.vmctx_pointer(VMCTX_STORE);
        let top = MemFlagsData::trusted().with_alias_region(Some(self.region(REGION_HEAP_TOP)));
        let next = self.b.ins().load(types::I64, top, store, STORE_GC_NEXT as i32);
        let limit = self.b.ins().load(types::I64, top, store, STORE_GC_LIMIT as i32);
        let end = self.b.ins().iadd(next, size);
        let full = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, limit);
        // Few blocks: what the liveness of references takes grows with their number.
        let taken = self.b.ins().select(full, next, end);
        self.b.ins().store(top, taken, store, STORE_GC_NEXT as i32);
        let made = self.b.ins().ireduce(types::I32, next);
        let id = self.type_id(ty);
        let (cold, done) = self.cold_and_next();
        let reference = self.b.append_block_param(done, types::I32);
        self.declare_reference(reference);
        self.b.ins().brif(full, cold, &[], done, &[made.into()]);

        self.b.switch_to_block(cold);
        self.b.seal_block(cold);
        let made = self.builtin(Builtin::gc_alloc, &[id, length, size]).expect("gc_alloc has a result");
        self.b.ins().jump(done, &[made.into()]);

        self.b.switch_to_block(done);
        self.b.seal_block(done);
        let object = self.object(reference);
        let flags = self.header_flags();
        self.b.ins().store(flags, id, object, GC_OBJECT_TYPE as i32);
        self.b.ins().store(flags, length, object, GC_OBJECT_LENGTH as i32);
        reference
    }

    /// The value in a field or element; packed ones are extended.
    pub(super) fn load_storage(&mut self, storage: StorageType, signed: bool, place: Place) -> Value {
        let Place { address, displacement, flags } = place;
        let displacement = displacement as i32;
        let ty = match (storage, signed) {
            (StorageType::I8, false) => return self.b.ins().uload8(types::I32, flags, address, displacement),
            (StorageType::I8, true) => return self.b.ins().sload8(types::I32, flags, address, displacement),
            (StorageType::I16, false) => return self.b.ins().uload16(types::I32, flags, address, displacement),
            (StorageType::I16, true) => return self.b.ins().sload16(types::I32, flags, address, displacement),
            (StorageType::Val(ty), _) => ty,
        };
        let value = self.b.ins().load(super::clif_type(ty), flags, address, displacement);
        self.declare(value, ty);
        value
    }

    /// Writes a field or element.
    pub(super) fn store_storage(&mut self, storage: StorageType, value: Value, place: Place) {
        let Place { address, displacement, flags } = place;
        let displacement = displacement as i32;
        match storage {
            StorageType::I8 => self.b.ins().istore8(flags, value, address, displacement),
            StorageType::I16 => self.b.ins().istore16(flags, value, address, displacement),
            StorageType::Val(_) => self.b.ins().store(flags, value, address, displacement),
        };
    }

    /// The default value of a field or element.
    pub(super) fn storage_zero(&mut self, storage: StorageType) -> Value {
        match storage {
            StorageType::I8 | StorageType::I16 => self.i32_const(0),
            StorageType::Val(ty) => self.zero(super::clif_type(ty)),
        }
    }

    /// `ref.null`
    pub(super) fn ref_null(&mut self, heap: wasmparser::HeapType) -> Result<(), CompileError> {
        let (heap, _) = self.heap_type(heap)?;
        let null = self.zero(super::clif_type(ValType::nullable(heap)));
        self.push(null);
        Ok(())
    }

    /// `ref.i31`
    pub(super) fn ref_i31(&mut self) {
        let value = self.pop();
        let shifted = self.b.ins().ishl_imm_u(value, 1);
        let reference = self.b.ins().bor_imm_u(shifted, 1);
        self.push(reference);
    }

    /// `i31.get_s`, `i31.get_u`
    pub(super) fn i31_get(&mut self, signed: bool) {
        let reference = self.pop();
        self.trap_unless(reference, TrapCode::NullI31Reference);
        let value = if signed { self.b.ins().sshr_imm_u(reference, 1) } else { self.b.ins().ushr_imm_u(reference, 1) };
        self.push(value);
    }

    /// `ref.eq`
    pub(super) fn ref_eq(&mut self) {
        let (b, a) = (self.pop(), self.pop());
        let same = self.b.ins().icmp(IntCC::Equal, a, b);
        let same = self.b.ins().uextend(types::I32, same);
        self.push(same);
    }

    /// `any.convert_extern`
    pub(super) fn any_convert_extern(&mut self) {
        let object = self.pop();
        let reference = self.unless_null(object, types::I32, |this| {
            this.builtin(Builtin::any_convert_extern, &[object]).expect("any_convert_extern has a result")
        });
        self.declare_reference(reference);
        self.push(reference);
    }

    /// `extern.convert_any`
    pub(super) fn extern_convert_any(&mut self) {
        let reference = self.pop();
        let object = self.unless_null(reference, POINTER, |this| {
            this.builtin(Builtin::extern_convert_any, &[reference]).expect("extern_convert_any has a result")
        });
        self.push(object);
    }

    /// What `convert` makes of a reference, null of null.
    fn unless_null(
        &mut self,
        reference: Value,
        ty: cranelift_codegen::ir::Type,
        convert: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let (some, done) = (self.b.create_block(), self.b.create_block());
        let result = self.b.append_block_param(done, ty);
        let null = self.b.ins().iconst(ty, 0);
        self.b.ins().brif(reference, some, &[], done, &[null.into()]);
        self.b.seal_block(some);
        self.b.switch_to_block(some);
        let converted = convert(self);
        self.b.ins().jump(done, &[converted.into()]);
        self.b.seal_block(done);
        self.b.switch_to_block(done);
        result
    }

    /// The header's size as a displacement: where fields and elements begin.
    pub(super) const FIELDS: u32 = OBJECT_HEADER;
}
