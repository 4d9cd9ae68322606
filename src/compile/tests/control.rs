//! Blocks, branches, unreachable code, locals.

use super::harness::*;
use crate::trap::TrapCode;

fn check(wat: &str, calls: &[(&str, &[Val], Outcome)]) {
    for tunables in &ALL {
        let mut fake = Fake::new(wat, tunables);
        for (name, args, expected) in calls {
            assert_eq!(fake.call(name, args), *expected, "{name} {args:?} with {tunables:?}");
        }
    }
}

#[test]
fn blocks_loops_and_ifs() {
    check(
        r#"(module
            (func (export "sum") (param i32) (result i32) (local i32)
                (block $out
                    (loop $again
                        (br_if $out (i32.eqz (local.get 0)))
                        (local.set 1 (i32.add (local.get 1) (local.get 0)))
                        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                        (br $again)))
                (local.get 1))
            (func (export "pick") (param i32) (result i32)
                (if (result i32) (local.get 0) (then (i32.const 10)) (else (i32.const 20))))
            (func (export "only") (param i32) (result i32) (local i32)
                (if (local.get 0) (then (local.set 1 (i32.const 7))))
                (local.get 1))
            (func (export "multi") (param i64 f64) (result f64 i64)
                (local.get 0) (local.get 1)
                (block (param i64 f64) (result f64 i64)
                    (local.set 1) (local.set 0)
                    (f64.add (local.get 1) (f64.const 1)) (i64.add (local.get 0) (i64.const 1))))
            (func (export "loop_params") (param i32) (result i32)
                (i32.const 1)
                (loop $again (param i32) (result i32)
                    (i32.mul (local.get 0))
                    (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                    (br_if $again (local.get 0))))
            (func (export "if_params") (param i32) (result i32)
                (i32.const 5)
                (if (param i32) (result i32) (local.get 0)
                    (then (i32.add (i32.const 1))) (else (i32.mul (i32.const 3)))))
            (func (export "if_params_no_else") (param i32) (result i32)
                (i32.const 5)
                (if (param i32) (result i32) (local.get 0) (then (i32.add (i32.const 1)))))
        )"#,
        &[
            ("sum", &[i32v(100)], Ok(vec![i32v(5050)])),
            ("pick", &[i32v(1)], Ok(vec![i32v(10)])),
            ("pick", &[i32v(0)], Ok(vec![i32v(20)])),
            ("only", &[i32v(0)], Ok(vec![i32v(0)])),
            ("only", &[i32v(9)], Ok(vec![i32v(7)])),
            ("multi", &[i64v(-1), f64v(2.5)], Ok(vec![f64v(3.5), i64v(0)])),
            ("loop_params", &[i32v(5)], Ok(vec![i32v(120)])),
            ("if_params", &[i32v(1)], Ok(vec![i32v(6)])),
            ("if_params", &[i32v(0)], Ok(vec![i32v(15)])),
            ("if_params_no_else", &[i32v(1)], Ok(vec![i32v(6)])),
            ("if_params_no_else", &[i32v(0)], Ok(vec![i32v(5)])),
        ],
    );
}
