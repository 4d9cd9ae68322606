//! Blocks, branches, unreachable code, locals.

use super::harness::*;
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

#[test]
fn branches_carry_values() {
    check(
        r#"(module
            (func (export "br_if") (param i32) (result i32)
                (block (result i32)
                    (drop (br_if 0 (i32.const 11) (local.get 0)))
                    (i32.const 22)))
            (func (export "table") (param i32) (result i32)
                (block $d (block $c (block $b (block $a
                    (br_table $a $b $a $c $d (local.get 0)))
                    (return (i32.const 1)))
                    (return (i32.const 2)))
                    (return (i32.const 3)))
                (i32.const 4))
            (func (export "table_values") (param i32) (result i32)
                (block $b (result i32)
                    (i32.add (i32.const 100)
                        (block $a (result i32)
                            (br_table $a $b $a (i32.const 5) (local.get 0))))))
            (func (export "table_to_loop") (param i32) (result i32) (local i32)
                (block $out
                    (loop $again
                        (local.set 1 (i32.add (local.get 1) (i32.const 1)))
                        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
                        (br_table $out $again $again $again (local.get 0))))
                (local.get 1))
            (func (export "table_to_loop_params") (param i32) (result i32)
                (i32.const 0)
                (loop $again (param i32) (result i32)
                    (i32.add (i32.const 3))
                    (block $out (param i32) (result i32)
                        (br_table $out $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))
            (func (export "empty_table") (param i32) (result i32)
                (block $a (result i32) (br_table $a (i32.const 8) (local.get 0))))
            (func (export "select") (param i64 i64 i32) (result i64)
                (select (local.get 0) (local.get 1) (local.get 2)))
            (func (export "select_float") (param f32 f32 i32) (result f32)
                (select (result f32) (local.get 0) (local.get 1) (local.get 2)))
            (func (export "select_ref") (param i32) (result i32)
                (ref.is_null (select (result funcref) (ref.null func) (ref.func 0) (local.get 0))))
            (elem declare func 0)
        )"#,
        &[
            ("br_if", &[i32v(1)], Ok(vec![i32v(11)])),
            ("br_if", &[i32v(0)], Ok(vec![i32v(22)])),
            ("table", &[i32v(0)], Ok(vec![i32v(1)])),
            ("table", &[i32v(1)], Ok(vec![i32v(2)])),
            ("table", &[i32v(2)], Ok(vec![i32v(1)])),
            ("table", &[i32v(3)], Ok(vec![i32v(3)])),
            ("table", &[i32v(4)], Ok(vec![i32v(4)])),
            ("table", &[i32v(-1)], Ok(vec![i32v(4)])),
            ("table_values", &[i32v(0)], Ok(vec![i32v(105)])),
            ("table_values", &[i32v(1)], Ok(vec![i32v(5)])),
            ("table_values", &[i32v(77)], Ok(vec![i32v(105)])),
            ("table_to_loop", &[i32v(4)], Ok(vec![i32v(4)])),
            ("table_to_loop_params", &[i32v(6)], Ok(vec![i32v(18)])),
            ("empty_table", &[i32v(9)], Ok(vec![i32v(8)])),
            ("select", &[i64v(1), i64v(2), i32v(-1)], Ok(vec![i64v(1)])),
            ("select", &[i64v(1), i64v(2), i32v(0)], Ok(vec![i64v(2)])),
            ("select_float", &[f32v(1.0), f32v(2.0), i32v(0)], Ok(vec![f32v(2.0)])),
            ("select_ref", &[i32v(1)], Ok(vec![i32v(1)])),
            ("select_ref", &[i32v(0)], Ok(vec![i32v(0)])),
        ],
    );
}

#[test]
fn what_is_not_reached_is_skipped() {
    check(
        r#"(module
            (func (export "after_return") (result i32)
                (return (i32.const 1))
                (if (result i32) (i32.const 0) (then (block (loop (br 0))) (i32.const 2)) (else (i32.const 3)))
                (i32.add) (drop) (i32.const 4))
            (func (export "after_br") (result i32)
                (block (result i32) (br 0 (i32.const 5)) (br_table 0 0 (i32.const 1)) (select) (i64.const 1) (drop)))
            (func (export "both_arms") (param i32) (result i32)
                (if (local.get 0) (then (return (i32.const 6))) (else (return (i32.const 7))))
                (i32.const 8))
            (func (export "dead_then") (param i32) (result i32)
                (if (result i32) (local.get 0) (then (unreachable)) (else (i32.const 9))))
            (func (export "dead_if") (result i32)
                (block $out (result i32)
                    (br $out (i32.const 10))
                    (if (result i32) (then (i32.const 1)) (else (i32.const 2)))))
            (func (export "endless") (param i32) (result i32)
                (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (loop $l (result i32) (if (local.get 0) (then (br $l))) (return (i32.const 11))))
            (func (export "traps") (unreachable))
        )"#,
        &[
            ("after_return", &[], Ok(vec![i32v(1)])),
            ("after_br", &[], Ok(vec![i32v(5)])),
            ("both_arms", &[i32v(1)], Ok(vec![i32v(6)])),
            ("both_arms", &[i32v(0)], Ok(vec![i32v(7)])),
            ("dead_then", &[i32v(0)], Ok(vec![i32v(9)])),
            ("dead_then", &[i32v(1)], Err(TrapCode::Unreachable)),
            ("dead_if", &[], Ok(vec![i32v(10)])),
            ("endless", &[i32v(1000)], Ok(vec![i32v(11)])),
            ("traps", &[], Err(TrapCode::Unreachable)),
        ],
    );
}

#[test]
fn locals_begin_with_zero() {
    check(
        r#"(module (func (export "f") (param i32) (result i32 i64 f32 f64 i32)
            (local i32 i64 f32 f64 externref)
            (local.get 1) (local.get 2) (local.get 3) (local.get 4) (ref.is_null (local.get 5))))"#,
        &[("f", &[i32v(7)], Ok(vec![i32v(0), i64v(0), f32v(0.0), f64v(0.0), i32v(1)]))],
    );
}

/// A trap is at the operator that traps, its callers at their calls.
#[test]
fn positions_are_the_operators() {
    for mode in &ALL {
        let mut fake = Fake::new(
            r#"(module
                (memory 1)
                (table 2 funcref)
                (elem (i32.const 0) func $middle)
                (func $inner (param i32 i32) (result i32)
                    (block
                        (block
                            (block
                                (br_table 0 1 2 (local.get 0)))
                            (drop (i32.div_s (i32.const 1) (local.get 1))))
                        (drop (i32.load offset=1000 (local.get 1)))
                        (drop (i32.trunc_f64_s (f64.const nan))))
                    (unreachable))
                (func $middle (param i32 i32) (result i32)
                    (i32.mul (call $inner (local.get 0) (local.get 1)) (i32.const 3)))
                (func (export "outer") (param i32 i32) (result i32)
                    (call_indirect (param i32 i32) (result i32) (local.get 0) (local.get 1) (i32.const 0))))"#,
            mode,
        );
        let (unreachable, call, call_indirect, load, div_s, trunc) = (0x00, 0x10, 0x11, 0x28, 0x6d, 0xaa);
        for (which, operand, code, opcode) in [
            (0, 0, TrapCode::IntegerDivideByZero, div_s),
            (1, -1, TrapCode::OutOfBoundsMemoryAccess, load),
            (1, 0, TrapCode::InvalidConversionToInteger, trunc),
            (2, 0, TrapCode::Unreachable, unreachable),
        ] {
            assert_eq!(fake.call("outer", &[i32v(which), i32v(operand)]), Err(code), "{mode:?}");
            assert_eq!(fake.stopped_at(), [(0, opcode), (1, call), (2, call_indirect)], "{code:?} {mode:?}");
        }
    }
}

/// What is not compiled is named, and the compiler can be used again.
#[test]
fn what_is_not_supported_is_named() {
    let mut module = module("(module (func (param i32) (result i32) (local.get 0)) (func nop nop))");
    // Validation lets nothing through that is not compiled: `suspend 0` takes the place of what it has seen.
    let mut bytes = module.bytes.to_vec();
    let nops = module.bodies[1].end as usize - 3;
    assert_eq!(bytes[nops..], [0x01, 0x01, 0x0b]);
    bytes[nops..nops + 2].copy_from_slice(&[0xe2, 0x00]);
    module.bytes = bytes.into();
    let mut compiler = Compiler::new(&SIGNALS.tunables).unwrap();
    let Err(CompileError::NotSupported { what, module_offset }) = compiler.function(&module, 1) else {
        panic!("the function is compiled")
    };
    assert_eq!((what.as_str(), module_offset), ("suspend", Some(nops as u32)));
    assert!(compiler.function(&module, 0).is_ok());
}
