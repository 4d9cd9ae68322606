//! Counts the directives of a script by its parentheses alone.
//!
//! The runner's own count comes from a parser of the whole language. This one shares nothing with it: it knows strings, comments and
//! parentheses, so that a directive that the parser lost, or the loop passed over, shows as a difference.

/// The first words of the forms that are directives. A file that starts with anything else is one module without its `(module ...)`.
const DIRECTIVES: [&str; 6] = ["module", "assert_", "register", "invoke", "thread", "wait"];

/// The number of directives in `text`.
pub fn directives(text: &str) -> usize {
    let forms = top_level(text.as_bytes());
    match forms.first() {
        Some(word) if !DIRECTIVES.iter().any(|directive| word.starts_with(directive)) => 1,
        _ => forms.len(),
    }
}

/// The first word of each parenthesised form at the top level.
fn top_level(text: &[u8]) -> Vec<String> {
    let (mut forms, mut depth, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        match text[at..] {
            [b'"', ..] => at = after_string(text, at),
            [b';', b';', ..] => at = after_line(text, at),
            [b'(', b';', ..] => at = after_block_comment(text, at),
            [b'(', ..] => {
                // An annotation stands where space may stand: it is no directive.
                if depth == 0 && text.get(at + 1) != Some(&b'@') {
                    forms.push(first_word(text, at + 1));
                }
                depth += 1;
                at += 1;
            }
            [b')', ..] => {
                depth -= 1;
                at += 1;
            }
            _ => at += 1,
        }
    }
    assert_eq!(depth, 0, "the parentheses of the script do not match");
    forms
}

fn after_string(text: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn after_line(text: &[u8], start: usize) -> usize {
    // Carriage returns end a line comment, too.
    text[start..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(text.len(), |length| start + length)
}

fn after_block_comment(text: &[u8], start: usize) -> usize {
    let (mut depth, mut at) = (0, start);
    loop {
        match text[at..] {
            [b'(', b';', ..] => (depth, at) = (depth + 1, at + 2),
            [b';', b')', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
}

/// The word after a parenthesis; space and comments may stand between.
fn first_word(text: &[u8], start: usize) -> String {
    let mut at = start;
    loop {
        match text[at..] {
            [b' ' | b'\t' | b'\n' | b'\r', ..] => at += 1,
            [b';', b';', ..] => at = after_line(text, at),
            [b'(', b';', ..] => at = after_block_comment(text, at),
            _ => break,
        }
    }
    let word = text[at..].iter().take_while(|byte| byte.is_ascii_lowercase() || **byte == b'_');
    word.map(|&byte| char::from(byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::directives;

    #[test]
    fn what_looks_like_a_parenthesis_and_is_none() {
        assert_eq!(directives(r#"(module (func)) (assert_return (invoke "a)(\")"))"#), 2);
        assert_eq!(directives("(module) ;; (module)\n(module)"), 2);
        assert_eq!(directives("(module) ;; (module)\r(module)"), 2);
        assert_eq!(directives("(module) (; (; (module) ;) (module) ;) (module)"), 2);
        assert_eq!(directives("(module) (@a (b)) (module)"), 2);
        assert_eq!(directives("( ;; func\n(; ;) module) (module)"), 2);
    }

    #[test]
    fn a_bare_module_is_one_directive() {
        assert_eq!(directives(r#"(func) (memory 0) (func (export "f"))"#), 1);
        assert_eq!(directives(""), 0);
    }

    #[test]
    #[should_panic(expected = "parentheses")]
    fn an_unclosed_form_is_noticed() {
        directives("(module (func)");
    }
}
