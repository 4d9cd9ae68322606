//! The memory that decoding takes is bounded by the size of the input, whatever the input claims.

use libc::{c_void, malloc_usable_size, size_t};
use std::cell::Cell;
use tenon::config::Config;
use tenon::module::Module;

thread_local! {
    /// What this thread has out now, and at most; other threads, the harness's among them, do as they like. What one
    /// thread frees of another's wraps, which differences do not mind. The library has an allocator of its own, so it is the
    /// system's that is watched: the four functions below take the place of the C library's in this program.
    static NOW: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

unsafe extern "C" {
    fn __libc_malloc(size: size_t) -> *mut c_void;
    fn __libc_calloc(count: size_t, size: size_t) -> *mut c_void;
    fn __libc_realloc(old: *mut c_void, size: size_t) -> *mut c_void;
    fn __libc_free(old: *mut c_void);
}

fn came(pointer: *mut c_void) -> *mut c_void {
    // SAFETY: null, or just allocated.
    let size = unsafe { malloc_usable_size(pointer) };
    NOW.set(NOW.get().wrapping_add(size));
    if (NOW.get().wrapping_sub(PEAK.get()) as isize) > 0 {
        PEAK.set(NOW.get());
    }
    pointer
}

fn went(pointer: *mut c_void) {
    // SAFETY: null, or about to be freed.
    NOW.set(NOW.get().wrapping_sub(unsafe { malloc_usable_size(pointer) }));
}

#[unsafe(no_mangle)]
unsafe extern "C" fn malloc(size: size_t) -> *mut c_void {
    // SAFETY: as malloc.
    came(unsafe { __libc_malloc(size) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn calloc(count: size_t, size: size_t) -> *mut c_void {
    // SAFETY: as calloc.
    came(unsafe { __libc_calloc(count, size) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn realloc(old: *mut c_void, size: size_t) -> *mut c_void {
    went(old);
    // SAFETY: as realloc.
    came(unsafe { __libc_realloc(old, size) })
}

#[unsafe(no_mangle)]
unsafe extern "C" fn free(old: *mut c_void) {
    went(old);
    // SAFETY: as free.
    unsafe { __libc_free(old) }
}

/// What decoding `bytes` takes at most, beside them; whether they are a module.
fn measure(bytes: &[u8]) -> (usize, bool) {
    let before = NOW.get();
    PEAK.set(before);
    let result = Module::validate_only(bytes, &Config::default().features, 1);
    (PEAK.get().wrapping_sub(before), result.is_ok())
}

const HEADER: &[u8] = b"\0asm\x01\0\0\0";

fn leb(mut n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
    out
}

fn section(id: u8, contents: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(contents.len()), contents].concat()
}

/// A section of `count` items that are all alike.
fn alike(id: u8, count: usize, item: &[u8]) -> Vec<u8> {
    section(id, &[leb(count), item.repeat(count)].concat())
}

#[test]
fn claims_alone_take_nothing() {
    let mut worst = 0;
    for id in 0..=13u8 {
        for count in [1_000_000usize, u32::MAX as usize] {
            for tail in [&[][..], &[0; 10]] {
                let bytes = [HEADER, &section(id, &[leb(count), tail.to_vec()].concat())].concat();
                let (peak, valid) = measure(&bytes);
                // A custom section and the data count may say what they like.
                assert!(!valid || id == 0, "section {id} of {count}");
                worst = worst.max(peak);
            }
        }
    }
    // Within a function, and within an element segment.
    let types = alike(1, 1, &[0x60, 0, 0]);
    let function = alike(3, 1, &[0]);
    let locals = |contents: &[u8]| {
        let body = [leb(contents.len()), contents.to_vec()].concat();
        [HEADER, &types, &function, &alike(10, 1, &body)].concat()
    };
    let huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    for contents in [
        [&[1][..], &huge, &[0x7f, 0x0b]].concat(),
        [&huge[..], &[1, 0x7f, 0x0b]].concat(),
        [&[0, 0x41, 0, 0x0e][..], &huge, &[0x0b]].concat(),
    ] {
        let (peak, valid) = measure(&locals(&contents));
        assert!(!valid);
        worst = worst.max(peak);
    }
    for flags in [1, 5] {
        let kind = if flags == 1 { 0 } else { 0x70 };
        let segment = [&[flags, kind][..], &huge].concat();
        let (peak, valid) = measure(&[HEADER, &alike(9, 1, &segment)].concat());
        assert!(!valid);
        worst = worst.max(peak);
    }
    println!("at most {worst} bytes");
    assert!(worst < 32 << 10, "{worst} bytes for a tiny module");
}

#[test]
fn memory_is_a_small_multiple_of_the_input() {
    let count = 60_000;
    let types = alike(1, 1, &[0x60, 0, 0]);
    let table = alike(4, 1, &[0x70, 0, 1]);
    let names = |item: &dyn Fn(&[u8; 3]) -> Vec<u8>| -> Vec<u8> {
        let name = |i: usize| [b'a' + (i % 26) as u8, b'a' + (i / 26 % 26) as u8, b'!' + (i / 676) as u8];
        [leb(count), (0..count).flat_map(|i| item(&name(i))).collect()].concat()
    };
    let functions = alike(3, count, &[0]);
    let modules = [
        ("types", [HEADER, &alike(1, count, &[0x60, 0, 0])].concat()),
        ("imports alike", [HEADER, &types, &alike(2, count, &[0, 0, 0, 0])].concat()),
        ("imports", [HEADER, &types, &section(2, &names(&|n| [&[0, 3][..], n, &[0, 0]].concat()))].concat()),
        ("functions", [HEADER, &types, &functions, &alike(10, count, &[2, 0, 0x0b])].concat()),
        ("tables", [HEADER, &alike(4, count, &[0x70, 0, 0])].concat()),
        ("globals", [HEADER, &alike(6, count, &[0x7f, 0, 0x41, 0, 0x0b])].concat()),
        ("exports", {
            let exports = section(7, &names(&|n| [&[3][..], n, &[0, 0]].concat()));
            [HEADER, &types, &alike(3, 1, &[0]), &exports, &alike(10, 1, &[2, 0, 0x0b])].concat()
        }),
        ("element segments", [HEADER, &alike(9, count, &[1, 0, 0])].concat()),
        ("active segments", [HEADER, &table, &alike(9, count, &[0, 0x41, 0, 0x0b, 0])].concat()),
        ("elements", {
            let segment = [&[1, 0][..], &leb(count), &vec![0; count]].concat();
            [HEADER, &types, &alike(3, 1, &[0]), &alike(9, 1, &segment), &alike(10, 1, &[2, 0, 0x0b])].concat()
        }),
        ("null elements", {
            let segment = [&[5, 0x70][..], &leb(count), &[0xd0, 0x70, 0x0b].repeat(count)].concat();
            [HEADER, &alike(9, 1, &segment)].concat()
        }),
        ("data", [HEADER, &alike(11, count, &[1, 0])].concat()),
        ("active data", [HEADER, &alike(5, 1, &[0, 1]), &alike(11, count, &[0, 0x41, 0, 0x0b, 0])].concat()),
        ("blocks", {
            let body = [&[0][..], &[2, 0x40].repeat(count), &vec![0x0b; count + 1]].concat();
            let body = [leb(body.len()), body].concat();
            [HEADER, &types, &alike(3, 1, &[0]), &alike(10, 1, &body)].concat()
        }),
        ("operands", {
            let body = [&[0][..], &[0x41, 0].repeat(count), &vec![0x1a; count], &[0x0b]].concat();
            let body = [leb(body.len()), body].concat();
            [HEADER, &types, &alike(3, 1, &[0]), &alike(10, 1, &body)].concat()
        }),
    ];
    let mut measured = 0;
    for (what, bytes) in &modules {
        let (peak, valid) = measure(bytes);
        let multiple = peak as f64 / bytes.len() as f64;
        println!("{what}: {} bytes take {peak}, {multiple:.1} times as much", bytes.len());
        assert!(valid, "{what}: {:?}", Module::validate_only(bytes, &Config::default().features, 1));
        assert!(multiple < 100.0, "{what}: {multiple}");
        measured += 1;
    }
    assert_eq!(measured, 15);
}

#[test]
fn what_is_allocated_is_noticed() {
    let before = NOW.get();
    PEAK.set(before);
    drop(std::hint::black_box(vec![1u8; 100_000]));
    assert!((100_000..110_000).contains(&(PEAK.get().wrapping_sub(before))));
}
