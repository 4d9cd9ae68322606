//! Stores that move between threads, and what may be shared.

use crate::engine;
use std::thread;
use tenon::*;

fn send<T: Send>() {}
fn sync<T: Sync>() {}

#[test]
fn what_is_send_and_what_is_sync() {
    send::<Store<Vec<u8>>>();
    sync::<Store<Vec<u8>>>();
    send::<Linker<std::cell::Cell<u8>>>();
    sync::<Linker<std::cell::Cell<u8>>>();
    macro_rules! both {
        ($($ty:ty)*) => { $(send::<$ty>(); sync::<$ty>();)* };
    }
    both!(Engine Config Module Instance Func TypedFunc<(i32, Option<Func>), ()> Memory Table Global Tag Exception);
    both!(ExternRef AnyRef StructRef ArrayRef Extern Val Error Trap Frame SharedMemory WasmPtr<std::rc::Rc<u8>>);
}

const MODULE: &str = r#"(module
    (import "host" "add" (func $add (param i32) (result i32)))
    (memory (export "memory") 1)
    (func $down (export "down") (param i32) (result i32)
        (if (result i32) (local.get 0)
            (then (i32.add (i32.const 1) (call $down (i32.sub (local.get 0) (i32.const 1)))))
            (else (i32.const 0))))
    (func (export "add") (param i32) (result i32) (call $add (local.get 0))))"#;

fn store() -> (Store<i32>, TypedFunc<i32, i32>, TypedFunc<i32, i32>, Memory) {
    let engine = engine();
    let mut linker = Linker::new(&engine);
    let add = |mut caller: Caller<'_, i32>, n: i32| {
        *caller.data_mut() += n;
        *caller.data()
    };
    linker.func_wrap("host", "add", add).unwrap();
    let mut store = Store::new(&engine, 0);
    let instance = linker.instantiate(&mut store, &Module::new(&engine, MODULE).unwrap()).unwrap();
    let add = instance.typed_func(&mut store, "add").unwrap();
    let down = instance.typed_func(&mut store, "down").unwrap();
    let memory = instance.memory(&mut store, "memory").unwrap();
    (store, add, down, memory)
}

#[test]
fn a_store_moves_from_thread_to_thread() {
    let (mut store, add, down, _) = store();
    for round in 1..=50 {
        // Stacks of all sizes, which often take each other's place.
        let size = [128 << 10, 4 << 20, 256 << 10][round % 3];
        let (add, down) = (add.clone(), down.clone());
        let thread = thread::Builder::new().stack_size(size).spawn(move || {
            assert_eq!(add.call(&mut store, 1).unwrap(), round as i32);
            assert_eq!(down.call(&mut store, 10).unwrap(), 10);
            // As deep as it goes, on this stack and no other.
            let error = down.call(&mut store, i32::MAX).unwrap_err();
            assert_eq!(error.trap().unwrap().code(), TrapCode::CallStackExhausted);
            store
        });
        store = thread.unwrap().join().unwrap();
    }
    assert_eq!(store.into_data(), 50);
}

#[test]
fn a_store_can_be_lent_to_another_thread() {
    let (mut store, add, ..) = store();
    for _ in 0..10 {
        thread::scope(|scope| {
            scope.spawn(|| add.call(&mut store, 1).unwrap());
        });
        add.call(&mut store, 1).unwrap();
    }
    assert_eq!(*store.data(), 20);
}

#[test]
fn a_store_can_be_read_by_several_threads() {
    let (mut store, _, _, memory) = store();
    memory.write(&mut store, 0, b"shared").unwrap();
    let (store, memory) = (&store, &memory);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                for _ in 0..1000 {
                    assert_eq!(memory.read_string(store, 0, 6).unwrap(), "shared");
                    assert_eq!(memory.data(store).unwrap().len(), memory.data_size(store).unwrap());
                    assert_eq!(*store.data(), 0);
                }
            });
        }
    });
}

#[test]
fn threads_meet_in_a_shared_memory() {
    let engine = engine();
    let ty = MemoryType { shared: true, ..MemoryType::new32(Limits { min: 1, max: Some(2) }) };
    let shared = SharedMemory::new(&engine, ty).unwrap();
    let module = Module::new(
        &engine,
        r#"(module (import "" "" (memory 1 2 shared))
            (func (export "run") (param i32)
                (loop (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
                    (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
                (i32.atomic.store (i32.const 0) (i32.const 1))
                (drop (memory.atomic.notify (i32.const 0) (i32.const 1)))))"#,
    )
    .unwrap();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut store = Store::new(&engine, ());
                let memory = shared.memory(&mut store).unwrap();
                assert!(memory.shared(&store).unwrap().unwrap().same(&shared));
                assert!(memory.data(&store).is_err(), "other threads write to it");
                let instance = Instance::new(&mut store, &module, &[memory.into()]).unwrap();
                instance.typed_func::<i32, ()>(&mut store, "run").unwrap().call(&mut store, 10_000).unwrap();
            });
        }
        while shared.read_value::<u32>(0).unwrap() == 0 {
            assert_ne!(shared.wait32(0, 0, None).unwrap(), Waited::TimedOut);
        }
    });
    assert_eq!(shared.read_value::<u32>(8).unwrap(), 20_000);
    assert_eq!(shared.grow(1).unwrap(), 1);
    assert!(shared.grow(1).is_err());
    assert!(shared.read(2 << 16, &mut [0]).is_err());
    assert!(shared.notify(2, 1).unwrap_err().to_string().contains("not aligned"));
    let mut other = Store::new(&Engine::default(), ());
    assert_eq!(shared.memory(&mut other).unwrap_err().kind(), ErrorKind::Store);
}
