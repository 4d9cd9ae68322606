//! The types of the specification (section 2.3), as plain data: what a module declares, what an
//! import asks for, what the C API reads and builds.
//!
//! Nothing here knows about modules, code or stores. Matching (section 3.3) is defined here once and
//! used by instantiation, table and global writes, and the C API.

use std::fmt;
use std::sync::Arc;

/// A heap type: what a reference points to. The collector's types join here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HeapType {
    /// `func`: any function.
    Func,
    /// `extern`: a reference owned by the host.
    Extern,
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

    /// Whether values of the type are references.
    pub fn is_ref(self) -> bool {
        matches!(self, ValType::Ref(_))
    }
}

/// A function type: parameters to results. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FuncType {
    all: Arc<[ValType]>,
    params: usize,
}

impl FuncType {
    /// The type with these parameters and results.
    pub fn new(params: impl IntoIterator<Item = ValType>, results: impl IntoIterator<Item = ValType>) -> FuncType {
        let mut all: Vec<ValType> = params.into_iter().collect();
        let params = all.len();
        all.extend(results);
        FuncType { all: all.into(), params }
    }

    /// The parameter types, in order.
    pub fn params(&self) -> &[ValType] {
        &self.all[..self.params]
    }

    /// The result types, in order.
    pub fn results(&self) -> &[ValType] {
        &self.all[self.params..]
    }

    /// Whether any parameter or result is a reference.
    pub fn has_refs(&self) -> bool {
        self.all.iter().any(|t| t.is_ref())
    }
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
            (ExternType::Func(a), ExternType::Func(e)) => a == e,
            (ExternType::Global(a), ExternType::Global(e)) => a == e,
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

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.nullable, self.heap) {
            (true, HeapType::Func) => f.write_str("funcref"),
            (true, HeapType::Extern) => f.write_str("externref"),
            (false, HeapType::Func) => f.write_str("(ref func)"),
            (false, HeapType::Extern) => f.write_str("(ref extern)"),
        }
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValType::I32 => f.write_str("i32"),
            ValType::I64 => f.write_str("i64"),
            ValType::F32 => f.write_str("f32"),
            ValType::F64 => f.write_str("f64"),
            ValType::V128 => f.write_str("v128"),
            ValType::Ref(r) => r.fmt(f),
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, types: &[ValType]) -> fmt::Result {
    f.write_str("(")?;
    for (i, t) in types.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{t}")?;
    }
    f.write_str(")")
}

impl fmt::Display for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, self.params())?;
        f.write_str(" -> ")?;
        write_list(f, self.results())
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max {
            Some(max) => write!(f, "{{min {}, max {max}}}", self.min),
            None => write!(f, "{{min {}}}", self.min),
        }
    }
}

impl fmt::Display for ExternType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExternType::Func(t) => write!(f, "function {t}"),
            ExternType::Global(t) => {
                write!(f, "{} global {}", if t.mutable { "mutable" } else { "constant" }, t.content)
            }
            ExternType::Table(t) => {
                let is64 = if t.is64 { "64-bit " } else { "" };
                write!(f, "{is64}table of {} {}", t.element, t.limits)
            }
            ExternType::Memory(t) => {
                let shared = if t.shared { "shared " } else { "" };
                let is64 = if t.is64 { "64-bit " } else { "" };
                write!(f, "{shared}{is64}memory {}", t.limits)?;
                if t.page_size_log2 != MemoryType::PAGE_SIZE_LOG2 {
                    write!(f, " of pages of {} bytes", 1u64 << t.page_size_log2)?;
                }
                Ok(())
            }
            ExternType::Tag(t) => write!(f, "tag {}", t.func),
        }
    }
}
