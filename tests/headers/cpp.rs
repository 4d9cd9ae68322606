//! What tenon.h has, C++ has: the functions that `tenon.hh` and its parts never call, each with a reason.

use crate::functions::declared;
use crate::generate::root;
use std::collections::BTreeSet;

/// Why C++ does without functions.
const ELSEWHERE: [(&str, &[&str]); 10] = [
    (
        "values of every type go by the functions for those: `..._val`, `..._raw`",
        &[
            "tenon_func_new",
            "tenon_global_new",
            "tenon_global_set",
            "tenon_exception_new",
            "tenon_exception_arity",
            "tenon_exception_arg",
            "tenon_exception_args",
        ],
    ),
    (
        "`Memory::read`, `Memory::write` and `Span` check, and access by the C++ type",
        &[
            "tenon_memory_read",
            "tenon_memory_write",
            "tenon_memory_load_i8",
            "tenon_memory_load_i16",
            "tenon_memory_load_i32",
            "tenon_memory_load_i64",
            "tenon_memory_load_f32",
            "tenon_memory_load_f64",
            "tenon_memory_load_v128",
            "tenon_memory_store_i8",
            "tenon_memory_store_i16",
            "tenon_memory_store_i32",
            "tenon_memory_store_i64",
            "tenon_memory_store_f32",
            "tenon_memory_store_f64",
            "tenon_memory_store_v128",
        ],
    ),
    ("`Memory::view` gives the address, with what tells whether it is stale", &["tenon_memory_pointer"]),
    ("`MemoryType` has the logarithm", &["tenon_memorytype_page_size"]),
    ("an `Instance` keeps its exports, by name", &["tenon_instance_memory_by_name"]),
    (
        "`SharedMemory::atomic` gives a `std::atomic`",
        &[
            "tenon_shared_memory_atomic_load",
            "tenon_shared_memory_atomic_store",
            "tenon_shared_memory_atomic_rmw",
            "tenon_shared_memory_atomic_cmpxchg",
        ],
    ),
    ("copies of a C++ object share one reference", &["tenon_shared_memory_copy", "tenon_deftype_copy"]),
    ("a failure is thrown, and nothing is left of it", &["tenon_last_error", "tenon_last_error_clear"]),
    ("`tenon_tag_new` gives the reason", &["wasm_tag_new"]),
    (
        "host information belongs to references, to which `ref()` leads, and so does what a reference is to",
        &[
            "tenon_exception_get_host_info",
            "tenon_exception_set_host_info",
            "tenon_exception_set_host_info_with_finalizer",
            "tenon_exception_as_ref_const",
            "tenon_ref_as_exception_const",
            "wasm_tag_get_host_info",
            "wasm_tag_set_host_info",
            "wasm_tag_set_host_info_with_finalizer",
            "wasm_tag_as_ref_const",
            "wasm_tag_as_extern_const",
            "wasm_ref_as_tag",
            "wasm_ref_as_tag_const",
            "wasm_extern_as_tag_const",
        ],
    ),
];

/// The words of the C++ headers outside of comments.
fn words() -> (usize, BTreeSet<String>) {
    let include = root().join("include");
    let parts =
        std::fs::read_dir(include.join("tenon")).expect("include/tenon").map(|entry| entry.expect("a file").path());
    let headers: Vec<_> = parts.chain([include.join("tenon.hh"), include.join("wasm.hh")]).collect();
    let mut words = BTreeSet::new();
    for header in &headers {
        let text = std::fs::read_to_string(header).expect("a header");
        assert!(text.lines().count() < 800 || header.ends_with("wasm.hh"), "{} is too long", header.display());
        for line in text.lines() {
            let code = line.split("//").next().expect("a split has a first part");
            words.extend(code.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_string));
        }
    }
    (headers.len(), words)
}

#[test]
fn cpp_reaches_everything() {
    let text = std::fs::read_to_string(root().join("include/tenon.h")).expect("tenon.h");
    let functions: BTreeSet<String> = declared(&text).into_iter().collect();
    let (headers, words) = words();
    let elsewhere: Vec<&str> = ELSEWHERE.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    let excepted: BTreeSet<String> = elsewhere.iter().map(|name| name.to_string()).collect();
    assert_eq!(excepted.len(), elsewhere.len(), "each is excepted once");
    let missing: BTreeSet<String> = functions.difference(&words).cloned().collect();
    println!(
        "{} functions of tenon.h, {} of them not called by the {headers} C++ headers",
        functions.len(),
        missing.len()
    );
    let unknown: Vec<_> = missing.difference(&excepted).collect();
    assert!(unknown.is_empty(), "C++ cannot reach {unknown:?}, and no reason is given");
    let stale: Vec<_> = excepted.difference(&missing).collect();
    assert!(stale.is_empty(), "called by now, or gone: {stale:?}");
    assert_eq!((functions.len(), missing.len()), (228, elsewhere.len()), "functions, and those that C++ does without");
}
