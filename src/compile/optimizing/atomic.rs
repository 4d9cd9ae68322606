//! Atomic accesses. On this machine, aligned ones of up to eight bytes are single instructions.

use super::memory::{Address, int_type};
use super::translate::Translator;
use crate::compile::atomic::{AtomicAccess, AtomicOp, Rmw};
use crate::compile::builtin::Builtin;
use crate::compile::op::{Int, Place};
use crate::trap::TrapCode;
use cranelift_codegen::ir::{AtomicRmwOp, InstBuilder, MemFlagsData, Type, Value, types};

impl Translator<'_> {
    /// An atomic operator.
    pub(super) fn atomic(&mut self, op: AtomicOp, access: AtomicAccess, place: Place) {
        let narrow = Type::int(u16::from(access.bytes) * 8).expect("1, 2, 4 or 8 bytes");
        let old = match op {
            AtomicOp::Load => {
                let (address, flags) = self.atomic_address(place, access.bytes);
                self.b.ins().atomic_load(narrow, flags, address)
            }
            AtomicOp::Store => {
                let value = self.pop_narrow(narrow);
                let (address, flags) = self.atomic_address(place, access.bytes);
                self.b.ins().atomic_store(flags, value, address);
                return;
            }
            AtomicOp::Rmw(rmw) => {
                let value = self.pop_narrow(narrow);
                let (address, flags) = self.atomic_address(place, access.bytes);
                self.b.ins().atomic_rmw(narrow, flags, rmw_op(rmw), address, value)
            }
            AtomicOp::Cmpxchg => {
                let value = self.pop_narrow(narrow);
                let expected = self.pop_narrow(narrow);
                let (address, flags) = self.atomic_address(place, access.bytes);
                self.b.ins().atomic_cas(flags, address, expected, value)
            }
            AtomicOp::Wait => return self.wait(access.ty, place),
            AtomicOp::Notify => return self.notify(place),
        };
        self.push_extended(access.ty, old);
    }

    /// `atomic.fence`
    pub(super) fn atomic_fence(&mut self) {
        self.b.ins().fence();
    }

    /// `memory.atomic.wait32`, `wait64`
    fn wait(&mut self, ty: Int, place: Place) {
        let (timeout, expected, index) = (self.pop(), self.pop(), self.pop());
        let (number, index, offset) = self.place_args(place, index);
        let builtin = match ty {
            Int::I32 => Builtin::memory_atomic_wait32,
            Int::I64 => Builtin::memory_atomic_wait64,
        };
        let result = self.builtin(builtin, &[number, index, offset, expected, timeout]);
        self.push(result.expect("a wait has a result"));
    }

    /// `memory.atomic.notify`
    fn notify(&mut self, place: Place) {
        let (count, index) = (self.pop(), self.pop());
        let (number, index, offset) = self.place_args(place, index);
        let result = self.builtin(Builtin::memory_atomic_notify, &[number, index, offset, count]);
        self.push(result.expect("memory_atomic_notify has a result"));
    }

    fn place_args(&mut self, place: Place, index: Value) -> (Value, Value, Value) {
        let is64 = self.module.memories[place.memory as usize].is64;
        let index = self.extend_index(is64, index);
        let offset = self.b.ins().iconst(types::I64, place.offset as i64);
        (self.index_const(place.memory), index, offset)
    }

    /// Pops the address of an access, and checks its alignment and then its bounds.
    fn atomic_address(&mut self, place: Place, bytes: u8) -> (Value, MemFlagsData) {
        let mask = i64::from(bytes) - 1;
        if mask != 0 {
            let index = *self.stack.last().expect("validation has counted the operands");
            let offset = place.offset as i64 & mask;
            // Memories begin at a multiple of every size.
            match self.constant_of(index) {
                Some(constant) if (constant + offset) & mask == 0 => {}
                _ => {
                    let sum = if offset == 0 { index } else { self.b.ins().iadd_imm_u(index, offset) };
                    let low = self.b.ins().band_imm_u(sum, mask);
                    self.trap_if(low, TrapCode::UnalignedAtomic);
                }
            }
        }
        let Address { address, displacement, flags } = self.address(place, bytes);
        let address =
            if displacement == 0 { address } else { self.b.ins().iadd_imm_u(address, i64::from(displacement)) };
        (address, flags)
    }

    fn pop_narrow(&mut self, narrow: Type) -> Value {
        let value = self.pop();
        if self.b.func.dfg.value_type(value) == narrow { value } else { self.b.ins().ireduce(narrow, value) }
    }

    fn push_extended(&mut self, ty: Int, value: Value) {
        let whole = int_type(ty);
        let narrow = self.b.func.dfg.value_type(value);
        let value = if narrow == whole { value } else { self.b.ins().uextend(whole, value) };
        self.push(value);
    }
}

fn rmw_op(op: Rmw) -> AtomicRmwOp {
    match op {
        Rmw::Add => AtomicRmwOp::Add,
        Rmw::Sub => AtomicRmwOp::Sub,
        Rmw::And => AtomicRmwOp::And,
        Rmw::Or => AtomicRmwOp::Or,
        Rmw::Xor => AtomicRmwOp::Xor,
        Rmw::Xchg => AtomicRmwOp::Xchg,
    }
}
