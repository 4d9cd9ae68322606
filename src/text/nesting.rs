//! What the tokens before a place say about it.
//!
//! The parser takes instructions one by one, and so takes `block` without `end`; the grammar has no such thing. It also takes a number with
//! a sign for an index. Both are found here, from the tokens alone.

use super::token::{Kind, Lexer, Refused, Token};

/// What is open: a parenthesis, or a block that is written without.
#[derive(Clone, Copy)]
struct Open<'a> {
    parenthesis: bool,
    /// The keyword that it begins with, or `else` of an `if` without parentheses.
    head: &'a [u8],
}

/// A list of numbers of which there must be so many.
#[derive(Clone, Copy)]
pub(super) struct Lanes {
    /// Where its instruction begins.
    pub(super) offset: usize,
    /// For `i8x16.shuffle`, whose numbers are lanes; the others are those of `v128.const`.
    pub(super) shuffle: bool,
    pub(super) wanted: usize,
    pub(super) given: usize,
}

/// Goes over the tokens of a text.
pub(super) struct Nesting<'a> {
    lexer: Lexer<'a>,
    open: Vec<Open<'a>>,
    /// The last token.
    pub(super) last: Option<Token<'a>>,
    /// The one before.
    before: Option<Token<'a>>,
    /// The list that the next number belongs to.
    pub(super) lanes: Option<Lanes>,
    /// How deep the fields of the module lie.
    fields: usize,
    /// Where a second start function is named.
    pub(super) second_start: Option<usize>,
    starts: usize,
}

impl<'a> Nesting<'a> {
    pub(super) fn new(text: &'a [u8]) -> Nesting<'a> {
        let mut nesting = Nesting {
            lexer: Lexer::new(text),
            open: Vec::new(),
            last: None,
            before: None,
            lanes: None,
            fields: 1,
            second_start: None,
            starts: 0,
        };
        let mut lexer = Lexer::new(text);
        if let Ok(Some(Token { kind: Kind::Open, .. })) = skip_annotations(&mut lexer)
            && lexer.next().is_ok_and(|token| token.is_some_and(|token| token.is(Kind::Keyword, "module")))
        {
            nesting.fields = 2;
        }
        nesting
    }

    /// The token that is next, which is not passed over.
    pub(super) fn peek(&self) -> Result<Option<Token<'a>>, Refused> {
        skip_annotations(&mut self.lexer.clone())
    }

    /// The annotation around the byte at `offset`, of those that come next.
    pub(super) fn annotation(&self, offset: usize) -> Option<Token<'a>> {
        let mut lexer = self.lexer.clone();
        while let Ok(Some(token @ Token { kind: Kind::Annotation, .. })) = lexer.next() {
            if (token.offset..token.end()).contains(&offset) {
                return Some(token);
            }
        }
        None
    }

    /// Passes over the next token, if there is one and it can stand here.
    pub(super) fn step(&mut self) -> Result<Option<Token<'a>>, Refused> {
        let Some(token) = skip_annotations(&mut self.lexer)? else { return Ok(None) };
        let misplaced = || Err(("unexpected token".to_owned(), token.offset));
        match token.kind {
            kind if kind != Kind::String && self.lacks_name() => return misplaced(),
            Kind::Open if self.is_head() => return misplaced(),
            Kind::Open => self.open.push(Open { parenthesis: true, head: b"" }),
            Kind::Close if !self.open.pop().is_some_and(|open| open.parenthesis) => return misplaced(),
            Kind::Keyword if !(if self.is_head() { self.head(token) } else { self.flat(token.text) }) => {
                return misplaced();
            }
            Kind::Integer | Kind::Float if !self.takes_any_number() => return misplaced(),
            _ => {}
        }
        self.lanes = self.lanes_after(token);
        self.before = self.last.replace(token);
        Ok(Some(token))
    }

    /// Whether a number with a sign or a fraction can be next.
    pub(super) fn takes_any_number(&self) -> bool {
        let is_const = |last: Token<'_>| last.kind == Kind::Keyword && last.text.ends_with(b".const");
        self.lanes.is_some() || self.last.is_some_and(|last| is_const(last) && last.text != b"v128.const")
    }

    /// Begins a parenthesis with a keyword; false if that cannot stand there.
    fn head(&mut self, keyword: Token<'a>) -> bool {
        let depth = self.open.len();
        let Some([outer @ .., inner]) = self.open.get_mut(..) else { return true };
        inner.head = keyword.text;
        if keyword.text.starts_with(b"catch") {
            return outer.last().is_some_and(|outer| outer.head == b"try_table");
        }
        if keyword.text == b"start" && depth == self.fields {
            self.starts += 1;
            if self.starts == 2 {
                self.second_start = Some(keyword.offset);
            }
        }
        true
    }

    /// Passes over a keyword that is not behind a parenthesis; false if it cannot stand there.
    fn flat(&mut self, keyword: &'a [u8]) -> bool {
        const BLOCKS: [&[u8]; 5] = [b"block", b"if", b"loop", b"try", b"try_table"];
        let innermost = self.open.last_mut();
        match (keyword, innermost) {
            (b"else", Some(Open { parenthesis: false, head })) if *head == b"if" => *head = keyword,
            (b"catch" | b"catch_all", Some(Open { parenthesis: false, head: b"try" })) => {}
            (b"end", Some(Open { parenthesis: false, .. }))
            | (b"delegate", Some(Open { parenthesis: false, head: b"try" })) => {
                self.open.pop();
            }
            (b"else" | b"end" | b"catch" | b"catch_all" | b"delegate", _) => return false,
            // The operands of an instruction in parentheses are in parentheses.
            (_, Some(Open { parenthesis: true, head }))
                if is_instruction(keyword) && is_instruction(head) && !BLOCKS.contains(head) =>
            {
                return false;
            }
            _ if BLOCKS.contains(&keyword) => self.open.push(Open { parenthesis: false, head: keyword }),
            _ => {}
        }
        true
    }

    /// Whether the next token is the first behind a parenthesis.
    fn is_head(&self) -> bool {
        self.last.is_some_and(|last| last.kind == Kind::Open)
    }

    /// Whether an import has the name of its module and not its own.
    fn lacks_name(&self) -> bool {
        let last_is_string = self.last.is_some_and(|last| last.kind == Kind::String);
        last_is_string && self.before.is_some_and(|before| before.is(Kind::Keyword, "import"))
    }

    fn lanes_after(&self, token: Token<'a>) -> Option<Lanes> {
        if token.is_number() {
            return self.lanes.map(|lanes| Lanes { given: lanes.given + 1, ..lanes });
        }
        let shuffle = token.is(Kind::Keyword, "i8x16.shuffle");
        let (offset, wanted) = match (self.last, token.text) {
            _ if shuffle => (token.offset, 16),
            (Some(last), shape) if last.is(Kind::Keyword, "v128.const") => {
                let wanted = match shape {
                    b"i8x16" => 16,
                    b"i16x8" => 8,
                    b"i32x4" | b"f32x4" => 4,
                    b"i64x2" | b"f64x2" => 2,
                    _ => return None,
                };
                (last.offset, wanted)
            }
            _ => return None,
        };
        Some(Lanes { offset, shuffle, wanted, given: 0 })
    }
}

/// Whether a keyword that the parser has taken is an instruction.
fn is_instruction(keyword: &[u8]) -> bool {
    const WITHOUT_DOT: [&[u8]; 15] = [
        b"block",
        b"br",
        b"call",
        b"drop",
        b"if",
        b"loop",
        b"nop",
        b"rethrow",
        b"return",
        b"select",
        b"throw",
        b"throw_ref",
        b"try",
        b"try_table",
        b"unreachable",
    ];
    let beginnings: [&[u8]; 3] = [b"br_", b"call_", b"return_call"];
    keyword.contains(&b'.')
        || WITHOUT_DOT.contains(&keyword)
        || beginnings.iter().any(|beginning| keyword.starts_with(beginning))
}

fn skip_annotations<'a>(lexer: &mut Lexer<'a>) -> Result<Option<Token<'a>>, Refused> {
    loop {
        match lexer.next()? {
            Some(Token { kind: Kind::Annotation, .. }) => {}
            token => return Ok(token),
        }
    }
}
