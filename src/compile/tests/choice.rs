//! An `if` that only chooses is translated as `select` is, where that is allowed and pays; it computes the same in any case.

use super::harness::*;
use crate::trap::TrapCode;

const NODE: &str = "(type $node (sub (struct (field $key i32) (field $left (mut (ref null $node))) (field $right (mut (ref null $node))))))
    (type $wide (sub $node (struct (field $key i32) (field $left (mut (ref null $node))) (field $right (mut (ref null $node)))
        (field $more i32) (field $most i32))))
    (func $node (param i32) (result (ref $node)) (struct.new $node (local.get 0) (ref.null $node) (ref.null $node)))
    (func $leaf (param i32) (result (ref $node)) (struct.new $node (local.get 0) (call $node (i32.const 100)) (call $node (i32.const 200))))";

fn ok(value: i32) -> Outcome {
    Ok(vec![i32v(value)])
}

/// A function `f (node, key) -> node`, which begins by reading the node's key.
fn descent(local: &str, body: &str) -> String {
    format!(
        r#"(module {NODE}
            (func $f (param $at (ref null $node)) (param $key i32) (result (ref null $node))
                (local $here i32) (local $less i32) {local}
                (local.set $here (struct.get $node $key (local.get $at)))
                {body})
            (func (export "go") (param i32) (result i32)
                (struct.get $node $key (call $f (call $leaf (i32.const 50)) (local.get 0))))
            (func (export "null") (result i32)
                (ref.is_null (call $f (ref.null $node) (i32.const 1)))))"#
    )
}

/// The code of the function with this index.
fn bytes(wat: &str, func: usize) -> Vec<u8> {
    Fake::new(wat, &SIGNALS).codes[func].bytes.clone()
}

/// How many conditional jumps are in the code of a function. The code generator gives them all four bytes of distance.
fn branches(wat: &str, func: usize) -> usize {
    bytes(wat, func).windows(2).filter(|two| matches!(two, [0x0f, 0x80..=0x8f])).count()
}

const LESS: &str = "(local.set $less (i32.lt_u (local.get $key) (local.get $here)))";
const CHOSEN: &str = "(select (result (ref null $node)) (struct.get $node $left (local.get $at))
    (struct.get $node $right (local.get $at)) (local.get $less))";

#[test]
fn fields_of_one_object_are_chosen_between() {
    let by_select = descent("", &format!("{LESS} {CHOSEN}"));
    let by_result = descent(
        "",
        &format!(
            "{LESS} (if (result (ref null $node)) (local.get $less)
                (then (struct.get $node $left (local.get $at))) (else (struct.get $node $right (local.get $at))))"
        ),
    );
    let by_local = descent(
        "(local $next (ref null $node))",
        &format!(
            "{LESS} (if (local.get $less)
                (then (local.set $next (struct.get $node $left (local.get $at))))
                (else (local.set $next (struct.get $node $right (local.get $at)))))
            (local.get $next)"
        ),
    );
    let by_itself = descent(
        "",
        &format!(
            "{LESS} (if (local.get $less)
                (then (local.set $at (struct.get $node $left (local.get $at))))
                (else (local.set $at (struct.get $node $right (local.get $at)))))
            (local.get $at)"
        ),
    );
    let select = bytes(&by_select, 2);
    for wat in [&by_result, &by_local, &by_itself] {
        assert_eq!(bytes(wat, 2), select, "{wat}");
    }
    for wat in [&by_select, &by_result, &by_local, &by_itself] {
        for mode in &ALL {
            let mut fake = Fake::new(wat, mode);
            assert_eq!(fake.call("go", &[i32v(10)]), ok(100), "{mode:?}");
            assert_eq!(fake.call("go", &[i32v(50)]), ok(200), "{mode:?}");
            assert_eq!(fake.call("null", &[]), Err(TrapCode::NullStructureReference), "{mode:?}");
        }
    }
}

#[test]
fn small_numbers_are_chosen_between() {
    let of = |body: &str| {
        format!(
            r#"(module (func (export "f") (param $a i32) (param $b i32) (result i32) (local $c i32)
                (local.set $c (i32.lt_s (local.get $a) (local.get $b))) {body} (local.get $a)))"#
        )
    };
    let least = of("(if (local.get $c) (then) (else (local.set $a (local.get $b))))");
    let least_selected = of("(local.set $a (select (local.get $a) (local.get $b) (local.get $c)))");
    let next = of("(if (local.get $c) (then (local.set $a (i32.add (local.get $a) (i32.const 1)))))");
    let next_selected =
        of("(local.set $a (select (i32.add (local.get $a) (i32.const 1)) (local.get $a) (local.get $c)))");
    for (by_if, by_select, results) in [(least, least_selected, [3, 4]), (next, next_selected, [4, 9])] {
        assert_eq!(bytes(&by_if, 0), bytes(&by_select, 0), "{by_if}");
        for mode in &ALL {
            let mut fake = Fake::new(&by_if, mode);
            assert_eq!(fake.call("f", &[i32v(3), i32v(7)]), ok(results[0]), "{mode:?}");
            assert_eq!(fake.call("f", &[i32v(9), i32v(4)]), ok(results[1]), "{mode:?}");
        }
    }
}

/// `if`s that must stay branches, or may: each with its results for keys 10 and 50, and for null.
#[test]
fn what_may_not_be_read_early_is_not() {
    let null = || Err(TrapCode::NullStructureReference);
    let rows: [(&str, &str, [Outcome; 3]); 5] = [
        // Only one arm knows that there is such a field.
        (
            "(local $wide (ref null $wide))",
            "(block $other (result (ref null $node))
                (local.set $wide (br_on_cast_fail $other (ref null $node) (ref $wide) (local.get $at)))
                (return (if (result (ref null $node)) (i32.lt_s (local.get $key) (local.get $here))
                    (then (drop (struct.get $wide $more (local.get $wide))) (ref.null $node))
                    (else (drop (struct.get $wide $most (local.get $wide))) (local.get $at)))))
             (struct.get $node $left)",
            [ok(100), ok(100), null()],
        ),
        // The local is another one by then, which is null.
        (
            "(local $none (ref null $node))",
            "(if (i32.lt_u (local.get $key) (i32.const 0))
                (then (local.set $at (local.get $none)) (local.set $at (struct.get $node $left (local.get $at))))
                (else (local.set $at (struct.get $node $right (local.get $at)))))
             (local.get $at)",
            [ok(200), ok(200), null()],
        ),
        // Nothing says that the other local is not null.
        (
            "(local $none (ref null $node))",
            "(if (i32.lt_u (local.get $key) (i32.const 0)) (then (local.set $at (struct.get $node $left (local.get $none))))
                (else (local.set $at (struct.get $node $right (local.get $at)))))
             (local.get $at)",
            [ok(200), ok(200), null()],
        ),
        // What was found before the branch is known behind it, what was found in one arm is not.
        (
            "(local $left (ref null $node))",
            "(local.set $left (struct.get $node $left (local.get $at)))
             (if (i32.eq (local.get $key) (i32.const 1))
                (then (local.set $left (ref.null $node)) (drop (struct.get $node $key (local.get $at))))
                (else (drop (struct.get $node $key (local.get $left)))))
             (if (i32.lt_u (local.get $key) (i32.const 1)) (then (local.set $at (struct.get $node $left (local.get $left))))
                (else (drop (local.get $left))))
             (if (i32.lt_u (local.get $key) (local.get $here))
                (then (local.set $at (struct.get $node $right (local.get $at)))))
             (local.get $at)",
            [ok(200), ok(50), null()],
        ),
        (
            "(local $left (ref null $node))",
            "(if (i32.ge_u (local.get $key) (i32.const 20))
                (then (local.set $left (struct.get $node $left (local.get $at))) (drop (struct.get $node $key (local.get $left)))))
             (if (i32.lt_u (local.get $key) (local.get $here))
                (then (local.set $at (local.get $left))) (else (local.set $at (struct.get $node $right (local.get $at)))))
             (if (ref.is_null (local.get $at)) (then (local.set $at (call $node (i32.const 7)))))
             (local.get $at)",
            [ok(7), ok(200), null()],
        ),
    ];
    for (local, body, [ten, fifty, null]) in rows {
        let wat = descent(local, body);
        for mode in &ALL {
            let mut fake = Fake::new(&wat, mode);
            assert_eq!(fake.call("go", &[i32v(10)]), ten, "{wat} {mode:?}");
            assert_eq!(fake.call("go", &[i32v(50)]), fifty, "{wat} {mode:?}");
            assert_eq!(fake.call("null", &[]), null, "{wat} {mode:?}");
        }
    }
}

/// A reference that is cast in between has another type than the local: the value alone says nothing.
#[test]
fn a_cast_reference_is_not_read_before_the_cast() {
    let wat = format!(
        r#"(module {NODE}
            (func (export "f") (param $key i32) (result i32)
                (local $any (ref null $node)) (local $wide (ref null $wide)) (local $sum i32)
                (local.set $any (call $node (i32.const 5)))
                (local.set $sum (struct.get $node $key (local.get $any)))
                (if (i32.lt_s (local.get $key) (i32.const 3))
                    (then (local.set $sum (struct.get $wide $more (ref.cast (ref $wide) (local.get $any)))))
                    (else (local.set $sum (struct.get $node $key (local.get $any)))))
                (local.get $sum)))"#
    );
    for mode in &ALL {
        let mut fake = Fake::new(&wat, mode);
        assert_eq!(fake.call("f", &[i32v(3)]), ok(5), "{mode:?}");
        assert_eq!(fake.call("f", &[i32v(2)]), Err(TrapCode::CastFailure), "{mode:?}");
    }
}

#[test]
fn what_can_be_foreseen_stays_a_branch() {
    let of = |hint: &str, condition: &str| {
        format!(
            r#"(module (func (export "f") (param $a i32) (param $b i32) (result i32)
                ({condition} (local.get $a) (local.get $b))
                {hint} (if (then (local.set $a (i32.add (local.get $b) (i32.const 1)))))
                (local.get $a)))"#
        )
    };
    assert_eq!(branches(&of("", "i32.lt_s"), 0), 0);
    assert_eq!(branches(&of("", "i32.eq"), 0), 1);
    assert_eq!(branches(&of(r#"(@metadata.code.branch_hint "\01")"#, "i32.lt_s"), 0), 1);
}

/// Where both arms find that a reference is null, each must be where the trap says.
#[test]
fn a_trap_is_where_its_arm_is() {
    let of = |before: &str, null: &str| {
        format!(
            r#"(module {NODE} (func (param $at (ref {null} $node)) (param $key i32) (result (ref null $node))
                {before}
                (if (result (ref null $node)) (i32.lt_u (local.get $key) (i32.const 5))
                    (then (struct.get $node $left (local.get $at))) (else (struct.get $node $right (local.get $at))))))"#
        )
    };
    assert_eq!(branches(&of("", "null"), 2), 1);
    assert_eq!(branches(&of("", ""), 2), 0);
    // The only jump is to the trap.
    assert_eq!(branches(&of("(drop (ref.as_non_null (local.get $at)))", "null"), 2), 1);
    let in_one_arm = "(if (i32.eqz (local.get $key)) (then (drop (struct.get $node $key (local.get $at)))))";
    assert_eq!(branches(&of(in_one_arm, "null"), 2), 2);
}
