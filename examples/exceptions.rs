//! Exceptions across the boundary, in both directions.
//!
//! A function of the host throws an exception by returning it as an error, and WebAssembly can catch it. What WebAssembly does not
//! catch comes out of the call as an error whose trap has the exception, and the host asks for its tag and its values.

use tenon::{Caller, Engine, Error, Exception, Func, FuncType, Instance, Module, Store, Tag, TagType, Val, ValType};

const BALANCE: i32 = 100;
const TOO_MUCH: i32 = 7;

/// The exception that a call ended with.
fn thrown<R>(result: Result<R, Error>) -> Result<Exception, Error> {
    match result {
        Ok(_) => Err(Error::host("nothing was thrown")),
        Err(error) => error.trap().and_then(|trap| trap.exception()).cloned().ok_or(error),
    }
}

fn main() -> Result<(), Error> {
    let engine = Engine::default();
    let module = Module::new(&engine, include_bytes!("../c-examples/exceptions.wat"))?;
    let mut store = Store::new(&engine, ());

    // A tag of the host: exceptions of it carry an i32.
    let refused = Tag::new(&mut store, &TagType { func: FuncType::new([ValType::I32], []) })?;
    let tag = refused.clone();
    let withdraw = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, amount: i32| -> Result<i32, Error> {
        if amount <= BALANCE {
            return Ok(BALANCE - amount);
        }
        println!("  the host throws");
        let exception = Exception::new(&mut caller, &tag, &[Val::I32(TOO_MUCH)])?;
        Err(exception.throw(&caller))
    });
    let instance = Instance::new(&mut store, &module, &[refused.clone().into(), withdraw.into()])?;
    let try_to_withdraw = instance.typed_func::<i32, i32>(&mut store, "try_to_withdraw")?;
    println!("nothing is thrown: {}", try_to_withdraw.call(&mut store, 30)?);
    let result = try_to_withdraw.call(&mut store, 300)?;
    println!("the guest caught it: {result}");

    let withdraw = instance.typed_func::<i32, i32>(&mut store, "withdraw")?;
    let exception = thrown(withdraw.call(&mut store, 300))?;
    assert_eq!(exception.tag(&mut store)?, refused);
    if let [Val::I32(reason)] = exception.values(&mut store)?[..] {
        println!("it came through the guest: {reason}");
    }

    let deposit = instance.typed_func::<i32, ()>(&mut store, "deposit")?;
    let exception = thrown(deposit.call(&mut store, -5))?;
    assert_eq!(exception.tag(&mut store)?, instance.tag(&mut store, "negative")?);
    if let [Val::I32(amount), Val::F64(rate)] = exception.values(&mut store)?[..] {
        println!("the host caught the guest's: {amount}, {rate}");
    }
    Ok(())
}
