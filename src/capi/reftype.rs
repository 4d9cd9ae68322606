//! Reference types (specification: Types, Reference Types): value types with a heap type and nullability.

use super::deftype::tenon_deftype_t;
use super::error::{self, Kind};
use super::own::Own;
use super::valtype::wasm_valtype_t;
use crate::runtime::wide::wide_kind;
use crate::types::{DefKind, HeapType, RefType, TypeId, ValType};

/// What references of a type point to: one of the constants of `tenon_heaptype_enum`.
pub type tenon_heaptype_t = u8;

/// What references of a type point to. Four hierarchies, each from its top down to what has no values.
#[repr(C)]
pub enum tenon_heaptype_enum {
    /// Any function.
    TENON_HEAP_FUNC = 0,
    /// No function.
    TENON_HEAP_NOFUNC = 1,
    /// Anything of the host's.
    TENON_HEAP_EXTERN = 2,
    /// Nothing of the host's.
    TENON_HEAP_NOEXTERN = 3,
    /// Anything that WebAssembly makes, or that was converted to it.
    TENON_HEAP_ANY = 4,
    /// Of these, what can be compared.
    TENON_HEAP_EQ = 5,
    /// A number of 31 bits.
    TENON_HEAP_I31 = 6,
    /// Any structure.
    TENON_HEAP_STRUCT = 7,
    /// Any array.
    TENON_HEAP_ARRAY = 8,
    /// None of these.
    TENON_HEAP_NONE = 9,
    /// Any exception.
    TENON_HEAP_EXN = 10,
    /// No exception.
    TENON_HEAP_NOEXN = 11,
    /// What a defined type has: `tenon_valtype_deftype` tells it.
    TENON_HEAP_DEFINED = 12,
}
use tenon_heaptype_enum::*;

/// All heap types that have a number of their own, in the order of the numbers.
const ABSTRACT: [HeapType; 12] = [
    HeapType::Func,
    HeapType::NoFunc,
    HeapType::Extern,
    HeapType::NoExtern,
    HeapType::Any,
    HeapType::Eq,
    HeapType::I31,
    HeapType::Struct,
    HeapType::Array,
    HeapType::None,
    HeapType::Exn,
    HeapType::NoExn,
];
const _: () = assert!(matches!(ABSTRACT[TENON_HEAP_EXTERN as usize], HeapType::Extern));
const _: () = assert!(matches!(ABSTRACT[TENON_HEAP_NOEXN as usize], HeapType::NoExn));

fn new_ref(nullable: bool, heap: HeapType) -> Own<wasm_valtype_t> {
    wasm_valtype_t::from_ty(ValType::Ref(RefType { nullable, heap }))
}

/// Makes a reference type. NULL for a number that is no heap type, and for `TENON_HEAP_DEFINED`, which needs
/// `tenon_valtype_new_ref_to`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_valtype_new_ref(nullable: bool, heap: tenon_heaptype_t) -> Own<wasm_valtype_t> {
    let Some(heap) = ABSTRACT.get(usize::from(heap)) else {
        let message = format_args!("tenon_valtype_new_ref: {heap} is not a heap type without a definition");
        error::fail(Kind::TENON_ERROR_ARGUMENT, message);
        return None;
    };
    new_ref(nullable, *heap)
}

/// Makes the type of references to what has a defined type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_valtype_new_ref_to(nullable: bool, ty: Option<&tenon_deftype_t>) -> Own<wasm_valtype_t> {
    let Some(ty) = ty else {
        error::null("tenon_valtype_new_ref_to", "the defined type");
        return None;
    };
    new_ref(nullable, HeapType::Concrete(ty.ty().id()))
}

/// Makes the type of references to what has a type that is still being declared: the one at `place`, of this kind, in the
/// group to which the new type is given (`tenon_deftype_new_group`). It has no meaning elsewhere. NULL for a kind that does
/// not exist.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_valtype_new_ref_in_group(
    nullable: bool,
    place: u32,
    kind: super::deftype::tenon_defkind_t,
) -> Own<wasm_valtype_t> {
    let kinds = [DefKind::Func, DefKind::Struct, DefKind::Array];
    let (Some(kind), true) = (kinds.get(usize::from(kind)), place < 1 << 30) else {
        let message = format_args!("tenon_valtype_new_ref_in_group: there is no kind {kind} or no place {place}");
        error::fail(Kind::TENON_ERROR_ARGUMENT, message);
        return None;
    };
    new_ref(nullable, HeapType::Concrete(TypeId::in_group(place, *kind)))
}

fn ref_type(ty: Option<&wasm_valtype_t>) -> Option<RefType> {
    if let ValType::Ref(ty) = ty?.to_ty() { Some(ty) } else { None }
}

/// The kind that values of the type have as `tenon_val_t`. With NULL: `WASM_I32`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_valtype_kind(ty: Option<&wasm_valtype_t>) -> super::valtype::wasm_valkind_t {
    wide_kind(ty.map_or(ValType::I32, wasm_valtype_t::to_ty))
}

/// Whether it is a reference type. With NULL: false.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_valtype_is_ref(ty: Option<&wasm_valtype_t>) -> bool {
    ref_type(ty).is_some()
}

/// Whether it is a reference type to which null belongs. With NULL: false.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_valtype_is_nullable(ty: Option<&wasm_valtype_t>) -> bool {
    ref_type(ty).is_some_and(|ty| ty.nullable)
}

/// What references of the type point to. For types that are not reference types, and with NULL: `TENON_HEAP_NONE`.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_valtype_heap(ty: Option<&wasm_valtype_t>) -> tenon_heaptype_t {
    let Some(ty) = ref_type(ty) else { return TENON_HEAP_NONE as tenon_heaptype_t };
    let number = ABSTRACT.iter().position(|heap| *heap == ty.heap);
    number.map_or(TENON_HEAP_DEFINED as tenon_heaptype_t, |number| number as tenon_heaptype_t)
}

/// The defined type that references of the type point to; NULL if there is none, or with NULL.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_valtype_deftype(ty: Option<&wasm_valtype_t>) -> Own<tenon_deftype_t> {
    tenon_deftype_t::from_ty(ty?.to_ty().def_type()?)
}

/// Whether values of type `ty` are values of type `other` too. With NULL: false.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_valtype_matches(ty: Option<&wasm_valtype_t>, other: Option<&wasm_valtype_t>) -> bool {
    ty.zip(other).is_some_and(|(ty, other)| ty.to_ty().matches(other.to_ty()))
}
