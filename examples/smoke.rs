use std::sync::Arc;
use tenon::config::Config;
use tenon::runtime::{call, engine::Engine, func::Func, instantiate, module::CompiledModule, object, store::Store, val::Val};
fn main() {
    let e = Engine::new(Config::default()).unwrap();
    let store = Store::new(e.clone());
    let s = unsafe { &*store };
    let bytes = wat::parse_str(r#"(module
      (memory (export "m") 1) (table 4 funcref) (elem (i32.const 0) $fib)
      (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
         (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
      (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
      (func (export "nop"))
      (func (export "oob") (result i32) (i32.load (i32.const -4)))
      (func $inf (export "inf") (call $inf))
      (func (export "ind") (param i32) (result i32) (call_indirect (param i32) (result i32) (i32.const 5) (local.get 0)))
      (func (export "grow") (result i32) (memory.grow (i32.const 2)))
      (func (export "div") (param i32) (result i32) (i32.div_s (i32.const 7) (local.get 0)))
    )"#).unwrap();
    let m = CompiledModule::new(&e, Arc::from(bytes)).unwrap();
    let inst = instantiate::instantiate(s, &m, &[]).unwrap();
    let ex: Vec<_> = unsafe { (*inst).exports().collect() };
    let names: Vec<_> = m.module.exports.iter().map(|x| x.name.clone()).collect();
    let get = |n: &str| ex[names.iter().position(|x| x == n).unwrap()].cast::<Func>();
    let run = |n: &str, args: &[Val], nres: usize| unsafe {
        let mut r = vec![Val { kind: 0, bits: 0 }; nres];
        let t = call::call(get(n), args, &mut r);
        if t.is_null() { println!("{n} -> {r:?}") } else {
            println!("{n} trap {:?} {} frames {:?}", (*t).code, String::from_utf8_lossy(&(*t).message), (*t).frames().iter().take(3).map(|f| (f.func_index, f.func_offset, f.func_name().map(str::to_owned))).collect::<Vec<_>>());
            object::release(t.cast());
        }
    };
    let i = |v: i32| Val { kind: 0, bits: v as u32 as u64 };
    run("add", &[i(3), i(4)], 1);
    run("fib", &[i(20)], 1);
    run("div", &[i(0)], 1);
    run("oob", &[], 1);
    run("ind", &[i(0)], 1);
    run("ind", &[i(1)], 1);
    run("ind", &[i(9)], 1);
    run("grow", &[], 1);
    run("inf", &[], 0);
    run("add", &[i(3)], 1);
    run("add", &[i(3), Val { kind: 1, bits: 0 }], 1);
    let t = std::time::Instant::now();
    unsafe { let f = get("nop"); for _ in 0..10_000_000 { call::call(f, &[], &mut []); } }
    println!("nop {:?}", t.elapsed() / 10_000_000);
    let t = std::time::Instant::now();
    unsafe { let f = get("add"); let mut r=[i(0)]; for _ in 0..10_000_000 { call::call(f, &[i(1), i(2)], &mut r); } }
    println!("add {:?}", t.elapsed() / 10_000_000);
    let t = std::time::Instant::now(); run("fib", &[i(35)], 1); println!("fib35 {:?}", t.elapsed());
    unsafe { object::release(inst.cast()); }
    let t = std::time::Instant::now();
    for _ in 0..100_000 { let inst = instantiate::instantiate(s, &m, &[]).map_err(|_|()).unwrap(); unsafe { object::release(inst.cast()); } }
    println!("inst {:?}", t.elapsed() / 100_000);
    unsafe { Store::close(store) };
    println!("closed");
}
