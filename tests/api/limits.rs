//! Limits of a store, and the host's say in its growth.

use crate::engine;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use tenon::*;

const GROWS: &str = r#"(module
    (memory (export "memory") 1)
    (table (export "table") 1 funcref)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "more") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))"#;

const PAGE: u64 = 65536;

#[test]
fn limits_hold_for_host_and_guest() {
    let engine = engine();
    let module = Module::new(&engine, GROWS).unwrap();
    let mut store = Store::new(&engine, ());
    assert_eq!(store.limit(Resource::Instances), u64::MAX);
    store.set_limit(Resource::MemoryBytes, 3 * PAGE).unwrap();
    store.set_limit(Resource::TableElements, 4).unwrap();
    store.set_limit(Resource::Instances, 1).unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    assert_eq!(store.usage(Resource::MemoryBytes), PAGE);
    assert_eq!(Instance::new(&mut store, &module, &[]).unwrap_err().kind(), ErrorKind::StoreLimit);
    let grow = instance.typed_func::<i32, i32>(&mut store, "grow").unwrap();
    let more = instance.typed_func::<i32, i32>(&mut store, "more").unwrap();
    assert_eq!(grow.call(&mut store, 3).unwrap(), -1);
    assert_eq!(grow.call(&mut store, 2).unwrap(), 1);
    assert_eq!(more.call(&mut store, 4).unwrap(), -1);
    assert_eq!(more.call(&mut store, 3).unwrap(), 1);
    let table = instance.table(&mut store, "table").unwrap();
    let error = table.grow(&mut store, 1, &Val::FuncRef(None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StoreLimit);
    let ty = MemoryType::new32(Limits { min: 1, max: None });
    let error = Memory::new(&mut store, ty).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StoreLimit);
    store.set_growth_traps(true).unwrap();
    let error = grow.call(&mut store, 1).unwrap_err();
    assert_eq!(error.trap().unwrap().code(), TrapCode::AllocationFailure);
    // What nothing reaches makes room.
    drop((instance, grow, more, table));
    assert!(Memory::new(&mut store, ty).is_ok());
}

#[test]
fn a_limiter_is_asked_and_may_fail() {
    let engine = engine();
    let module = Module::new(&engine, GROWS).unwrap();
    let mut store = Store::new(&engine, 0u64);
    store
        .set_limiter(|asked: &mut u64, growth: &Growth| {
            *asked += 1;
            match (growth.kind, growth.new_size) {
                (Growing::Memory, 7) => Err(Trap::new("seven is too many")),
                (Growing::Memory, 9) => panic_any(9),
                (_, size) => Ok(size < 7),
            }
        })
        .unwrap();
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    assert_eq!(*store.data(), 2);
    let grow = instance.typed_func::<i32, i32>(&mut store, "grow").unwrap();
    let memory = instance.memory(&mut store, "memory").unwrap();
    let table = instance.table(&mut store, "table").unwrap();
    assert_eq!(grow.call(&mut store, 1).unwrap(), 1);
    assert_eq!(grow.call(&mut store, 6).unwrap(), -1);
    assert_eq!(memory.grow(&mut store, 6).unwrap_err().kind(), ErrorKind::StoreLimit);
    assert_eq!(table.grow(&mut store, 6, &Val::FuncRef(None)).unwrap_err().kind(), ErrorKind::StoreLimit);
    // With a trap.
    assert_eq!(grow.call(&mut store, 5).unwrap_err().to_string(), "seven is too many");
    assert_eq!(memory.grow(&mut store, 5).unwrap_err().to_string(), "seven is too many");
    let of = |min| MemoryType::new32(Limits { min, max: None });
    assert_eq!(Memory::new(&mut store, of(7)).unwrap_err().to_string(), "seven is too many");
    // With a panic, which goes on in whatever made it grow.
    let number = |result: std::thread::Result<()>| *result.unwrap_err().downcast::<i32>().unwrap();
    assert_eq!(number(catch_unwind(AssertUnwindSafe(|| grow.call(&mut store, 7).map(drop).unwrap()))), 9);
    assert_eq!(number(catch_unwind(AssertUnwindSafe(|| memory.grow(&mut store, 7).map(drop).unwrap()))), 9);
    assert_eq!(number(catch_unwind(AssertUnwindSafe(|| Memory::new(&mut store, of(9)).map(drop).unwrap()))), 9);
    let nine = Module::new(&engine, "(module (memory 9))").unwrap();
    let work = || Instance::new(&mut store, &nine, &[]).map(drop).unwrap();
    assert_eq!(number(catch_unwind(AssertUnwindSafe(work))), 9);
    assert_eq!(memory.size(&store).unwrap(), 2);
    assert_eq!(memory.grow(&mut store, 1).unwrap(), 2);
}
