//! The name section helps where it can and harms nowhere.

use super::*;

const TEXT: &str =
    "(module $mod (import \"a\" \"b\" (func $imported)) (func $one) (func) (func $\"naïve\" (local $x i32)))";

#[test]
fn names_are_found() {
    let m = module(TEXT);
    assert_eq!(m.name(), Some("mod"));
    let names: Vec<_> = (0..5).map(|i| m.name_of_function(i)).collect();
    assert_eq!(names, [Some("imported"), Some("one"), None, Some("naïve"), None]);
    assert_eq!(m.func_display(1).to_string(), "$one");
    assert_eq!(m.func_display(2).to_string(), "function[2]");
    assert_eq!(m.func_display(u32::MAX).to_string(), "function[4294967295]");
    let m = module("(module (func (export \"f\")))");
    assert_eq!((m.name(), m.name_of_function(0), m.name_section.clone()), (None, None, None));
}

#[test]
fn damaged_names_do_no_harm() {
    let bytes = binary(TEXT);
    let section = module(TEXT).name_section.unwrap();
    let (mut read, mut lost) = (0, 0);
    for at in section.start as usize..section.end as usize {
        for value in 0..=255 {
            let mut bytes = bytes.clone();
            bytes[at] = value;
            // The section's own name and size are before the range, so that the module stays good.
            let m = decode(&bytes).unwrap_or_else(|e| panic!("{e}"));
            if (0..5).any(|i| m.name_of_function(i) == Some("one")) {
                read += 1;
            } else {
                lost += 1;
            }
            let _ = m.name();
        }
    }
    println!("damaged name sections: a name was read from {read}, not from {lost}");
    assert_eq!(read + lost, section.len() * 256);
    assert!(read > 0 && lost > 0);
}

#[test]
fn an_index_far_beyond_the_functions_takes_no_memory() {
    // A function name map with the index 2^32 - 1.
    let mut bytes = binary("(module (func))");
    let names = [1, 8, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, b'x'];
    bytes.extend([0, 5 + names.len() as u8, 4]);
    bytes.extend(b"name");
    bytes.extend(names);
    let m = decode(&bytes).unwrap();
    assert!(m.name_section.is_some());
    assert_eq!(m.name_of_function(u32::MAX), None);
    assert_eq!(m.name_of_function(0), None);
}
