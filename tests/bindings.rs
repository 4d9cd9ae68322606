//! Every function of the headers is called by the packages of Go and Python, or `bindings/functions.md` says why not.

#[path = "headers/functions.rs"]
mod functions;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The functions of both headers.
fn declared() -> BTreeSet<String> {
    let header = |name| functions::declared(&text(&root().join("include").join(name)));
    header("wasm.h").into_iter().chain(header("tenon.h")).collect()
}

/// The files of a directory whose names end like one of these, without tests.
fn sources(directory: &str, ends: &[&str]) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(directory)).expect("the directory of a package");
    let paths = entries.map(|entry| entry.expect("a file of a package").path());
    let wanted = |path: &PathBuf| {
        let name = path.file_name().expect("a file has a name").to_string_lossy();
        ends.iter().any(|end| name.ends_with(end)) && !name.ends_with("_test.go")
    };
    paths.filter(wanted).collect()
}

/// The words of the code in these files: what stands behind `//` or `#` is none.
fn words(files: Vec<PathBuf>, comment: &str) -> BTreeSet<String> {
    assert!(!files.is_empty(), "a package has files");
    let mut words = BTreeSet::new();
    for file in files {
        for line in text(&file).lines() {
            // What is for cgo's preamble stands behind `//`, and declares nothing.
            let code = line.split(comment).next().expect("a split has a first part");
            words.extend(code.split(|c: char| !c.is_alphanumeric() && c != '_').map(String::from));
        }
    }
    words
}

/// Whether a name is what a pattern says, in which `*` stands for any part.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((begin, rest)) => {
            name.strip_prefix(begin).is_some_and(|name| (0..=name.len()).any(|skipped| fits(rest, &name[skipped..])))
        }
    }
}

/// The patterns of the table for a language.
fn excused(table: &str, language: &str) -> Vec<String> {
    let mut patterns = Vec::new();
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let [_, functions, languages, why, _] = line.split('|').collect::<Vec<_>>()[..] else {
            panic!("not three columns: {line}")
        };
        assert!(!why.trim().is_empty(), "no reason: {line}");
        let languages: Vec<_> = languages.split(',').map(str::trim).collect();
        assert!(languages.iter().all(|it| ["Go", "Python"].contains(it)), "no language: {line}");
        if languages.contains(&language) {
            patterns.extend(functions.split(',').map(|it| it.trim().trim_matches('`').to_string()));
        }
    }
    patterns
}

#[test]
fn every_function_is_called_or_there_is_a_reason() {
    let table = text(&root().join("bindings/functions.md"));
    let declared = declared();
    let mut wrong = Vec::new();
    for (language, called) in [
        ("Go", words(sources("bindings/go", &[".go", "shim.c", "shim.h"]), "//")),
        (
            "Python",
            &words(sources("bindings/python/tenon", &[".py"]), "#")
                | &words(sources("bindings/python", &["native.c"]), "//"),
        ),
    ] {
        let patterns = excused(&table, language);
        let without: BTreeSet<_> = declared.difference(&called).collect();
        for name in &without {
            if !patterns.iter().any(|pattern| fits(pattern, name)) {
                wrong.push(format!("{language} does not call {name}, and bindings/functions.md does not say why"));
            }
        }
        for pattern in &patterns {
            if !without.iter().any(|name| fits(pattern, name)) {
                wrong.push(format!("{language} calls all of {pattern}: that has to go from bindings/functions.md"));
            }
        }
        println!(
            "{language}: {} of {} functions called, reasons for {}",
            declared.len() - without.len(),
            declared.len(),
            without.len()
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn patterns_fit() {
    assert!(fits("wasm_*_vec_*", "wasm_val_vec_new") && fits("wasm_*", "wasm_") && fits("a", "a"));
    assert!(!fits("wasm_*_vec_*", "wasm_val_new") && !fits("a*b", "abc") && !fits("a", "ab"));
}
