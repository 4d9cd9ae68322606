//! The types of the specification (section 2.3), as plain data: what a module declares, what an
//! import asks for, what the C API reads and builds.
//!
//! Nothing here knows about modules, code or stores. Matching (section 3.3) is defined here once and
//! used by instantiation, table and global writes, and the C API.

mod def;
pub mod layout;
mod show;

pub use def::{
    ArrayType, CompositeType, DefKind, DefType, FieldType, FuncType, Member, StructType, SubType, TypeId, register,
};

/// A heap type: what a reference points to.
///
/// ```text
///            any                    func        extern      exn
///             |                      |            |          |
///             eq                 $function        |          |
///        /    |    \                 |            |          |
///      i31  struct  array             |            |          |
///       |     |       |               |            |          |
///       |  $struct  $array            |            |          |
///        \    |    /                 |            |          |
///            none                  nofunc     noextern    noexn
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HeapType {
    /// `func`: any function.
    Func,
    /// `nofunc`: no function.
    NoFunc,
    /// `extern`: a reference owned by the host.
    Extern,
    /// `noextern`: none of these.
    NoExtern,
    /// `any`: anything that WebAssembly makes, or that was converted to it.
    Any,
    /// `eq`: anything that can be compared.
    Eq,
    /// `i31`: a number of 31 bits.
    I31,
    /// `struct`: any structure.
    Struct,
    /// `array`: any array.
    Array,
    /// `none`: none of these.
    None,
    /// `exn`: an exception.
    Exn,
    /// `noexn`: no exception.
    NoExn,
    /// A defined type, and what is below it.
    Concrete(TypeId),
}

/// The four hierarchies of references: a value of one is never a value of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hierarchy {
    /// Functions.
    Func,
    /// References owned by the host.
    Extern,
    /// What WebAssembly makes.
    Any,
    /// Exceptions.
    Exn,
}

impl HeapType {
    /// The hierarchy that it belongs to.
    pub fn hierarchy(self) -> Hierarchy {
        match self {
            HeapType::Func | HeapType::NoFunc => Hierarchy::Func,
            HeapType::Extern | HeapType::NoExtern => Hierarchy::Extern,
            HeapType::Exn | HeapType::NoExn => Hierarchy::Exn,
            HeapType::Any | HeapType::Eq | HeapType::I31 => Hierarchy::Any,
            HeapType::Struct | HeapType::Array | HeapType::None => Hierarchy::Any,
            HeapType::Concrete(id) => match id.kind() {
                DefKind::Func => Hierarchy::Func,
                DefKind::Struct | DefKind::Array => Hierarchy::Any,
            },
        }
    }

    /// The heap type at the top of the hierarchy.
    pub fn top(self) -> HeapType {
        match self.hierarchy() {
            Hierarchy::Func => HeapType::Func,
            Hierarchy::Extern => HeapType::Extern,
            Hierarchy::Any => HeapType::Any,
            Hierarchy::Exn => HeapType::Exn,
        }
    }

    /// Whether it is the bottom of its hierarchy, to which nothing belongs.
    pub fn is_bottom(self) -> bool {
        matches!(self, HeapType::NoFunc | HeapType::NoExtern | HeapType::None | HeapType::NoExn)
    }

    /// Whether what belongs to it belongs to `other` too (section 3.3.3).
    pub fn matches(self, other: HeapType) -> bool {
        if self == other || self.is_bottom() && self.hierarchy() == other.hierarchy() {
            return true;
        }
        match (self, other) {
            (HeapType::Concrete(a), HeapType::Concrete(b)) => a.is_subtype_of(b),
            (HeapType::Concrete(a), other) => match a.kind() {
                DefKind::Func => other == HeapType::Func,
                DefKind::Struct => HeapType::Struct.matches(other),
                DefKind::Array => HeapType::Array.matches(other),
            },
            (HeapType::I31 | HeapType::Struct | HeapType::Array, other) => {
                matches!(other, HeapType::Eq | HeapType::Any)
            }
            (HeapType::Eq, other) => other == HeapType::Any,
            _ => false,
        }
    }
}

/// A reference type: a heap type and whether null belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RefType {
    /// Whether `ref.null` is a value of the type.
    pub nullable: bool,
    /// What a non-null reference points to.
    pub heap: HeapType,
}

impl RefType {
    /// `funcref`, that is `(ref null func)`.
    pub const FUNC: RefType = RefType { nullable: true, heap: HeapType::Func };
    /// `externref`, that is `(ref null extern)`.
    pub const EXTERN: RefType = RefType { nullable: true, heap: HeapType::Extern };
    /// `exnref`, that is `(ref null exn)`.
    pub const EXN: RefType = RefType { nullable: true, heap: HeapType::Exn };

    /// Whether values of this type are values of `other` too (section 3.3.4).
    pub fn matches(self, other: RefType) -> bool {
        (other.nullable || !self.nullable) && self.heap.matches(other.heap)
    }
}

/// A value type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit IEEE 754 float.
    F32,
    /// 64-bit IEEE 754 float.
    F64,
    /// 128-bit vector.
    V128,
    /// A reference.
    Ref(RefType),
}

impl ValType {
    /// `funcref`.
    pub const FUNCREF: ValType = ValType::Ref(RefType::FUNC);
    /// `externref`.
    pub const EXTERNREF: ValType = ValType::Ref(RefType::EXTERN);
    /// `anyref`.
    pub const ANYREF: ValType = ValType::nullable(HeapType::Any);
    /// `eqref`.
    pub const EQREF: ValType = ValType::nullable(HeapType::Eq);
    /// `i31ref`.
    pub const I31REF: ValType = ValType::nullable(HeapType::I31);
    /// `exnref`.
    pub const EXNREF: ValType = ValType::nullable(HeapType::Exn);

    /// The type of references to `heap`, and null.
    pub const fn nullable(heap: HeapType) -> ValType {
        ValType::Ref(RefType { nullable: true, heap })
    }

    /// Whether values of the type are references.
    pub fn is_ref(self) -> bool {
        matches!(self, ValType::Ref(_))
    }

    /// The hierarchy of references that the type belongs to, if its values are references.
    pub fn hierarchy(self) -> Option<Hierarchy> {
        if let ValType::Ref(ty) = self { Some(ty.heap.hierarchy()) } else { None }
    }

    /// Whether values of this type are values of `other` too (section 3.3.5).
    pub fn matches(self, other: ValType) -> bool {
        match (self, other) {
            (ValType::Ref(a), ValType::Ref(b)) => a.matches(b),
            _ => self == other,
        }
    }

    /// The defined type that it mentions, if it mentions one that has an owner. Who keeps a type without its module
    /// keeps this beside it.
    pub fn def_type(self) -> Option<DefType> {
        match self {
            ValType::Ref(RefType { heap: HeapType::Concrete(id), .. }) => id.resolve(),
            _ => None,
        }
    }
}

/// What a field or an element holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageType {
    /// 8 bits of an `i32`.
    I8,
    /// 16 bits of an `i32`.
    I16,
    /// A value.
    Val(ValType),
}

/// Size limits of a table (in elements) or a memory (in pages).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// The size at creation, or the current one where a live object is described.
    pub min: u64,
    /// The size that growth may reach, if bounded by the type.
    pub max: Option<u64>,
}

impl Limits {
    /// Import matching of limits (section 3.3.14): at least the minimum, at most the maximum.
    pub fn matches(&self, expected: &Limits) -> bool {
        self.min >= expected.min
            && match (self.max, expected.max) {
                (_, None) => true,
                (Some(actual), Some(expected)) => actual <= expected,
                (None, Some(_)) => false,
            }
    }
}

/// A global type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlobalType {
    /// The type of the value.
    pub content: ValType,
    /// Whether `global.set` is allowed.
    pub mutable: bool,
}

/// A table type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableType {
    /// The type of the elements.
    pub element: RefType,
    /// Sizes in elements.
    pub limits: Limits,
    /// Whether indices are 64-bit.
    pub is64: bool,
}

/// A memory type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemoryType {
    /// Sizes in pages.
    pub limits: Limits,
    /// Whether addresses are 64-bit.
    pub is64: bool,
    /// Whether the memory may be used by several threads.
    pub shared: bool,
    /// Binary logarithm of the page size in bytes: 16 unless the module says otherwise.
    pub page_size_log2: u8,
}

impl MemoryType {
    /// Binary logarithm of the bytes of an ordinary page.
    pub const PAGE_SIZE_LOG2: u8 = 16;

    /// An ordinary 32-bit memory type.
    pub fn new32(limits: Limits) -> MemoryType {
        MemoryType { limits, is64: false, shared: false, page_size_log2: MemoryType::PAGE_SIZE_LOG2 }
    }

    /// The most pages that a type with such addresses and pages may name (section 3.2.11): those that can be addressed, less
    /// one where their number would not fit an address.
    pub fn most_pages(&self) -> u64 {
        let addresses: u128 = if self.is64 { 1 << 64 } else { 1 << 32 };
        (addresses >> self.page_size_log2).min(addresses - 1) as u64
    }
}

/// A tag type: the function type whose parameters an exception carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TagType {
    /// Parameters are the payload; results are empty.
    pub func: FuncType,
}

/// The type of something that can be imported or exported.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ExternType {
    /// A function.
    Func(FuncType),
    /// A global.
    Global(GlobalType),
    /// A table.
    Table(TableType),
    /// A memory.
    Memory(MemoryType),
    /// A tag.
    Tag(TagType),
}

impl ExternType {
    /// The specification's word for the kind, for messages.
    pub fn kind_name(&self) -> &'static str {
        match self {
            ExternType::Func(_) => "function",
            ExternType::Global(_) => "global",
            ExternType::Table(_) => "table",
            ExternType::Memory(_) => "memory",
            ExternType::Tag(_) => "tag",
        }
    }

    /// Whether a thing of this type may be given where `expected` is imported (section 3.3.15).
    pub fn matches(&self, expected: &ExternType) -> bool {
        match (self, expected) {
            (ExternType::Func(a), ExternType::Func(e)) => a.is_subtype_of(e),
            (ExternType::Global(a), ExternType::Global(e)) => {
                a.mutable == e.mutable && (a.content == e.content || !a.mutable && a.content.matches(e.content))
            }
            (ExternType::Table(a), ExternType::Table(e)) => {
                a.element == e.element && a.is64 == e.is64 && a.limits.matches(&e.limits)
            }
            (ExternType::Memory(a), ExternType::Memory(e)) => {
                a.is64 == e.is64
                    && a.shared == e.shared
                    && a.page_size_log2 == e.page_size_log2
                    && a.limits.matches(&e.limits)
            }
            (ExternType::Tag(a), ExternType::Tag(e)) => a == e,
            _ => false,
        }
    }
}

/// An import of a module, in declaration order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportType {
    /// The first of the two names.
    pub module: String,
    /// The second of the two names.
    pub name: String,
    /// What must be given.
    pub ty: ExternType,
}

/// An export of a module, in declaration order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportType {
    /// Its name, unique in the module.
    pub name: String,
    /// What it gives.
    pub ty: ExternType,
}
