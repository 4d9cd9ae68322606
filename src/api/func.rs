//! Functions (section 4.2.6): those of instances, and those of the host.

use super::caller::Caller;
use super::context::{AsContext, AsContextMut};
use super::error::Error;
use super::handle::Handle;
use super::host::{self, Callable, IntoFunc, Typed};
use super::store::{Core, Inner};
use super::typed::{TypedFunc, WasmParams, WasmResults};
use super::val::Val;
use crate::runtime::{call, func};
use crate::types::{FuncType, ValType};
use std::ptr::NonNull;

/// A function, of an instance or of the host.
#[derive(Clone, Debug, PartialEq)]
pub struct Func(pub(super) Handle<func::Func>);

impl Func {
    /// A host function from a closure, whose parameters and results say the function's type: up to 16
    /// [`WasmTy`](super::WasmTy)s, with a [`Caller`] in front if it wants to see who calls. It may fail: see
    /// [`WasmRet`](super::WasmRet). If it panics, the panic comes out at the call of WebAssembly that led to it.
    ///
    /// ```
    /// use tenon::{Engine, Func, Store, Val};
    ///
    /// let mut store = Store::new(&Engine::default(), ());
    /// let add = Func::wrap(&mut store, |a: i32, b: i32| a + b);
    /// let results = add.call(&mut store, &[Val::I32(2), Val::I32(3)])?;
    /// assert!(matches!(results[..], [Val::I32(5)]));
    /// # Ok::<(), tenon::Error>(())
    /// ```
    ///
    /// # Panics
    /// If the function cannot be made, for lack of memory for its code.
    pub fn wrap<T: 'static, P, R, F>(store: impl AsContextMut<Data = T>, function: F) -> Func
    where
        F: IntoFunc<T, P, R>,
        P: 'static,
        R: 'static,
    {
        Func::try_wrap(store, function).unwrap_or_else(|error| panic!("no host function: {error}"))
    }

    /// [`Func::wrap`] where failure is an answer.
    pub fn try_wrap<T: 'static, P, R, F>(mut store: impl AsContextMut<Data = T>, function: F) -> Result<Func, Error>
    where
        F: IntoFunc<T, P, R>,
        P: 'static,
        R: 'static,
    {
        Func::make(store.as_context_mut().inner(), &F::ty(), Typed::<F, F, P, R>::new(function))
    }

    /// A host function of type `ty`, which is known only when the program runs. The closure gets the arguments, and
    /// fills in the results, which are null or zero at first.
    ///
    /// ```
    /// use tenon::{Engine, Func, FuncType, Store, Val, ValType};
    ///
    /// let mut store = Store::new(&Engine::default(), ());
    /// let ty = FuncType::new([ValType::I64, ValType::I64], [ValType::I64]);
    /// let max = Func::new(&mut store, &ty, |_caller, args, results| {
    ///     results[0] = Val::I64(args.iter().filter_map(Val::i64).max().unwrap_or(0));
    ///     Ok(())
    /// })?;
    /// assert_eq!(max.typed::<(i64, i64), i64>(&store)?.call(&mut store, (3, 4))?, 4);
    /// # Ok::<(), tenon::Error>(())
    /// ```
    pub fn new<T: 'static>(
        mut store: impl AsContextMut<Data = T>,
        ty: &FuncType,
        function: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<Func, Error> {
        Func::make(store.as_context_mut().inner(), ty, Dynamic(function))
    }

    pub(super) fn make<T: 'static>(
        inner: NonNull<Inner<T>>,
        ty: &FuncType,
        callable: impl Callable<T> + 'static,
    ) -> Result<Func, Error> {
        let made = host::new(inner, ty, callable)?;
        // SAFETY: a new function comes with a count; the callers have the store.
        Ok(Func(unsafe { Handle::owning(Inner::core(inner), made) }))
    }

    /// The type.
    pub fn ty(&self, store: impl AsContext) -> Result<FuncType, Error> {
        Ok(self.0.get(store.as_context().into_core())?.ty().clone())
    }

    /// The same function with its type in Rust. Fails if it has another.
    pub fn typed<P: WasmParams, R: WasmResults>(&self, store: impl AsContext) -> Result<TypedFunc<P, R>, Error> {
        self.typed_named(store, &|| "the function".into())
    }

    pub(super) fn typed_named<P: WasmParams, R: WasmResults>(
        &self,
        store: impl AsContext,
        name: &dyn Fn() -> String,
    ) -> Result<TypedFunc<P, R>, Error> {
        let ty = self.0.get(store.as_context().into_core())?.ty();
        check_types(ty, P::TYPES, R::TYPES)
            .map_err(|wanted| Error::argument(format!("{} has the type {ty}, which is not {wanted}", name())))?;
        // SAFETY: just checked.
        Ok(unsafe { TypedFunc::new(self.clone()) })
    }

    /// Calls the function. The arguments are checked; the results come in a vector. See [`TypedFunc`] for what is
    /// faster.
    pub fn call(&self, store: impl AsContextMut, args: &[Val]) -> Result<Vec<Val>, Error> {
        let mut results = Vec::new();
        self.call_into(store, args, &mut results)?;
        Ok(results)
    }

    /// [`Func::call`] with results into a vector that is there: what it held is dropped.
    pub fn call_into(&self, mut store: impl AsContextMut, args: &[Val], results: &mut Vec<Val>) -> Result<(), Error> {
        let store = store.as_context_mut();
        let core = store.core();
        let func = self.0.get(core)?;
        core.enter()?;
        let ty = func.ty();
        let (params, given) = (ty.params(), args.len());
        if given != params.len() {
            let expected = params.len();
            let message = format!("{given} arguments are given to a function of type {ty}, which takes {expected}");
            return Err(Error::argument(message));
        }
        let (mut few, mut many);
        let count = params.len().max(ty.results().len());
        let values: &mut [[u64; 2]] = if count <= FEW {
            few = [[0; 2]; FEW];
            &mut few
        } else {
            many = vec![[0; 2]; count];
            &mut many
        };
        for (i, ((place, arg), ty)) in values.iter_mut().zip(args).zip(params).enumerate() {
            *place = arg.lower(core, *ty, &|| format!("argument {i}"))?;
        }
        // SAFETY: the function is alive; there is room for arguments and results, and the arguments are of its types. The
        // references among them are alive as long as `args`.
        let trap = unsafe { call::call_raw(self.0.address(), values.as_mut_ptr().cast()) };
        if !trap.is_null() {
            // SAFETY: the trap comes with a count.
            return Err(unsafe { core.raised(trap) });
        }
        results.clear();
        // SAFETY: the results are of these types, and references among them come with a count.
        results.extend(ty.results().iter().zip(values).map(|(ty, bits)| unsafe { Val::lift(core, *ty, *bits, true) }));
        Ok(())
    }
}

/// More values than this are put on the heap for a call.
const FEW: usize = 16;

/// Whether a function of type `ty` can be called with these types: what is given must be what it takes, and what it gives must
/// be what is wanted. If not, says what is wanted.
fn check_types(ty: &FuncType, params: &[ValType], results: &[ValType]) -> Result<(), FuncType> {
    let all_match = |from: &[ValType], to: &[ValType]| {
        from.len() == to.len() && from.iter().zip(to).all(|(from, to)| from.matches(*to))
    };
    if all_match(params, ty.params()) && all_match(ty.results(), results) {
        return Ok(());
    }
    Err(FuncType::new(params.iter().copied(), results.iter().copied()))
}

/// A closure whose types are not known to the compiler.
pub(super) struct Dynamic<F>(pub(super) F);

impl<T: 'static, F> Callable<T> for Dynamic<F>
where
    F: Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<(), Error>,
{
    unsafe fn call(&self, inner: NonNull<Inner<T>>, ty: &FuncType, values: *mut [u64; 2]) -> Result<(), Error> {
        // SAFETY: the caller's promise: the store is there, and a place for each argument and each result.
        unsafe {
            let core: &Core = Inner::core(inner);
            core.give_up_dropped();
            let arg = |(i, ty): (usize, &ValType)| Val::lift(core, *ty, *values.add(i), false);
            let args: Vec<Val> = ty.params().iter().enumerate().map(arg).collect();
            let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::zero(*ty)).collect();
            self.0(Caller::new(inner), &args, &mut results)?;
            let lower = |(i, (result, ty)): (usize, (&Val, &ValType))| {
                result.lower(core, *ty, &|| format!("result {i} of the host function"))
            };
            // All are checked before one is given away.
            let bits = results.iter().zip(ty.results()).enumerate().map(lower).collect::<Result<Vec<_>, Error>>()?;
            for (i, (bits, result)) in bits.into_iter().zip(&results).enumerate() {
                result.give();
                values.add(i).write(bits);
            }
            Ok(())
        }
    }
}
