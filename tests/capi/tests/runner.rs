//! The runner of specification scripts must see what is wrong.
//!
//! A runner that passes everything would pass the suite, too. Each script here ends in a directive that is wrong in one way, beside the
//! same one made right: the wrong one must fail for the named reason, and all others must pass.

use tenon_capi_tests::mode::MODES;
use tenon_capi_tests::script::{Outcome, Passed, Runner};

/// What the scripts share.
const PRELUDE: &str = r#"
    (module $m
      (type $nothing (func))
      (table (export "table") 2 2 funcref)
      (memory (export "memory") 1 1)
      (global (export "global") i32 (i32.const 7))
      (elem declare func $one)
      (func $one (export "one") (result i32) i32.const 1)
      (func (export "two") (result i32 i32) i32.const 1 i32.const 2)
      (func (export "i64") (result i64) i64.const 1)
      (func (export "f32") (param i32) (result f32) local.get 0 f32.reinterpret_i32)
      (func (export "f64") (param i64) (result f64) local.get 0 f64.reinterpret_i64)
      (func (export "v128") (param i64 i64) (result v128)
        (i64x2.replace_lane 1 (i64x2.splat (local.get 0)) (local.get 1)))
      (func (export "null") (result funcref) ref.null func)
      (func (export "func") (result funcref) ref.func $one)
      (func (export "divide") (result i32) i32.const 1 i32.const 0 i32.div_s)
      (func (export "undefined") i32.const 9 call_indirect (type $nothing))
      (func $forever (export "forever") call $forever)
    )
    (register "m" $m)
"#;

/// Right directive, wrong directive, part of the message that the wrong one must fail with.
const PAIRS: &[(&str, &str, &str)] = &[
    (
        r#"(assert_return (invoke "one") (i32.const 1))"#,
        r#"(assert_return (invoke "one") (i32.const 2))"#,
        "result 0 is i32 1, expected i32 2",
    ),
    (
        r#"(assert_return (invoke "two") (i32.const 1) (i32.const 2))"#,
        r#"(assert_return (invoke "two") (i32.const 1))"#,
        "2 results, expected 1",
    ),
    (
        r#"(assert_return (invoke "two") (i32.const 1) (i32.const 2))"#,
        r#"(assert_return (invoke "two") (i32.const 1) (i32.const 1))"#,
        "result 1 is i32 2",
    ),
    (
        r#"(assert_return (invoke "i64") (i64.const 1))"#,
        r#"(assert_return (invoke "i64") (i32.const 1))"#,
        "result 0 is i64 1, expected i32 1",
    ),
    (
        r#"(assert_return (invoke "f32" (i32.const 0x80000000)) (f32.const -0))"#,
        r#"(assert_return (invoke "f32" (i32.const 0x80000000)) (f32.const 0))"#,
        "f32 -0 (0x80000000)",
    ),
    (
        r#"(assert_return (invoke "f32" (i32.const 0xffc00000)) (f32.const nan:canonical))"#,
        r#"(assert_return (invoke "f32" (i32.const 0xffc00001)) (f32.const nan:canonical))"#,
        "CanonicalNan",
    ),
    (
        r#"(assert_return (invoke "f32" (i32.const 0xffc00001)) (f32.const nan:arithmetic))"#,
        r#"(assert_return (invoke "f32" (i32.const 0xff800001)) (f32.const nan:arithmetic))"#,
        "ArithmeticNan",
    ),
    (
        r#"(assert_return (invoke "f32" (i32.const 0x7fc00000)) (f32.const nan:arithmetic))"#,
        r#"(assert_return (invoke "f32" (i32.const 0x7f800000)) (f32.const nan:arithmetic))"#,
        "ArithmeticNan",
    ),
    (
        r#"(assert_return (invoke "f64" (i64.const 0x7ff8000000000000)) (f64.const nan:canonical))"#,
        r#"(assert_return (invoke "f64" (i64.const 0x7ff0000000000000)) (f64.const nan:canonical))"#,
        "CanonicalNan",
    ),
    (
        r#"(assert_return (invoke "f64" (i64.const 0xfff8000000000001)) (f64.const nan:arithmetic))"#,
        r#"(assert_return (invoke "f64" (i64.const 0xfff0000000000001)) (f64.const nan:arithmetic))"#,
        "ArithmeticNan",
    ),
    (
        r#"(assert_return (invoke "f64" (i64.const 0x3ff0000000000000)) (f64.const 1))"#,
        r#"(assert_return (invoke "f64" (i64.const 0x3ff0000000000001)) (f64.const 1))"#,
        "expected f64 1",
    ),
    (
        r#"(assert_return (invoke "v128" (i64.const 1) (i64.const 2)) (v128.const i64x2 1 2))"#,
        r#"(assert_return (invoke "v128" (i64.const 1) (i64.const 3)) (v128.const i64x2 1 2))"#,
        "v128 0x00000000000000030000000000000001",
    ),
    (
        r#"(assert_return (invoke "v128" (i64.const 1) (i64.const 0)) (v128.const i8x16 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0))"#,
        r#"(assert_return (invoke "v128" (i64.const 1) (i64.const 0)) (v128.const i8x16 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1))"#,
        "expected V128(I8x16",
    ),
    (
        r#"(assert_return (invoke "v128" (i64.const 0x0002000000000001) (i64.const 0)) (v128.const i16x8 1 0 0 2 0 0 0 0))"#,
        r#"(assert_return (invoke "v128" (i64.const 0x0002000000000001) (i64.const 0)) (v128.const i16x8 1 0 2 0 0 0 0 0))"#,
        "expected V128(I16x8",
    ),
    (
        r#"(assert_return (invoke "v128" (i64.const -1) (i64.const 1)) (v128.const i32x4 -1 -1 1 0))"#,
        r#"(assert_return (invoke "v128" (i64.const -1) (i64.const 1)) (v128.const i32x4 -1 -1 0 1))"#,
        "expected V128(I32x4",
    ),
    (
        r#"(assert_return (invoke "v128" (i64.const 0xffc0000080000000) (i64.const 0x7fc0000100000000))
            (v128.const f32x4 -0 nan:canonical 0 nan:arithmetic))"#,
        r#"(assert_return (invoke "v128" (i64.const 0xffc0000080000000) (i64.const 0x7fc0000100000000))
            (v128.const f32x4 -0 nan:canonical 0 nan:canonical))"#,
        "CanonicalNan",
    ),
    (
        r#"(assert_return (invoke "v128" (i64.const 0x3ff0000000000000) (i64.const 0x7ff8000000000001))
            (v128.const f64x2 1 nan:arithmetic))"#,
        r#"(assert_return (invoke "v128" (i64.const 0x3ff0000000000000) (i64.const 0x7ff0000000000001))
            (v128.const f64x2 1 nan:arithmetic))"#,
        "ArithmeticNan",
    ),
    (
        r#"(assert_return (invoke "null") (ref.null func))"#,
        r#"(assert_return (invoke "null") (ref.null extern))"#,
        "FuncRef null",
    ),
    (r#"(assert_return (invoke "func") (ref.func))"#, r#"(assert_return (invoke "null") (ref.func))"#, "FuncRef null"),
    (
        r#"(assert_return (invoke "one") (either (i32.const 0) (i32.const 1)))"#,
        r#"(assert_return (invoke "one") (either (i32.const 0) (i32.const 2)))"#,
        "result 0 is i32 1",
    ),
    (
        r#"(assert_return (get "global") (i32.const 7))"#,
        r#"(assert_return (get "global") (i32.const 8))"#,
        "result 0 is i32 7",
    ),
    (
        r#"(assert_return (get $m "global") (i32.const 7))"#,
        r#"(assert_return (get $m "one") (i32.const 7))"#,
        "no global",
    ),
    (r#"(invoke "one")"#, r#"(invoke "three")"#, "no export"),
    (r#"(invoke "one")"#, r#"(invoke "divide")"#, "trapped"),
    (r#"(invoke "one")"#, r#"(invoke "table")"#, "no function"),
    (r#"(invoke $m "one")"#, r#"(invoke $n "one")"#, "no instance"),
    (
        r#"(assert_return (invoke "one") (i32.const 1))"#,
        r#"(assert_return (invoke "divide") (i32.const 1))"#,
        "trapped: integer divide by zero",
    ),
    (
        r#"(assert_trap (invoke "divide") "integer divide by zero")"#,
        r#"(assert_trap (invoke "divide") "integer overflow")"#,
        r#"expected "integer overflow""#,
    ),
    (
        r#"(assert_trap (invoke "undefined") "undefined element")"#,
        r#"(assert_trap (invoke "one") "undefined element")"#,
        "returned (i32 1)",
    ),
    (
        r#"(assert_exhaustion (invoke "forever") "call stack exhausted")"#,
        r#"(assert_exhaustion (invoke "divide") "call stack exhausted")"#,
        "integer divide by zero",
    ),
    (
        r#"(assert_trap (module (func $f unreachable) (start $f)) "unreachable")"#,
        r#"(assert_trap (module (func $f) (start $f)) "unreachable")"#,
        "returned ()",
    ),
    (
        r#"(assert_invalid (module (func (result i32))) "type mismatch")"#,
        r#"(assert_invalid (module (func)) "type mismatch")"#,
        "the module was accepted",
    ),
    (
        r#"(assert_malformed (module binary "\00asm\01\00\00\00\01") "unexpected end")"#,
        r#"(assert_malformed (module binary "\00asm\01\00\00\00") "unexpected end")"#,
        "the module was accepted",
    ),
    (
        r#"(assert_malformed (module quote "(func $f) (func $f)") "duplicate func")"#,
        r#"(assert_malformed (module quote "(func $f)") "duplicate func")"#,
        "the module was accepted",
    ),
    (
        r#"(assert_unlinkable (module (import "m" "one" (func))) "incompatible import type")"#,
        r#"(assert_unlinkable (module (import "m" "one" (func (result i32)))) "incompatible import type")"#,
        "instantiated",
    ),
    (
        r#"(assert_unlinkable (module (import "m" "one" (memory 1))) "incompatible import type")"#,
        r#"(assert_unlinkable (module (import "m" "one" (memory 1))) "unknown import")"#,
        r#"expected "unknown import""#,
    ),
    (
        r#"(assert_unlinkable (module (import "m" "three" (func))) "unknown import")"#,
        r#"(assert_unlinkable (module (import "m" "three" (func))) "incompatible import type")"#,
        r#"expected "incompatible import type""#,
    ),
    (r#"(module (import "m" "one" (func (result i32))))"#, r#"(module (import "m" "one" (func)))"#, "not instantiated"),
    (r#"(module (func))"#, r#"(module (func (result i32)))"#, "refused"),
    (r#"(module quote "(func)")"#, r#"(module quote "(func")"#, "quoted text"),
    // Refused for another reason than the script's.
    (
        r#"(assert_invalid (module (func (result i32))) "type mismatch")"#,
        r#"(assert_invalid (module (func (result i32))) "unknown type")"#,
        "expected \"unknown type\"",
    ),
    (
        r#"(assert_malformed (module binary "\00asm\01\00\00\00\01") "unexpected end")"#,
        r#"(assert_malformed (module binary "\00asm\01\00\00\00\01") "zero byte expected")"#,
        "expected \"zero byte expected\"",
    ),
    (
        r#"(assert_malformed (module quote "(func (i32.const 0x100000000))") "constant out of range")"#,
        r#"(assert_malformed (module quote "(func (i32.const 0x100000000))") "wrong number of lane indices")"#,
        "expected \"wrong number of lane indices\"",
    ),
    (r#"(module definition $d (func))"#, r#"(module instance $i $e)"#, "no module definition"),
    (r#"(register "n" $m)"#, r#"(register "n" $n)"#, "no instance"),
];

/// Host references: each script is whole, and its last directive is wrong.
const HOST_REFERENCES: &[(&str, &str)] = &[
    (r#"(assert_return (invoke "same" (ref.extern 1)) (ref.extern 2))"#, "expected RefExtern"),
    (r#"(assert_return (invoke "same" (ref.extern 0)) (ref.null extern))"#, "ExternRef with host info 0x1"),
    (r#"(assert_return (invoke "same" (ref.null extern)) (ref.extern 0))"#, "ExternRef null"),
    (r#"(assert_return (invoke "same" (ref.null extern)) (ref.extern))"#, "ExternRef null"),
];

/// Runs a script and gives each directive's outcome.
fn run(script: &str) -> Vec<Outcome> {
    let mut runner = Runner::new(MODES[0]);
    directives(script).map(|directive| runner.run(directive)).collect()
}

fn directives(script: &str) -> impl Iterator<Item = wast::WastDirective<'static>> {
    let script: &'static str = String::from(script).leak();
    let buffer = wast::parser::ParseBuffer::new(script).expect("the script is text");
    let parsed = wast::parser::parse::<wast::Wast<'_>>(Box::leak(Box::new(buffer))).expect("the script parses");
    parsed.directives.into_iter()
}

/// All outcomes but the last must be passes, and the last must fail with the message.
fn check(script: &str, message: &str) {
    let mut outcomes = run(script);
    let last = outcomes.pop().expect("the script has directives");
    for (index, outcome) in outcomes.iter().enumerate() {
        assert!(outcome.is_ok(), "directive {index} of {script}: {outcome:?}");
    }
    let error = last.expect_err(&format!("the last directive is wrong, and the runner must see it: {script}"));
    assert!(error.contains(message), "{script}: {error:?} does not say {message:?}");
}

#[test]
fn wrong_directives_fail_and_right_ones_pass() {
    for (right, wrong, message) in PAIRS {
        check(&format!("{PRELUDE} {right} {wrong}"), message);
    }
    println!("{} pairs of a right and a wrong directive", PAIRS.len());
}

#[test]
fn wrong_host_references_fail() {
    let module = r#"(module (func (export "same") (param externref) (result externref) local.get 0))"#;
    let right = r#"
        (assert_return (invoke "same" (ref.extern 1)) (ref.extern 1))
        (assert_return (invoke "same" (ref.extern 0)) (ref.extern))
        (assert_return (invoke "same" (ref.null extern)) (ref.null extern))
    "#;
    for (wrong, message) in HOST_REFERENCES {
        check(&format!("{module} {right} {wrong}"), message);
    }
}

#[test]
fn instances_of_a_definition_are_apart() {
    let outcomes = run(r#"
        (module definition $counter
          (global $count (mut i32) (i32.const 0))
          (func (export "next") (result i32)
            (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (global.get $count)))
        (module instance $a $counter)
        (module instance $b $counter)
        (assert_return (invoke $a "next") (i32.const 1))
        (assert_return (invoke $a "next") (i32.const 2))
        (assert_return (invoke $b "next") (i32.const 1))
        (assert_return (invoke "next") (i32.const 2))
    "#);
    assert_eq!(outcomes, vec![Ok(Passed::Library); 7]);
}

#[test]
fn a_directive_that_the_runner_lacks_fails() {
    check(r#"(module) (assert_suspension (invoke "f") "suspended")"#, "no such directive");
}

/// Threads that wait for each other: if they ran one after the other, the script would not end.
#[test]
fn threads_run_at_the_same_time_and_wrong_ones_fail() {
    let script = |number: &str| {
        format!(
            r#"
        (module $m (memory (export "memory") 1 1 shared))
        (register "m" $m)
        (thread $first (shared (module $m))
          (register "m" $m)
          (module (import "m" "memory" (memory 1 1 shared))
            (func (export "run") (result i32)
              (i32.atomic.store (i32.const 0) (i32.const 1))
              (drop (memory.atomic.notify (i32.const 0) (i32.const 9)))
              (loop (drop (memory.atomic.wait32 (i32.const 4) (i32.const 0) (i64.const -1)))
                (br_if 0 (i32.eqz (i32.atomic.load (i32.const 4)))))
              (i32.atomic.load (i32.const 4))))
          (assert_return (invoke "run") (i32.const {number})))
        (thread $second (shared (module $m))
          (register "m" $m)
          (module (import "m" "memory" (memory 1 1 shared))
            (func (export "run")
              (loop (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
                (br_if 0 (i32.eqz (i32.atomic.load (i32.const 0)))))
              (i32.atomic.store (i32.const 4) (i32.const 2))
              (drop (memory.atomic.notify (i32.const 4) (i32.const 9)))))
          (invoke "run"))
        (wait $second)
        (wait $first)"#
        )
    };
    assert_eq!(run(&script("2")), vec![Ok(Passed::Library); 6]);
    check(&script("3"), "directive 2 of thread $first: result 0 is i32 2, expected i32 3");
    check(r#"(module) (wait $nobody)"#, "no thread $nobody");
    check(r#"(module $m (memory (export "m") 1)) (thread $t (shared (module $m)))"#, "is not shared");
}

#[test]
fn a_module_that_the_library_does_not_see_fails() {
    check(r#"(assert_invalid (module (func (br $nowhere))) "unknown label")"#, "before the library could");
}

#[test]
fn a_directive_that_expects_no_words_fails() {
    for directive in [
        r#"(assert_invalid (module (func (result i32))) "")"#,
        r#"(assert_malformed (module quote "(func") "")"#,
        r#"(assert_trap (module (func $f unreachable) (start $f)) "")"#,
        r#"(assert_unlinkable (module (import "no" "where" (func))) "")"#,
    ] {
        check(directive, r#"expected """#);
    }
}

/// What a newer script expects of the same module counts, too, but is told apart.
#[test]
fn words_of_newer_scripts_are_told_apart() {
    let script = r#"(assert_malformed (module quote "(memory -1)") "i64 constant") (assert_malformed (module quote "(memory -2)") "i64 constant")"#;
    let mut runner = Runner::new(MODES[0])
        .with_newer(|module| if module.contains(&b'1') { vec!["unexpected token".into()] } else { Vec::new() });
    let mut outcomes = directives(script).map(|directive| runner.run(directive));
    assert_eq!(outcomes.next(), Some(Ok(Passed::RefusedInNewerWords)));
    let refused = outcomes.next().expect("two directives").expect_err("nothing newer speaks of it");
    assert!(refused.contains("unexpected token"), "{refused}");
    let renamed = run(
        r#"(assert_malformed (module quote "(func (i8x16.extract_lane_s 256 (unreachable)))") "malformed lane index")"#,
    );
    assert_eq!(renamed, [Ok(Passed::RefusedInNewerWords)]);
}
