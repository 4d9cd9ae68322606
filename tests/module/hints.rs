//! Branch hints help where they can and harm nowhere.

use super::*;

const TEXT: &str = r#"(module (import "a" "b" (func))
    (func (param i32) (local.get 0) (@metadata.code.branch_hint "\01") (if (then))
        (block (local.get 0) (@metadata.code.branch_hint "\00") (br_if 0)))
    (func (param i32) (local.get 0) (if (then)))
    (func (param i32) (local.get 0) (@metadata.code.branch_hint "\01") (if (then))))"#;

/// All hints of a module: the defined function, the offset in its body, what is likely.
fn hints(m: &Module) -> Vec<(usize, u32, bool)> {
    let at = |(func, body): (usize, &std::ops::Range<u32>)| {
        let start = body.start;
        body.clone().filter_map(move |at| Some((func, at - start, m.branch_hint(at)?))).collect::<Vec<_>>()
    };
    m.bodies.iter().enumerate().flat_map(at).collect()
}

#[test]
fn hints_are_found() {
    assert_eq!(hints(&module(TEXT)), [(0, 3, true), (0, 10, false), (2, 3, true)]);
    assert_eq!(hints(&module("(module (func (param i32) (if (local.get 0) (then))))")), []);
}

#[test]
fn damaged_hints_do_no_harm() {
    let bytes = binary(TEXT);
    let section = module(TEXT).hint_section.unwrap();
    let (mut all, mut fewer) = (0, 0);
    for at in section.start as usize..section.end as usize {
        for value in 0..=255 {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            let m = decode(&bytes).unwrap_or_else(|e| panic!("{e}"));
            if hints(&m).len() == 3 { all += 1 } else { fewer += 1 }
        }
    }
    println!("damaged hints: all three were read from {all}, fewer from {fewer}");
    assert_eq!(all + fewer, section.len() * 256);
    assert!(all > 0 && fewer > 0);
}
