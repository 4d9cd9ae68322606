//! Linear memories: every load and store at every border, and the operators on whole memories.

use super::harness::*;
use crate::compile::builtin::Builtin;
use crate::trap::TrapCode;
use std::fmt::Write;

/// Name, type, bytes, and whether a load extends by the sign.
const LOADS: &[(&str, &str, u32, bool)] = &[
    ("i32.load", "i32", 4, false),
    ("i64.load", "i64", 8, false),
    ("f32.load", "f32", 4, false),
    ("f64.load", "f64", 8, false),
    ("i32.load8_s", "i32", 1, true),
    ("i32.load8_u", "i32", 1, false),
    ("i32.load16_s", "i32", 2, true),
    ("i32.load16_u", "i32", 2, false),
    ("i64.load8_s", "i64", 1, true),
    ("i64.load8_u", "i64", 1, false),
    ("i64.load16_s", "i64", 2, true),
    ("i64.load16_u", "i64", 2, false),
    ("i64.load32_s", "i64", 4, true),
    ("i64.load32_u", "i64", 4, false),
];
const STORES: &[(&str, &str, u32)] = &[
    ("i32.store", "i32", 4),
    ("i64.store", "i64", 8),
    ("f32.store", "f32", 4),
    ("f64.store", "f64", 8),
    ("i32.store8", "i32", 1),
    ("i32.store16", "i32", 2),
    ("i64.store8", "i64", 1),
    ("i64.store16", "i64", 2),
    ("i64.store32", "i64", 4),
];
const OFFSETS: &[u64] = &[0, 1, 65535, 65536, (64 << 20) - 8, 64 << 20, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
const ADDRESSES: &[u32] = &[
    0,
    1,
    3,
    65527,
    65528,
    65529,
    65532,
    65534,
    65535,
    65536,
    131_071,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_fff8,
    u32::MAX,
];

fn kind(ty: &str) -> u64 {
    ["i32", "i64", "f32", "f64"].iter().position(|t| *t == ty).unwrap() as u64
}

#[test]
fn loads_and_stores_at_the_borders() {
    let mut wat = String::from("(module (memory 1)");
    for (name, ty, ..) in LOADS {
        for offset in OFFSETS {
            let export = format!("{name} {offset}");
            write!(
                wat,
                "(func (export \"{export}\") (param i32) (result {ty}) ({name} offset={offset} (local.get 0)))"
            )
            .unwrap();
            for address in ADDRESSES {
                write!(
                    wat,
                    "(func (export \"{export} {address}\") (result {ty}) ({name} offset={offset} (i32.const {address})))"
                )
                .unwrap();
            }
        }
    }
    for (name, ty, _) in STORES {
        for offset in OFFSETS {
            let export = format!("{name} {offset}");
            let operands = "(local.get 0) (local.get 1)";
            write!(wat, "(func (export \"{export}\") (param i32 {ty}) ({name} offset={offset} {operands}))").unwrap();
        }
    }
    wat.push(')');

    for mode in &ALL {
        let mut fake = Fake::new(&wat, mode);
        let pattern: Vec<u8> = (0..65536u32).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 24) as u8).collect();
        fake.memory(0).copy_from_slice(&pattern);
        let (mut inside, mut outside) = (0, 0);
        for (name, ty, bytes, signed) in LOADS {
            for offset in OFFSETS {
                for address in ADDRESSES {
                    let at = u64::from(*address) + offset;
                    let expected = if at + u64::from(*bytes) <= 65536 {
                        inside += 1;
                        let mut value = [0; 8];
                        let at = at as usize;
                        value[..*bytes as usize].copy_from_slice(&pattern[at..at + *bytes as usize]);
                        let unused = 64 - 8 * bytes;
                        let value = u64::from_le_bytes(value) << unused;
                        let value = if *signed { (value as i64 >> unused) as u64 } else { value >> unused };
                        let value = if ty.ends_with("32") { value & 0xffff_ffff } else { value };
                        Ok(vec![Val { kind: kind(ty), of: value }])
                    } else {
                        outside += 1;
                        Err(TrapCode::OutOfBoundsMemoryAccess)
                    };
                    let export = format!("{name} {offset}");
                    let actual = fake.call(&export, &[i32v(*address as i32)]);
                    assert_eq!(actual, expected, "{export} {address} {mode:?}");
                    let constant = fake.call(&format!("{export} {address}"), &[]);
                    assert_eq!(constant, expected, "{export} {address} as a constant {mode:?}");
                }
            }
        }
        for (name, ty, bytes) in STORES {
            for offset in OFFSETS {
                for address in ADDRESSES {
                    fake.memory(0).copy_from_slice(&pattern);
                    let mut after = pattern.clone();
                    let value: u64 = 0xf1e2_d3c4_b5a6_9788;
                    let value = if ty.ends_with("32") { value & 0xffff_ffff } else { value };
                    let at = u64::from(*address) + offset;
                    let expected = if at + u64::from(*bytes) <= 65536 {
                        inside += 1;
                        let at = at as usize;
                        let bytes = *bytes as usize;
                        after[at..at + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
                        Ok(vec![])
                    } else {
                        outside += 1;
                        Err(TrapCode::OutOfBoundsMemoryAccess)
                    };
                    let export = format!("{name} {offset}");
                    let value = Val { kind: kind(ty), of: value };
                    let actual = fake.call(&export, &[i32v(*address as i32), value]);
                    assert_eq!(actual, expected, "{export} {address} {mode:?}");
                    assert!(fake.memory(0) == after, "{export} {address} {mode:?} wrote elsewhere");
                }
            }
        }
        assert_eq!(inside + outside, (14 + 9) * 9 * 15, "{mode:?}");
        assert_eq!(inside, 325, "{mode:?}");
    }
}

/// A memory that has grown is accessible to its new end, in the function that made it grow as elsewhere.
#[test]
fn growth_is_seen() {
    for mode in &ALL {
        let mut fake = Fake::new(
            r#"(module (memory 1 3)
                (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
                (func (export "size") (result i32) (memory.size))
                (func (export "get") (param i32) (result i32) (i32.load (local.get 0)))
                (func (export "grow_and_use") (result i32)
                    (i32.store (i32.const 0) (i32.const 5))
                    (drop (memory.grow (i32.const 1)))
                    (i32.store (i32.const 131068) (i32.add (i32.load (i32.const 0)) (memory.size)))
                    (i32.load (i32.const 131068))))"#,
            mode,
        );
        assert_eq!(fake.call("get", &[i32v(65536)]), Err(TrapCode::OutOfBoundsMemoryAccess));
        assert_eq!(fake.call("size", &[]), Ok(vec![i32v(1)]));
        assert_eq!(fake.call("grow_and_use", &[]), Ok(vec![i32v(7)]));
        assert_eq!(fake.call("get", &[i32v(65536)]), Ok(vec![i32v(0)]));
        assert_eq!(fake.call("grow", &[i32v(1)]), Ok(vec![i32v(2)]));
        assert_eq!(fake.call("grow", &[i32v(1)]), Ok(vec![i32v(-1)]));
        assert_eq!(fake.call("grow", &[i32v(-1)]), Ok(vec![i32v(-1)]));
        assert_eq!(fake.call("size", &[]), Ok(vec![i32v(3)]));
    }
}

/// What is proven without a check is within the memory's least size, and only that.
#[test]
fn constant_addresses_need_no_check() {
    let wat = r#"(module (memory 1)
        (func (export "in") (result i64) (i64.load offset=8 (i32.const 65520)))
        (func (export "out") (result i64) (i64.load offset=8 (i32.const 65521))))"#;
    for mode in &USUAL {
        let mut fake = Fake::new(wat, mode);
        assert_eq!(fake.codes[0].vmctx_below_fp, None);
        assert!(fake.codes[0].traps.is_empty());
        assert!(fake.codes[1].vmctx_below_fp.is_some());
        assert_eq!(fake.call("in", &[]), Ok(vec![i64v(0)]));
        assert_eq!(fake.call("out", &[]), Err(TrapCode::OutOfBoundsMemoryAccess));
    }
}

#[test]
fn operators_on_whole_memories_ask_helpers() {
    for mode in &ALL {
        let mut fake = Fake::new(
            r#"(module (memory 1) (data "ab") (data "cd")
                (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
                (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
                (func (export "init") (param i32 i32 i32) (memory.init 1 (local.get 0) (local.get 1) (local.get 2)))
                (func (export "drop") (data.drop 1)))"#,
            mode,
        );
        let args = [i32v(-1), i32v(-2), i32v(-3)];
        assert_eq!(fake.call("init", &args), Ok(vec![]));
        assert_eq!(fake.call("drop", &[]), Ok(vec![]));
        // Helpers that fill and copy get what was checked.
        assert_eq!(fake.call("fill", &[i32v(65535), i32v(7), i32v(1)]), Ok(vec![]));
        assert_eq!(fake.call("fill", &[i32v(65536), i32v(8), i32v(0)]), Ok(vec![]));
        assert_eq!(fake.call("copy", &[i32v(1), i32v(2), i32v(65534)]), Ok(vec![]));
        let base = fake.memory(0).as_ptr() as u64;
        let expected = [
            (Builtin::memory_init, vec![0, 1, 0xffff_ffff, 0xffff_fffe, 0xffff_fffd]),
            (Builtin::data_drop, vec![1]),
            (Builtin::memory_fill, vec![base + 65535, 7, 1]),
            (Builtin::memory_fill, vec![base + 65536, 8, 0]),
            (Builtin::memory_copy, vec![base + 1, base + 2, 65534]),
        ];
        assert_eq!(fake.helpers, expected);
        for outside in [[65536, 0, 1], [0, 0, 65537], [65537, 0, 0], [-1, 0, 1], [1, 0, -1], [-1, 0, -1]] {
            let [dst, value, len] = outside.map(i32v);
            assert_eq!(fake.call("fill", &[dst, value, len]), Err(TrapCode::OutOfBoundsMemoryAccess), "{outside:?}");
            assert_eq!(fake.call("copy", &[dst, value, len]), Err(TrapCode::OutOfBoundsMemoryAccess), "{outside:?}");
            assert_eq!(fake.call("copy", &[value, dst, len]), Err(TrapCode::OutOfBoundsMemoryAccess), "{outside:?}");
        }
        let asked: Vec<_> = fake.helpers.iter().filter(|helper| helper.0 != Builtin::raise_trap).collect();
        assert_eq!(asked.len(), expected.len());
    }
}

/// A few bytes are copied where they are, also if the two places overlap.
#[test]
fn short_copies_need_no_helper() {
    let lengths = [0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64];
    let mut wat = String::from("(module (memory 1) (memory i64 1)");
    for len in lengths {
        write!(
            wat,
            r#"(func (export "{len}") (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const {len})))
               (func (export "wide {len}") (param i64 i64) (memory.copy 1 1 (local.get 0) (local.get 1) (i64.const {len})))"#
        )
        .unwrap();
    }
    wat.push(')');
    for mode in &ALL {
        let mut fake = Fake::new(&wat, mode);
        for len in lengths {
            for (memory, name) in [(0, format!("{len}")), (1, format!("wide {len}"))] {
                let arg = |value: i64| if memory == 0 { i32v(value as i32) } else { i64v(value) };
                for (dst, src) in [(100, 200), (100, 101), (101, 100), (100, 100), (65536 - len, 0), (0, 65536 - len)] {
                    fake.memory(memory).iter_mut().enumerate().for_each(|(i, b)| *b = (i * 7) as u8);
                    let mut expected = fake.memory(memory).to_vec();
                    expected.copy_within(src as usize..(src + len) as usize, dst as usize);
                    assert_eq!(fake.call(&name, &[arg(dst), arg(src)]), Ok(vec![]), "{name} {mode:?}");
                    assert!(fake.memory(memory) == expected, "{name}: {src} to {dst} {mode:?}");
                }
                for (dst, src) in [(65537 - len, 0), (0, 65537 - len), (-1, 0), (0, -1)] {
                    let expected = Err(TrapCode::OutOfBoundsMemoryAccess);
                    assert_eq!(fake.call(&name, &[arg(dst), arg(src)]), expected, "{name}: {src} to {dst} {mode:?}");
                }
            }
        }
        assert!(fake.helpers.iter().all(|helper| helper.0 == Builtin::raise_trap));
    }
}

/// 64-bit addresses and offsets of any size, and memories that end at any byte, that may grow and may not: each beside others of the
/// same module.
#[test]
fn wide_and_odd_memories_at_the_borders() {
    let offsets = [0, 1, 65528, 0xffff_ffff, 0x1_0000_0000, 1 << 63, u64::MAX - 7, u64::MAX];
    let addresses =
        [0, 1, 65527, 65528, 65529, 65535, 0xffff_ffff, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX - 7, u64::MAX];
    let lengths = [65536, 65536, 70_001, 9, 65536, 65536, 9];
    let memories = "(memory 1) (memory i64 1) (memory i64 70001 (pagesize 1)) (memory 9 (pagesize 1)) \
         (memory 1 1) (memory i64 1 1) (memory 9 9 (pagesize 1))";
    let mut wat = format!("(module {memories}");
    for (memory, index) in ["i32", "i64", "i64", "i32", "i32", "i64", "i32"].into_iter().enumerate() {
        for offset in offsets.iter().filter(|offset| index == "i64" || **offset <= 0xffff_ffff) {
            write!(
                wat,
                "(func (export \"load {memory} {offset}\") (param {index}) (result i64) \
                    (i64.load {memory} offset={offset} (local.get 0))) \
                 (func (export \"store {memory} {offset}\") (param {index}) \
                    (i32.store16 {memory} offset={offset} (local.get 0) (i32.const 0x1234)))"
            )
            .unwrap();
            for address in addresses.iter().filter(|address| index == "i64" || **address <= 0xffff_ffff) {
                write!(
                    wat,
                    "(func (export \"load {memory} {offset} {address}\") (result i64) \
                        (i64.load {memory} offset={offset} ({index}.const {address})))"
                )
                .unwrap();
            }
        }
    }
    wat.push(')');
    for mode in &ALL {
        let mut fake = Fake::new(&wat, mode);
        let (mut inside, mut outside) = (0, 0);
        for (memory, length) in lengths.iter().enumerate() {
            let is64 = [1, 2, 5].contains(&memory);
            let byte = |i: usize| (i * 7 + memory) as u8;
            assert_eq!(fake.memory(memory).len(), *length);
            fake.memory(memory).iter_mut().enumerate().for_each(|(i, b)| *b = byte(i));
            for offset in offsets.iter().filter(|offset| is64 || **offset <= 0xffff_ffff) {
                for address in addresses.iter().filter(|address| is64 || **address <= 0xffff_ffff) {
                    let at = u128::from(*address) + u128::from(*offset);
                    let fits = |bytes: u128| at + bytes <= *length as u128;
                    let expected = if fits(8) {
                        inside += 1;
                        let bytes: Vec<u8> = (at as usize..at as usize + 8).map(byte).collect();
                        Ok(vec![i64v(i64::from_le_bytes(bytes.try_into().unwrap()))])
                    } else {
                        outside += 1;
                        Err(TrapCode::OutOfBoundsMemoryAccess)
                    };
                    let arg = if is64 { i64v(*address as i64) } else { i32v(*address as u32 as i32) };
                    let load = format!("load {memory} {offset}");
                    assert_eq!(fake.call(&load, &[arg]), expected, "{load} {address} {mode:?}");
                    let constant = format!("{load} {address}");
                    assert_eq!(fake.call(&constant, &[]), expected, "{constant} {mode:?}");
                    let stored = fake.call(&format!("store {memory} {offset}"), &[arg]);
                    assert_eq!(stored.is_ok(), fits(2), "store {memory} {offset} {address} {mode:?}");
                    if fits(2) {
                        let at = at as usize;
                        let bytes = fake.memory(memory);
                        assert_eq!(bytes[at..at + 2], [0x34, 0x12]);
                        (bytes[at], bytes[at + 1]) = (byte(at), byte(at + 1));
                    }
                }
            }
            let unchanged = fake.memory(memory).iter().enumerate().all(|(i, b)| *b == byte(i));
            assert!(unchanged, "memory {memory} {mode:?}: a store went elsewhere");
        }
        assert_eq!((inside, outside), (52, 348), "{mode:?}");
    }
}

/// Without signals an access costs a comparison and a branch: the address is not chosen a second time. Where a memory cannot grow,
/// its length is no load either.
#[test]
fn checks_without_signals_are_branches() {
    let wat = r#"(module (memory 1) (memory 1 1)
        (func (export "grows") (param i32) (result i32) (i32.load 0 offset=16 (local.get 0)))
        (func (export "fixed") (param i32) (result i32) (i32.load 1 offset=16 (local.get 0))))"#;
    let mut fake = Fake::new(wat, &NO_SIGNALS);
    for (export, code) in ["grows", "fixed"].into_iter().zip([0, 1]) {
        // cmova and cmovae, of 32 and 64 bits.
        let chooses = fake.codes[code].bytes.windows(2).any(|two| two == [0x0f, 0x47] || two == [0x0f, 0x43]);
        assert!(!chooses, "{export}");
        assert_eq!(fake.call(export, &[i32v(65536 - 20)]), Ok(vec![i32v(0)]), "{export}");
        assert_eq!(fake.call(export, &[i32v(65536 - 19)]), Err(TrapCode::OutOfBoundsMemoryAccess), "{export}");
        assert_eq!(fake.call(export, &[i32v(-1)]), Err(TrapCode::OutOfBoundsMemoryAccess), "{export}");
    }
    assert!(fake.codes[1].bytes.len() < fake.codes[0].bytes.len());
}

/// What was checked is not checked again, on all ways and only on those, whatever grows meanwhile.
#[test]
fn what_was_checked_is_inside() {
    let wat = r#"(module (memory 1 3)
        (func (export "less") (param i32) (result i64)
            (i64.add (i64.load offset=8 (local.get 0)) (i64.load (local.get 0))))
        (func (export "more") (param i32) (result i64)
            (i64.add (i64.load (local.get 0)) (i64.load offset=8 (local.get 0))))
        (func (export "joined") (param i32 i32) (result i64)
            (if (local.get 1)
                (then (i64.store offset=8 (local.get 0) (i64.const 7)))
                (else (i32.store offset=4 (local.get 0) (i32.const 9))))
            (i64.load (local.get 0)))
        (func (export "beyond") (param i32 i32) (result i64)
            (if (local.get 1)
                (then (i64.store offset=8 (local.get 0) (i64.const 7)))
                (else (i32.store offset=4 (local.get 0) (i32.const 9))))
            (i64.load offset=1 (local.get 0)))
        (func (export "branched") (param i32 i32) (result i64)
            (block (br_if 0 (local.get 1)) (i64.store (local.get 0) (i64.const 7)))
            (i64.load (local.get 0)))
        (func (export "grown") (param i32) (result i64)
            (i64.store (local.get 0) (i64.const 7))
            (drop (memory.grow (i32.const 1)))
            (i64.load (local.get 0)))
        (func (export "loop") (param i32) (result i32) (local i32)
            (loop
                (local.set 1 (i32.add (local.get 1) (i32.load offset=4 (local.get 0))))
                (local.set 1 (i32.add (local.get 1) (i32.load (local.get 0))))
                (br_if 0 (i32.ne (local.tee 0 (i32.sub (local.get 0) (i32.const -8))) (i32.const 65536))))
            (local.get 1)))"#;
    let outside = || Err(TrapCode::OutOfBoundsMemoryAccess);
    for mode in &ALL {
        let mut fake = Fake::new(wat, mode);
        fake.memory(0)[65528..].fill(1);
        let ones = i64v(0x0101_0101_0101_0101);
        assert_eq!(fake.call("less", &[i32v(65520)]), Ok(vec![ones]), "{mode:?}");
        assert_eq!(fake.call("more", &[i32v(65520)]), Ok(vec![ones]), "{mode:?}");
        assert_eq!(fake.call("loop", &[i32v(65520)]), Ok(vec![i32v(0x0202_0202)]), "{mode:?}");
        for export in ["less", "more", "loop"] {
            for address in [65521, 65536, -1] {
                assert_eq!(fake.call(export, &[i32v(address)]), outside(), "{export} {address} {mode:?}");
            }
        }
        assert_eq!(fake.call("joined", &[i32v(65528), i32v(0)]), Ok(vec![i64v(0x9_0101_0101)]), "{mode:?}");
        assert_eq!(fake.call("joined", &[i32v(65529), i32v(0)]), outside(), "{mode:?}");
        assert_eq!(fake.call("joined", &[i32v(65521), i32v(1)]), outside(), "{mode:?}");
        assert_eq!(fake.call("beyond", &[i32v(65528), i32v(0)]), outside(), "{mode:?}");
        assert_eq!(fake.call("branched", &[i32v(65529), i32v(1)]), outside(), "{mode:?}");
        assert_eq!(fake.call("branched", &[i32v(65529), i32v(0)]), outside(), "{mode:?}");
        assert_eq!(fake.call("grown", &[i32v(65528)]), Ok(vec![i64v(7)]), "{mode:?}");
        assert_eq!(fake.call("grown", &[i32v(131_064)]), Ok(vec![i64v(7)]), "{mode:?}");
    }
    // One check instead of two: there is less code.
    for mode in [CHECKED, NO_SIGNALS] {
        let fake = Fake::new(wat, &mode);
        assert!(fake.codes[0].bytes.len() + 8 < fake.codes[1].bytes.len(), "{mode:?}");
    }
    let fake = Fake::new(wat, &NO_SIGNALS);
    assert!(fake.codes[2].bytes.len() + 8 < fake.codes[3].bytes.len());
}
