//! Functions of absurd size: compiled in sane time, by the ways that are kept for them, and right.

use super::harness::*;
use crate::compile::layout::{STORE_GC_LIMIT, STORE_GC_NEXT};
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

/// Calls `f` of an instance with a stack for absurd frames.
fn call_with_stack(fake: &mut Fake, args: &[Val]) -> Outcome {
    /// What only this call uses.
    struct Lent<'a>(&'a mut Fake, &'a [Val]);
    // SAFETY: the thread is joined before anybody else uses it.
    unsafe impl Send for Lent<'_> {}
    let lent = Lent(fake, args);
    let call = move || {
        let Lent(fake, args) = { lent };
        fake.limit = &raw const fake as u64 - (96 << 20);
        fake.call("f", args)
    };
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(128 << 20).spawn_scoped(scope, call).unwrap().join().unwrap()
    })
}

/// An instance in which so many objects of 16 bytes are made inline, before every allocation moves everything.
fn with_room(wat: &str, objects: usize) -> Box<Fake> {
    let mut fake = Fake::new(wat, &SIGNALS);
    let next = fake.store[STORE_GC_NEXT as usize / 8];
    fake.store[STORE_GC_LIMIT as usize / 8] = next + 16 * objects as u64;
    fake
}

/// So many references at the same time and calls that to tell of each at each call would take gigabytes: on the operand stack...
#[test]
fn many_references_across_many_calls() {
    let count = 20_000;
    let wat = format!(
        r#"(module (type $box (struct (field i32)))
            (func (export "f") (param i32) (result i32)
                {} (local.set 0 (i32.const 0))
                {} (local.get 0)))"#,
        repeat(count, |i| format!("(struct.new $box (i32.add (local.get 0) (i32.const {i})))")),
        "(struct.get $box 0) (local.get 0) (i32.add) (local.set 0) ".repeat(count),
    );
    let expected = (0..count as i32).map(|i| i + 3).sum();
    let mut fake = with_room(&wat, count - 20);
    assert_eq!(call_with_stack(&mut fake, &[i32v(3)]), Ok(vec![i32v(expected)]));
    assert_eq!(fake.heap.moves, 20);
    assert!(fake.codes[0].roots.len() <= count, "{} roots", fake.codes[0].roots.len());
    assert!(fake.codes[0].roots.iter().all(|root| root.count as usize >= count));
}

/// ...in locals, in blocks...
#[test]
fn many_references_in_locals() {
    let count = 20_000;
    let set = |i| {
        format!(
            "(if (i32.ge_u (local.get 0) (i32.const {i})) (then (local.set {} (struct.new $box (i32.const {i})))))",
            i + 2
        )
    };
    let add = |i| {
        format!(
            "(if (i32.eqz (ref.is_null (local.get {0}))) (then (local.set 1 (i32.add (local.get 1) (struct.get $box 0 (local.get {0}))))))",
            i + 2
        )
    };
    let wat = format!(
        r#"(module (type $box (struct (field i32)))
            (func (export "f") (param i32) (result i32) (local i32) (local {}) {} {} (local.get 1)))"#,
        "(ref null $box) ".repeat(count),
        repeat(count, set),
        repeat(count, add),
    );
    let mut fake = Fake::new(&wat, &SIGNALS);
    assert_eq!(call_with_stack(&mut fake, &[i32v(10)]), Ok(vec![i32v(55)]));
    assert_eq!(fake.heap.moves, 11);
    assert!(fake.codes[0].roots.len() <= 2 * count, "{} roots", fake.codes[0].roots.len());
}

/// ...and on the operand stack across blocks.
#[test]
fn many_references_across_blocks() {
    let count = 4000;
    let new = |i| {
        format!(
            "(if (result (ref $box)) (i32.and (local.get 0) (i32.const {})) (then (struct.new $box (i32.const {i}))) (else (local.get $one)))",
            1 << (i % 3)
        )
    };
    let wat = format!(
        r#"(module (type $box (struct (field i32)))
            (func (export "f") (param i32) (result i32) (local $one (ref $box)) (local $sum i32)
                (local.set $one (struct.new $box (i32.const 1)))
                {} {} (local.get $sum)))"#,
        repeat(count, new),
        "(struct.get $box 0) (local.get $sum) (i32.add) (local.set $sum) ".repeat(count),
    );
    let mut fake = with_room(&wat, 3 * count / 2);
    let expected = |bits: i32| (0..count as i32).map(|i| if bits & 1 << (i % 3) != 0 { i } else { 1 }).sum();
    for bits in [0, 5, 7] {
        assert_eq!(call_with_stack(&mut fake, &[i32v(bits)]), Ok(vec![i32v(expected(bits))]), "{bits}");
    }
    assert!(fake.heap.moves > 100, "{} moves", fake.heap.moves);
}
