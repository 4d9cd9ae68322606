//! Generated modules on this library and on an interpreter: both must do the same.
//!
//! For each seed a module is generated, instantiated and called with generated arguments, its imports answered by host functions. What
//! the module exports, whether it is instantiated, each call's results or trap, each call of a host function, and what memories,
//! globals and tables hold at the end must be equal.
//!
//! Every fifth module is of small functions that call each other (`calls.rs`), the others are wasm-smith's.
//!
//! Three of four modules are judged by wasmi, as shipped and in one other mode. The fourth uses what wasmi lacks, and all modes must
//! do the same with it.
//!
//! `TENON_DIFFERENTIAL_MODULES` sets how many modules are run, `TENON_DIFFERENTIAL_SEED` the first seed. A failure names its seed, and the
//! module is left in the target directory.

mod calls;
mod event;
mod generate;
mod oracle;
mod surface;
mod tenon;

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use event::{Event, Reason};
use generate::Judge;
use tenon_capi_tests::child;
use tenon_capi_tests::mode::{MODES, Mode};

/// What is run when nothing is asked for, and what it must come to on the oracle.
const MODULES: u64 = 500;
const FIRST_SEED: u64 = 1;
const EXPECTED: Tally = Tally {
    modules: MODULES,
    instances: 2396,
    returns: 2035,
    traps: 2697,
    exceptions: 34,
    host_calls: 382,
    runs: 1625,
    unjudged: 0,
};

/// Tells a child process, which runs some seeds, from the parent.
const CHILD: &str = "--run-seeds";

/// Seeds that one child runs.
const BATCH: u64 = 25;

/// What was seen; each kind must have been seen, or the comparison says little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    modules: u64,
    instances: u64,
    returns: u64,
    traps: u64,
    /// Those among them that are exceptions which nothing caught.
    exceptions: u64,
    host_calls: u64,
    /// Runs of a module in a mode that were compared.
    runs: u64,
    /// Modules about which wasmi does not agree with itself, so that only our modes were compared.
    unjudged: u64,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [child, from, to] = args.as_slice()
        && child == CHILD
    {
        let number = |text: &String| text.parse().expect("the parent names a seed");
        return run_seeds(number(from)..number(to));
    }
    let modules = number_from_env("TENON_DIFFERENTIAL_MODULES").unwrap_or(MODULES);
    let first = number_from_env("TENON_DIFFERENTIAL_SEED").unwrap_or(FIRST_SEED);
    run_all(first..first + modules)
}

fn number_from_env(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, and is {text:?}")))
}

// ---------------------------------------------------------------------------------------------------------------------------------
// The child: it writes `at SEED` before each module, `ran COUNT...` after one without difference, `fail MESSAGE` after one with, and at
// the end `done`.

fn run_seeds(seeds: Range<u64>) -> ExitCode {
    // A panic is reported as the difference that it is.
    std::panic::set_hook(Box::new(|_| {}));
    for seed in seeds {
        println!("at {seed}");
        let judge = Judge::of(seed);
        let binary = if seed % 5 == 1 { calls::module(seed, judge) } else { generate::module(seed, judge) };
        // A crash must leave the module behind, too.
        let path = module_path(seed);
        std::fs::write(&path, &binary).expect("the target directory can be written");
        match run_seed(seed, judge, &binary) {
            Err(difference) => println!("fail {} (module: {})", difference.replace('\n', " "), path.display()),
            Ok(tally) => {
                std::fs::remove_file(&path).expect("the file was just written");
                println!("ran {}", tally.counts().map(|count| count.to_string()).join(" "));
            }
        }
    }
    println!("done");
    ExitCode::SUCCESS
}

/// Compares all runs of a module; the error is the first difference.
fn run_seed(seed: u64, judge: Judge, binary: &[u8]) -> Result<Tally, String> {
    let functions = surface::functions(binary);
    let run = |mode: Mode| {
        println!("mode {}", mode.name);
        std::panic::catch_unwind(|| tenon::run(mode, seed, binary, &functions)).map_err(|panic| {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            format!("{}: panic: {message}", mode.name)
        })
    };
    let (shipped, others) = (MODES[0], &MODES[1..]);
    let other = others[seed as usize / 4 % others.len()];
    let (theirs, modes) = match judge {
        Judge::Wasmi => (oracle::run(seed, binary, &functions), vec![shipped, other]),
        Judge::Ourselves => (run(shipped)?, others.to_vec()),
    };
    for mode in &modes {
        let Some(difference) = event::difference(&run(*mode)?, &theirs) else { continue };
        // wasmi has modules in which it gives out what it never computed, something else each time.
        if judge == Judge::Wasmi && event::difference(&theirs, &oracle::run(seed, binary, &functions)).is_some() {
            let tally = run_seed(seed, Judge::Ourselves, binary)?;
            return Ok(Tally { unjudged: 1, ..tally });
        }
        return Err(format!("{}: {difference}", mode.name));
    }
    Ok(Tally { runs: modes.len() as u64, ..tally(&theirs) })
}

fn module_path(seed: u64) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("differential-{seed}.wasm"))
}

fn tally(events: &[Event]) -> Tally {
    let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count() as u64;
    let uncaught =
        |event: &Event| matches!(event, Event::Called { outcome: Err(Reason::Trap("uncaught exception")), .. });
    Tally {
        modules: 1,
        instances: count(|event| matches!(event, Event::Instantiated(Ok(())))),
        returns: count(|event| matches!(event, Event::Called { outcome: Ok(_), .. })),
        traps: count(|event| matches!(event, Event::Called { outcome: Err(_), .. })),
        exceptions: count(uncaught),
        host_calls: count(|event| matches!(event, Event::Host { .. })),
        runs: 0,
        unjudged: 0,
    }
}

// ---------------------------------------------------------------------------------------------------------------------------------
// The parent.

fn run_all(seeds: Range<u64>) -> ExitCode {
    let state = Mutex::new((seeds.start, Tally::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let batch = {
                        let mut state = state.lock().unwrap();
                        let start = state.0;
                        state.0 = (start + BATCH).min(seeds.end);
                        start..state.0
                    };
                    if batch.is_empty() {
                        break;
                    }
                    let (tally, failures) = run_batch(batch);
                    let mut state = state.lock().unwrap();
                    state.1.add(tally);
                    state.2.extend(failures);
                }
            });
        }
    });
    let (_, tally, mut failures) = state.into_inner().unwrap();
    println!(
        "differential: {} modules alike in {} runs, {} instances, {} calls returned, {} trapped ({} by uncaught exceptions), \
         {} calls of host functions",
        tally.modules, tally.runs, tally.instances, tally.returns, tally.traps, tally.exceptions, tally.host_calls
    );
    if tally.unjudged > 0 {
        println!("differential: about {} of them wasmi does not agree with itself", tally.unjudged);
    }
    let asked = seeds.end - seeds.start;
    if tally.modules + failures.len() as u64 != asked {
        failures.push(format!("{} modules run, {asked} asked for", tally.modules + failures.len() as u64));
    }
    if seeds == (FIRST_SEED..FIRST_SEED + MODULES) && failures.is_empty() && tally != EXPECTED {
        failures.push(format!("{tally:?}, expected {EXPECTED:?}"));
    }
    for failure in &failures {
        println!("  {failure}");
    }
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs seeds in processes of their own; after a crash the next one goes on behind the seed that crashed.
fn run_batch(mut seeds: Range<u64>) -> (Tally, Vec<String>) {
    let (mut tally, mut failures) = (Tally::default(), Vec::new());
    while !seeds.is_empty() {
        let (mut seed, mut mode, mut done) = (seeds.start, String::new(), false);
        let status = child::run(&[CHILD, &seeds.start.to_string(), &seeds.end.to_string()], |line| {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "at" => seed = rest.parse().expect("a number"),
                "mode" => mode = rest.to_owned(),
                "ran" => tally.add(Tally::from_counts(rest.split(' ').map(|count| count.parse().expect("a number")))),
                "fail" => failures.push(format!("seed {seed}: {rest}")),
                "done" => done = true,
                _ => println!("{line}"),
            }
        });
        if done && status.success() {
            break;
        }
        let path = module_path(seed);
        let path = path.display();
        failures
            .push(format!("seed {seed}: the process ended with {status} after mode {mode:?} began (module: {path})"));
        seeds.start = seed + 1;
    }
    (tally, failures)
}

impl Tally {
    /// All numbers, in the order of the fields.
    fn counts(self) -> [u64; 8] {
        let Tally { modules, instances, returns, traps, exceptions, host_calls, runs, unjudged } = self;
        [modules, instances, returns, traps, exceptions, host_calls, runs, unjudged]
    }

    fn from_counts(mut counts: impl Iterator<Item = u64>) -> Tally {
        let mut next = || counts.next().expect("eight numbers");
        let (modules, instances, returns, traps) = (next(), next(), next(), next());
        let (exceptions, host_calls, runs, unjudged) = (next(), next(), next(), next());
        Tally { modules, instances, returns, traps, exceptions, host_calls, runs, unjudged }
    }

    fn add(&mut self, other: Tally) {
        let (ours, theirs) = (self.counts(), other.counts());
        *self = Tally::from_counts(ours.iter().zip(theirs).map(|(a, b)| a + b));
    }
}
