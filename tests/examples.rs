//! The programs of `examples/` print what those of `c-examples/` do. They are built by `cargo test`, or, where only some tests
//! are asked for, by `cargo build --examples` (`scripts/test.sh` does that).

use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn check(name: &str) {
    let test = env::current_exe().expect("the test knows where it is");
    // The test is <profile>/deps/examples-<hash>.
    let profile = test.ancestors().nth(2).expect("it is below the profile's directory");
    let program = profile.join("examples").join(name);
    assert!(program.exists(), "{} is missing: `cargo build --examples` makes it", program.display());
    let output = Command::new(&program).output().expect("the program can be run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {}\n{errors}", output.status);
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("c-examples/{name}.expected"));
    let expected = fs::read_to_string(&expected).expect("the expected output is there");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{name}");
}

macro_rules! examples {
    ($($test:ident $name:literal;)*) => {
        const NAMES: &[&str] = &[$($name),*];
        $(
            #[test]
            fn $test() {
                check($name);
            }
        )*
    };
}

examples! {
    memory "memory";
    memory_pointers "memory-pointers";
    passing_data "passing-data";
    memory_manipulation "memory-manipulation";
    linear_memory "linear-memory";
    exceptions "exceptions";
    shared_memory "shared-memory";
    vectors "vectors";
}

#[test]
fn every_example_is_checked() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found: Vec<String> = fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("so can its entries").path())
        .map(|path| path.file_stem().expect("each has a name").to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut names: Vec<&str> = NAMES.to_vec();
    names.sort_unstable();
    assert_eq!(found, names);
}
