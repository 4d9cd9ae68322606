//! The library exports the functions of the two headers and nothing else.

#[path = "headers/functions.rs"]
mod functions;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn header(name: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("include").join(name);
    functions::declared(&std::fs::read_to_string(path).expect("the header")).into_iter().collect()
}

fn exported() -> BTreeSet<String> {
    let test = std::env::current_exe().expect("the path of the test");
    let library = test.with_file_name("libtenon.so");
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output().expect("running nm");
    assert!(output.status.success(), "nm: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8 from nm");
    text.lines().filter_map(|line| line.split_whitespace().last()).map(String::from).collect()
}

#[test]
fn the_library_exports_its_headers_and_nothing_else() {
    let mut declared = header("wasm.h");
    assert!(declared.iter().all(|name| name.starts_with("wasm_")), "wasm.h declares only wasm_*");
    let ours = header("tenon.h");
    // Those that `wasm.h` lacks have the names that it would give them.
    let tags = ["wasm_extern_as_tag", "wasm_extern_as_tag_const", "wasm_ref_as_tag", "wasm_ref_as_tag_const"];
    let of_tags = |name: &str| name.starts_with("wasm_tag_") || tags.contains(&name);
    assert!(
        ours.iter().all(|name| name.starts_with("tenon_") || of_tags(name)),
        "tenon.h declares only tenon_*, and what wasm.h lacks about tags"
    );
    println!("{} functions in wasm.h, {} in tenon.h", declared.len(), ours.len());
    assert_eq!(declared.len(), 293, "functions of wasm.h");
    declared.extend(ours);

    let exported = exported();
    let missing: Vec<_> = declared.difference(&exported).collect();
    let extra: Vec<_> = exported.difference(&declared).collect();
    assert!(missing.is_empty(), "declared but not exported: {missing:?}");
    assert!(extra.is_empty(), "exported but not declared: {extra:?}");
    assert_eq!(exported.len(), declared.len());
}
