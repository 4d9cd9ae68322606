//! What generated code reads of its surroundings: the vmctx and what hangs on it, and which accesses cannot meet.
//!
//! Cranelift orders memory accesses only within an *alias region*. Two accesses to the same place must name the same
//! region, hence: what is imported may be the same object twice, and shares a region with its likes; what is defined
//! has its own, up to a number that keeps the analysis cheap.

use super::POINTER;
use super::heap::is_traced;
use crate::compile::layout::*;
use crate::types::{FuncType, ValType};
use cranelift_codegen::ir::{self, AbiParam, AliasRegion, AliasRegionData, ArgumentPurpose, MemFlagsData, types};
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_codegen::isa::CallConv;

/// Stack slots.
pub(super) const REGION_FRAME: u32 = 0;
/// Everything that generated code never writes, and what only helpers write.
pub(super) const REGION_OTHER: u32 = 1;
/// All imported memories; tables; globals.
const REGION_IMPORTED_MEMORY: u32 = 2;
const REGION_IMPORTED_TABLE: u32 = 3;
const REGION_IMPORTED_GLOBAL: u32 = 4;
/// Locals in the frame.
pub(super) const REGION_LOCALS: u32 = 5;
/// Values of exceptions, on their way.
pub(super) const REGION_PAYLOAD: u32 = 6;
/// Where the next garbage-collected object begins.
pub(super) const REGION_HEAP_TOP: u32 = 7;
/// Headers of garbage-collected objects.
pub(super) const REGION_HEAP_HEADER: u32 = 8;
/// Their types.
pub(super) const REGION_HEAP_TYPES: u32 = 9;
/// References in the frame.
pub(super) const REGION_ROOTS: u32 = 10;
/// Their fields and elements, by what they hold.
pub(super) const REGION_HEAP_FIELDS: u32 = 16;
/// Those of defined ones begin here; each kind has as many as `REGIONS_OF_KIND`, the last shared by the rest.
const REGION_MEMORIES: u32 = 0x100;
const REGION_TABLES: u32 = 0x200;
const REGION_GLOBALS: u32 = 0x300;
const REGIONS_OF_KIND: u32 = 64;

/// The alias region with this number.
pub(super) fn region(func: &mut ir::Function, id: u32) -> AliasRegion {
    func.dfg.alias_regions.insert(AliasRegionData { user_id: id, description: "".into() })
}

/// The type that holds values of a WebAssembly type. References of the `any` hierarchy are 32 bits, others are pointers.
pub(in crate::compile) fn clif_type(ty: ValType) -> ir::Type {
    match ty {
        ValType::I32 => types::I32,
        ValType::I64 => types::I64,
        ValType::F32 => types::F32,
        ValType::F64 => types::F64,
        ValType::Ref(_) if is_traced(ty) => types::I32,
        ValType::Ref(_) => POINTER,
        ValType::V128 => types::I8X16,
    }
}

/// The signature of a WebAssembly function: the vmctx, then the parameters.
pub(in crate::compile) fn wasm_signature(ty: &FuncType) -> ir::Signature {
    let mut signature = ir::Signature::new(CallConv::Tail);
    signature.params.push(AbiParam::special(POINTER, ArgumentPurpose::VMContext));
    for param in ty.params() {
        signature.params.push(AbiParam::new(clif_type(*param)));
    }
    for result in ty.results() {
        signature.returns.push(AbiParam::new(clif_type(*result)));
    }
    signature
}

/// The signature of a C function.
pub(super) fn signature(params: impl IntoIterator<Item = ir::Type>, result: Option<ir::Type>) -> ir::Signature {
    let mut signature = ir::Signature::new(CallConv::SystemV);
    signature.params.extend(params.into_iter().map(AbiParam::new));
    signature.returns.extend(result.map(AbiParam::new));
    signature
}

impl super::translate::Translator<'_> {
    pub(super) fn region(&mut self, id: u32) -> AliasRegion {
        region(self.b.func, id)
    }

    fn region_of(&mut self, imported: u32, of_imported: u32, of_kind: u32, index: u32) -> AliasRegion {
        match index.checked_sub(imported) {
            Some(defined) => self.region(of_kind + defined.min(REGIONS_OF_KIND - 1)),
            None => self.region(of_imported),
        }
    }

    /// The region of a memory's bytes.
    pub(super) fn memory_region(&mut self, memory: u32) -> AliasRegion {
        self.region_of(self.module.imported_memories, REGION_IMPORTED_MEMORY, REGION_MEMORIES, memory)
    }

    /// The region of a table's elements.
    pub(super) fn table_region(&mut self, table: u32) -> AliasRegion {
        self.region_of(self.module.imported_tables, REGION_IMPORTED_TABLE, REGION_TABLES, table)
    }

    /// The region of a global's cell.
    pub(super) fn global_region(&mut self, global: u32) -> AliasRegion {
        self.region_of(self.module.imported_globals, REGION_IMPORTED_GLOBAL, REGION_GLOBALS, global)
    }

    /// Flags of a load of something that may change at calls only.
    pub(super) fn changing(&mut self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.region(REGION_OTHER)))
    }

    /// Flags of a load of something that never changes while the function runs, at an address that is always valid.
    pub(super) fn constant(&mut self) -> MemFlagsData {
        self.changing().with_readonly().with_can_move()
    }

    /// A pointer in the vmctx that never changes.
    pub(super) fn vmctx_pointer(&mut self, offset: u32) -> Value {
        let flags = self.constant();
        self.b.ins().load(POINTER, flags, self.vmctx, offset as i32)
    }

    /// The type ids' table is written once, before code runs.
    pub(super) fn type_id(&mut self, ty: u32) -> Value {
        let ids = self.vmctx_pointer(VMCTX_TYPE_IDS);
        let flags = self.constant();
        self.b.ins().load(types::I32, flags, ids, (ty * 4) as i32)
    }

    /// The value if it is an integer constant.
    pub(super) fn constant_of(&self, value: Value) -> Option<i64> {
        let dfg = &self.b.func.dfg;
        let inst = dfg.value_def(dfg.resolve_aliases(value)).inst()?;
        match dfg.insts[inst] {
            ir::InstructionData::UnaryImm { opcode: ir::Opcode::Iconst, imm } => Some(imm.bits()),
            _ => None,
        }
    }
}
