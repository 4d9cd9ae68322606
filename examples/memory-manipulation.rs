//! Modules as text, and one instance importing from another by name.
//!
//! The first module is instantiated, and its instance defined under the name "extern" in a linker. The second module,
//! whose text stands below, imports memory and functions from "extern", and the linker finds them by their names.

use tenon::{Engine, Error, Linker, Module, Store};

/// Imports from the instance that is called "extern" and uses what it got.
const USER: &str = r#"(module
    (import "extern" "memory" (memory 1))
    (import "extern" "mem_size" (func $size (result i32)))
    (import "extern" "get_at" (func $get (param i32) (result i32)))
    (import "extern" "set_at" (func $set (param i32 i32)))
    (func (export "size") (result i32) call $size)
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "write") (param i32 i32) (call $set (local.get 0) (local.get 1)))
    (func (export "read") (param i32) (result i32) (call $get (local.get 0))))"#;

fn main() -> Result<(), Error> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    let mut linker = Linker::new(&engine);

    // The first module, defined as "extern".
    let owner_module = Module::new(&engine, include_str!("../c-examples/memory-manipulation.wat"))?;
    let owner = linker.instantiate(&mut store, &owner_module)?;
    linker.define_instance(&mut store, "extern", &owner)?;
    println!("Registered \"extern\" with {} exports", owner.exports(&mut store)?.len());

    // The second module, which imports from it.
    let user = linker.instantiate(&mut store, &Module::new(&engine, USER)?)?;
    let size = user.typed_func::<(), u32>(&mut store, "size")?;
    let grow = user.typed_func::<u32, i32>(&mut store, "grow")?;
    let write = user.typed_func::<(u32, i32), ()>(&mut store, "write")?;
    let read = user.typed_func::<u32, i32>(&mut store, "read")?;

    // Three views of one memory: the owner's export, the user's functions, the host's.
    let memory = owner.memory(&mut store, "memory")?;
    let pages = size.call(&mut store, ())?;
    println!("Size: {} page, {pages} for the importing module", memory.size(&store)?);
    println!("Data size: {} bytes", memory.data_size(&store)?);

    // The importing module grows what it imported; memory.grow returns the size before.
    println!("Grown by 2 from {}", grow.call(&mut store, 2)?);
    let pages = size.call(&mut store, ())?;
    println!("Size: {} pages, {pages} for the importing module", memory.size(&store)?);

    // Two values: one in the first page, one in the last four bytes of the second.
    let cells = [(0x2220, 0xFEF_EFFE), (0x2_0000 - 4, 0xF_EA09)];
    for cell in cells {
        write.call(&mut store, cell)?;
    }
    for (address, _) in cells {
        let value = read.call(&mut store, address)?;
        let host: i32 = memory.read_value(&store, address.into())?;
        println!("Value at {address:#x}: {value}, host reads {host}");
    }
    Ok(())
}
