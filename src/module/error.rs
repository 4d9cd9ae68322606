//! Why bytes are not a module that can be used: what, where, and of which sort.

use super::malformed;
use std::fmt;
use wasmparser::WasmFeatures;

/// The sorts of reasons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModuleErrorKind {
    /// The bytes do not follow the binary format (section 5 of the specification).
    Malformed,
    /// The module is not valid (section 3 of the specification).
    Invalid,
    /// The module uses a feature that is off.
    Unsupported,
    /// The module exceeds an implementation limit (`limits.rs`).
    Limit,
}

/// Why a module was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleError {
    /// The reason, in the specification's words where it has any.
    pub message: String,
    /// The byte at which it was found.
    pub offset: Option<usize>,
    /// Its sort.
    pub kind: ModuleErrorKind,
    /// The function in whose body it was found: its index, and its name if the module tells it.
    pub function: Option<(u32, Option<String>)>,
}

impl ModuleError {
    /// An error outside of function bodies.
    pub fn new(kind: ModuleErrorKind, message: impl Into<String>, offset: impl Into<Option<usize>>) -> ModuleError {
        ModuleError { message: message.into(), offset: offset.into(), kind, function: None }
    }

    /// The same, if `bytes` are malformed in the eyes of the specification with what it finds first: its decoder ends before
    /// validation begins, and looks at things in another order.
    pub(super) fn in_words_of_specification(self, bytes: &[u8]) -> ModuleError {
        if !matches!(self.kind, ModuleErrorKind::Malformed | ModuleErrorKind::Invalid) {
            return self;
        }
        match malformed::find(bytes) {
            Some((words, _)) if self.kind == ModuleErrorKind::Malformed && self.message.starts_with(&words) => self,
            Some((message, offset)) => {
                ModuleError { message, offset: Some(offset), kind: ModuleErrorKind::Malformed, function: self.function }
            }
            None => self,
        }
    }
}

impl fmt::Display for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ModuleErrorKind::Malformed => "malformed module: ",
            ModuleErrorKind::Invalid => "invalid module: ",
            ModuleErrorKind::Unsupported => "unsupported module: ",
            ModuleErrorKind::Limit => "module exceeds a limit: ",
        })?;
        f.write_str(&self.message)?;
        match (self.offset, &self.function) {
            (None, None) => Ok(()),
            (Some(offset), None) => write!(f, " (at offset {offset:#x})"),
            (offset, Some((index, name))) => {
                f.write_str(" (")?;
                if let Some(offset) = offset {
                    write!(f, "at offset {offset:#x}, ")?;
                }
                write!(f, "function {index}")?;
                if let Some(name) = name {
                    write!(f, " {name:?}")?;
                }
                f.write_str(")")
            }
        }
    }
}

impl std::error::Error for ModuleError {}

/// How the features that can be missing are called in messages.
const FEATURE_NAMES: &[(WasmFeatures, &str)] = &[
    (WasmFeatures::SIMD, "SIMD"),
    (WasmFeatures::RELAXED_SIMD, "relaxed SIMD"),
    (WasmFeatures::REFERENCE_TYPES, "reference types"),
    (WasmFeatures::THREADS, "threads"),
    (WasmFeatures::SHARED_EVERYTHING_THREADS, "shared-everything threads"),
    (WasmFeatures::TAIL_CALL, "tail calls"),
    (WasmFeatures::MULTI_MEMORY, "multiple memories"),
    (WasmFeatures::EXCEPTIONS, "exceptions"),
    (WasmFeatures::LEGACY_EXCEPTIONS, "legacy exceptions"),
    (WasmFeatures::MEMORY64, "memory64"),
    (WasmFeatures::FUNCTION_REFERENCES, "function references"),
    (WasmFeatures::GC, "garbage collection"),
    (WasmFeatures::CUSTOM_PAGE_SIZES, "custom page sizes"),
    (WasmFeatures::WIDE_ARITHMETIC, "wide arithmetic"),
    (WasmFeatures::STACK_SWITCHING, "stack switching"),
    (WasmFeatures::CUSTOM_DESCRIPTORS, "custom descriptors"),
    (WasmFeatures::COMPACT_IMPORTS, "compact imports"),
    (WasmFeatures::MEMORY_CONTROL, "memory control"),
    (WasmFeatures::ACQUIRE_RELEASE_ATOMICS, "acquire-release atomics"),
    (WasmFeatures::MULTIBYTE_ARRAY_ACCESS, "multibyte array access"),
    (WasmFeatures::COMPONENT_MODEL, "the component model"),
];

fn feature_name(missing: WasmFeatures) -> &'static str {
    FEATURE_NAMES.iter().find(|(f, _)| missing.contains(*f)).map_or("a proposal", |(_, name)| name)
}

/// The message for the use of a feature that is off; `detail` says what used it.
fn not_enabled(feature: &str, detail: &str) -> String {
    if detail.ends_with("not enabled") {
        format!("feature not enabled: {feature}")
    } else if detail.starts_with("constant expression required") || detail.starts_with("multiple ") {
        // The specification of the language that is on has words for it.
        format!("{detail} (feature not enabled: {feature})")
    } else {
        format!("feature not enabled: {feature} ({detail})")
    }
}

/// Beginnings of wasmparser's messages that speak of the binary format. It does not tell malformed from invalid
/// itself; what is not listed is invalid.
const MALFORMED: &[&str] = &[
    "bad magic number",
    "data count and data section",
    "data count is non-zero",
    "data count section required",
    "expected section",
    "function and code section",
    "function section ",
    "illegal opcode",
    "integer representation too long",
    "invalid atomic consistency ordering",
    "invalid boolean value",
    "invalid cast flags",
    "invalid flags byte",
    "invalid leading byte",
    "invalid memory limits flags",
    "invalid start byte",
    "invalid table encoding",
    "invalid table resizable limits flags",
    "invalid tag attributes",
    "invalid u7",
    "invalid value type",
    "invalid var_",
    "magic header not detected",
    "malformed",
    "only the function external type",
    "operators remaining after end",
    "section out of order",
    "section size mismatch",
    "section too large",
    "control frames remain",
    "too many locals: locals exceed",
    "trailing bytes",
    "unexpected content",
    "unexpected data",
    "unexpected end",
    "unknown 0xf",
    "unknown binary version",
    "zero byte expected",
];

/// Pieces of wasmparser's messages that speak of its limits.
const LIMIT: &[&str] = &[
    "count exceeds limit",
    "exceeds the limit",
    "function body size count",
    "implementation limit",
    "number of elements is out of bounds",
    "size is out of bounds",
    "size out of bounds",
    "specifies too many data segments",
    "too many locals",
    "tried to define too many function locals",
];

impl From<wasmparser::Error> for ModuleError {
    fn from(error: wasmparser::Error) -> ModuleError {
        let text = error.message();
        let (kind, message) = if text.starts_with("shared globals require") {
            // To the language that is supported, the flag of a proposal that is not is none.
            (ModuleErrorKind::Malformed, "malformed mutability".into())
        } else if text == "invalid exception type: non-empty tag result type" {
            // Likewise.
            (ModuleErrorKind::Invalid, spec_wording(text))
        } else if let Some(missing) = error.missing_wasm_feature() {
            (ModuleErrorKind::Unsupported, not_enabled(feature_name(missing), text))
        } else if text == "multiple memories" {
            (ModuleErrorKind::Unsupported, not_enabled("multiple memories", text))
        } else if text == "multiple tables" {
            (ModuleErrorKind::Unsupported, not_enabled("reference types", text))
        } else if LIMIT.iter().any(|piece| text.contains(piece)) {
            (ModuleErrorKind::Limit, text.into())
        } else if MALFORMED.iter().any(|beginning| text.starts_with(beginning)) {
            (ModuleErrorKind::Malformed, spec_wording(text))
        } else {
            (ModuleErrorKind::Invalid, spec_wording(text))
        };
        ModuleError { message, offset: usize::try_from(error.offset()).ok(), kind, function: None }
    }
}

/// wasmparser's message in the specification's words, where they differ and can be told apart.
fn spec_wording(text: &str) -> String {
    if text.starts_with("memory size must be at most 0x10000 ") {
        return "memory size must be at most 65536 pages (4GiB)".into();
    }
    if text.starts_with("function section ") {
        return format!("function and code section have inconsistent lengths: {text}");
    }
    if let Some(detail) = text.strip_prefix("global is immutable") {
        return format!("immutable global{detail}");
    }
    if let Some(detail) = text.strip_prefix("malformed memop") {
        return format!("malformed memop flags{detail}");
    }
    // "invalid array.init_elem instruction: element segment 0 type mismatch: expected ..., found ..."
    if let Some((place, types)) = text.split_once(" type mismatch: ")
        && let Some((_, segment)) = place.split_once(" instruction: ")
    {
        return format!("type mismatch: {types} ({segment})");
    }
    let integer = text.strip_prefix("invalid var_").and_then(|rest| rest.split_once(": "));
    match text {
        "unexpected end-of-file" => "unexpected end",
        "SIMD index out of bounds" => "invalid lane index",
        "malformed global flags" => "malformed mutability",
        "invalid exception type: non-empty tag result type" => "non-empty tag result type",
        "invalid array modification: array is immutable" => "immutable array",
        "invalid struct modification: struct field is immutable" => "immutable field",
        "invalid array.init_data: array type is not numeric or vector" => "array type is not numeric or vector",
        "invalid start function type" => "start function: its type must be [] -> []",
        "invalid memop alignment: alignment must not be larger than natural" => {
            "alignment must not be larger than natural"
        }
        _ => integer.map_or(text, |(_, what)| what),
    }
    .into()
}
