//! Exceptions (section 4.2.11): made, thrown, caught and looked at by the host.

use super::context::{AsContext, AsContextMut};
use super::error::Error;
use super::handle::{Handle, wrong_store};
use super::store::Core;
use super::tag::Tag;
use super::trap::Trap;
use super::val::Val;
use crate::runtime::exception;
use crate::trap::TrapCode;
use crate::types::ValType;

/// An exception: a tag, and the values that the tag's type says.
///
/// A host function throws one by returning [`Exception::throw`]. One that WebAssembly does not catch comes out of
/// the call as an error whose trap has it:
///
/// ```
/// use tenon::{Caller, Engine, Error, Exception, Func, FuncType, Instance, Module, Store, Tag, TagType, Val, ValType};
///
/// let engine = Engine::default();
/// let mut store = Store::new(&engine, ());
/// let tag = Tag::new(&mut store, &TagType { func: FuncType::new([ValType::I32], []) })?;
///
/// let thrown = tag.clone();
/// let fail = Func::wrap(&mut store, move |mut caller: Caller<'_, ()>, n: i32| -> Result<(), Error> {
///     let exception = Exception::new(&mut caller, &thrown, &[Val::I32(n)])?;
///     Err(exception.throw(&caller))
/// });
/// let module = Module::new(&engine, r#"(module
///     (import "host" "tag" (tag $tag (param i32)))
///     (import "host" "fail" (func $fail (param i32)))
///     (func (export "catch") (param i32) (result i32)
///         (block $caught (result i32)
///             (try_table (catch $tag $caught) (call $fail (local.get 0)))
///             (i32.const 0)))
///     (func (export "throw") (param i32) (throw $tag (local.get 0))))"#)?;
/// let instance = Instance::new(&mut store, &module, &[tag.clone().into(), fail.into()])?;
///
/// assert_eq!(instance.typed_func::<i32, i32>(&mut store, "catch")?.call(&mut store, 5)?, 5);
///
/// let error = instance.typed_func::<i32, ()>(&mut store, "throw")?.call(&mut store, 6).unwrap_err();
/// let exception = error.trap().and_then(|trap| trap.exception()).expect("nobody caught it");
/// assert_eq!(exception.tag(&mut store)?, tag);
/// assert_eq!(exception.values(&mut store)?, [Val::I32(6)]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Exception(pub(super) Handle<exception::Exception>);

impl Exception {
    /// An exception. Nothing is thrown by that. The values are those that the tag's type says.
    pub fn new(mut store: impl AsContextMut, tag: &Tag, values: &[Val]) -> Result<Exception, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let tag = tag.0.get(core)?;
        core.enter()?;
        let types = tag.params();
        if values.len() != types.len() {
            let (given, expected) = (values.len(), types.len());
            let message = format!("{given} values are given to an exception of {}, which carries {expected}", tag.ty);
            return Err(Error::argument(message));
        }
        let lower = |(i, (value, ty)): (usize, (&Val, &ValType))| -> Result<[u8; 16], Error> {
            let [low, high] = value.lower(core, *ty, &|| format!("value {i} of the exception"))?;
            Ok((u128::from(high) << 64 | u128::from(low)).to_le_bytes())
        };
        let cells = values.iter().zip(types).enumerate().map(lower).collect::<Result<Vec<_>, Error>>()?;
        // SAFETY: as many as the tag says, just checked; a new exception comes with a count.
        unsafe {
            let made = exception::Exception::of_raw(core.store(), tag, cells.as_ptr())?;
            Ok(Exception(Handle::owning(core, made)))
        }
    }

    /// # Safety
    /// The exception is of the store, which is exclusively borrowed.
    pub(super) unsafe fn of(core: &Core, exception: &exception::Exception) -> Exception {
        // SAFETY: the caller's promise; it is alive.
        Exception(unsafe { Handle::of(core, exception) })
    }

    /// The error that a host function returns to throw the exception in the WebAssembly that called it.
    pub fn throw(&self, store: impl AsContext) -> Error {
        match self.0.get(store.as_context().into_core()) {
            Ok(exception) => {
                let message = format!("{}: {}", TrapCode::UncaughtException.message(), exception.tag().ty);
                Trap::throwing(message, self.clone()).into()
            }
            Err(_) => wrong_store("exception"),
        }
    }

    /// The tag.
    pub fn tag(&self, mut store: impl AsContextMut) -> Result<Tag, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let exception = self.0.get(core)?;
        core.enter()?;
        // SAFETY: an exception keeps its tag.
        Ok(Tag(unsafe { Handle::of(core, exception.tag) }))
    }

    /// The values that it carries.
    pub fn values(&self, mut store: impl AsContextMut) -> Result<Vec<Val>, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let exception = self.0.get(core)?;
        core.enter()?;
        let mut cells = vec![[0u8; 16]; exception.types().len()];
        // SAFETY: there is room for all. They are of the types, and references among them come with a count.
        unsafe {
            exception.raw_values(cells.as_mut_ptr());
            let lift = |(ty, cell): (&ValType, [u8; 16])| {
                let bits = u128::from_le_bytes(cell);
                Val::lift(core, *ty, [bits as u64, (bits >> 64) as u64], true)
            };
            Ok(exception.types().iter().zip(cells).map(lift).collect())
        }
    }
}
