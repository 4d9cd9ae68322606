//! Rust types as WebAssembly's.

use super::anyref::AnyRef;
use super::arrayref::ArrayRef;
use super::error::Error;
use super::exception::Exception;
use super::externref::ExternRef;
use super::func::Func;
use super::handle::{Handle, IsObject};
use super::pointer::{Offset, WasmPtr};
use super::store::Core;
use super::structref::StructRef;
use crate::runtime::object::{Object, acquire};
use crate::types::{HeapType, RefType, ValType};

/// Rust types that are one value of WebAssembly, and can be a parameter or result of a [`TypedFunc`](super::TypedFunc) or a
/// host function:
///
/// | Rust | WebAssembly |
/// | --- | --- |
/// | `i32`, `u32`, [`WasmPtr<T>`] | `i32` |
/// | `i64`, `u64`, [`WasmPtr<T, u64>`](WasmPtr) | `i64` |
/// | `f32`, `f64` | `f32`, `f64` |
/// | `u128` | `v128`, lane 0 lowest |
/// | `Option<Func>`, [`Func`] | `funcref`, `(ref func)` |
/// | `Option<ExternRef>`, [`ExternRef`] | `externref`, `(ref extern)` |
/// | `Option<Exception>`, [`Exception`] | `exnref`, `(ref exn)` |
/// | `Option<AnyRef>`, [`AnyRef`] | `anyref`, `(ref any)` |
/// | `Option<StructRef>`, [`StructRef`] | `structref`, `(ref struct)` |
/// | `Option<ArrayRef>`, [`ArrayRef`] | `arrayref`, `(ref array)` |
pub trait WasmTy: sealed::Cross + 'static {}

impl<T: sealed::Cross + 'static> WasmTy for T {}

pub mod sealed {
    use super::{Core, Error, ValType};

    /// How a value crosses the boundary.
    pub trait Cross: Sized {
        /// The type of the values.
        const TYPE: ValType;

        /// The bits. With `give`, a reference among them comes with a count, which goes with it.
        fn lower(&self, core: &Core, give: bool) -> Result<[u64; 2], Error>;

        /// The value with these bits. With `owned`, a reference comes with a count, which is taken over.
        ///
        /// # Safety
        /// The bits are those of a value of the type and of the store, which is exclusively borrowed; a reference is alive.
        unsafe fn lift(core: &Core, bits: [u64; 2], owned: bool) -> Self;
    }
}

use sealed::Cross;

macro_rules! number {
    ($($ty:ty, $is:ident, |$value:ident| $to:expr, |$bits:ident| $of:expr;)*) => {
        $(
            impl Cross for $ty {
                const TYPE: ValType = ValType::$is;

                #[inline(always)]
                fn lower(&self, _: &Core, _: bool) -> Result<[u64; 2], Error> {
                    let $value = *self;
                    Ok($to)
                }

                #[inline(always)]
                unsafe fn lift(_: &Core, $bits: [u64; 2], _: bool) -> $ty {
                    $of
                }
            }
        )*
    };
}

number! {
    i32, I32, |value| [u64::from(value.cast_unsigned()), 0], |bits| bits[0] as i32;
    u32, I32, |value| [u64::from(value), 0], |bits| bits[0] as u32;
    i64, I64, |value| [value.cast_unsigned(), 0], |bits| bits[0].cast_signed();
    u64, I64, |value| [value, 0], |bits| bits[0];
    f32, F32, |value| [u64::from(value.to_bits()), 0], |bits| f32::from_bits(bits[0] as u32);
    f64, F64, |value| [value.to_bits(), 0], |bits| f64::from_bits(bits[0]);
    u128, V128, |value| [value as u64, (value >> 64) as u64], |bits| u128::from(bits[1]) << 64 | u128::from(bits[0]);
}

impl<T: 'static, O: Offset + Cross> Cross for WasmPtr<T, O> {
    const TYPE: ValType = O::TYPE;

    #[inline(always)]
    fn lower(&self, core: &Core, give: bool) -> Result<[u64; 2], Error> {
        self.offset().lower(core, give)
    }

    #[inline(always)]
    unsafe fn lift(core: &Core, bits: [u64; 2], owned: bool) -> Self {
        // SAFETY: a number.
        WasmPtr::new(unsafe { O::lift(core, bits, owned) })
    }
}

/// The address of an object as bits.
pub fn lower_handle<T: IsObject>(handle: &Handle<T>, core: &Core, give: bool) -> Result<[u64; 2], Error> {
    let object = std::ptr::from_ref(handle.get(core)?).cast::<Object>();
    if give {
        // SAFETY: alive, and of the store that is at hand.
        acquire(unsafe { &*object });
    }
    Ok([object as u64, 0])
}

/// A handle to the object with this address.
///
/// # Safety
/// As [`Cross::lift`]; the address is that of a `T`.
pub unsafe fn lift_handle<T: IsObject>(core: &Core, bits: [u64; 2], owned: bool) -> Handle<T> {
    let object = bits[0] as *const T;
    // SAFETY: the caller's promise.
    unsafe { if owned { Handle::owning(core, object) } else { Handle::of(core, object) } }
}

macro_rules! reference {
    ($($ty:ident $heap:ident;)*) => {
        $(
            impl Cross for $ty {
                const TYPE: ValType = ValType::Ref(RefType { nullable: false, heap: HeapType::$heap });

                fn lower(&self, core: &Core, give: bool) -> Result<[u64; 2], Error> {
                    lower_handle(&self.0, core, give)
                }

                unsafe fn lift(core: &Core, bits: [u64; 2], owned: bool) -> $ty {
                    // SAFETY: the caller's promise.
                    $ty(unsafe { lift_handle(core, bits, owned) })
                }
            }

            impl Cross for Option<$ty> {
                const TYPE: ValType = ValType::nullable(HeapType::$heap);

                fn lower(&self, core: &Core, give: bool) -> Result<[u64; 2], Error> {
                    self.as_ref().map_or(Ok([0; 2]), |it| it.lower(core, give))
                }

                unsafe fn lift(core: &Core, bits: [u64; 2], owned: bool) -> Option<$ty> {
                    // SAFETY: the caller's promise.
                    (bits[0] != 0).then(|| unsafe { $ty::lift(core, bits, owned) })
                }
            }
        )*
    };
}

reference! {
    Func Func;
    ExternRef Extern;
    Exception Exn;
    AnyRef Any;
    StructRef Struct;
    ArrayRef Array;
}
