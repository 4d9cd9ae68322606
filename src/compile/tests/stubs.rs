//! The stubs: kinds, whole values, traps through host functions, re-entry.

use super::harness::*;
use crate::compile::builtin::Builtin;
use crate::compile::layout::*;
use crate::compile::{CompileError, Compiler, stubs};
use crate::trap::TrapCode;
use crate::types::{FuncType, ValType};
use std::cell::RefCell;

#[repr(C)]
struct ValVec {
    size: usize,
    data: *mut Val,
}

thread_local! {
    static SEEN: RefCell<Vec<Val>> = const { RefCell::new(Vec::new()) };
    static ANSWER: RefCell<(Vec<Val>, u64)> = const { RefCell::new((Vec::new(), 0)) };
    static REENTER: RefCell<Option<(*mut Fake, &'static str)>> = const { RefCell::new(None) };
}

unsafe extern "C" fn plain(args: *const ValVec, results: *mut ValVec) -> u64 {
    // SAFETY: vectors as the stub makes them.
    unsafe {
        let seen =
            if (*args).size == 0 { vec![] } else { std::slice::from_raw_parts((*args).data, (*args).size).to_vec() };
        SEEN.set(seen);
        for i in 0..(*results).size {
            let preset = *(*results).data.add(i);
            assert_eq!((preset.kind & 0xff, preset.of), (u64::from(VAL_KIND_UNSET), 0));
        }
        if let Some((fake, name)) = REENTER.take() {
            let inner = (*fake).call(name, &[]);
            assert_eq!(inner, Err(TrapCode::Unreachable));
        }
        let (answer, trap) = ANSWER.with_borrow(|a| a.clone());
        for (i, val) in answer.iter().enumerate() {
            *(*results).data.add(i) = *val;
        }
        trap
    }
}

unsafe extern "C" fn with_env(env: u64, args: *const ValVec, results: *mut ValVec) -> u64 {
    assert_eq!(env, 0x5eed);
    // SAFETY: as above.
    unsafe { plain(args, results) }
}

fn hosts() -> [Host; 2] {
    [
        Host { callback: plain as *const () as u64, env: None },
        Host { callback: with_env as *const () as u64, env: Some(0x5eed) },
    ]
}

const HOSTS: &str = r#"(module
    (type $t (func (param i32 i64 f32 f64) (result f64 i32)))
    (import "h" "plain" (func $plain (type $t)))
    (import "h" "env" (func $env (type $t)))
    (table 2 funcref) (elem (i32.const 0) func $plain $env)
    (func (export "plain") (type $t) (call $plain (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
    (func (export "env") (type $t) (call $env (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
    (func (export "indirect") (type $t)
        (call_indirect (type $t) (local.get 0) (local.get 1) (local.get 2) (local.get 3) (i32.const 1)))
    (func (export "trap") (unreachable))
    (export "host" (func $plain)))"#;

#[test]
fn host_functions_get_and_give_values() {
    for mode in &ALL {
        let mut fake = Fake::with_imports(HOSTS, mode, &hosts());
        let args = [i32v(-1), i64v(i64::MIN), f32v(-1.5), f64v(2.25)];
        let results = vec![f64v(0.5), i32v(-9)];
        for name in ["plain", "env", "indirect", "host"] {
            ANSWER.set((results.clone(), 0));
            assert_eq!(fake.call(name, &args), Ok(results.clone()), "{name}");
            assert_eq!(SEEN.take(), args, "{name}: whole values, padding included");
        }
    }
}

#[test]
fn traps_of_host_functions_are_raised() {
    for mode in &ALL {
        let mut fake = Fake::with_imports(HOSTS, mode, &hosts());
        let args = [i32v(1), i64v(2), f32v(3.0), f64v(4.0)];
        for name in ["plain", "env", "host"] {
            ANSWER.set((vec![], 0xdead0));
            assert_eq!(fake.call(name, &args), Err(TrapCode::Host));
            assert_eq!(fake.raised_host_trap, 0xdead0);
        }
    }
}

#[test]
fn results_of_the_wrong_kind_are_shown_to_the_helper() {
    let mut fake = Fake::with_imports(HOSTS, &SIGNALS, &hosts());
    let args = [i32v(1), i64v(2), f32v(3.0), f64v(4.0)];
    for (answer, wrong) in [
        (vec![f32v(1.0), i32v(1)], vec![0]),
        (vec![f64v(1.0), i64v(1)], vec![1]),
        (vec![f64v(1.0)], vec![1]),
        (vec![], vec![0, 1]),
        (vec![f64v(1.0), i32v(1)], vec![]),
    ] {
        fake.helpers.clear();
        ANSWER.set((answer, 0));
        assert!(fake.call("plain", &args).is_ok(), "the helper lets it pass");
        let shown: Vec<u64> = fake
            .helpers
            .iter()
            .map(|(b, args)| {
                assert_eq!(*b, Builtin::host_result);
                args[0]
            })
            .collect();
        assert_eq!(shown, wrong);
    }
}

/// A callback that enters again, and the trap inside, do not disturb the activation outside.
#[test]
fn callbacks_enter_again() {
    for mode in &ALL {
        let mut fake = Fake::with_imports(HOSTS, mode, &hosts());
        let args = [i32v(1), i64v(2), f32v(3.0), f64v(4.0)];
        ANSWER.set((vec![f64v(7.0), i32v(8)], 0));
        REENTER.set(Some((&raw mut *fake, "trap")));
        assert_eq!(fake.call("plain", &args), Ok(vec![f64v(7.0), i32v(8)]));
        ANSWER.set((vec![], 0xbad));
        REENTER.set(Some((&raw mut *fake, "trap")));
        assert_eq!(fake.call("plain", &args), Err(TrapCode::Host));
    }
}

#[test]
fn host_functions_look_at_the_stack_too() {
    for mode in &ALL {
        let mut fake = Fake::with_imports(HOSTS, mode, &hosts());
        fake.limit = u64::MAX - 4095;
        let args = [i32v(1), i64v(2), f32v(3.0), f64v(4.0)];
        assert_eq!(fake.call("host", &args), Err(TrapCode::CallStackExhausted));
    }
}

#[test]
fn arguments_of_the_wrong_kind_are_refused_before_anything() {
    let mut fake =
        Fake::new(r#"(module (func (export "f") (param i32 i64 f32 f64 externref funcref) (unreachable)))"#, &SIGNALS);
    let mut right = [i32v(1), i64v(2), f32v(3.0), f64v(4.0), Val { kind: 128, of: 0 }, Val { kind: 129, of: 0 }];
    let func = fake.export("f");
    for wrong in 0..right.len() {
        for kind in [0, 1, 2, 3, 4, 128, 129, u64::from(VAL_KIND_UNSET)] {
            let mut args = right;
            args[wrong].kind = kind;
            let status = fake.enter(func, args.as_ptr().cast(), std::ptr::null_mut(), false);
            if kind == right[wrong].kind {
                assert_eq!((status, fake.trap.take()), (STATUS_TRAP, Some(TrapCode::Unreachable)));
            } else {
                assert_eq!((status, fake.trap.take()), (STATUS_KIND + wrong as u32, None));
            }
        }
    }
    // Only the kind's byte counts.
    right.iter_mut().for_each(|v| v.kind |= 0xabcd_ef00);
    assert_eq!(fake.enter(func, right.as_ptr().cast(), std::ptr::null_mut(), false), STATUS_TRAP);
}

#[test]
fn raw_arrays_may_be_the_same() {
    let mut fake = Fake::new(
        r#"(module (func (export "f") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
            (local.get 3) (local.get 2) (local.get 1) (local.get 0))
            (func (export "none")))"#,
        &SIGNALS,
    );
    let mut values: [[u64; 2]; 4] = [
        [0xffff_ffff_0000_0007, !0],
        [0x1122_3344_5566_7788, !0],
        [0xffff_ffff_0000_0000 | u64::from(1.5f32.to_bits()), !0],
        [2.5f64.to_bits(), !0],
    ];
    let func = fake.export("f");
    let at: *mut u8 = values.as_mut_ptr().cast();
    assert_eq!(fake.enter(func, at, at, true), STATUS_OK);
    let low: Vec<u64> = values.iter().map(|v| v[0]).collect();
    assert_eq!(low, [2.5f64.to_bits(), u64::from(1.5f32.to_bits()), 0x1122_3344_5566_7788, 7]);
    let none = fake.export("none");
    assert_eq!(fake.enter(none, std::ptr::null(), std::ptr::null_mut(), true), STATUS_OK);
}

#[test]
fn v128_does_not_fit_a_val() {
    let mut compiler = Compiler::new(&SIGNALS.tunables).unwrap();
    let ty = FuncType::new([ValType::V128], []);
    let refused = |e: CompileError| assert!(e.to_string().contains("v128"), "{e}");
    refused(stubs::entry_stub(&mut compiler, &ty).unwrap_err());
    refused(stubs::host_stub(&mut compiler, &ty, false).unwrap_err());
    assert!(stubs::entry_stub(&mut compiler, &FuncType::new([ValType::I32], [])).is_ok());
}
