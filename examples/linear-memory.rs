//! Linear memory in three parts: text, numbers, growth.
//!
//! 1. A data segment puts a text into the guest's memory. The host reads it as bytes and as UTF-8.
//! 2. The host creates a memory and gives it to a second module as the import "js" "mem". It writes numbers into it; the guest
//!    adds them up.
//! 3. The guest grows that memory. A `WasmPtr` is an offset, and stays what it is; a view of the bytes would not outlive the call,
//!    since it borrows the store.

use tenon::{Engine, Error, Instance, Limits, Linker, Memory, MemoryType, Module, Store, WasmPtr};

/// Part 1: a text that the module brings along.
fn show_text(engine: &Engine, store: &mut Store<()>) -> Result<(), Error> {
    let module = Module::new(engine, include_bytes!("../c-examples/linear-memory.wat"))?;
    let instance = Instance::new(&mut *store, &module, &[])?;
    let (text, length) = instance.typed_func::<(), (WasmPtr<u8>, u32)>(&mut *store, "text")?.call(&mut *store, ())?;
    let memory = instance.memory(&mut *store, "memory")?;

    print!("Bytes:");
    for byte in text.slice(length)?.read(&memory, &*store)? {
        print!(" {byte:02x}");
    }
    println!();

    let text = text.read_string(&memory, &*store, length)?;
    println!("{length} bytes, {} characters: {text}", text.chars().count());
    Ok(())
}

/// Parts 2 and 3: a memory that the host creates.
fn share_numbers(engine: &Engine, store: &mut Store<()>) -> Result<(), Error> {
    // One page now, ten at most. The module has a single import: "js" "mem".
    let memory = Memory::new(&mut *store, MemoryType::new32(Limits { min: 1, max: Some(10) }))?;
    let mut linker = Linker::new(engine);
    linker.define("js", "mem", memory.clone())?;
    let module = Module::new(engine, include_bytes!("../c-examples/linear-memory-sum.wat"))?;
    let instance = linker.instantiate(&mut *store, &module)?;
    let sum = instance.typed_func::<u32, u32>(&mut *store, "sum")?;
    let grow = instance.typed_func::<u32, i32>(&mut *store, "grow")?;

    let numbers = WasmPtr::<u32>::new(0).slice(2)?;
    numbers.write(&memory, &mut *store, &[7, 4])?;
    let values = numbers.read(&memory, &*store)?;
    println!("{} + {} = {}", values[0], values[1], sum.call(&mut *store, 2)?);

    let before = grow.call(&mut *store, 2)?;
    println!("Grown from {before} to {} pages", memory.size(&*store)?);
    let values = numbers.read(&memory, &*store)?;
    println!("After growth: {} and {}", values[0], values[1]);

    // The first number of the new pages: zero until somebody writes it.
    let first_new = WasmPtr::<u32>::new(before as u32 * memory.page_size(&*store)? as u32);
    print!("New number at {:#x}: {}", first_new.offset(), first_new.read(&memory, &*store)?);
    first_new.write(&memory, &mut *store, &5)?;
    println!(", then {}", first_new.read(&memory, &*store)?);

    // Beyond the maximum there is no growth: the guest gets -1, the host an error, and nothing changes.
    let guest = grow.call(&mut *store, 8)?;
    let host = memory.grow(&mut *store, 8).is_ok();
    let pages = memory.size(&*store)?;
    println!("Growing beyond the maximum: guest {guest}, host {host}, still {pages} pages");
    Ok(())
}

fn main() -> Result<(), Error> {
    let engine = Engine::default();
    let mut store = Store::new(&engine, ());
    show_text(&engine, &mut store)?;
    share_numbers(&engine, &mut store)
}
