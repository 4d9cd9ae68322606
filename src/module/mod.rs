//! A module as the specification has it (section 2.5): what its bytes declare, decoded and validated.
//!
//! Everything here is immutable, knows nothing of engines or stores, and is shared between threads.
//! Index spaces are vectors that begin with the imports.

mod bytes;
pub mod const_expr;
pub mod constant_table;
mod decode;
mod error;
pub mod helpers;
mod hints;
pub mod limits;
mod malformed;
mod names;
mod query;
pub mod seal;
pub mod serialize;
mod types;
mod validate;

pub use bytes::Bytes;
pub use decode::ModuleFacts;
pub use error::{ModuleError, ModuleErrorKind};

use crate::types::*;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A decoded and validated module.
#[derive(Debug)]
pub struct Module {
    /// The binary that the module was made from. Function bodies and data segments are ranges of it.
    pub bytes: Bytes,
    /// The type section, in order.
    pub types: Vec<DefType>,
    /// The import section, in order.
    pub imports: Vec<Import>,
    /// The export section, in order.
    pub exports: Vec<Export>,
    /// Type index of each function; imported ones first.
    pub functions: Vec<u32>,
    /// Each table; imported ones first.
    pub tables: Vec<TableType>,
    /// Each memory; imported ones first.
    pub memories: Vec<MemoryType>,
    /// Each global; imported ones first.
    pub globals: Vec<GlobalType>,
    /// Type index of each tag; imported ones first.
    pub tags: Vec<u32>,
    /// How many of `functions` are imported.
    pub imported_functions: u32,
    /// How many of `tables` are imported.
    pub imported_tables: u32,
    /// How many of `memories` are imported.
    pub imported_memories: u32,
    /// How many of `globals` are imported.
    pub imported_globals: u32,
    /// How many of `tags` are imported.
    pub imported_tags: u32,
    /// First value of the elements of each defined table.
    pub table_inits: Vec<ConstExpr>,
    /// Initial value of each defined global.
    pub global_inits: Vec<ConstExpr>,
    /// The start function.
    pub start: Option<u32>,
    /// Element segments, in order.
    pub elements: Vec<ElementSegment>,
    /// Data segments, in order.
    pub data: Vec<DataSegment>,
    /// How many data segments there are instead of those in `data`: active ones, for which something else stands.
    pub spent_data: u32,
    /// Where each defined function's body stands in `bytes`: from its local declarations to its final `end`.
    pub bodies: Vec<Range<u32>>,
    /// Where the `name` custom section's contents stand in `bytes`, if there is one. Read on demand (`names.rs`).
    pub name_section: Option<Range<u32>>,
    /// Where the contents of the custom section of branch hints stand in `bytes`, if there is one. Read on demand (`hints.rs`).
    pub hint_section: Option<Range<u32>>,
    /// Whether a tail call may lead from one of its functions to one of another instance: a frame of the module then need not
    /// have a callee of the same instance, even where it called a function of its own.
    pub tail_calls_out: bool,
    /// Whether one of its functions has an instruction about garbage-collected objects: `struct.new`, `ref.cast` and so on.
    pub objects: bool,
    /// Which tables one of its functions has an instruction for that may write to them: a bit for each of the first 32; others are
    /// as if there were one.
    pub written_tables: u32,
    /// The tables that never change, once somebody has asked for one.
    constant_tables: OnceLock<Vec<Option<constant_table::ConstantTable>>>,
    /// The names, once somebody has asked for one.
    names: OnceLock<names::Names>,
    /// The branch hints, once a function with a branch has been compiled.
    hints: OnceLock<hints::Hints>,
}

/// One import.
#[derive(Debug)]
pub struct Import {
    /// The first of the two names.
    pub module: String,
    /// The second of the two names.
    pub name: String,
    /// Which index space it enters; its index is the count of earlier imports of the kind.
    pub kind: ExternKind,
}

/// One export.
#[derive(Debug)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// The index space.
    pub kind: ExternKind,
    /// The index in it.
    pub index: u32,
}

/// The kinds of things that cross a module's border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExternKind {
    /// A function.
    Func,
    /// A table.
    Table,
    /// A memory.
    Memory,
    /// A global.
    Global,
    /// A tag.
    Tag,
}

impl ExternKind {
    /// How many kinds there are.
    pub const COUNT: usize = 5;
}

/// A constant expression (section 3.3.10), decoded to a postfix program; nearly always one instruction.
pub type ConstExpr = Vec<ConstOp>;

/// An instruction of a constant expression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ConstOp {
    /// `i32.const`
    I32Const(i32),
    /// `i64.const`
    I64Const(i64),
    /// `f32.const`, as bits.
    F32Const(u32),
    /// `f64.const`, as bits.
    F64Const(u64),
    /// `v128.const`
    V128Const(u128),
    /// `global.get`
    GlobalGet(u32),
    /// `ref.null` of any heap type.
    RefNull,
    /// `ref.func`
    RefFunc(u32),
    /// `struct.new`
    StructNew {
        /// The type's index.
        ty: u32,
        /// How many fields it has.
        fields: u32,
    },
    /// `struct.new_default`
    StructNewDefault(u32),
    /// `array.new`
    ArrayNew(u32),
    /// `array.new_default`
    ArrayNewDefault(u32),
    /// `array.new_fixed`
    ArrayNewFixed {
        /// The type's index.
        ty: u32,
        /// How many elements.
        len: u32,
    },
    /// `ref.i31`
    RefI31,
    /// `any.convert_extern`
    AnyConvertExtern,
    /// `extern.convert_any`
    ExternConvertAny,
    /// `i32.add`
    I32Add,
    /// `i32.sub`
    I32Sub,
    /// `i32.mul`
    I32Mul,
    /// `i64.add`
    I64Add,
    /// `i64.sub`
    I64Sub,
    /// `i64.mul`
    I64Mul,
}

/// When and where a segment is copied.
#[derive(Debug)]
pub enum SegmentMode {
    /// At instantiation, into this table or memory, at this offset.
    Active {
        /// Index of the table or memory.
        index: u32,
        /// An `i32` (or, for 64-bit ones, `i64`) expression.
        offset: ConstExpr,
    },
    /// By `table.init` or `memory.init`.
    Passive,
    /// Never: it only declares functions for `ref.func`.
    Declared,
}

/// An element segment.
#[derive(Debug)]
pub struct ElementSegment {
    /// When it is copied.
    pub mode: SegmentMode,
    /// The type of its elements.
    pub ty: RefType,
    /// What it holds.
    pub items: ElementItems,
}

/// The contents of an element segment.
#[derive(Debug)]
pub enum ElementItems {
    /// Function indices.
    Functions(Vec<u32>),
    /// An expression for each.
    Expressions(Vec<ConstExpr>),
}

impl ElementItems {
    /// How many elements.
    pub fn len(&self) -> usize {
        match self {
            ElementItems::Functions(f) => f.len(),
            ElementItems::Expressions(e) => e.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A data segment.
#[derive(Debug)]
pub struct DataSegment {
    /// When it is copied.
    pub mode: SegmentMode,
    /// Its bytes, as a range of the module's.
    pub range: Range<u32>,
}

impl Module {
    /// The type of a function of the index space.
    pub fn func_type(&self, func: u32) -> &FuncType {
        self.type_of_funcs(self.functions[func as usize])
    }

    /// The function type with this index.
    ///
    /// # Panics
    /// If it is no function type, which validation has refused wherever one is meant.
    pub fn type_of_funcs(&self, ty: u32) -> &FuncType {
        self.types[ty as usize].as_func().expect("a validated module means function types here")
    }

    /// The function type of a tag of the index space: its parameters are what an exception carries.
    pub fn tag_type(&self, tag: u32) -> &FuncType {
        self.type_of_funcs(self.tags[tag as usize])
    }

    /// The index among the defined functions, if `func` is not imported.
    pub fn defined_func(&self, func: u32) -> Option<u32> {
        func.checked_sub(self.imported_functions)
    }

    /// The function whose body holds a byte of the module.
    pub fn function_at(&self, module_offset: u32) -> Option<u32> {
        let after = self.bodies.partition_point(|body| body.start <= module_offset);
        let defined = after.checked_sub(1)?;
        self.bodies[defined].contains(&module_offset).then_some(self.imported_functions + defined as u32)
    }

    /// The type of something in an index space.
    pub fn extern_type(&self, kind: ExternKind, index: u32) -> ExternType {
        let i = index as usize;
        match kind {
            ExternKind::Func => ExternType::Func(self.func_type(index).clone()),
            ExternKind::Table => ExternType::Table(self.tables[i]),
            ExternKind::Memory => ExternType::Memory(self.memories[i]),
            ExternKind::Global => ExternType::Global(self.globals[i]),
            ExternKind::Tag => ExternType::Tag(TagType { func: self.tag_type(index).clone() }),
        }
    }
}
