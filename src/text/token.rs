//! The tokens of the text format (section 6.3).
//!
//! What the specification's lexer refuses is refused here in its words. The longest match decides: `0x` is no number followed by a
//! keyword but one reserved token, which no rule of the grammar has.

/// Why the text cannot be read on: the specification's words, and the byte.
pub(super) type Refused = (String, usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Close,
    /// A number without a sign, `N` or `0xN`.
    Natural,
    /// The same with a sign.
    Integer,
    Float,
    String,
    Id,
    Keyword,
    /// `offset=N` or `align=N`.
    MemoryArgument,
    /// `(@id ...)` with all that is in it.
    Annotation,
}

/// A token and where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a [u8],
    pub(super) offset: usize,
}

impl Token<'_> {
    pub(super) fn is(&self, kind: Kind, text: &str) -> bool {
        self.kind == kind && self.text == text.as_bytes()
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Natural | Kind::Integer | Kind::Float)
    }

    pub(super) fn end(&self) -> usize {
        self.offset + self.text.len()
    }
}

/// Reads tokens. Comments and space are passed over.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

fn refuse<T>(words: impl Into<String>, offset: usize) -> Result<T, Refused> {
    Err((words.into(), offset))
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Lexer<'a> {
        Lexer { bytes, at: 0 }
    }

    /// The next token; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Token<'a>>, Refused> {
        self.space()?;
        let offset = self.at;
        let kind = match self.rest() {
            [] => return Ok(None),
            [b'(', b'@', ..] => self.annotation()?,
            [b'(', ..] => self.byte(Kind::Open),
            [b')', ..] => self.byte(Kind::Close),
            [b',' | b';' | b'[' | b']' | b'{' | b'}', ..] => {
                self.at += 1;
                return refuse(unknown(&self.bytes[offset..self.at]), offset);
            }
            [byte, ..] if *byte == b'"' || is_idchar(*byte) => {
                let word = self.word()?;
                match classify(word) {
                    Ok(kind) => kind,
                    Err(words) => return refuse(words, offset),
                }
            }
            [0..0x20, ..] => return refuse("misplaced control character", offset),
            rest if rest[0] >= 0x80 && character(rest).is_some() => {
                return refuse("misplaced unicode character", offset);
            }
            _ => return refuse("malformed UTF-8 encoding", offset),
        };
        Ok(Some(Token { kind, text: &self.bytes[offset..self.at], offset }))
    }

    fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn byte(&mut self, kind: Kind) -> Kind {
        self.at += 1;
        kind
    }

    /// Passes over space and comments.
    fn space(&mut self) -> Result<(), Refused> {
        loop {
            match self.rest() {
                [b' ' | b'\t' | b'\n' | b'\r', ..] => self.at += 1,
                [b';', b';', ..] => {
                    while let Some(length) = character(self.rest()) {
                        if matches!(self.rest()[0], b'\n' | b'\r') {
                            break;
                        }
                        self.at += length;
                    }
                }
                [b'(', b';', ..] => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), Refused> {
        let (start, mut depth) = (self.at, 0);
        loop {
            match self.rest() {
                [] => return refuse("unclosed comment", start),
                [b'(', b';', ..] => (depth, self.at) = (depth + 1, self.at + 2),
                [b';', b')', ..] => (depth, self.at) = (depth - 1, self.at + 2),
                rest => match character(rest) {
                    Some(length) => self.at += length,
                    None => return refuse("malformed UTF-8 encoding", self.at),
                },
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// An annotation: its name, and what may be any tokens as long as parentheses match.
    fn annotation(&mut self) -> Result<Kind, Refused> {
        let start = self.at;
        self.at += 2;
        match self.rest() {
            [b'"', ..] => match self.string(self.at) {
                Ok((end, _)) if end == self.at + 2 => return refuse("empty annotation id", start),
                Ok((_, false)) => return refuse("malformed UTF-8 encoding", start),
                Ok((end, true)) => self.at = end,
                // A string that does not end is none.
                Err(_) => return refuse("empty annotation id", start),
            },
            [byte, ..] if is_idchar(*byte) => {
                self.at += self.rest().iter().take_while(|&&byte| is_idchar(byte)).count()
            }
            _ => return refuse("empty annotation id", start),
        }
        let mut depth = 1;
        while depth > 0 {
            self.space()?;
            match self.rest() {
                [] => return refuse("unclosed annotation", start),
                [b'(', ..] => (depth, self.at) = (depth + 1, self.at + 1),
                [b')', ..] => (depth, self.at) = (depth - 1, self.at + 1),
                [b',' | b';' | b'[' | b']' | b'{' | b'}', ..] => self.at += 1,
                [byte, ..] if *byte == b'"' || is_idchar(*byte) => {
                    let at = self.at;
                    if matches!(self.word()?, b"$" | b"$\"\"") {
                        return refuse("empty identifier", at);
                    }
                }
                rest if character(rest).is_some() => return refuse("illegal character", self.at),
                _ => return refuse("malformed UTF-8 encoding", self.at),
            }
        }
        Ok(Kind::Annotation)
    }

    /// As many characters of identifiers and strings as follow each other.
    fn word(&mut self) -> Result<&'a [u8], Refused> {
        let start = self.at;
        while let Some(&byte) = self.bytes.get(self.at) {
            if is_idchar(byte) {
                self.at += 1;
            } else if byte == b'"' {
                match self.string(self.at) {
                    Ok((end, _)) => self.at = end,
                    // What is before it is a token of its own.
                    Err(_) if self.at > start => break,
                    Err(refused) => return Err(refused),
                }
            } else {
                break;
            }
        }
        Ok(&self.bytes[start..self.at])
    }

    /// The end of the string that begins at `start`, and whether what it stands for is UTF-8.
    fn string(&self, start: usize) -> Result<(usize, bool), Refused> {
        let (mut at, mut value) = (start + 1, Vec::new());
        loop {
            match self.bytes[at..] {
                [b'"', ..] => return Ok((at + 1, str::from_utf8(&value).is_ok())),
                [] | [b'\n' | b'\r', ..] => return refuse("unclosed string literal", start),
                [0..0x20, ..] => return refuse("illegal control character in string literal", at),
                [b'\\', b'n' | b'r' | b't' | b'\\' | b'\'' | b'"', ..] => {
                    value.push(b' ');
                    at += 2;
                }
                [b'\\', b'u', b'{', ref rest @ ..] => {
                    let length = number(rest, |byte| byte.is_ascii_hexdigit());
                    let Some(digits) = length.filter(|&length| rest.get(length) == Some(&b'}')) else {
                        return refuse("illegal escape", at);
                    };
                    let digits = rest[..digits].iter().filter(|&&byte| byte != b'_');
                    let code = digits.fold(0, |code: u32, &byte| {
                        code.saturating_mul(16).saturating_add(char::from(byte).to_digit(16).unwrap_or(0))
                    });
                    if char::from_u32(code).is_none() {
                        return refuse("malformed UTF-8 encoding", at);
                    }
                    at += 4 + length.unwrap_or(0);
                }
                [b'\\', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
                    value.push(digit(high) << 4 | digit(low));
                    at += 3;
                }
                [b'\\', ..] => return refuse("illegal escape", at),
                [0x7f, ..] => return refuse("malformed UTF-8 encoding", at),
                ref rest => match character(rest) {
                    Some(length) => {
                        value.extend_from_slice(&rest[..length]);
                        at += length;
                    }
                    None => return refuse("malformed UTF-8 encoding", at),
                },
            }
        }
    }
}

/// The length of the character that begins here, if one does.
fn character(bytes: &[u8]) -> Option<usize> {
    let length = match bytes.first()? {
        0..0x80 => 1,
        0..0xe0 => 2,
        0..0xf0 => 3,
        _ => 4,
    };
    str::from_utf8(bytes.get(..length)?).is_ok().then_some(length)
}

pub(super) fn is_idchar(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'(' | b')' | b',' | b';' | b'[' | b']' | b'{' | b'}')
}

/// What is said of a token that nothing in the grammar has.
pub(super) fn unknown(token: &[u8]) -> String {
    format!("unknown operator {}", String::from_utf8_lossy(token))
}

/// The length of the digits that begin here; an underscore may stand between two.
fn number(bytes: &[u8], is_digit: fn(&u8) -> bool) -> Option<usize> {
    let mut length = 0;
    while let Some(byte) = bytes.get(length) {
        let between = *byte == b'_' && length > 0 && bytes.get(length + 1).is_some_and(is_digit);
        if !is_digit(byte) && !between {
            break;
        }
        length += 1;
    }
    (length > 0).then_some(length)
}

/// Whether all of `word` is a natural number, or else a float, without a sign.
fn unsigned(word: &[u8]) -> Option<Kind> {
    if matches!(word, b"inf" | b"nan") {
        return Some(Kind::Float);
    }
    if let Some(payload) = word.strip_prefix(b"nan:0x") {
        return (number(payload, u8::is_ascii_hexdigit) == Some(payload.len())).then_some(Kind::Float);
    }
    let hexadecimal = word.strip_prefix(b"0x");
    let is_digit = if hexadecimal.is_some() { u8::is_ascii_hexdigit } else { u8::is_ascii_digit };
    let mut rest = hexadecimal.unwrap_or(word);
    rest = &rest[number(rest, is_digit)?..];
    if rest.is_empty() {
        return Some(Kind::Natural);
    }
    if let [b'.', fraction @ ..] = rest {
        rest = &fraction[number(fraction, is_digit).unwrap_or(0)..];
    }
    if let [letter, power @ ..] = rest
        && letter.to_ascii_lowercase() == if hexadecimal.is_some() { b'p' } else { b'e' }
    {
        rest = power.strip_prefix(b"+").or(power.strip_prefix(b"-")).unwrap_or(power);
        rest = &rest[number(rest, u8::is_ascii_digit)?..];
    }
    rest.is_empty().then_some(Kind::Float)
}

/// What a word is, or why it is nothing.
fn classify(word: &[u8]) -> Result<Kind, String> {
    match word {
        [b'"', inner @ .., b'"'] if ends_first(inner) => return Ok(Kind::String),
        b"$" | b"$\"\"" => return Err("empty identifier".into()),
        [b'$', b'"', inner @ .., b'"'] if ends_first(inner) => return Ok(Kind::Id),
        [b'$', name @ ..] if name.iter().all(|&byte| is_idchar(byte)) => return Ok(Kind::Id),
        [b'+' | b'-', digits @ ..] => match unsigned(digits) {
            Some(Kind::Natural) => return Ok(Kind::Integer),
            Some(kind) => return Ok(kind),
            None => {}
        },
        _ => {}
    }
    if let Some(kind) = unsigned(word) {
        return Ok(kind);
    }
    let argument = word.strip_prefix(b"offset=").or(word.strip_prefix(b"align="));
    if argument.and_then(unsigned) == Some(Kind::Natural) {
        return Ok(Kind::MemoryArgument);
    }
    let in_keyword = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':');
    if word.len() > 1 && word[0].is_ascii_lowercase() && word.iter().all(in_keyword) {
        return Ok(Kind::Keyword);
    }
    Err(unknown(word))
}

/// Whether a string whose quotes were taken away has no other quote that ends it.
fn ends_first(inner: &[u8]) -> bool {
    let mut escaped = false;
    inner.iter().all(|&byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        !ends
    }) && !escaped
}
