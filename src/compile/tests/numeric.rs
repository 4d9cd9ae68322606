//! Every numeric operator over a grid of awkward values, with both operands at run time and with the second as a
//! constant, compared with the meaning written down in plain Rust.

use super::harness::*;
use crate::trap::TrapCode;
use std::fmt::Write;

const INT_UNARY: &[&str] = &["clz", "ctz", "popcnt", "extend8_s", "extend16_s", "extend32_s", "eqz"];
const INT_BINARY: &[&str] = &[
    "add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl",
    "rotr", "eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u",
];
const FLOAT_UNARY: &[&str] = &["abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt"];
const FLOAT_BINARY: &[&str] =
    &["add", "sub", "mul", "div", "min", "max", "copysign", "eq", "ne", "lt", "gt", "le", "ge"];
const CONVERSIONS: &[&str] = &[
    "i32.wrap_i64",
    "i64.extend_i32_s",
    "i64.extend_i32_u",
    "i32.trunc_f32_s",
    "i32.trunc_f32_u",
    "i32.trunc_f64_s",
    "i32.trunc_f64_u",
    "i64.trunc_f32_s",
    "i64.trunc_f32_u",
    "i64.trunc_f64_s",
    "i64.trunc_f64_u",
    "i32.trunc_sat_f32_s",
    "i32.trunc_sat_f32_u",
    "i32.trunc_sat_f64_s",
    "i32.trunc_sat_f64_u",
    "i64.trunc_sat_f32_s",
    "i64.trunc_sat_f32_u",
    "i64.trunc_sat_f64_s",
    "i64.trunc_sat_f64_u",
    "f32.convert_i32_s",
    "f32.convert_i32_u",
    "f32.convert_i64_s",
    "f32.convert_i64_u",
    "f64.convert_i32_s",
    "f64.convert_i32_u",
    "f64.convert_i64_s",
    "f64.convert_i64_u",
    "f32.demote_f64",
    "f64.promote_f32",
    "i32.reinterpret_f32",
    "i64.reinterpret_f64",
    "f32.reinterpret_i32",
    "f64.reinterpret_i64",
];

const I32S: &[i32] = &[
    0,
    1,
    -1,
    2,
    -2,
    7,
    -7,
    10,
    31,
    32,
    33,
    64,
    0x7f,
    0x80,
    -0x80,
    0x8000,
    0xffff,
    i32::MAX,
    i32::MIN,
    i32::MIN + 1,
    0x1234_5678,
];
const I64S: &[i64] = &[
    0,
    1,
    -1,
    2,
    -2,
    7,
    -7,
    63,
    64,
    65,
    0x80,
    -0x80,
    0x8000,
    i32::MAX as i64,
    i32::MIN as i64,
    1 << 31,
    1 << 32,
    u32::MAX as i64,
    i64::MAX,
    i64::MIN,
    i64::MIN + 1,
    0x1234_5678_9abc_def0,
];

fn f64s() -> Vec<f64> {
    let mut values =
        vec![0.0, 0.5, 0.9999999999999999, 1.0, 1.5, 2.5, 3.7, 1e10, 1e300, 5e-324, f64::MAX, f64::MIN_POSITIVE];
    for bits in [31, 32, 52, 53, 63, 64] {
        let power = 2f64.powi(bits);
        values.extend([power, power.next_down(), power.next_up(), power - 1.0, power + 1.0]);
    }
    values.extend([f64::INFINITY, f64::NAN, f64::from_bits(0x7ff4_0000_0000_0001)]);
    values.iter().flat_map(|v| [*v, -*v]).collect()
}

fn f32s() -> Vec<f32> {
    let mut values = vec![0.0, 0.5, 1.0, 1.5, 2.5, 3.7, 1e10, 1e-45, f32::MAX, f32::MIN_POSITIVE];
    for bits in [23, 24, 31, 32, 63, 64] {
        let power = 2f32.powi(bits);
        values.extend([power, power.next_down(), power.next_up()]);
    }
    values.extend([f32::INFINITY, f32::NAN, f32::from_bits(0x7fa0_0001)]);
    values.iter().flat_map(|v| [*v, -*v]).collect()
}

fn grid(ty: &str) -> Vec<Val> {
    match ty {
        "i32" => I32S.iter().map(|v| i32v(*v)).collect(),
        "i64" => I64S.iter().map(|v| i64v(*v)).collect(),
        "f32" => f32s().into_iter().map(f32v).collect(),
        "f64" => f64s().into_iter().map(f64v).collect(),
        _ => panic!("a number type"),
    }
}

fn of_bool(value: bool) -> Outcome {
    Ok(vec![i32v(i32::from(value))])
}

macro_rules! int_reference {
    ($name:ident, $signed:ident, $unsigned:ident, $val:ident) => {
        fn $name(op: &str, args: &[Val]) -> Outcome {
            let a = args[0].of as $signed;
            let b = args.get(1).map_or(0, |b| b.of as $signed);
            let (ua, ub) = (a as $unsigned, b as $unsigned);
            let bits = $signed::BITS;
            if matches!(op, "div_s" | "div_u" | "rem_s" | "rem_u") && b == 0 {
                return Err(TrapCode::IntegerDivideByZero);
            }
            let value = match op {
                "clz" => a.leading_zeros() as $signed,
                "ctz" => a.trailing_zeros() as $signed,
                "popcnt" => a.count_ones() as $signed,
                "extend8_s" => a as i8 as $signed,
                "extend16_s" => a as i16 as $signed,
                "extend32_s" => a as i32 as $signed,
                "add" => a.wrapping_add(b),
                "sub" => a.wrapping_sub(b),
                "mul" => a.wrapping_mul(b),
                "div_s" => a.checked_div(b).ok_or(TrapCode::IntegerOverflow)?,
                "div_u" => (ua / ub) as $signed,
                "rem_s" => a.wrapping_rem(b),
                "rem_u" => (ua % ub) as $signed,
                "and" => a & b,
                "or" => a | b,
                "xor" => a ^ b,
                "shl" => a << (ub % bits as $unsigned),
                "shr_s" => a >> (ub % bits as $unsigned),
                "shr_u" => (ua >> (ub % bits as $unsigned)) as $signed,
                "rotl" => a.rotate_left((ub % bits as $unsigned) as u32),
                "rotr" => a.rotate_right((ub % bits as $unsigned) as u32),
                "eqz" => return of_bool(a == 0),
                "eq" => return of_bool(a == b),
                "ne" => return of_bool(a != b),
                "lt_s" => return of_bool(a < b),
                "lt_u" => return of_bool(ua < ub),
                "gt_s" => return of_bool(a > b),
                "gt_u" => return of_bool(ua > ub),
                "le_s" => return of_bool(a <= b),
                "le_u" => return of_bool(ua <= ub),
                "ge_s" => return of_bool(a >= b),
                "ge_u" => return of_bool(ua >= ub),
                _ => panic!("{op}"),
            };
            Ok(vec![$val(value)])
        }
    };
}

int_reference!(i32_reference, i32, u32, i32v);
int_reference!(i64_reference, i64, u64, i64v);

macro_rules! float_reference {
    ($name:ident, $float:ident, $bits:ident, $val:ident) => {
        fn $name(op: &str, args: &[Val]) -> Outcome {
            let a = $float::from_bits(args[0].of as $bits);
            let b = args.get(1).map_or(0.0, |b| $float::from_bits(b.of as $bits));
            let nan = a.is_nan() || b.is_nan();
            let value = match op {
                "abs" => a.abs(),
                "neg" => -a,
                "ceil" => a.ceil(),
                "floor" => a.floor(),
                "trunc" => a.trunc(),
                "nearest" => a.round_ties_even(),
                "sqrt" => a.sqrt(),
                "add" => a + b,
                "sub" => a - b,
                "mul" => a * b,
                "div" => a / b,
                "min" | "max" if nan => $float::NAN,
                "min" if a == b => $float::from_bits(a.to_bits() | b.to_bits()),
                "max" if a == b => $float::from_bits(a.to_bits() & b.to_bits()),
                "min" => {
                    if a < b {
                        a
                    } else {
                        b
                    }
                }
                "max" => {
                    if a > b {
                        a
                    } else {
                        b
                    }
                }
                "copysign" => a.copysign(b),
                "eq" => return of_bool(a == b),
                "ne" => return of_bool(a != b),
                "lt" => return of_bool(a < b),
                "gt" => return of_bool(a > b),
                "le" => return of_bool(a <= b),
                "ge" => return of_bool(a >= b),
                _ => panic!("{op}"),
            };
            Ok(vec![$val(value)])
        }
    };
}

float_reference!(f32_reference, f32, u32, f32v);
float_reference!(f64_reference, f64, u64, f64v);

fn conversion_reference(name: &str, arg: Val) -> Outcome {
    let bits = arg.of;
    let (to, op) = name.split_once('.').unwrap();
    let signed = op.ends_with("_s");
    let float = || if op.contains("f32") { f64::from(f32::from_bits(bits as u32)) } else { f64::from_bits(bits) };
    let value = match (to, op) {
        (_, "wrap_i64") => i32v(bits as i32),
        (_, "extend_i32_s") => i64v(i64::from(bits as i32)),
        (_, "extend_i32_u") => i64v(i64::from(bits as u32)),
        (_, "demote_f64") => f32v(f64::from_bits(bits) as f32),
        (_, "promote_f32") => f64v(f64::from(f32::from_bits(bits as u32))),
        ("i32", "reinterpret_f32") => Val { kind: 0, of: bits },
        ("i64", "reinterpret_f64") => Val { kind: 1, of: bits },
        ("f32", "reinterpret_i32") => Val { kind: 2, of: bits },
        ("f64", "reinterpret_i64") => Val { kind: 3, of: bits },
        ("f32", "convert_i32_s") => f32v(bits as i32 as f32),
        ("f32", "convert_i32_u") => f32v(bits as u32 as f32),
        ("f32", "convert_i64_s") => f32v(bits as i64 as f32),
        ("f32", "convert_i64_u") => f32v(bits as f32),
        ("f64", "convert_i32_s") => f64v(f64::from(bits as i32)),
        ("f64", "convert_i32_u") => f64v(f64::from(bits as u32)),
        ("f64", "convert_i64_s") => f64v(bits as i64 as f64),
        ("f64", "convert_i64_u") => f64v(bits as f64),
        (to, _) => {
            let value = float();
            if !op.contains("sat") {
                if value.is_nan() {
                    return Err(TrapCode::InvalidConversionToInteger);
                }
                let whole = value.trunc();
                let width = if to == "i32" { 32 } else { 64 };
                let (least, limit) = match signed {
                    true => (-2f64.powi(width - 1), 2f64.powi(width - 1)),
                    false => (0.0, 2f64.powi(width)),
                };
                if whole < least || whole >= limit {
                    return Err(TrapCode::IntegerOverflow);
                }
            }
            match (to, signed) {
                ("i32", true) => i32v(value as i32),
                ("i32", false) => i32v(value as u32 as i32),
                (_, true) => i64v(value as i64),
                (_, false) => i64v(value as u64 as i64),
            }
        }
    };
    Ok(vec![value])
}

fn reference(name: &str, args: &[Val]) -> Outcome {
    let (ty, op) = name.split_once('.').unwrap();
    if CONVERSIONS.contains(&name) {
        return conversion_reference(name, args[0]);
    }
    match ty {
        "i32" => i32_reference(op, args),
        "i64" => i64_reference(op, args),
        "f32" => f32_reference(op, args),
        _ => f64_reference(op, args),
    }
}

/// Each operator with its operands' and its result's type.
fn operators() -> Vec<(String, Vec<String>, String)> {
    let mut all = Vec::new();
    let compares = ["eqz", "eq", "ne", "lt", "gt", "le", "ge"];
    let mut add = |types: [&str; 2], ops: &[&str], operands: usize| {
        for ty in types {
            for op in ops.iter().filter(|op| !(ty == "i32" && **op == "extend32_s")) {
                let is_compare = compares.contains(op) || compares.contains(&&op[..op.len().saturating_sub(2)]);
                let result = if is_compare { "i32" } else { ty };
                all.push((format!("{ty}.{op}"), vec![ty.to_string(); operands], result.to_string()));
            }
        }
    };
    add(["i32", "i64"], INT_UNARY, 1);
    add(["i32", "i64"], INT_BINARY, 2);
    add(["f32", "f64"], FLOAT_UNARY, 1);
    add(["f32", "f64"], FLOAT_BINARY, 2);
    for name in CONVERSIONS {
        let at = name.rfind(['i', 'f']).unwrap();
        all.push((name.to_string(), vec![name[at..at + 3].to_string()], name[..3].to_string()));
    }
    all
}

#[test]
fn operators_mean_what_they_should() {
    let operators = operators();
    let mut wat = String::from("(module");
    for (name, params, result) in &operators {
        write!(wat, "(func (export \"{name}\") (param {}) (result {result})", params.join(" ")).unwrap();
        for i in 0..params.len() {
            write!(wat, " local.get {i}").unwrap();
        }
        write!(wat, " {name})").unwrap();
    }
    wat.push(')');
    assert_eq!(operators.len(), 13 + 50 + 14 + 26 + 33);

    for mode in &ALL {
        let mut fake = Fake::new(&wat, mode);
        let (mut values, mut traps) = (0, 0);
        for (name, params, _) in &operators {
            let seconds = params.get(1).map_or(vec![], |ty| grid(ty));
            for a in grid(&params[0]) {
                let one = [vec![a]];
                let pairs = seconds.iter().map(|b| vec![a, *b]);
                let argss = if seconds.is_empty() { one.to_vec() } else { pairs.collect() };
                for args in argss {
                    let (expected, actual) = (reference(name, &args), fake.call(name, &args));
                    assert!(same(&actual, &expected), "{name} {args:x?}: {actual:x?}, not {expected:x?}; {mode:?}");
                    if expected.is_ok() { values += 1 } else { traps += 1 }
                }
            }
        }
        assert_eq!((values, traps), (181_036, 504), "{mode:?}");
    }
}

#[test]
fn constant_operands_too() {
    let operators: Vec<_> = operators().into_iter().filter(|(_, p, _)| p.len() == 2 && p[0].starts_with('i')).collect();
    for mode in &[SIGNALS, NO_SIGNALS] {
        let mut compared = 0;
        for (name, params, result) in &operators {
            let ty = &params[0];
            let grid = grid(ty);
            let mut wat = String::from("(module");
            for (i, constant) in grid.iter().enumerate() {
                let constant = if ty == "i32" { i64::from(constant.of as i32) } else { constant.of as i64 };
                let declaration = format!("(param {ty}) (result {result})");
                write!(
                    wat,
                    "(func (export \"l{i}\") {declaration} ({name} ({ty}.const {constant}) (local.get 0)))
                     (func (export \"r{i}\") {declaration} ({name} (local.get 0) ({ty}.const {constant})))"
                )
                .unwrap();
            }
            wat.push(')');
            let mut fake = Fake::new(&wat, mode);
            for (i, constant) in grid.iter().enumerate() {
                for other in &grid {
                    let left = fake.call(&format!("l{i}"), &[*other]);
                    assert_eq!(left, reference(name, &[*constant, *other]), "{name} {constant:x?} {other:x?}");
                    let right = fake.call(&format!("r{i}"), &[*other]);
                    assert_eq!(right, reference(name, &[*other, *constant]), "{name} {other:x?} {constant:x?}");
                    compared += 2;
                }
            }
        }
        assert_eq!(compared, 2 * 25 * (I32S.len() * I32S.len() + I64S.len() * I64S.len()));
    }
}

/// A function that only computes has neither a frame to be seen nor a stack check.
#[test]
fn what_cannot_be_seen_keeps_nothing() {
    for mode in &USUAL {
        let fake = Fake::new(
            r#"(module
                (func (param i32 i32) (result i32) (i32.div_u (i32.add (local.get 0) (local.get 1)) (i32.const 3)))
                (func (param i32 i32) (result i32) (i32.div_u (i32.add (local.get 0) (local.get 1)) (local.get 1)))
                (func (param i32 i32) (result i32) (i32.div_s (local.get 0) (i32.const -1))))"#,
            mode,
        );
        assert_eq!(fake.codes[0].vmctx_below_fp, None);
        assert!(fake.codes[0].traps.is_empty());
        assert!(fake.codes[1].vmctx_below_fp.is_some());
        assert!(fake.codes[2].vmctx_below_fp.is_some());
    }
}

#[test]
fn wide_arithmetic_is_that_of_128_bits() {
    let wat = r#"(module
        (func (export "add") (param i64 i64 i64 i64) (result i64 i64)
            (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
        (func (export "sub") (param i64 i64 i64 i64) (result i64 i64)
            (i64.sub128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
        (func (export "mul_s") (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1)))
        (func (export "mul_u") (param i64 i64) (result i64 i64) (i64.mul_wide_u (local.get 0) (local.get 1))))"#;
    let edges = [0, 1, -1, 2, i64::MAX, i64::MIN, 0x1234_5678_9abc_def0];
    let halves = |value: u128| Ok(vec![i64v(value as i64), i64v((value >> 64) as i64)]);
    let whole = |low: i64, high: i64| u128::from(low as u64) | u128::from(high as u64) << 64;
    for mode in &ALL {
        let mut fake = Fake::new(wat, mode);
        for a in edges {
            for b in edges {
                let signed = i128::from(a) * i128::from(b);
                assert_eq!(fake.call("mul_s", &[i64v(a), i64v(b)]), halves(signed as u128), "{a} {b} {mode:?}");
                let unsigned = u128::from(a as u64) * u128::from(b as u64);
                assert_eq!(fake.call("mul_u", &[i64v(a), i64v(b)]), halves(unsigned), "{a} {b} {mode:?}");
                for (c, d) in edges.iter().flat_map(|c| edges.iter().map(|d| (*c, *d))) {
                    let args = [a, b, c, d].map(i64v);
                    let (x, y) = (whole(a, b), whole(c, d));
                    assert_eq!(fake.call("add", &args), halves(x.wrapping_add(y)), "{a} {b} {c} {d} {mode:?}");
                    assert_eq!(fake.call("sub", &args), halves(x.wrapping_sub(y)), "{a} {b} {c} {d} {mode:?}");
                }
            }
        }
    }
}
