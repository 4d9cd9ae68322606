//! The Rust API from outside: what it promises, and every wrong use that it answers.

mod calls;
mod lifetime;
mod limits;
mod memory;
mod misuse;
mod panics;
mod threads;

use tenon::{Engine, Instance, Module, Store};

/// An engine that collects at every allocation, so that what is given up too early is noticed.
fn engine() -> Engine {
    Engine::new(&tenon::Config::new().collect_always(true)).expect("the engine can be made")
}

/// An instance of a module without imports, in a store without data.
fn instance(text: &str) -> (Store<()>, Instance) {
    let engine = engine();
    let module = Module::new(&engine, text).expect("the module is valid");
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).expect("it imports nothing");
    (store, instance)
}
