//! The host module `spectest`, which the specification suite imports from.
//!
//! Its contents are fixed by the suite: functions that print, globals that hold 666, tables and memories. Printing is not wanted here,
//! so the functions take their arguments and do nothing.

use std::collections::HashMap;

use crate::object::{Extern, Func, Global, Memory, Store, Table};
use crate::types::{FuncType, Limits, ValType};
use crate::val::Val;

/// Builds the module's items by name.
pub fn new(store: &Store) -> HashMap<Vec<u8>, Extern> {
    use ValType::{F32, F64, FuncRef, I32, I64};
    let mut items = HashMap::new();
    let functions: [(&str, &[ValType]); 7] = [
        ("print", &[]),
        ("print_i32", &[I32]),
        ("print_i64", &[I64]),
        ("print_f32", &[F32]),
        ("print_f64", &[F64]),
        ("print_i32_f32", &[I32, F32]),
        ("print_f64_f64", &[F64, F64]),
    ];
    for (name, params) in functions {
        let function = Func::new(store, &FuncType::new(params, &[]), Box::new(|_| Ok(Vec::new())));
        items.insert(name.into(), function.to_extern());
    }
    let globals = [
        ("global_i32", Val::I32(666)),
        ("global_i64", Val::I64(666)),
        ("global_f32", Val::F32(666.6_f32.to_bits())),
        ("global_f64", Val::F64(666.6_f64.to_bits())),
    ];
    for (name, value) in globals {
        let global = Global::new(store, false, &value).expect("wasm_global_new gave NULL");
        items.insert(name.into(), global.to_extern());
    }
    let table = Table::new(store, FuncRef, Limits { min: 10, max: Some(20) }).expect("wasm_table_new gave NULL");
    items.insert("table".into(), table.to_extern());
    let table = Table::new64(store, FuncRef, 10, 20).expect("wasm_table_new gave NULL");
    items.insert("table64".into(), table.to_extern());
    let memory = Memory::new(store, Limits { min: 1, max: Some(2) }).expect("wasm_memory_new gave NULL");
    items.insert("memory".into(), memory.to_extern());
    let shared = Memory::new_shared(store, 1, 2).expect("wasm_memory_new gave NULL");
    items.insert("shared_memory".into(), shared.to_extern());
    items
}
