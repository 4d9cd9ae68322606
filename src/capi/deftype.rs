//! Defined types (specification: Types, Composite and Recursive Types): function, structure and array types, which reference
//! types point to. Equal types are the same wherever they come from.

use super::error::{self, Kind, tenon_error_t};
use super::functype::wasm_functype_t;
use super::handle::required;
use super::own::{Out, Own, boxed};
use super::valtype::{wasm_valtype_t, wasm_valtype_vec_t};
use crate::types::{CompositeType, DefType, FieldType, StorageType, SubType, TypeId, ValType, register};
use std::slice;

/// A defined type.
pub struct tenon_deftype_t {
    ty: DefType,
}

impl tenon_deftype_t {
    /// The C object for a type.
    pub(crate) fn from_ty(ty: DefType) -> Own<tenon_deftype_t> {
        boxed(tenon_deftype_t { ty })
    }

    /// The type.
    pub(crate) fn ty(&self) -> &DefType {
        &self.ty
    }
}

/// What a defined type defines: one of the constants of `tenon_defkind_enum`.
pub type tenon_defkind_t = u8;

/// What a defined type defines.
#[repr(C)]
pub enum tenon_defkind_enum {
    /// Functions.
    TENON_DEF_FUNC,
    /// Structures.
    TENON_DEF_STRUCT,
    /// Arrays.
    TENON_DEF_ARRAY,
}
use tenon_defkind_enum::*;

/// Deletes a defined type; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_deftype_delete(ty: Own<tenon_deftype_t>) {
    drop(ty);
}

/// Makes a copy of a defined type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_deftype_copy(ty: Option<&tenon_deftype_t>) -> Own<tenon_deftype_t> {
    tenon_deftype_t::from_ty(ty?.ty.clone())
}

/// Whether they are the same type. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_deftype_same(ty: Option<&tenon_deftype_t>, other: Option<&tenon_deftype_t>) -> bool {
    ty.map(|ty| ty.ty.id()) == other.map(|other| other.ty.id())
}

/// Whether what has type `ty` has type `other` too: it is the same, or declared below it. With NULL: false.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_deftype_matches(ty: Option<&tenon_deftype_t>, other: Option<&tenon_deftype_t>) -> bool {
    ty.zip(other).is_some_and(|(ty, other)| ty.ty.id().is_subtype_of(other.ty.id()))
}

/// What it defines. With NULL: `TENON_DEF_FUNC`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_deftype_kind(ty: Option<&tenon_deftype_t>) -> tenon_defkind_t {
    let kind = match ty.map(|ty| &ty.ty) {
        None | Some(DefType::Func(_)) => TENON_DEF_FUNC,
        Some(DefType::Struct(_)) => TENON_DEF_STRUCT,
        Some(DefType::Array(_)) => TENON_DEF_ARRAY,
    };
    kind as tenon_defkind_t
}

/// Whether nothing may be declared below it. With NULL: true.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_deftype_is_final(ty: Option<&tenon_deftype_t>) -> bool {
    ty.is_none_or(|ty| ty.ty.is_final())
}

/// The type that it is declared below; NULL if there is none, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_deftype_supertype(ty: Option<&tenon_deftype_t>) -> Own<tenon_deftype_t> {
    tenon_deftype_t::from_ty(ty?.ty.supertypes().last()?.resolve()?)
}

/// The defined type of a function type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_deftype_of_functype(ty: Option<&wasm_functype_t>) -> Own<tenon_deftype_t> {
    tenon_deftype_t::from_ty(DefType::Func(ty?.to_ty()?.clone()))
}

/// The function type that is defined; NULL if it defines something else, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_deftype_functype(ty: Option<&tenon_deftype_t>) -> Own<wasm_functype_t> {
    wasm_functype_t::from_ty(ty?.ty.as_func()?)
}

/// How a field keeps its value: whole, or the lowest bits of an `i32`.
#[repr(C)]
pub enum tenon_packing_enum {
    /// A value of the field's type.
    TENON_UNPACKED = 0,
    /// 8 bits of an `i32`.
    TENON_I8 = 8,
    /// 16 bits of an `i32`.
    TENON_I16 = 16,
}
use tenon_packing_enum::*;

/// A field of a structure, or the elements of an array.
#[repr(C)]
pub struct tenon_field_t {
    /// The type of its value: `i32` if it is packed.
    pub r#type: Own<wasm_valtype_t>,
    /// How it is kept: one of the constants of `tenon_packing_enum`.
    pub packing: u8,
    /// Whether it may be set after creation.
    pub is_mutable: bool,
}

impl tenon_field_t {
    fn from_ty(ty: FieldType) -> Option<tenon_field_t> {
        let (value, packing) = match ty.storage {
            StorageType::Val(ty) => (ty, TENON_UNPACKED),
            StorageType::I8 => (ValType::I32, TENON_I8),
            StorageType::I16 => (ValType::I32, TENON_I16),
        };
        let r#type = Some(wasm_valtype_t::from_ty(value)?);
        Some(tenon_field_t { r#type, packing: packing as u8, is_mutable: ty.mutable })
    }

    fn to_ty(&self) -> Result<FieldType, String> {
        let Some(ty) = &self.r#type else { return Err("its type is NULL".into()) };
        let storage = match (self.packing, ty.to_ty()) {
            (0, ty) => StorageType::Val(ty),
            (8, ValType::I32) => StorageType::I8,
            (16, ValType::I32) => StorageType::I16,
            (8 | 16, ty) => return Err(format!("it is packed, which only an i32 can be, not {ty}")),
            (packing, _) => return Err(format!("{packing} is not a packing")),
        };
        Ok(FieldType { storage, mutable: self.is_mutable })
    }
}

/// How many fields a structure has; 1 for arrays, whose elements are alike; 0 for functions and with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_deftype_field_count(ty: Option<&tenon_deftype_t>) -> usize {
    match ty.map(|ty| &ty.ty) {
        None | Some(DefType::Func(_)) => 0,
        Some(DefType::Struct(ty)) => ty.fields().len(),
        Some(DefType::Array(_)) => 1,
    }
}

/// A field of a structure, or the elements of an array: `out` receives it, and its type is the caller's. False, and `out` is
/// left alone, if there is none, or where memory has run out.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_deftype_field(ty: Option<&tenon_deftype_t>, index: usize, out: Out<tenon_field_t>) -> bool {
    let field = match ty.map(|ty| &ty.ty) {
        Some(DefType::Struct(ty)) => ty.fields().get(index).copied(),
        Some(DefType::Array(ty)) if index == 0 => Some(ty.element()),
        _ => None,
    };
    let Some(field) = field.and_then(tenon_field_t::from_ty) else { return false };
    // Without a variable the field is not wanted.
    drop(out.write(field));
    true
}

/// A type that is to be declared. Nothing in it changes hands.
#[repr(C)]
pub struct tenon_subtype_t<'a> {
    /// What it defines: one of the constants of `tenon_defkind_enum`.
    pub kind: tenon_defkind_t,
    /// Whether nothing may be declared below it.
    pub is_final: bool,
    /// The type that it is declared below, which exists already; NULL if there is none, or it is in the same group.
    pub supertype: Option<&'a tenon_deftype_t>,
    /// Of functions: the function type; NULL if that mentions types of the group, as only `params` and `results` can. Else it
    /// is not looked at.
    pub func: Option<&'a wasm_functype_t>,
    /// Of structures: the fields; of arrays: a field for the elements. Else it is not looked at.
    pub fields: *const tenon_field_t,
    /// How many fields there are.
    pub field_count: usize,
    /// Whether it is declared below a type of its own group, the one at `supertype_place`.
    pub supertype_in_group: bool,
    /// Of such a type: where the type above stands in the group, which is before this one. Else it is not looked at.
    pub supertype_place: u32,
    /// Of functions without `func`: the types of the parameters and of the results, of which one may be NULL if there are none.
    pub params: Option<&'a wasm_valtype_vec_t>,
    /// As `params`.
    pub results: Option<&'a wasm_valtype_vec_t>,
}

const FUNC: u8 = TENON_DEF_FUNC as u8;
const STRUCT: u8 = TENON_DEF_STRUCT as u8;
const ARRAY: u8 = TENON_DEF_ARRAY as u8;

impl tenon_subtype_t<'_> {
    /// The declaration; `before` are those that stand before it in the group.
    fn to_ty(&self, before: &[SubType]) -> Result<SubType, String> {
        let fields = || {
            let fields: &[tenon_field_t] = match self.field_count {
                0 => &[],
                _ if self.fields.is_null() => return Err("its fields are NULL".to_string()),
                // SAFETY: by the header's contract there are as many fields as are said.
                count => unsafe { slice::from_raw_parts(self.fields, count) },
            };
            let field = |(i, field): (usize, &tenon_field_t)| field.to_ty().map_err(|e| format!("field {i}: {e}"));
            fields.iter().enumerate().map(field).collect::<Result<Vec<_>, _>>()
        };
        let composite = match self.kind {
            FUNC => match (self.func.map(wasm_functype_t::to_ty), self.params, self.results) {
                (Some(Some(ty)), None, None) => {
                    CompositeType::func(ty.params().iter().copied(), ty.results().iter().copied())
                }
                (None, None, None) | (Some(None), ..) => return Err("its function type is NULL".into()),
                (Some(_), ..) => return Err("it has two function types".into()),
                (None, params, results) => {
                    let types = |types: Option<&wasm_valtype_vec_t>| match types {
                        Some(types) => types.to_tys().ok_or("a parameter or result type is NULL"),
                        None => Ok(Vec::new()),
                    };
                    CompositeType::func(types(params)?, types(results)?)
                }
            },
            STRUCT => CompositeType::Struct(fields()?.into()),
            ARRAY => match fields()?[..] {
                [element] => CompositeType::Array(element),
                ref fields => return Err(format!("an array has one field for its elements, not {}", fields.len())),
            },
            kind => return Err(format!("{kind} is not a kind of definition")),
        };
        let supertype = match (self.supertype, self.supertype_in_group) {
            (Some(_), true) => return Err("it has two supertypes, one of them in the group".into()),
            (None, true) => match before.get(self.supertype_place as usize) {
                Some(above) => Some(TypeId::in_group(self.supertype_place, above.composite.kind())),
                None => return Err(format!("its supertype, at place {}, is not before it", self.supertype_place)),
            },
            (supertype, false) => supertype.map(|ty| ty.ty.id()),
        };
        Ok(SubType { is_final: self.is_final, supertype, composite })
    }
}

/// Declares `count` types as one recursion group: references among them are by `tenon_valtype_new_ref_in_group`. Each place
/// of `out`, which has as many, receives a type of the caller's. It is an error, and `out` is left alone, if a declaration
/// is not complete, or not allowed below its supertype.
#[unsafe(no_mangle)]
#[allow(clippy::not_unsafe_ptr_arg_deref, reason = "arrays of C: the header says what they must hold")]
pub extern "C" fn tenon_deftype_new_group(
    types: *const tenon_subtype_t<'_>,
    count: usize,
    out: *mut Own<tenon_deftype_t>,
) -> Own<tenon_error_t> {
    let function = "tenon_deftype_new_group";
    error::report(error::attempt(function, || {
        let wrong =
            |message: String| tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, format_args!("{function}: {message}"));
        if count == 0 {
            return Ok(());
        }
        required((!types.is_null()).then_some(()), function, "the array of types")?;
        required((!out.is_null()).then_some(()), function, "the array that receives the types")?;
        // SAFETY: by the header's contract there are as many as are said.
        let types = unsafe { slice::from_raw_parts(types, count) };
        let mut group = Vec::with_capacity(count);
        for (i, ty) in types.iter().enumerate() {
            let ty = ty.to_ty(&group).map_err(|e| wrong(format!("type {i}: {e}")))?;
            group.push(ty);
        }
        let group = register(group)
            .ok_or_else(|| wrong("a reference within the group is to a place or a kind that is not there".into()))?;
        if let Some(i) = group.iter().position(|ty| !ty.is_valid()) {
            return Err(wrong(format!("type {i} does not match its supertype, or that is final")));
        }
        let made = group.into_iter().map(tenon_deftype_t::from_ty).collect::<Option<Vec<_>>>();
        for (i, ty) in made.ok_or_else(error::last)?.into_iter().enumerate() {
            // SAFETY: as above; the variables hold nothing yet.
            unsafe { out.add(i).write(Some(ty)) };
        }
        Ok(())
    }))
}
