//! A header as bindgen sees it: every function's type, every type, constant and layout, by name, in a form that two
//! headers can be compared in.

use super::generate::root;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a header declares: the items that are not functions, and the functions.
pub struct Bindings {
    /// Types, constants and layout assertions.
    pub items: BTreeMap<String, String>,
    /// Functions with their types; parameters have no names here.
    pub functions: BTreeMap<String, String>,
}

/// The published header, in the sources of a package that tests/oracle names.
pub fn published_header() -> PathBuf {
    let output = Command::new(std::env::var("CARGO").unwrap_or("cargo".into()))
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", "x86_64-unknown-linux-gnu"])
        .arg("--manifest-path")
        .arg(root().join("tests/oracle/Cargo.toml"))
        .output()
        .expect("running cargo metadata");
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8 from cargo");
    let manifest = text
        .split('"')
        .find(|s| s.contains("wasmtime-c-api-impl-") && s.ends_with("Cargo.toml"))
        .expect("the package that carries the published header");
    Path::new(manifest).with_file_name("include").join("wasm.h")
}

/// Reads a header. With `inline`, the functions that the header itself defines are among the functions: bindgen keeps
/// silent about what is static or inline, so it reads a copy in which nothing is.
pub fn read(header: &Path, inline: bool) -> Bindings {
    assert!(
        std::env::var_os("LIBCLANG_PATH").is_some(),
        "LIBCLANG_PATH must name the directory of a libclang.so; `make test` sets it"
    );
    // A libclang on its own lacks the compiler's headers (stddef.h and the like); gcc's do.
    let gcc = Command::new("gcc").arg("-print-file-name=include").output().expect("running gcc");
    let include = String::from_utf8(gcc.stdout).expect("UTF-8 from gcc");
    let mut source = std::fs::read_to_string(header).expect("the header");
    if inline {
        source = source.replace("static inline ", "").replace("inline ", "");
    }
    let text = bindgen::Builder::default()
        .header_contents("wasm.h", &source)
        .clang_args(["-std=c11", "-I", include.trim()])
        .allowlist_item("(wasm|WASM|tenon|TENON)_.*|MEMORY_PAGE_SIZE|byte_t|float(32|64)_t|assertions")
        .generate_comments(false)
        .layout_tests(true)
        .formatter(bindgen::Formatter::None)
        .generate()
        .unwrap_or_else(|e| panic!("bindgen on {}: {e}", header.display()))
        .to_string();
    let mut all = Bindings { items: BTreeMap::new(), functions: BTreeMap::new() };
    collect(&tokens(&text), &mut all);
    all
}

/// Words, numbers, strings and single punctuation, but `::` as one.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let mut token = String::from(c);
        if c.is_whitespace() {
            continue;
        } else if c == '"' {
            while let Some(c) = chars.next() {
                token.push(c);
                match c {
                    '\\' => token.extend(chars.next()),
                    '"' => break,
                    _ => {}
                }
            }
        } else if c == '/' && chars.peek() == Some(&'*') {
            // The line that says which version of bindgen it was.
            let mut last = ' ';
            while let Some(c) = chars.next().filter(|&c| !(last == '*' && c == '/')) {
                last = c;
            }
            continue;
        } else if c.is_alphanumeric() || c == '_' {
            while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                token.push(c);
            }
        } else if c == ':' && chars.next_if_eq(&':').is_some() {
            token.push(':');
        }
        tokens.push(token);
    }
    tokens
}

/// Splits tokens into items, and descends into blocks of `extern "C"`.
fn collect(tokens: &[String], all: &mut Bindings) {
    let mut start = 0;
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        let is_attribute = tokens[start] == "#";
        let ends = match token.as_str() {
            ";" | "}" => depth == 0,
            "]" => depth == 0 && is_attribute && i > start,
            _ => false,
        };
        if ends {
            add(&tokens[start..=i], all);
            start = i + 1;
        }
    }
    assert_eq!(start, tokens.len(), "bindgen's output ends within an item: {:?}", &tokens[start..]);
}

fn add(item: &[String], all: &mut Bindings) {
    let words: Vec<&str> = item.iter().map(String::as_str).collect();
    match words[..] {
        ["#", ..] | [";"] => {}
        ["unsafe", "extern", "\"C\"", "{", .., "}"] => collect(&item[4..item.len() - 1], all),
        ["pub", "fn", name, ..] => {
            let ty = without_names(&words[3..]);
            assert!(all.functions.insert(name.into(), ty).is_none(), "{name} declared twice");
        }
        ["pub", "type", name, ..] => drop(all.items.insert(format!("type {name}"), without_names(&words))),
        ["pub", kind @ ("struct" | "union" | "const"), name, ..] => {
            drop(all.items.insert(format!("{kind} {name}"), words.join(" ")));
        }
        _ => drop(all.items.insert(words.join(" "), String::new())),
    }
}

/// The tokens without the names of parameters, which are no part of a type.
fn without_names(words: &[&str]) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut i = 0;
    while i < words.len() {
        let after_start = i > 0 && matches!(words[i - 1], "(" | ",");
        if after_start && words.get(i + 1) == Some(&":") {
            i += 2;
            continue;
        }
        kept.push(words[i]);
        i += 1;
    }
    kept.join(" ")
}
