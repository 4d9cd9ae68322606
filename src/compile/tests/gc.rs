//! Structures, arrays, `i31` and casts, in a heap in which every allocation moves everything.

use super::harness::*;
use crate::compile::builtin::Builtin;
use crate::compile::layout::{STORE_GC_LIMIT, STORE_GC_NEXT};
use crate::trap::TrapCode;

/// Runs calls in all modes: with allocation by the helper, which moves everything, and inline.
fn run(wat: &str, calls: &[(&str, &[Val], Outcome)]) {
    for mode in &ALL {
        for inline in [false, true] {
            let mut fake = Fake::new(wat, mode);
            if inline {
                let next = fake.store[STORE_GC_NEXT as usize / 8];
                fake.store[STORE_GC_LIMIT as usize / 8] = next + (8 << 20);
            }
            for (name, args, expected) in calls {
                assert_eq!(&fake.call(name, args), expected, "{name} {args:?}, {mode:?}, inline: {inline}");
            }
            assert_eq!(fake.heap.moves > 0, fake.helpers.iter().any(|(b, _)| *b == Builtin::gc_alloc));
            assert!(!inline || fake.heap.moves == 0, "allocation is inline");
        }
    }
}

fn ok(value: i32) -> Outcome {
    Ok(vec![i32v(value)])
}

#[test]
fn references_are_found_in_frames() {
    // A tree of depth n is made by recursion and counted; what is under way lives across calls.
    let wat = r#"(module
        (rec (type $tree (sub (struct (field $v (mut i32)) (field $l (mut (ref null $tree))) (field $r (mut (ref null $tree)))))))
        (func $make (param $n i32) (result (ref $tree)) (local $t (ref null $tree))
          (if (i32.eqz (local.get $n)) (then (return (struct.new $tree (i32.const 1) (ref.null $tree) (ref.null $tree)))))
          (struct.new $tree (i32.const 1)
            (call $make (i32.sub (local.get $n) (i32.const 1)))
            (call $make (i32.sub (local.get $n) (i32.const 1)))))
        (func $sum (param $t (ref null $tree)) (result i32)
          (if (ref.is_null (local.get $t)) (then (return (i32.const 0))))
          (i32.add (struct.get $tree $v (local.get $t))
            (i32.add (call $sum (struct.get $tree $l (local.get $t))) (call $sum (struct.get $tree $r (local.get $t))))))
        (func (export "tree") (param i32) (result i32) (call $sum (call $make (local.get 0))))
        (func (export "list") (param $n i32) (result i32) (local $head (ref null $tree)) (local $sum i32)
          (loop $more
            (local.set $head (struct.new $tree (local.get $n) (local.get $head) (ref.null $tree)))
            (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
          (block $done
            (loop $next
              (drop (br_on_null $done (local.get $head)))
              (local.set $sum (i32.add (local.get $sum) (struct.get $tree $v (local.get $head))))
              (local.set $head (struct.get $tree $l (local.get $head)))
              (br $next)))
          (local.get $sum))
      )"#;
    run(wat, &[("tree", &[i32v(6)], ok(127)), ("list", &[i32v(100)], ok(5050))]);
}

#[test]
fn fields_of_every_sort() {
    let wat = r#"(module
        (type $s (struct (field (mut i8)) (field (mut i16)) (field (mut i32)) (field (mut i64)) (field (mut f32))
          (field (mut f64)) (field (mut v128)) (field (mut funcref)) (field (mut externref)) (field (mut anyref))))
        (global $s (mut (ref null $s)) (ref.null $s))
        (func $f (export "fill")
          (global.set $s (struct.new_default $s))
          (struct.set $s 0 (global.get $s) (i32.const 0x1ff))
          (struct.set $s 1 (global.get $s) (i32.const 0x18001))
          (struct.set $s 2 (global.get $s) (i32.const -3))
          (struct.set $s 3 (global.get $s) (i64.const -4))
          (struct.set $s 4 (global.get $s) (f32.const 1.5))
          (struct.set $s 5 (global.get $s) (f64.const 2.5))
          (struct.set $s 6 (global.get $s) (v128.const i64x2 7 9))
          (struct.set $s 7 (global.get $s) (ref.func $f))
          (struct.set $s 9 (global.get $s) (struct.new_default $s)))
        (func (export "narrow") (result i32 i32 i32 i32 i32)
          (struct.get_s $s 0 (global.get $s)) (struct.get_u $s 0 (global.get $s))
          (struct.get_s $s 1 (global.get $s)) (struct.get_u $s 1 (global.get $s)) (struct.get $s 2 (global.get $s)))
        (func (export "wide") (result i64 f32 f64 i64)
          (struct.get $s 3 (global.get $s)) (struct.get $s 4 (global.get $s)) (struct.get $s 5 (global.get $s))
          (i64x2.extract_lane 1 (struct.get $s 6 (global.get $s))))
        (func (export "refs") (result i32 i32 i32)
          (ref.is_null (struct.get $s 7 (global.get $s))) (ref.is_null (struct.get $s 8 (global.get $s)))
          (ref.test (ref $s) (struct.get $s 9 (global.get $s))))
        (func (export "get null") (result i32) (struct.get_s $s 1 (ref.null $s)))
        (func (export "set null") (struct.set $s 9 (ref.null $s) (ref.null any)))
        (elem declare func $f)
      )"#;
    let narrow = [-1, 0xff, -0x7fff, 0x8001, -3].map(i32v).to_vec();
    run(
        wat,
        &[
            ("fill", &[], Ok(vec![])),
            ("narrow", &[], Ok(narrow)),
            ("wide", &[], Ok(vec![i64v(-4), f32v(1.5), f64v(2.5), i64v(9)])),
            ("refs", &[], Ok([0, 1, 1].map(i32v).to_vec())),
            ("get null", &[], Err(TrapCode::NullStructureReference)),
            ("set null", &[], Err(TrapCode::NullStructureReference)),
        ],
    );
}

#[test]
fn null_is_found_however_far_the_field_is() {
    // The last field lies beyond what is never accessible.
    let fields = "(field (mut i64))".repeat(600);
    let wat = format!(
        r#"(module (type $s (struct {fields}))
          (func (export "get") (result i64) (struct.get $s 599 (ref.null $s)))
          (func (export "set") (struct.set $s 599 (ref.null $s) (i64.const 1)))
          (func (export "same") (result i64) (local $s (ref $s))
            (local.set $s (struct.new_default $s))
            (struct.set $s 599 (local.get $s) (i64.const 7)) (drop (struct.new_default $s))
            (struct.get $s 599 (local.get $s))))"#
    );
    let null = || Err(TrapCode::NullStructureReference);
    run(&wat, &[("get", &[], null()), ("set", &[], null()), ("same", &[], Ok(vec![i64v(7)]))]);
}

#[test]
fn arrays() {
    let wat = r#"(module
        (type $b (array (mut i8)))
        (type $l (array (mut i64)))
        (type $v (array (mut v128)))
        (type $r (array (mut (ref null $b))))
        (func (export "bytes") (param $len i32) (param $value i32) (result i32) (local $a (ref $b)) (local $sum i32)
          (local.set $a (array.new $b (local.get $value) (local.get $len)))
          (drop (array.new_default $l (i32.const 3)))
          (block $done (loop $more
            (br_if $done (i32.eqz (local.get $len)))
            (local.set $len (i32.sub (local.get $len) (i32.const 1)))
            (local.set $sum (i32.add (local.get $sum) (array.get_s $b (local.get $a) (local.get $len))))
            (br $more)))
          (local.get $sum))
        (func (export "fixed") (param $i i32) (result i64)
          (array.get $l (array.new_fixed $l 3 (i64.const 10) (i64.const 20) (i64.const 30)) (local.get $i)))
        (func (export "refs") (param $i i32) (result i32)
          (array.len (array.get $r (array.new_fixed $r 2
            (array.new_default $b (i32.const 5)) (array.new_default $b (i32.const 6))) (local.get $i))))
        (func (export "vectors") (result i64) (local $a (ref $v))
          (local.set $a (array.new $v (v128.const i64x2 1 2) (i32.const 4)))
          (array.set $v (local.get $a) (i32.const 3) (v128.const i64x2 3 40))
          (i64.add (i64x2.extract_lane 1 (array.get $v (local.get $a) (i32.const 3)))
            (i64x2.extract_lane 1 (array.get $v (local.get $a) (i32.const 2)))))
        (func (export "fill") (param $at i32) (param $len i32) (result i32) (local $a (ref $b))
          (local.set $a (array.new $b (i32.const 1) (i32.const 10)))
          (array.fill $b (local.get $a) (local.get $at) (i32.const 0x102) (local.get $len))
          (i32.add (array.get_u $b (local.get $a) (i32.const 9)) (array.get_u $b (local.get $a) (local.get $at))))
        (func (export "copy") (param $to i32) (param $from i32) (param $len i32) (result i32) (local $a (ref $b))
          (local.set $a (array.new_fixed $b 4 (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)))
          (array.copy $b $b (local.get $a) (local.get $to) (local.get $a) (local.get $from) (local.get $len))
          (array.get_u $b (local.get $a) (local.get $to)))
        (func (export "null") (result i32) (array.len (ref.null array)))
        (func (export "null copy") (array.copy $b $b (array.new_default $b (i32.const 0)) (i32.const 1)
          (ref.null $b) (i32.const 0) (i32.const 0)))
      )"#;
    let outside = || Err(TrapCode::OutOfBoundsArrayAccess);
    run(
        wat,
        &[
            ("bytes", &[i32v(0), i32v(7)], ok(0)),
            ("bytes", &[i32v(13), i32v(0x1fe)], ok(-26)),
            ("fixed", &[i32v(2)], Ok(vec![i64v(30)])),
            ("fixed", &[i32v(3)], outside()),
            ("fixed", &[i32v(-1)], outside()),
            ("refs", &[i32v(1)], ok(6)),
            ("vectors", &[], Ok(vec![i64v(42)])),
            ("fill", &[i32v(3), i32v(7)], ok(4)),
            ("fill", &[i32v(3), i32v(6)], ok(3)),
            ("fill", &[i32v(3), i32v(8)], outside()),
            ("fill", &[i32v(1), i32v(-1)], outside()),
            ("copy", &[i32v(1), i32v(0), i32v(3)], ok(1)),
            ("copy", &[i32v(0), i32v(2), i32v(3)], outside()),
            ("null", &[], Err(TrapCode::NullArrayReference)),
            ("null copy", &[], Err(TrapCode::NullArrayReference)),
        ],
    );
}

#[test]
fn casts() {
    // Types 0 to 10, each below the one before; the display has room for eight without asking for the depth.
    let mut types = String::from("(type $t0 (sub (struct)))");
    for i in 1..=10 {
        types += &format!("(type $t{i} (sub $t{} (struct)))", i - 1);
    }
    types += "(type $last (sub final $t10 (struct))) (type $other (sub $t3 (struct (field i32)))) (type $a (array i8))";
    let names: Vec<String> = (0..=10).map(|i| format!("$t{i}")).chain(["$last".into(), "$other".into()]).collect();
    let depth = |i: usize| if i == 12 { 4 } else { i };
    let mut funcs = String::new();
    let mut calls = Vec::new();
    for (i, made) in names.iter().enumerate() {
        for (j, target) in names.iter().enumerate() {
            let name = format!("{made} {target}");
            funcs += &format!(
                "(func (export \"{name}\") (result i32) (ref.test (ref {target}) (call $any (struct.new_default {made}))))"
            );
            let below = i == j || depth(j) < depth(i) && j != 12 && (i != 12 || j <= 3);
            calls.push((name, below));
        }
    }
    let wat = format!("(module {types} (func $any (param anyref) (result anyref) (local.get 0)) {funcs})");
    for mode in &ALL {
        let mut fake = Fake::new(&wat, mode);
        for (name, below) in &calls {
            assert_eq!(fake.call(name, &[]), ok(i32::from(*below)), "{name}, {mode:?}");
        }
    }
    assert_eq!(calls.len(), 169);
}

#[test]
fn what_belongs_to_abstract_types() {
    let values = [
        ("null", "(ref.null none)"),
        ("i31", "(ref.i31 (i32.const 5))"),
        ("struct", "(struct.new_default $s)"),
        ("array", "(array.new_default $a (i32.const 2))"),
    ];
    let expected = |value: &str, target: &str| match target {
        "any" | "eq" => value != "null",
        "none" => false,
        _ => target == value,
    };
    let mut funcs = String::new();
    let mut calls = Vec::new();
    for (value, text) in values {
        for target in ["any", "eq", "i31", "struct", "array", "none"] {
            for null in ["", "null "] {
                let belongs = expected(value, target) || value == "null" && !null.is_empty();
                let name = format!("{value} {null}{target}");
                let ty = format!("(ref {null}{target})");
                funcs += &format!(
                    "(func (export \"test {name}\") (result i32) (ref.test {ty} (call $any {text})))
                     (func (export \"cast {name}\") (result i32) (drop (ref.cast {ty} (call $any {text}))) (i32.const 1))
                     (func (export \"br {name}\") (result i32)
                       (block $is (result {ty}) (br_on_cast $is anyref {ty} (call $any {text})) (return (i32.const 0)))
                       drop (i32.const 1))
                     (func (export \"fail {name}\") (result i32)
                       (block $not (result anyref) (br_on_cast_fail $not anyref {ty} (call $any {text})) (return (i32.const 1)))
                       drop (i32.const 0))"
                );
                calls.push((name, belongs));
            }
        }
    }
    let wat = format!(
        "(module (type $s (struct)) (type $a (array i8)) (func $any (param anyref) (result anyref) (local.get 0)) {funcs})"
    );
    for mode in &ALL {
        let mut fake = Fake::new(&wat, mode);
        for (name, belongs) in &calls {
            for how in ["test", "br", "fail"] {
                assert_eq!(fake.call(&format!("{how} {name}"), &[]), ok(i32::from(*belongs)), "{how} {name}, {mode:?}");
            }
            let cast = if *belongs { ok(1) } else { Err(TrapCode::CastFailure) };
            assert_eq!(fake.call(&format!("cast {name}"), &[]), cast, "cast {name}, {mode:?}");
        }
    }
    assert_eq!(calls.len(), 48);
}

#[test]
fn i31_and_equality() {
    let wat = r#"(module
        (type $s (struct))
        (func (export "s") (param i32) (result i32) (i31.get_s (ref.i31 (local.get 0))))
        (func (export "u") (param i32) (result i32) (i31.get_u (ref.i31 (local.get 0))))
        (func (export "null") (result i32) (i31.get_u (ref.null i31)))
        (func (export "same i31") (param i32 i32) (result i32) (ref.eq (ref.i31 (local.get 0)) (ref.i31 (local.get 1))))
        (func (export "same struct") (result i32) (local $s (ref $s))
          (local.set $s (struct.new $s)) (drop (struct.new $s)) (ref.eq (local.get $s) (local.get $s)))
        (func (export "other struct") (result i32) (ref.eq (struct.new $s) (struct.new $s)))
        (func (export "null and null") (result i32) (ref.eq (ref.null i31) (ref.null $s)))
      )"#;
    run(
        wat,
        &[
            ("s", &[i32v(-1)], ok(-1)),
            ("s", &[i32v(0x4000_0000)], ok(-0x4000_0000)),
            ("u", &[i32v(-1)], ok(0x7fff_ffff)),
            ("u", &[i32v(0x4000_0001)], ok(0x4000_0001)),
            ("null", &[], Err(TrapCode::NullI31Reference)),
            ("same i31", &[i32v(7), i32v(7 + (1 << 31))], ok(1)),
            ("same i31", &[i32v(7), i32v(8)], ok(0)),
            ("same struct", &[], ok(1)),
            ("other struct", &[], ok(0)),
            ("null and null", &[], ok(1)),
        ],
    );
}

#[test]
fn references_survive_wherever_values_go() {
    let wat = r#"(module
        (type $s (struct (field i32)))
        (tag $e (param i32 (ref $s)))
        (table $t 3 (ref null $s))
        (global $g (mut (ref null $s)) (ref.null $s))
        (func $new (param i32) (result (ref $s)) (struct.new $s (local.get 0)))
        (func $churn (drop (struct.new $s (i32.const 99))))
        (func (export "table") (param i32) (result i32)
          (table.set $t (local.get 0) (call $new (i32.const 7))) (call $churn)
          (struct.get $s 0 (table.get $t (local.get 0))))
        (func (export "global") (result i32)
          (global.set $g (call $new (i32.const 8))) (call $churn) (struct.get $s 0 (global.get $g)))
        (func (export "select") (param i32) (result i32)
          (select (result (ref $s)) (call $new (i32.const 1)) (call $new (i32.const 2)) (local.get 0))
          (call $churn) (struct.get $s 0))
        (func (export "block") (param i32) (result i32)
          (if (result (ref $s)) (local.get 0) (then (call $new (i32.const 3))) (else (call $new (i32.const 4))))
          (call $churn) (struct.get $s 0))
        (func (export "stack") (result i32) (local $x i32) (local $y i32)
          (call $new (i32.const 10)) (call $new (i32.const 20)) (call $new (i32.const 30)) (call $churn)
          (struct.get $s 0) (local.set $x) (struct.get $s 0) (local.set $y) (struct.get $s 0)
          (i32.add (i32.mul (local.get $x) (i32.const 100))) (i32.add (local.get $y)))
        (func $throw (param i32) (throw $e (local.get 0) (call $new (i32.const 5))))
        (func (export "caught") (result i32) (local $kept (ref $s))
          (local.set $kept (call $new (i32.const 60)))
          (block $h (result i32 (ref $s)) (try_table (catch $e $h) (call $throw (i32.const 100))) (unreachable))
          (call $churn) (struct.get $s 0) (i32.add) (i32.add (struct.get $s 0 (local.get $kept))))
        (func (export "caught here") (result i32)
          (block $h (result i32 (ref $s) exnref)
            (try_table (catch_ref $e $h) (throw $e (i32.const 200) (call $new (i32.const 6)))) (unreachable))
          (drop) (call $churn) (struct.get $s 0) (i32.add))
      )"#;
    run(
        wat,
        &[
            ("table", &[i32v(2)], ok(7)),
            ("table", &[i32v(3)], Err(TrapCode::OutOfBoundsTableAccess)),
            ("global", &[], ok(8)),
            ("select", &[i32v(1)], ok(1)),
            ("select", &[i32v(0)], ok(2)),
            ("block", &[i32v(1)], ok(3)),
            ("block", &[i32v(0)], ok(4)),
            ("stack", &[], ok(3030)),
            ("caught", &[], ok(165)),
            ("caught here", &[], ok(206)),
        ],
    );
}

#[test]
fn functions_are_tested_by_their_type() {
    let wat = r#"(module
        (type $f (func)) (type $g (func (param i32))) (type $open (sub (func))) (type $below (sub $open (func)))
        (func $a (type $f)) (func $b (type $below))
        (elem declare func $a $b)
        (func $any (param funcref) (result funcref) (local.get 0))
        (func (export "final") (result i32 i32)
          (ref.test (ref $f) (call $any (ref.func $a))) (ref.test (ref $g) (call $any (ref.func $a))))
        (func (export "null") (result i32 i32)
          (ref.test (ref null $f) (call $any (ref.null func))) (ref.test (ref $f) (call $any (ref.null func))))
        (func (export "asked") (result i32) (ref.test (ref $open) (call $any (ref.func $b))))
      )"#;
    for mode in &ALL {
        let mut fake = Fake::new(wat, mode);
        assert_eq!(fake.call("final", &[]), Ok([1, 0].map(i32v).to_vec()));
        assert_eq!(fake.call("null", &[]), Ok([1, 0].map(i32v).to_vec()));
        // The harness says no.
        assert_eq!(fake.call("asked", &[]), ok(0));
        assert!(fake.helpers.iter().any(|(builtin, _)| *builtin == Builtin::func_type_matches));
    }
}
