//! The headers in include/ are what src/capi says they are, and what the published header says they must be.

mod bindings;
mod compile;
mod cpp;
mod functions;
mod generate;

use bindings::{Bindings, published_header, read};
use generate::{header, paths, root};
use std::collections::{BTreeMap, BTreeSet};

/// Functions of the newest published header that come from the library.
const PUBLISHED_FUNCTIONS: usize = 293;

/// Compares a committed header with the one made from the source, or writes it when TENON_BLESS is set.
fn check_committed(name: &str) {
    let made = header(name);
    let (_, path) = paths(name);
    if std::env::var_os("TENON_BLESS").is_some() {
        std::fs::write(&path, &made).expect("writing the header");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = made.lines().zip(committed.lines()).enumerate().find(|(_, (made, committed))| made != committed);
    if let Some((i, (made, committed))) = differs {
        let line = i + 1;
        panic!(
            "include/{name}:{line} is\n  {committed}\nbut src/capi says\n  {made}\nTENON_BLESS=1 rewrites the header"
        );
    }
    assert_eq!(made.lines().count(), committed.lines().count(), "include/{name}: lines made and committed");
    assert_eq!(made, committed, "include/{name}");
}

#[test]
fn wasm_h_is_generated() {
    check_committed("wasm.h");
}

#[test]
fn tenon_h_is_generated() {
    check_committed("tenon.h");
}

/// Every file of src/capi with an exported function is named by a template, so that no function misses its header.
#[test]
fn every_exporting_file_has_its_place() {
    let named = generate::named_files();
    let mut exporting = 0;
    for entry in std::fs::read_dir(root().join("src/capi")).expect("src/capi") {
        let path = entry.expect("an entry of src/capi").path();
        let Some(file) = path.file_name().and_then(|f| f.to_str()).filter(|f| f.ends_with(".rs")) else { continue };
        let source = std::fs::read_to_string(&path).expect("a source file");
        if source.contains("#[unsafe(no_mangle)]") {
            exporting += 1;
            assert_eq!(named.iter().filter(|n| *n == file).count(), 1, "{file} in the templates of the headers");
        }
    }
    assert_eq!(exporting, named.iter().filter(|n| *n != "limits.rs").count(), "files with exported functions");
}

/// Everything in `expected` is in `actual` and the same; returns the differences in words.
fn differences(what: &str, expected: &BTreeMap<String, String>, actual: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = Vec::new();
    for (name, ty) in expected {
        match actual.get(name) {
            None => found.push(format!("{what} {name} is missing: {ty}")),
            Some(ours) if ours != ty => found.push(format!("{what} {name}: published\n  {ty}\nours\n  {ours}")),
            Some(_) => {}
        }
    }
    for name in actual.keys().filter(|name| !expected.contains_key(*name)) {
        found.push(format!("{what} {name} is ours alone"));
    }
    found
}

fn check_same(published: &Bindings, ours: &Bindings) {
    let mut found = differences("item", &published.items, &ours.items);
    found.extend(differences("function", &published.functions, &ours.functions));
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

/// No function has another type, no struct another layout, no constant another value than in the published header.
#[test]
fn wasm_h_is_the_published_one() {
    let published = published_header();
    let ours = paths("wasm.h").1;
    let (theirs, mine) = (read(&published, false), read(&ours, false));
    println!("{} functions, {} other items", mine.functions.len(), mine.items.len());
    check_same(&theirs, &mine);
    assert_eq!(mine.functions.len(), PUBLISHED_FUNCTIONS, "functions compared");
    let structs = mine.items.keys().filter(|name| name.starts_with("struct ")).count();
    let constants = mine.items.keys().filter(|name| name.starts_with("const ")).count();
    assert_eq!((structs, constants), (39, 31), "structs and constants compared");

    let (theirs, mine) = (read(&published, true), read(&ours, true));
    println!("{} functions with those that the header defines itself", mine.functions.len());
    check_same(&theirs, &mine);
    assert_eq!(
        mine.functions.len(),
        PUBLISHED_FUNCTIONS + 27,
        "functions compared, those that the header defines included"
    );
}

/// A program can use every macro of the published header with ours.
#[test]
fn wasm_h_has_the_published_macros() {
    let macros = |header: &std::path::Path| -> BTreeSet<String> {
        let text = compile::preprocess(header, &["-dM"]);
        let names = text.lines().filter_map(|line| line.strip_prefix("#define "));
        names
            // Name and parameter count: what the parameters are called is nobody's business.
            .map(|rest| match rest.find(['(', ' ']) {
                Some(at) if rest[at..].starts_with('(') => {
                    let params = rest[at..].split(')').next().unwrap_or_default();
                    format!("{}/{}", &rest[..at], 1 + params.matches(',').count())
                }
                Some(at) => rest[..at].to_string(),
                None => rest.to_string(),
            })
            .filter(|name| name.to_ascii_lowercase().starts_with("wasm"))
            .collect()
    };
    let theirs = macros(&published_header());
    let ours = macros(&paths("wasm.h").1);
    println!("{} macros", ours.len());
    assert_eq!(theirs, ours);
    assert!(ours.len() >= 20, "only {} macros compared", ours.len());
}
