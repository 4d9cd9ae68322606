//! Calls of every sort, tables, globals, and the stack's end.

use super::harness::*;
use crate::compile::builtin::Builtin;
use crate::trap::TrapCode;
use std::fmt::Write;

#[test]
fn calls_reach_their_functions() {
    for mode in &ALL {
        let mut fake = Fake::new(
            r#"(module
                (func $sub (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
                (func (export "direct") (param i32 i32) (result i32) (call $sub (local.get 1) (local.get 0)))
                (func $fib (export "fib") (param i32) (result i32)
                    (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
                        (then (local.get 0))
                        (else (i32.add
                            (call $fib (i32.sub (local.get 0) (i32.const 1)))
                            (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
                (func $even (export "even") (param i32) (result i32)
                    (if (result i32) (local.get 0)
                        (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
                (func $odd (param i32) (result i32)
                    (if (result i32) (local.get 0)
                        (then (call $even (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0)))))"#,
            mode,
        );
        assert_eq!(fake.call("direct", &[i32v(3), i32v(10)]), Ok(vec![i32v(7)]));
        assert_eq!(fake.call("fib", &[i32v(20)]), Ok(vec![i32v(6765)]));
        assert_eq!(fake.call("even", &[i32v(101)]), Ok(vec![i32v(0)]));
    }
}

#[test]
fn call_indirect_checks_the_element() {
    for mode in &ALL {
        for limits in ["4", "4 4", "4 8"] {
            let mut fake = Fake::new(
                &format!(
                    r#"(module
                        (type $t (func (param i32) (result i32)))
                        (type $same (func (param i32) (result i32)))
                        (table {limits} funcref)
                        (elem (i32.const 0) func $double $other $double)
                        (func $double (type $t) (i32.mul (local.get 0) (i32.const 2)))
                        (func $other (param i64))
                        (func (export "call") (param i32 i32) (result i32)
                            (call_indirect (type $same) (local.get 1) (local.get 0)))
                        (func (export "set_null") (param i32) (table.set 0 (local.get 0) (ref.null func))))"#
                ),
                mode,
            );
            let lazy = |fake: &Fake| fake.helpers.iter().filter(|(b, _)| *b == Builtin::table_get_lazy).count();
            for _ in 0..2 {
                assert_eq!(fake.call("call", &[i32v(0), i32v(21)]), Ok(vec![i32v(42)]));
            }
            assert_eq!(lazy(&fake), 1, "an element is lazy once");
            assert_eq!(fake.call("call", &[i32v(1), i32v(1)]), Err(TrapCode::IndirectCallTypeMismatch));
            assert_eq!(fake.call("call", &[i32v(2), i32v(1)]), Ok(vec![i32v(2)]));
            assert_eq!(lazy(&fake), 3);
            assert_eq!(fake.call("call", &[i32v(3), i32v(1)]), Err(TrapCode::UninitializedElement));
            assert_eq!(fake.helpers.last(), Some(&(Builtin::raise_uninitialized, vec![3])));
            for index in [4, 5, i32::MAX, i32::MIN, -1] {
                assert_eq!(fake.call("call", &[i32v(index), i32v(1)]), Err(TrapCode::UndefinedElement), "{index}");
            }
            assert_eq!(fake.call("set_null", &[i32v(2)]), Ok(vec![]));
            assert_eq!(fake.call("call", &[i32v(2), i32v(1)]), Err(TrapCode::UninitializedElement));
        }
    }
}

#[test]
fn tables_are_read_and_written() {
    for mode in &ALL {
        let mut fake = Fake::new(
            r#"(module
                (table $f 3 8 funcref)
                (table $e 2 externref)
                (elem (i32.const 1) func $x)
                (elem $seg func $x)
                (func $x (export "x"))
                (func (export "f.is_null") (param i32) (result i32) (ref.is_null (table.get $f (local.get 0))))
                (func (export "f.copy") (param i32 i32) (table.set $f (local.get 0) (table.get $f (local.get 1))))
                (func (export "e.is_null") (param i32) (result i32) (ref.is_null (table.get $e (local.get 0))))
                (func (export "e.clear") (param i32) (table.set $e (local.get 0) (ref.null extern)))
                (func (export "sizes") (result i32 i32) (table.size $f) (table.size $e))
                (func (export "same") (result i32)
                    (table.set $f (i32.const 0) (ref.func $x)) (ref.is_null (table.get $f (i32.const 0))))
                (func (export "grow") (param i32) (result i32) (table.grow $e (ref.null extern) (local.get 0)))
                (func (export "fill") (param i32 i32) (table.fill $e (local.get 0) (ref.null extern) (local.get 1)))
                (func (export "move") (param i32 i32 i32) (table.copy $f $f (local.get 0) (local.get 1) (local.get 2)))
                (func (export "init") (param i32 i32 i32) (table.init $f $seg (local.get 0) (local.get 1) (local.get 2)))
                (func (export "drop") (elem.drop $seg)))"#,
            mode,
        );
        assert_eq!(fake.call("f.is_null", &[i32v(0)]), Ok(vec![i32v(1)]));
        assert_eq!(fake.call("f.is_null", &[i32v(1)]), Ok(vec![i32v(0)]));
        assert_eq!(fake.call("f.is_null", &[i32v(3)]), Err(TrapCode::OutOfBoundsTableAccess));
        assert_eq!(fake.call("f.copy", &[i32v(2), i32v(1)]), Ok(vec![]));
        let x = fake.funcs[0].as_ptr() as u64;
        assert_eq!(fake.tables[0].elements, [0, x, x]);
        assert_eq!(fake.call("f.copy", &[i32v(-1), i32v(1)]), Err(TrapCode::OutOfBoundsTableAccess));
        assert_eq!(fake.call("same", &[]), Ok(vec![i32v(0)]));
        assert_eq!(fake.tables[0].elements, [x, x, x]);

        // What looks lazy is not, in a table of host references: they are pointers, whatever their bits.
        fake.tables[1].elements[1] = 0x1235;
        fake.helpers.clear();
        assert_eq!(fake.call("e.is_null", &[i32v(1)]), Ok(vec![i32v(0)]));
        assert_eq!(fake.call("e.clear", &[i32v(1)]), Ok(vec![]));
        assert_eq!(fake.tables[1].elements, [0, 0]);
        assert_eq!(fake.call("e.clear", &[i32v(2)]), Err(TrapCode::OutOfBoundsTableAccess));
        assert_eq!(fake.call("sizes", &[]), Ok(vec![i32v(3), i32v(2)]));
        fake.helpers.clear();

        assert_eq!(fake.call("grow", &[i32v(-1)]), Ok(vec![i32v(42)]), "the lower half of the helper's result");
        assert_eq!(fake.call("fill", &[i32v(-1), i32v(-2)]), Ok(vec![]));
        for name in ["move", "init"] {
            assert_eq!(fake.call(name, &[i32v(-1), i32v(-2), i32v(-3)]), Ok(vec![]));
        }
        assert_eq!(fake.call("drop", &[]), Ok(vec![]));
        let (a, b, c) = (0xffff_ffff, 0xffff_fffe, 0xffff_fffd);
        let expected = [
            (Builtin::table_grow, vec![1, 0, a]),
            (Builtin::table_fill, vec![1, a, 0, b]),
            (Builtin::table_copy, vec![0, 0, a, b, c]),
            (Builtin::table_init, vec![0, 1, a, b, c]),
            (Builtin::elem_drop, vec![1]),
        ];
        assert_eq!(fake.helpers, expected);
    }
}

#[test]
fn globals_keep_their_values() {
    for mode in &ALL {
        let mut fake = Fake::new(
            r#"(module
                (global $a (mut i32) (i32.const -5))
                (global $b i64 (i64.const -6))
                (global $c (mut f64) (f64.const 1.5))
                (global $d f32 (f32.const 2.5))
                (global $e (mut externref) (ref.null extern))
                (func (export "get") (result i32 i64 f64 f32 i32)
                    (global.get $a) (global.get $b) (global.get $c) (global.get $d) (ref.is_null (global.get $e)))
                (func $bump (global.set $a (i32.add (global.get $a) (i32.const 1))))
                (func (export "bump") (result i32 i32)
                    (global.get $a) (call $bump) (global.set $c (f64.const 9)) (global.get $a)))"#,
            mode,
        );
        let rest = [i64v(-6), f64v(1.5), f32v(2.5), i32v(1)];
        assert_eq!(fake.call("get", &[]), Ok([&[i32v(-5)], &rest[..]].concat()));
        assert_eq!(fake.call("bump", &[]), Ok(vec![i32v(-5), i32v(-4)]));
        assert_eq!(fake.call("get", &[]), Ok(vec![i32v(-4), i64v(-6), f64v(9.0), f32v(2.5), i32v(1)]));
    }
}

/// Recursion ends with a trap wherever the limit is found: in small frames, large ones, and with results in memory.
#[test]
fn recursion_without_end_traps() {
    let results = "i32 ".repeat(12);
    let drops = "(drop) ".repeat(12);
    let mut many = String::new();
    for i in 0..300 {
        write!(many, "(local.set {i} (i64.load offset={} (i32.wrap_i64 (local.get 0)))) ", i * 8).unwrap();
    }
    let sum = (0..300).fold(String::from("(i64.const 0)"), |sum, i| format!("(i64.add {sum} (local.get {i}))"));
    let wat = format!(
        r#"(module (memory 1)
            (func $small (export "small") (param i32) (result i32) (i32.add (call $small (local.get 0)) (i32.const 1)))
            (func $a (export "mutual") (call $b))
            (func $b (call $a))
            (func $wide (export "wide") (result {results}) (call $wide) {drops} (unreachable))
            (func $large (export "large") (param i64) (result i64) (local {})
                {many} (i64.add (call $large (local.get 0)) {sum})))"#,
        "i64 ".repeat(299)
    );
    for mode in &ALL {
        let mut fake = Fake::new(&wat, mode);
        for (name, arg) in [("small", Some(i32v(1))), ("mutual", None), ("wide", None), ("large", Some(i64v(0)))] {
            for _ in 0..2 {
                let outcome = fake.call(name, arg.as_slice());
                assert_eq!(outcome, Err(TrapCode::CallStackExhausted), "{name} {mode:?}");
            }
        }
        // The limit is the store's, whatever the stack would allow.
        fake.limit = u64::MAX - 4095;
        assert_eq!(fake.call("mutual", &[]), Err(TrapCode::CallStackExhausted));
    }
}

/// More parameters and results than registers, through every sort of call.
#[test]
fn many_values_pass() {
    let types = ["i32", "i64", "f32", "f64"];
    let value = |i: usize| match i % 4 {
        0 => i32v(i as i32 * 3 - 20),
        1 => i64v(i as i64 * -5),
        2 => f32v(i as f32 * 0.5),
        _ => f64v(i as f64 * -0.25),
    };
    for count in [1usize, 7, 8, 9, 17, 33, 40, 200] {
        let all: Vec<&str> = (0..count).map(|i| types[i % 4]).collect();
        let reversed: Vec<&str> = all.iter().rev().copied().collect();
        let (all, reversed) = (all.join(" "), reversed.join(" "));
        let gets: String = (0..count).map(|i| format!("(local.get {i}) ")).collect();
        let gets_reversed: String = (0..count).rev().map(|i| format!("(local.get {i}) ")).collect();
        let wat = format!(
            r#"(module
                (type $t (func (param {all}) (result {reversed})))
                (global $depth (mut i32) (i32.const 3))
                (table 1 funcref) (elem (i32.const 0) func $reverse)
                (func $reverse (export "reverse") (type $t) {gets_reversed})
                (func (export "direct") (type $t) (call $reverse {gets}))
                (func (export "indirect") (type $t) (call_indirect (type $t) {gets} (i32.const 0)))
                (func $self (export "self") (type $t)
                    (if (type $t) (global.get $depth)
                        (then (global.set $depth (i32.sub (global.get $depth) (i32.const 1)))
                              (call $self))
                        (else (call $reverse)))))"#
        );
        let wat =
            wat.replace("(if (type $t) (global.get $depth)", &format!("{gets} (if (type $t) (global.get $depth)"));
        let args: Vec<Val> = (0..count).map(value).collect();
        let results: Vec<Val> = (0..count).rev().map(value).collect();
        for mode in &ALL {
            let mut fake = Fake::new(&wat, mode);
            for name in ["reverse", "direct", "indirect", "self"] {
                assert_eq!(fake.call(name, &args), Ok(results.clone()), "{name} {count} {mode:?}");
            }
        }
    }
}
