//! Modules and arguments from a seed.
//!
//! The same seed gives the same module and the same calls everywhere and always, so that a failure is named by its seed.

use arbitrary::Unstructured;
use tenon_capi_tests::types::{FuncType, ValType};
use wasm_smith::{Config, Module};

use crate::event::Value;
use crate::surface;

/// The steps that a call may take: function entries and loop iterations. Also bounds the depth of recursion, which must not reach the
/// stack limit of either engine: where that lies is not the specification's to say.
const FUEL: u32 = 1000;

/// Who says what is right. It decides which parts of the language a module may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// wasmi: all of WebAssembly 3.0 that it has.
    Wasmi,
    /// This library as shipped, for its other modes: the whole language, exceptions, atomics, relaxed vectors and garbage collection
    /// too.
    Ourselves,
}

impl Judge {
    /// Whose turn it is.
    pub fn of(seed: u64) -> Judge {
        if seed.is_multiple_of(4) { Judge::Ourselves } else { Judge::Wasmi }
    }
}

/// SplitMix64: small, fast, and good enough to draw test cases.
pub struct Random(u64);

impl Random {
    /// A generator for this seed and purpose.
    pub fn new(seed: u64, purpose: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03))
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// One of `values`.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }

    /// A value of this type: often one at an edge. References are null or an object of the host.
    pub fn value(&mut self, ty: ValType) -> Value {
        match ty {
            ValType::I32 => {
                let edge = self.pick(&[0, 1, -1, 2, 7, 31, 32, 255, 65_535, 65_536, i32::MIN, i32::MAX]);
                Value::I32(if self.below(2) == 0 { edge } else { self.next() as i32 })
            }
            ValType::I64 => {
                let edge = self.pick(&[0, 1, -1, 63, 64, i64::from(i32::MIN), i64::from(u32::MAX), i64::MIN, i64::MAX]);
                Value::I64(if self.below(2) == 0 { edge } else { self.next() as i64 })
            }
            ValType::F32 => {
                let edge = self.pick(&[
                    0.0,
                    -0.0,
                    1.0,
                    -1.5,
                    f32::MAX,
                    f32::MIN_POSITIVE,
                    1e-45,
                    f32::INFINITY,
                    -2_147_483_648.0,
                ]);
                Value::F32(if self.below(2) == 0 { edge.to_bits() } else { self.next() as u32 }).canonical()
            }
            ValType::F64 => {
                let edge =
                    self.pick(&[0.0, -0.0, 1.0, -1.5, f64::MAX, f64::MIN_POSITIVE, 5e-324, f64::INFINITY, 9.3e18]);
                Value::F64(if self.below(2) == 0 { edge.to_bits() } else { self.next() }).canonical()
            }
            ValType::V128 => {
                let lane = self.pick(&[ValType::I32, ValType::I64, ValType::F32, ValType::F64]);
                Value::V128(match self.value(lane) {
                    Value::I32(lane) => u128::from(lane as u32) * 0x1_0000_0001_0000_0001_0000_0001,
                    Value::I64(lane) => u128::from(lane as u64) * 0x1_0000_0000_0000_0001,
                    Value::F32(low) => u128::from(low) | u128::from(self.next() as u32) << 64,
                    _ => u128::from(self.next()) | u128::from(self.next()) << 64,
                })
            }
            ValType::FuncRef => Value::Func(false),
            ValType::ExternRef => Value::Extern((self.below(2) == 0).then(|| self.below(4) as u32)),
        }
    }
}

/// The arguments of a call.
pub fn arguments(seed: u64, round: usize, call: usize, ty: &FuncType) -> Vec<Value> {
    let mut random = Random::new(seed, 0x1_0000 + (round as u64) * 16 + call as u64);
    ty.params.iter().map(|param| random.value(*param)).collect()
}

/// The module of this seed.
pub fn module(seed: u64, judge: Judge) -> Vec<u8> {
    // Now and then wasm-smith finds its input too short; then the next one of the same seed is taken.
    (0..)
        .find_map(|attempt| {
            let mut random = Random::new(seed, attempt);
            let config = config(&mut random, judge);
            let length = 1024 + random.below(16_000) as usize;
            let input: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
            let mut module = Module::new(config, &mut Unstructured::new(&input)).ok()?;
            module.ensure_termination(FUEL).expect("every body is generated");
            let binary = module.to_bytes();
            surface::can_be_answered(&binary).then_some(binary)
        })
        .expect("the attempts are endless")
}

fn config(random: &mut Random, judge: Judge) -> Config {
    let ours = judge == Judge::Ourselves;
    Config {
        // What must be comparable: everything is exported, memories and tables have bounds that both engines can reach, and a NaN that
        // gets away into an integer or into memory has the same bits everywhere.
        export_everything: true,
        canonicalize_nans: true,
        memory_max_size_required: true,
        table_max_size_required: true,
        max_memory32_bytes: 4 << 16,
        max_memory64_bytes: 4 << 16,
        max_table_elements: 50,
        max_tables: 3,
        max_memories: 3,
        max_imports: 10,
        min_types: 4,
        min_funcs: 4,
        max_funcs: 12,
        max_globals: 10,
        max_tags: 4,
        max_instructions: random.pick(&[20, 100, 400]),
        allow_start_export: random.below(4) == 0,
        // The code that wasm-smith puts in front of a signed division to keep it from trapping is miscompiled by the oracle: it divides by
        // zero where that code has just made the divisor 1.
        disallow_traps: false,
        // The language.
        simd_enabled: true,
        tail_call_enabled: true,
        extended_const_enabled: true,
        memory64_enabled: random.below(2) == 0,
        custom_page_sizes_enabled: random.below(2) == 0,
        wide_arithmetic_enabled: true,
        relaxed_simd_enabled: ours,
        exceptions_enabled: ours,
        threads_enabled: ours,
        gc_enabled: ours && random.below(2) == 0,
        compact_imports_enabled: false,
        ..Config::default()
    }
}
