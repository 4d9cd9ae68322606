//! What only a module can make: globals that hold a `v128`, which `wasm_val_t` cannot carry, and tags with one.

use crate::error;
use crate::object::{Extern, Instance, Module, Store};
use crate::types::FuncType;
use crate::val::Val;

/// The only export of an instance of this module.
fn only_export(store: &Store, text: &str, imports: &[Option<&Extern>]) -> Extern {
    let binary = error::wat2wasm(text.as_bytes()).expect("the text is right");
    let module = Module::new(store, &binary).expect("the module is valid");
    let instance = Instance::new(store, &module, imports).expect("the imports fit");
    instance.exports().pop().expect("the module has an export")
}

fn content(mutable: bool) -> &'static str {
    if mutable { "(mut v128)" } else { "v128" }
}

/// A global with this value.
pub fn new_global(store: &Store, mutable: bool, value: u128) -> Extern {
    let (low, high) = (value as u64, (value >> 64) as u64);
    let global = format!("(global (export \"g\") {} (v128.const i64x2 {low} {high}))", content(mutable));
    only_export(store, &format!("(module {global})"), &[])
}

/// A tag of this type, whose parameters are numbers and vectors.
pub fn new_tag(store: &Store, ty: &FuncType) -> Extern {
    let params: Vec<_> = ty.params.iter().map(|ty| format!("{ty:?}").to_lowercase()).collect();
    only_export(store, &format!("(module (tag (export \"t\") (param {})))", params.join(" ")), &[])
}

/// The value of a global that holds a `v128`.
pub fn global_value(store: &Store, global: &Extern, mutable: bool) -> u128 {
    let text = format!(
        "(module (import \"\" \"\" (global {})) (func (export \"f\") (result v128) global.get 0))",
        content(mutable)
    );
    let read = only_export(store, &text, &[Some(global)]).func().expect("the export is a function");
    match read.call(&[]).as_deref() {
        Ok([Val::V128(value)]) => *value,
        other => panic!("reading a global gave {other:?}"),
    }
}
