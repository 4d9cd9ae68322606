//! Two threads, each with a store and an instance of its own, and one shared memory between them.
//!
//! A shared memory belongs to no store: the host makes it, and each store has it as a memory of its own. The guests pass messages
//! through it with atomic instructions, and wait for each other without burning time.

use std::thread;
use tenon::{Engine, Error, Instance, Limits, MemoryType, Module, SharedMemory, Store};

const MESSAGES: i32 = 1000;

fn main() -> Result<(), Error> {
    let engine = Engine::default();
    let module = Module::new(&engine, include_bytes!("../c-examples/shared-memory.wat"))?;
    // One page, and never more.
    let ty = MemoryType { shared: true, ..MemoryType::new32(Limits { min: 1, max: Some(1) }) };
    let memory = SharedMemory::new(&engine, ty)?;

    let instantiate = || -> Result<(Store<()>, Instance), Error> {
        let mut store = Store::new(&engine, ());
        let own = memory.memory(&mut store)?;
        let instance = Instance::new(&mut store, &module, &[own.into()])?;
        Ok((store, instance))
    };
    let sum = thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let (mut store, instance) = instantiate()?;
            instance.typed_func::<i32, ()>(&mut store, "send")?.call(&mut store, MESSAGES)
        });
        let receiver = scope.spawn(|| {
            let (mut store, instance) = instantiate()?;
            instance.typed_func::<i32, i32>(&mut store, "receive")?.call(&mut store, MESSAGES)
        });
        sender.join().expect("the sender does not panic")?;
        receiver.join().expect("nor does the receiver")
    })?;
    let (sent, received) = (memory.read_value::<u32>(0)?, memory.read_value::<u32>(4)?);
    println!("{sent} sent, {received} received, their sum is {sum}");
    Ok(())
}
