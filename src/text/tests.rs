//! What is said of texts that are malformed, and where. The words are those of the specification's interpreter for the same texts.

use super::translate;

/// A text, what its refusal begins with, and the byte it names.
const REFUSED: &[(&str, &str, usize)] = &[
    // Tokens that nothing has.
    ("(func (foo))", "unknown operator foo", 7),
    ("(func (i32.foo (i32.const 0)))", "unknown operator i32.foo", 7),
    (r#"(module (import "a" "b" (func (foo))))"#, "unknown operator foo", 31),
    (r#"(func (export "f" foo))"#, "unknown operator foo", 18),
    (r#"(func foo"a")"#, r#"unknown operator foo"a""#, 6),
    (r#"(memory "a"b)"#, r#"unknown operator "a"b"#, 8),
    ("(func i32.const 0x drop)", "unknown operator 0x", 16),
    ("(func i32.const 1__0 drop)", "unknown operator 1__0", 16),
    ("(func i32.const _1 drop)", "unknown operator _1", 16),
    ("(func f32.const 1e drop)", "unknown operator 1e", 16),
    ("(func f32.const nan:0x drop)", "unknown operator nan:0x", 16),
    ("(func f32.const nan:1 drop)", "unknown operator nan:1", 16),
    ("(func f32.const 0x1.8p0x1 drop)", "unknown operator 0x1.8p0x1", 16),
    ("(func (i32.load align=-1 (i32.const 0)))", "unknown operator align=-1", 16),
    ("(func (i32.load offset= (i32.const 0)))", "unknown operator offset=", 16),
    ("(memory 1);", "unknown operator ;", 10),
    ("(memory [1])", "unknown operator [", 8),
    ("(func x)", "unknown operator x", 6),
    // Characters, strings, comments, annotations.
    ("(memory \u{e9} 1)", "misplaced unicode character", 8),
    ("(memory \u{1} 1)", "misplaced control character", 8),
    ("(memory \u{7f} 1)", "malformed UTF-8 encoding", 8),
    ("(func \"abc", "unclosed string literal", 6),
    ("(data \"a\nb\")", "unclosed string literal", 6),
    ("(data \"a\u{1}b\")", "illegal control character in string literal", 8),
    (r#"(data "a\zb")"#, "illegal escape", 8),
    (r#"(data "\u{110000}")"#, "malformed UTF-8 encoding", 7),
    (r#"(func (export "\80"))"#, "malformed UTF-8 encoding", 14),
    ("(func local.get $)", "empty identifier", 16),
    (r#"(func local.get $"")"#, "empty identifier", 16),
    (r#"(func local.get $"\ff")"#, "malformed UTF-8 encoding", 16),
    ("(func (; (; ;)", "unclosed comment", 6),
    ("(@)", "empty annotation id", 0),
    (r#"(@"" x)"#, "empty annotation id", 0),
    (r#"(@" x)"#, "empty annotation id", 0),
    ("(@a (x)", "unclosed annotation", 0),
    ("(@a \u{e9})", "illegal character", 4),
    ("(@a $ )", "empty identifier", 4),
    // Tokens in the wrong place.
    ("(module", "unexpected token", 7),
    ("(module))", "unexpected token", 8),
    ("(module) (module)", "unexpected token", 9),
    ("(func (param i32) local.get 0 local.get))", "unexpected token", 39),
    ("(func i32.const (foo))", "unexpected token", 16),
    ("((memory 1))", "unexpected token", 1),
    ("(func call +1)", "unexpected token", 11),
    ("(func call 1.5)", "unexpected token", 11),
    ("(memory -1)", "unexpected token", 8),
    ("(func (i8x16.extract_lane_s -1 (local.get 0)))", "unexpected token", 28),
    ("(func 1)", "unexpected token", 6),
    ("(func (result i32) (param i32))", "unexpected token", 20),
    (r#"(import "a" (memory 1))"#, "unexpected token", 12),
    ("(func (i32.add (i32.const 1) i32.const 2))", "unexpected token", 29),
    ("(func (v128.const 1 1 1 1))", "unexpected token", 18),
    // Blocks without parentheses.
    ("(func block)", "unexpected token", 11),
    ("(func end)", "unexpected token", 6),
    ("(func block end end)", "unexpected token", 16),
    ("(func i32.const 0 if else else end)", "unexpected token", 26),
    ("(func block else end)", "unexpected token", 12),
    ("(func (block end))", "unexpected token", 13),
    ("(func try_table (catch_all 0))", "unexpected token", 29),
    ("(func (catch_all 0))", "unexpected token", 7),
    ("(func catch_all)", "unexpected token", 6),
    // Numbers.
    ("(func (i32.const 0x100000000))", "constant out of range", 17),
    ("(func (i32.const 1.5))", "constant out of range", 17),
    ("(func (f32.const 1e99))", "constant out of range", 17),
    ("(func (f32.const nan:0x0))", "constant out of range", 17),
    ("(func (v128.const i32x4 1.0 1 1 1))", "constant out of range", 24),
    ("(func (v128.const i8x16 256 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1))", "constant out of range", 24),
    ("(func (v128.const i32x4 1 1 1))", "wrong number of lane literals", 7),
    ("(func (v128.const i32x4 1 1 1 1 1))", "wrong number of lane literals", 7),
    ("(func (i8x16.shuffle 1 2))", "invalid lane length", 7),
    ("(func (i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15.0))", "i8 constant out of range", 56),
    ("(func (i8x16.extract_lane_s 256 (local.get 0)))", "i8 constant out of range", 28),
    ("(func call 99999999999)", "i32 constant out of range", 11),
    ("(memory 1 99999999999999999999999)", "i64 constant out of range", 10),
    ("(func (i32.load offset=99999999999999999999 (i32.const 0)))", "i64 constant out of range", 16),
    ("(func (i32.load align=3 (i32.const 0)))", "alignment must be a power of two", 16),
    // The form comes before the meaning.
    ("(func (i32.const 0x100000000)) (foo)", "unknown operator foo", 32),
    ("(func (v128.const i32x4 1 1 1) (i32.const 1 1))", "unexpected token", 44),
    ("(func call 99999999999 call 99999999999 end)", "unexpected token", 40),
    ("(func call $f end)", "unexpected token", 14),
    // Names.
    ("(func br $x)", "unknown label $x", 9),
    ("(func (call $f))", "unknown function $f", 12),
    ("(func (data.drop $d))", "unknown data segment $d", 17),
    ("(func (param $x i32) (param $x i32))", "duplicate local $x", 28),
    ("(func $f) (func $f)", "duplicate function $f", 16),
    ("(type (struct (field $a i32) (field $a i32)))", "duplicate field $a", 36),
    ("(func block $a end $b)", "mismatching label", 19),
    ("(start 0) (start 0)", "multiple start sections", 11),
    (r#"(func) (import "a" "b" (func))"#, "import after function definition", 8),
    ("(type $t (func (param i32))) (func (type $t) (param i64))", "inline function type does not match", 41),
    // Annotations that mean something.
    ("(@custom)", "@custom annotation: missing section name", 8),
    (r#"(@custom "a" (after types))"#, "@custom annotation: malformed section kind", 20),
    (r#"(@custom "a" (at type))"#, "@custom annotation: malformed placement", 14),
    (r#"(func (@custom "a"))"#, "misplaced @custom annotation", 7),
];

#[test]
fn refusals_are_in_the_words_of_the_specification() {
    let mut wrong = Vec::new();
    for (text, words, offset) in REFUSED {
        match translate(text.as_bytes()) {
            Err(error) if error.message.starts_with(words) && error.offset == *offset => {}
            other => wrong.push(format!("{text}\n   wanted {words:?} at {offset}, got {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn bytes_that_are_not_utf8_are_refused_where_they_stand() {
    for (text, offset) in
        [(b"(module \xff)".as_slice(), 8), (b"(data \"\xc0\")", 7), (b"(; \xff ;)", 3), (b";; \xff", 3)]
    {
        let error = translate(text).unwrap_err();
        assert_eq!((error.message.as_str(), error.offset), ("malformed UTF-8 encoding", offset), "{text:?}");
    }
    let error = translate(b"(func foo\"a\") \xff").unwrap_err();
    assert!(error.message.starts_with("unknown operator foo"), "{error}");
}

#[test]
fn the_message_says_what_was_expected_what_came_and_where() {
    let error = translate("(module\n  (func (export \"\u{e9}\")\n    (drop (i32.const)))".as_bytes()).unwrap_err();
    let message = "malformed text: unexpected token: expected a i32, found `)` (at offset 0x32, line 3, column 21)";
    assert_eq!(error.to_string(), message);
    assert_eq!((error.offset, error.line, error.column), (0x32, 3, 21));
    let error = translate(b"(module").unwrap_err();
    let message =
        "malformed text: unexpected token: expected `)`, found the end of the text (at offset 0x7, line 1, column 8)";
    assert_eq!(error.to_string(), message);
}

#[test]
fn texts_that_look_odd_are_modules() {
    let texts = [
        "",
        " ;; nothing\n (; at all ;)",
        "(module $\"a b\")",
        "(func (if (i32.const 0) (then block end) (else loop end)))",
        "(func i32.const 0 if else end block block end end)",
        "(func (block i32.const 1 drop (loop br 0)))",
        "(func i32.const +1 drop i32.const -0x1 drop f32.const -nan:0x1 drop f64.const 0x1.p+1 drop)",
        "(func (drop (v128.const f32x4 1 -1 0x1p1 inf)))",
        "(@a ) (memory (@b \"\\zz\" , ; [ ] { } (x)) 1)",
        "(func (i32.load offset=0x1_0 align=4 (i32.const 0)) drop)",
        ";; \u{202e} right to left\n(memory 1)",
    ];
    for text in texts {
        let translated = translate(text.as_bytes());
        if text.contains("\\zz") {
            assert!(translated.unwrap_err().message.starts_with("illegal escape"));
        } else {
            assert!(translated.is_ok_and(|binary| binary.starts_with(b"\0asm")), "{text}");
        }
    }
    let legacy = "(tag $e) (func try nop catch $e nop catch_all nop end try nop delegate 0)";
    assert!(translate(legacy.as_bytes()).is_ok());
}
