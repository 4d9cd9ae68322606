//! Runs the directives of a `.wast` script through the C API.
//!
//! A [`Runner`] is the state of one script: a store, the instances by name, what is registered for import, and the host objects that
//! `ref.extern N` names. [`Runner::run`] runs one directive and says how it went; nothing is skipped: a directive that the runner cannot
//! run fails.

mod value;
mod wording;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;

use wast::{QuoteWat, QuoteWatTest, WastDirective, WastExecute, WastInvoke, WastRet, WastThread, Wat};

use crate::error::{self, Error};
use crate::mode::Mode;
use crate::object::{Config, Engine, Extern, Foreign, Instance, Module, NoInstance, Store};
use crate::val::Val;
use crate::{spectest, sys};
use wording::Agreement;

/// How a directive went that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// The library was asked.
    Library,
    /// The library refused a module, in the specification's words.
    Refused,
    /// The library refused a module in the words of a newer specification than the script's.
    RefusedInNewerWords,
}

/// What a directive came to: passed, or why not.
pub type Outcome = Result<Passed, String>;

/// The exports of an instance, or the items of a host module, by name.
type Items = Rc<HashMap<Vec<u8>, Extern>>;

/// What an action came to.
enum Acted {
    Values(Vec<Val>),
    Trapped(String),
}

/// Why a module did not become an instance.
enum Refused {
    /// It is malformed or invalid.
    Module(String),
    /// Imports do not fit, or a trap came up; the C API has the same channel for both.
    Instance(String),
}

impl Refused {
    fn describe(self) -> String {
        match self {
            Refused::Module(reason) => reason,
            Refused::Instance(message) => format!("not instantiated: {message}"),
        }
    }
}

/// The state of a script.
pub struct Runner {
    // Declared in the order in which they must be dropped.
    hosts: HashMap<u32, Foreign>,
    current: Option<Items>,
    named: HashMap<String, Items>,
    registered: HashMap<Vec<u8>, Items>,
    definitions: HashMap<Option<String>, Rc<Module>>,
    threads: HashMap<String, JoinHandle<Result<(), String>>>,
    store: Store,
    engine: Arc<Engine>,
    mode: Mode,
    newer: fn(&[u8]) -> Vec<String>,
}

impl Runner {
    /// The state at the start of a script in the whole language: only `spectest` can be imported from.
    pub fn new(mode: Mode) -> Runner {
        Runner::of_language(mode, |config| config)
    }

    /// The same for a script in the language that `language` leaves on.
    pub fn of_language(mode: Mode, language: fn(Config) -> Config) -> Runner {
        Runner::on(Arc::new(mode.engine(language)), mode)
    }

    /// The same, with what newer scripts expect of a module, given as a text or a binary, that must be refused.
    pub fn with_newer(self, newer: fn(&[u8]) -> Vec<String>) -> Runner {
        Runner { newer, ..self }
    }

    /// The same on an engine that exists.
    fn on(engine: Arc<Engine>, mode: Mode) -> Runner {
        let store = Store::new(&engine);
        let registered = HashMap::from([(b"spectest".to_vec(), Rc::new(spectest::new(&store)))]);
        Runner {
            hosts: HashMap::new(),
            current: None,
            named: HashMap::new(),
            registered,
            definitions: HashMap::new(),
            threads: HashMap::new(),
            store,
            engine,
            mode,
            newer: |_| Vec::new(),
        }
    }

    /// Runs one directive. A panic of the runner is a failure of the directive. The script must live as long as the process,
    /// as its threads may.
    pub fn run(&mut self, directive: WastDirective<'static>) -> Outcome {
        catch_unwind(AssertUnwindSafe(|| self.dispatch(directive))).unwrap_or_else(|panic| {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            Err(format!("panic: {}", message.or(panic.downcast_ref::<&str>().copied()).unwrap_or("no message")))
        })
    }

    fn dispatch(&mut self, directive: WastDirective<'static>) -> Outcome {
        match directive {
            WastDirective::Module(mut module) => {
                let name = module.name().map(|id| id.name().to_owned());
                let binary = encode(&mut module)?;
                let items = self.instantiate(&binary).map_err(Refused::describe)?;
                self.enter(name, items);
            }
            WastDirective::ModuleDefinition(mut module) => {
                let name = module.name().map(|id| id.name().to_owned());
                let module = Rc::new(self.define(&encode(&mut module)?)?);
                self.definitions.insert(None, module.clone());
                self.definitions.insert(name, module);
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                let name = module.map(|id| id.name().to_owned());
                let module = self.definitions.get(&name).cloned();
                let module = module.ok_or_else(|| format!("no module definition {name:?}"))?;
                let items = self.link(&module).map_err(Refused::describe)?;
                self.enter(instance.map(|id| id.name().to_owned()), items);
            }
            WastDirective::Register { name, module, .. } => {
                let items = self.items(module.map(|id| id.name()))?;
                self.registered.insert(name.as_bytes().to_vec(), items);
            }
            WastDirective::Invoke(invoke) => {
                if let Acted::Trapped(message) = self.invoke(&invoke)? {
                    return Err(format!("trapped: {message}"));
                }
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                let values = match self.execute(exec)? {
                    Acted::Values(values) => values,
                    Acted::Trapped(message) => return Err(format!("trapped: {message}")),
                };
                self.compare(&values, &results)?;
            }
            WastDirective::AssertTrap { exec, message, .. } => expect_trap(self.execute(exec)?, message)?,
            WastDirective::AssertExhaustion { call, message, .. } => expect_trap(self.invoke(&call)?, message)?,
            WastDirective::AssertException { exec, .. } => expect_trap(self.execute(exec)?, "uncaught exception")?,
            WastDirective::AssertInvalid { module, message, .. }
            | WastDirective::AssertMalformed { module, message, .. }
            | WastDirective::AssertInvalidCustom { module, message, .. }
            | WastDirective::AssertMalformedCustom { module, message, .. } => {
                return self.expect_refused(module, message);
            }
            WastDirective::AssertUnlinkable { module, message, .. } => self.expect_unlinkable(module, message)?,
            WastDirective::Thread(thread) => self.start(thread)?,
            WastDirective::Wait { thread, .. } => {
                let name = thread.name();
                let started = self.threads.remove(name).ok_or_else(|| format!("no thread ${name}"))?;
                started.join().map_err(|_| format!("thread ${name} panicked"))??;
            }
            WastDirective::AssertSuspension { .. } => return Err("the runner has no such directive".into()),
        }
        Ok(Passed::Library)
    }

    /// Starts a thread of the system, which runs a script of its own in a store of its own. Of ours it sees the shared memories that
    /// one instance exports.
    fn start(&mut self, thread: WastThread<'static>) -> Result<(), String> {
        let mut shared = Vec::new();
        if let Some(module) = thread.shared_module {
            for (name, export) in self.items(Some(module.name()))?.iter() {
                let memory =
                    export.memory().ok_or_else(|| format!("export {name:?} of ${} is no memory", module.name()))?;
                let memory =
                    memory.share().ok_or_else(|| format!("export {name:?} of ${} is not shared", module.name()))?;
                shared.push((name.clone(), memory));
            }
        }
        let (engine, mode, module) = (self.engine.clone(), self.mode, thread.shared_module.map(|id| id.name()));
        let name = thread.name.name().to_owned();
        let started = std::thread::spawn(move || {
            let mut runner = Runner::on(engine, mode);
            let mut items = HashMap::new();
            for (name, memory) in shared {
                let memory = memory.obtain(&runner.store).ok_or("tenon_memory_obtain gave NULL")?;
                items.insert(name, memory.to_extern());
            }
            if let Some(module) = module {
                runner.named.insert(module.to_owned(), Rc::new(items));
            }
            for (index, directive) in thread.directives.into_iter().enumerate() {
                runner
                    .run(directive)
                    .map_err(|error| format!("directive {index} of thread ${}: {error}", thread.name.name()))?;
            }
            Ok(())
        });
        self.threads.insert(name, started);
        Ok(())
    }

    /// Makes `items` the current instance, and the one of this name.
    fn enter(&mut self, name: Option<String>, items: Items) {
        if let Some(name) = name {
            self.named.insert(name, items.clone());
        }
        self.current = Some(items);
    }

    /// The instance of this name, or the current one.
    fn items(&self, name: Option<&str>) -> Result<Items, String> {
        match name {
            Some(name) => self.named.get(name).cloned().ok_or_else(|| format!("no instance ${name}")),
            None => self.current.clone().ok_or_else(|| "no instance yet".into()),
        }
    }

    /// Decodes and validates. `wasm_module_validate` must say the same as `wasm_module_new`.
    fn define(&self, binary: &[u8]) -> Result<Module, String> {
        let module = self.mode.module(&self.store, binary);
        let valid = Module::validate(&self.store, binary);
        if valid != module.is_ok() {
            let made = module.as_ref().err().map_or("the module was made", String::as_str);
            return Err(format!("wasm_module_validate says {valid}, but {made}"));
        }
        module
    }

    /// Instantiates with imports from what is registered. What is not there goes to the library as NULL: it has to say so.
    fn link(&self, module: &Module) -> Result<Items, Refused> {
        let wanted = module.imports();
        let imports: Vec<_> =
            wanted.iter().map(|(from, name, _)| self.registered.get(from).and_then(|items| items.get(name))).collect();
        let instance = Instance::new(&self.store, module, &imports).map_err(|none| {
            Refused::Instance(match none {
                NoInstance::Trap(trap) => trap.message(),
                NoInstance::Nothing => "wasm_instance_new gave neither an instance nor a trap".into(),
            })
        })?;
        let (names, exports) = (module.export_names(), instance.exports());
        if names.len() != exports.len() {
            let counts = format!("{} export types, but {} exports", names.len(), exports.len());
            return Err(Refused::Instance(counts));
        }
        Ok(Rc::new(names.into_iter().zip(exports).collect()))
    }

    fn instantiate(&self, binary: &[u8]) -> Result<Items, Refused> {
        let module = self.define(binary).map_err(Refused::Module)?;
        self.link(&module)
    }

    fn execute(&mut self, exec: WastExecute<'_>) -> Result<Acted, String> {
        match exec {
            WastExecute::Invoke(invoke) => self.invoke(&invoke),
            WastExecute::Wat(mut module) => {
                let binary = module.encode().map_err(|error| format!("not encoded: {error}"))?;
                match self.instantiate(&binary) {
                    Ok(_) => Ok(Acted::Values(Vec::new())),
                    Err(Refused::Instance(message)) => Ok(Acted::Trapped(message)),
                    Err(Refused::Module(reason)) => Err(reason),
                }
            }
            WastExecute::Get { module, global, .. } => {
                let items = self.items(module.map(|id| id.name()))?;
                let export = items.get(global.as_bytes()).ok_or_else(|| format!("no export {global:?}"))?;
                let value = export.global().ok_or_else(|| format!("export {global:?} is no global"))?.get();
                Ok(Acted::Values(vec![value]))
            }
        }
    }

    fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Result<Acted, String> {
        let args = invoke.args.iter().map(|arg| self.argument(arg)).collect::<Result<Vec<_>, _>>()?;
        let items = self.items(invoke.module.map(|id| id.name()))?;
        let export = items.get(invoke.name.as_bytes()).ok_or_else(|| format!("no export {:?}", invoke.name))?;
        let func = export.func().ok_or_else(|| format!("export {:?} is no function", invoke.name))?;
        Ok(match func.call(&args) {
            Ok(values) => Acted::Values(values),
            Err(trap) => Acted::Trapped(trap.message()),
        })
    }

    fn compare(&self, values: &[Val], expected: &[WastRet<'_>]) -> Result<(), String> {
        if values.len() != expected.len() {
            return Err(format!("{} results, expected {}", values.len(), expected.len()));
        }
        for (index, (value, expected)) in values.iter().zip(expected).enumerate() {
            let WastRet::Core(pattern) = expected else {
                return Err("a result of the component model".into());
            };
            if !value::matches(value, pattern, &self.hosts)? {
                let shown = value::show(value);
                return Err(format!("result {index} is {shown}, expected {}", value::show_pattern(pattern)));
            }
        }
        Ok(())
    }

    /// The module must be refused, with a reason: by the text parser or by both functions of the library that decode.
    fn expect_refused(&self, mut module: QuoteWat<'_>, expected: &str) -> Outcome {
        let (source, binary) = match module.to_test() {
            Ok(QuoteWatTest::Binary(binary)) => (binary.clone(), binary),
            Ok(QuoteWatTest::Text(text)) => match error::wat2wasm(&text) {
                Ok(binary) => (text, binary),
                Err(error) => {
                    let newer = || (self.newer)(&text);
                    return expect_error(Some(error), &[sys::TENON_ERROR_TEXT], expected, newer);
                }
            },
            Err(error) => return Err(format!("the parser of scripts refused it before the library could: {error}")),
        };
        // What an earlier call left must not pass for the reason of this one.
        drop(Error::take_last());
        let made = Module::new(&self.store, &binary).is_some();
        let error = Error::take_last();
        let valid = Module::validate(&self.store, &binary);
        match (made, valid) {
            (false, false) => {
                let kinds = [sys::TENON_ERROR_MALFORMED, sys::TENON_ERROR_INVALID, sys::TENON_ERROR_UNSUPPORTED];
                expect_error(error, &kinds, expected, || (self.newer)(&source))
            }
            (true, true) => Err("the module was accepted".into()),
            (true, false) => Err("wasm_module_new accepted what wasm_module_validate refused".into()),
            (false, true) => Err("wasm_module_validate accepted what wasm_module_new refused".into()),
        }
    }

    fn expect_unlinkable(&self, mut module: Wat<'_>, expected: &str) -> Result<(), String> {
        let binary = module.encode().map_err(|error| format!("not encoded: {error}"))?;
        match self.instantiate(&binary) {
            Ok(_) => Err(format!("instantiated, expected {expected:?}")),
            Err(Refused::Module(reason)) => Err(reason),
            Err(Refused::Instance(message)) => expect_message(&message, expected),
        }
    }
}

/// The module's binary. Quoted text is the library's to translate; other text was parsed with the script.
fn encode(module: &mut QuoteWat<'_>) -> Result<Vec<u8>, String> {
    match module.to_test().map_err(|error| format!("not encoded: {error}"))? {
        QuoteWatTest::Binary(binary) => Ok(binary),
        QuoteWatTest::Text(text) => error::wat2wasm(&text).map_err(|error| format!("quoted text: {}", error.message())),
    }
}

/// A refusal must have a reason of one of these kinds that says something.
fn expect_error(error: Option<Error>, kinds: &[u32], expected: &str, newer: impl FnOnce() -> Vec<String>) -> Outcome {
    let error = error.ok_or("the module was refused without an error")?;
    let (kind, message) = (error.kind(), error.message());
    if message.is_empty() {
        return Err("the module was refused without a message".into());
    }
    if !kinds.contains(&kind) {
        return Err(format!("the module was refused with an error of kind {kind}, not of {kinds:?}: {message}"));
    }
    match wording::agreement(expected, &message, newer) {
        Some(Agreement::Words) => Ok(Passed::Refused),
        Some(Agreement::NewerWords) => Ok(Passed::RefusedInNewerWords),
        None => Err(format!("the module was refused with {message:?}, expected {expected:?}")),
    }
}

fn expect_trap(acted: Acted, expected: &str) -> Result<(), String> {
    match acted {
        Acted::Values(values) => {
            let shown: Vec<_> = values.iter().map(value::show).collect();
            Err(format!("returned ({}), expected the trap {expected:?}", shown.join(" ")))
        }
        Acted::Trapped(message) => expect_message(&message, expected),
    }
}

/// The message must start with the specification's wording; what follows names the thing.
fn expect_message(message: &str, expected: &str) -> Result<(), String> {
    if !expected.is_empty() && message.starts_with(expected) {
        Ok(())
    } else {
        Err(format!("message {message:?}, expected {expected:?}"))
    }
}
