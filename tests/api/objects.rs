//! Structures, arrays and numbers of 31 bits, on both sides, with a collection at every allocation.

use crate::{engine, instance};
use std::sync::Arc;
use tenon::*;

fn field(storage: StorageType) -> FieldType {
    FieldType { storage, mutable: true }
}

fn value(ty: ValType) -> FieldType {
    field(StorageType::Val(ty))
}

const LIST: &str = r#"(module
    (type $node (struct (field (mut i64)) (field (mut (ref null 0)))))
    (global $kept (export "kept") (mut (ref null $node)) (ref.null $node))
    (table (export "table") 4 anyref)
    (func (export "push") (param i64)
        (global.set $kept (struct.new $node (local.get 0) (global.get $kept))))
    (func (export "sum") (param $at (ref null $node)) (result i64)
        (local $sum i64)
        (block $end
            (loop $next
                (br_if $end (ref.is_null (local.get $at)))
                (local.set $sum (i64.add (local.get $sum) (struct.get $node 0 (local.get $at))))
                (local.set $at (struct.get $node 1 (local.get $at)))
                (br $next)))
        (local.get $sum))
    (func (export "any") (param anyref) (result anyref) (local.get 0))
    (func (export "first") (result structref) (global.get $kept)))"#;

#[test]
fn the_host_reads_and_writes_what_the_guest_made() {
    let (mut store, instance) = instance(LIST);
    let push = instance.typed_func::<i64, ()>(&mut store, "push").unwrap();
    for n in 1..=50 {
        push.call(&mut store, n).unwrap();
    }
    let first = instance.typed_func::<(), Option<StructRef>>(&mut store, "first").unwrap();
    let mut at = first.call(&mut store, ()).unwrap();
    let mut sum = 0;
    while let Some(node) = at {
        assert_eq!(node.field_count(&mut store).unwrap(), 2);
        let number = node.field(&mut store, 0).unwrap().i64().unwrap();
        sum += number;
        node.set_field(&mut store, 0, &Val::I64(number * 2)).unwrap();
        let Val::AnyRef(next) = node.field(&mut store, 1).unwrap() else { panic!("a reference") };
        at = next.and_then(|next| next.as_struct(&mut store).unwrap());
    }
    assert_eq!(sum, 1275);
    let kept = instance.global(&mut store, "kept").unwrap().get(&mut store).unwrap();
    let total = instance.func(&mut store, "sum").unwrap();
    assert_eq!(total.call(&mut store, &[kept]).unwrap(), [Val::I64(2550)]);
}

#[test]
fn the_guest_reads_what_the_host_made() {
    let (mut store, instance) = instance(LIST);
    let sum = instance.func(&mut store, "sum").unwrap();
    let node = sum.ty(&store).unwrap().params()[0];
    let Some(DefType::Struct(ty)) = node.def_type() else { panic!("a structure") };
    let mut list = Val::AnyRef(None);
    for n in 1..=50 {
        list = StructRef::new(&mut store, &ty, &[Val::I64(n), list]).unwrap().into();
    }
    assert_eq!(sum.call(&mut store, &[list.clone()]).unwrap(), [Val::I64(1275)]);
    instance.global(&mut store, "kept").unwrap().set(&mut store, &list).unwrap();
    let table = instance.table(&mut store, "table").unwrap();
    table.set(&mut store, 2, &list).unwrap();
    drop(list);
    store.collect();
    let Val::AnyRef(Some(kept)) = table.get(&mut store, 2).unwrap() else { panic!("a reference") };
    assert_eq!(sum.call(&mut store, &[kept.clone().into()]).unwrap(), [Val::I64(1275)]);
    // Something else is refused, with or without types.
    let other = StructType::new([value(ValType::I64)]);
    let other = StructRef::new_default(&mut store, &other).unwrap();
    let error = sum.call(&mut store, &[other.clone().into()]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
    assert!(instance.global(&mut store, "kept").unwrap().set(&mut store, &other.clone().into()).is_err());
    assert!(StructRef::new(&mut store, &ty, &[Val::I64(0), other.into()]).is_err());
    assert!(StructRef::new(&mut store, &ty, &[Val::I64(0)]).is_err());
    assert!(
        instance.typed_func::<Option<StructRef>, i64>(&mut store, "sum").is_err(),
        "it takes less than any structure"
    );
}

#[test]
fn numbers_and_conversions() {
    let (mut store, instance) = instance(LIST);
    let any = instance.typed_func::<Option<AnyRef>, Option<AnyRef>>(&mut store, "any").unwrap();
    for n in [0, 1, -1, 0x3fff_ffff, -0x4000_0000] {
        let number = AnyRef::new_i31(&mut store, n).unwrap();
        let back = any.call(&mut store, Some(number.clone())).unwrap().unwrap();
        assert_eq!(back.i31(&mut store).unwrap(), Some(n));
        assert!(back.same(&store, &number).unwrap());
        assert!(back.as_struct(&mut store).unwrap().is_none() && back.as_array(&mut store).unwrap().is_none());
    }
    assert!(any.call(&mut store, None).unwrap().is_none());
    // What is the host's comes back as what it was.
    let text = ExternRef::new(&mut store, String::from("text")).unwrap();
    let back = any.call(&mut store, Some(text.to_any())).unwrap().unwrap();
    assert!(!back.is_of(&mut store, HeapType::Eq).unwrap());
    assert_eq!(back.i31(&mut store).unwrap(), None);
    let back = back.to_extern();
    assert_eq!(back, text);
    assert_eq!(back.downcast_ref::<String>(&store).unwrap().unwrap(), "text");
    // What is the guest's has nothing of the host's in it.
    let number = AnyRef::new_i31(&mut store, 5).unwrap().to_extern();
    assert!(number.data(&store).unwrap().is_none());
    assert_eq!(number.to_any().i31(&mut store).unwrap(), Some(5));
}

#[test]
fn arrays() {
    let mut store = Store::new(&engine(), ());
    let bytes = ArrayType::new(field(StorageType::I8));
    let array = ArrayRef::of(&mut store, &bytes, &[Val::I32(1), Val::I32(-1), Val::I32(0x1ff)]).unwrap();
    assert_eq!(array.get(&mut store, 1).unwrap(), Val::I32(255));
    assert_eq!(array.get_signed(&mut store, 1).unwrap(), Val::I32(-1));
    assert_eq!(array.get(&mut store, 2).unwrap(), Val::I32(255));
    array.fill(&mut store, 1, &Val::I32(7), 2).unwrap();
    let other = ArrayRef::new_default(&mut store, &bytes, 5).unwrap();
    other.copy_from(&mut store, 2, &array, 0, 3).unwrap();
    let all: Vec<_> = (0..5).map(|i| other.get(&mut store, i).unwrap().i32().unwrap()).collect();
    assert_eq!(all, [0, 0, 1, 7, 7]);
    for error in [
        array.get(&mut store, 3).unwrap_err(),
        array.set(&mut store, 3, &Val::I32(0)).unwrap_err(),
        array.set(&mut store, 0, &Val::I64(0)).unwrap_err(),
        array.fill(&mut store, u32::MAX, &Val::I32(0), 2).unwrap_err(),
        other.copy_from(&mut store, 3, &array, 0, 3).unwrap_err(),
        other.copy_from(&mut store, 0, &array, 1, 3).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Argument, "{error}");
    }
    let constant = ArrayType::new(FieldType { storage: StorageType::Val(ValType::F32), mutable: false });
    let constant = ArrayRef::new(&mut store, &constant, &Val::F32(0.5), 2).unwrap();
    assert!(constant.set(&mut store, 0, &Val::F32(1.0)).unwrap_err().to_string().contains("constant"));
    let funcs = ArrayType::new(value(ValType::FUNCREF));
    let func = Func::wrap(&mut store, || 9);
    let funcs = ArrayRef::new(&mut store, &funcs, &func.clone().into(), 3).unwrap();
    let found = funcs.get(&mut store, 2).unwrap();
    assert_eq!(found, Val::FuncRef(Some(func)));
    assert_eq!(funcs.len(&mut store).unwrap(), 3);
}

#[test]
fn closures_take_and_give_objects() {
    let engine = engine();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap(
            "host",
            "next",
            |mut caller: Caller<'_, Vec<StructRef>>, node: StructRef| -> Result<StructRef, Error> {
                // Allocations in between move everything.
                for n in 0..10 {
                    AnyRef::new_i31(&mut caller, n)?;
                }
                let number = node.field(&mut caller, 0)?.i32().unwrap_or(0);
                let ty = StructType::new([FieldType { storage: StorageType::Val(ValType::I32), mutable: true }]);
                let made = StructRef::new(&mut caller, &ty, &[Val::I32(number + 1)])?;
                caller.data_mut().push(node);
                Ok(made)
            },
        )
        .unwrap();
    let module = Module::new(
        &engine,
        r#"(module
            (type $cell (struct (field (mut i32))))
            (import "host" "next" (func $next (param (ref struct)) (result (ref struct))))
            (func (export "run") (param i32) (result i32)
                (local $cell (ref $cell)) (local $own (ref $cell))
                (local.set $cell (struct.new $cell (i32.const 0)))
                (local.set $own (struct.new $cell (i32.const 77)))
                (loop
                    (local.set $cell (ref.cast (ref $cell) (call $next (local.get $cell))))
                    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (i32.add (struct.get $cell 0 (local.get $cell)) (struct.get $cell 0 (local.get $own)))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, Vec::new());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.typed_func::<i32, i32>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, 20).unwrap(), 97);
    let cells = std::mem::take(store.data_mut());
    let numbers: Vec<_> = cells.iter().map(|cell| cell.field(&mut store, 0).unwrap().i32().unwrap()).collect();
    assert_eq!(numbers, (0..20).collect::<Vec<_>>());
}

#[test]
fn what_objects_hold_of_the_host_goes_with_them() {
    let token = Arc::new(());
    let mut store = Store::new(&engine(), ());
    let ty = StructType::new([value(ValType::EXTERNREF), value(ValType::ANYREF)]);
    for _ in 0..20 {
        let thing = ExternRef::new(&mut store, token.clone()).unwrap();
        let pair = StructRef::new(&mut store, &ty, &[thing.into(), Val::AnyRef(None)]).unwrap();
        // A cycle.
        pair.set_field(&mut store, 1, &pair.to_any().into()).unwrap();
        store.collect();
        assert_eq!(Arc::strong_count(&token), 2);
        let Val::ExternRef(Some(thing)) = pair.field(&mut store, 0).unwrap() else { panic!("a reference") };
        drop(pair);
        store.collect();
        assert!(thing.downcast_ref::<Arc<()>>(&store).unwrap().is_some());
        drop(thing);
        store.collect();
        assert_eq!(Arc::strong_count(&token), 1);
    }
}

#[test]
fn objects_of_another_store() {
    let engine = engine();
    let mut home = Store::new(&engine, ());
    let mut away = Store::new(&engine, ());
    let ty = StructType::new([value(ValType::ANYREF)]);
    let array = ArrayType::new(value(ValType::ANYREF));
    let number = AnyRef::new_i31(&mut home, 1).unwrap();
    let object = StructRef::new_default(&mut home, &ty).unwrap();
    let list = ArrayRef::new_default(&mut home, &array, 1).unwrap();
    let own = StructRef::new_default(&mut away, &ty).unwrap();
    let other = ArrayRef::new_default(&mut away, &array, 1).unwrap();
    let value = Val::from(number.clone());
    let wants = Func::wrap(&mut away, |_: Option<AnyRef>| ());
    macro_rules! refused {
        ($($call:expr;)*) => {
            $({
                let error = $call.map(drop).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Store, "{error}");
            })*
        };
    }
    refused! {
        number.i31(&mut away);
        number.ty(&mut away);
        number.is_of(&mut away, HeapType::Any);
        number.same(&away, &own.to_any());
        own.to_any().same(&away, &number);
        object.field(&mut away, 0);
        object.set_field(&mut away, 0, &Val::AnyRef(None));
        object.field_count(&mut away);
        own.set_field(&mut away, 0, &value);
        list.len(&mut away);
        list.get(&mut away, 0);
        other.set(&mut away, 0, &value);
        other.fill(&mut away, 0, &value, 1);
        other.copy_from(&mut away, 0, &list, 0, 1);
        StructRef::new(&mut away, &ty, std::slice::from_ref(&value));
        ArrayRef::new(&mut away, &array, &value, 1);
        ArrayRef::of(&mut away, &array, std::slice::from_ref(&value));
        wants.call(&mut away, std::slice::from_ref(&value));
        wants.typed::<Option<AnyRef>, ()>(&away).unwrap().call(&mut away, Some(number.clone()));
    }
}

#[test]
fn groups_of_types() {
    let (mut store, instance) = instance(LIST);
    // Equal to the module's own.
    let mut group = TypeGroup::new();
    let next = group.struct_at(0);
    group.add_struct([value(ValType::I64), value(next)]);
    let types = group.declare().unwrap();
    let sum = instance.func(&mut store, "sum").unwrap();
    let [DefType::Struct(node)] = &types[..] else { panic!("a structure") };
    assert_eq!(sum.ty(&store).unwrap().params()[0].def_type().as_ref(), types.first());
    let first = StructRef::new(&mut store, node, &[Val::I64(4), Val::AnyRef(None)]).unwrap();
    let second = StructRef::new(&mut store, node, &[Val::I64(5), first.into()]).unwrap();
    assert_eq!(sum.call(&mut store, &[second.into()]).unwrap(), [Val::I64(9)]);
    // Types below others.
    let base = TypeGroup::new().add_struct([value(ValType::I32)]).open().declare().unwrap();
    let fields = [value(ValType::I32), value(ValType::F64)];
    let derived = TypeGroup::new().add_struct(fields).below(&base[0]).declare().unwrap();
    let of = ArrayType::new(value(ValType::nullable(HeapType::Concrete(base[0].id()))));
    let DefType::Struct(derived) = &derived[0] else { panic!("a structure") };
    let object = StructRef::new_default(&mut store, derived).unwrap();
    assert!(ArrayRef::new(&mut store, &of, &object.into(), 2).is_ok());
    let own = instance.typed_func::<(), Option<StructRef>>(&mut store, "first").unwrap();
    assert!(own.call(&mut store, ()).unwrap().is_none());
    for wrong in [
        TypeGroup::new().add_struct([value(ValType::I64), value(ValType::F64)]).below(&base[0]).declare(),
        TypeGroup::new().add_struct([]).below(&base[0]).declare(),
        TypeGroup::new().add_array(value(ValType::I32)).below(&base[0]).declare(),
        TypeGroup::new().add_struct([value(ValType::I32)]).below(&DefType::Struct(derived.clone())).declare(),
        TypeGroup::new().add_struct([value(TypeGroup::new().array_at(0))]).declare(),
        TypeGroup::new().add_struct([value(TypeGroup::new().struct_at(1))]).declare(),
    ] {
        assert_eq!(wrong.unwrap_err().kind(), ErrorKind::Argument);
    }
    assert!(TypeGroup::new().declare().unwrap().is_empty());
}
