//! What is dropped when, and that nothing is dropped twice or never.

use crate::engine;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tenon::*;

/// Something whose copies are counted by its owner.
type Token = Arc<()>;

fn alive(token: &Token) -> usize {
    Arc::strong_count(token) - 1
}

#[test]
fn references_are_dropped_while_the_store_lives() {
    let token = Token::default();
    let mut store = Store::new(&engine(), ());
    for _ in 0..1000 {
        ExternRef::new(&mut store, token.clone()).unwrap();
    }
    store.collect();
    assert_eq!(alive(&token), 0);
    let kept = ExternRef::new(&mut store, token.clone()).unwrap();
    let copy = kept.clone();
    drop(kept);
    store.collect();
    assert_eq!(alive(&token), 1);
    drop(copy);
    store.collect();
    assert_eq!(alive(&token), 0);
}

#[test]
fn instances_are_reclaimed_while_the_store_lives() {
    let token = Token::default();
    let engine = engine();
    let module = Module::new(
        &engine,
        r#"(module (import "" "" (func $f)) (memory (export "memory") 1) (table 1 funcref) (elem (i32.const 0) $g)
            (func $g (export "g") (call $f)))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let mut exported = None;
    for _ in 0..100 {
        let own = token.clone();
        let f = Func::wrap(&mut store, move || assert!(Arc::strong_count(&own) > 1));
        let instance = Instance::new(&mut store, &module, &[f.into()]).unwrap();
        exported = Some(instance.typed_func::<(), ()>(&mut store, "g").unwrap());
        exported.as_ref().unwrap().call(&mut store, ()).unwrap();
    }
    store.collect();
    assert_eq!(alive(&token), 1, "the last function keeps its instance, and that what it imports");
    exported.unwrap().call(&mut store, ()).unwrap();
    store.collect();
    assert_eq!(alive(&token), 0);
}

#[test]
fn cycles_through_closures_go_with_the_store() {
    let token = Token::default();
    let engine = engine();
    let mut store = Store::new(&engine, Some(token.clone()));
    let memory = Memory::new(&mut store, MemoryType::new32(Limits { min: 1, max: None })).unwrap();
    let (own, inside) = (token.clone(), memory.clone());
    // The closure holds a handle to an instance that imports the closure.
    let slot: Arc<std::sync::Mutex<Option<Instance>>> = Arc::default();
    let place = slot.clone();
    let f = Func::wrap(&mut store, move |mut caller: Caller<'_, Option<Token>>| -> Result<u64, Error> {
        let _ = (&own, place.lock().unwrap().is_some());
        inside.grow(&mut caller, 1)
    });
    let module =
        Module::new(&engine, r#"(module (import "" "" (func $f (result i64))) (export "f" (func $f)))"#).unwrap();
    let instance = Instance::new(&mut store, &module, &[f.into()]).unwrap();
    *slot.lock().unwrap() = Some(instance.clone());
    drop(slot);
    assert_eq!(instance.typed_func::<(), u64>(&mut store, "f").unwrap().call(&mut store, ()).unwrap(), 1);
    assert_eq!(alive(&token), 2);
    drop(store);
    assert_eq!(alive(&token), 0);
    drop((instance, memory));
}

#[test]
fn handles_may_be_dropped_anywhere_at_any_time() {
    let token = Token::default();
    let mut store = Store::new(&engine(), ());
    let things: Vec<ExternRef> = (0..64).map(|_| ExternRef::new(&mut store, token.clone()).unwrap()).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let things = &things;
            scope.spawn(move || {
                for round in 0..1000 {
                    let copy = things[(round * 7 + thread) % things.len()].clone();
                    drop(copy);
                }
            });
        }
        // Meanwhile the store works.
        for _ in 0..200 {
            drop(ExternRef::new(&mut store, token.clone()).unwrap());
        }
    });
    store.collect();
    assert_eq!(alive(&token), 64);
    let (here, there) = things.split_at(32);
    let there = there.to_vec();
    let here = here.to_vec();
    drop(things);
    std::thread::scope(|scope| {
        scope.spawn(move || drop(there));
        scope.spawn(move || drop(store));
    });
    assert_eq!(alive(&token), 0);
    drop(here);
}

#[test]
fn data_is_dropped_last_and_once() {
    static DROPS: AtomicUsize = AtomicUsize::new(0);
    struct Data;
    impl Drop for Data {
        fn drop(&mut self) {
            DROPS.fetch_add(1, Ordering::Relaxed);
        }
    }
    drop(Store::new(&engine(), Data));
    assert_eq!(DROPS.load(Ordering::Relaxed), 1);
    let data = Store::new(&engine(), Data).into_data();
    assert_eq!(DROPS.load(Ordering::Relaxed), 1);
    drop(data);
    assert_eq!(DROPS.load(Ordering::Relaxed), 2);
}

#[test]
fn calls_alone_do_not_gather_what_they_drop() {
    let token = Token::default();
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let own = token.clone();
    let make = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>| ExternRef::new(&mut caller, own.clone()));
    let module = Module::new(
        &engine,
        r#"(module (import "" "" (func $make (result (ref extern))))
            (func (export "one") (result (ref extern)) (call $make))
            (func (export "many") (param i32)
                (loop (drop (call $make))
                    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#,
    )
    .unwrap();
    let instance = Instance::new(&mut store, &module, &[make.into()]).unwrap();
    let one = instance.typed_func::<(), ExternRef>(&mut store, "one").unwrap();
    for _ in 0..10_000 {
        one.call(&mut store, ()).unwrap();
    }
    assert!(alive(&token) < 2000, "{} are alive", alive(&token));
    instance.typed_func::<i32, ()>(&mut store, "many").unwrap().call(&mut store, 10_000).unwrap();
    assert!(alive(&token) < 2000, "{} are alive", alive(&token));
}
