//! Bytes of all sorts: valid modules made at random, changed ones, cut ones, noise. wasmparser's own driver is the judge.

use super::*;
use wasmparser::{Validator, WasmFeatures};

/// A small generator of numbers that look random (SplitMix64), so that each run is the same.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

fn features() -> WasmFeatures {
    let mut features = WasmFeatures::WASM2.union(WasmFeatures::EXTENDED_CONST).union(WasmFeatures::RELAXED_SIMD);
    features.insert(WasmFeatures::TAIL_CALL);
    features.insert(WasmFeatures::FUNCTION_REFERENCES);
    features.insert(WasmFeatures::GC);
    features.insert(WasmFeatures::MULTI_MEMORY);
    features.insert(WasmFeatures::MEMORY64);
    features.insert(WasmFeatures::CUSTOM_PAGE_SIZES);
    features.insert(WasmFeatures::WIDE_ARITHMETIC);
    features.insert(WasmFeatures::THREADS);
    features.insert(WasmFeatures::EXCEPTIONS);
    features
}

/// A module of the language that is on, as wasm-smith makes it from noise.
fn smith(noise: &mut Noise) -> Vec<u8> {
    let config = wasm_smith::Config {
        bulk_memory_enabled: true,
        reference_types_enabled: true,
        multi_value_enabled: true,
        extended_const_enabled: true,
        simd_enabled: true,
        relaxed_simd_enabled: true,
        exceptions_enabled: true,
        gc_enabled: true,
        compact_imports_enabled: false,
        custom_page_sizes_enabled: true,
        memory64_enabled: true,
        max_memories: 3,
        tail_call_enabled: true,
        threads_enabled: true,
        wide_arithmetic_enabled: true,
        max_table_elements: 10_000_000,
        ..wasm_smith::Config::default()
    };
    let seed = noise.bytes(4096);
    let module = wasm_smith::Module::new(config, &mut arbitrary::Unstructured::new(&seed));
    module.expect("wasm-smith makes a module").to_bytes()
}

/// Whether we and wasmparser agree on `bytes`; whether they are accepted.
fn agreed(bytes: &[u8]) -> bool {
    let theirs = Validator::new_with_features(features()).validate_all(bytes);
    let ours = decode(bytes);
    match (&ours, &theirs) {
        (Ok(_), Ok(_)) | (Err(_), Err(_)) => {}
        (Err(e), Ok(_)) => assert_eq!(e.kind, ModuleErrorKind::Limit, "{e}"),
        (Ok(_), Err(e)) => panic!("accepted, but {e}"),
    }
    ours.is_ok()
}

#[test]
fn we_agree_with_wasmparser() {
    let mut noise = Noise(1);
    let (mut valid, mut accepted, mut refused) = (0, 0, 0);
    for _ in 0..300 {
        let bytes = smith(&mut noise);
        assert!(agreed(&bytes), "a module of wasm-smith's was refused");
        valid += 1;
        for _ in 0..40 {
            let mut changed = bytes.clone();
            for _ in 0..1 + noise.below(2) {
                let at = noise.below(changed.len());
                match noise.below(4) {
                    0 => changed[at] = noise.next() as u8,
                    1 => changed[at] ^= 1 << noise.below(8),
                    2 => drop(changed.remove(at)),
                    _ => changed.insert(at, noise.next() as u8),
                }
                if changed.is_empty() {
                    changed.push(0);
                }
            }
            if agreed(&changed) { accepted += 1 } else { refused += 1 }
        }
    }
    println!("{valid} modules valid; changed: {accepted} accepted, {refused} refused, as by wasmparser");
    assert_eq!(valid + accepted + refused, 300 * 41);
    assert!(accepted > 500 && refused > 5000);
}

#[test]
fn truncations() {
    let mut noise = Noise(2);
    let mut whole = vec![binary(EVERYTHING)];
    whole.extend((0..20).map(|_| smith(&mut noise)));
    let (mut refused, mut accepted) = (0, 0);
    for bytes in whole {
        for len in 0..bytes.len() {
            // What is left of a module whose last sections are missing can be one.
            if agreed(&bytes[..len]) { accepted += 1 } else { refused += 1 }
        }
    }
    println!("truncations: {refused} refused, {accepted} still modules");
    assert!(refused > 2000 && accepted < refused / 10);
}

#[test]
fn noise_is_refused() {
    let mut noise = Noise(3);
    let mut refused = 0;
    for _ in 0..20_000 {
        let len = noise.below(80);
        let mut bytes = noise.bytes(len);
        match noise.below(3) {
            0 => {}
            1 => drop(bytes.splice(..0, *b"\0asm\x01\0\0\0")),
            // A section of the right size, full of noise.
            _ => {
                let section = 1 + noise.below(12) as u8;
                bytes.splice(..0, [0, b'a', b's', b'm', 1, 0, 0, 0, section, len as u8]);
            }
        }
        if !agreed(&bytes) {
            refused += 1;
        }
    }
    println!("{refused} of 20000 refused");
    assert!(refused > 19_000);
}

#[test]
fn deep_nesting_needs_no_stack() {
    let depth = 1_000_000;
    let code = [vec![0], [2, 0x40].repeat(depth), vec![0x0b; depth + 1]].concat();
    let run = || {
        let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a".to_vec();
        leb(&mut bytes, code.len() + 5);
        bytes.push(1);
        leb4(&mut bytes, code.len());
        bytes.extend(&code);
        decode(&bytes).map(|m| m.bodies.len())
    };
    let thread = std::thread::Builder::new().stack_size(64 << 10);
    let result = std::thread::scope(|scope| thread.spawn_scoped(scope, run).unwrap().join().unwrap());
    assert_eq!(result, Ok(1));
}

fn leb(out: &mut Vec<u8>, mut n: usize) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// LEB128 of exactly four bytes.
fn leb4(out: &mut Vec<u8>, n: usize) {
    for i in 0..4 {
        out.push((n >> (7 * i)) as u8 & 0x7f | if i < 3 { 0x80 } else { 0 });
    }
}
