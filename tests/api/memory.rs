//! The edges of memories, and pointers into them.

use crate::engine;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tenon::*;

fn memory(min: u64, max: Option<u64>) -> (Store<()>, Memory) {
    let mut store = Store::new(&engine(), ());
    let memory = Memory::new(&mut store, MemoryType::new32(Limits { min, max })).unwrap();
    (store, memory)
}

const PAGE: u64 = 65536;

#[test]
fn nothing_reaches_outside() {
    let (mut store, memory) = memory(1, Some(2));
    let mut byte = [0];
    for (offset, inside) in [(0, true), (PAGE - 1, true), (PAGE, false), (1 << 32, false), (u64::MAX, false)] {
        assert_eq!(memory.read(&store, offset, &mut byte).is_ok(), inside, "{offset}");
        assert_eq!(memory.write(&mut store, offset, &byte).is_ok(), inside, "{offset}");
        assert_eq!(memory.read_value::<u8>(&store, offset).is_ok(), inside, "{offset}");
        assert_eq!(memory.fill(&mut store, offset, 1, 0).is_ok(), inside, "{offset}");
        assert_eq!(memory.read_bytes(&store, offset, 1).is_ok(), inside, "{offset}");
        // Nothing may lie at the very end.
        assert_eq!(memory.read(&store, offset, &mut []).is_ok(), offset <= PAGE, "{offset}");
        assert_eq!(memory.read_bytes(&store, offset, 0).is_ok(), offset <= PAGE, "{offset}");
    }
    for (offset, len) in [(0, u64::MAX), (1, u64::MAX), (u64::MAX, 2), (PAGE, 1), (1, PAGE)] {
        assert!(memory.read_bytes(&store, offset, len).is_err(), "{offset} {len}");
        assert!(memory.fill(&mut store, offset, len, 1).is_err(), "{offset} {len}");
        assert!(memory.discard(&mut store, offset, len).is_err(), "{offset} {len}");
        assert!(memory.copy_within(&mut store, 0..len, offset).is_err(), "{offset} {len}");
    }
    #[allow(clippy::reversed_empty_ranges, reason = "that is what is refused")]
    let reversed = memory.copy_within(&mut store, 5..4, 0);
    assert!(reversed.unwrap_err().to_string().contains("ends before it begins"));
    assert!(memory.data(&store).unwrap().iter().all(|byte| *byte == 0));
}

#[test]
fn views_are_the_memory() {
    let (mut store, memory) = memory(0, None);
    assert!(memory.data(&store).unwrap().is_empty());
    assert!(memory.data_mut(&mut store).unwrap().is_empty());
    assert_eq!(memory.grow(&mut store, 2).unwrap(), 0);
    memory.data_mut(&mut store).unwrap()[PAGE as usize..][..4].copy_from_slice(&[1, 2, 3, 4]);
    assert_eq!(memory.read_value::<u32>(&store, PAGE).unwrap(), 0x0403_0201);
    memory.copy_within(&mut store, PAGE..PAGE + 4, PAGE + 2).unwrap();
    assert_eq!(memory.read_value::<[u8; 6]>(&store, PAGE).unwrap(), [1, 2, 1, 2, 3, 4]);
    memory.fill(&mut store, PAGE + 1, 4, 9).unwrap();
    assert_eq!(memory.read_bytes(&store, PAGE, 6).unwrap(), [1, 9, 9, 9, 9, 4]);
    memory.write_value(&mut store, 8, &-2i64).unwrap();
    memory.write_value(&mut store, 16, &1.5f64).unwrap();
    assert_eq!((memory.read_value(&store, 8).unwrap(), memory.read_value(&store, 16).unwrap()), (-2i64, 1.5f64));
    assert_eq!(memory.data(&store).unwrap().len(), 2 * PAGE as usize);
}

#[test]
fn growth_says_why_not() {
    let (mut store, memory) = memory(1, Some(3));
    assert_eq!(memory.grow(&mut store, 0).unwrap(), 1);
    assert_eq!(memory.grow(&mut store, 2).unwrap(), 1);
    let error = memory.grow(&mut store, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);
    assert_eq!(
        error.to_string(),
        "a memory of 3 pages, which may have 3, cannot grow by 1: the type's maximum would be exceeded"
    );
    assert_eq!(memory.grow(&mut store, u64::MAX).unwrap_err().kind(), ErrorKind::Limit);
    assert_eq!(memory.ty(&store).unwrap(), MemoryType::new32(Limits { min: 3, max: Some(3) }));
    for (min, max) in [(2, Some(1)), (65537, None), (1, Some(65537))] {
        let error = Memory::new(&mut store, MemoryType::new32(Limits { min, max })).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
    }
}

#[test]
fn parts_are_discarded_and_memories_reset() {
    let (mut store, instance) = crate::instance(
        r#"(module (memory (export "m") 2) (data (i32.const 65534) "abcd") (memory (export "s") 1 1 shared) (func (export "f")))"#,
    );
    let memory = instance.memory(&mut store, "m").unwrap();
    memory.fill(&mut store, 0, 2 * PAGE, 7).unwrap();
    memory.discard(&mut store, 5, PAGE).unwrap();
    let bytes = memory.data(&store).unwrap();
    assert!(bytes.iter().enumerate().all(|(i, byte)| *byte == if (5..PAGE as usize + 5).contains(&i) { 0 } else { 7 }));
    instance.reset_memory(&mut store, "m").unwrap();
    let bytes = memory.data(&store).unwrap();
    assert_eq!(&bytes[65534..65538], b"abcd");
    assert_eq!(bytes.iter().filter(|byte| **byte != 0).count(), 4);
    let error = instance.reset_memory(&mut store, "s").unwrap_err();
    assert!(error.to_string().contains("is shared"), "{error}");
    let error = instance.reset_memory(&mut store, "f").unwrap_err();
    assert_eq!(error.to_string(), "the instance exports no memory \"f\"");
}

#[test]
fn texts() {
    let (mut store, memory) = memory(1, None);
    memory.write(&mut store, 0, "xòn\0".as_bytes()).unwrap();
    assert_eq!(memory.read_string(&store, 0, 4).unwrap(), "xòn");
    assert_eq!(memory.read_c_string(&store, 0, 100).unwrap(), "xòn");
    assert_eq!(memory.read_c_string(&store, 0, 4).unwrap(), "xòn");
    assert!(memory.read_c_string(&store, 0, 3).is_err());
    let error = memory.read_string(&store, 0, 2).unwrap_err();
    assert_eq!(error.to_string(), "the 2 bytes at 0 are not UTF-8 from byte 1 on");
    memory.fill(&mut store, PAGE - 3, 3, b'a').unwrap();
    assert!(memory.read_c_string(&store, PAGE - 3, 100).unwrap_err().to_string().contains("no text with a zero"));
    assert!(memory.read_c_string(&store, PAGE + 1, 100).is_err());
}

#[test]
fn pointers_do_not_wrap() {
    let (mut store, memory) = memory(1, None);
    let end = WasmPtr::<u32>::new(u32::MAX - 3);
    assert!(end.add(1).is_err() && end.add_bytes(4).is_err());
    assert_eq!(end.add_bytes(3).unwrap().offset(), u32::MAX);
    assert!(end.slice(1).is_ok(), "its last byte has an address");
    assert!(end.slice(2).is_err() && end.slice(1 << 30).is_err() && end.slice(u32::MAX).is_err());
    assert!(end.read(&memory, &store).is_err() && end.write(&memory, &mut store, &0).is_err());
    assert!(WasmPtr::<u32>::new(3).sub(1).is_err() && WasmPtr::<u32>::new(3).sub_bytes(4).is_err());
    assert_eq!(WasmPtr::<u32>::new(8).sub(1).unwrap().offset(), 4);
    assert!(WasmPtr::<u64, u64>::new(u64::MAX - 7).add(1).is_err());
    assert!(WasmPtr::<u64, u64>::new(8).add(u64::MAX / 4).is_err());
    let slice = WasmPtr::<u16>::new(10).slice(3).unwrap();
    slice.write(&memory, &mut store, &[1, 2, 3]).unwrap();
    assert_eq!(slice.read(&memory, &store).unwrap(), [1, 2, 3]);
    assert_eq!(slice.get(2).unwrap().offset(), 14);
    assert_eq!(slice.get(3).unwrap_err().to_string(), "index 3 of a slice of 3 values");
    assert!(slice.write(&memory, &mut store, &[1]).unwrap_err().to_string().contains("1 values for a slice of 3"));
    assert!(WasmPtr::<u8>::new(PAGE as u32).slice(1).unwrap().read(&memory, &store).is_err());
    assert!(WasmPtr::<u8>::null().is_some_and(WasmPtr::is_null));
    assert_eq!(WasmPtr::<u8>::new(5).cast::<u64>().offset(), 5);
}

#[test]
fn memories_with_64_bit_addresses() {
    let engine = engine();
    let module = Module::new(
        &engine,
        r#"(module (memory (export "memory") i64 1)
            (func (export "at") (param i64) (result i64) (i64.store (local.get 0) (i64.const 7)) (local.get 0)))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let memory = instance.memory(&mut store, "memory").unwrap();
    let at = instance.typed_func::<WasmPtr<u64, u64>, WasmPtr<u64, u64>>(&mut store, "at").unwrap();
    let place = at.call(&mut store, WasmPtr::new(16)).unwrap();
    assert_eq!(place.read(&memory, &store).unwrap(), 7);
    assert!(memory.ty(&store).unwrap().is64);
    assert!(at.call(&mut store, WasmPtr::new(u64::MAX)).is_err());
}

/// Bytes of a vector, of which twice as many are there as were asked for at first.
struct Bytes {
    bytes: Vec<u8>,
    alive: Arc<AtomicUsize>,
}

// SAFETY: the vector has as many bytes as were asked for, at a page's beginning, and nobody else uses them.
unsafe impl CreatedMemory for Bytes {
    fn as_ptr(&self) -> *mut u8 {
        let start = self.bytes.as_ptr().cast_mut();
        start.wrapping_add(start.align_offset(PAGE as usize))
    }

    fn grow(&mut self, old_size: usize, new_size: usize) -> bool {
        if new_size == 5 * PAGE as usize {
            panic!("five pages are unlucky");
        }
        let mut larger = Bytes { bytes: vec![0; new_size + PAGE as usize], alive: self.alive.clone() };
        self.alive.fetch_add(1, Ordering::Relaxed);
        // SAFETY: both have so many bytes.
        unsafe { self.as_ptr().copy_to_nonoverlapping(larger.as_ptr(), old_size) };
        std::mem::swap(self, &mut larger);
        true
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Creator(Arc<AtomicUsize>);

impl MemoryCreator for Creator {
    fn create(&self, wanted: WantedMemory) -> Option<Box<dyn CreatedMemory>> {
        if wanted.size > 8 * PAGE as usize {
            return None;
        }
        assert!(wanted.alignment <= PAGE as usize && !wanted.pinned);
        self.0.fetch_add(1, Ordering::Relaxed);
        Some(Box::new(Bytes { bytes: vec![0; wanted.size + PAGE as usize], alive: self.0.clone() }))
    }
}

#[test]
fn memories_of_the_hosts_own() {
    let alive = Arc::new(AtomicUsize::new(0));
    let engine = Engine::new(&Config::new().memory_creator(Arc::new(Creator(alive.clone())))).unwrap();
    let module = Module::new(
        &engine,
        r#"(module (memory (export "m") 1) (data (i32.const 3) "abc")
            (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
            (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#,
    )
    .unwrap();
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[]).unwrap();
    let memory = instance.memory(&mut store, "m").unwrap();
    let grow = instance.typed_func::<i32, i32>(&mut store, "grow").unwrap();
    let load = instance.typed_func::<u32, i32>(&mut store, "load").unwrap();
    assert!(!memory.is_pinned(&store).unwrap());
    for pages in 1..4 {
        assert_eq!(grow.call(&mut store, 1).unwrap(), pages);
        assert_eq!(memory.read_string(&store, 3, 3).unwrap(), "abc");
        let end = (pages as u32 + 1) * PAGE as u32;
        assert_eq!(load.call(&mut store, end - 4).unwrap(), 0);
        assert!(load.call(&mut store, end - 3).is_err());
        assert_eq!(memory.as_ptr(&store).unwrap().cast_const(), memory.data(&store).unwrap().as_ptr());
    }
    assert_eq!(grow.call(&mut store, 1).unwrap(), -1, "a panic refuses");
    assert_eq!(memory.size(&store).unwrap(), 4);
    assert_eq!(alive.load(Ordering::Relaxed), 1);
    assert!(Memory::new(&mut store, MemoryType::new32(Limits { min: 9, max: None })).is_err());
    drop(store);
    assert_eq!(alive.load(Ordering::Relaxed), 0);
    let pinned = Engine::new(&Config::new().pinned_memories(true).memory_reservation(0)).unwrap();
    let mut store = Store::new(&pinned, ());
    let memory = Memory::new(&mut store, MemoryType::new32(Limits { min: 1, max: Some(9) })).unwrap();
    let place = memory.as_ptr(&store).unwrap();
    memory.grow(&mut store, 8).unwrap();
    assert!(memory.is_pinned(&store).unwrap() && memory.as_ptr(&store).unwrap() == place);
}
