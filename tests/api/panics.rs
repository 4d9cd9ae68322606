//! What a closure panics or fails with comes out at the call that led there, through WebAssembly, with nothing leaked.

use crate::engine;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tenon::*;

/// Counts what is alive.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Counted {
        count.fetch_add(1, Ordering::Relaxed);
        Counted(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The payload of a panic with an `i32`.
fn panicked<T>(work: impl FnOnce() -> T) -> i32 {
    let payload = catch_unwind(AssertUnwindSafe(work)).err().expect("it panics");
    *payload.downcast::<i32>().expect("with a number")
}

fn fail(n: i32) {
    panic_any(n)
}

const CALLS: &str = r#"(module
    (import "host" "f" (func $f (param i32)))
    (func $deep (param i32) (call $f (local.get 0)))
    (func (export "run") (param i32) (call $deep (local.get 0))))"#;

#[test]
fn a_panic_crosses_webassembly() {
    let engine = engine();
    let alive = Arc::new(AtomicUsize::new(0));
    let mut store = Store::new(&engine, ());
    let count = alive.clone();
    let f = Func::wrap(&mut store, move |n: i32| {
        let _one = Counted::new(&count);
        if n > 0 {
            panic_any(n);
        }
    });
    let module = Module::new(&engine, CALLS).unwrap();
    let instance = Instance::new(&mut store, &module, &[f.clone().into()]).unwrap();
    let run = instance.typed_func::<i32, ()>(&mut store, "run").unwrap();
    for n in 1..100 {
        assert_eq!(panicked(|| run.call(&mut store, n)), n);
        assert_eq!(panicked(|| run.func().call(&mut store, &[Val::I32(n)])), n);
        assert_eq!(panicked(|| f.call(&mut store, &[Val::I32(n)])), n);
        run.call(&mut store, 0).unwrap();
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn a_panic_crosses_several_stretches() {
    let engine = engine();
    let alive = Arc::new(AtomicUsize::new(0));
    let count = alive.clone();
    let mut linker = Linker::new(&engine);
    linker
        .func_wrap("host", "f", move |mut caller: Caller<'_, Vec<i32>>, n: i32| -> Result<(), Error> {
            let _one = Counted::new(&count);
            if n == 0 {
                panic_any(7);
            }
            caller.data_mut().push(n);
            let run = caller.export("run").and_then(Extern::into_func).unwrap();
            run.typed::<i32, ()>(&caller)?.call(&mut caller, n - 1)
        })
        .unwrap();
    let mut store = Store::new(&engine, Vec::new());
    let instance = linker.instantiate(&mut store, &Module::new(&engine, CALLS).unwrap()).unwrap();
    let run = instance.typed_func::<i32, ()>(&mut store, "run").unwrap();
    assert_eq!(panicked(|| run.call(&mut store, 3)), 7);
    assert_eq!(*store.data(), [3, 2, 1]);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
}

#[test]
fn a_panic_that_is_caught_on_the_way_is_over() {
    let engine = engine();
    let mut store = Store::new(&engine, ());
    let f = Func::wrap(&mut store, fail);
    let module = Module::new(&engine, CALLS).unwrap();
    let instance = Instance::new(&mut store, &module, &[f.into()]).unwrap();
    let run = instance.typed_func::<i32, ()>(&mut store, "run").unwrap();
    let calm = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, n: i32| -> i32 {
        panicked(|| run.call(&mut caller, n)) + 1
    });
    let calm = calm.typed::<i32, i32>(&store).unwrap();
    assert_eq!(calm.call(&mut store, 5).unwrap(), 6);
}

#[test]
fn a_panic_in_the_start_function() {
    let engine = engine();
    let mut store = Store::new(&engine, ());
    let f = Func::wrap(&mut store, || fail(9));
    let module = Module::new(&engine, r#"(module (import "" "" (func $f)) (start $f))"#).unwrap();
    assert_eq!(panicked(|| Instance::new(&mut store, &module, &[f.clone().into()])), 9);
    let mut linker = Linker::new(&engine);
    linker.define("", "", f).unwrap();
    assert_eq!(panicked(|| linker.instantiate(&mut store, &module)), 9);
}

#[test]
fn a_panic_in_a_destructor() {
    struct Bomb(i32);
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any(self.0);
        }
    }
    let mut store = Store::new(&engine(), ());
    drop(ExternRef::new(&mut store, Bomb(1)).unwrap());
    assert_eq!(panicked(|| store.collect()), 1);
    store.collect();
    let bomb = Bomb(2);
    let func = Func::wrap(&mut store, move || {
        let _ = &bomb;
    });
    assert_eq!(panicked(|| drop(store)), 2);
    drop(func);
}

#[derive(Debug)]
struct MyError(i32, #[allow(dead_code, reason = "it counts while it is there")] Counted);

impl std::fmt::Display for MyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "my error {}", self.0)
    }
}

impl std::error::Error for MyError {}

#[test]
fn an_error_crosses_webassembly() {
    let engine = engine();
    let alive = Arc::new(AtomicUsize::new(0));
    let count = alive.clone();
    let mut store = Store::new(&engine, ());
    let f = Func::wrap(&mut store, move |n: i32| -> Result<(), Error> {
        Err(Error::host(MyError(n, Counted::new(&count))))
    });
    let module = Module::new(&engine, CALLS).unwrap();
    let instance = Instance::new(&mut store, &module, &[f.into()]).unwrap();
    let run = instance.typed_func::<i32, ()>(&mut store, "run").unwrap();
    for n in 0..10 {
        let error = run.call(&mut store, n).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Host);
        assert_eq!(error.to_string(), format!("my error {n}"));
        assert_eq!(error.downcast_ref::<MyError>().unwrap().0, n);
        let frames = error.trap().unwrap().frames();
        assert_eq!(frames.iter().map(Frame::func_index).collect::<Vec<_>>(), [1, 2]);
    }
    assert_eq!(alive.load(Ordering::Relaxed), 0);
    // One that is handed on keeps the frames of where it began.
    let outer = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, n: i32| run.call(&mut caller, n));
    let module = Module::new(&engine, CALLS).unwrap();
    let instance = Instance::new(&mut store, &module, &[outer.into()]).unwrap();
    let error = instance.typed_func::<i32, ()>(&mut store, "run").unwrap().call(&mut store, 3).unwrap_err();
    assert_eq!(error.downcast_ref::<MyError>().unwrap().0, 3);
    assert_eq!(error.trap().unwrap().frames().len(), 4, "two of each instance");
}

#[test]
fn exceptions_both_ways() {
    let engine = engine();
    let mut store = Store::new(&engine, ());
    let tag = Tag::new(&mut store, &TagType { func: FuncType::new([ValType::I64, ValType::EXTERNREF], []) }).unwrap();
    let own = tag.clone();
    let f = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, n: i32| -> Result<(), Error> {
        let text = ExternRef::new(&mut caller, String::from("thrown"))?;
        let exception = Exception::new(&mut caller, &own, &[Val::I64(n.into()), text.into()])?;
        Err(exception.throw(&caller))
    });
    let module = Module::new(
        &engine,
        r#"(module
            (import "host" "tag" (tag $tag (param i64 externref)))
            (import "host" "f" (func $f (param i32)))
            (func (export "pass") (param i32) (call $f (local.get 0)))
            (func (export "catch") (param i32) (result i64 externref)
                (block $caught (result i64 externref)
                    (try_table (catch $tag $caught) (call $f (local.get 0)))
                    (unreachable)))
            (func (export "exn") (param i32) (result exnref)
                (block $caught (result exnref)
                    (try_table (catch_all_ref $caught) (call $f (local.get 0)))
                    (unreachable)))
            (func (export "rethrow") (param exnref) (throw_ref (local.get 0))))"#,
    )
    .unwrap();
    let instance = Instance::new(&mut store, &module, &[tag.clone().into(), f.into()]).unwrap();
    let catch = instance.typed_func::<i32, (i64, Option<ExternRef>)>(&mut store, "catch").unwrap();
    for n in 0..100 {
        let (number, text) = catch.call(&mut store, n).unwrap();
        assert_eq!(number, n.into());
        assert_eq!(text.unwrap().downcast_ref::<String>(&store).unwrap().unwrap(), "thrown");
    }
    let pass = instance.typed_func::<i32, ()>(&mut store, "pass").unwrap();
    let error = pass.call(&mut store, 5).unwrap_err();
    let trap = error.trap().unwrap();
    assert_eq!(trap.code(), TrapCode::UncaughtException);
    let exception = trap.exception().unwrap();
    assert_eq!(exception.tag(&mut store).unwrap(), tag);
    assert_eq!(exception.values(&mut store).unwrap()[0], Val::I64(5));
    // As a value, and thrown again by the guest.
    let exn = instance.typed_func::<i32, Option<Exception>>(&mut store, "exn").unwrap();
    let caught = exn.call(&mut store, 8).unwrap().unwrap();
    let rethrow = instance.typed_func::<Option<Exception>, ()>(&mut store, "rethrow").unwrap();
    let error = rethrow.call(&mut store, Some(caught.clone())).unwrap_err();
    assert_eq!(error.trap().unwrap().exception(), Some(&caught));
}
