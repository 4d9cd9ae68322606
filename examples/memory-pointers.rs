//! Strings between guest and host: an offset and a length.
//!
//! A pointer of the guest is a number: an offset into its linear memory. A `WasmPtr` is that number with the type of what lies
//! there. What it means is decided by the memory that it is used with, which checks that all of it lies inside: the
//! numbers come from the guest.

use tenon::{Engine, Error, Instance, Module, Store, WasmPtr};

fn main() -> Result<(), Error> {
    let engine = Engine::default();
    let module = Module::new(&engine, include_bytes!("../c-examples/memory-pointers.wat"))?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let memory = instance.memory(&mut store, "mem")?;
    println!("Memory size: {} pages, {} bytes", memory.size(&store)?, memory.data_size(&store)?);

    // `load` has two results: in Rust a tuple.
    let load = instance.typed_func::<(), (WasmPtr<u8>, u32)>(&mut store, "load")?;
    let (text, length) = load.call(&mut store, ())?;
    println!("String offset: {}", text.offset());
    println!("String length: {length}");
    println!("Memory contents: {:?}", text.read_string(&memory, &store, length)?);

    // The memory is the host's to write as well.
    let replacement = "Hello, Wasmer!";
    let new_length = replacement.len() as u32;
    text.slice(new_length)?.write(&memory, &mut store, replacement.as_bytes())?;
    println!("New string length: {new_length}");
    println!("New memory contents: {:?}", text.read_string(&memory, &store, new_length)?);
    Ok(())
}
