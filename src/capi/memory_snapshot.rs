//! What a memory held at some time, to be brought back; and what it held at first.

use super::error::{self, Kind, tenon_error_t};
use super::handle::{Lent, entered, required};
use super::instance::wasm_instance_t;
use super::memory::wasm_memory_t;
use super::own::{Out, Own, boxed};
use crate::runtime::memory_reset;
use crate::runtime::memory_snapshot::{NoMemory, Snapshot};

/// The contents of a memory at some time. Independent of the memory and its store; any thread may use it.
pub struct tenon_memory_snapshot_t(Snapshot);

/// Copies what a memory holds, as far as it was written to: what never was takes neither time nor memory.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_snapshot(
    memory: Lent<wasm_memory_t>,
    out: Out<Own<tenon_memory_snapshot_t>>,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_snapshot";
    let made = error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        let taken = Snapshot::take(memory).map_err(|NoMemory(bytes)| {
            let message = format_args!("{function}: out of memory: {bytes} bytes could not be allocated");
            tenon_error_t::new(Kind::TENON_ERROR_MEMORY, message)
        })?;
        boxed(tenon_memory_snapshot_t(taken)).ok_or_else(error::last)
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
        let snapshot = &required(snapshot, function, "the snapshot")?.0;
        let (size, length) = (snapshot.len(), memory.length());
        if size > length {
            let message = format_args!(
                "{function}: the snapshot has {size} bytes, more than the memory's {length}; grow it first"
            );
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        }
        snapshot.restore(memory);
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
