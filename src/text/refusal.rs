//! Why a text is refused, in the specification's words.
//!
//! The specification's interpreter reads a text from left to right and stops at the first token that is none or that no rule of the
//! grammar has there; what names mean is asked when all of it is read. The parser here does the same in other words, and mixes the two. So
//! the place is the parser's, and what is said of it follows from the tokens up to there.

use std::ops::Range;

use wast::Error;

use super::TextError;
use super::keyword;
use super::nesting::Nesting;
use super::token::{Kind, Lexer, Refused, Token, unknown};

/// The refusal of a text that is not UTF-8.
pub(super) fn not_utf8(text: &[u8]) -> TextError {
    let mut nesting = Nesting::new(text);
    loop {
        match nesting.step() {
            Ok(Some(_)) => {}
            Ok(None) => return TextError::new(text, text.len(), "malformed UTF-8 encoding".into()),
            Err((words, offset)) => return TextError::new(text, offset, words),
        }
    }
}

/// Refuses what the parser takes but the grammar does not have.
pub(super) fn overlooked(text: &[u8]) -> Result<(), TextError> {
    let mut nesting = Nesting::new(text);
    let refused = loop {
        match nesting.step() {
            Ok(Some(_)) => {}
            Ok(None) => break nesting.second_start.map(|offset| ("multiple start sections".to_owned(), offset)),
            Err(refused) => break Some(refused),
        }
    };
    refused.map_or(Ok(()), |(words, offset)| Err(TextError::new(text, offset, words)))
}

/// The refusal of a text that the parser can read but not resolve.
pub(super) fn of_names(text: &[u8], error: &Error) -> TextError {
    if let Err(overlooked) = overlooked(text) {
        return overlooked;
    }
    let (message, offset) = (error.message(), error.span().offset());
    let words = if let Some(what) = message.strip_prefix("import after ") {
        format!("import after {what} definition")
    } else if message.starts_with("mismatching label") {
        format!("mismatching label: {message}")
    } else if message.starts_with("inline function type") {
        "inline function type does not match explicit type".into()
    } else if message.starts_with("invalid type: ") {
        message.replacen("invalid type: ", "non-function type: ", 1)
    } else if message.starts_with("accessing a named field") {
        format!("unknown field: {message}")
    } else if let Some(what) = message.strip_prefix("duplicate identifier: duplicate ") {
        format!("duplicate {}", named(what, text, offset))
    } else if let Some(what) = message.strip_prefix("duplicate ") {
        format!("duplicate {}", named(what, text, offset))
    } else if let Some(what) = message.strip_prefix("unknown ") {
        format!("unknown {}", named(what, text, offset))
    } else {
        message
    };
    TextError::new(text, offset, words)
}

/// The index space of a message that begins with it, as the specification calls it, and the index or identifier at `offset`.
fn named(message: &str, text: &[u8], offset: usize) -> String {
    let space = match message.split([' ', ':']).next().unwrap_or_default() {
        "func" => "function",
        "elem" => "elem segment",
        "data" => "data segment",
        space => space,
    };
    let rest = text.get(offset..).unwrap_or_default();
    let length =
        Lexer::new(rest).next().ok().flatten().filter(|token| token.offset == 0).map_or(0, |token| token.end());
    format!("{space} {}", String::from_utf8_lossy(&rest[..length]))
}

/// The refusal of a text that the parser cannot read.
pub(super) fn of_syntax(text: &[u8], error: &Error) -> TextError {
    let first = syntax(text, error).unwrap_or_else(Found::from);
    let mut found = first.clone();
    // What is wrong with a meaning counts only if all of the text has the right form: so that is put right, and the rest is read.
    let mut repaired = text.to_vec();
    for _ in 0..REPAIRS {
        let Some((meaning, right)) = found.meaning else { break };
        repaired[meaning.clone()].fill(b' ');
        repaired[meaning.start..meaning.start + right.len()].copy_from_slice(right.as_bytes());
        let parsed = str::from_utf8(&repaired).map(super::parse);
        let Ok(Err(error)) = parsed else {
            return overlooked(&repaired).err().unwrap_or_else(|| TextError::new(text, first.offset, first.words));
        };
        found = syntax(&repaired, &error).unwrap_or_else(Found::from);
    }
    let Found { words, offset, .. } = if found.meaning.is_some() { first } else { found };
    TextError::new(text, offset, words)
}

/// So many wrong meanings are put right at most.
const REPAIRS: usize = 16;

/// What is wrong with a text.
#[derive(Clone)]
struct Found {
    words: String,
    offset: usize,
    /// If the form is right and the meaning is not: what means it, and what could stand there.
    meaning: Option<(Range<usize>, &'static str)>,
}

impl From<Refused> for Found {
    fn from((words, offset): Refused) -> Found {
        Found { words, offset, meaning: None }
    }
}

fn syntax(text: &[u8], error: &Error) -> Result<Found, Refused> {
    let (offset, message) = (error.span().offset(), error.message());
    let mut nesting = Nesting::new(text);
    // Up to the place, which may lie within a token.
    let found = loop {
        if let Some(annotation) = nesting.annotation(offset) {
            return Ok(of_annotation(annotation, offset, &message).into());
        }
        match nesting.peek()? {
            Some(token) if token.end() <= offset => nesting.step()?,
            found => break found,
        };
    };
    if let Some(token) = found.filter(|token| token.kind == Kind::Keyword) {
        known(token)?;
    }
    if let Some(found) = of_number(&mut nesting, found, &message)? {
        return Ok(found);
    }
    for words in ["malformed UTF-8 encoding", "alignment must be a power of two"] {
        if message == words {
            let last = nesting.last.map_or(offset, |last| last.offset);
            return Err((words.into(), last));
        }
    }
    if message.starts_with("malformed UTF-8 encoding") {
        return Err(("malformed UTF-8 encoding".into(), offset));
    }
    let own = ["item nesting too deep", "invalid custom page size"];
    // What its lexer refuses, ours does, but for what is in the values of strings.
    if own.iter().any(|words| message.starts_with(words)) || error.lex_error().is_some() {
        return Err((message, offset));
    }
    unexpected(nesting, found, &message).map(Found::from)
}

/// Refuses a keyword that is in no rule of the grammar.
fn known(token: Token<'_>) -> Result<(), Refused> {
    let exists = str::from_utf8(token.text).is_ok_and(keyword::exists);
    if exists { Ok(()) } else { Err((unknown(token.text), token.offset)) }
}

/// What is wrong with the number that is next, or with the list that ends here.
fn of_number(nesting: &mut Nesting<'_>, found: Option<Token<'_>>, message: &str) -> Result<Option<Found>, Refused> {
    let of_range = ["out of range", "malformed lane index"].iter().any(|piece| message.contains(piece));
    if nesting.lanes.is_some() {
        while nesting.peek()?.is_some_and(|token| token.is_number()) {
            nesting.step()?;
        }
        let (lanes, last) = (nesting.lanes.expect("numbers are in the list"), nesting.last.expect("its instruction"));
        let meaning = Some((lanes.offset..last.end(), "nop"));
        if lanes.given != lanes.wanted {
            return Ok(Some(Found { words: lanes_words(lanes.shuffle), offset: lanes.offset, meaning }));
        }
        return Ok(found.filter(Token::is_number).map(|number| {
            let words = if lanes.shuffle { "i8 constant out of range" } else { "constant out of range" };
            Found { words: words.into(), offset: number.offset, meaning }
        }));
    }
    let Some(number) = found else { return Ok(None) };
    let immediate = |words: &str| Err((words.to_owned(), number.offset));
    let words = match number.kind {
        Kind::MemoryArgument if of_range => return immediate("i64 constant out of range"),
        Kind::Natural | Kind::Integer | Kind::Float if nesting.takes_any_number() => "constant out of range",
        Kind::Natural if of_range && message.contains("u64") => return immediate("i64 constant out of range"),
        Kind::Natural if of_range && message.contains("lane") => return immediate("i8 constant out of range"),
        Kind::Natural if of_range => "i32 constant out of range",
        _ => return Ok(None),
    };
    let meaning = Some((number.offset..number.end(), "0"));
    Ok(Some(Found { words: words.into(), offset: number.offset, meaning }))
}

fn lanes_words(shuffle: bool) -> String {
    if shuffle { "invalid lane length" } else { "wrong number of lane literals" }.into()
}

/// The token that is next cannot stand there, or one behind it: the parser looks at a parenthesis, its keyword and the names of exports
/// and imports at once.
fn unexpected(mut nesting: Nesting<'_>, found: Option<Token<'_>>, message: &str) -> Result<Refused, Refused> {
    let mut at = found;
    let wants_parenthesis = !["expected a ", "extra tokens", "unexpected token, expected an index"]
        .iter()
        .any(|words| message.starts_with(words));
    if found.is_some_and(|token| token.kind == Kind::Open) && wants_parenthesis {
        nesting.step()?;
        at = nesting.peek()?;
    }
    let names = ["export", "import"].iter().any(|head| at.is_some_and(|token| token.is(Kind::Keyword, head)));
    if names && nesting.last.is_some_and(|last| last.kind == Kind::Open) {
        nesting.step()?;
        while let Some(name) = nesting.peek()?.filter(|token| token.kind == Kind::String) {
            at = Some(name);
            nesting.step()?;
        }
        at = nesting.peek()?.filter(|token| token.kind != Kind::Close).or(at);
    }
    if let Some(token) = at.filter(|token| token.kind == Kind::Keyword) {
        known(token)?;
    }
    let expected = ["unknown operator or unexpected token", "extra tokens remaining after parse", "unexpected token"];
    let expected = expected.iter().find_map(|words| message.strip_prefix(words)).unwrap_or(message);
    let expected = expected.trim_start_matches([',', ':', ' ']);
    let found = match at {
        Some(token) => format!("found `{}`", String::from_utf8_lossy(token.text)),
        None => "found the end of the text".into(),
    };
    let comma = if expected.is_empty() { "" } else { ", " };
    let place = at.map_or(usize::MAX, |token| token.offset);
    Ok((format!("unexpected token: {expected}{comma}{found}"), place))
}

/// What is wrong with an annotation that the parser reads, or with its place.
fn of_annotation(annotation: Token<'_>, offset: usize, message: &str) -> Refused {
    let text = String::from_utf8_lossy(annotation.text);
    let name = text.trim_start_matches("(@").split(|c: char| c.is_whitespace() || c == ')').next().unwrap_or_default();
    let words = if message.starts_with('@') {
        return (message.to_owned(), offset);
    } else if offset <= annotation.offset + 1 {
        return (format!("misplaced @{name} annotation"), offset);
    } else if message == "malformed UTF-8 encoding" {
        message
    } else if message.contains("section name") {
        "malformed section kind"
    } else if message.contains("`before`") {
        "malformed placement"
    } else if name == "custom" && !annotation.text[..offset - annotation.offset].contains(&b'"') {
        "missing section name"
    } else {
        "unexpected token"
    };
    (format!("@{name} annotation: {words}"), offset)
}
