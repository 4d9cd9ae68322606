//! Types as text, for messages: in the words of the text format, defined types by structure where that is short.

use super::*;
use std::fmt;

impl fmt::Display for HeapType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeapType::Func => "func",
            HeapType::NoFunc => "nofunc",
            HeapType::Extern => "extern",
            HeapType::NoExtern => "noextern",
            HeapType::Any => "any",
            HeapType::Eq => "eq",
            HeapType::I31 => "i31",
            HeapType::Struct => "struct",
            HeapType::Array => "array",
            HeapType::None => "none",
            HeapType::Exn => "exn",
            HeapType::NoExn => "noexn",
            // The index in a module is not known here: the number tells types apart within a message.
            HeapType::Concrete(id) => {
                let kind = match id.kind() {
                    DefKind::Func => "func",
                    DefKind::Struct => "struct",
                    DefKind::Array => "array",
                };
                return write!(f, "${kind}.{}", id.index());
            }
        })
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.nullable, self.heap) {
            (true, HeapType::NoFunc) => f.write_str("nullfuncref"),
            (true, HeapType::NoExtern) => f.write_str("nullexternref"),
            (true, HeapType::None) => f.write_str("nullref"),
            (true, HeapType::NoExn) => f.write_str("nullexnref"),
            (true, HeapType::Concrete(_)) => write!(f, "(ref null {})", self.heap),
            (true, heap) => write!(f, "{heap}ref"),
            (false, heap) => write!(f, "(ref {heap})"),
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

impl fmt::Debug for FuncType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
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
            ExternType::Table(t) => write!(f, "table of {} {}", t.element, t.limits),
            ExternType::Memory(t) => {
                let shared = if t.shared { "shared " } else { "" };
                let is64 = if t.is64 { "64-bit " } else { "" };
                write!(f, "{shared}{is64}memory {}", t.limits)?;
                if t.page_size_log2 != 16 {
                    write!(f, " of pages of {} bytes", 1u64 << t.page_size_log2)?;
                }
                Ok(())
            }
            ExternType::Tag(t) => write!(f, "tag {}", t.func),
        }
    }
}
