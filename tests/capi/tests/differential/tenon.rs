//! Runs a module on this library, through the C API.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tenon_capi_tests::mode::Mode;
use tenon_capi_tests::object::{
    Engine, Extern, Foreign, Func, Global, Instance, Memory, Module, NoInstance, Ref, Store, Table,
};
use tenon_capi_tests::types::{ExternType, ValType};
use tenon_capi_tests::val::Val;
use tenon_capi_tests::vector;

use crate::event::{Event, Import, Reason, Value};
use crate::generate;

/// Objects of the host by number.
type Hosts = Rc<Vec<Foreign>>;

/// Runs the module in a mode: for each of `functions` a new instance and two calls.
pub fn run(mode: Mode, seed: u64, binary: &[u8], functions: &[String]) -> Vec<Event> {
    // Arrays may be of any length; what there is no room for is found at once.
    let engine = mode.engine(|config| config.gc_heap_limit(16 << 20));
    let run = Run::new(&engine, mode, seed, binary);
    let mut exports: Vec<_> = run.exports.iter().map(|(name, ty)| (name.clone(), format!("{ty:?}"))).collect();
    exports.sort();
    run.events.borrow_mut().push(Event::Exports(exports));
    for round in 0..functions.len().max(1) {
        run.round(round, functions.get(round).map(String::as_str));
    }
    run.events.take()
}

struct Run {
    seed: u64,
    events: Rc<RefCell<Vec<Event>>>,
    exports: Vec<(String, ExternType)>,
    imports: Vec<Import>,
    hosts: Hosts,
    module: Module,
    store: Store,
}

impl Run {
    fn new(engine: &Engine, mode: Mode, seed: u64, binary: &[u8]) -> Run {
        let store = Store::new(engine);
        let module = mode.module(&store, binary).expect("the module is valid");
        let name = |bytes| String::from_utf8(bytes).expect("names are UTF-8");
        let exports = module.exports().into_iter().map(|(export, ty)| (name(export), ty)).collect();
        let imports = module.imports().into_iter();
        let imports = imports.map(|(from, import, ty)| Import { module: name(from), name: name(import), ty }).collect();
        let hosts = (0..4).map(|number| Foreign::new(&store, number + 1).expect("wasm_foreign_new gave NULL"));
        let hosts = Rc::new(hosts.collect());
        Run { seed, events: Rc::default(), exports, imports, hosts, module, store }
    }

    fn push(&self, event: Event) {
        self.events.borrow_mut().push(event);
    }

    fn round(&self, round: usize, function: Option<&str>) {
        let imports: Vec<Extern> = self.imports.iter().map(|import| self.import(import)).collect();
        let imports: Vec<Option<&Extern>> = imports.iter().map(Some).collect();
        let instance = match Instance::new(&self.store, &self.module, &imports) {
            Ok(instance) => instance,
            Err(none) => {
                let reason = match none {
                    NoInstance::Trap(trap) => Reason::of_message(&trap.message()),
                    NoInstance::Nothing => Reason::Other("neither an instance nor a trap".into()),
                };
                return self.push(Event::Instantiated(Err(reason)));
            }
        };
        self.push(Event::Instantiated(Ok(())));
        let externs = instance.exports();
        let exports = || self.exports.iter().zip(&externs);
        for ((name, ty), export) in exports() {
            if function == Some(name)
                && let ExternType::Func(ty) = ty
            {
                let func = export.func().expect("the export is a function");
                for call in 0..2 {
                    let args = generate::arguments(self.seed, round, call, ty);
                    let given: Vec<Val> = args.iter().map(|arg| to_val(*arg, &self.hosts)).collect();
                    let outcome = match func.call(&given) {
                        Ok(results) => Ok(results.iter().map(from_val).collect()),
                        Err(trap) => Err(Reason::of_message(&trap.message())),
                    };
                    self.push(Event::Called { name: name.clone(), args, outcome });
                }
            }
        }
        let mut sorted: Vec<_> = exports().collect();
        sorted.sort_by(|((a, _), _), ((b, _), _)| a.cmp(b));
        for ((name, ty), export) in sorted {
            self.dump(name.clone(), ty, export);
        }
    }

    fn dump(&self, name: String, ty: &ExternType, export: &Extern) {
        match ty {
            ExternType::Memory(_) => {
                let bytes = export.memory().expect("the export is a memory").read_all();
                self.push(Event::Memory { name, bytes });
            }
            ExternType::Global { content: ValType::V128, mutable } => {
                let value = Value::V128(vector::global_value(&self.store, export, *mutable));
                self.push(Event::Global { name, value });
            }
            ExternType::Global { .. } => {
                let value = from_val(&export.global().expect("the export is a global").get());
                self.push(Event::Global { name, value });
            }
            ExternType::Table { element, .. } => {
                let table = export.table().expect("the export is a table");
                let elements = (0..table.size()).map(|i| from_ref(*element, table.get(i).as_ref())).collect();
                self.push(Event::Table { name, elements });
            }
            ExternType::Func(_) | ExternType::Tag(_) => {}
        }
    }

    fn import(&self, import: &Import) -> Extern {
        match &import.ty {
            ExternType::Func(ty) => {
                let (events, hosts, seed, calls) = (self.events.clone(), self.hosts.clone(), self.seed, Cell::new(0));
                let (import, types) = (import.clone(), ty.results.clone());
                let body = move |args: &[Val]| {
                    events
                        .borrow_mut()
                        .push(Event::Host { import: import.clone(), args: args.iter().map(from_val).collect() });
                    let call = calls.replace(calls.get() + 1);
                    let values = import.outcome(seed, call, &types)?;
                    Ok(values.into_iter().map(|value| to_val(value, &hosts)).collect())
                };
                let new = if ty.has_vectors() { Func::new_raw } else { Func::new };
                new(&self.store, ty, Box::new(body)).to_extern()
            }
            ExternType::Global { content, mutable } => {
                let value = import.value(self.seed, *content);
                if let Value::V128(bits) = value {
                    return vector::new_global(&self.store, *mutable, bits);
                }
                let value = to_val(value, &self.hosts);
                Global::new(&self.store, *mutable, &value).expect("wasm_global_new gave NULL").to_extern()
            }
            ExternType::Table { element, limits } => {
                Table::new(&self.store, *element, *limits).expect("wasm_table_new gave NULL").to_extern()
            }
            ExternType::Memory(limits) => {
                Memory::new(&self.store, *limits).expect("wasm_memory_new gave NULL").to_extern()
            }
            ExternType::Tag(ty) => vector::new_tag(&self.store, ty),
        }
    }
}

fn to_val(value: Value, hosts: &[Foreign]) -> Val {
    match value {
        Value::I32(value) => Val::I32(value),
        Value::I64(value) => Val::I64(value),
        Value::F32(bits) => Val::F32(bits),
        Value::F64(bits) => Val::F64(bits),
        Value::V128(bits) => Val::V128(bits),
        Value::Func(_) => Val::Ref(ValType::FuncRef, None),
        Value::Extern(None) => Val::Ref(ValType::ExternRef, None),
        Value::Extern(Some(number)) => Val::foreign(&hosts[number as usize]),
    }
}

fn from_val(val: &Val) -> Value {
    match val {
        Val::I32(value) => Value::I32(*value),
        Val::I64(value) => Value::I64(*value),
        Val::F32(bits) => Value::F32(*bits).canonical(),
        Val::F64(bits) => Value::F64(*bits).canonical(),
        Val::V128(bits) => Value::V128(*bits),
        Val::Ref(ty, object) => from_ref(*ty, object.as_ref()),
    }
}

fn from_ref(ty: ValType, object: Option<&Ref>) -> Value {
    match ty {
        ValType::FuncRef => Value::Func(object.is_some()),
        _ => Value::Extern(object.map(|object| (object.host_info() as u32).wrapping_sub(1))),
    }
}
