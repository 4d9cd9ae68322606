//! Structures, arrays and numbers of 31 bits in the host's hands.

use super::instance;
use tenon::{AnyRef, ExternRef, HeapType, Val};

const TEXT: &str = r#"(module
    (type $node (struct (field (mut i32)) (field (mut (ref null $node))) (field (mut externref))))
    (type $bytes (array (mut i8)))
    (global $kept (export "kept") (mut (ref null $node)) (ref.null $node))
    (func (export "node") (param i32) (result (ref $node))
      (struct.new $node (local.get 0) (global.get $kept) (ref.null extern)))
    (func (export "bytes") (result (ref $bytes)) (array.new $bytes (i32.const 200) (i32.const 3)))
    (func (export "keep") (param (ref null $node)) (global.set $kept (local.get 0)))
    (func (export "sum") (result i32) (local $at (ref null $node)) (local $sum i32)
      (local.set $at (global.get $kept))
      (block $end (loop $more
        (br_if $end (ref.is_null (local.get $at)))
        (local.set $sum (i32.add (local.get $sum) (struct.get $node 0 (local.get $at))))
        (local.set $at (struct.get $node 1 (local.get $at)))
        (br $more)))
      (local.get $sum)))"#;

fn any(values: Vec<Val>) -> AnyRef {
    match values.into_iter().next() {
        Some(Val::AnyRef(Some(reference))) => reference,
        other => panic!("a reference was expected, not {other:?}"),
    }
}

#[test]
fn structures_are_made_read_and_written() {
    let (mut store, instance) = instance(TEXT);
    let node = instance.func(&mut store, "node").unwrap();
    let keep = instance.func(&mut store, "keep").unwrap();
    let sum = instance.func(&mut store, "sum").unwrap();
    let first = any(node.call(&mut store, &[Val::I32(1)]).unwrap());
    let ty = first.ty(&mut store).unwrap().heap;
    let host = ExternRef::new(&mut store, 7u64).unwrap();
    let fields = [Val::I32(20), first.clone().into(), host.clone().into()];
    let second = AnyRef::new_struct(&mut store, ty, &fields).unwrap();
    keep.call(&mut store, &[second.clone().into()]).unwrap();
    first.set_field(&mut store, 0, &Val::I32(300)).unwrap();
    assert_eq!(sum.call(&mut store, &[]).unwrap(), [Val::I32(320)]);
    assert_eq!(second.field(&mut store, 2).unwrap(), Val::ExternRef(Some(host)));
    let Val::AnyRef(Some(next)) = second.field(&mut store, 1).unwrap() else { panic!("it is not null") };
    assert!(next.same(&store, &first).unwrap() && !next.same(&store, &second).unwrap());
    // What only WebAssembly holds stays.
    drop((first, next, second));
    assert_eq!(sum.call(&mut store, &[]).unwrap(), [Val::I32(320)]);
}

#[test]
fn arrays_are_made_read_and_written() {
    let (mut store, instance) = instance(TEXT);
    let bytes = any(instance.func(&mut store, "bytes").unwrap().call(&mut store, &[]).unwrap());
    assert_eq!((bytes.len(&mut store).unwrap(), bytes.element(&mut store, 2).unwrap()), (3, Val::I32(200)));
    bytes.set_element(&mut store, 1, &Val::I32(0x1_02)).unwrap();
    assert_eq!(bytes.element(&mut store, 1).unwrap(), Val::I32(2));
    let ty = bytes.ty(&mut store).unwrap().heap;
    let made = AnyRef::new_array(&mut store, ty, &[Val::I32(9), Val::I32(8)]).unwrap();
    assert_eq!((made.len(&mut store).unwrap(), made.element(&mut store, 1).unwrap()), (2, Val::I32(8)));
    assert!(made.is_of(&mut store, HeapType::Array).unwrap() && !made.is_of(&mut store, HeapType::Struct).unwrap());
}

#[test]
fn what_does_not_fit_is_an_error() {
    let (mut store, instance) = instance(TEXT);
    let (mut other, _) = super::instance(TEXT);
    let node = any(instance.func(&mut store, "node").unwrap().call(&mut store, &[Val::I32(1)]).unwrap());
    let ty = node.ty(&mut store).unwrap().heap;
    let number = AnyRef::new_i31(&mut store, -3).unwrap();
    let stranger = AnyRef::new_i31(&mut other, 5).unwrap();
    let said = |error: tenon::Error, words: &str| assert!(error.to_string().contains(words), "{error}: {words}");
    said(AnyRef::new_struct(&mut store, HeapType::Struct, &[]).unwrap_err(), "not a defined one");
    said(AnyRef::new_array(&mut store, ty, &[]).unwrap_err(), "not one of arrays");
    said(AnyRef::new_struct(&mut store, ty, &[]).unwrap_err(), "0 values are given for a structure of 3 fields");
    said(node.set_field(&mut store, 1, &number.clone().into()).unwrap_err(), "expected");
    said(node.set_field(&mut store, 1, &stranger.clone().into()).unwrap_err(), "another store");
    said(node.field(&mut store, 3).unwrap_err(), "there is no field 3");
    said(node.element(&mut store, 0).unwrap_err(), "expected an array");
    said(number.field(&mut store, 0).unwrap_err(), "expected a structure, found an i31");
    assert!(node.field(&mut other, 0).is_err());
    assert_eq!((number.i31(&mut store).unwrap(), node.i31(&mut store).unwrap()), (Some(-3), None));
}
