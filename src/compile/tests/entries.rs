//! Calls through tables that never change.

use super::harness::*;
use crate::compile::builtin::Builtin;
use crate::trap::TrapCode;

fn ok(value: i32) -> Outcome {
    Ok(vec![i32v(value)])
}

/// Every way in which an element is not what a call wants, for tables of both sorts of indices, the second one of the module.
#[test]
fn entries_are_checked() {
    for mode in &ALL {
        for (index, get) in [("", "(local.get 0)"), ("i64", "(i64.extend_i32_s (local.get 0))")] {
            let wat = format!(
                r#"(module
                    (type $t (func (param i32) (result i32)))
                    (type $other (func (param i64)))
                    (type $same (func (param i32) (result i32)))
                    (table 3 3 funcref) (elem (table 0) (i32.const 0) func $other $other)
                    (table $t {index} 5 funcref)
                    (elem (table $t) ({}.const 1) func $double $other $triple)
                    (func $double (type $t) (i32.mul (local.get 0) (i32.const 2)))
                    (func $triple (type $same) (i32.mul (local.get 0) (i32.const 3)))
                    (func $other (type $other))
                    (func (export "call") (param i32 i32) (result i32)
                        (call_indirect $t (type $same) (local.get 1) {get}))
                    (func (export "tail") (param i32 i32) (result i32)
                        (return_call_indirect $t (type $t) (local.get 1) {get}))
                    (func (export "get") (param i32 i32) (result i32) (ref.is_null (table.get $t {get}))))"#,
                if index.is_empty() { "i32" } else { index },
            );
            let mut fake = Fake::new(&wat, mode);
            assert!(fake.module.constant_table(1).is_some());
            for name in ["call", "tail"] {
                assert_eq!(fake.call(name, &[i32v(1), i32v(21)]), ok(42), "{mode:?}");
                assert_eq!(fake.call(name, &[i32v(3), i32v(21)]), ok(63));
                assert_eq!(fake.call(name, &[i32v(2), i32v(1)]), Err(TrapCode::IndirectCallTypeMismatch));
                for null in [0, 4] {
                    assert_eq!(fake.call(name, &[i32v(null), i32v(1)]), Err(TrapCode::UninitializedElement));
                    assert_eq!(fake.helpers.last(), Some(&(Builtin::raise_uninitialized, vec![null as u64])));
                }
                for outside in [5, 6, i32::MAX, i32::MIN, -1] {
                    let call = fake.call(name, &[i32v(outside), i32v(1)]);
                    assert_eq!(call, Err(TrapCode::UndefinedElement), "{outside} {mode:?}");
                }
            }
            assert!(!fake.helpers.iter().any(|(helper, _)| *helper == Builtin::table_get_lazy), "nothing is looked up");
            assert_eq!(fake.call("get", &[i32v(4), i32v(0)]), ok(1));
        }
    }
}

/// Where all elements have the type, it is not looked at; what is outside still traps.
#[test]
fn entries_of_one_type() {
    for mode in &ALL {
        let mut fake = Fake::new(
            r#"(module
                (table 2 funcref) (elem (i32.const 0) $one $two)
                (func $one (result i32) (i32.const 1)) (func $two (result i32) (i32.const 2))
                (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0)))
                (func (export "never") (param i32) (result i32) (call_indirect (param i32) (result i32) (i32.const 1) (local.get 0))))"#,
            mode,
        );
        assert_eq!(fake.call("call", &[i32v(0)]), ok(1));
        assert_eq!(fake.call("call", &[i32v(1)]), ok(2));
        assert_eq!(fake.call("call", &[i32v(2)]), Err(TrapCode::UndefinedElement));
        assert_eq!(fake.call("never", &[i32v(0)]), Err(TrapCode::IndirectCallTypeMismatch));
        assert_eq!(fake.call("never", &[i32v(-1)]), Err(TrapCode::UndefinedElement));
    }
}

/// A type with others below it accepts those.
#[test]
fn entries_of_types_below() {
    let wat = r#"(module
        (rec (type $base (sub (func (result i32)))) (type $below (sub $base (func (result i32)))))
        (type $apart (func (result i32)))
        (table $one 3 funcref) (elem (table $one) (i32.const 0) func $b $f)
        (table $two 3 funcref) (elem (table $two) (i32.const 0) func $a $b)
        (func $a (type $base) (i32.const 1)) (func $b (type $below) (i32.const 2)) (func $f (type $apart) (i32.const 3))
        (func (export "one") (param i32) (result i32) (call_indirect $one (type $base) (local.get 0)))
        (func (export "two") (param i32) (result i32) (call_indirect $two (type $base) (local.get 0)))
        (func (export "below") (param i32) (result i32) (call_indirect $two (type $below) (local.get 0))))"#;
    for mode in &ALL {
        let mut fake = Fake::new(wat, mode);
        let mismatch = || Err(TrapCode::IndirectCallTypeMismatch);
        assert_eq!(
            [0, 1, 2].map(|i| fake.call("one", &[i32v(i)])),
            [ok(2), mismatch(), Err(TrapCode::UninitializedElement)]
        );
        // Of several types below, a helper decides: here it says no.
        assert_eq!([0, 1].map(|i| fake.call("two", &[i32v(i)])), [ok(1), mismatch()]);
        assert!(fake.helpers.iter().any(|(helper, _)| *helper == Builtin::func_type_matches));
        assert_eq!([0, 1].map(|i| fake.call("below", &[i32v(i)])), [mismatch(), ok(2)]);
    }
}

/// A constant index is a direct call, and inlined like one.
#[test]
fn known_elements_are_functions() {
    let wat = r#"(module
        (type $t (func (param i32) (result i32)))
        (table 3 funcref) (elem (i32.const 1) $inc)
        (func $inc (type $t) (i32.add (local.get 0) (i32.const 1)))
        (func $apply (param i32 i32) (result i32) (call_indirect (type $t) (local.get 1) (local.get 0)))
        (func (export "known") (param i32) (result i32) (call $apply (i32.const 1) (local.get 0)))
        (func (export "tail") (param i32) (result i32) (return_call_indirect (type $t) (local.get 0) (i32.const 1)))
        (func (export "null") (param i32) (result i32) (call_indirect (type $t) (local.get 0) (i32.const 2)))
        (func (export "outside") (param i32) (result i32) (call_indirect (type $t) (local.get 0) (i32.const -1)))
        (func (export "mismatch") (param i32) (result i32) (call_indirect (result i32) (i32.const 1))))"#;
    for mode in &ALL {
        let mut fake = Fake::new(wat, mode);
        assert_eq!(fake.call("known", &[i32v(5)]), ok(6));
        assert_eq!(fake.call("tail", &[i32v(6)]), ok(7));
        assert_eq!(fake.call("null", &[i32v(6)]), Err(TrapCode::UninitializedElement));
        assert_eq!(fake.call("outside", &[i32v(6)]), Err(TrapCode::UndefinedElement));
        assert_eq!(fake.call("mismatch", &[i32v(6)]), Err(TrapCode::IndirectCallTypeMismatch));
    }
    assert_eq!(Fake::new(wat, &SIGNALS).codes[2].inlined.len(), 2);
}
