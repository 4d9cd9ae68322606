//! Functions with their types in Rust: a call converts and checks nothing that was checked when the type was given.

use super::context::AsContextMut;
use super::error::Error;
use super::func::Func;
use super::handle::wrong_store;
use super::store::Core;
use super::wasm_ty::WasmTy;
use crate::runtime::call;
use crate::types::ValType;
use std::fmt;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// A function whose parameters are `P` and whose results are `R`: single values, or tuples of up to 16.
///
/// A call does not allocate (unless references are among the values), and goes straight to the code that enters WebAssembly.
///
/// ```
/// use tenon::{Engine, Instance, Module, Store};
///
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module
///     (func (export "div") (param i32 i32) (result i32 i32)
///         (i32.div_u (local.get 0) (local.get 1)) (i32.rem_u (local.get 0) (local.get 1))))"#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
///
/// let div = instance.typed_func::<(u32, u32), (u32, u32)>(&mut store, "div")?;
/// assert_eq!(div.call(&mut store, (17, 5))?, (3, 2));
/// assert_eq!(div.call(&mut store, (1, 0)).unwrap_err().to_string(), "integer divide by zero");
///
/// let error = instance.typed_func::<(u32, u32), u64>(&mut store, "div").unwrap_err();
/// assert!(error.to_string().contains("(i32, i32) -> (i32, i32)"), "{error}");
/// # Ok::<(), tenon::Error>(())
/// ```
pub struct TypedFunc<P, R> {
    func: Func,
    of: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        TypedFunc { func: self.func.clone(), of: PhantomData }
    }
}

impl<P, R> fmt::Debug for TypedFunc<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TypedFunc").field(&self.func).finish()
    }
}

/// Room for the arguments or the results, whichever are more.
#[derive(Clone, Copy)]
union Both<A: Copy, B: Copy> {
    _args: A,
    _results: B,
}

impl<P: WasmParams, R: WasmResults> TypedFunc<P, R> {
    /// # Safety
    /// The function has these parameters and results.
    pub(super) unsafe fn new(func: Func) -> TypedFunc<P, R> {
        TypedFunc { func, of: PhantomData }
    }

    /// The function without its type.
    pub fn func(&self) -> &Func {
        &self.func
    }

    /// Calls the function. An error that is about a trap has it ([`Error::trap`]). What a host function that was called on the
    /// way panicked with goes on here.
    #[inline]
    pub fn call(&self, mut store: impl AsContextMut, params: P) -> Result<R, Error> {
        let store = store.as_context_mut();
        let core = store.core();
        if !self.func.0.is_of(core) {
            return Err(wrong_store("function"));
        }
        if P::REFS || R::REFS {
            core.enter()?;
        } else {
            core.on_this_thread();
        }
        // Zeroed, as only the lower half of a number is written.
        let mut values = MaybeUninit::<Both<P::Raw, R::Raw>>::zeroed();
        let values = values.as_mut_ptr().cast::<[u64; 2]>();
        // SAFETY: the room is for the larger number of values; the parameters are those of the function, which is alive, its
        // store being at hand. References among them are alive as long as `params`.
        unsafe {
            params.write(core, values)?;
            let trap = call::call_raw(self.func.0.address(), values.cast());
            if trap.is_null() { Ok(R::read(core, values, true)) } else { Err(core.raised(trap)) }
        }
    }
}

/// What a function can take: `()`, a [`WasmTy`], or a tuple of up to 16.
pub trait WasmParams: values::Values {}
/// What a function can give: `()`, a [`WasmTy`], or a tuple of up to 16.
pub trait WasmResults: values::Values {}

impl<V: values::Values> WasmParams for V {}
impl<V: values::Values> WasmResults for V {}

pub mod values {
    use super::{Core, Error, ValType};

    const fn has_refs(mut types: &[ValType]) -> bool {
        while let [first, rest @ ..] = types {
            if let ValType::Ref(_) = first {
                return true;
            }
            types = rest;
        }
        false
    }

    /// Values in an array of 16 bytes each.
    pub trait Values: Sized {
        /// The array.
        type Raw: Copy;
        /// Their types.
        const TYPES: &'static [ValType];
        /// Whether references are among them.
        const REFS: bool = has_refs(Self::TYPES);

        /// Writes the values; references among them are lent.
        ///
        /// # Safety
        /// There is room for all.
        unsafe fn write(&self, core: &Core, values: *mut [u64; 2]) -> Result<(), Error>;

        /// Writes the values; each reference comes with a count.
        ///
        /// # Safety
        /// There is room for all.
        unsafe fn give(&self, core: &Core, values: *mut [u64; 2]) -> Result<(), Error>;

        /// Reads the values. With `owned`, each reference comes with a count, which is taken over.
        ///
        /// # Safety
        /// They are of these types, and of the store.
        unsafe fn read(core: &Core, values: *const [u64; 2], owned: bool) -> Self;
    }
}

use values::Values;

impl<A: WasmTy> Values for A {
    type Raw = [[u64; 2]; 1];
    const TYPES: &'static [ValType] = &[A::TYPE];

    #[inline(always)]
    unsafe fn write(&self, core: &Core, values: *mut [u64; 2]) -> Result<(), Error> {
        let bits = self.lower(core, false)?;
        // SAFETY: the caller's promise.
        unsafe { values.write(bits) };
        Ok(())
    }

    #[inline(always)]
    unsafe fn give(&self, core: &Core, values: *mut [u64; 2]) -> Result<(), Error> {
        let bits = self.lower(core, true)?;
        // SAFETY: the caller's promise.
        unsafe { values.write(bits) };
        Ok(())
    }

    #[inline(always)]
    unsafe fn read(core: &Core, values: *const [u64; 2], owned: bool) -> A {
        // SAFETY: the caller's promise.
        unsafe { A::lift(core, *values, owned) }
    }
}

/// Gives up the counts that came with the first values, of these types.
///
/// # Safety
/// They were written by `give`.
unsafe fn take_back(types: &[ValType], values: *mut [u64; 2]) {
    for (i, ty) in types.iter().enumerate() {
        // SAFETY: the caller's promise.
        let object = unsafe { (*values.add(i))[0] as *const crate::runtime::object::Object };
        if ty.is_ref() && !object.is_null() {
            // SAFETY: the count is owned.
            unsafe { crate::runtime::object::release(object) };
        }
    }
}

macro_rules! tuple {
    ($count:literal $($name:ident $index:tt)*) => {
        #[allow(unused_variables, unused_mut, unused_unsafe, clippy::unused_unit)]
        impl<$($name: WasmTy),*> Values for ($($name,)*) {
            type Raw = [[u64; 2]; $count];
            const TYPES: &'static [ValType] = &[$($name::TYPE),*];

            #[inline(always)]
            unsafe fn write(&self, core: &Core, values: *mut [u64; 2]) -> Result<(), Error> {
                $(
                    let bits = self.$index.lower(core, false)?;
                    // SAFETY: the caller's promise.
                    unsafe { values.add($index).write(bits) };
                )*
                Ok(())
            }

            #[inline(always)]
            unsafe fn give(&self, core: &Core, values: *mut [u64; 2]) -> Result<(), Error> {
                $(
                    match self.$index.lower(core, true) {
                        // SAFETY: the caller's promise.
                        Ok(bits) => unsafe { values.add($index).write(bits) },
                        Err(error) => {
                            // SAFETY: those before were written.
                            unsafe { take_back(&Self::TYPES[..$index], values) };
                            return Err(error);
                        }
                    }
                )*
                Ok(())
            }

            #[inline(always)]
            unsafe fn read(core: &Core, values: *const [u64; 2], owned: bool) -> Self {
                // SAFETY: the caller's promise.
                unsafe { ($($name::lift(core, *values.add($index), owned),)*) }
            }
        }
    };
}

tuple!(0);
tuple!(1 A 0);
tuple!(2 A 0 B 1);
tuple!(3 A 0 B 1 C 2);
tuple!(4 A 0 B 1 C 2 D 3);
tuple!(5 A 0 B 1 C 2 D 3 E 4);
tuple!(6 A 0 B 1 C 2 D 3 E 4 F 5);
tuple!(7 A 0 B 1 C 2 D 3 E 4 F 5 G 6);
tuple!(8 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7);
tuple!(9 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8);
tuple!(10 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9);
tuple!(11 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10);
tuple!(12 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11);
tuple!(13 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12);
tuple!(14 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13);
tuple!(15 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14);
tuple!(16 A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14 Q 15);
