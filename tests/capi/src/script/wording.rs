//! Whether a refusal says what the script expects.
//!
//! A message begins with the kind of refusal and ends with the position; between them stand the specification's words, and then what
//! names the thing. The words must be those of the script. A script of an older version of the specification may expect what no longer
//! holds: what a newer one expects of the very same module counts then, and else what a rule is called today.

/// How a refusal agrees with what its script expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// In the script's words.
    Words,
    /// In the words of a newer script for the same module, or of today's specification for the same rule.
    NewerWords,
}

/// What older scripts say, and what is said today, where no newer script has the same module.
const RENAMED: &[(&str, &str)] = &[
    // The rule has other words.
    ("constant expression required", "type mismatch: expected funcref"),
    ("global is immutable", "immutable global"),
    ("malformed lane index", "i8 constant out of range"),
    ("type mismatch: instruction requires", "type mismatch: expected i32"),
    ("unexpected token", "constant out of range"),
    ("unexpected token", "i8 constant out of range"),
    ("wrong number of lane indices", "invalid lane length"),
    // Limits and offsets have 64 bits in the text, so that it is the module that is wrong.
    ("i32 constant", "integer too large"),
    ("i32 constant", "memory size must be at most"),
    // The byte means something now, and what should follow it is not there.
    ("integer too large", "unexpected end of section or function"),
    ("malformed import kind", "unexpected end of section or function"),
    ("malformed limits flags", "unexpected end of section or function"),
    ("malformed section id", "unexpected end of section or function"),
];

/// How a message of the library agrees with the words that a script expects, if it does. `newer` are those that newer scripts expect
/// of the same module.
pub(super) fn agreement(expected: &str, message: &str, newer: impl FnOnce() -> Vec<String>) -> Option<Agreement> {
    let kinds = ["malformed text: ", "malformed module: ", "invalid module: ", "unsupported module: "];
    let words = kinds.iter().find_map(|kind| message.strip_prefix(kind))?;
    if !expected.is_empty() && words.starts_with(expected) {
        return Some(Agreement::Words);
    }
    let renamed = |(theirs, ours): &(&str, &str)| expected.starts_with(theirs) && words.starts_with(ours);
    let agrees =
        RENAMED.iter().any(renamed) || newer().iter().any(|newer| !newer.is_empty() && words.starts_with(newer));
    agrees.then_some(Agreement::NewerWords)
}
