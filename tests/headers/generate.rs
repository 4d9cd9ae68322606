//! Makes the headers: the templates in src/capi/header, with what cbindgen prints for a file of src/capi in place
//! of each line that names one. Whole-crate output would put all types before all functions; a reader wants a noun and
//! its functions together.

use std::path::{Path, PathBuf};

/// The directory of the package.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The template of a header and the header that it makes.
pub fn paths(header: &str) -> (PathBuf, PathBuf) {
    (root().join("src/capi/header").join(format!("{header}.in")), root().join("include").join(header))
}

/// The text of a header, made anew.
pub fn header(name: &str) -> String {
    let template = std::fs::read_to_string(paths(name).0).expect("the template of the header");
    let mut text = String::new();
    for line in template.lines() {
        match line.strip_prefix('@').filter(|file| file.ends_with(".rs")) {
            Some(file) => text.push_str(declarations(file).trim()),
            None => text.push_str(&versions(line)),
        }
        text.push('\n');
    }
    text
}

/// The files of src/capi that some template names.
pub fn named_files() -> Vec<String> {
    let mut files = Vec::new();
    for name in ["wasm.h", "tenon.h"] {
        let template = std::fs::read_to_string(paths(name).0).expect("the template of the header");
        files.extend(template.lines().filter_map(|l| l.strip_prefix('@')).map(String::from));
    }
    files
}

fn versions(line: &str) -> String {
    line.replace("@version", env!("CARGO_PKG_VERSION"))
        .replace("@major", env!("CARGO_PKG_VERSION_MAJOR"))
        .replace("@minor", env!("CARGO_PKG_VERSION_MINOR"))
        .replace("@patch", env!("CARGO_PKG_VERSION_PATCH"))
}

/// What cbindgen prints for one file, with the words of ownership put into C.
fn declarations(file: &str) -> String {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml");
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(root().join("src/capi").join(file))
        .generate()
        .unwrap_or_else(|e| panic!("cbindgen on src/capi/{file}: {e}"));
    let mut printed = Vec::new();
    bindings.write(&mut printed);
    let printed = String::from_utf8(printed).expect("UTF-8 from cbindgen");
    let mut text = String::new();
    for line in printed.lines() {
        let line = if line.trim_start().starts_with("///") { line.to_string() } else { wrap(&in_c(line)) };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// A line of declarations in C: `Own<T> x`, `Handle<T> x`, `Out<T> x` and `Take<T> x` become `own T *x`, `Lent<T> x`
/// becomes `T *x`, and a struct goes by its typedef outside its own declaration.
fn in_c(line: &str) -> String {
    // What a field owns, the struct's own comment says.
    let is_field = line.starts_with(' ');
    let mut line = match line.strip_prefix("typedef struct ") {
        Some(rest) => format!("typedef struct {}", rest.replace("struct ", "")),
        None if line.starts_with("typedef union ") => line.to_string(),
        None => line.replace("struct ", "").replace("union ", ""),
    };
    for word in ["Own<", "Handle<", "Lent<", "Out<", "Take<"] {
        while let Some(at) = line.find(word) {
            let inner = at + word.len();
            let end = inner + line[inner..].find('>').expect("a closing bracket");
            // What is received through a variable may itself be a pointer that is owned: `own T **out`.
            let name = line[inner..end].trim_start_matches("own ").replace(" *", "*");
            let name = match name.split_once('*') {
                Some((name, _)) => format!("{name} *"),
                None => format!("{name} "),
            };
            // A const thing behind the owned pointer is an array of const owned pointers: `own T *const *data`.
            let (start, constant) = match line[..at].strip_suffix("const ") {
                Some(before) => (before.len(), "const "),
                None => (at, ""),
            };
            // There is nothing to own about a number.
            let is_number = name.starts_with("uint");
            let own = if is_field || is_number || word == "Lent<" { "" } else { "own " };
            let after = &line[end + 1..];
            let after = after.strip_prefix(' ').unwrap_or(after);
            line = format!("{}{own}{name}*{constant}{after}", &line[..start]);
        }
    }
    line
}

/// Breaks a long declaration after its opening parenthesis, and again where its parameters need more than a line.
fn wrap(line: &str) -> String {
    const WIDTH: usize = 100;
    // The parameters of a pointer to functions stand in its second pair of parentheses.
    let open = if line.starts_with("typedef") { ")(" } else { "(" };
    let Some((head, params)) = line.split_once(open).filter(|_| line.len() > WIDTH) else { return line.to_string() };
    let mut lines = vec![format!("{head}{open}")];
    let mut current = String::from("   ");
    for param in params.split_inclusive(", ").map(str::trim_end) {
        if current.len() + 1 + param.len() > WIDTH {
            lines.push(std::mem::replace(&mut current, String::from("   ")));
        }
        current.push(' ');
        current.push_str(param);
    }
    lines.push(current);
    lines.join("\n")
}
