//! Generated modules on this library and on an interpreter: both must do the same.
//!
//! For each seed a module is generated, instantiated and called with generated arguments, its imports answered by host functions. What
//! the module exports, whether it is instantiated, each call's results or trap, each call of a host function, and what memories,
//! globals and tables hold at the end must be equal.
//!
//! `TENON_DIFFERENTIAL_MODULES` sets how many modules are run, `TENON_DIFFERENTIAL_SEED` the first seed. A failure names its seed, and the
//! module is left in the target directory.

mod event;
mod generate;
mod oracle;
mod tenon;

use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use event::Event;
use tenon_capi_tests::child;

/// What is run when nothing is asked for, and what it must come to on the oracle.
const MODULES: u64 = 500;
const FIRST_SEED: u64 = 1;
const EXPECTED: Tally = Tally { modules: MODULES, instances: 2425, returns: 1921, traps: 2929, host_calls: 618 };

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
    host_calls: u64,
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
// The child: it writes `at SEED` before each module, `ran INSTANCES RETURNS TRAPS HOST-CALLS` after one without difference, `fail MESSAGE`
// after one with, and at the end `done`.

fn run_seeds(seeds: Range<u64>) -> ExitCode {
    for seed in seeds {
        println!("at {seed}");
        let binary = generate::module(seed, generate::WEBASSEMBLY_2);
        let functions = oracle::functions(&binary);
        let theirs = oracle::run(seed, &binary, &functions);
        // A crash must leave the module behind, too.
        let path = module_path(seed);
        std::fs::write(&path, &binary).expect("the target directory can be written");
        let ours = std::panic::catch_unwind(|| tenon::run(seed, &binary, &functions));
        let difference = match &ours {
            Ok(ours) => event::difference(ours, &theirs),
            Err(_) => Some("the test panicked".into()),
        };
        match difference {
            Some(difference) => println!("fail {} (module: {})", difference.replace('\n', " "), path.display()),
            None => {
                std::fs::remove_file(&path).expect("the file was just written");
                let tally = tally(&theirs);
                println!("ran {} {} {} {}", tally.instances, tally.returns, tally.traps, tally.host_calls);
            }
        }
    }
    println!("done");
    ExitCode::SUCCESS
}

fn module_path(seed: u64) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("differential-{seed}.wasm"))
}

fn tally(events: &[Event]) -> Tally {
    let count = |is: fn(&Event) -> bool| events.iter().filter(|event| is(event)).count() as u64;
    Tally {
        modules: 1,
        instances: count(|event| matches!(event, Event::Instantiated(Ok(())))),
        returns: count(|event| matches!(event, Event::Called { outcome: Ok(_), .. })),
        traps: count(|event| matches!(event, Event::Called { outcome: Err(_), .. })),
        host_calls: count(|event| matches!(event, Event::Host { .. })),
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
        "differential: {} modules alike, {} instances, {} calls returned, {} trapped, {} calls of host functions",
        tally.modules, tally.instances, tally.returns, tally.traps, tally.host_calls
    );
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
        let (mut seed, mut done) = (seeds.start, false);
        let status = child::run(&[CHILD, &seeds.start.to_string(), &seeds.end.to_string()], |line| {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "at" => seed = rest.parse().expect("a number"),
                "ran" => {
                    let mut counts = rest.split(' ').map(|count| count.parse().expect("a number"));
                    let mut next = || counts.next().expect("four numbers");
                    let (instances, returns, traps, host_calls) = (next(), next(), next(), next());
                    tally.add(Tally { modules: 1, instances, returns, traps, host_calls });
                }
                "fail" => failures.push(format!("seed {seed}: {rest}")),
                "done" => done = true,
                _ => println!("{line}"),
            }
        });
        if done && status.success() {
            break;
        }
        let path = module_path(seed);
        failures.push(format!("seed {seed}: the process ended with {status} (module: {})", path.display()));
        seeds.start = seed + 1;
    }
    (tally, failures)
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.modules += other.modules;
        self.instances += other.instances;
        self.returns += other.returns;
        self.traps += other.traps;
        self.host_calls += other.host_calls;
    }
}
