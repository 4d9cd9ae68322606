//! Arrays. Null is found by reading the length; elements are checked against it.

use super::heap::Place;
use super::translate::Translator;
use crate::compile::builtin::Builtin;
use crate::trap::TrapCode;
use crate::types::layout::ArrayLayout;
use crate::types::{ArrayType, DefType, StorageType, ValType};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value, types};

impl<'a> Translator<'a> {
    fn array(&self, ty: u32) -> &'a ArrayType {
        let DefType::Array(declared) = &self.module.types[ty as usize] else {
            unreachable!("validation has established that it is an array type")
        };
        declared
    }

    fn storage(&self, ty: u32) -> StorageType {
        self.array(ty).element().storage
    }

    /// So many elements in bytes, both in 64 bits.
    fn element_bytes(&mut self, ty: u32, count: Value) -> Value {
        let size = ArrayLayout::new(self.array(ty)).element_size;
        self.b.ins().ishl_imm_u(count, i64::from(size.trailing_zeros()))
    }

    /// A new array of so many elements, none of them written, and the address behind its last one, rounded up.
    fn new_array(&mut self, ty: u32, length: Value) -> (Value, Value) {
        let count = self.b.ins().uextend(types::I64, length);
        let bytes = self.element_bytes(ty, count);
        let rounded = self.b.ins().iadd_imm_u(bytes, i64::from(Self::FIELDS + 7));
        let size = self.b.ins().band_imm_s(rounded, -8);
        let reference = self.allocate(ty, length, size);
        let address = self.object(reference);
        (reference, self.b.ins().iadd(address, size))
    }

    /// `array.new` of `value`
    fn new_filled(&mut self, ty: u32, length: Value, value: Value) {
        let storage = self.storage(ty);
        let (reference, end) = self.new_array(ty, length);
        let address = self.object(reference);
        let start = self.b.ins().iadd_imm_u(address, i64::from(Self::FIELDS));
        // Whole words: what lies behind the last element belongs to the object.
        let (word, step) = self.repeated(storage, value);
        let flags = self.storage_flags(storage);
        self.fill_words(start, end, word, step, flags);
        self.push(reference);
    }

    /// A value as often as it fits 8 bytes, or once if it is larger, and the size.
    fn repeated(&mut self, storage: StorageType, value: Value) -> (Value, i64) {
        let value = match storage {
            StorageType::Val(ValType::F32) => self.b.ins().bitcast(types::I32, MemFlagsData::new(), value),
            StorageType::Val(ValType::V128) => return (value, 16),
            _ => value,
        };
        let ones = match storage {
            StorageType::I8 => 0x0101_0101_0101_0101,
            StorageType::I16 => 0x0001_0001_0001_0001,
            _ => 0x0000_0001_0000_0001,
        };
        if self.b.func.dfg.value_type(value) != types::I32 {
            return (value, 8);
        }
        let wide = self.b.ins().uextend(types::I64, value);
        let wide = match storage {
            StorageType::I8 => self.b.ins().band_imm_u(wide, 0xff),
            StorageType::I16 => self.b.ins().band_imm_u(wide, 0xffff),
            _ => wide,
        };
        (self.b.ins().imul_imm_u(wide, ones), 8)
    }

    /// Writes `value` at every `step` bytes from `start` to `end`.
    fn fill_words(&mut self, start: Value, end: Value, value: Value, step: i64, flags: MemFlagsData) {
        let (head, done) = (self.b.create_block(), self.b.create_block());
        let at = self.b.append_block_param(head, types::I64);
        let empty = self.b.ins().icmp(IntCC::Equal, start, end);
        self.b.ins().brif(empty, done, &[], head, &[start.into()]);
        self.b.switch_to_block(head);
        self.b.ins().store(flags, value, at, 0);
        let next = self.b.ins().iadd_imm_u(at, step);
        let more = self.b.ins().icmp(IntCC::NotEqual, next, end);
        self.b.ins().brif(more, head, &[next.into()], done, &[]);
        self.b.seal_block(head);
        self.b.seal_block(done);
        self.b.switch_to_block(done);
    }

    /// `array.new`
    pub(super) fn array_new(&mut self, ty: u32) {
        let (length, value) = (self.pop(), self.pop());
        self.new_filled(ty, length, value);
    }

    /// `array.new_default`
    pub(super) fn array_new_default(&mut self, ty: u32) {
        let length = self.pop();
        let zero = self.storage_zero(self.storage(ty));
        self.new_filled(ty, length, zero);
    }

    /// `array.new_fixed`
    pub(super) fn array_new_fixed(&mut self, ty: u32, len: u32) {
        let values = self.stack.split_off(self.stack.len() - len as usize);
        let storage = self.storage(ty);
        let layout = ArrayLayout::new(self.array(ty));
        let length = self.i32_const(len as i32);
        let size = self.b.ins().iconst(types::I64, layout.size(len) as i64);
        let reference = self.allocate(ty, length, size);
        let address = self.object(reference);
        let flags = self.storage_flags(storage);
        for (i, value) in values.into_iter().enumerate() {
            let displacement = layout.element(i as u32) as u32;
            self.store_storage(storage, value, Place { address, displacement, flags });
        }
        self.push(reference);
    }

    /// `array.new_data` and `array.new_elem`
    pub(super) fn array_new_segment(&mut self, builtin: Builtin, ty: u32, segment: u32) {
        let (len, offset) = (self.pop(), self.pop());
        let (number, segment) = (self.index_const(ty), self.index_const(segment));
        let reference = self.builtin(builtin, &[number, segment, offset, len]).expect("new arrays are results");
        self.declare_reference(reference);
        self.push(reference);
    }

    /// The address of the element at `index`, less the header. Traps if the reference is null or there is no such element.
    fn element(&mut self, ty: u32, reference: Value, index: Value) -> Value {
        let length = self.array_length(reference);
        let outside = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, length);
        self.trap_if(outside, TrapCode::OutOfBoundsArrayAccess);
        let address = self.element_address(ty, reference, index);
        // Where a processor guesses that the index is inside, it reads what lies behind the header at worst.
        let object = self.object(reference);
        self.b.ins().select_spectre_guard(outside, object, address)
    }

    fn element_address(&mut self, ty: u32, reference: Value, index: Value) -> Value {
        let object = self.object(reference);
        let index = self.b.ins().uextend(types::I64, index);
        let distance = self.element_bytes(ty, index);
        self.b.ins().iadd(object, distance)
    }

    /// `array.get`, `array.get_s`, `array.get_u`
    pub(super) fn array_get(&mut self, ty: u32, signed: bool) {
        let (index, reference) = (self.pop(), self.pop());
        let storage = self.storage(ty);
        let address = self.element(ty, reference, index);
        let flags = self.storage_flags(storage);
        let value = self.load_storage(storage, signed, Place { address, displacement: Self::FIELDS, flags });
        self.push(value);
    }

    /// `array.set`
    pub(super) fn array_set(&mut self, ty: u32) {
        let (value, index, reference) = (self.pop(), self.pop(), self.pop());
        let storage = self.storage(ty);
        let address = self.element(ty, reference, index);
        let flags = self.storage_flags(storage);
        self.store_storage(storage, value, Place { address, displacement: Self::FIELDS, flags });
    }

    /// `array.len`
    pub(super) fn array_len(&mut self) {
        let reference = self.pop();
        let length = self.array_length(reference);
        self.push(length);
    }

    /// Traps unless an array of this length has all elements of `at..at + len`.
    fn check_range(&mut self, length: Value, at: Value, len: Value) {
        let [length, at, len] = [length, at, len].map(|value| self.b.ins().uextend(types::I64, value));
        let end = self.b.ins().iadd(at, len);
        let outside = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, length);
        self.trap_if(outside, TrapCode::OutOfBoundsArrayAccess);
    }

    /// The addresses of an element and of the one `len` behind it.
    fn range(&mut self, ty: u32, reference: Value, at: Value, len: Value) -> (Value, Value) {
        let address = self.element_address(ty, reference, at);
        let start = self.b.ins().iadd_imm_u(address, i64::from(Self::FIELDS));
        let bytes = self.bytes(ty, len);
        (start, self.b.ins().iadd(start, bytes))
    }

    /// The size of so many elements.
    fn bytes(&mut self, ty: u32, len: Value) -> Value {
        let len = self.b.ins().uextend(types::I64, len);
        self.element_bytes(ty, len)
    }

    /// `array.fill`
    pub(super) fn array_fill(&mut self, ty: u32) {
        let (len, value, at, reference) = (self.pop(), self.pop(), self.pop(), self.pop());
        let storage = self.storage(ty);
        let length = self.array_length(reference);
        self.check_range(length, at, len);
        let (start, end) = self.range(ty, reference, at, len);
        let value = match storage {
            StorageType::I8 => self.b.ins().ireduce(types::I8, value),
            StorageType::I16 => self.b.ins().ireduce(types::I16, value),
            StorageType::Val(_) => value,
        };
        let flags = self.storage_flags(storage);
        let step = i64::from(ArrayLayout::new(self.array(ty)).element_size);
        self.fill_words(start, end, value, step, flags);
    }

    /// `array.copy`
    pub(super) fn array_copy(&mut self, dst: u32, src: u32) {
        let (len, from_at, from) = (self.pop(), self.pop(), self.pop());
        let (to_at, to) = (self.pop(), self.pop());
        let (to_length, from_length) = (self.array_length(to), self.array_length(from));
        self.check_range(to_length, to_at, len);
        self.check_range(from_length, from_at, len);
        let (to, _) = self.range(dst, to, to_at, len);
        let (from, _) = self.range(src, from, from_at, len);
        let bytes = self.bytes(dst, len);
        self.builtin(Builtin::array_copy, &[to, from, bytes]);
    }

    /// `array.init_data`
    pub(super) fn array_init_data(&mut self, ty: u32, segment: u32) {
        let (len, offset, at, reference) = (self.pop(), self.pop(), self.pop(), self.pop());
        let length = self.array_length(reference);
        self.check_range(length, at, len);
        let (start, _) = self.range(ty, reference, at, len);
        let bytes = self.bytes(ty, len);
        let segment = self.index_const(segment);
        self.builtin(Builtin::array_init_data, &[segment, start, offset, bytes]);
    }

    /// `array.init_elem`
    pub(super) fn array_init_elem(&mut self, segment: u32) {
        let (len, offset, at, reference) = (self.pop(), self.pop(), self.pop(), self.pop());
        let length = self.array_length(reference);
        self.check_range(length, at, len);
        let segment = self.index_const(segment);
        self.builtin(Builtin::array_init_elem, &[reference, at, segment, offset, len]);
    }
}
