//! Functions of the host: from closures, and back.
//!
//! ```text
//!  WebAssembly -> host stub -> call_host(env, func, values) -> closure(caller, a, b, ...)
//!                                   |
//!                                   v   a panic or an error is kept in the core, and a trap stands for it
//! ```

use super::caller::Caller;
use super::error::Error;
use super::store::{Core, Inner, Pending};
use super::typed::{WasmResults, values};
use super::wasm_ty::WasmTy;
use crate::runtime::{func, trap};
use crate::trap::TrapCode;
use crate::types::FuncType;
use std::borrow::Borrow;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};

/// Closures that can be a host function: up to 16 parameters that are [`WasmTy`]s, a [`Caller`] in front of them if wanted, and a
/// result that is a [`WasmRet`].
///
/// A closure may be called again while it runs, by WebAssembly that it calls, so that it is an `Fn`. What it changes is best kept
/// in the store's data.
pub trait IntoFunc<T: 'static, Params, Results>: closure::Closure<T, Params, Results> + Send + Sync + 'static {}

impl<T: 'static, P, R, F: closure::Closure<T, P, R> + Send + Sync + 'static> IntoFunc<T, P, R> for F {}

/// What a host function may return: results, or a `Result` of results and something that an [`Error`] can be made of,
/// an [`Error`] or a [`Trap`](super::Trap).
pub trait WasmRet {
    /// The results.
    type Results: WasmResults;

    /// The results, or why there are none.
    fn into_result(self) -> Result<Self::Results, Error>;
}

impl<R: WasmResults> WasmRet for R {
    type Results = R;

    #[inline(always)]
    fn into_result(self) -> Result<R, Error> {
        Ok(self)
    }
}

impl<R: WasmResults, E: Into<Error>> WasmRet for Result<R, E> {
    type Results = R;

    #[inline(always)]
    fn into_result(self) -> Result<R, Error> {
        self.map_err(Into::into)
    }
}

pub mod closure {
    use super::{Error, FuncType, Inner};
    use std::ptr::NonNull;

    /// How a closure is called.
    pub trait Closure<T, Params, Results> {
        /// Its type.
        fn ty() -> FuncType;

        /// Reads the arguments, calls, writes the results.
        ///
        /// # Safety
        /// A host function of the store is being called with these values.
        unsafe fn call(&self, inner: NonNull<Inner<T>>, values: *mut [u64; 2]) -> Result<(), Error>;
    }
}

use closure::Closure;

/// Writes what a closure returned.
///
/// # Safety
/// There is room for all results.
#[inline(always)]
unsafe fn write<R: WasmRet>(core: &Core, returned: R, values: *mut [u64; 2]) -> Result<(), Error> {
    let results = returned.into_result()?;
    // SAFETY: the caller's promise.
    unsafe { values::Values::give(&results, core, values) }
}

macro_rules! closures {
    ($($name:ident $index:literal)*) => {
        #[allow(non_snake_case, unused_variables)]
        impl<T: 'static, Function, Returned, $($name),*> Closure<T, ($($name,)*), Returned> for Function
        where
            Function: Fn($($name),*) -> Returned,
            Returned: WasmRet,
            $($name: WasmTy,)*
        {
            fn ty() -> FuncType {
                FuncType::new([$($name::TYPE),*], <Returned::Results as values::Values>::TYPES.iter().copied())
            }

            #[inline(always)]
            unsafe fn call(&self, inner: NonNull<Inner<T>>, values: *mut [u64; 2]) -> Result<(), Error> {
                // SAFETY: the caller's promise.
                unsafe {
                    let core = Inner::core(inner);
                    if <($($name,)*) as values::Values>::REFS {
                        core.give_up_dropped();
                    }
                    $(let $name = $name::lift(core, *values.add($index), false);)*
                    write(core, self($($name),*), values)
                }
            }
        }

        #[allow(non_snake_case, unused_variables)]
        impl<T: 'static, Function, Returned, $($name),*> Closure<T, (Caller<'_, T>, $($name,)*), Returned> for Function
        where
            Function: for<'a> Fn(Caller<'a, T>, $($name),*) -> Returned,
            Returned: WasmRet,
            $($name: WasmTy,)*
        {
            fn ty() -> FuncType {
                FuncType::new([$($name::TYPE),*], <Returned::Results as values::Values>::TYPES.iter().copied())
            }

            #[inline(always)]
            unsafe fn call(&self, inner: NonNull<Inner<T>>, values: *mut [u64; 2]) -> Result<(), Error> {
                // SAFETY: the caller's promise.
                unsafe {
                    let core = Inner::core(inner);
                    if <($($name,)*) as values::Values>::REFS {
                        core.give_up_dropped();
                    }
                    $(let $name = $name::lift(core, *values.add($index), false);)*
                    write(core, self(Caller::new(inner), $($name),*), values)
                }
            }
        }
    };
}

closures!();
closures!(A0 0);
closures!(A0 0 A1 1);
closures!(A0 0 A1 1 A2 2);
closures!(A0 0 A1 1 A2 2 A3 3);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4 A5 5);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12 A13 13);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12 A13 13 A14 14);
closures!(A0 0 A1 1 A2 2 A3 3 A4 4 A5 5 A6 6 A7 7 A8 8 A9 9 A10 10 A11 11 A12 12 A13 13 A14 14 A15 15);

/// How a host function is called that is not known as a closure of certain types.
pub trait Callable<T> {
    /// See [`Closure::call`].
    ///
    /// # Safety
    /// A host function of the store and of type `ty` is being called with these values.
    unsafe fn call(&self, inner: NonNull<Inner<T>>, ty: &FuncType, values: *mut [u64; 2]) -> Result<(), Error>;
}

/// A closure with the types that it takes and gives.
pub struct Typed<F, H, P, R> {
    closure: H,
    of: PhantomData<fn(F, P) -> R>,
}

impl<F, H, P, R> Typed<F, H, P, R> {
    /// A closure, or what holds it.
    pub fn new(closure: H) -> Self {
        Typed { closure, of: PhantomData }
    }
}

impl<T, F: Closure<T, P, R>, H: Borrow<F>, P, R> Callable<T> for Typed<F, H, P, R> {
    #[inline(always)]
    unsafe fn call(&self, inner: NonNull<Inner<T>>, _: &FuncType, values: *mut [u64; 2]) -> Result<(), Error> {
        // SAFETY: the caller's promise.
        unsafe { self.closure.borrow().call(inner, values) }
    }
}

/// What a host function owns.
struct Env<T, C> {
    inner: NonNull<Inner<T>>,
    callable: C,
}

/// A host function of type `ty`, with a count.
pub fn new<T: 'static, C: Callable<T> + 'static>(
    inner: NonNull<Inner<T>>,
    ty: &FuncType,
    callable: C,
) -> Result<*mut func::Func, Error> {
    // SAFETY: the callers have the store.
    let core = unsafe { Inner::core(inner) };
    core.enter()?;
    let env = Box::into_raw(Box::new(Env { inner, callable }));
    let callback = func::HostCallback::Raw(call_host::<T, C>);
    func::Func::new_host(core.store(), ty, callback, env.cast(), Some(drop_env::<T, C>)).map_err(|error| {
        // SAFETY: there is no function that would own it.
        drop(unsafe { Box::from_raw(env) });
        error.into()
    })
}

/// Between the host stub and a closure.
unsafe extern "C" fn call_host<T, C: Callable<T>>(
    env: *mut c_void,
    func: *const func::Func,
    values: *mut [u8; 16],
) -> *mut trap::Trap {
    // SAFETY: called by the runtime with what `new` gave it. The function is alive while it runs, and its store with it.
    let (env, ty) = unsafe { (&*env.cast::<Env<T, C>>(), (*func).ty()) };
    // SAFETY: as above.
    let work = || unsafe { env.callable.call(env.inner, ty, values.cast()) };
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => ptr::null_mut(),
        // SAFETY: the store is alive and runs.
        Ok(Err(error)) => fail(unsafe { Inner::core(env.inner) }, Pending::Error(error)),
        // SAFETY: as above.
        Err(panic) => fail(unsafe { Inner::core(env.inner) }, Pending::Panic(panic)),
    }
}

/// The trap that stands for a failure, with a count.
#[cold]
#[inline(never)]
fn fail(core: &Core, failure: Pending) -> *mut trap::Trap {
    if let Pending::Error(error) = &failure
        && let Some(exception) = error.trap().and_then(|trap| trap.exception())
        && let Ok(exception) = exception.0.get(core)
    {
        // WebAssembly may catch it; the error is made anew if nothing does.
        return trap::Trap::of_exception(exception);
    }
    let (code, message) = match &failure {
        Pending::Panic(_) => (TrapCode::Host, "a host function panicked"),
        Pending::Error(error) => (error.trap().map_or(TrapCode::Host, |trap| trap.code()), error.message()),
    };
    let trap = trap::Trap::new(Some(core.store()), code, message);
    core.set_pending(trap, failure);
    trap
}

/// Drops what a host function owns.
unsafe extern "C" fn drop_env<T, C>(env: *mut c_void) {
    // SAFETY: called once, with what `new` gave to the runtime.
    let Env { inner, callable } = *unsafe { Box::from_raw(env.cast::<Env<T, C>>()) };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(callable))) {
        // SAFETY: functions die before their store.
        unsafe { Inner::core(inner) }.set_panic(panic);
    }
}
