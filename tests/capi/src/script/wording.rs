//! Whether a refusal says what the script expects.
//!
//! A message begins with the kind of refusal and ends with the position; between them stand the specification's words, and then what
//! names the thing. They must be those of the script, but for two tables: the text format is parsed by a crate that has words of its
//! own, and older scripts expect what newer ones word differently.

/// How a refusal agrees with what its script expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// In the script's words.
    Words,
    /// In words that mean the same.
    Meaning,
}

/// What the parser of the text format says, by what scripts expect of a text.
const TEXT: &[(&str, &[&str])] = &[
    // The parser does not tell tokens that exist nowhere from those that are in the wrong place.
    (
        "unknown operator",
        &[
            "unknown operator or unexpected token",
            "unexpected token",
            "expected a float",
            "expected a i8",
            "expected a i16",
            "expected a i32",
            "expected a i64",
            "expected an instruction",
            "expected valid module field",
            "expected `(`",
            "u64 constant out of range",
        ],
    ),
    (
        "unexpected token",
        &[
            "unknown operator or unexpected token",
            "result before parameter (or unexpected token)",
            "expected a float",
            "expected a i32",
            "expected a i64",
            "expected a lane index",
            "expected a u8",
            "expected `(`",
            "extra tokens remaining after parse",
            "invalid u8 number: constant out of range",
        ],
    ),
    ("illegal character", &["unexpected character"]),
    ("malformed UTF-8 encoding", &["the text is not UTF-8"]),
    ("empty annotation id", &["invalid character in string"]),
    ("empty identifier", &["invalid character in string"]),
    ("unclosed string", &["unexpected end-of-file"]),
    ("duplicate field", &["duplicate identifier: duplicate field"]),
    (
        "constant out of range",
        &[
            "invalid float value: constant out of range",
            "invalid i8 number: constant out of range",
            "invalid i16 number: constant out of range",
            "invalid i32 number: constant out of range",
            "invalid i64 number: constant out of range",
        ],
    ),
    ("i8 constant out of range", &["malformed lane index", "invalid u8 number: constant out of range"]),
    ("invalid lane length", &["expected a u8", "expected an instruction"]),
    ("malformed lane index", &["expected a u8", "invalid u8 number: constant out of range"]),
    ("i64 constant out of range", &["invalid u64 number: constant out of range"]),
    ("wrong number of lane indices", &["expected a u8", "expected an instruction"]),
    (
        "wrong number of lane literals",
        &[
            "expected a float",
            "expected a i8",
            "expected a i16",
            "expected a i32",
            "expected a i64",
            "expected an instruction",
            "invalid i32 number: constant out of range",
        ],
    ),
];

/// What the library says, by what scripts expect of a module that is older than the language of today, or of a text whose binary is
/// what is refused.
const MODULE: &[(&str, &[&str])] = &[
    // What could not be read can be today, and fails later.
    ("illegal opcode", &["unexpected end of section or function"]),
    ("integer representation too long", &["integer too large", "malformed limits flags"]),
    ("integer too large", &["malformed limits flags", "unexpected end of section or function"]),
    ("malformed import kind", &["unexpected end of section or function"]),
    ("malformed limits flags", &["unexpected end of section or function"]),
    ("malformed memop flags", &["alignment must not be larger than natural"]),
    ("malformed section id", &["unexpected end of section or function"]),
    // The rule has other words today.
    ("constant expression required", &["type mismatch: expected funcref"]),
    ("global is immutable", &["immutable global"]),
    ("type mismatch: instruction requires", &["type mismatch: expected i32"]),
    // The numbers of the text are in the binary, and the instructions of another language, too.
    ("i32 constant", &["integer too large", "table size must be at most", "memory size must be at most"]),
    ("multiple start sections", &["unexpected content after last section"]),
    ("unexpected token", &["feature not enabled: legacy exceptions"]),
];

/// How a message of the library agrees with the words that a script expects, if it does.
pub(super) fn agreement(expected: &str, message: &str) -> Option<Agreement> {
    let kinds = ["malformed module: ", "invalid module: ", "unsupported module: "];
    let of_module = kinds.iter().find_map(|kind| message.split_once(kind)).map(|(_, words)| words);
    let words = of_module.unwrap_or(message);
    if words.starts_with(expected) {
        return Some(Agreement::Words);
    }
    let table = if of_module.is_some() { MODULE } else { TEXT };
    let same = |(theirs, ours): &(&str, &[&str])| {
        expected.starts_with(theirs) && ours.iter().any(|ours| words.starts_with(ours))
    };
    table.iter().any(same).then_some(Agreement::Meaning)
}
