//! Types of the specification, read from and given to the C API.
//!
//! The C API's type objects are opaque and owned; the tests want to compare and to match, so each is turned into a Rust value at once.

use crate::sys;

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128 bits.
    V128,
    /// A reference to a function, or null.
    FuncRef,
    /// A reference to an object of the host, or null.
    ExternRef,
}

impl ValType {
    /// The C API's kind for this type.
    pub fn kind(self) -> sys::wasm_valkind_t {
        let kind = match self {
            ValType::I32 => sys::WASM_I32,
            ValType::I64 => sys::WASM_I64,
            ValType::F32 => sys::WASM_F32,
            ValType::F64 => sys::WASM_F64,
            // The header has no name for it, but keeps the number free.
            ValType::V128 => 4,
            ValType::FuncRef => sys::WASM_FUNCREF,
            ValType::ExternRef => sys::WASM_EXTERNREF,
        };
        kind as sys::wasm_valkind_t
    }

    /// The type of this kind, if the tests know it.
    pub fn from_kind(kind: sys::wasm_valkind_t) -> Option<ValType> {
        use ValType::*;
        [I32, I64, F32, F64, V128, FuncRef, ExternRef].into_iter().find(|ty| ty.kind() == kind)
    }

    /// Whether values of this type are references.
    pub fn is_ref(self) -> bool {
        matches!(self, ValType::FuncRef | ValType::ExternRef)
    }

    /// A new value type object, owned by the caller.
    pub(crate) fn new_raw(self) -> *mut sys::wasm_valtype_t {
        // SAFETY: the kind is one of the header's constants.
        unsafe { sys::wasm_valtype_new(self.kind()) }
    }

    /// # Safety
    /// `raw` is a live value type.
    unsafe fn read(raw: *const sys::wasm_valtype_t) -> ValType {
        // SAFETY: the caller's promise.
        let kind = unsafe { sys::wasm_valtype_kind(raw) };
        ValType::from_kind(kind).unwrap_or_else(|| panic!("a value type of unknown kind {kind}"))
    }
}

/// The type of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FuncType {
    /// Types of the parameters.
    pub params: Vec<ValType>,
    /// Types of the results.
    pub results: Vec<ValType>,
}

impl FuncType {
    /// A function type of these parameters and results.
    pub fn new(params: &[ValType], results: &[ValType]) -> FuncType {
        FuncType { params: params.to_vec(), results: results.to_vec() }
    }

    /// Whether a parameter or result is a `v128`.
    pub fn has_vectors(&self) -> bool {
        self.params.iter().chain(&self.results).any(|ty| *ty == ValType::V128)
    }

    /// A new function type object, owned by the caller.
    pub(crate) fn new_raw(&self) -> *mut sys::wasm_functype_t {
        let (mut params, mut results) = (valtypes(&self.params), valtypes(&self.results));
        // SAFETY: both vectors are owned and pass to the function type.
        unsafe { sys::wasm_functype_new(&mut params, &mut results) }
    }

    /// # Safety
    /// `raw` is a live function type.
    pub(crate) unsafe fn read(raw: *const sys::wasm_functype_t) -> FuncType {
        // SAFETY: the caller's promise; both vectors live as long as the function type.
        unsafe {
            FuncType {
                params: read_valtypes(sys::wasm_functype_params(raw)),
                results: read_valtypes(sys::wasm_functype_results(raw)),
            }
        }
    }
}

fn valtypes(types: &[ValType]) -> sys::wasm_valtype_vec_t {
    let raw: Vec<_> = types.iter().map(|ty| ty.new_raw()).collect();
    let mut vec = sys::wasm_valtype_vec_t { size: 0, data: std::ptr::null_mut() };
    // SAFETY: the array has `len` owned elements, which pass to the vector.
    unsafe { sys::wasm_valtype_vec_new(&mut vec, raw.len(), raw.as_ptr()) };
    vec
}

/// # Safety
/// `vec` is a live vector of value types.
unsafe fn read_valtypes(vec: *const sys::wasm_valtype_vec_t) -> Vec<ValType> {
    // SAFETY: the caller's promise: `size` elements at `data`.
    unsafe { (0..(*vec).size).map(|i| ValType::read(*(*vec).data.add(i))).collect() }
}

/// The bounds of a table or memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Least size.
    pub min: u32,
    /// Greatest size, if there is one.
    pub max: Option<u32>,
}

impl Limits {
    /// The C API's limits.
    pub(crate) fn raw(self) -> sys::wasm_limits_t {
        sys::wasm_limits_t { min: self.min, max: self.max.unwrap_or(u32::MAX) }
    }

    /// # Safety
    /// `raw` points to live limits.
    unsafe fn read(raw: *const sys::wasm_limits_t) -> Limits {
        // SAFETY: the caller's promise.
        let raw = unsafe { *raw };
        Limits { min: raw.min, max: (raw.max != u32::MAX).then_some(raw.max) }
    }
}

/// The type of an import or export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A global.
    Global {
        /// Type of the value.
        content: ValType,
        /// Whether it can be set.
        mutable: bool,
    },
    /// A table.
    Table {
        /// Type of the elements.
        element: ValType,
        /// Bounds in elements.
        limits: Limits,
    },
    /// A memory.
    Memory(Limits),
    /// A tag.
    Tag(FuncType),
}

impl ExternType {
    /// # Safety
    /// `raw` is a live external type.
    pub(crate) unsafe fn read(raw: *const sys::wasm_externtype_t) -> ExternType {
        // SAFETY: the caller's promise; each view is asked for only after the kind says that it is there.
        unsafe {
            match u32::from(sys::wasm_externtype_kind(raw)) {
                sys::WASM_EXTERN_FUNC => ExternType::Func(FuncType::read(sys::wasm_externtype_as_functype_const(raw))),
                sys::WASM_EXTERN_GLOBAL => {
                    let global = sys::wasm_externtype_as_globaltype_const(raw);
                    let mutability = u32::from(sys::wasm_globaltype_mutability(global));
                    ExternType::Global {
                        content: ValType::read(sys::wasm_globaltype_content(global)),
                        mutable: mutability == sys::WASM_VAR,
                    }
                }
                sys::WASM_EXTERN_TABLE => {
                    let table = sys::wasm_externtype_as_tabletype_const(raw);
                    ExternType::Table {
                        element: ValType::read(sys::wasm_tabletype_element(table)),
                        limits: Limits::read(sys::wasm_tabletype_limits(table)),
                    }
                }
                sys::WASM_EXTERN_MEMORY => {
                    let memory = sys::wasm_externtype_as_memorytype_const(raw);
                    ExternType::Memory(Limits::read(sys::wasm_memorytype_limits(memory)))
                }
                sys::WASM_EXTERN_TAG => {
                    let tag = sys::wasm_externtype_as_tagtype_const(raw);
                    ExternType::Tag(FuncType::read(sys::wasm_tagtype_functype(tag)))
                }
                kind => panic!("an external type of unknown kind {kind}"),
            }
        }
    }
}
