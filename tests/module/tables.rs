//! Which tables never change, and what they hold.

use super::*;

/// Of each table its functions, if it never changes.
fn constant(text: &str) -> Vec<Option<Vec<Option<u32>>>> {
    let m = module(text);
    let functions = |table| {
        let elements = &m.constant_table(table)?.elements;
        Some(elements.iter().map(|element| element.map(|entry| entry.func)).collect())
    };
    (0..m.tables.len() as u32).map(functions).collect()
}

#[test]
fn what_segments_say_is_all() {
    let text = r#"(module (import "a" "b" (func $host)) (import "a" "t" (table $imported 1 funcref))
        (table $t 4 8 funcref) (elem (table $t) (i32.const 1) func $f $g) (elem (table $t) (i32.const 2) func $f)
        (table $u i64 1 funcref) (elem (table $u) (i64.const 0) func $g)
        (table $empty 2 funcref) (table $objects 1 externref)
        (func $f) (func $g (param i32) (result i32) (ref.is_null (table.get $t (local.get 0)))))"#;
    let expected = [None, Some(vec![None, Some(1), Some(1), None]), Some(vec![Some(2)]), Some(vec![None, None]), None];
    assert_eq!(constant(text), expected);
    // Entries of all of them, with the first index of each type.
    let entries: Vec<_> = module(text).constant_elements().map(|e| e.map(|e| (e.func, e.ty))).collect();
    assert_eq!(entries, [None, Some((1, 0)), Some((1, 0)), None, Some((2, 1)), None, None]);
}

/// Everything after which a table may hold something else: only one of the two tables is concerned.
#[test]
fn what_may_be_written_is_not_constant() {
    let cases = [
        "(table.set $t (i32.const 0) (ref.null func))",
        "(drop (table.grow $t (ref.null func) (i32.const 1)))",
        "(table.fill $t (i32.const 0) (ref.null func) (i32.const 1))",
        "(table.copy $t $u (i32.const 0) (i32.const 0) (i32.const 1))",
        "(table.init $t $passive (i32.const 0) (i32.const 0) (i32.const 1))",
        "(if (i32.const 0) (then (i32.const 9) drop (table.set $t (i32.const 0) (ref.null func))))",
        ") (export \"t\" (table $t)",
        ") (elem (table $t) (i32.const 0) func $host",
    ];
    for case in cases {
        let text = format!(
            r#"(module (import "a" "b" (func $host)) (table $u 1 funcref) (table $t 2 funcref)
                (elem $passive func $f) (elem (table $u) (i32.const 0) func $f) (func $f {case}))"#
        );
        assert_eq!(constant(&text), [Some(vec![Some(1)]), None], "{case}");
    }
    // Neither of these writes.
    let reads = "(drop (table.size $t)) (drop (table.get $t (i32.const 0))) (elem.drop $passive)
        (table.copy $w $t (i32.const 0) (i32.const 0) (i32.const 1))";
    let text = format!("(module (table $t 1 funcref) (table $w 1 funcref) (elem $passive func $f) (func $f {reads}))");
    assert_eq!(constant(&text), [Some(vec![None]), None]);
}

/// Segments that can fail, or that are known only at instantiation, leave nothing that can be relied on.
#[test]
fn segments_that_can_fail() {
    let cases = [
        "(elem (table $t) (i32.const 2) func $f)",
        "(elem (table $t) (i32.const -1) func $f)",
        "(elem (table $t) (global.get $g) func $f)",
        "(elem (table $t) (i32.const 0) funcref (ref.func $f) (ref.null func))",
        "(elem (table $imported) (i32.const 0) func $f)",
    ];
    for case in cases {
        let text = format!(
            r#"(module (import "a" "t" (table $imported 1 funcref)) (import "a" "g" (global $g i32))
                (table $t 2 funcref) {case} (elem (table $t) (i32.const 1) func $f) (func $f))"#
        );
        assert_eq!(constant(&text), [None, None], "{case}");
    }
    // A table of functions at first is none of nulls.
    assert_eq!(constant("(module (table 2 (ref func) (ref.func $f)) (func $f))"), [None]);
}

#[test]
fn only_so_many_entries() {
    let sizes = |sizes: &[u32]| {
        let tables: String = sizes.iter().map(|size| format!("(table {size} funcref)")).collect();
        let m = module(&format!("(module {tables})"));
        (0..sizes.len() as u32).map(|table| m.constant_table(table).is_some()).collect::<Vec<_>>()
    };
    assert_eq!(sizes(&[1 << 17, 1 << 17, 1]), [true, true, false]);
    assert_eq!(sizes(&[u32::MAX, 10]), [false, true]);
    // The tables whose writes are not looked at one by one.
    let many = sizes(&[1; 34]);
    assert_eq!(many.iter().position(|constant| !constant), Some(32));
    assert!(!many[33]);
}
