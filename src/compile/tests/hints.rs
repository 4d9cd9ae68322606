//! Branch hints: what is hinted to be rare lies behind all other code, and computes the same.

use super::harness::*;
use crate::trap::TrapCode::{self, IntegerDivideByZero, OutOfBoundsMemoryAccess};

/// A function with two ways: one may trap in a division, the other in a load. `if` divides where the condition holds, `br_if` where
/// it does not.
fn text(hint: &str) -> String {
    format!(
        r#"(module (memory 1)
            (func (export "if") (param i32 i32) (result i32)
                (local.get 0)
                {hint}
                (if (result i32)
                    (then (i32.div_u (i32.const 12) (local.get 1)))
                    (else (i32.load (local.get 1)))))
            (func (export "br_if") (param i32 i32) (result i32)
                (block $load
                    (local.get 0)
                    {hint}
                    (br_if $load)
                    (return (i32.div_u (i32.const 12) (local.get 1))))
                (i32.load (local.get 1))))"#
    )
}

/// The traps of a function, as its code has them one behind the other.
fn order(fake: &Fake, func: usize) -> Vec<TrapCode> {
    let of_ways = |code: &TrapCode| matches!(code, IntegerDivideByZero | OutOfBoundsMemoryAccess);
    fake.codes[func].traps.iter().map(|trap| trap.code).filter(of_ways).collect()
}

#[test]
fn what_is_rare_goes_behind() {
    let taken = r#"(@metadata.code.branch_hint "\01")"#;
    let not_taken = r#"(@metadata.code.branch_hint "\00")"#;
    let divide_first = vec![IntegerDivideByZero, OutOfBoundsMemoryAccess];
    let load_first = vec![OutOfBoundsMemoryAccess, IntegerDivideByZero];
    for (hint, if_order, br_if_order) in [(taken, &divide_first, &load_first), (not_taken, &load_first, &divide_first)]
    {
        let fake = Fake::new(&text(hint), &SIGNALS);
        assert_eq!(order(&fake, 0), *if_order, "if {hint}");
        assert_eq!(order(&fake, 1), *br_if_order, "br_if {hint}");
    }
    for hint in ["", taken, not_taken] {
        for mode in &ALL {
            let mut fake = Fake::new(&text(hint), mode);
            for (name, condition) in [("if", 1), ("br_if", 0)] {
                assert_eq!(fake.call(name, &[i32v(condition), i32v(4)]), Ok(vec![i32v(3)]), "{name} {hint} {mode:?}");
                assert_eq!(
                    fake.call(name, &[i32v(1 - condition), i32v(4)]),
                    Ok(vec![i32v(0)]),
                    "{name} {hint} {mode:?}"
                );
            }
        }
    }
}
