//! Calls in both directions: every type of value, every number of parameters, callers, re-entry.

use crate::{engine, instance};
use tenon::*;

#[test]
fn numbers_come_back_as_they_were() {
    let (mut store, instance) = instance(
        r#"(module
            (func (export "i32") (param i32) (result i32) (local.get 0))
            (func (export "i64") (param i64) (result i64) (local.get 0))
            (func (export "f32") (param f32) (result f32) (local.get 0))
            (func (export "f64") (param f64) (result f64) (local.get 0))
            (func (export "v128") (param v128) (result v128) (local.get 0)))"#,
    );
    macro_rules! check {
        ($name:literal $ty:ty: $($value:expr),*) => {
            let func = instance.typed_func::<$ty, $ty>(&mut store, $name).unwrap();
            for value in [$($value),*] {
                let value: $ty = value;
                assert_eq!(func.call(&mut store, value).unwrap().to_ne_bytes(), value.to_ne_bytes());
            }
        };
    }
    check!("i32" i32: 0, -1, i32::MIN, i32::MAX);
    check!("i32" u32: 0, u32::MAX);
    check!("i64" i64: 0, -1, i64::MIN, i64::MAX);
    check!("i64" u64: 0, u64::MAX);
    check!("f32" f32: 0.0, -0.0, 1.5, f32::NAN, f32::from_bits(0x7fa0_0001), f32::INFINITY);
    check!("f64" f64: 0.0, -0.0, 1.5, f64::NAN, f64::from_bits(0x7ff4_0000_0000_0001), f64::INFINITY);
    check!("v128" u128: 0, u128::MAX, 0x0123_4567_89ab_cdef_0011_2233_4455_6677);
}

#[test]
fn sixteen_values_in_both_directions() {
    type Sixteen = (i32, i64, f32, f64, i32, i64, f32, f64, i32, i64, f32, f64, i32, i64, f32, u128);
    let types = "i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 v128";
    let engine = engine();
    let text = format!(
        r#"(module
            (type $t (func (param {types}) (result {types})))
            (import "host" "f" (func $f (type $t)))
            (func (export "g") (type $t)
                {} (call $f)))"#,
        (0..16).map(|i| format!("(local.get {i}) ")).collect::<String>()
    );
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap(
            "host",
            "f",
            |mut caller: Caller<'_, u32>,
             a: i32,
             b: i64,
             c: f32,
             d: f64,
             e: i32,
             f: i64,
             g: f32,
             h: f64,
             i: i32,
             j: i64,
             k: f32,
             l: f64,
             m: i32,
             n: i64,
             o: f32,
             p: u128|
             -> Sixteen {
                *caller.data_mut() += 1;
                (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
            },
        )
        .unwrap();
    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &Module::new(&engine, text).unwrap()).unwrap();
    let g = instance.typed_func::<Sixteen, Sixteen>(&mut store, "g").unwrap();
    let values = (1, -2, 3.5, 4.5, 5, 6, 7.5, 8.5, 9, 10, 11.5, 12.5, 13, 14, 15.5, 1 << 100);
    let back = g.call(&mut store, values).unwrap();
    // Tuples of 16 cannot be compared.
    assert_eq!(format!("{back:?}", back = (back.0, back.1, back.2, back.3)), "(1, -2, 3.5, 4.5)");
    assert_eq!((back.12, back.13, back.14, back.15), (13, 14, 15.5, 1 << 100));
    assert_eq!(*store.data(), 1);
    // The same without types.
    let args = [1, 5, 9, 13].map(Val::I32);
    let zero = g.func().ty(&store).unwrap().params().iter().map(|ty| Val::zero(*ty)).collect::<Vec<_>>();
    let mut given = zero.clone();
    for (i, arg) in args.iter().enumerate() {
        given[i * 4] = arg.clone();
    }
    assert_eq!(g.func().call(&mut store, &given).unwrap(), given);
}

#[test]
fn references_in_both_directions() {
    let engine = engine();
    let mut store = Store::new(&engine, ());
    let twice = Func::wrap(&mut store, |f: Option<Func>, r: Option<ExternRef>| (r, f));
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "swap" (func $swap (param funcref externref) (result externref funcref)))
            (table $t 1 externref)
            (func (export "f") (param funcref externref) (result externref funcref)
                (table.set $t (i32.const 0) (local.get 1))
                (call $swap (local.get 0) (local.get 1)))
            (func (export "kept") (result externref) (table.get $t (i32.const 0))))"#,
    )
    .unwrap();
    let instance = Instance::new(&mut store, &module, &[twice.clone().into()]).unwrap();
    type Swap = TypedFunc<(Option<Func>, Option<ExternRef>), (Option<ExternRef>, Option<Func>)>;
    let f: Swap = instance.typed_func(&mut store, "f").unwrap();
    let thing = ExternRef::new(&mut store, 42u64).unwrap();
    for _ in 0..1000 {
        let (thing_back, func_back) = f.call(&mut store, (Some(twice.clone()), Some(thing.clone()))).unwrap();
        assert_eq!((thing_back, func_back), (Some(thing.clone()), Some(twice.clone())));
        assert_eq!(f.call(&mut store, (None, None)).unwrap(), (None, None));
    }
    f.call(&mut store, (None, Some(thing))).unwrap();
    store.collect();
    let kept = instance.typed_func::<(), Option<ExternRef>>(&mut store, "kept").unwrap();
    let kept = kept.call(&mut store, ()).unwrap().unwrap();
    assert_eq!(kept.downcast_ref::<u64>(&store).unwrap(), Some(&42));
    *kept.data_mut(&mut store).unwrap().unwrap().downcast_mut::<u64>().unwrap() = 43;
    assert_eq!(kept.downcast_ref::<u64>(&store).unwrap(), Some(&43));
    assert!(kept.downcast_ref::<u32>(&store).unwrap().is_none());
}

#[test]
fn a_caller_knows_the_instance_that_called() {
    let engine = engine();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "who", |mut caller: Caller<'_, Vec<i32>>| -> Result<(), Error> {
            let Some(number) = caller.export("number").and_then(Extern::into_global) else {
                caller.data_mut().push(-1);
                return Ok(());
            };
            let number = number.get(&mut caller)?.i32().unwrap();
            caller.data_mut().push(number);
            Ok(())
        })
        .unwrap();
    let module = |number: i32, next: &str| {
        let call = if next.is_empty() { "" } else { "(call $next) (call $who)" };
        let text = format!(
            r#"(module
                (import "host" "who" (func $who))
                {}
                (global (export "number") i32 (i32.const {number}))
                (table 1 funcref)
                (elem (i32.const 0) func $who)
                (func $inner (call_indirect (i32.const 0)))
                (func (export "run") (call $who) (call $inner) {call}))"#,
            if next.is_empty() { String::new() } else { format!(r#"(import "{next}" "run" (func $next))"#) }
        );
        Module::new(&engine, text).unwrap()
    };
    let mut store = Store::new(&engine, Vec::new());
    let first = linker.instantiate(&mut store, &module(1, "")).unwrap();
    linker.define_instance(&mut store, "first", &first).unwrap();
    let second = linker.instantiate(&mut store, &module(2, "first")).unwrap();
    second.typed_func::<(), ()>(&mut store, "run").unwrap().call(&mut store, ()).unwrap();
    assert_eq!(*store.data(), [2, 2, 1, 1, 2]);
    // Called by the host, with WebAssembly further out or not.
    let Some(Extern::Func(who)) = linker.get(&mut store, "host", "who").unwrap() else { panic!("it is defined") };
    store.data_mut().clear();
    who.call(&mut store, &[]).unwrap();
    let inside = Func::wrap(&mut store, move |mut caller: Caller<'_, Vec<i32>>| who.call(&mut caller, &[]).map(drop));
    let outside = Module::new(&engine, r#"(module (import "" "" (func $f)) (func (export "run") (call $f)))"#).unwrap();
    let outside = Instance::new(&mut store, &outside, &[inside.into()]).unwrap();
    outside.func(&mut store, "run").unwrap().call(&mut store, &[]).unwrap();
    assert_eq!(*store.data(), [-1, -1]);
}

#[test]
fn callbacks_call_back() {
    let engine = engine();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "down", |mut caller: Caller<'_, u64>, n: u32| -> Result<u32, Error> {
            *caller.data_mut() += 1;
            let Some(Extern::Func(count)) = caller.export("count") else { return Err(Trap::new("no count").into()) };
            count.typed::<u32, u32>(&caller)?.call(&mut caller, n)
        })
        .unwrap();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "down" (func $down (param i32) (result i32)))
            (func $count (export "count") (param i32) (result i32)
                (if (result i32) (local.get 0)
                    (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
                    (else (i32.const 0)))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let count = instance.typed_func::<u32, u32>(&mut store, "count").unwrap();
    assert_eq!(count.call(&mut store, 100).unwrap(), 100);
    assert_eq!(*store.data(), 100);
    // Deeper than any stack: a trap, and everything still works.
    let error = count.call(&mut store, u32::MAX).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), TrapCode::CallStackExhausted);
    assert_eq!(count.call(&mut store, 7).unwrap(), 7);
}

#[test]
fn traps_say_where() {
    let (mut store, instance) = instance(
        r#"(module $adder
            (func $inner (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
            (func $outer (export "div") (param i32 i32) (result i32) (call $inner (local.get 0) (local.get 1))))"#,
    );
    let div = instance.typed_func::<(i32, i32), i32>(&mut store, "div").unwrap();
    let error = div.call(&mut store, (1, 0)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Trap);
    let trap = error.trap().unwrap();
    assert_eq!(trap.code(), TrapCode::IntegerDivideByZero);
    let names: Vec<_> = trap.frames().iter().map(|frame| frame.func_name().unwrap()).collect();
    assert_eq!(names, ["inner", "outer"]);
    assert!(format!("{error:?}").contains("at adder!inner"), "{error:?}");
    drop((store, instance));
    assert_eq!(trap.frames()[0].module_name(), Some("adder"));
}

#[test]
fn a_closure_reaches_memory_and_data_at_once() {
    let engine = engine();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "take", |mut caller: Caller<'_, Vec<u8>>, at: u32, len: u32| -> Result<(), Error> {
            let memory = caller.memory()?;
            let (bytes, data) = memory.data_and_store_mut(&mut caller)?;
            let part = bytes.get_mut(at as usize..).and_then(|rest| rest.get_mut(..len as usize));
            let part = part.ok_or_else(|| Trap::from(TrapCode::OutOfBoundsMemoryAccess))?;
            data.extend_from_slice(part);
            part.fill(0);
            Ok(())
        })
        .unwrap();
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "take" (func $take (param i32 i32)))
            (memory (export "memory") 1)
            (data (i32.const 0) "hello")
            (func (export "run") (param i32 i32) (call $take (local.get 0) (local.get 1))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, Vec::new());
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.typed_func::<(u32, u32), ()>(&mut store, "run").unwrap();
    run.call(&mut store, (1, 3)).unwrap();
    assert_eq!(store.data(), b"ell");
    let error = run.call(&mut store, (65535, 2)).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), TrapCode::OutOfBoundsMemoryAccess);
    assert_eq!(error.trap().unwrap().frames().len(), 1);
    let memory = instance.memory(&mut store, "memory").unwrap();
    assert_eq!(memory.data(&store).unwrap()[..6], *b"h\0\0\0o\0");
}
