//! C and C++ programs compiled against the headers, with every warning an error.

use super::functions::declared;
use super::generate::{header, root};
use std::path::{Path, PathBuf};
use std::process::Command;

const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-pedantic", "-Werror"];

/// The compilers that are here: the first two must be, the others are welcome. With the language they speak.
fn compilers() -> Vec<Compiler> {
    let all = [
        ("gcc", "c", "-std=c11"),
        ("g++", "c++", "-std=c++11"),
        ("clang", "c", "-std=c11"),
        ("clang++", "c++", "-std=c++11"),
    ];
    let here = |(name, ..): &Compiler| {
        name.starts_with('g') || Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success())
    };
    all.into_iter().filter(here).collect()
}

/// What the preprocessor makes of a file that includes this header.
pub fn preprocess(header: &Path, options: &[&str]) -> String {
    let output = Command::new("gcc").args(["-E", "-std=c11"]).args(options).arg(header).output().expect("running gcc");
    assert!(output.status.success(), "gcc -E: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8 from gcc")
}

fn run(command: &mut Command, what: &str) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("running {what}: {e}"));
    assert!(
        output.status.success(),
        "{what}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("UTF-8 from a program")
}

/// Where this test's files go.
fn workshop() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// The directory of the library that cargo has built for this test: it lies beside the test.
fn library() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let built = test.parent().expect("a directory").to_path_buf();
    assert!(built.join("libtenon.so").exists(), "no libtenon.so in {}", built.display());
    built
}

type Compiler = (&'static str, &'static str, &'static str);

fn compile(compiler: Compiler, include: &Path, name: &str, source: &str, more: &[&str]) {
    let (program, language, standard) = compiler;
    let file = workshop().join(name);
    std::fs::write(&file, source).expect("writing a source file");
    let mut command = Command::new(program);
    command.args(["-x", language, standard]).args(WARNINGS).arg("-I").arg(include).arg(&file).args(more);
    run(&mut command, &format!("{program} {standard} on {name}"));
}

fn include() -> PathBuf {
    root().join("include")
}

/// Compiles, links with the library and runs a program; answers what it printed.
fn execute(compiler: Compiler, include: &Path, name: &str, source: &str) -> String {
    let program = workshop().join(format!("{name}-{}", compiler.0));
    let source_name = format!("{name}-{}.txt", compiler.0);
    let library = library();
    let (output, path) = (program.to_str().expect("UTF-8"), library.to_str().expect("UTF-8"));
    compile(compiler, include, &source_name, source, &["-x", "none", "-L", path, "-ltenon", "-o", output]);
    run(Command::new(&program).env("LD_LIBRARY_PATH", &library), name)
}

/// Each header alone, twice, and both orders of the two, in C11 and C++11.
#[test]
fn headers_compile_without_warnings() {
    let mut compiled = 0;
    for compiler in compilers() {
        for includes in [&["wasm.h", "wasm.h"][..], &["tenon.h", "tenon.h"], &["wasm.h", "tenon.h", "wasm.h"]] {
            let mut source: String = includes.iter().map(|h| format!("#include <{h}>\n")).collect();
            source.push_str("int main(void) { return 0; }\n");
            let name = format!("include-{}.txt", compiler.0);
            compile(compiler, &include(), &name, &source, &["-fsyntax-only"]);
            compiled += 1;
        }
    }
    assert!(compiled >= 6, "{compiled} compilations");
}

/// The address of every function, taken in C and in C++, and linked with the library.
#[test]
fn every_function_links() {
    let mut names = declared(&header("wasm.h"));
    names.extend(declared(&header("tenon.h")));
    for compiler in compilers() {
        let mut source = String::from("#include <tenon.h>\n#include <stdio.h>\ntypedef void (*any)(void);\n");
        source.push_str("static any const all[] = {\n");
        for name in &names {
            source.push_str(&format!("  (any)&{name},\n"));
        }
        source.push_str("};\nint main(void) {\n  size_t present = 0, i;\n");
        source.push_str("  for (i = 0; i < sizeof all / sizeof *all; i++) present += all[i] != NULL;\n");
        source.push_str("  printf(\"%u\\n\", (unsigned)present);\n  return 0;\n}\n");
        let printed = execute(compiler, &include(), "addresses", &source);
        assert_eq!(printed.trim(), names.len().to_string(), "functions that {} linked", compiler.0);
    }
    println!("{} functions linked", names.len());
}

/// The macros that make values, vectors and declarations do so.
#[test]
fn macros_work_in_c() {
    let source = r#"
#include <wasm.h>
#include <stdio.h>
#define own
WASM_DECLARE_OWN(gadget)
WASM_DECLARE_VEC(gadget, *)
WASM_DECLARE_TYPE(widget)
typedef struct wasm_number_t { int n; } wasm_number_t;
WASM_DECLARE_VEC(number, )
WASM_DECLARE_REF(thing)
WASM_DECLARE_SHARABLE_REF(part)
static const char *names[] = {"a", "b", "c"};
int main(void) {
  wasm_val_t vals[] = {WASM_I32_VAL(-7), WASM_I64_VAL(1), WASM_F32_VAL(1.5f), WASM_F64_VAL(2.5), WASM_REF_VAL(NULL), WASM_INIT_VAL};
  struct { size_t size; wasm_val_t *data; } vec = WASM_ARRAY_VEC(vals), none = WASM_EMPTY_VEC;
  wasm_val_t pointer;
  wasm_name_t name, copy;
  wasm_gadget_vec_t gadgets = WASM_EMPTY_VEC;
  wasm_number_vec_t numbers = WASM_EMPTY_VEC;
  wasm_valtype_t *i32 = wasm_valtype_new_i32();
  wasm_functype_t *ft = wasm_functype_new_3_2(wasm_valtype_new_i64(), wasm_valtype_new_f32(), wasm_valtype_new_f64(),
                                              wasm_valtype_new_externref(), wasm_valtype_new_funcref());
  unsigned shape = (unsigned)wasm_functype_params(ft)->size * 10 + (unsigned)wasm_functype_results(ft)->size;
  wasm_val_init_ptr(&pointer, names);
  wasm_name_new_from_string(&name, "abc");
  wasm_name_copy(&copy, &name);
  printf("%u %u %d %d ", (unsigned)vec.size, (unsigned)none.size, vec.data[0].of.i32, vals[5].of.ref == NULL);
  printf("%d %u %.3s ", wasm_val_ptr(&pointer) == (void *)names, (unsigned)copy.size, copy.data);
  printf("%d %d %u ", wasm_valtype_is_num(i32), wasm_valtype_is_ref(wasm_functype_results(ft)->data[1]), shape);
  printf("%u %u %u\n", (unsigned)(gadgets.size + numbers.size), wasm_limits_max_default, (unsigned)MEMORY_PAGE_SIZE);
  wasm_name_delete(&name);
  wasm_name_delete(&copy);
  wasm_name_new_from_string_nt(&name, "abc");
  printf("%u\n", (unsigned)name.size);
  wasm_name_delete(&name);
  wasm_valtype_delete(i32);
  wasm_functype_delete(ft);
  assertions();
  return 0;
}
"#;
    for compiler in compilers().into_iter().filter(|c| c.1 == "c") {
        let printed = execute(compiler, &include(), "macros", source);
        assert_eq!(printed, "6 0 -7 1 1 3 abc 1 1 32 0 4294967295 65536\n4\n");
    }
}

/// What a C program finds the types and vectors to do, whichever of the two headers it includes.
#[test]
fn types_behave() {
    let published = super::bindings::published_header();
    for include in [include().as_path(), published.parent().expect("a directory")] {
        let printed = execute(compilers()[0], include, "types", include_str!("types.c"));
        assert_eq!(printed, "375 checks, 0 failures\n", "with {}", include.display());
    }
}

/// What a C program finds the failures, the versions and the text format to do.
#[test]
fn errors_behave() {
    let printed = execute(compilers()[0], &include(), "errors", include_str!("errors.c"));
    assert_eq!(printed, "24 checks, 0 failures\n");
}

/// What a C program finds the rest of tenon.h to do: settings, reasons, trap codes, names, raw values, linkers.
#[test]
fn extensions_behave() {
    let printed = execute(compilers()[0], &include(), "extensions", include_str!("extensions.c"));
    assert_eq!(printed, "162 checks, 0 failures\n");
}
