//! A linear memory, seen from the host and from the guest.
//!
//! The module exports its memory and three functions. The host asks for the size of the memory in every way that there
//! is, grows it, and then has the guest store two values and read them back: one at an ordinary address, one at the
//! very end of the second page, which exists only after the growth.

use tenon::{Engine, Error, Instance, Module, Store};

fn main() -> Result<(), Error> {
    let engine = Engine::default();

    println!("Compiling module...");
    let module = Module::new(&engine, include_bytes!("../c-examples/memory.wat"))?;

    // A store holds the objects of one guest program: instances, memories, functions. It can hold data of the host's
    // as well; here there is none. The module imports nothing, so that there are no imports to give.
    println!("Instantiating module...");
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;

    // Functions get their Rust types here, once; calls need no checks any more.
    let mem_size = instance.typed_func::<(), u32>(&mut store, "mem_size")?;
    let get_at = instance.typed_func::<u32, i32>(&mut store, "get_at")?;
    let set_at = instance.typed_func::<(u32, i32), ()>(&mut store, "set_at")?;
    let memory = instance.memory(&mut store, "memory")?;

    println!("Querying memory size...");
    println!("Memory size (pages): {}", memory.size(&store)?);
    println!("Memory size (pages as bytes): {}", memory.size(&store)? * memory.page_size(&store)?);
    println!("Memory size (bytes): {}", memory.data_size(&store)?);
    println!("Memory size (pages): {}", mem_size.call(&mut store, ())?);

    println!("Growing memory...");
    memory.grow(&mut store, 2)?;
    println!("New memory size (pages): {}", memory.size(&store)?);

    // Two addresses: one in the first page, one eight bytes before the end of the second.
    for (address, value) in [(0x2220, 0xFEF_EFFE), (0x2_0000 - 8, 0xF_EA09)] {
        set_at.call(&mut store, (address, value))?;
        println!("Value at {address:#x}: {}", get_at.call(&mut store, address)?);
    }
    Ok(())
}
