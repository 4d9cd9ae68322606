//! Functions of absurd size: compiled in sane time, by the ways that are kept for them, and right.

use super::harness::*;
use std::fmt::Write;

/// Repeats a piece of text with its number.
fn repeat(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).fold(String::new(), |mut all, i| {
        write!(all, "{} ", piece(i)).unwrap();
        all
    })
}

/// Many locals in many blocks: what values take is the product.
#[test]
fn many_locals_in_many_blocks() {
    let count = 5000;
    let ifs = repeat(count, |i| {
        format!(
            "(if (i32.and (local.get 0) (i32.const {})) (then (local.set {} (i32.add (local.get {i}) (i32.const 1)))))",
            1 << (i % 2),
            i + 1
        )
    });
    let wat = format!(
        r#"(module (func (export "f") (param i32) (result i32) (local {})
            (loop $again {ifs} (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 2)))))
            (local.get {count})))"#,
        "i32 ".repeat(count)
    );
    let mut fake = Fake::new(&wat, &SIGNALS);
    assert!(fake.codes[0].vmctx_below_fp.is_none());
    let mut locals = vec![0; count + 1];
    locals[0] = 6;
    while locals[0] != 0 {
        for i in 0..count {
            if locals[0] & 1 << (i % 2) != 0 {
                locals[i + 1] = locals[i] + 1;
            }
        }
        locals[0] -= 2;
    }
    assert_eq!(fake.call("f", &[i32v(6)]), Ok(vec![i32v(locals[count])]));
}

/// As many locals as there can be, and as many values at the same time.
#[test]
fn many_values_at_the_same_time() {
    let count = 49_999;
    let sets = repeat(count, |i| format!("(local.set {} (i32.add (local.get {i}) (i32.const 1)))", i + 1));
    let gets = repeat(count, |i| format!("(local.get {})", i + 1));
    let wat = format!(
        r#"(module (func (export "f") (param i32) (result i32) (local {}) {sets} {gets} {}))"#,
        "i32 ".repeat(count),
        "i32.xor ".repeat(count - 1)
    );
    let mut fake = Fake::new(&wat, &SIGNALS);
    let expected = (1..=count as i32).fold(0, |all, i| all ^ (i + 7));
    assert_eq!(fake.call("f", &[i32v(7)]), Ok(vec![i32v(expected)]));
}

/// A frame that would go too far beyond the limit before it is checked.
#[test]
fn large_frames_are_refused_without_signals() {
    let module = module(&format!(
        r#"(module (memory 1) (func (param i32) (result i32) {} {}))"#,
        repeat(5000, |i| format!("(i32.load offset={i} (local.get 0))")),
        "i32.add ".repeat(4999)
    ));
    let mut compiler = crate::compile::Compiler::new(&NO_SIGNALS.tunables).unwrap();
    let error = compiler.function(&module, 0).unwrap_err();
    assert!(error.to_string().contains("more than 32768 without signals"), "{error}");
    let mut compiler = crate::compile::Compiler::new(&SIGNALS.tunables).unwrap();
    assert!(compiler.function(&module, 0).is_ok());
}

#[test]
fn many_targets() {
    let count = 60_000usize;
    let targets = repeat(count, |i| (i % 7 % 3).to_string());
    let wat = format!(
        r#"(module (func (export "f") (param i32) (result i32)
            (block $c (block $b (block $a (br_table {targets} 2 (local.get 0)))
                (return (i32.const 100)))
                (return (i32.const 101)))
            (i32.const 102)))"#
    );
    let mut fake = Fake::new(&wat, &SIGNALS);
    for i in [0, 1, 2, 3, 6, 7, 59_999, 60_000, 1 << 30] {
        let expected = if i < count { i % 7 % 3 } else { 2 } as i32;
        assert_eq!(fake.call("f", &[i32v(i as i32)]), Ok(vec![i32v(100 + expected)]), "{i}");
    }
}

#[test]
fn many_blocks() {
    let count = 30_000;
    let (open, close) = ("(block ".repeat(count), ")".repeat(count));
    let branches = repeat(count, |i| format!("(br_if {i} (i32.eq (local.get 0) (i32.const {i})))"));
    let nested =
        format!(r#"(module (func (export "f") (param i32) (result i32) {open} {branches} {close} (local.get 0)))"#);
    let mut fake = Fake::new(&nested, &SIGNALS);
    assert_eq!(fake.call("f", &[i32v(29_999)]), Ok(vec![i32v(29_999)]));

    let cases = repeat(count, |i| format!(") (local.set 0 (i32.add (local.get 0) (i32.const {i})))"));
    let switch = format!(
        r#"(module (func (export "f") (param i32) (result i32) {open} (br_table {} (local.get 0)) {cases} (local.get 0)))"#,
        repeat(count, |i| i.to_string())
    );
    let mut fake = Fake::new(&switch, &SIGNALS);
    assert_eq!(fake.call("f", &[i32v(29_998)]), Ok(vec![i32v(29_998 * 2 + 29_999)]));
}
