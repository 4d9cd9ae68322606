//! External references (section 4.2.1): what the host gives to WebAssembly to be kept and given back.

use super::anyref::AnyRef;
use super::context::{AsContext, AsContextMut};
use super::error::Error;
use super::handle::Handle;
use super::store::Core;
use crate::runtime::foreign::Foreign;
use crate::runtime::object::{Object, ObjectKind};
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

/// A reference to something of the host's. WebAssembly can keep it and pass it on, but not look into it. What it holds is dropped
/// when nothing, neither a handle nor the store, reaches it any more.
///
/// ```
/// use tenon::{Engine, ExternRef, Instance, Module, Store};
///
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module
///     (func (export "same") (param externref) (result externref) (local.get 0)))"#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let same = instance.typed_func::<Option<ExternRef>, Option<ExternRef>>(&mut store, "same")?;
///
/// let text = ExternRef::new(&mut store, String::from("from the host"))?;
/// let back = same.call(&mut store, Some(text.clone()))?.expect("it is not null");
/// assert_eq!(back, text);
/// assert_eq!(back.downcast_ref::<String>(&store)?.map(String::as_str), Some("from the host"));
/// # Ok::<(), tenon::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ExternRef(pub(super) Handle<Object>);

/// What the runtime keeps for a reference: the data, and the store to tell of a panic.
struct Kept {
    core: NonNull<Core>,
    data: Box<dyn Any + Send + Sync>,
}

impl ExternRef {
    /// A reference to `data`.
    pub fn new(mut store: impl AsContextMut, data: impl Any + Send + Sync) -> Result<ExternRef, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        core.enter()?;
        let kept = Box::new(Kept { core: NonNull::from(core), data: Box::new(data) });
        let foreign = Foreign::new(core.store());
        // SAFETY: just made; a new object comes with a count. The finalizer gets what belongs to it.
        unsafe {
            (*foreign).object.set_host_info(Box::into_raw(kept).cast(), Some(drop_kept));
            Ok(ExternRef(Handle::owning(core, foreign.cast_const().cast())))
        }
    }

    /// The same as a reference of WebAssembly's (`any.convert_extern`).
    pub fn to_any(&self) -> AnyRef {
        AnyRef(self.0.clone())
    }

    fn kept<'a>(&'a self, core: &'a Core) -> Result<Option<NonNull<Kept>>, Error> {
        let object = self.0.get(core)?;
        // Foreign objects of such a store are made here only.
        Ok(if object.kind == ObjectKind::Foreign { NonNull::new(object.host_info().cast()) } else { None })
    }

    /// The data. None if the reference is to something that the host did not make.
    pub fn data<'a>(&'a self, store: &'a impl AsContext) -> Result<Option<&'a (dyn Any + Send + Sync)>, Error> {
        let kept = self.kept(store.as_context().into_core())?;
        // SAFETY: there as long as the object, which this handle keeps; nobody has an exclusive reference to it without
        // borrowing the store exclusively.
        Ok(kept.map(|kept| unsafe { &*kept.as_ref().data }))
    }

    /// The data, to be changed. None if the reference is to something that the host did not make.
    pub fn data_mut<'a>(
        &'a self,
        store: &'a mut impl AsContextMut,
    ) -> Result<Option<&'a mut (dyn Any + Send + Sync)>, Error> {
        let kept = self.kept(store.as_context().into_core())?;
        // SAFETY: as above, and the store is borrowed exclusively.
        Ok(kept.map(|mut kept| unsafe { &mut *kept.as_mut().data }))
    }

    /// The data, if it is a `D`.
    pub fn downcast_ref<'a, D: Any>(&'a self, store: &'a impl AsContext) -> Result<Option<&'a D>, Error> {
        Ok(self.data(store)?.and_then(|data| data.downcast_ref()))
    }
}

/// Drops what a reference held.
unsafe extern "C" fn drop_kept(kept: *mut c_void) {
    // SAFETY: called once, with what `ExternRef::new` gave to the runtime.
    let Kept { core, data } = *unsafe { Box::from_raw(kept.cast::<Kept>()) };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(data))) {
        // SAFETY: objects die before their store.
        unsafe { core.as_ref() }.set_panic(panic);
    }
}
