//! Wrong types, wrong counts, missing imports, objects of other stores: each is an error that says what was expected.

use crate::{engine, instance};
use tenon::*;

/// The error's kind, and a part of its message.
#[track_caller]
fn refused<T>(result: Result<T, Error>, kind: ErrorKind, message: &str) {
    let error = result.err().expect("it is refused");
    assert!(error.kind() == kind && error.to_string().contains(message), "{error:?}, but expected: {message}");
}

#[test]
fn wrong_types_of_functions() {
    let (mut store, instance) = instance(r#"(module (func (export "f") (param i32 f64) (result i64) (i64.const 0)))"#);
    let wanted = |name: &str| format!("has the type (i32, f64) -> (i64), which is not {name}");
    macro_rules! typed {
        ($params:ty, $results:ty, $name:literal) => {
            let found = instance.typed_func::<$params, $results>(&mut store, "f");
            refused(found, ErrorKind::Argument, &wanted($name));
        };
    }
    typed!((), i64, "() -> (i64)");
    typed!((i32, f32), i64, "(i32, f32) -> (i64)");
    typed!((i32, f64, i32), i64, "(i32, f64, i32) -> (i64)");
    typed!((i32, f64), (), "(i32, f64) -> ()");
    typed!((i32, f64), Option<Func>, "(i32, f64) -> (funcref)");
    assert!(instance.typed_func::<(u32, f64), u64>(&mut store, "f").is_ok());
}

#[test]
fn wrong_arguments() {
    let (mut store, instance) =
        instance(r#"(module (func (export "f") (param i32 funcref) (result i32) (i32.const 0)))"#);
    let f = instance.func(&mut store, "f").unwrap();
    let call = |store: &mut Store<()>, args: &[Val]| f.call(store, args);
    refused(call(&mut store, &[]), ErrorKind::Argument, "0 arguments are given to a function of type");
    refused(
        call(&mut store, &[Val::I64(0), Val::FuncRef(None)]),
        ErrorKind::Argument,
        "argument 0: expected i32, found i64",
    );
    refused(
        call(&mut store, &[Val::I32(0), Val::F32(0.0)]),
        ErrorKind::Argument,
        "argument 1: expected funcref, found f32",
    );
    let thing = ExternRef::new(&mut store, ()).unwrap();
    refused(call(&mut store, &[Val::I32(0), thing.into()]), ErrorKind::Argument, "argument 1: expected funcref");
    assert_eq!(call(&mut store, &[Val::I32(0), Val::FuncRef(None)]).unwrap(), [Val::I32(0)]);
}

#[test]
fn wrong_results_of_a_closure() {
    let mut store = Store::new(&engine(), ());
    let ty = FuncType::new([], [ValType::I32, ValType::FUNCREF]);
    let wrong = Func::new(&mut store, &ty, |_, _, results| {
        results[0] = Val::F64(1.0);
        Ok(())
    });
    let error = wrong.unwrap().call(&mut store, &[]).unwrap_err();
    assert!(error.to_string().contains("result 0 of the host function: expected i32, found f64"), "{error}");
    // A reference to another store's function is no result either, and nothing is kept of it.
    let mut other = Store::new(&engine(), ());
    let foreign = Func::wrap(&mut other, || ());
    let kept = foreign.clone();
    let wrong = Func::wrap(&mut store, move || -> (i32, Option<Func>) { (0, Some(kept.clone())) });
    refused(wrong.call(&mut store, &[]), ErrorKind::Store, "belongs to another store");
    let fine = Func::new(&mut store, &ty, |_, _, _| Ok(())).unwrap();
    assert_eq!(fine.call(&mut store, &[]).unwrap(), [Val::I32(0), Val::FuncRef(None)]);
}

#[test]
fn imports() {
    let engine = engine();
    let module =
        Module::new(&engine, r#"(module (import "env" "log" (func (param i32))) (import "env" "memory" (memory 1)))"#)
            .unwrap();
    let mut store = Store::new(&engine, ());
    let log = Func::wrap(&mut store, |_: i32| ());
    let missing = Instance::new(&mut store, &module, &[log.clone().into()]);
    refused(missing, ErrorKind::Link, r#"unknown import "env" "memory" (import 1 of 2): expected memory {min 1}"#);
    let wrong = Func::wrap(&mut store, |_: i64| ());
    let wrong = Instance::new(&mut store, &module, &[wrong.into()]);
    refused(wrong, ErrorKind::Link, r#"incompatible import type for "env" "log" (import 0 of 2)"#);
    let mut linker = Linker::new(&engine);
    refused(linker.instantiate(&mut store, &module), ErrorKind::Link, r#"unknown import "env" "log" (import 0 of 2)"#);
    linker.func_wrap("env", "log", |_: i32| ()).unwrap();
    refused(linker.func_wrap("env", "log", |_: i32| ()), ErrorKind::Argument, r#""env" "log" is defined already"#);
    refused(
        linker.instantiate(&mut store, &module),
        ErrorKind::Link,
        r#"unknown import "env" "memory" (import 1 of 2)"#,
    );
    let mut other = Store::new(&engine, ());
    let memory = Memory::new(&mut other, MemoryType::new32(Limits { min: 1, max: None })).unwrap();
    linker.define("env", "memory", memory).unwrap();
    refused(linker.instantiate(&mut store, &module), ErrorKind::Store, r#"import "env" "memory": the memory belongs"#);
    assert!(linker.instantiate(&mut other, &module).is_ok());
}

#[test]
fn modules() {
    let engine = engine();
    refused(Module::new(&engine, "(module (func"), ErrorKind::Text, "expected");
    refused(Module::new(&engine, ""), ErrorKind::Malformed, "unexpected end");
    refused(Module::new(&engine, b"\0asm\x02\0\0\0"), ErrorKind::Malformed, "unknown binary version");
    refused(Module::new(&engine, [0xff, 0xfe]), ErrorKind::Malformed, "");
    refused(Module::new(&engine, "(module (func (result i32)))"), ErrorKind::Invalid, "type mismatch");
    // SAFETY: none of this is a serialized module, which is noticed.
    unsafe {
        refused(Module::deserialize(&engine, b"nonsense"), ErrorKind::Damaged, "");
        assert!(Module::deserialize_file(&engine, "no such file").is_err());
        refused(Module::deserialize_file(&engine, "a\0b"), ErrorKind::Argument, "zero byte");
        refused(Module::deserialize_file(&engine, file!()), ErrorKind::Damaged, "");
    }
    let off = Engine::new(&Config::new().threads(false)).unwrap();
    refused(Module::new(&off, "(module (memory 1 1 shared))"), ErrorKind::Unsupported, "threads");
    let module = Module::new(&engine, "(module)").unwrap();
    let mut store = Store::new(&off, ());
    refused(Instance::new(&mut store, &module, &[]), ErrorKind::Store, "another engine");
}

#[test]
fn exports() {
    let (mut store, instance) = instance(r#"(module (memory (export "m") 1) (func (export "f")))"#);
    refused(instance.func(&mut store, "g"), ErrorKind::Argument, "the instance exports no \"g\"");
    refused(instance.func(&mut store, "m"), ErrorKind::Argument, "the export \"m\" is a memory, not a function");
    refused(instance.memory(&mut store, "f"), ErrorKind::Argument, "the export \"f\" is a function, not a memory");
    let exports = instance.exports(&mut store).unwrap();
    assert_eq!(exports.iter().map(|(name, _)| &name[..]).collect::<Vec<_>>(), ["m", "f"]);
}

#[test]
fn everything_of_another_store() {
    let engine = engine();
    let module = Module::new(
        &engine,
        r#"(module (memory (export "m") 1) (func (export "f")) (table (export "t") 1 funcref)
            (global (export "g") (mut funcref) (ref.null func)) (tag (export "e")))"#,
    )
    .unwrap();
    let mut home = Store::new(&engine, ());
    let instance = Instance::new(&mut home, &module, &[]).unwrap();
    let func = instance.func(&mut home, "f").unwrap();
    let typed = func.typed::<(), ()>(&home).unwrap();
    let memory = instance.memory(&mut home, "m").unwrap();
    let table = instance.table(&mut home, "t").unwrap();
    let global = instance.global(&mut home, "g").unwrap();
    let tag = instance.tag(&mut home, "e").unwrap();
    let exception = Exception::new(&mut home, &tag, &[]).unwrap();
    let thing = ExternRef::new(&mut home, 1).unwrap();

    let check = |away: &mut Store<()>| {
        macro_rules! all {
            ($($call:expr;)*) => {
                $(refused($call, ErrorKind::Store, "belongs to another store");)*
            };
        }
        let null = Val::FuncRef(None);
        all! {
            instance.exports(&mut *away);
            instance.get(&mut *away, "f");
            instance.module(&*away);
            func.ty(&*away);
            func.call(&mut *away, &[]);
            func.typed::<(), ()>(&*away);
            typed.call(&mut *away, ());
            memory.ty(&*away);
            memory.size(&*away);
            memory.data_size(&*away);
            memory.page_size(&*away);
            memory.grow(&mut *away, 0);
            memory.data(&*away);
            memory.data_mut(&mut *away);
            memory.read(&*away, 0, &mut []);
            memory.write(&mut *away, 0, &[]);
            memory.read_value::<u8>(&*away, 0);
            memory.write_value(&mut *away, 0, &0u8);
            memory.read_string(&*away, 0, 0);
            memory.read_c_string(&*away, 0, 1);
            memory.fill(&mut *away, 0, 0, 0);
            memory.copy_within(&mut *away, 0..0, 0);
            memory.shared(&*away);
            memory.is_pinned(&*away);
            memory.as_ptr(&*away);
            memory.discard(&mut *away, 0, 0);
            instance.reset_memory(&mut *away, "m");
            table.ty(&*away);
            table.size(&*away);
            table.get(&mut *away, 0);
            table.set(&mut *away, 0, &null);
            table.grow(&mut *away, 0, &null);
            table.fill(&mut *away, 0, &null, 0);
            global.ty(&*away);
            global.get(&mut *away);
            global.set(&mut *away, &null);
            tag.ty(&*away);
            Exception::new(&mut *away, &tag, &[]);
            exception.tag(&mut *away);
            exception.values(&mut *away);
            thing.data(&*away);
            thing.data_mut(&mut *away);
            Result::<(), _>::Err(exception.throw(&*away));
        }
        let ty = TableType { element: RefType::FUNC, limits: Limits { min: 1, max: None }, is64: false };
        let own = Table::new(&mut *away, ty, &null).unwrap();
        let content = GlobalType { content: ValType::EXTERNREF, mutable: true };
        let variable = Global::new(&mut *away, content, &Val::ExternRef(None)).unwrap();
        let wants = Func::wrap(&mut *away, |_: Option<Func>| ());
        let wants_typed = wants.typed::<Option<Func>, ()>(&*away).unwrap();
        all! {
            own.set(&mut *away, 0, &func.clone().into());
            own.grow(&mut *away, 1, &func.clone().into());
            own.fill(&mut *away, 0, &func.clone().into(), 1);
            variable.set(&mut *away, &thing.clone().into());
            Table::new(&mut *away, ty, &func.clone().into());
            Global::new(&mut *away, content, &thing.clone().into());
            wants.call(&mut *away, &[func.clone().into()]);
            wants_typed.call(&mut *away, Some(func.clone()));
        }
    };
    check(&mut Store::new(&engine, ()));
    // The same once the store is gone, and others take its place in memory.
    drop(home);
    for _ in 0..3 {
        check(&mut Store::new(&engine, ()));
    }
    let copies = (func.clone(), memory.clone(), thing.clone());
    assert!(copies.0 == func && copies.1 == memory && copies.2 == thing);
}

#[test]
fn constants_are_not_set() {
    let (mut store, instance) = instance(r#"(module (global (export "g") i32 (i32.const 1)))"#);
    let global = instance.global(&mut store, "g").unwrap();
    refused(global.set(&mut store, &Val::I32(2)), ErrorKind::Argument, "the global is constant");
    assert_eq!(global.get(&mut store).unwrap(), Val::I32(1));
}
