//! `v128` at the boundary: it crosses as a raw value, and elsewhere it is refused with a message.

use std::ptr;

use tenon_capi_tests::error::{self, Error};
use tenon_capi_tests::object::{Config, Engine, Extern, Func, Instance, Module, Store};
use tenon_capi_tests::types::{FuncType, ValType};
use tenon_capi_tests::val::Val;
use tenon_capi_tests::{sys, vector};

fn store() -> Store {
    Store::new(&Engine::new(Config::new()))
}

fn exports(store: &Store, text: &str, imports: &[Option<&Extern>]) -> Vec<Extern> {
    let binary = error::wat2wasm(text.as_bytes()).expect("the text is right");
    let module = Module::new(store, &binary).expect("the module is valid");
    Instance::new(store, &module, imports).expect("the imports fit").exports()
}

/// The error that the last call left.
fn failure() -> (u32, String) {
    let error = Error::take_last().expect("a failure leaves an error");
    (error.kind(), error.message())
}

const A: u128 = 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100;
const B: u128 = 0xfff0_ffe0_ffd0_ffc0_ffb0_ffa0_ff90_ff80;

#[test]
fn host_functions_take_and_give_vectors() {
    let store = store();
    let ty = FuncType::new(
        &[ValType::I32, ValType::V128, ValType::F64, ValType::V128],
        &[ValType::V128, ValType::I64, ValType::V128],
    );
    let host = Func::new_raw(
        &store,
        &ty,
        Box::new(|args| match args {
            [Val::I32(n), Val::V128(a), Val::F64(x), Val::V128(b)] => {
                Ok(vec![Val::V128(*b), Val::I64(i64::from(*n) + f64::from_bits(*x) as i64), Val::V128(!*a)])
            }
            other => Err(format!("called with {other:?}")),
        }),
    );
    let signature = "(param i32 v128 f64 v128) (result v128 i64 v128)";
    let text = format!(
        "(module (import \"\" \"\" (func $host {signature}))
            (func (export \"f\") {signature}
                (call $host (local.get 0) (local.get 1) (local.get 2) (local.get 3))))"
    );
    let import = host.to_extern();
    let through = exports(&store, &text, &[Some(&import)]).pop().unwrap().func().unwrap();
    for func in [&host, &through] {
        let args = [Val::I32(40), Val::V128(A), Val::F64(2.5f64.to_bits()), Val::V128(B)];
        let results = func.call(&args).unwrap_or_else(|trap| panic!("{}", trap.message()));
        let [Val::V128(b), Val::I64(42), Val::V128(not_a)] = results[..] else { panic!("{results:?}") };
        assert_eq!((b, not_a), (B, !A));
    }
}

/// More parameters and results than there are registers, through a table, each function compiled at its first call.
#[test]
fn many_vectors_at_once() {
    const COUNT: usize = 20;
    let store = store();
    let v128s = "v128 ".repeat(COUNT);
    let gets: String = (0..COUNT).rev().map(|i| format!("local.get {i} ")).collect();
    let text = format!(
        "(module (type $t (func (param {v128s}) (result {v128s})))
            (table funcref (elem $reverse))
            (func $reverse (type $t) {gets})
            (func (export \"f\") (type $t) {gets} i32.const 0 call_indirect (type $t)))"
    );
    let func = exports(&store, &text, &[]).pop().unwrap().func().unwrap();
    for round in 0..2 {
        let values: Vec<u128> = (0..COUNT as u128).map(|i| A.rotate_left(i as u32 + round) ^ (i << 100)).collect();
        let args: Vec<Val> = values.iter().map(|value| Val::V128(*value)).collect();
        let results = func.call(&args).unwrap_or_else(|trap| panic!("{}", trap.message()));
        let bits = |result: &Val| if let Val::V128(bits) = result { *bits } else { panic!("{result:?}") };
        assert_eq!(results.iter().map(bits).collect::<Vec<_>>(), values);
    }
}

#[test]
fn globals_hold_all_bits() {
    let store = store();
    for mutable in [false, true] {
        let global = vector::new_global(&store, mutable, B);
        assert_eq!(vector::global_value(&store, &global, mutable), B);
    }
    let global = vector::new_global(&store, true, A);
    let text = "(module (import \"\" \"\" (global (mut v128)))
        (func (export \"f\") (param v128) (global.set 0 (local.get 0))))";
    let set = exports(&store, text, &[Some(&global)]).pop().unwrap().func().unwrap();
    assert!(set.call(&[Val::V128(B)]).is_ok());
    assert_eq!(vector::global_value(&store, &global, true), B);
}

#[test]
fn what_a_val_cannot_hold_is_refused() {
    let store = store();
    let text = "(module (func (export \"f\") (param v128) (result v128) local.get 0))";
    let func = exports(&store, text, &[]).pop().unwrap().func().unwrap();
    let mut values = [sys::wasm_val_t { kind: 4, of: sys::wasm_val_t__bindgen_ty_1 { i64_: 0 } }; 2];
    let [arg, result] = &mut values;
    let args = sys::wasm_val_vec_t { size: 1, data: arg };
    let mut results = sys::wasm_val_vec_t { size: 1, data: result };
    // SAFETY: everything given is live; the trap is ours, its message a vector of ours.
    unsafe {
        let trap = sys::wasm_func_call(func.as_ptr(), &args, &mut results);
        assert!(!trap.is_null());
        let mut message = sys::wasm_byte_vec_t { size: 0, data: ptr::null_mut() };
        sys::wasm_trap_message(trap, &mut message);
        let text = std::slice::from_raw_parts(message.data.cast::<u8>(), message.size - 1);
        let text = String::from_utf8_lossy(text).into_owned();
        assert!(text.contains("v128 does not fit"), "{text}");
        sys::wasm_byte_vec_delete(&mut message);
        sys::wasm_trap_delete(trap);
    }

    unsafe extern "C" fn never(
        _args: *const sys::wasm_val_vec_t,
        _results: *mut sys::wasm_val_vec_t,
    ) -> *mut sys::wasm_trap_t {
        ptr::null_mut()
    }
    // SAFETY: as above; the function's type is the function's own and is deleted.
    unsafe {
        let ty = sys::wasm_func_type(func.as_ptr());
        assert!(sys::wasm_func_new(store.as_ptr(), ty, Some(never)).is_null());
        sys::wasm_functype_delete(ty);
    }
    let (kind, message) = failure();
    assert_eq!(kind, sys::TENON_ERROR_UNSUPPORTED, "{message}");
    assert!(message.contains("v128 does not fit"), "{message}");

    let global = vector::new_global(&store, true, A);
    let view = global.global().unwrap();
    let mut value = values[0];
    // SAFETY: as above; nothing that is written is owned.
    unsafe { sys::wasm_global_get(view.as_ptr(), &mut value) };
    let (kind, message) = failure();
    assert_eq!((kind, value.kind), (sys::TENON_ERROR_UNSUPPORTED, sys::WASM_EXTERNREF as u8), "{message}");
    assert!(message.contains("v128"), "{message}");
    // SAFETY: as above.
    unsafe { sys::wasm_global_set(view.as_ptr(), &values[0]) };
    let (kind, message) = failure();
    assert_eq!(kind, sys::TENON_ERROR_UNSUPPORTED, "{message}");
    assert_eq!(vector::global_value(&store, &global, true), A);
    // SAFETY: as above; the type is the global's own and is deleted.
    unsafe {
        let ty = sys::wasm_global_type(view.as_ptr());
        assert!(sys::wasm_global_new(store.as_ptr(), ty, &values[0]).is_null());
        sys::wasm_globaltype_delete(ty);
    }
    let (kind, message) = failure();
    assert_eq!(kind, sys::TENON_ERROR_UNSUPPORTED, "{message}");
}

#[test]
fn vectors_can_be_switched_off() {
    let plain = "(module (func (export \"f\") (result v128) (v128.const i64x2 0 1)))";
    let relaxed = "(module (func (param v128 v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 1)))))";
    type Change = fn(Config) -> Config;
    let cases: [(Change, &str, Option<&str>); 5] = [
        (|config| config, relaxed, None),
        (|config| config.relaxed_simd(false), plain, None),
        (|config| config.relaxed_simd(false), relaxed, Some("relaxed SIMD")),
        (|config| config.simd(false), plain, Some("SIMD")),
        (|config| config.simd(false), relaxed, Some("SIMD")),
    ];
    for (config, text, named) in cases {
        let engine = Engine::new(config(Config::new()));
        let store = Store::new(&engine);
        let binary = error::wat2wasm(text.as_bytes()).expect("the text is right");
        let made = Module::new(&store, &binary).is_some();
        assert_eq!(made, named.is_none(), "{text}");
        if let Some(named) = named {
            let (kind, message) = failure();
            assert_eq!(kind, sys::TENON_ERROR_UNSUPPORTED, "{message}");
            assert!(message.contains(&format!("feature not enabled: {named}")), "{message}");
        }
    }
}
