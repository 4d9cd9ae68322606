//! What is off is refused, and the message names it; what is on is taken.

use super::*;

/// A feature's name in messages, a use of it.
const OFF: &[(&str, &str)] = &[
    ("SIMD", "(func (param v128))"),
    ("SIMD", "(func (local v128))"),
    ("SIMD", "(func (drop (v128.const i64x2 0 0)))"),
    ("SIMD", "(global v128 (v128.const i64x2 0 0))"),
    ("SIMD", "(import \"a\" \"b\" (global v128))"),
    ("SIMD", "(memory 1) (func (drop (v128.load (i32.const 0))))"),
    ("relaxed SIMD", "(func unreachable i8x16.relaxed_swizzle drop)"),
    ("tail calls", "(func return_call 0)"),
    ("tail calls", "(table 1 funcref) (func (return_call_indirect (i32.const 0)))"),
    ("exceptions", "(tag)"),
    ("exceptions", "(import \"a\" \"b\" (tag))"),
    ("exceptions", "(func unreachable throw_ref)"),
    ("exceptions", "(func (block (try_table (catch_all 0))))"),
    ("exceptions", "(func (param exnref))"),
    ("legacy exceptions", "(func try catch_all end)"),
    ("memory64", "(memory i64 1)"),
    ("memory64", "(memory i64 1 2)"),
    ("memory64", "(table i64 1 funcref)"),
    ("memory64", "(import \"a\" \"b\" (memory i64 1))"),
    ("threads", "(memory 1 1 shared)"),
    ("threads", "(import \"a\" \"b\" (memory 1 1 shared))"),
    ("threads", "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))"),
    ("threads", "(func atomic.fence)"),
    ("garbage collection", "(type (struct))"),
    ("garbage collection", "(type (array i8))"),
    ("garbage collection", "(rec (type (func)) (type (func)))"),
    ("garbage collection", "(func (param anyref))"),
    ("garbage collection", "(func (drop (ref.i31 (i32.const 0))))"),
    ("garbage collection", "(global i32 (i32.const 0)) (global i32 (global.get 0))"),
    ("multiple memories", "(memory 1) (memory 1)"),
    ("multiple memories", "(import \"a\" \"b\" (memory 1)) (memory 1)"),
    ("multiple memories", "(import \"a\" \"b\" (memory 1)) (import \"a\" \"c\" (memory 1))"),
    ("function references", "(type $t (func)) (func (param (ref $t)))"),
    ("function references", "(type $t (func)) (func (param (ref null $t)))"),
    ("function references", "(func (param (ref func)))"),
    ("function references", "(type $t (func)) (func unreachable (call_ref $t))"),
    ("function references", "(table 1 funcref (ref.null func))"),
    ("custom page sizes", "(memory 1 (pagesize 1))"),
    ("wide arithmetic", "(func unreachable i64.add128 drop drop)"),
    ("stack switching", "(type $f (func)) (type $c (cont $f))"),
];

#[test]
fn what_is_off_is_refused_by_name() {
    // Without this one, what others of them use is refused on its behalf.
    let features = Features { reference_types: true, ..Features::NONE };
    for (feature, text) in OFF {
        let bytes = binary(&format!("(module {text})"));
        let error = Module::new(bytes.into(), &features, 1).map(|_| ()).expect_err(text);
        assert_eq!(error.kind, ModuleErrorKind::Unsupported, "{text}: {error}");
        let named = error.message.split_once("feature not enabled: ").map(|(_, name)| name);
        let exactly =
            named.and_then(|n| n.strip_prefix(feature)).is_some_and(|n| n.is_empty() || n.starts_with([')', ' ']));
        assert!(exactly, "{text}: {error}");
        assert!(error.offset.is_some(), "{text}");
    }
    let mut names: Vec<_> = OFF.iter().map(|(name, _)| name).collect();
    names.dedup();
    println!("{} uses of {} features refused", OFF.len(), names.len());
    assert_eq!((OFF.len(), names.len()), (40, 13));
}

#[test]
fn references_can_be_off() {
    let features = Features { reference_types: false, ..Features::ALL };
    let messages = [
        ("(func (param externref))", "feature not enabled: reference types"),
        ("(table 1 funcref) (table 1 funcref)", "multiple tables (feature not enabled: reference types)"),
    ];
    for (text, message) in messages {
        let error = Module::new(binary(&format!("(module {text})")).into(), &features, 1).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ModuleErrorKind::Unsupported, message));
    }
    assert!(Module::new(binary("(module (table 1 funcref) (elem (i32.const 0)))").into(), &features, 1).is_ok());
}

#[test]
fn components_are_refused() {
    let error = refused(b"\0asm\x0d\0\x01\0");
    assert_eq!(error.kind, ModuleErrorKind::Unsupported);
    assert!(error.message.contains("component model"), "{error}");
}

#[test]
fn vectors_are_on() {
    let m = module("(module (func (param v128) (result v128) local.get 0))");
    assert_eq!(m.types[0].as_func(), Some(&FuncType::new([ValType::V128], [ValType::V128])));
    let relaxed = "(module (func unreachable i8x16.relaxed_swizzle drop))";
    module(relaxed);
    // Each has its switch, but relaxed operators are nothing without vectors.
    for features in [Features { simd: true, ..Features::NONE }, Features { relaxed_simd: true, ..Features::NONE }] {
        let error = Module::new(binary(relaxed).into(), &features, 1).unwrap_err();
        assert_eq!(error.message, "feature not enabled: relaxed SIMD");
    }
}

#[test]
fn what_is_on() {
    let texts = [
        "(func (result i32 i64) i32.const 0 i64.const 0)",
        "(func (param i32) (result i32) local.get 0 i32.extend8_s)",
        "(func (param f32) (result i32) local.get 0 i32.trunc_sat_f32_u)",
        "(memory 1) (data \"a\") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 0)) data.drop 0)",
        "(memory 1) (func (memory.copy (i32.const 0) (i32.const 0) (i32.const 0)))",
        "(table 1 externref) (table 1 funcref) (func (drop (table.grow 0 (ref.null extern) (i32.const 1))))",
        "(import \"a\" \"b\" (global (mut i32))) (export \"a\" (global 0))",
        "(global i64 (i64.add (i64.const 1) (i64.mul (i64.const 2) (i64.const 3))))",
        "(memory 1) (memory i64 1 (pagesize 1)) (table i64 1 funcref) (func (result i64 i64) \
          (i64.mul_wide_u (i64.load 1 (i64.const 0)) (i64.load 0 (i32.const 0))))",
        "(memory 1 1 shared) (func (result i32) (memory.atomic.notify (i32.const 0) (i32.atomic.load8_u (i32.const 0))))",
        "(func (@metadata.code.branch_hint \"\\01\") (if (i32.const 1) (then)))",
        "(func (param externref funcref) (result externref) (select (result externref) \
          (local.get 0) (ref.null extern) (ref.is_null (local.get 1))))",
        "(func return_call 0)",
        "(type $t (func)) (func (param (ref $t) (ref null $t)) (call_ref $t (local.get 0)))",
        "(rec (type $s (sub (struct (field (mut (ref null $a)) i8)))) (type $a (array (mut (ref null $s))))) \
          (global (ref $s) (struct.new $s (array.new_fixed $a 0) (i32.const 1))) \
          (table 1 (ref i31) (ref.i31 (i32.const 7))) \
          (elem (ref $a) (array.new_default $a (i32.const 3))) \
          (func (param anyref) (result i32) (ref.test (ref $s) (local.get 0)))",
    ];
    for text in texts {
        module(&format!("(module {text})"));
    }
}
