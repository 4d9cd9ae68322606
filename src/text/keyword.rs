//! Which keywords there are.

use wast::core::Instruction;
use wast::parser::{self, ParseBuffer};

/// The keywords that are no instructions, in the order of their letters: of modules and types, then those that only scripts have but which
/// the specification's lexer knows, too.
const KEYWORDS: &[&str] = &[
    "any",
    "anyref",
    "array",
    "arrayref",
    "binary",
    "catch",
    "catch_all",
    "catch_all_ref",
    "catch_ref",
    "cont",
    "data",
    "declare",
    "descriptor",
    "describes",
    "do",
    "elem",
    "else",
    "end",
    "eq",
    "eqref",
    "exact",
    "exn",
    "exnref",
    "export",
    "extern",
    "externref",
    "f32",
    "f32x4",
    "f64",
    "f64x2",
    "field",
    "final",
    "func",
    "funcref",
    "global",
    "i16",
    "i16x8",
    "i31",
    "i31ref",
    "i32",
    "i32x4",
    "i64",
    "i64x2",
    "i8",
    "i8x16",
    "import",
    "item",
    "local",
    "memory",
    "module",
    "mut",
    "noexn",
    "noextern",
    "nofunc",
    "none",
    "null",
    "nullexnref",
    "nullexternref",
    "nullfuncref",
    "nullref",
    "offset",
    "on",
    "pagesize",
    "param",
    "quote",
    "rec",
    "ref",
    "result",
    "shared",
    "start",
    "struct",
    "structref",
    "sub",
    "table",
    "tag",
    "then",
    "type",
    "v128",
];

/// Keywords that only scripts have, which the specification's lexer knows, too.
const OF_SCRIPTS: &[&str] = &[
    "assert_exception",
    "assert_exhaustion",
    "assert_invalid",
    "assert_invalid_custom",
    "assert_malformed",
    "assert_malformed_custom",
    "assert_return",
    "assert_trap",
    "assert_unlinkable",
    "definition",
    "either",
    "get",
    "input",
    "instance",
    "invoke",
    "nan:arithmetic",
    "nan:canonical",
    "output",
    "ref.extern",
    "ref.host",
    "register",
    "script",
];

/// Whether some rule of the grammar has this keyword.
pub(super) fn exists(keyword: &str) -> bool {
    KEYWORDS.contains(&keyword) || OF_SCRIPTS.contains(&keyword) || is_instruction(keyword)
}

/// The parser knows the instructions; it refuses one that lacks its immediates behind the keyword, and what is none at its beginning.
fn is_instruction(keyword: &str) -> bool {
    let parsed = ParseBuffer::new(keyword).and_then(|buffer| parser::parse::<Instruction<'_>>(&buffer).map(drop));
    parsed.map_or_else(|error| error.span().offset() > 0, |()| true)
}
