//! Runs this program again in a process of its own, so that a crash of the library ends that process only.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitStatus, Stdio};

/// Starts the running program with `args`, gives each line that it prints to `each`, and waits for its end.
pub fn run(args: &[&str], mut each: impl FnMut(&str)) -> ExitStatus {
    let program = std::env::current_exe().expect("this program has a path");
    let mut child =
        Command::new(program).args(args).stdout(Stdio::piped()).spawn().expect("this program can run itself");
    let mut output = BufReader::new(child.stdout.take().expect("the output is piped"));
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).expect("the output can be read") > 0 {
        each(String::from_utf8_lossy(&line).trim_end_matches('\n'));
        line.clear();
    }
    child.wait().expect("the child can be waited for")
}
