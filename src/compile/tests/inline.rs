//! Functions in place of calls: what they do, where they say they are, and how much of it there is; and globals that are known.

use super::harness::*;
use crate::compile::builtin::Builtin;
use crate::compile::code::Inlined;
use crate::trap::TrapCode;

/// Calls in all modes. `inlined` is how many bodies are inlined in each function.
fn check(wat: &str, inlined: &[usize], calls: &[(&str, &[Val], Outcome)]) {
    for mode in &ALL {
        let mut fake = Fake::new(wat, mode);
        for (name, args, expected) in calls {
            assert_eq!(fake.call(name, args), *expected, "{name} {args:?} with {mode:?}");
        }
    }
    let counts = |mode| -> Vec<usize> { Fake::new(wat, mode).codes.iter().map(|code| code.inlined.len()).collect() };
    assert_eq!(counts(&SIGNALS), inlined);
    assert!(counts(&APART).iter().all(|count| *count == 0));
}

fn ok(value: i32) -> Outcome {
    Ok(vec![i32v(value)])
}

#[test]
fn parameters_locals_and_results() {
    check(
        r#"(module
            (func $swap (param i32 i64) (result i64 i32) (local.get 1) (local.get 0))
            ;; A local is zero each time, whatever it was the last time.
            (func $count (param i32) (result i32) (local $n i32) (local $d f64)
                (local.set $n (i32.add (local.get $n) (local.get 0)))
                (local.set $d (f64.add (local.get $d) (f64.const 1)))
                (local.set 0 (i32.const -1))
                (i32.add (local.get $n) (i32.trunc_f64_s (local.get $d))))
            (func $lanes (param v128 v128) (result v128) (i32x4.add (local.get 0) (local.get 1)))
            (func (export "swap") (param i32) (result i32) (local i64)
                (call $swap (local.get 0) (i64.const 5)) (local.set 0) (local.set 1)
                (i32.sub (i32.wrap_i64 (local.get 1)) (local.get 0)))
            (func (export "count") (param i32) (result i32) (local $sum i32) (local $i i32)
                (loop $again
                    (local.set $sum (i32.add (local.get $sum) (call $count (local.get $i))))
                    (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0))))
                (local.get $sum))
            (func (export "lanes") (param i32) (result i32)
                (i32x4.extract_lane 2
                    (call $lanes (i32x4.splat (local.get 0)) (call $lanes (i32x4.splat (i32.const 1)) (v128.const i32x4 0 0 9 0))))))"#,
        &[0, 0, 0, 1, 1, 2],
        &[("swap", &[i32v(7)], ok(-2)), ("count", &[i32v(10)], ok(55)), ("lanes", &[i32v(100)], ok(110))],
    );
}

#[test]
fn every_way_out_of_a_body() {
    check(
        r#"(module
            (func $pick (param i32) (result i32)
                (block $b (block $a (br_table 0 1 (local.get 0))) (return (i32.const 10)))
                (if (i32.eqz (local.get 0)) (then (return (i32.const 20))))
                (i32.const 30))
            (func $down (param i32) (result i32)
                (loop $again (result i32)
                    (if (i32.gt_s (local.get 0) (i32.const 9))
                        (then (local.set 0 (i32.sub (local.get 0) (i32.const 9))) (br $again)))
                    (local.get 0)))
            (func $never (param i32) (result i32) (return (local.get 0)) (unreachable) (i32.const 1) (drop))
            (func $traps (result i32) (unreachable))
            (func (export "pick") (param i32) (result i32) (i32.add (call $pick (local.get 0)) (i32.const 1)))
            (func (export "down") (param i32) (result i32) (call $down (call $never (local.get 0))))
            (func (export "traps") (param i32) (result i32)
                (if (result i32) (local.get 0) (then (call $traps) (i32.add (i32.const 1))) (else (i32.const 5)))))"#,
        &[0, 0, 0, 0, 1, 2, 1],
        &[
            ("pick", &[i32v(0)], ok(11)),
            ("pick", &[i32v(1)], ok(31)),
            ("pick", &[i32v(2)], ok(31)),
            ("down", &[i32v(30)], ok(3)),
            ("traps", &[i32v(0)], ok(5)),
            ("traps", &[i32v(1)], Err(TrapCode::Unreachable)),
        ],
    );
}

const STACKED: &str = r#"(module
    (memory 1)
    (func $load (param i32) (result i32) (i32.load offset=65532 (local.get 0)))
    (func $twice (param i32) (result i32) (i32.add (call $load (i32.const 0)) (call $load (local.get 0))))
    (func $divide (param i32) (result i32) (i32.div_u (i32.const 7) (call $twice (local.get 0))))
    (func $table (export "divide") (param i32) (result i32) (i32.mul (call $divide (local.get 0)) (i32.const 3)))
    (func $many (export "far") (param i32) (result i32) (local i32)
        (loop $again
            (drop (call $twice (i32.const 0)))
            (br_if $again (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (i32.const 3))))
        (i32.sub (call $table (local.get 0)) (i32.const 1))))"#;

/// A trap in a body within bodies has the frames that calls would have, at the same operators.
#[test]
fn frames_are_those_of_calls() {
    let (call, load, div_u) = (0x10, 0x28, 0x6e);
    for mode in &ALL {
        let mut fake = Fake::new(STACKED, mode);
        for (name, outer) in [("divide", &[][..]), ("far", &[(4, call)])] {
            let mut expected = vec![(0, load), (1, call), (2, call), (3, call)];
            expected.extend(outer);
            assert_eq!(fake.call(name, &[i32v(1)]), Err(TrapCode::OutOfBoundsMemoryAccess));
            assert_eq!(fake.stopped_at(), expected, "{name} {mode:?}");
            expected.splice(..3, [(2, div_u)]);
            assert_eq!(fake.call(name, &[i32v(0)]), Err(TrapCode::IntegerDivideByZero));
            assert_eq!(fake.stopped_at(), expected, "{name} {mode:?}");
        }
    }
    // Bodies have stretches of positions, one behind the other, and stand for calls that come before.
    let fake = Fake::new(STACKED, &SIGNALS);
    let inlined = &fake.codes[3].inlined;
    assert_eq!(inlined.len(), 4);
    let mut next = fake.module.bytes.len() as u32;
    for Inlined { start, body, call } in inlined {
        assert_eq!(*start, next);
        assert!(call < start);
        next += fake.module.bodies.iter().find(|range| range.start == *body).unwrap().len() as u32;
    }
}

#[test]
fn recursion_is_inlined_only_so_far() {
    let wat = r#"(module
        (func $fib (export "fib") (param i32) (result i32)
            (if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
                (then (local.get 0))
                (else (i32.add
                    (call $fib (i32.sub (local.get 0) (i32.const 1)))
                    (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
        (func $forever (export "forever") (result i32) (i32.add (call $forever) (i32.const 1)))
        (func $even (export "even") (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (call $odd (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 1))))
        (func $odd (param i32) (result i32)
            (if (result i32) (local.get 0)
                (then (call $even (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 0)))))"#;
    let calls: &[(&str, &[Val], Outcome)] = &[
        ("fib", &[i32v(20)], ok(6765)),
        ("forever", &[], Err(TrapCode::CallStackExhausted)),
        ("even", &[i32v(1001)], ok(0)),
    ];
    check(wat, &[6, 2, 4, 4], calls);
}

/// A budget holds, however many calls there are.
#[test]
fn a_function_takes_in_only_so_much() {
    let calls = "(local.set 0 (call $small (local.get 0)))".repeat(5000);
    let wat = format!(
        r#"(module
            (func $small (param i32) (result i32) (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 1)))
            (func (export "f") (param i32) (result i32) {calls} (local.get 0)))"#
    );
    let mut fake = Fake::new(&wat, &SIGNALS);
    let body = fake.module.bodies[0].len();
    assert_eq!(fake.codes[1].inlined.len(), 4000 / body);
    let expected = (0..5000).fold(5i32, |x, _| x.wrapping_mul(3).wrapping_add(1));
    assert_eq!(fake.call("f", &[i32v(5)]), ok(expected));
}

#[test]
fn exceptions_find_clauses_in_and_around_bodies() {
    check(
        r#"(module
            (tag $a (param i32)) (tag $b)
            (func $throw (param i32)
                (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $a (i32.const 10))))
                (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $b))))
            (func $guarded (param i32) (result i32)
                (block $b (try_table (catch $b $b) (call $throw (local.get 0)) (return (i32.const 1)))) (i32.const 2))
            (func $outer (export "outer") (param i32) (result i32)
                (block $a (result i32)
                    (try_table (result i32) (catch $a $a) (i32.add (call $guarded (local.get 0)) (i32.const 100)))))
            (func (export "none") (param i32) (result i32) (call $guarded (local.get 0))))"#,
        &[0, 1, 2, 2],
        &[
            ("outer", &[i32v(0)], ok(101)),
            ("outer", &[i32v(1)], ok(10)),
            ("outer", &[i32v(2)], ok(102)),
            ("none", &[i32v(1)], Err(TrapCode::UncaughtException)),
            ("none", &[i32v(2)], ok(2)),
        ],
    );
}

/// What ends with a call that takes its frame keeps its own.
#[test]
fn tail_calls_are_left_alone() {
    check(
        r#"(module
            (func $one (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
            (func $tail (param i32) (result i32) (return_call $one (local.get 0)))
            (func (export "f") (param i32) (result i32) (call $tail (local.get 0))))"#,
        &[0, 0, 0],
        &[("f", &[i32v(4)], ok(5))],
    );
}

/// References of inlined bodies are found and changed by a collection, as are those of the caller meanwhile.
#[test]
fn references_in_bodies() {
    let wat = r#"(module
        (type $box (struct (field (mut i32))))
        (func $make (param i32) (result (ref $box)) (struct.new $box (local.get 0)))
        (func $sum (param (ref null $box) (ref null $box)) (result i32) (local (ref null $box))
            (local.set 2 (call $make (i32.const 1000)))
            (i32.add (struct.get $box 0 (local.get 0))
                (i32.add (struct.get $box 0 (local.get 1)) (struct.get $box 0 (local.get 2)))))
        (func (export "f") (param i32) (result i32) (local $kept (ref null $box)) (local $n i32) (local $total i32)
            (local.set $kept (call $make (i32.const 7)))
            (loop $again
                (local.set $total (i32.add (local.get $total) (call $sum (call $make (local.get $n)) (local.get $kept))))
                (br_if $again (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (local.get 0))))
            (i32.add (local.get $total) (struct.get $box 0 (local.get $kept)))))"#;
    check(wat, &[0, 1, 4], &[("f", &[i32v(10)], ok(45 + 10 * 1007 + 7))]);
    let mut fake = Fake::new(wat, &SIGNALS);
    assert_eq!(fake.call("f", &[i32v(10)]), ok(45 + 10 * 1007 + 7));
    assert_eq!(fake.helpers.iter().filter(|(helper, _)| *helper == Builtin::gc_alloc).count(), 21);
    assert!(fake.heap.moves > 0, "everything was moved");
}

/// A global that was read or written is known only where that is the last that happened to it.
#[test]
fn known_globals_are_those_of_the_moment() {
    let wat = r#"(module
        (table 1 funcref) (elem (i32.const 0) $bump)
        (global $g (mut i32) (i32.const 5))
        (global $h (mut i32) (i32.const 1))
        (func $bump (global.set $g (i32.add (global.get $g) (i32.const 1))))
        (func (export "call") (result i32)
            (global.set $g (i32.const 5)) (call_indirect (i32.const 0)) (global.get $g))
        (func (export "loop") (param i32) (result i32) (local $sum i32)
            (global.set $g (i32.const 0))
            (loop $again
                (local.set $sum (i32.add (local.get $sum) (global.get $g)))
                (global.set $g (i32.add (global.get $g) (i32.const 2)))
                (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
            (i32.add (local.get $sum) (global.get $g)))
        (func (export "if") (param i32) (result i32)
            (global.set $g (i32.const 1))
            (if (local.get 0) (then (global.set $g (i32.const 2))))
            (if (i32.eq (local.get 0) (i32.const 2)) (then (global.set $h (global.get $g))) (else (global.set $g (i32.const 9))))
            (i32.add (global.get $g) (i32.mul (global.get $h) (i32.const 100))))
        (func (export "block") (param i32) (result i32)
            (global.set $g (i32.const 1))
            (block $out
                (global.set $g (i32.const 2))
                (br_if $out (local.get 0))
                (global.set $g (i32.const 3)))
            (global.get $g))
        (func (export "traps") (param i32) (result i32)
            (global.set $g (i32.const 40))
            (if (local.get 0) (then (global.set $g (i32.const 41)) (unreachable)))
            (global.get $g))
        (func (export "else") (param i32) (result i32)
            (global.set $g (i32.const 1))
            (if (local.get 0) (then (return (global.get $g))) (else (global.set $g (i32.const 6))))
            (global.get $g)))"#;
    let calls: &[(&str, &[Val], Outcome)] = &[
        ("call", &[], ok(6)),
        ("loop", &[i32v(4)], ok(12 + 8)),
        ("if", &[i32v(0)], ok(109)),
        ("if", &[i32v(1)], ok(109)),
        ("if", &[i32v(2)], ok(202)),
        ("block", &[i32v(0)], ok(3)),
        ("block", &[i32v(1)], ok(2)),
        ("traps", &[i32v(0)], ok(40)),
        ("traps", &[i32v(1)], Err(TrapCode::Unreachable)),
        ("else", &[i32v(0)], ok(6)),
        ("else", &[i32v(1)], ok(1)),
    ];
    for mode in &ALL {
        let mut fake = Fake::new(wat, mode);
        for (name, args, expected) in calls {
            assert_eq!(fake.call(name, args), *expected, "{name} {args:?} with {mode:?}");
        }
    }
}
