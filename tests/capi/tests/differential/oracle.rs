//! Runs a module on wasmi, an interpreter: the oracle.

use std::sync::atomic::{AtomicU64, Ordering};

use tenon_capi_tests::types::{ExternType, FuncType, Limits, ValType};
use wasmi::{
    Caller, Config, Engine, Error, Extern, ExternRef, Func, Global, Instance, Memory, MemoryType, Module, Mutability,
    Nullable, Ref, RefType, Store, Table, TableType, TrapCode, Val,
};

use crate::event::{Event, Import, Reason, Value};
use crate::generate;

/// What host functions reach: what was seen, the host's objects, and how often each import was called.
struct State {
    seed: u64,
    events: Vec<Event>,
    hosts: Vec<ExternRef>,
}

fn engine() -> Engine {
    let mut config = Config::default();
    config.set_max_recursion_depth(1 << 20).set_max_stack_height(64 << 20);
    config.wasm_memory64(true).wasm_multi_memory(true).wasm_custom_page_sizes(true).wasm_wide_arithmetic(true);
    Engine::new(&config)
}

/// Runs the module: for each of `functions` a new instance and two calls.
pub fn run(seed: u64, binary: &[u8], functions: &[String]) -> Vec<Event> {
    let engine = engine();
    let module = Module::new(&engine, binary).expect("the generated module is valid");
    let mut store = Store::new(&engine, State { seed, events: Vec::new(), hosts: Vec::new() });
    let hosts = (0..4_u32).map(|number| ExternRef::new(&mut store, number)).collect();
    store.data_mut().hosts = hosts;
    let mut exports: Vec<_> =
        module.exports().map(|export| (export.name().to_owned(), extern_type(export.ty()))).collect();
    exports.sort_by(|(a, _), (b, _)| a.cmp(b));
    let shown = exports.iter().map(|(name, ty)| (name.clone(), format!("{ty:?}"))).collect();
    store.data_mut().events.push(Event::Exports(shown));
    for round in 0..functions.len().max(1) {
        run_round(&mut store, &module, &exports, round, functions.get(round).map(String::as_str));
    }
    store.into_data().events
}

fn run_round(
    store: &mut Store<State>,
    module: &Module,
    exports: &[(String, ExternType)],
    round: usize,
    function: Option<&str>,
) {
    let import = |import: wasmi::ImportType<'_>| Import {
        module: import.module().to_owned(),
        name: import.name().to_owned(),
        ty: extern_type(import.ty()),
    };
    let imports: Vec<_> = module.imports().map(import).collect();
    let imports: Vec<_> = imports.iter().map(|import| host_item(store, import)).collect();
    let instance = match Instance::new(&mut *store, module, &imports) {
        Ok(instance) => instance,
        Err(error) => {
            let reason = reason(&error);
            return store.data_mut().events.push(Event::Instantiated(Err(reason)));
        }
    };
    store.data_mut().events.push(Event::Instantiated(Ok(())));
    for (name, ty) in exports {
        if function == Some(name)
            && let ExternType::Func(ty) = ty
        {
            let func = instance.get_func(&*store, name).expect("the export is a function");
            for call in 0..2 {
                call_once(store, func, name, ty, round, call);
            }
        }
    }
    for (name, _) in exports {
        dump(store, instance, name);
    }
}

fn call_once(store: &mut Store<State>, func: Func, name: &str, ty: &FuncType, round: usize, call: usize) {
    let args = generate::arguments(store.data().seed, round, call, ty);
    let given: Vec<Val> = args.iter().map(|arg| to_val(*arg, &store.data().hosts)).collect();
    let mut results: Vec<Val> = ty.results.iter().map(|ty| Val::default_for_ty(val_type(*ty))).collect();
    let outcome = match func.call(&mut *store, &given, &mut results) {
        Ok(()) => Ok(results.iter().map(|result| from_val(store, result)).collect()),
        Err(error) => Err(reason(&error)),
    };
    store.data_mut().events.push(Event::Called { name: name.to_owned(), args, outcome });
}

fn dump(store: &mut Store<State>, instance: Instance, name: &str) {
    let name = name.to_owned();
    let event = match instance.get_export(&*store, &name).expect("the export is there") {
        Extern::Memory(memory) => Event::Memory { name, bytes: memory.data(&*store).to_vec() },
        Extern::Global(global) => {
            let value = global.get(&*store);
            Event::Global { name, value: from_val(store, &value) }
        }
        Extern::Table(table) => {
            let elements = (0..table.size(&*store)).map(|index| {
                let element = table.get(&*store, index).expect("the index is below the size");
                from_ref(store, &element)
            });
            Event::Table { name, elements: elements.collect() }
        }
        Extern::Func(_) => return,
    };
    store.data_mut().events.push(event);
}

fn host_item(store: &mut Store<State>, import: &Import) -> Extern {
    match &import.ty {
        ExternType::Func(ty) => {
            let of = |types: &[ValType]| types.iter().map(|ty| val_type(*ty)).collect::<Vec<_>>();
            let wasmi_type = wasmi::FuncType::new(of(&ty.params), of(&ty.results));
            let (import, types, calls) = (import.clone(), ty.results.clone(), AtomicU64::new(0));
            let body = move |mut caller: Caller<'_, State>, args: &[Val], results: &mut [Val]| {
                let args = args.iter().map(|arg| from_val(&caller, arg)).collect();
                caller.data_mut().events.push(Event::Host { import: import.clone(), args });
                let call = calls.fetch_add(1, Ordering::Relaxed);
                let state = caller.data();
                let values = import.outcome(state.seed, call, &types).map_err(Error::new)?;
                for (result, value) in results.iter_mut().zip(values) {
                    *result = to_val(value, &state.hosts);
                }
                Ok(())
            };
            Func::new(store, wasmi_type, body).into()
        }
        ExternType::Global { content, mutable } => {
            let value = to_val(import.value(store.data().seed, *content), &store.data().hosts);
            let mutability = if *mutable { Mutability::Var } else { Mutability::Const };
            Global::new(store, value, mutability).into()
        }
        ExternType::Table { element, limits } => {
            let element = if *element == ValType::FuncRef { RefType::Func } else { RefType::Extern };
            let ty = TableType::new(element, limits.min, limits.max);
            Table::new(store, ty, Ref::null(element)).expect("the table is small").into()
        }
        ExternType::Memory(limits) => {
            Memory::new(store, MemoryType::new(limits.min, limits.max)).expect("the memory is small").into()
        }
        ExternType::Tag(_) => panic!("tags are not generated"),
    }
}

fn reason(error: &Error) -> Reason {
    let wording = match error.as_trap_code() {
        None => return Reason::of_message(&error.to_string()),
        Some(code) => match code {
            TrapCode::UnreachableCodeReached => "unreachable",
            TrapCode::MemoryOutOfBounds => "out of bounds memory access",
            TrapCode::TableOutOfBounds => "out of bounds table access",
            TrapCode::IndirectCallToNull => "uninitialized element",
            TrapCode::IntegerDivisionByZero => "integer divide by zero",
            TrapCode::IntegerOverflow => "integer overflow",
            TrapCode::BadConversionToInteger => "invalid conversion to integer",
            TrapCode::StackOverflow => "call stack exhausted",
            TrapCode::BadSignature => "indirect call type mismatch",
            other => return Reason::Other(format!("{other:?}")),
        },
    };
    Reason::Trap(wording)
}

fn to_val(value: Value, hosts: &[ExternRef]) -> Val {
    match value {
        Value::I32(value) => Val::I32(value),
        Value::I64(value) => Val::I64(value),
        Value::F32(bits) => Val::F32(wasmi::F32::from_bits(bits)),
        Value::F64(bits) => Val::F64(wasmi::F64::from_bits(bits)),
        Value::V128(bits) => Val::V128(bits.into()),
        Value::Func(_) => Val::FuncRef(Nullable::Null),
        Value::Extern(None) => Val::ExternRef(Nullable::Null),
        Value::Extern(Some(number)) => Val::ExternRef(Nullable::Val(hosts[number as usize])),
    }
}

fn from_val(store: &impl wasmi::AsContext<Data = State>, val: &Val) -> Value {
    match val {
        Val::I32(value) => Value::I32(*value),
        Val::I64(value) => Value::I64(*value),
        Val::F32(value) => Value::F32(value.to_bits()).canonical(),
        Val::F64(value) => Value::F64(value.to_bits()).canonical(),
        Val::FuncRef(func) => from_ref(store, &Ref::Func(*func)),
        Val::ExternRef(object) => from_ref(store, &Ref::Extern(*object)),
        Val::V128(value) => Value::V128(value.as_u128()),
    }
}

fn from_ref(store: &impl wasmi::AsContext<Data = State>, object: &Ref) -> Value {
    match object {
        Ref::Func(func) => Value::Func(!func.is_null()),
        Ref::Extern(Nullable::Null) => Value::Extern(None),
        Ref::Extern(Nullable::Val(object)) => {
            let number = object.data(store.as_context()).downcast_ref::<u32>();
            Value::Extern(Some(*number.expect("the host's objects are numbers")))
        }
    }
}

fn val_type(ty: ValType) -> wasmi::ValType {
    match ty {
        ValType::I32 => wasmi::ValType::I32,
        ValType::I64 => wasmi::ValType::I64,
        ValType::F32 => wasmi::ValType::F32,
        ValType::F64 => wasmi::ValType::F64,
        ValType::V128 => wasmi::ValType::V128,
        ValType::FuncRef => wasmi::ValType::FuncRef,
        ValType::ExternRef => wasmi::ValType::ExternRef,
    }
}

fn from_val_type(ty: wasmi::ValType) -> ValType {
    match ty {
        wasmi::ValType::I32 => ValType::I32,
        wasmi::ValType::I64 => ValType::I64,
        wasmi::ValType::F32 => ValType::F32,
        wasmi::ValType::F64 => ValType::F64,
        wasmi::ValType::FuncRef => ValType::FuncRef,
        wasmi::ValType::ExternRef => ValType::ExternRef,
        wasmi::ValType::V128 => ValType::V128,
    }
}

fn extern_type(ty: &wasmi::ExternType) -> ExternType {
    let of = |types: &[wasmi::ValType]| types.iter().map(|ty| from_val_type(*ty)).collect::<Vec<_>>();
    let limits = |min: u64, max: Option<u64>| Limits { min: min as u32, max: max.map(|max| max as u32) };
    match ty {
        wasmi::ExternType::Func(ty) => ExternType::Func(FuncType::new(&of(ty.params()), &of(ty.results()))),
        wasmi::ExternType::Global(ty) => {
            ExternType::Global { content: from_val_type(ty.content()), mutable: ty.mutability().is_mut() }
        }
        wasmi::ExternType::Table(ty) => {
            let element = if ty.element() == RefType::Func { ValType::FuncRef } else { ValType::ExternRef };
            ExternType::Table { element, limits: limits(ty.minimum(), ty.maximum()) }
        }
        wasmi::ExternType::Memory(ty) => ExternType::Memory(limits(ty.minimum(), ty.maximum())),
    }
}
