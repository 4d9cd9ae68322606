//! Values of every type, `v128` and all references among them (`tenon_val_t`), and calls with them. They take the way of
//! raw values (`call.rs`), with everything checked: counts, kinds, references.

use crate::runtime::call::{finish, misuse, no_panic, run};
use crate::runtime::error::Error;
use crate::runtime::func::Func;
use crate::runtime::gc::boxes;
use crate::runtime::object::Object;
use crate::runtime::store::Store;
use crate::runtime::trap::Trap;
use crate::runtime::val::{check_ref, kind, kind_name};
use crate::types::{Hierarchy, ValType};
use std::ptr;

/// A value of any type: its kind, and 16 bytes of which the kind uses the first ones. References are addresses of objects.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct WideVal {
    /// One of [`kind`].
    pub kind: u8,
    /// The bits.
    pub bits: [u64; 2],
}

/// More values than this are put on the heap for a call.
const FEW: usize = 16;

/// The kind that values of `ty` have.
pub fn wide_kind(ty: ValType) -> u8 {
    match ty {
        ValType::I32 => kind::I32,
        ValType::I64 => kind::I64,
        ValType::F32 => kind::F32,
        ValType::F64 => kind::F64,
        ValType::V128 => kind::V128,
        ValType::Ref(ty) => match ty.heap.hierarchy() {
            Hierarchy::Func => kind::FUNCREF,
            Hierarchy::Extern => kind::EXTERNREF,
            Hierarchy::Any => kind::ANYREF,
            Hierarchy::Exn => kind::EXNREF,
        },
    }
}

impl WideVal {
    /// Whether the kind is one of references.
    pub fn is_ref(&self) -> bool {
        matches!(self.kind, kind::EXTERNREF | kind::FUNCREF | kind::ANYREF | kind::EXNREF)
    }

    /// The object that a reference points to; null for null and for numbers.
    pub fn object(&self) -> *const Object {
        if self.is_ref() { self.bits[0] as *const Object } else { ptr::null() }
    }

    /// The bits that the value has inside WebAssembly, as a value of type `ty` of `store`; those of a reference are good until
    /// something is allocated. For references the object decides, not the kind. `what` names the place in messages.
    pub fn to_bits(self, ty: ValType, store: &Store, what: &dyn Fn() -> String) -> Result<[u64; 2], Error> {
        match ty {
            ValType::Ref(reference) if self.is_ref() => {
                // SAFETY: references given by the host are null or alive (the API's contract).
                check_ref(unsafe { self.object().as_ref() }, reference, store, what)?;
                Ok(self.inside(ty))
            }
            _ if self.kind == wide_kind(ty) => Ok(self.inside(ty)),
            _ => Err(Error::argument(format!("{}: expected {ty}, found {}", what(), kind_name(self.kind)))),
        }
    }

    /// The bits that a checked value of type `ty` has inside WebAssembly.
    pub fn inside(self, ty: ValType) -> [u64; 2] {
        match ty {
            ValType::Ref(ty) => [boxes::inside(self.object(), ty), 0],
            ValType::I32 | ValType::F32 => [self.bits[0] & 0xffff_ffff, 0],
            ValType::V128 => self.bits,
            _ => [self.bits[0], 0],
        }
    }

    /// The value of type `ty` of `store` whose bits inside WebAssembly `read` gives, before and after an allocation. A reference
    /// comes with a handle of its own.
    pub fn outside(store: &Store, ty: ValType, read: impl Fn() -> [u64; 2]) -> WideVal {
        let bits = match ty {
            ValType::Ref(ty) => [boxes::outside(store, ty, || read()[0]) as u64, 0],
            ValType::I32 | ValType::F32 => [read()[0] & 0xffff_ffff, 0],
            _ => read(),
        };
        WideVal { kind: wide_kind(ty), bits }
    }
}

/// Calls `func` with values of any type. Null if it returned, its results in `results`, references among them with a handle
/// each; else a trap with one handle, and `results` is unspecified. Does not panic.
///
/// # Safety
/// `func` is alive, and references in `args` are null or alive. The function's store may be freed if it is closed and
/// the function held the last handle.
pub unsafe fn call_wide(func: *const Func, args: &[WideVal], results: &mut [WideVal]) -> *mut Trap {
    // SAFETY: the caller's promise.
    no_panic(|| unsafe { call_checked(func, args, results) })
}

unsafe fn call_checked(func: *const Func, args: &[WideVal], results: &mut [WideVal]) -> *mut Trap {
    // SAFETY: the caller's promise.
    unsafe {
        let f = &*func;
        let store = f.object.store;
        let _turn = Store::take_turn(store);
        if let Err(error) = (*store).enter() {
            return misuse(&*store, &error);
        }
        let signature = f.signature();
        let (params, result_types) = (signature.ty.params(), signature.ty.results());
        if (args.len(), results.len()) != (params.len(), result_types.len()) {
            let message = format!(
                "{} arguments and room for {} results are given to a function of type {}",
                args.len(),
                results.len(),
                signature.ty
            );
            return misuse(&*store, &Error::argument(message));
        }
        let entry = match signature.raw_entry((*store).engine()) {
            Ok(entry) => entry,
            Err(error) => return misuse(&*store, &error),
        };
        let (mut few, mut many);
        let count = args.len().max(results.len());
        let values: &mut [[u64; 2]] = if count <= FEW {
            few = [[0; 2]; FEW];
            &mut few[..count]
        } else {
            many = vec![[0; 2]; count];
            &mut many
        };
        for (i, (arg, ty)) in args.iter().zip(params).enumerate() {
            match arg.to_bits(*ty, &*store, &|| format!("argument {i}")) {
                Ok(bits) => values[i] = bits,
                Err(error) => return misuse(&*store, &error),
            }
            if ty.is_ref() && values[i][0] != 0 {
                f.object.group().leak();
            }
        }
        let array = values.as_mut_ptr();
        let status = run(func, store, array.cast(), array.cast(), entry);
        if status == crate::compile::layout::STATUS_OK {
            boxes::all_outside(&*store, result_types, |i| array.wrapping_add(i).cast());
            for (i, result) in results.iter_mut().enumerate() {
                *result = WideVal { kind: wide_kind(result_types[i]), bits: array.add(i).read() };
            }
        }
        finish(func, store, ptr::null(), status)
    }
}
