//! Arguments and expected results of a script, against values of the C API.

use std::collections::HashMap;

use wast::WastArg;
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};

use crate::object::{Foreign, Ref};
use crate::sys;
use crate::types::ValType;
use crate::val::Val;

use super::Runner;

impl Runner {
    /// The value that a script's argument stands for. The same `ref.extern N` is the same object for the whole script.
    pub(super) fn argument(&mut self, arg: &WastArg<'_>) -> Result<Val, String> {
        let WastArg::Core(arg) = arg else {
            return Err("an argument of the component model".into());
        };
        Ok(match arg {
            WastArgCore::I32(value) => Val::I32(*value),
            WastArgCore::I64(value) => Val::I64(*value),
            WastArgCore::F32(value) => Val::F32(value.bits),
            WastArgCore::F64(value) => Val::F64(value.bits),
            WastArgCore::V128(value) => Val::V128(u128::from_le_bytes(value.to_le_bytes())),
            WastArgCore::RefNull(heap) => Val::Ref(ref_type(heap)?, None),
            // The library converts a host's object where a reference of the `any` hierarchy is wanted.
            WastArgCore::RefExtern(number) | WastArgCore::RefHost(number) => {
                if !self.hosts.contains_key(number) {
                    let object = Foreign::new(&self.store, host_info(*number)).ok_or("wasm_foreign_new gave NULL")?;
                    self.hosts.insert(*number, object);
                }
                Val::foreign(&self.hosts[number])
            }
        })
    }
}

/// The host info of the object `ref.extern N`: zero must differ from none.
fn host_info(number: u32) -> usize {
    number as usize + 1
}

/// Whether the value is what the pattern allows. An error is a pattern that the runner does not know.
pub(super) fn matches(value: &Val, pattern: &WastRetCore<'_>, hosts: &HashMap<u32, Foreign>) -> Result<bool, String> {
    Ok(match (pattern, value) {
        (WastRetCore::I32(expected), Val::I32(value)) => value == expected,
        (WastRetCore::I64(expected), Val::I64(value)) => value == expected,
        (WastRetCore::F32(expected), Val::F32(bits)) => f32_matches(*bits, expected),
        (WastRetCore::F64(expected), Val::F64(bits)) => f64_matches(*bits, expected),
        (WastRetCore::V128(expected), Val::V128(bits)) => v128_matches(*bits, expected),
        (WastRetCore::RefNull(None), Val::Ref(_, object)) => object.is_none(),
        // An index says nothing outside of its module.
        (WastRetCore::RefNull(Some(HeapType::Concrete(_))), Val::Ref(_, object)) => object.is_none(),
        (WastRetCore::RefNull(Some(heap)), Val::Ref(ty, object)) => object.is_none() && *ty == ref_type(heap)?,
        (WastRetCore::RefFunc(None), Val::Ref(ValType::FuncRef, object)) => object.is_some(),
        (WastRetCore::RefExtern(None), Val::Ref(ValType::ExternRef, object)) => object.is_some(),
        (
            WastRetCore::RefExtern(Some(number)) | WastRetCore::RefHost(number),
            Val::Ref(ValType::ExternRef, Some(object)),
        ) => is_host(object, *number, hosts),
        (WastRetCore::RefI31, Val::Ref(_, object)) => belongs(object, sys::TENON_HEAP_I31),
        (WastRetCore::RefStruct, Val::Ref(_, object)) => belongs(object, sys::TENON_HEAP_STRUCT),
        (WastRetCore::RefArray, Val::Ref(_, object)) => belongs(object, sys::TENON_HEAP_ARRAY),
        (WastRetCore::RefEq, Val::Ref(_, object)) => belongs(object, sys::TENON_HEAP_EQ),
        (WastRetCore::RefAny, Val::Ref(_, object)) => belongs(object, sys::TENON_HEAP_ANY),
        (WastRetCore::Either(patterns), value) => {
            for pattern in patterns {
                if matches(value, pattern, hosts)? {
                    return Ok(true);
                }
            }
            false
        }
        (
            WastRetCore::I32(_)
            | WastRetCore::I64(_)
            | WastRetCore::F32(_)
            | WastRetCore::F64(_)
            | WastRetCore::V128(_)
            | WastRetCore::RefNull(_)
            | WastRetCore::RefFunc(None)
            | WastRetCore::RefExtern(_)
            | WastRetCore::RefHost(_)
            | WastRetCore::RefI31
            | WastRetCore::RefStruct
            | WastRetCore::RefArray
            | WastRetCore::RefEq
            | WastRetCore::RefAny,
            _,
        ) => false,
        (pattern, _) => return Err(format!("the runner does not know the result {pattern:?}")),
    })
}

/// Identity and host info must both say that the object is the one that went in.
fn is_host(object: &Ref, number: u32, hosts: &HashMap<u32, Foreign>) -> bool {
    hosts.get(&number).is_some_and(|host| object.is_foreign(host)) && object.host_info() == host_info(number)
}

/// Whether there is a reference, and the library says that it belongs to a heap type.
fn belongs(object: &Option<Ref>, heap: u32) -> bool {
    object.as_ref().is_some_and(|object| object.is_of(heap))
}

/// The type that `wasm.h` has for a reference type: what is not a function has the kind of host references.
fn ref_type(heap: &HeapType<'_>) -> Result<ValType, String> {
    use AbstractHeapType::*;
    match heap {
        HeapType::Abstract { shared: false, ty: Func | NoFunc } => Ok(ValType::FuncRef),
        HeapType::Abstract {
            shared: false,
            ty: Extern | NoExtern | Exn | NoExn | Any | Eq | I31 | Struct | Array | None,
        } => Ok(ValType::ExternRef),
        other => Err(format!("the runner does not know the heap type {other:?}")),
    }
}

/// A canonical NaN has only the topmost bit of its fraction set; an arithmetic NaN has at least that one.
fn f32_matches(bits: u32, pattern: &NanPattern<wast::token::F32>) -> bool {
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff == 0x7fc0_0000,
        NanPattern::ArithmeticNan => bits & 0x7fc0_0000 == 0x7fc0_0000,
        NanPattern::Value(expected) => bits == expected.bits,
    }
}

fn f64_matches(bits: u64, pattern: &NanPattern<wast::token::F64>) -> bool {
    match pattern {
        NanPattern::CanonicalNan => bits & 0x7fff_ffff_ffff_ffff == 0x7ff8_0000_0000_0000,
        NanPattern::ArithmeticNan => bits & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
        NanPattern::Value(expected) => bits == expected.bits,
    }
}

/// Each lane must match.
fn v128_matches(bits: u128, pattern: &V128Pattern) -> bool {
    let bytes = bits.to_le_bytes();
    let same = |expected: &[u8]| expected == bytes;
    match pattern {
        V128Pattern::I8x16(lanes) => same(&lanes.map(|lane| lane as u8)),
        V128Pattern::I16x8(lanes) => same(&lanes.map(i16::to_le_bytes).concat()),
        V128Pattern::I32x4(lanes) => same(&lanes.map(i32::to_le_bytes).concat()),
        V128Pattern::I64x2(lanes) => same(&lanes.map(i64::to_le_bytes).concat()),
        V128Pattern::F32x4(lanes) => {
            lanes.iter().enumerate().all(|(i, lane)| f32_matches((bits >> (32 * i)) as u32, lane))
        }
        V128Pattern::F64x2(lanes) => {
            lanes.iter().enumerate().all(|(i, lane)| f64_matches((bits >> (64 * i)) as u64, lane))
        }
    }
}

/// A value for a message.
pub(super) fn show(value: &Val) -> String {
    match value {
        Val::I32(value) => format!("i32 {value}"),
        Val::I64(value) => format!("i64 {value}"),
        Val::F32(bits) => format!("f32 {} ({bits:#010x})", f32::from_bits(*bits)),
        Val::F64(bits) => format!("f64 {} ({bits:#018x})", f64::from_bits(*bits)),
        Val::V128(bits) => format!("v128 {bits:#034x}"),
        Val::Ref(ty, None) => format!("{ty:?} null"),
        Val::Ref(ty, Some(object)) => format!("{ty:?} with host info {:#x}", object.host_info()),
    }
}

/// A pattern for a message.
pub(super) fn show_pattern(pattern: &WastRetCore<'_>) -> String {
    match pattern {
        WastRetCore::I32(value) => format!("i32 {value}"),
        WastRetCore::I64(value) => format!("i64 {value}"),
        WastRetCore::F32(NanPattern::Value(value)) => show(&Val::F32(value.bits)),
        WastRetCore::F64(NanPattern::Value(value)) => show(&Val::F64(value.bits)),
        other => format!("{other:?}"),
    }
}
