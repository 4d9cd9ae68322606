//! Exceptions: what catches what, what clauses get, and that nothing else is lost on the way.

use super::harness::*;
use crate::compile::builtin::Builtin;
use crate::compile::{CompileError, Compiler};
use crate::trap::TrapCode;

fn check(wat: &str, calls: &[(&str, &[Val], Outcome)]) {
    for mode in &ALL {
        let mut fake = Fake::new(wat, mode);
        for (name, args, expected) in calls {
            assert_eq!(fake.call(name, args), *expected, "{name} {args:?} with {mode:?}");
        }
    }
}

const UNCAUGHT: Outcome = Err(TrapCode::UncaughtException);

#[test]
fn the_innermost_clause_that_matches_catches() {
    check(
        r#"(module
            (tag $a (param i32)) (tag $b (param i32)) (tag $c)
            (func $throw (param i32)
                (if (i32.eq (local.get 0) (i32.const 0)) (then (throw $a (i32.const 10))))
                (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $b (i32.const 20))))
                (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $c))))
            (func $through (param i32) (call $throw (local.get 0)))
            (func (export "one") (param i32) (result i32)
                (block $h (result i32)
                    (try_table (result i32) (catch $a $h)
                        (call $through (local.get 0))
                        (i32.const 1))))
            (func (export "nested") (param i32) (result i32)
                (block $outer (result i32)
                    (block $inner (result i32)
                        (block $all
                            (try_table (result i32) (catch $b $outer) (catch_all $all)
                                (try_table (result i32) (catch $a $inner)
                                    (call $through (local.get 0))
                                    (i32.const 1))
                                (i32.add (i32.const 100)))
                            (return))
                        (return (i32.const 7)))
                    (return (i32.add (i32.const 1000))))
                (i32.add (i32.const 2000)))
            (func (export "order") (param i32) (result i32)
                (block $first (result i32)
                    (block $second (result i32)
                        (block $all
                            (try_table (catch $a $first) (catch_all $all) (catch $b $second) (catch $a $second)
                                (call $through (local.get 0)))
                            (return (i32.const 1)))
                        (return (i32.const 2)))
                    (return (i32.const 3)))))"#,
        &[
            ("one", &[i32v(0)], Ok(vec![i32v(10)])),
            ("one", &[i32v(1)], UNCAUGHT),
            ("one", &[i32v(2)], UNCAUGHT),
            ("one", &[i32v(3)], Ok(vec![i32v(1)])),
            ("nested", &[i32v(0)], Ok(vec![i32v(1010)])),
            ("nested", &[i32v(1)], Ok(vec![i32v(2020)])),
            ("nested", &[i32v(2)], Ok(vec![i32v(7)])),
            ("nested", &[i32v(3)], Ok(vec![i32v(101)])),
            ("order", &[i32v(0)], Ok(vec![i32v(10)])),
            ("order", &[i32v(1)], Ok(vec![i32v(2)])),
            ("order", &[i32v(3)], Ok(vec![i32v(1)])),
        ],
    );
}

/// Whatever is live over the call is still there, in or out of registers, and locals have the values of the moment.
#[test]
fn clauses_see_what_was_there() {
    check(
        r#"(module
            (tag $all (param i32 i64 f32 f64))
            (tag $many (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64))
            (func $throw (param i32) (result i32)
                (if (local.get 0)
                    (then (throw $all (i32.const -1) (i64.const -2) (f32.const 1.5) (f64.const -2.5))))
                (throw $many (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6)
                    (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10) (i64.const 11)))
            (func (export "values") (result f64 f32 i64 i32)
                (local i32 i64 f32 f64)
                (block $h (result i32 i64 f32 f64)
                    (try_table (catch $all $h) (drop (call $throw (i32.const 1))))
                    (unreachable))
                (local.set 3) (local.set 2) (local.set 1) (local.set 0)
                (local.get 3) (local.get 2) (local.get 1) (local.get 0))
            (func (export "many") (result i64) (local i64)
                (block $h (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i64)
                    (try_table (catch $many $h) (drop (call $throw (i32.const 0))))
                    (unreachable))
                (local.set 0)
                (i32.add) (i32.add) (i32.add) (i32.add) (i32.add) (i32.add) (i32.add) (i32.add) (i32.add)
                (i64.add (i64.extend_i32_u) (local.get 0)))
            (func (export "locals") (param i32) (result i32)
                (local $n i32) (local $d f64)
                (block $h
                    (try_table (catch_all $h)
                        (local.set $n (i32.const 1))
                        (local.set $d (f64.const 0.5))
                        (call $maybe (i32.eq (local.get 0) (i32.const 1)))
                        (local.set $n (i32.add (local.get $n) (i32.const 1)))
                        (local.set $d (f64.add (local.get $d) (f64.const 4)))
                        (call $maybe (i32.eq (local.get 0) (i32.const 2)))
                        (local.set $n (i32.const 100)))
                    (return (local.get $n)))
                (i32.add (local.get $n) (i32.trunc_f64_s (f64.mul (local.get $d) (f64.const 20)))))
            (func $maybe (param i32) (if (local.get 0) (then (drop (call $throw (i32.const 1))))))
            (func (export "operands") (param i32 i64 f64) (result f64)
                (f64.add (local.get 2)
                    (f64.add (f64.convert_i64_s (i64.mul (local.get 1) (i64.const 3)))
                        (block $h (result f64)
                            (block $caught
                                (try_table (catch_all $caught) (call $maybe (local.get 0)))
                                (br $h (f64.const 1000)))
                            (f64.convert_i32_s (local.get 0)))))))"#,
        &[
            ("values", &[], Ok(vec![f64v(-2.5), f32v(1.5), i64v(-2), i32v(-1)])),
            ("many", &[], Ok(vec![i64v(66)])),
            ("locals", &[i32v(1)], Ok(vec![i32v(11)])),
            ("locals", &[i32v(2)], Ok(vec![i32v(92)])),
            ("locals", &[i32v(3)], Ok(vec![i32v(100)])),
            ("operands", &[i32v(1), i64v(5), f64v(0.25)], Ok(vec![f64v(16.25)])),
            ("operands", &[i32v(0), i64v(5), f64v(0.25)], Ok(vec![f64v(1015.25)])),
        ],
    );
}

/// A null exception that is thrown in a loop is only looked at where it is thrown.
#[test]
fn null_is_not_looked_at() {
    const NULL: Outcome = Err(TrapCode::NullExceptionReference);
    check(
        r#"(module
            (tag $a (param i32)) (tag $b (param i32))
            (func (export "tags") (param i32) (result i32)
                (loop $again
                    (if (i32.eqz (local.get 0))
                        (then
                            (block $h (result i32)
                                (try_table (result i32) (catch $a $h) (catch $b $h) (throw_ref (ref.null exn))))
                            (return)))
                    (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (i32.const 7))
            (func (export "all") (param i32) (result i32)
                (loop $again
                    (if (i32.eqz (local.get 0))
                        (then
                            (block $h (result exnref)
                                (try_table (catch_all_ref $h) (throw_ref (ref.null exn))) (unreachable))
                            (drop)))
                    (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (i32.const 7)))"#,
        &[
            ("tags", &[i32v(2)], Ok(vec![i32v(7)])),
            ("tags", &[i32v(0)], NULL),
            ("all", &[i32v(2)], Ok(vec![i32v(7)])),
            ("all", &[i32v(0)], NULL),
        ],
    );
}

#[test]
fn calls_of_every_sort_are_caught() {
    check(
        r#"(module
            (tag $t (param i32))
            (type $f (func (param i32) (result i32)))
            (table funcref (elem $throw $self))
            (elem declare func $throw)
            (func $throw (type $f) (throw $t (local.get 0)))
            (func $self (export "self") (type $f)
                (if (i32.eqz (local.get 0)) (then (throw $t (i32.const 5))))
                (block $h (result i32)
                    (try_table (result i32) (catch $t $h)
                        (call $self (i32.sub (local.get 0) (i32.const 1))))
                    (return))
                (i32.add (i32.const 1)))
            (func (export "indirect") (param i32) (result i32)
                (block $h (result i32)
                    (try_table (result i32) (catch $t $h)
                        (call_indirect (type $f) (i32.const 21) (local.get 0)))
                    (drop) (i32.const 1)))
            (func (export "ref") (param i32) (result i32)
                (block $h (result i32)
                    (try_table (result i32) (catch $t $h) (call_ref $f (local.get 0) (ref.func $throw)))))
            (func $tail (param i32) (result i32) (return_call $throw (i32.add (local.get 0) (i32.const 1))))
            (func (export "tail") (param i32) (result i32)
                (block $h (result i32)
                    (try_table (result i32) (catch $t $h) (call $tail (local.get 0)))))
            (func (export "tail_leaves") (param i32) (result i32)
                (block $h (result i32)
                    (try_table (result i32) (catch $t $h) (return_call $throw (local.get 0)))))
            (func $results (param i32)
                (result i32 i32 i32 i32 i32 i32 i32 i32 i32 i64)
                (if (local.get 0) (then (throw $t (i32.const 9))))
                (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (i32.const 6) (i32.const 7)
                (i32.const 8) (i32.const 9) (i64.const 10))
            (func (export "results") (param i32) (result i32)
                (block $h (result i32)
                    (try_table (result i32) (catch $t $h)
                        (call $results (local.get 0))
                        (drop) (i32.sub) (i32.sub) (i32.sub) (i32.sub) (i32.sub) (i32.sub) (i32.sub) (i32.sub))))
            (func $args (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
                (throw $t (i32.add (local.get 0) (i32.mul (local.get 9) (i32.const 10)))))
            (func (export "args") (param i32) (result i32)
                (i32.add (local.get 0)
                    (block $h (result i32)
                        (try_table (result i32) (catch $t $h)
                            (call $args (local.get 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)
                                (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9))))))
            (func (export "loop") (param i32) (result i32) (local i32)
                (loop $again (result i32)
                    (block $h (result i32)
                        (try_table (catch $t $h) (drop (call $throw (local.get 0))))
                        (unreachable))
                    (local.set 1 (i32.add (local.get 1)))
                    (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                    (br_if $again (local.get 0))
                    (local.get 1)))
            (func (export "to_loop") (result i32) (local i32 i32)
                (i32.const 0)
                (loop $again (param i32)
                    (local.set 1)
                    (if (i32.lt_u (local.get 1) (i32.const 5))
                        (then (try_table (catch $t $again)
                            (drop (call $throw (i32.add (local.get 1) (i32.const 1))))))))
                (local.get 1)))"#,
        &[
            ("self", &[i32v(3)], Ok(vec![i32v(6)])),
            ("self", &[i32v(0)], UNCAUGHT),
            ("indirect", &[i32v(0)], Ok(vec![i32v(21)])),
            ("indirect", &[i32v(7)], Err(TrapCode::UndefinedElement)),
            ("ref", &[i32v(8)], Ok(vec![i32v(8)])),
            ("tail", &[i32v(8)], Ok(vec![i32v(9)])),
            ("tail_leaves", &[i32v(8)], UNCAUGHT),
            ("results", &[i32v(1)], Ok(vec![i32v(9)])),
            ("results", &[i32v(0)], Ok(vec![i32v(5)])),
            ("args", &[i32v(4)], Ok(vec![i32v(98)])),
            ("loop", &[i32v(10)], Ok(vec![i32v(55)])),
            ("to_loop", &[], Ok(vec![i32v(5)])),
        ],
    );
}

/// What is thrown inside of the `try_table` is a branch: no helper is called, unless for a reference.
#[test]
fn what_is_known_is_not_unwound() {
    const TEXT: &str = r#"(module
        (import "" "a" (tag $a (param i32))) (import "" "b" (tag $b (param i32))) (import "" "c" (tag $c (param i64)))
        (tag $d (param i32)) (tag $e (param i32))
        (func (export "here") (param i32) (result i32)
            (block $h (result i32)
                (try_table (catch $e $h) (catch $d $h)
                    (throw $d (local.get 0)))
                (unreachable)))
        (func (export "elsewhere") (param i32) (result i32)
            (block $h (result i32)
                (try_table (catch $e $h) (throw $d (local.get 0)))
                (unreachable)))
        (func (export "all") (param i32) (result i32)
            (block $h (try_table (catch $e 1) (catch_all $h) (throw $d (local.get 0))))
            (i32.const 3))
        (func (export "alias") (param i32) (result i32)
            (block $h (result i32)
                (try_table (catch $a $h) (throw $b (local.get 0)))
                (unreachable)))
        (func (export "no_alias") (param i64) (result i32)
            (block $h (result i32)
                (try_table (catch $a $h) (throw $c (local.get 0)))
                (unreachable)))
        (func (export "by_ref") (param i32) (result i32)
            (block $h (result i32 exnref)
                (try_table (catch_ref $d $h) (throw $d (local.get 0)))
                (unreachable))
            (ref.is_null) (i32.sub)))"#;
    let text = TEXT.replace("(catch $e 1) (catch_all $h)", "(catch_all $h)");
    for mode in &ALL {
        let mut fake = Fake::new(&text, mode);
        let mut run = |name: &str, arg: Val, expected: Outcome, helpers: &[Builtin]| {
            fake.helpers.clear();
            assert_eq!(fake.call(name, &[arg]), expected, "{name} with {mode:?}");
            let called: Vec<_> = fake.helpers.iter().map(|(helper, _)| *helper).collect();
            assert_eq!(called, helpers, "{name} with {mode:?}");
        };
        run("here", i32v(7), Ok(vec![i32v(7)]), &[]);
        run("elsewhere", i32v(7), UNCAUGHT, &[Builtin::throw]);
        run("all", i32v(7), Ok(vec![i32v(3)]), &[]);
        run("alias", i32v(7), Ok(vec![i32v(7)]), &[]);
        run("no_alias", i64v(7), UNCAUGHT, &[Builtin::throw]);
        run("by_ref", i32v(7), Ok(vec![i32v(7)]), &[Builtin::exception_new]);
    }
}

#[test]
fn references_are_thrown_again() {
    check(
        r#"(module
            (tag $a (param i32)) (tag $b (param i32))
            (func $throw (param i32)
                (if (local.get 0) (then (throw $a (local.get 0))))
                (throw $b (i32.const 99)))
            (func $again (param i32)
                (block $h (result exnref)
                    (try_table (catch_all_ref $h) (call $throw (local.get 0)))
                    (return))
                (throw_ref))
            (func (export "again") (param i32) (result i32)
                (block $h (result i32)
                    (try_table (catch $a $h) (call $again (local.get 0)))
                    (i32.const 1)))
            (func (export "inside") (param i32) (result i32)
                (block $b (result i32)
                    (block $a (result i32)
                        (try_table (result i32) (catch $a $a) (catch $b $b)
                            (block $h (result exnref)
                                (try_table (catch_all_ref $h) (call $throw (local.get 0)))
                                (unreachable))
                            (throw_ref))
                        (unreachable))
                    (return (i32.add (i32.const 1000)))))
            (func (export "twice") (param i32) (result i32) (local $e exnref)
                (block $h (result i32)
                    (block $first (result i32 exnref)
                        (try_table (catch_ref $a $first) (call $throw (local.get 0)))
                        (unreachable))
                    (local.set $e) (drop)
                    (block $second (result i32 exnref)
                        (try_table (catch_ref $a $second) (throw_ref (local.get $e)))
                        (unreachable))
                    (local.set $e) (drop)
                    (try_table (catch $a $h) (throw_ref (local.get $e)))
                    (unreachable)))
            (func (export "null") (result i32)
                (block $h (try_table (catch_all $h) (throw_ref (ref.null exn))))
                (i32.const 1)))"#,
        &[
            ("again", &[i32v(5)], Ok(vec![i32v(5)])),
            ("again", &[i32v(0)], UNCAUGHT),
            ("inside", &[i32v(5)], Ok(vec![i32v(1005)])),
            ("inside", &[i32v(0)], Ok(vec![i32v(99)])),
            ("twice", &[i32v(6)], Ok(vec![i32v(6)])),
            ("null", &[], Err(TrapCode::NullExceptionReference)),
        ],
    );
}

/// Traps pass all clauses by.
#[test]
fn traps_are_not_caught() {
    check(
        r#"(module
            (memory 1)
            (func $trap (param i32) (result i32)
                (if (i32.eqz (local.get 0)) (then (unreachable)))
                (i32.load (i32.sub (local.get 0) (i32.const 2))))
            (func (export "trap") (param i32) (result i32)
                (block $h
                    (try_table (catch_all $h) (return (call $trap (local.get 0)))))
                (i32.const 1)))"#,
        &[
            ("trap", &[i32v(0)], Err(TrapCode::Unreachable)),
            ("trap", &[i32v(1)], Err(TrapCode::OutOfBoundsMemoryAccess)),
            ("trap", &[i32v(2)], Ok(vec![i32v(0)])),
        ],
    );
}

#[test]
fn legacy_blocks() {
    check(
        r#"(module
            (tag $a (param i32)) (tag $b (param i32)) (tag $c)
            (func $throw (param i32)
                (if (i32.eq (local.get 0) (i32.const 0)) (then (throw $a (i32.const 10))))
                (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $b (i32.const 20))))
                (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $c))))
            (func (export "catch") (param i32) (result i32)
                try (result i32)
                    (call $throw (local.get 0)) (i32.const 1)
                catch $a
                    (i32.add (i32.const 100))
                catch $b
                    (i32.add (i32.const 200))
                catch_all
                    (i32.const 300)
                end)
            (func (export "alone") (param i32) (result i32)
                try (call $throw (local.get 0)) end (i32.const 1))
            (func (export "rethrow") (param i32) (result i32)
                try (result i32)
                    try (result i32)
                        (call $throw (local.get 0)) (i32.const 1)
                    catch $a
                        (if (i32.eq (i32.const 10)) (then (rethrow 1))) (i32.const 2)
                    catch_all
                        (rethrow 0)
                    end
                catch $a
                    (i32.add (i32.const 1000))
                catch $b
                    (i32.add (i32.const 2000))
                end)
            (func (export "outer") (param i32) (result i32)
                try (result i32)
                    try (result i32)
                        (call $throw (i32.const 0)) (i32.const 1)
                    catch $a
                        (drop)
                        try (result i32)
                            (call $throw (i32.const 1)) (i32.const 2)
                        catch $b
                            (drop)
                            (if (local.get 0) (then (rethrow 2)))
                            (rethrow 0)
                        end
                    end
                catch $a
                    (i32.add (i32.const 1000))
                catch $b
                    (i32.add (i32.const 2000))
                end)
            (func (export "delegate") (param i32) (result i32)
                try $t (result i32)
                    try (result i32)
                        try (result i32)
                            (call $throw (local.get 0)) (i32.const 1)
                        delegate $t
                    catch $a
                        (i32.add (i32.const 1))
                    end
                catch $a
                    (i32.add (i32.const 1000))
                end)
            (func (export "delegate_out") (param i32) (result i32)
                try (result i32)
                    try (result i32) (call $throw (local.get 0)) (i32.const 1) delegate 1
                catch_all
                    (i32.const 2)
                end)
            (func (export "delegate_block") (param i32) (result i32)
                try (result i32)
                    (block $b
                        try
                            try (call $throw (local.get 0)) delegate $b
                        catch_all
                            (return (i32.const 5))
                        end)
                    (i32.const 1)
                catch_all
                    (i32.const 2)
                end)
            (func (export "here") (param i32) (result i32)
                try (result i32)
                    (throw $a (local.get 0))
                catch $b
                    (unreachable)
                catch $a
                    (i32.mul (i32.const 3))
                end)
            (func (export "unreachable") (param i32) (result i32)
                try (result i32)
                    (br 0 (i32.const 4))
                    try (call $throw (i32.const 0)) catch $a (drop) end
                    try delegate 0
                catch $a
                    (i32.add (i32.const 1))
                catch_all
                    (br 0 (i32.const 9))
                    try catch_all (rethrow 0) end
                end)
            (func (export "after") (param i32) (result i32)
                (drop (call 8 (i32.const 1)))
                try (result i32)
                    (call $throw (local.get 0)) (i32.const 1)
                catch $a
                    (i32.add (i32.const 6))
                end)
            (func (export "mixed") (param i32) (result i32)
                (block $h (result i32)
                    (try_table (result i32) (catch $b $h)
                        try (result i32)
                            (call $throw (local.get 0)) (i32.const 1)
                        catch $a
                            (call $throw (i32.const 1))
                        end))))"#,
        &[
            ("catch", &[i32v(0)], Ok(vec![i32v(110)])),
            ("catch", &[i32v(1)], Ok(vec![i32v(220)])),
            ("catch", &[i32v(2)], Ok(vec![i32v(300)])),
            ("catch", &[i32v(3)], Ok(vec![i32v(1)])),
            ("alone", &[i32v(0)], UNCAUGHT),
            ("alone", &[i32v(3)], Ok(vec![i32v(1)])),
            ("rethrow", &[i32v(0)], Ok(vec![i32v(1010)])),
            ("rethrow", &[i32v(1)], Ok(vec![i32v(2020)])),
            ("rethrow", &[i32v(2)], UNCAUGHT),
            ("outer", &[i32v(0)], Ok(vec![i32v(2020)])),
            ("outer", &[i32v(1)], Ok(vec![i32v(1010)])),
            ("delegate", &[i32v(0)], Ok(vec![i32v(1010)])),
            ("delegate", &[i32v(1)], UNCAUGHT),
            ("delegate_out", &[i32v(0)], UNCAUGHT),
            ("delegate_out", &[i32v(3)], Ok(vec![i32v(1)])),
            ("delegate_block", &[i32v(0)], Ok(vec![i32v(2)])),
            ("delegate_block", &[i32v(3)], Ok(vec![i32v(1)])),
            ("here", &[i32v(7)], Ok(vec![i32v(21)])),
            ("unreachable", &[i32v(7)], Ok(vec![i32v(4)])),
            ("after", &[i32v(0)], Ok(vec![i32v(16)])),
            ("mixed", &[i32v(0)], Ok(vec![i32v(20)])),
            ("mixed", &[i32v(3)], Ok(vec![i32v(1)])),
        ],
    );
}

/// Calls in nests would have tables as large as the product of both.
#[test]
fn the_product_of_calls_and_clauses_is_bounded() {
    let (depth, calls) = (1500, 1500);
    let tags = "(tag)".repeat(depth);
    let open: String = (0..depth).map(|tag| format!("(try_table (catch {tag} 0)\n")).collect();
    let text = format!("(module {tags} (func $f) (func {open} {} {}))", "(call $f)".repeat(calls), ")".repeat(depth));
    let module = module(&text);
    let error = Compiler::new(&SIGNALS.tunables).unwrap().function(&module, 1).unwrap_err();
    assert!(matches!(&error, CompileError::TooLarge(message) if message.contains("too many calls")), "{error}");
}
