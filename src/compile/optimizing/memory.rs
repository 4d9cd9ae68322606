//! Linear memories: addresses and their checks, loads and stores, and the bulk operators.
//!
//! Three ways to keep an access within its memory, from cheap to general:
//! - *proven*: a constant address below the memory's least size;
//! - *guarded*: the reservation and its guard cover all that a 32-bit address and the offset can reach; the access
//!   itself faults;
//! - *checked*: an explicit comparison with the length. With signals the address is replaced with null on the wrong side, also
//!   where a processor only guesses, and null faults; without, a branch leads to the trap.

use super::POINTER;
use super::known::{self, Inside};
use super::translate::Translator;
use crate::compile::builtin::Builtin;
use crate::compile::layout::*;
use crate::compile::op::{Access, Float, Int, Num, Place};
use crate::trap::TrapCode;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Value, types};

/// Bytes behind null where an access faults on any system.
const FAULTING: u64 = 4096;

/// Bytes of a constant number that are copied without a helper, at most.
const MAX_INLINE_COPY: i64 = 64;

/// Where an access goes: `address + displacement`.
pub(super) struct Address {
    pub(super) address: Value,
    pub(super) displacement: i32,
    pub(super) flags: MemFlagsData,
}

impl Translator<'_> {
    fn is64(&self, memory: u32) -> bool {
        self.module.memories[memory as usize].is64
    }

    /// Bytes that the memory has at any time.
    fn min_bytes(&self, memory: u32) -> u64 {
        let ty = &self.module.memories[memory as usize];
        ty.limits.min.checked_shl(u32::from(ty.page_size_log2)).unwrap_or(0)
    }

    /// Bytes of a memory that cannot grow: its length at any time.
    fn fixed_bytes(&self, memory: u32) -> Option<u64> {
        let ty = &self.module.memories[memory as usize];
        let bytes = self.min_bytes(memory);
        let is_exact = bytes >> ty.page_size_log2 == ty.limits.min;
        (is_exact && ty.limits.max == Some(ty.limits.min)).then_some(bytes)
    }

    /// A value of a memory's address type as 64 bits.
    pub(super) fn extend_index(&mut self, is64: bool, value: Value) -> Value {
        if is64 { value } else { self.b.ins().uextend(types::I64, value) }
    }

    fn base(&mut self, memory: u32) -> Value {
        let entry = self.layout.memory(memory);
        if self.tunables.has_fixed_base(&self.module.memories[memory as usize]) {
            self.vmctx_pointer(entry + MEMORY_BASE)
        } else {
            if let Some(base) = self.known.get(known::Place::MemoryBase(memory)) {
                return base;
            }
            let def = self.vmctx_pointer(entry + MEMORY_DEF);
            let flags = self.changing();
            let base = self.b.ins().load(POINTER, flags, def, MEMORY_DEF_BASE as i32);
            self.known.set(known::Place::MemoryBase(memory), base);
            base
        }
    }

    fn length(&mut self, memory: u32) -> Value {
        if let Some(bytes) = self.fixed_bytes(memory) {
            return self.b.ins().iconst(types::I64, bytes as i64);
        }
        if let Some(length) = self.known.get(known::Place::MemoryLength(memory)) {
            return length;
        }
        let def = self.vmctx_pointer(self.layout.memory(memory) + MEMORY_DEF);
        let flags = self.changing();
        if self.module.memories[memory as usize].shared {
            // Others make it grow at any time.
            let at = self.b.ins().iadd_imm_u(def, i64::from(MEMORY_DEF_LENGTH));
            return self.b.ins().atomic_load(types::I64, flags, at);
        }
        let length = self.b.ins().load(types::I64, flags, def, MEMORY_DEF_LENGTH as i32);
        self.known.set(known::Place::MemoryLength(memory), length);
        length
    }

    /// Whether any access of a 32-bit address, the offset and the size ends within reservation and guard.
    fn is_guarded(&self, place: Place, bytes: u8) -> bool {
        self.tunables.is_guarded(&self.module.memories[place.memory as usize])
            && place.offset + u64::from(bytes) <= self.tunables.guard
    }

    /// Pops the address of an access and checks it, or leaves that to the access itself.
    pub(super) fn address(&mut self, place: Place, bytes: u8) -> Address {
        let index = self.pop();
        let region = self.memory_region(place.memory);
        let flags = MemFlagsData::new().with_endianness(Endianness::Little).with_alias_region(Some(region));
        let faulting = flags.with_trap_code(Some(super::clif_trap(TrapCode::OutOfBoundsMemoryAccess)));
        let is64 = self.is64(place.memory);
        // 32-bit addresses and offsets cannot overflow 64 bits; 64-bit ones can, and then are never within a memory.
        let end = place.offset.checked_add(u64::from(bytes));

        let constant = self.constant_of(index).map(|c| if is64 { c as u64 } else { u64::from(c as u32) });
        if let (Some(constant), Some(end)) = (constant, end)
            && let Some(end) = constant.checked_add(end)
            && end <= self.min_bytes(place.memory)
        {
            let base = self.base(place.memory);
            let at = constant + place.offset;
            return self.displaced(base, at, flags.with_notrap());
        }

        let narrow = self.b.func.dfg.resolve_aliases(index);
        let index = self.extend_index(is64, index);
        if self.is_guarded(place, bytes) {
            self.visible = true;
            let base = self.base(place.memory);
            let address = self.b.ins().iadd(base, index);
            return self.displaced(address, place.offset, faulting);
        }

        self.visible = true;
        if self.tunables.signals {
            return self.checked_address(place, narrow, index, end, faulting);
        }
        let known = self.known.inside(&self.b.func.dfg, place.memory, narrow);
        if !known.is_some_and(|known| end.is_some_and(|end| end <= known.bytes)) {
            let outside = self.is_outside(place.memory, index, end);
            self.trap_if(outside, TrapCode::OutOfBoundsMemoryAccess);
            let bytes = end.unwrap_or(u64::MAX);
            self.known.set_inside(Inside { memory: place.memory, index: narrow, bytes, checked: None });
        }
        let base = self.base(place.memory);
        let address = self.b.ins().iadd(base, index);
        self.displaced(address, place.offset, flags.with_notrap())
    }

    /// The address of a checked access with signals, `end` bytes at most from `index` on, which is `narrow` in its own width.
    fn checked_address(
        &mut self,
        place: Place,
        narrow: Value,
        index: Value,
        end: Option<u64>,
        flags: MemFlagsData,
    ) -> Address {
        let base = self.base(place.memory);
        let null = self.b.ins().iconst(POINTER, 0);
        let Some(end) = end.filter(|end| *end <= FAULTING) else {
            let outside = self.is_outside(place.memory, index, end);
            let address = self.b.ins().iadd(base, index);
            let address = self.b.ins().iadd_imm_u(address, place.offset as i64);
            let address = self.b.ins().select_spectre_guard(outside, null, address);
            return Address { address, displacement: 0, flags };
        };
        if let Some(Inside { bytes, checked: Some((old_base, address)), .. }) =
            self.known.inside(&self.b.func.dfg, place.memory, narrow)
            && end <= bytes
            && (base == old_base || self.tunables.has_fixed_base(&self.module.memories[place.memory as usize]))
        {
            return self.displaced(address, place.offset, flags);
        }
        let outside = self.is_outside(place.memory, index, Some(end));
        let address = self.b.ins().iadd(base, index);
        let address = self.b.ins().select_spectre_guard(outside, null, address);
        let checked = Some((base, address));
        self.known.set_inside(Inside { memory: place.memory, index: narrow, bytes: end, checked });
        self.displaced(address, place.offset, flags)
    }

    /// Whether `index`, of 64 bits, and an offset and bytes that are `end` together go beyond the memory's length.
    fn is_outside(&mut self, memory: u32, index: Value, end: Option<u64>) -> Value {
        let Some(end) = end else { return self.b.ins().iconst(types::I8, 1) };
        let length = self.length(memory);
        // What is subtracted from the length is so once for all accesses that have it in common, in loops before them.
        if end > self.min_bytes(memory) && !self.is64(memory) {
            let end = self.b.ins().iadd_imm_u(index, end as i64);
            return self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, length);
        }
        let end_value = self.b.ins().iconst(types::I64, end as i64);
        let last = self.b.ins().isub(length, end_value);
        let outside = self.b.ins().icmp(IntCC::UnsignedGreaterThan, index, last);
        if end <= self.min_bytes(memory) {
            return outside;
        }
        let short = self.b.ins().icmp(IntCC::UnsignedLessThan, length, end_value);
        self.b.ins().bor(outside, short)
    }

    /// The place `offset` bytes behind `address`, as a displacement if the instruction set can express it.
    fn displaced(&mut self, address: Value, offset: u64, flags: MemFlagsData) -> Address {
        match i32::try_from(offset) {
            Ok(displacement) => Address { address, displacement, flags },
            Err(_) => {
                let address = self.b.ins().iadd_imm_u(address, offset as i64);
                Address { address, displacement: 0, flags }
            }
        }
    }

    /// A load.
    pub(super) fn load(&mut self, access: Access, place: Place) {
        let Address { address: p, displacement: d, flags } = self.address(place, access.bytes);
        let b = &mut self.b;
        let value = match (access.ty, access.bytes, access.signed) {
            (Num::Int(ty), 1, false) => b.ins().uload8(int_type(ty), flags, p, d),
            (Num::Int(ty), 1, true) => b.ins().sload8(int_type(ty), flags, p, d),
            (Num::Int(ty), 2, false) => b.ins().uload16(int_type(ty), flags, p, d),
            (Num::Int(ty), 2, true) => b.ins().sload16(int_type(ty), flags, p, d),
            (Num::Int(Int::I64), 4, false) => b.ins().uload32(flags, p, d),
            (Num::Int(Int::I64), 4, true) => b.ins().sload32(flags, p, d),
            (ty, ..) => b.ins().load(num_type(ty), flags, p, d),
        };
        self.push(value);
    }

    /// A store.
    pub(super) fn store(&mut self, access: Access, place: Place) {
        let value = self.pop();
        let Address { address: p, displacement: d, flags } = self.address(place, access.bytes);
        let b = &mut self.b;
        match (access.ty, access.bytes) {
            (Num::Int(_), 1) => b.ins().istore8(flags, value, p, d),
            (Num::Int(_), 2) => b.ins().istore16(flags, value, p, d),
            (Num::Int(Int::I64), 4) => b.ins().istore32(flags, value, p, d),
            _ => b.ins().store(flags, value, p, d),
        };
    }

    /// `memory.size`
    pub(super) fn memory_size(&mut self, memory: u32) {
        let length = self.length(memory);
        let ty = self.module.memories[memory as usize];
        let pages = self.b.ins().ushr_imm_u(length, i64::from(ty.page_size_log2));
        let pages = if ty.is64 { pages } else { self.b.ins().ireduce(types::I32, pages) };
        self.push(pages);
    }

    /// `memory.grow`
    pub(super) fn memory_grow(&mut self, memory: u32) {
        let is64 = self.is64(memory);
        let delta = self.pop();
        let delta = self.extend_index(is64, delta);
        let number = self.index_const(memory);
        let old = self.builtin(Builtin::memory_grow, &[number, delta]).expect("memory_grow has a result");
        let old = if is64 { old } else { self.b.ins().ireduce(types::I32, old) };
        self.push(old);
    }

    /// The address of `len` bytes of a memory from `start` on. Traps if the memory has not all of them.
    fn part(&mut self, memory: u32, start: Value, len: Value) -> Value {
        let length = self.length(memory);
        let outside = if self.is64(memory) {
            let is_long = self.b.ins().icmp(IntCC::UnsignedGreaterThan, len, length);
            let last = self.b.ins().isub(length, len);
            let is_behind = self.b.ins().icmp(IntCC::UnsignedGreaterThan, start, last);
            self.b.ins().bor(is_long, is_behind)
        } else {
            let end = self.b.ins().iadd(start, len);
            self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, length)
        };
        self.trap_if(outside, TrapCode::OutOfBoundsMemoryAccess);
        let base = self.base(memory);
        self.b.ins().iadd(base, start)
    }

    /// `memory.fill`
    pub(super) fn memory_fill(&mut self, memory: u32) {
        let is64 = self.is64(memory);
        let (len, value, dst) = (self.pop(), self.pop(), self.pop());
        let len = self.extend_index(is64, len);
        let dst = self.extend_index(is64, dst);
        let to = self.part(memory, dst, len);
        self.builtin(Builtin::memory_fill, &[to, value, len]);
    }

    /// `memory.copy`
    pub(super) fn memory_copy(&mut self, dst_memory: u32, src_memory: u32) {
        let (dst64, src64) = (self.is64(dst_memory), self.is64(src_memory));
        let (len, src, dst) = (self.pop(), self.pop(), self.pop());
        let constant = self.constant_of(len);
        let len = self.extend_index(dst64 && src64, len);
        let src = self.extend_index(src64, src);
        let dst = self.extend_index(dst64, dst);
        let from = self.part(src_memory, src, len);
        let to = self.part(dst_memory, dst, len);
        match constant {
            Some(len) if (0..=MAX_INLINE_COPY).contains(&len) => {
                self.copy_inline(dst_memory, to, src_memory, from, len)
            }
            _ => drop(self.builtin(Builtin::memory_copy, &[to, from, len])),
        }
    }

    /// Copies few bytes, all of which are read before the first is written: the two places may overlap.
    fn copy_inline(&mut self, dst_memory: u32, to: Value, src_memory: u32, from: Value, len: i64) {
        let (dst_region, src_region) = (self.memory_region(dst_memory), self.memory_region(src_memory));
        let flags = MemFlagsData::new().with_endianness(Endianness::Little).with_notrap();
        let (mut at, mut pieces) = (0, Vec::new());
        while at < len {
            let piece = [types::I8X16, types::I64, types::I32, types::I16, types::I8];
            let piece = piece.into_iter().find(|ty| at + i64::from(ty.bytes()) <= len).expect("a byte always fits");
            let value = self.b.ins().load(piece, flags.with_alias_region(Some(src_region)), from, at as i32);
            pieces.push((at as i32, value));
            at += i64::from(piece.bytes());
        }
        for (at, value) in pieces {
            self.b.ins().store(flags.with_alias_region(Some(dst_region)), value, to, at);
        }
    }

    /// `memory.init`
    pub(super) fn memory_init(&mut self, memory: u32, segment: u32) {
        let is64 = self.is64(memory);
        let (len, src, dst) = (self.pop(), self.pop(), self.pop());
        let dst = self.extend_index(is64, dst);
        let (number, segment) = (self.index_const(memory), self.index_const(segment));
        self.builtin(Builtin::memory_init, &[number, segment, dst, src, len]);
    }

    /// `data.drop`
    pub(super) fn data_drop(&mut self, segment: u32) {
        let segment = self.index_const(segment);
        self.builtin(Builtin::data_drop, &[segment]);
    }
}

/// The type that holds an integer.
pub(super) fn int_type(ty: Int) -> cranelift_codegen::ir::Type {
    match ty {
        Int::I32 => types::I32,
        Int::I64 => types::I64,
    }
}

/// The type that holds a float.
pub(super) fn float_type(ty: Float) -> cranelift_codegen::ir::Type {
    match ty {
        Float::F32 => types::F32,
        Float::F64 => types::F64,
    }
}

fn num_type(ty: Num) -> cranelift_codegen::ir::Type {
    match ty {
        Num::Int(ty) => int_type(ty),
        Num::Float(ty) => float_type(ty),
    }
}
