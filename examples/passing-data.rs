//! Passing text to the guest, having it changed there, and reading it back.
//!
//! The guest decides where texts are exchanged and tells through `get_wasm_memory_buffer_pointer`. The host writes a text
//! there, calls `add_wasm_is_cool` with its length, and reads as many bytes as the call says the text has now.

use tenon::{Engine, Error, Instance, Module, Store, WasmPtr};

fn main() -> Result<(), Error> {
    let engine = Engine::default();
    let module = Module::new(&engine, include_bytes!("../c-examples/passing-data.wat"))?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    let memory = instance.memory(&mut store, "memory")?;
    let get_pointer = instance.typed_func::<(), WasmPtr<u8>>(&mut store, "get_wasm_memory_buffer_pointer")?;
    let add_wasm_is_cool = instance.typed_func::<u32, u32>(&mut store, "add_wasm_is_cool")?;

    // The text goes in...
    let text = "Did you know";
    let buffer = get_pointer.call(&mut store, ())?;
    memory.write(&mut store, buffer.offset().into(), text.as_bytes())?;

    // ...is changed by the guest...
    let new_length = add_wasm_is_cool.call(&mut store, text.len() as u32)?;

    // ...and comes out. The guest is asked again for the place: the call may have moved it.
    let buffer = get_pointer.call(&mut store, ())?;
    println!("{}", buffer.read_string(&memory, &store, new_length)?);
    Ok(())
}
