//! Modules that somebody has tampered with, from bytes to instances: whatever happens, the process lives.
//!
//! Validation alone is compared with its judge in the library's own tests. Here what is still a module is compiled whole, written as a
//! serialized module, read again, and made an instance of. A crash leaves the module behind in the target directory.

use std::path::PathBuf;

use arbitrary::Unstructured;
use tenon_capi_tests::error::Error;
use tenon_capi_tests::object::{Config, Engine, Instance, Module, NoInstance, Store};
use wasmparser::{Parser, Payload};

/// SplitMix64, so that each run is the same.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

/// A module of the whole language, small enough that what is changed in it matters.
fn smith(noise: &mut Noise) -> Vec<u8> {
    let config = wasm_smith::Config {
        gc_enabled: false,
        compact_imports_enabled: false,
        custom_page_sizes_enabled: true,
        max_memories: 2,
        max_tables: 2,
        max_imports: if noise.below(2) == 0 { 0 } else { 4 },
        max_funcs: 6,
        min_funcs: 1,
        max_instructions: 60,
        allow_start_export: false,
        ..wasm_smith::Config::default()
    };
    let seed: Vec<u8> = (0..2048).map(|_| noise.next() as u8).collect();
    wasm_smith::Module::new(config, &mut Unstructured::new(&seed)).expect("wasm-smith makes a module").to_bytes()
}

/// Changes one to three bytes: bits, whole bytes, one more, one less, a piece from elsewhere, or the end.
fn tamper(noise: &mut Noise, bytes: &mut Vec<u8>) {
    for _ in 0..1 + noise.below(3) {
        // Not the header, after which nothing would be read.
        let at = 8 + noise.below(bytes.len() - 8);
        match noise.below(16) {
            0..5 => bytes[at] ^= 1 << noise.below(8),
            5..10 => bytes[at] = noise.next() as u8,
            10 => bytes.insert(at, noise.next() as u8),
            11 => drop(bytes.remove(at)),
            12 if bytes.len() > 16 => bytes.truncate(at.max(9)),
            _ => {
                let from = 8 + noise.below(bytes.len() - 8);
                let length = noise.below(8).min(bytes.len() - from.max(at));
                bytes.copy_within(from..from + length, at);
            }
        }
        if bytes.len() < 10 {
            bytes.resize(10, 0);
        }
    }
}

/// What became of the modules.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    refused: usize,
    /// Valid, but more than the compiler can take.
    not_compiled: usize,
    compiled: usize,
    instances: usize,
    not_linked: usize,
}

/// Whether something runs as soon as there is an instance, which nobody knows to end.
fn starts(binary: &[u8]) -> bool {
    Parser::new(0).parse_all(binary).any(|payload| matches!(payload, Ok(Payload::StartSection { .. })))
}

fn try_module(engine: &Engine, binary: &[u8], tally: &mut Tally) {
    let store = Store::new(engine);
    drop(Error::take_last());
    let valid = Module::validate(&store, binary);
    let Some(module) = Module::new(&store, binary) else {
        let error = Error::take_last().expect("a refusal has a reason");
        assert!(!error.message().is_empty());
        if valid {
            tally.not_compiled += 1
        } else {
            tally.refused += 1
        }
        return;
    };
    assert!(valid, "wasm_module_new took what wasm_module_validate refused");
    tally.compiled += 1;
    let serialized = module.serialize();
    assert!(!serialized.is_empty(), "wasm_module_serialize gave nothing");
    let again = Module::deserialize(&store, &serialized).expect("what was serialized is taken");
    assert_eq!(again.export_names(), module.export_names());
    if starts(binary) {
        return;
    }
    for module in [&module, &again] {
        match Instance::new(&store, module, &[]) {
            Ok(instance) => {
                assert_eq!(instance.exports().len(), module.export_names().len());
                tally.instances += 1;
            }
            Err(NoInstance::Trap(trap)) => {
                assert!(!trap.message().is_empty());
                tally.not_linked += 1;
            }
            Err(NoInstance::Nothing) => tally.not_linked += 1,
        }
    }
}

fn run(config: Config, seed: u64) -> Tally {
    let engine = Engine::new(config.eager(true));
    let (mut noise, mut tally) = (Noise(seed), Tally::default());
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{seed}.wasm"));
    for _ in 0..60 {
        let whole = smith(&mut noise);
        for _ in 0..40 {
            let mut binary = whole.clone();
            tamper(&mut noise, &mut binary);
            std::fs::write(&path, &binary).expect("the target directory can be written");
            try_module(&engine, &binary, &mut tally);
        }
    }
    std::fs::remove_file(&path).expect("the file was just written");
    println!("{tally:?}");
    tally
}

#[test]
fn tampered_modules_do_no_harm() {
    // `make fuzz` goes on for longer.
    let more = std::env::var("TENON_HOSTILE_SEEDS").map_or(0, |text| text.parse().expect("a number of seeds"));
    for seed in 100..100 + more {
        run(Config::new(), seed);
    }
    let tally = run(Config::new(), 1);
    assert_eq!(tally.refused + tally.not_compiled + tally.compiled, 60 * 40);
    assert!(tally.refused > 1000 && tally.compiled > 100 && tally.instances > 50 && tally.not_linked > 10);
}

#[test]
fn nor_do_they_without_signals() {
    let tally = run(Config::new().signals(false), 2);
    assert_eq!(tally.refused + tally.not_compiled + tally.compiled, 60 * 40);
    assert!(tally.refused > 1000 && tally.compiled > 100 && tally.instances > 50 && tally.not_linked > 10);
}
