//! What a memory held at some time, to be brought back; and what it held at first.

use super::error::{self, Kind, tenon_error_t};
use super::handle::{Lent, entered, required};
use super::instance::wasm_instance_t;
use super::memory::wasm_memory_t;
use super::own::{Out, Own, boxed};
use crate::runtime::memory_reset;

/// The contents of a memory at some time, copied. Independent of the memory and its store; any thread may use it.
pub struct tenon_memory_snapshot_t(Vec<u8>);

/// Copies what a memory holds.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_snapshot(
    memory: Lent<wasm_memory_t>,
    out: Out<Own<tenon_memory_snapshot_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_snapshot";
    let made = error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        let length = memory.length();
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(length).is_err() {
            let message = format_args!("{function}: out of memory: {length} bytes could not be allocated");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_MEMORY, message));
        }
        // SAFETY: the memory has these bytes, and the fresh vector room for them.
        unsafe {
            memory.base().copy_to_nonoverlapping(bytes.as_mut_ptr(), length);
            bytes.set_len(length);
        }
        boxed(tenon_memory_snapshot_t(bytes)).ok_or_else(error::last)
    });
    error::answer(out, made)
}

/// Deletes a snapshot; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_snapshot_delete(snapshot: Own<tenon_memory_snapshot_t>) {
    error::guard("tenon_memory_snapshot_delete", (), || drop(snapshot));
}

/// The size of a snapshot in bytes. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_snapshot_size(snapshot: Option<&tenon_memory_snapshot_t>) -> u64 {
    snapshot.map_or(0, |snapshot| snapshot.0.len() as u64)
}

/// Brings back what a memory held, or another one of at least that size. Memories do not shrink: what was added since becomes
/// zero. An error, and nothing changes, if the memory is smaller than the snapshot.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_restore(
    memory: Lent<wasm_memory_t>,
    snapshot: Option<&tenon_memory_snapshot_t>,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_restore";
    error::report(error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        let bytes = &required(snapshot, function, "the snapshot")?.0;
        let (size, length) = (bytes.len(), memory.length());
        if size > length {
            let message = format_args!(
                "{function}: the snapshot has {size} bytes, more than the memory's {length}; grow it first"
            );
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        }
        // SAFETY: the memory has these bytes; a snapshot is never in a memory.
        unsafe { memory.base().copy_from_nonoverlapping(bytes.as_ptr(), size) };
        memory.discard(size as u64, (length - size) as u64);
        Ok(())
    }))
}

/// Makes a memory that the instance defines hold what it held before the start function ran: its active data segments, and
/// zeros everywhere else. It keeps its size. Segments that `data.drop` dropped stay dropped. Imported memories are refused: what
/// they held at first is not the instance's to know.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_instance_reset_memory(instance: Option<&wasm_instance_t>, index: u32) -> Own<tenon_error_t> {
    let function = "tenon_instance_reset_memory";
    error::report(error::attempt(function, || {
        let instance = entered(instance, function, "the instance")?.instance();
        let module = &instance.module().module;
        let (imported, count) = (module.imported_memories, module.memories.len());
        if index < imported || index as usize >= count {
            let message = format_args!(
                "{function}: memory {index} is not one that the instance defines: it imports {imported} of its {count}"
            );
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        }
        memory_reset::reset(instance, index);
        Ok(())
    }))
}
