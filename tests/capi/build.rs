//! Generates the bindings from the C headers and links the shared library.
//!
//! The tests of this package see the engine as a C program does: what the headers do not declare, or the shared library does not
//! export, does not exist for them.
//!
//! `TENON_PREFIX` names an installed copy (`include/`, `lib/`) to test in place of the one in this tree. Bindings need libclang;
//! `LIBCLANG_PATH` says where it is.

use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=TENON_PREFIX");
    let root = env_path("CARGO_MANIFEST_DIR")
        .join("../..")
        .canonicalize()
        .expect("the package lies two levels below the root");
    let out = env_path("OUT_DIR");
    let (include, library) = match std::env::var_os("TENON_PREFIX") {
        Some(prefix) => (PathBuf::from(&prefix).join("include"), PathBuf::from(&prefix).join("lib")),
        // OUT_DIR is <target>/<profile>/build/<package>/out, and the library of a dependency lies in <target>/<profile>/deps.
        None => {
            (root.join("include"), out.ancestors().nth(3).expect("OUT_DIR lies in the target directory").join("deps"))
        }
    };
    generate(&include, &out.join("bindings.rs"));
    println!("cargo::rustc-link-search=native={}", library.display());
    println!("cargo::rustc-link-lib=dylib=tenon");
    // An RPATH, not a RUNPATH: cargo puts its own directories into LD_LIBRARY_PATH, which must not win over TENON_PREFIX.
    println!("cargo::rustc-link-arg=-Wl,-rpath,{},--disable-new-dtags", library.display());
}

/// Writes the bindings of both headers to `bindings`.
fn generate(include: &Path, bindings: &Path) {
    for header in ["wasm.h", "tenon.h"] {
        println!("cargo::rerun-if-changed={}", include.join(header).display());
    }
    let mut builder = bindgen::Builder::default()
        .header_contents("both.h", "#include <wasm.h>\n#include <tenon.h>\n")
        .clang_arg(format!("-I{}", include.display()))
        .allowlist_item("(wasm|tenon|WASM|TENON)_.*")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .layout_tests(false)
        .generate_comments(false);
    if let Some(builtin) = compiler_headers() {
        builder = builder.clang_arg("-idirafter").clang_arg(builtin);
    }
    let generated = builder.generate().unwrap_or_else(|error| panic!("no bindings for {}: {error}", include.display()));
    generated.write_to_file(bindings).unwrap_or_else(|error| panic!("cannot write {}: {error}", bindings.display()));
}

/// The directory of the C compiler's own headers (`stddef.h` and the like), which a libclang without clang does not bring.
fn compiler_headers() -> Option<String> {
    let output = Command::new("cc").arg("-print-file-name=include").output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    Path::new(&path).is_absolute().then_some(path)
}

fn env_path(name: &str) -> PathBuf {
    PathBuf::from(std::env::var_os(name).unwrap_or_else(|| panic!("cargo sets {name}")))
}
