//! The type section, and types wherever they stand: from what the parser gives to canonical ones (`types/def.rs`).

use super::Module;
use super::decode::unsupported;
use super::error::{ModuleError, ModuleErrorKind};
use crate::types::*;
use wasmparser::{AbstractHeapType, CompositeInnerType, UnpackedIndex};

/// Registers a recursion group; `types` are those that the module has declared before.
pub(super) fn rec_group(types: &[DefType], group: wasmparser::RecGroup) -> Result<Vec<DefType>, ModuleError> {
    let kinds: Vec<Option<DefKind>> = group.types().map(def_kind).collect();
    let scope = Scope { types, group: &kinds };
    let group = group.types().map(|ty| scope.sub_type(ty)).collect::<Result<Vec<_>, _>>()?;
    register(group).ok_or_else(|| {
        ModuleError::new(ModuleErrorKind::Limit, "there are too many types in this process".to_string(), None)
    })
}

/// A reference type in a module that declares `types`.
pub(super) fn ref_type(ty: wasmparser::RefType, types: &[DefType]) -> Result<RefType, ModuleError> {
    Scope { types, group: &[] }.ref_type(ty)
}

impl Module {
    /// A value type as the parser gives it.
    pub fn val_type(&self, ty: wasmparser::ValType) -> Result<ValType, ModuleError> {
        Scope { types: &self.types, group: &[] }.val_type(ty)
    }

    /// A heap type as the parser gives it.
    pub fn heap_type(&self, ty: wasmparser::HeapType) -> Result<HeapType, ModuleError> {
        Scope { types: &self.types, group: &[] }.heap_type(ty)
    }

    pub(super) fn global_type(&self, ty: &wasmparser::GlobalType) -> Result<GlobalType, ModuleError> {
        Ok(GlobalType { content: self.val_type(ty.content_type)?, mutable: ty.mutable })
    }

    /// How many elements a table can really have is found when one is made.
    pub(super) fn table_type(&self, ty: &wasmparser::TableType) -> Result<TableType, ModuleError> {
        let element = ref_type(ty.element_type, &self.types)?;
        Ok(TableType { element, limits: Limits { min: ty.initial, max: ty.maximum }, is64: ty.table64 })
    }
}

/// What kind of type a declaration makes; `None` for proposals that are not supported.
fn def_kind(ty: &wasmparser::SubType) -> Option<DefKind> {
    Some(match ty.composite_type.inner {
        CompositeInnerType::Func(_) => DefKind::Func,
        CompositeInnerType::Struct(_) => DefKind::Struct,
        CompositeInnerType::Array(_) => DefKind::Array,
        CompositeInnerType::Cont(_) => return None,
    })
}

/// What type indices mean: those of the module, and behind them those of the group that is being declared.
struct Scope<'a> {
    types: &'a [DefType],
    group: &'a [Option<DefKind>],
}

impl Scope<'_> {
    fn id(&self, index: UnpackedIndex) -> Result<TypeId, ModuleError> {
        let in_group = |place: u32| {
            let kind = self.group.get(place as usize).copied().flatten();
            kind.map(|kind| TypeId::in_group(place, kind))
        };
        let id = match index {
            UnpackedIndex::Module(index) => match index.checked_sub(self.types.len() as u32) {
                None => Some(self.types[index as usize].id()),
                Some(place) => in_group(place),
            },
            UnpackedIndex::RecGroup(place) => in_group(place),
            UnpackedIndex::Id(_) => None,
        };
        id.ok_or_else(|| unsupported(format!("type {index:?}")))
    }

    fn heap_type(&self, ty: wasmparser::HeapType) -> Result<HeapType, ModuleError> {
        Ok(match ty {
            wasmparser::HeapType::Abstract { shared: false, ty } => match ty {
                AbstractHeapType::Func => HeapType::Func,
                AbstractHeapType::NoFunc => HeapType::NoFunc,
                AbstractHeapType::Extern => HeapType::Extern,
                AbstractHeapType::NoExtern => HeapType::NoExtern,
                AbstractHeapType::Any => HeapType::Any,
                AbstractHeapType::Eq => HeapType::Eq,
                AbstractHeapType::I31 => HeapType::I31,
                AbstractHeapType::Struct => HeapType::Struct,
                AbstractHeapType::Array => HeapType::Array,
                AbstractHeapType::None => HeapType::None,
                AbstractHeapType::Exn => HeapType::Exn,
                AbstractHeapType::NoExn => HeapType::NoExn,
                other => return Err(unsupported(format!("heap type {other:?}"))),
            },
            wasmparser::HeapType::Concrete(index) => HeapType::Concrete(self.id(index)?),
            other => return Err(unsupported(format!("heap type {other:?}"))),
        })
    }

    fn ref_type(&self, ty: wasmparser::RefType) -> Result<RefType, ModuleError> {
        Ok(RefType { nullable: ty.is_nullable(), heap: self.heap_type(ty.heap_type())? })
    }

    fn val_type(&self, ty: wasmparser::ValType) -> Result<ValType, ModuleError> {
        Ok(match ty {
            wasmparser::ValType::I32 => ValType::I32,
            wasmparser::ValType::I64 => ValType::I64,
            wasmparser::ValType::F32 => ValType::F32,
            wasmparser::ValType::F64 => ValType::F64,
            wasmparser::ValType::V128 => ValType::V128,
            wasmparser::ValType::Ref(r) => ValType::Ref(self.ref_type(r)?),
        })
    }

    fn field_type(&self, ty: &wasmparser::FieldType) -> Result<FieldType, ModuleError> {
        let storage = match ty.element_type {
            wasmparser::StorageType::I8 => StorageType::I8,
            wasmparser::StorageType::I16 => StorageType::I16,
            wasmparser::StorageType::Val(ty) => StorageType::Val(self.val_type(ty)?),
        };
        Ok(FieldType { storage, mutable: ty.mutable })
    }

    fn sub_type(&self, ty: &wasmparser::SubType) -> Result<SubType, ModuleError> {
        let all =
            |types: &[wasmparser::ValType]| types.iter().map(|t| self.val_type(*t)).collect::<Result<Vec<_>, _>>();
        let composite = match &ty.composite_type.inner {
            CompositeInnerType::Func(ty) => CompositeType::func(all(ty.params())?, all(ty.results())?),
            CompositeInnerType::Struct(ty) => {
                CompositeType::Struct(ty.fields.iter().map(|field| self.field_type(field)).collect::<Result<_, _>>()?)
            }
            CompositeInnerType::Array(ty) => CompositeType::Array(self.field_type(&ty.0)?),
            CompositeInnerType::Cont(_) => return Err(unsupported("continuation types".into())),
        };
        let supertype = ty.supertype_idxs.first().map(|index| self.id(index.unpack())).transpose()?;
        Ok(SubType { is_final: ty.is_final, supertype, composite })
    }
}
