//! What `Module` takes and what it refuses, and that nothing about its bytes can harm.

use std::sync::Arc;
use tenon::config::{Config, Features};
use tenon::module::*;
use tenon::types::*;

#[path = "module/features.rs"]
mod features;
#[path = "module/hints.rs"]
mod hints;
#[path = "module/hostile.rs"]
mod hostile;
#[path = "module/names.rs"]
mod names;
#[path = "module/suite.rs"]
mod suite;
#[path = "module/tables.rs"]
mod tables;

fn default_features() -> Features {
    Config::default().features
}

fn binary(text: &str) -> Vec<u8> {
    tenon::text::translate(text.as_bytes()).unwrap_or_else(|e| panic!("{e}\n{text:.200}"))
}

fn decode(bytes: &[u8]) -> Result<Module, ModuleError> {
    decode_as(bytes, &default_features())
}

fn decode_as(bytes: &[u8], features: &Features) -> Result<Module, ModuleError> {
    let taken = Module::new(bytes.into(), features, 1);
    let checked = Module::validate_only(bytes, features, 1);
    assert_eq!(taken.as_ref().map(|_| ()).map_err(|e| e.clone()), checked);
    taken
}

fn module(text: &str) -> Module {
    decode(&binary(text)).unwrap_or_else(|e| panic!("{e}\n{text:.200}"))
}

fn refused(bytes: &[u8]) -> ModuleError {
    decode(bytes).map(|_| ()).expect_err("the module was accepted")
}

const EVERYTHING: &str = r#"(module $everything
    (type (func (param i32 i64) (result f32 f64)))
    (import "a" "f" (func $f (type 0)))
    (import "a" "t" (table 1 2 externref))
    (import "a" "m" (memory 3 4))
    (import "b" "g" (global $g i32))
    (import "b" "f" (func))
    (func $first (type 0) (local i32) f32.const 1 f64.const 2)
    (func $start)
    (table $t 10 funcref)
    (global (mut i64) (i64.const -1))
    (global funcref (ref.func $first))
    (global i32 (i32.mul (global.get $g) (i32.sub (i32.const 5) (i32.const 3))))
    (global externref (ref.null extern))
    (global f32 (f32.const nan:0x200001))
    (export "z" (func $first))
    (export "m" (memory 0))
    (export "a" (table $t))
    (export "g" (global 1))
    (start $start)
    (elem (table $t) (i32.const 2) func $first $start)
    (elem funcref (ref.func $f) (ref.func $first))
    (elem funcref (ref.func $f) (ref.null func))
    (elem declare func $f)
    (elem externref)
    (data (i32.const 7) "seven")
    (data "passive")
    (data (global.get $g) "")
)"#;

#[test]
fn everything_is_taken_over() {
    let m = module(EVERYTHING);
    let f = FuncType::new([ValType::I32, ValType::I64], [ValType::F32, ValType::F64]);
    assert_eq!(m.types, [DefType::Func(f.clone()), DefType::Func(FuncType::new([], []))]);
    assert_eq!(m.functions, [0, 1, 0, 1]);
    assert_eq!([m.imported_functions, m.imported_tables, m.imported_memories, m.imported_globals], [2, 1, 1, 1]);
    assert_eq!(m.start, Some(3));
    assert_eq!(m.defined_func(2), Some(0));
    assert_eq!(m.bytes[m.bodies[0].start as usize..m.bodies[0].end as usize].last(), Some(&0x0b));
    assert_eq!(m.bytes[m.bodies[0].start as usize..][..3], [1, 1, 0x7f], "a body begins with its locals");
    assert_eq!(m.bodies[1].len(), 2);

    let table = |element, min, max| ExternType::Table(TableType { element, limits: Limits { min, max }, is64: false });
    let memory = ExternType::Memory(MemoryType::new32(Limits { min: 3, max: Some(4) }));
    let global = |content, mutable| ExternType::Global(GlobalType { content, mutable });
    let import = |module: &str, name: &str, ty| ImportType { module: module.into(), name: name.into(), ty };
    let imports = [
        import("a", "f", ExternType::Func(f.clone())),
        import("a", "t", table(RefType::EXTERN, 1, Some(2))),
        import("a", "m", memory.clone()),
        import("b", "g", global(ValType::I32, false)),
        import("b", "f", ExternType::Func(FuncType::new([], []))),
    ];
    assert_eq!(m.import_types(), imports);
    let export = |name: &str, ty| ExportType { name: name.into(), ty };
    let exports = [
        export("z", ExternType::Func(f)),
        export("m", memory),
        export("a", table(RefType::FUNC, 10, None)),
        export("g", global(ValType::I64, true)),
    ];
    assert_eq!(m.export_types(), exports);
    assert_eq!(m.export("a").map(|e| (e.kind, e.index)), Some((ExternKind::Table, 1)));

    assert_eq!(m.table_inits, [vec![ConstOp::RefNull]]);
    let product =
        vec![ConstOp::GlobalGet(0), ConstOp::I32Const(5), ConstOp::I32Const(3), ConstOp::I32Sub, ConstOp::I32Mul];
    let inits = [
        vec![ConstOp::I64Const(-1)],
        vec![ConstOp::RefFunc(2)],
        product,
        vec![ConstOp::RefNull],
        vec![ConstOp::F32Const(0x7fa0_0001)],
    ];
    assert_eq!(m.global_inits, inits);
}

#[test]
fn segments_are_taken_over() {
    let m = module(EVERYTHING);
    let modes: Vec<String> = m.elements.iter().map(|e| format!("{:?}", e.mode)).collect();
    assert_eq!(modes[0], "Active { index: 1, offset: [I32Const(2)] }");
    assert_eq!(modes[1..], ["Passive", "Passive", "Declared", "Passive"]);
    let items: Vec<String> = m.elements.iter().map(|e| format!("{:?}", e.items)).collect();
    let expected = [
        "Functions([2, 3])",
        "Functions([0, 2])",
        "Expressions([[RefFunc(0)], [RefNull]])",
        "Functions([0])",
        "Functions([])",
    ];
    assert_eq!(items, expected);
    let types: Vec<RefType> = m.elements.iter().map(|e| e.ty).collect();
    assert_eq!(types, [RefType::FUNC, RefType::FUNC, RefType::FUNC, RefType::FUNC, RefType::EXTERN]);

    let data: Vec<(String, &[u8])> = m
        .data
        .iter()
        .map(|d| (format!("{:?}", d.mode), &m.bytes[d.range.start as usize..d.range.end as usize]))
        .collect();
    let expected: [(String, &[u8]); 3] = [
        ("Active { index: 0, offset: [I32Const(7)] }".into(), b"seven"),
        ("Passive".into(), b"passive"),
        ("Active { index: 0, offset: [GlobalGet(0)] }".into(), b""),
    ];
    assert_eq!(data, expected);
}

#[test]
fn plain_data_is_read_like_any_other() {
    // One more segment, at an offset that is not a plain constant, has the others read the other way.
    let plain = r#"(data (i32.const -5) "x") (data "") (data (i32.const 0x7fffffff) "yz")"#;
    let a = module(&format!("(module (memory 1) {plain})"));
    let b = module(&format!("(module (memory 1) {plain} (data (i32.add (i32.const 1) (i32.const 2)) \"\"))"));
    let contents = |m: &Module| -> Vec<(String, Vec<u8>)> {
        let bytes = |d: &DataSegment| m.bytes[d.range.start as usize..d.range.end as usize].to_vec();
        m.data.iter().map(|d| (format!("{:?}", d.mode), bytes(d))).collect()
    };
    assert_eq!(contents(&a), contents(&b)[..3]);
    assert_eq!(contents(&a)[2], ("Active { index: 0, offset: [I32Const(2147483647)] }".into(), b"yz".to_vec()));
    // What is wrong in a plain section is found.
    let message = |text: &str| refused(&binary(text)).message;
    assert_eq!(message("(module (data (i32.const 0) \"a\"))"), "unknown memory 0: memory index out of bounds");
    assert_eq!(message("(module (memory 1) (data (i64.const 0) \"a\"))"), "type mismatch: expected i32, found i64");
    let mut bytes = binary("(module (memory 1) (data (i32.const 0) \"abc\"))");
    let last = bytes.len() - 4;
    assert_eq!(bytes[last], 3);
    bytes[last] = 4;
    assert_eq!(refused(&bytes).kind, ModuleErrorKind::Malformed);
    bytes[last] = 2;
    assert_eq!(refused(&bytes).kind, ModuleErrorKind::Malformed);
}

#[test]
fn errors_say_what_where_and_in_which_function() {
    let text = "(module (import \"a\" \"b\" (func)) (func) (func $sum (result i32) i64.const 0))";
    let error = refused(&binary(text));
    assert_eq!(error.kind, ModuleErrorKind::Invalid);
    assert_eq!(error.function, Some((2, Some("sum".into()))));
    let expected = "invalid module: type mismatch: expected i32, found i64 (at offset 0x2a, function 2 \"sum\")";
    assert_eq!(error.to_string(), expected);
    // Without a name section, the name of an export does; without either, the index.
    let error = refused(&binary("(module (func (export \"sum\") (result i32) i64.const 0))"));
    assert_eq!(error.function, Some((0, Some("sum".into()))));
    let error = refused(&binary("(module (func (result i32) i64.const 0))"));
    assert!(error.to_string().ends_with(", function 0)"), "{error}");

    let error = refused(b"\0asm\x01\0\0\0\x01");
    assert_eq!(error.to_string(), "malformed module: unexpected end of section or function (at offset 0x9)");
    assert_eq!(refused(b"").kind, ModuleErrorKind::Malformed);
}

#[test]
fn the_specifications_words() {
    let cases = [
        ("(memory 2 1)", "size minimum must not be greater than maximum"),
        ("(table 2 1 funcref)", "size minimum must not be greater than maximum"),
        ("(memory 65537)", "memory size must be at most 65536 pages (4GiB)"),
        ("(memory 0 65537)", "memory size must be at most 65536 pages (4GiB)"),
        ("(import \"a\" \"b\" (memory 65537))", "memory size must be at most 65536 pages (4GiB)"),
        ("(func (export \"a\")) (func (export \"a\"))", "duplicate export name"),
        ("(start 0) (func (param i32))", "start function: its type must be [] -> []"),
        ("(global (mut i32) (i32.const 0)) (global i32 (global.get 0))", "constant expression required"),
    ];
    for (text, expected) in cases {
        let error = refused(&binary(&format!("(module {text})")));
        assert!(error.message.starts_with(expected), "{text}: {error}");
    }
    module("(module (memory 65536 65536))");
    module("(module (memory 1) (table 0 0xffffffff funcref))");
}

#[test]
fn limits_are_those_that_are_stated() {
    let error = |text: &str| {
        let error = refused(&binary(text));
        assert_eq!(error.kind, ModuleErrorKind::Limit, "{error}");
        error
    };
    let params = |n: usize| format!("(module (type (func (param {}))))", "i32 ".repeat(n));
    module(&params(limits::MAX_PARAMS));
    error(&params(limits::MAX_PARAMS + 1));
    let results = |n: usize| format!("(module (type (func (result {}))))", "i32 ".repeat(n));
    module(&results(limits::MAX_RESULTS));
    error(&results(limits::MAX_RESULTS + 1));
    let locals = |n: u32| format!("(module (func (local {})))", "i32 ".repeat(n as usize));
    module(&locals(limits::MAX_LOCALS));
    error(&locals(limits::MAX_LOCALS + 1));
    // Instances can have smaller tables only.
    module("(module (table 0xffffffff funcref))");
    module("(module (import \"a\" \"b\" (table 0xffffffff funcref)))");
    let body = |n: usize| format!("(module (func {}))", "nop ".repeat(n - 2));
    module(&body(limits::MAX_BODY_SIZE));
    error(&body(limits::MAX_BODY_SIZE + 1));
    let name = |n: usize| format!("(module (func (export \"{}\")))", "n".repeat(n));
    module(&name(limits::MAX_NAME_SIZE));
    error(&name(limits::MAX_NAME_SIZE + 1));
    let segments = |n: u32| format!("(module {})", "(data)".repeat(n as usize));
    module(&segments(limits::MAX_DATA_SEGMENTS));
    error(&segments(limits::MAX_DATA_SEGMENTS + 1));
    let segments = |n: u32| format!("(module {})", "(elem func)".repeat(n as usize));
    module(&segments(limits::MAX_ELEMENT_SEGMENTS));
    error(&segments(limits::MAX_ELEMENT_SEGMENTS + 1));
    let tables = |n: u32| format!("(module {})", "(table 0 funcref)".repeat(n as usize));
    module(&tables(limits::MAX_TABLES));
    error(&tables(limits::MAX_TABLES + 1));
}

/// A module with much code, some functions of which are wrong.
fn large(wrong: &[usize], behind: &str) -> Vec<u8> {
    let mut text = String::from("(module (memory 1)");
    for i in 0..200 {
        text += "(func ";
        text += if wrong.contains(&i) { "i32.const 1 drop f32.sqrt drop " } else { "" };
        text += &"nop ".repeat(3000);
        text += ")";
    }
    text += behind;
    text += ")";
    binary(&text)
}

#[test]
fn the_first_error_whatever_the_number_of_threads() {
    let data = "(data (memory 0) (i64.const 0) \"\")";
    // With 22 bodies to a chunk, the last ones of neighbouring chunks, which several threads find at the same time.
    let last: Vec<usize> = (1..9).map(|chunk| chunk * 22 - 1).collect();
    let cases: [(&[usize], &str, Option<u32>); 6] = [
        (&[], "", None),
        (&[199], "", Some(199)),
        (&[190, 150, 90, 31], "", Some(31)),
        (&[100, 101], data, Some(100)),
        (&last, "", Some(21)),
        (&[], data, None),
    ];
    let mut compared = 0;
    for (wrong, behind, expected) in cases {
        let bytes: Arc<[u8]> = large(wrong, behind).into();
        let run = |threads| Module::new(bytes.clone(), &default_features(), threads).map(|m| m.bodies.len());
        let alone = run(1);
        assert_eq!(alone.is_ok(), wrong.is_empty() && behind.is_empty());
        if let Err(error) = &alone {
            assert_eq!(error.function.as_ref().map(|f| f.0), expected, "{error}");
        }
        for threads in [0, 2, 3, 8] {
            for _ in 0..10 {
                assert_eq!(run(threads), alone);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 240);
}
