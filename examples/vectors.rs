//! Vectors: values of 128 bits as arguments and results, in both directions. Typed functions take them as `u128`, with lane 0
//! lowest; what the lanes are is the program's to say.

use tenon::{Engine, Error, Func, Instance, Module, Store};

fn vector_of(lanes: [f32; 4]) -> u128 {
    lanes.iter().rev().fold(0, |vector, lane| vector << 32 | u128::from(lane.to_bits()))
}

fn lanes_of(vector: u128) -> [f32; 4] {
    [0, 1, 2, 3].map(|lane| f32::from_bits((vector >> (32 * lane)) as u32))
}

fn print(name: &str, vector: u128) {
    print!("{name}:");
    lanes_of(vector).iter().for_each(|lane| print!(" {lane}"));
    println!();
}

fn main() -> Result<(), Error> {
    let engine = Engine::default();
    let module = Module::new(&engine, include_bytes!("../c-examples/vectors.wat"))?;
    let mut store = Store::new(&engine, ());
    // Gives back the lanes in reverse.
    let trace = Func::wrap(&mut store, |vector: u128| {
        print("  the host sees", vector);
        let mut lanes = lanes_of(vector);
        lanes.reverse();
        vector_of(lanes)
    });
    let instance = Instance::new(&mut store, &module, &[trace.into()])?;
    let scale = instance.typed_func::<(u128, u128), u128>(&mut store, "scale")?;
    let scaled = scale.call(&mut store, (vector_of([1.0, 2.0, 3.0, 4.0]), vector_of([0.5, 1.0, 2.0, 10.0])))?;
    print("scaled, in reverse", scaled);
    println!("their sum: {}", instance.typed_func::<u128, f32>(&mut store, "sum")?.call(&mut store, scaled)?);
    Ok(())
}
