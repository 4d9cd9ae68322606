//! The text format (section 6): text -> bytes.
//!
//! ```text
//!  text --wast--> binary
//!     \             | refused: a message in that crate's own words, and where
//!      \            v
//!       +-------> refusal.rs: looks at the text itself, and says it in the specification's words
//!                   token.rs    what the tokens are (section 6.3), and what cannot be one
//!                   keyword.rs  which keywords there are
//!                   nesting.rs  what the tokens before the place say: open blocks, lists of lanes
//! ```

mod keyword;
mod nesting;
mod refusal;
#[cfg(test)]
mod tests;
mod token;

use std::fmt;

use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    /// The reason: the specification's words first, and then what was expected and what came.
    pub message: String,
    /// The byte at which it was found.
    pub offset: usize,
    /// The line of that byte, counted from one.
    pub line: u32,
    /// Its column in bytes, counted from one.
    pub column: u32,
}

impl TextError {
    fn new(text: &[u8], offset: usize, message: String) -> TextError {
        let offset = offset.min(text.len());
        let before = &text[..offset];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|&&byte| byte != b'\n').count();
        TextError { message, offset, line: line as u32, column: column as u32 }
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TextError { message, offset, line, column } = self;
        write!(f, "malformed text: {message} (at offset {offset:#x}, line {line}, column {column})")
    }
}

impl std::error::Error for TextError {}

/// A module in the text format as one in the binary format. Nothing is validated.
pub fn translate(text: &[u8]) -> Result<Vec<u8>, TextError> {
    let Ok(source) = str::from_utf8(text) else { return Err(refusal::not_utf8(text)) };
    // The parentheses around a module may be left out, so that no text at all is the empty module.
    let source = if token::Lexer::new(text).next().is_ok_and(|token| token.is_none()) { "(module)" } else { source };
    match parse(source) {
        Ok(Ok(binary)) => refusal::overlooked(text).map(|()| binary),
        Ok(Err(error)) => Err(refusal::of_names(text, &error)),
        Err(error) => Err(refusal::of_syntax(text, &error)),
    }
}

/// Parses, and then resolves names and encodes; each can fail.
fn parse(source: &str) -> Result<Result<Vec<u8>, wast::Error>, wast::Error> {
    let mut lexer = Lexer::new(source);
    // The specification has nothing against characters that change the direction of writing.
    lexer.allow_confusing_unicode(true);
    let buffer = ParseBuffer::new_with_lexer(lexer)?;
    let mut module = parser::parse::<wast::Wat<'_>>(&buffer)?;
    Ok(module.encode())
}
