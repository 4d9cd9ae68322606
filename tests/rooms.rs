//! The directions between the rooms of `src/`, and the size of its files.
//!
//! A room may use itself and the rooms to its right, never one to its left:
//!
//! ```text
//! api, capi -> wasi -> runtime -> compile -> module, text -> types, trap, config
//! ```
//!
//! The three on the right may use each other; the two APIs may not.
//!
//! `runtime/sys`, the part that speaks to the operating system, may use only `types`, `trap` and `config` beside itself. The check reads
//! the paths that start with `crate::` in each file, and those that climb to the root with `super::`. A path through the root's
//! re-exports would hide its direction, so that the first word after `crate::` has to be a room.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The rooms from left to right. Rooms of rank 0 may use each other.
const RANKS: [(&str, u8); 10] = [
    ("api", 5),
    ("capi", 5),
    ("wasi", 4),
    ("runtime", 3),
    ("compile", 2),
    ("module", 1),
    ("text", 1),
    ("types", 0),
    ("trap", 0),
    ("config", 0),
];

/// A file should stay below this many lines; it is reported.
const LINES_WANTED: usize = 800;

/// A file must not have more lines than this.
const LINES_ALLOWED: usize = 900;

/// What the check looked at and found.
#[derive(Default)]
struct Report {
    files: usize,
    /// Number of uses, by room that uses and room that is used.
    edges: BTreeMap<(String, String), usize>,
    long: Vec<String>,
    violations: Vec<String>,
}

/// Checks files given as paths relative to `src/`, with their texts.
fn check<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Report {
    let mut report = Report::default();
    for (path, text) in files {
        report.files += 1;
        check_size(path, text, &mut report);
        let modules = module_path(path);
        let Some(room) = modules.first() else { continue };
        if rank(room).is_none() {
            report.violations.push(format!("src/{path}: {room} is no room"));
            continue;
        }
        let inside_sys = modules.starts_with(&["runtime".into(), "sys".into()]);
        for (line, used) in uses(text, &modules) {
            let place = format!("src/{path}:{line}");
            let target = used.first().expect("a path has a first word");
            let Some(target_rank) = rank(target) else {
                report.violations.push(format!("{place}: crate::{target} is no room: write the path through its room"));
                continue;
            };
            if target == room && !inside_sys {
                continue;
            }
            let own_part = inside_sys && used.starts_with(&["runtime".into(), "sys".into()]);
            let from = if inside_sys { "runtime/sys" } else { room };
            let allowed_rank = if inside_sys { 0 } else { rank(room).map_or(0, |rank| rank.saturating_sub(1)) };
            if !own_part {
                if target_rank > allowed_rank {
                    report.violations.push(format!("{place}: {from} uses {}", used.join("::")));
                }
                *report.edges.entry((from.to_owned(), target.clone())).or_default() += 1;
            }
        }
    }
    report
}

fn check_size(path: &str, text: &str, report: &mut Report) {
    let lines = text.lines().count();
    if lines > LINES_ALLOWED {
        report.violations.push(format!("src/{path}: {lines} lines, at most {LINES_ALLOWED} are allowed"));
    } else if lines > LINES_WANTED {
        report.long.push(format!("src/{path}: {lines} lines"));
    }
}

fn rank(room: &str) -> Option<u8> {
    RANKS.iter().find(|(name, _)| *name == room).map(|(_, rank)| *rank)
}

/// The module that a file holds: `runtime/sys/mod.rs` is `runtime::sys`; `lib.rs` is the root.
fn module_path(path: &str) -> Vec<String> {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    if path == "lib" { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// The paths from the root that a file uses, with their lines. A group of paths gives one for each of its members.
fn uses(text: &str, modules: &[String]) -> Vec<(usize, Vec<String>)> {
    let tokens = tokens(text);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (line, word) = &tokens[at];
        let after = match word.as_str() {
            "crate" => at + 1,
            "super" => {
                let mut after = at + 1;
                let mut climbed = 1;
                while token(&tokens, after) == "::" && token(&tokens, after + 1) == "super" {
                    climbed += 1;
                    after += 2;
                }
                // A path that stays below the root stays inside its room.
                if climbed < modules.len() {
                    at = after;
                    continue;
                }
                after
            }
            _ => {
                at += 1;
                continue;
            }
        };
        at = after;
        if token(&tokens, after) == "::" {
            let mut paths = Vec::new();
            at = read_tree(&tokens, after + 1, &mut Vec::new(), &mut paths);
            // `super::super::name` in an inline module reaches a name of the file's own room, not the root.
            let from_root = |path: &Vec<String>| word == "crate" || rank(&path[0]).is_some();
            found.extend(paths.into_iter().filter(from_root).map(|path| (*line, path)));
        }
    }
    found
}

/// Reads `a::b::{c, d::*}` and gives its paths; the result is the position behind it.
fn read_tree(
    tokens: &[(usize, String)],
    mut at: usize,
    prefix: &mut Vec<String>,
    paths: &mut Vec<Vec<String>>,
) -> usize {
    let depth = prefix.len();
    loop {
        match token(tokens, at) {
            "{" => {
                at += 1;
                while !matches!(token(tokens, at), "}" | "") {
                    at = read_tree(tokens, at, prefix, paths).max(at + 1);
                    if token(tokens, at) == "as" {
                        at += 2;
                    }
                    if token(tokens, at) == "," {
                        at += 1;
                    }
                }
                prefix.truncate(depth);
                return at + 1;
            }
            word => {
                prefix.push(word.to_owned());
                if token(tokens, at + 1) != "::" {
                    paths.push(prefix.clone());
                    prefix.truncate(depth);
                    return at + 1;
                }
                at += 2;
            }
        }
    }
}

fn token(tokens: &[(usize, String)], at: usize) -> &str {
    tokens.get(at).map_or("", |(_, token)| token.as_str())
}

/// The words and signs of a file with their lines, without comments and literals.
fn tokens(text: &str) -> Vec<(usize, String)> {
    let chars: Vec<char> = text.chars().collect();
    let (mut tokens, mut at, mut line) = (Vec::new(), 0, 1);
    while at < chars.len() {
        let start = at;
        let next = chars.get(at + 1).copied();
        match chars[at] {
            '/' if next == Some('/') => at = find(&chars, at, |rest| rest[0] == '\n'),
            '/' if next == Some('*') => at = after_block_comment(&chars, at),
            '"' => at = after_string(&chars, at),
            'r' if matches!(next, Some('"' | '#')) && raw_string_hashes(&chars, at).is_some() => {
                let hashes = raw_string_hashes(&chars, at).expect("the guard found them");
                at = after_raw_string(&chars, at, hashes);
            }
            // A lifetime has no closing quote right behind its first letter.
            '\'' if next == Some('\\') => {
                at = find(&chars, at + 3, |rest| rest[0] == '\'') + 1;
            }
            '\'' if chars.get(at + 2) == Some(&'\'') => at += 3,
            ':' if next == Some(':') => {
                tokens.push((line, "::".to_owned()));
                at += 2;
            }
            c if c.is_alphanumeric() || c == '_' => {
                at = find(&chars, at, |rest| !(rest[0].is_alphanumeric() || rest[0] == '_'));
                tokens.push((line, chars[start..at].iter().collect()));
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push((line, c.to_string()));
                }
                at += 1;
            }
        }
        at = at.min(chars.len());
        line += chars[start..at].iter().filter(|c| **c == '\n').count();
    }
    tokens
}

/// The first position from `at` on where `stop` holds, or the end.
fn find(chars: &[char], at: usize, stop: impl Fn(&[char]) -> bool) -> usize {
    (at..chars.len()).find(|&at| stop(&chars[at..])).unwrap_or(chars.len())
}

fn after_block_comment(chars: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (0, start);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn after_string(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The number of `#` between the `r` and the quote of a raw string; `None` if it is none.
fn raw_string_hashes(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start + 1..].iter().take_while(|c| **c == '#').count();
    (chars.get(start + 1 + hashes) == Some(&'"')).then_some(hashes)
}

fn after_raw_string(chars: &[char], start: usize, hashes: usize) -> usize {
    let ends = |rest: &[char]| rest[0] == '"' && rest[1..].iter().take_while(|c| **c == '#').count() >= hashes;
    find(chars, start + hashes + 2, ends) + 1 + hashes
}

/// All Rust files below a directory, as paths relative to `src/`.
fn collect(directory: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", directory.display()))
        .map(|entry| entry.expect("the entry can be read"))
        .collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().into_string().expect("file names are text");
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{path}/"), files);
        } else if name.ends_with(".rs") {
            files.push((path, fs::read_to_string(entry.path()).expect("the file is text")));
        }
    }
}

#[test]
fn rooms_use_only_what_is_to_their_right() {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut files);
    let report = check(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let uses: usize = report.edges.values().sum();
    println!("{} files checked, {uses} uses between rooms:", report.files);
    for ((from, to), count) in &report.edges {
        println!("  {from} -> {to}: {count}");
    }
    for long in &report.long {
        println!("  longer than {LINES_WANTED} lines: {long}");
    }
    assert!(report.files > 1, "the check must have seen the files of src/");
    assert!(report.violations.is_empty(), "{}", report.violations.join("\n"));
}

/// The violations in one file.
fn violations(path: &str, text: &str) -> Vec<String> {
    check([(path, text)]).violations
}

#[test]
fn planted_violations_are_found() {
    let planted = [
        ("compile/mod.rs", "use crate::runtime::vmctx;", "src/compile/mod.rs:1: compile uses runtime::vmctx"),
        ("module/decode.rs", "\nuse crate::{types, compile::{Code, layout as at}};", "module uses compile::layout"),
        ("types.rs", "fn f() { crate::module::decode() }", "types uses module::decode"),
        ("runtime/func.rs", "use crate::capi::Handle;", "runtime uses capi::Handle"),
        ("runtime/sys/mmap.rs", "use crate::runtime::store::Store;", "runtime/sys uses runtime::store::Store"),
        ("runtime/sys/mod.rs", "use crate::compile::layout;", "runtime/sys uses compile::layout"),
        ("compile/optimizing/mod.rs", "use super::super::runtime::Store;", "compile uses runtime::Store"),
        ("compile/mod.rs", "use super::runtime::Store;", "compile uses runtime::Store"),
        ("api/func.rs", "use crate::capi::func;", "api uses capi::func"),
        ("capi/func.rs", "use crate::api::Func;", "capi uses api::Func"),
        ("compile/mod.rs", "use crate::Engine;", "crate::Engine is no room"),
        ("cellar/mod.rs", "", "cellar is no room"),
        ("compile/mod.rs", "// \"\nfn f<'a>(x: &'a str) { let c = '\"'; crate::runtime::f() }", "mod.rs:2"),
    ];
    for (path, text, message) in planted {
        let found = violations(path, text);
        assert!(found.iter().any(|violation| violation.contains(message)), "{path}, {text:?}: {found:?}");
    }
}

#[test]
fn what_is_allowed_is_not_found() {
    let allowed = [
        ("capi/func.rs", "use crate::{runtime::Func, types::FuncType, trap::TrapCode};"),
        ("runtime/func.rs", "use super::store::Store; use crate::compile::{self, layout}; use crate::runtime::Engine;"),
        ("runtime/func.rs", "mod tests { use super::super::store::Store; }"),
        ("runtime/sys/mmap.rs", "use super::page; use crate::runtime::sys::page::Size; use crate::config::Config;"),
        ("compile/mod.rs", "//! See crate::runtime.\n/* crate::runtime /* */ */ const A: &str = \"crate::runtime\";"),
        ("compile/mod.rs", "const A: &str = r#\"\" crate::runtime\"#; const B: char = '\\''; const C: u8 = b'\"';"),
        ("trap.rs", "use crate::types::ValType;"),
        ("lib.rs", "pub mod runtime; pub use crate::runtime::Engine;"),
    ];
    for (path, text) in allowed {
        assert_eq!(violations(path, text), Vec::<String>::new(), "{path}, {text:?}");
    }
}

#[test]
fn uses_are_counted() {
    let report = check([
        ("capi/func.rs", "use crate::{runtime::{Func, Store}, types};"),
        ("runtime/sys/mmap.rs", "use crate::config::Config;"),
    ]);
    let edges: Vec<_> = report.edges.iter().map(|((from, to), n)| format!("{from} {to} {n}")).collect();
    assert_eq!(edges, ["capi runtime 2", "capi types 1", "runtime/sys config 1"]);
}

#[test]
fn long_files_are_refused() {
    assert!(violations("types.rs", &"\n".repeat(LINES_ALLOWED)).is_empty());
    assert_eq!(
        violations("types.rs", &"\n".repeat(LINES_ALLOWED + 1)),
        ["src/types.rs: 901 lines, at most 900 are allowed"]
    );
    assert_eq!(check([("types.rs", "\n".repeat(LINES_WANTED + 1).as_str())]).long, ["src/types.rs: 801 lines"]);
}
