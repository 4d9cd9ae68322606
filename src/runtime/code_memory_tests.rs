//! Tests of `code_memory.rs`.

use super::*;
use crate::runtime::sys::testing::{in_child, start_child, wait_for_child};

/// `mov eax, value; ret`
fn returns(value: u32) -> Code {
    let mut bytes = vec![0xb8];
    bytes.extend(value.to_le_bytes());
    bytes.push(0xc3);
    let traps = vec![TrapSite { offset: 5, code: TrapCode::Unreachable }];
    let positions = vec![Position { offset: 0, module_offset: 100 }, Position { offset: 5, module_offset: 200 }];
    Code { bytes, traps, positions, vmctx_below_fp: Some(value), ..Code::default() }
}

fn call(address: *const u8) -> u32 {
    // SAFETY: `returns` makes such functions.
    unsafe { std::mem::transmute::<*const u8, extern "C" fn() -> u32>(address)() }
}

fn find(pc: usize) -> Option<&'static CodeMeta> {
    // SAFETY: the tests drop no block whose result they use.
    unsafe { lookup(pc) }
}

#[test]
fn placed_code_runs_and_is_found() {
    let kind = CodeKind::Wasm { owner: ptr::null(), func: 3 };
    let a = place(returns(41), kind).unwrap();
    let b = place(returns(42), CodeKind::HostStub).unwrap();
    assert_eq!((call(a.address()), call(b.address())), (41, 42));
    let start = a.address() as usize;
    assert_eq!(start % GRANULE, 0);
    for pc in start..start + 6 {
        let meta = find(pc).unwrap();
        assert_eq!((meta.start, meta.len, meta.kind, meta.vmctx_below_fp), (start, 6, kind, Some(41)));
        assert_eq!(meta.trap_at(pc), (pc == start + 5).then_some(TrapCode::Unreachable));
        assert_eq!(meta.places(pc).collect::<Vec<_>>(), [if pc == start + 5 { 200 } else { 100 }]);
    }
    assert!(find(start + 6).is_none() && find(start + GRANULE - 1).is_none());
    assert_eq!(find(b.address() as usize).unwrap().kind, CodeKind::HostStub);
    assert!(find(0).is_none() && find(usize::MAX).is_none() && find(find as *const () as usize).is_none());
}

#[test]
fn freed_code_is_not_found() {
    // In a child, where nobody else places code.
    let status = in_child(|| {
        let image = [0xc3; 300];
        let part = |offset| Part {
            offset,
            len: 100,
            kind: CodeKind::Other,
            traps: Box::new([]),
            positions: Box::new([]),
            inlined: Box::new([]),
            vmctx_below_fp: None,
            handlers: Box::default(),
            frame_below_fp: 0,
            roots: Box::default(),
        };
        let block = place_image(&image, vec![part(0), part(128)]).unwrap();
        let start = block.address() as usize;
        assert!(find(start).is_some() && find(start + 128 + 99).is_some());
        drop(block);
        assert!((start..start + 300).all(|pc| find(pc).is_none()));
        0
    });
    assert_eq!(status, Ok(0));
}

#[test]
fn images_hold_many_functions() {
    let mut image = Vec::new();
    let mut parts = Vec::new();
    for i in 0..1000u32 {
        image.resize(image.len().next_multiple_of(GRANULE), 0xcc);
        let code = returns(i);
        parts.push(Part {
            offset: image.len() as u32,
            len: 6,
            kind: CodeKind::Wasm { owner: ptr::null(), func: i },
            traps: code.traps.into(),
            positions: code.positions.into(),
            inlined: code.inlined.into(),
            vmctx_below_fp: code.vmctx_below_fp,
            handlers: Box::default(),
            frame_below_fp: 0,
            roots: Box::default(),
        });
        image.extend(code.bytes);
    }
    let block = place_image(&image, parts).unwrap();
    assert_eq!((block.metas().len(), block.size()), (1000, 64_000));
    for (i, meta) in (0u32..).zip(block.metas()) {
        assert_eq!(call(meta.start as *const u8), i);
        assert!(ptr::eq(find(meta.start + 5).unwrap(), meta));
    }
}

#[test]
fn wrong_images_are_refused() {
    let part = |offset, len| Part {
        offset,
        len,
        kind: CodeKind::Other,
        traps: Box::new([]),
        positions: Box::new([]),
        inlined: Box::new([]),
        vmctx_below_fp: None,
        handlers: Box::default(),
        frame_below_fp: 0,
        roots: Box::default(),
    };
    let image = [0xc3; 200];
    for parts in [vec![part(0, 201)], vec![part(8, 1)], vec![part(0, 65), part(64, 1)], vec![part(!63, 64)]] {
        assert_eq!(place_image(&image, parts).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
    let good = place_image(&image, vec![part(0, 64), part(64, 136)]).unwrap();
    assert_eq!(good.size(), 256);
}

#[test]
fn too_much_code_is_an_error() {
    // Address space is no memory: the image is never touched.
    let image = vec![0; (1 << 30) + 1];
    assert_eq!(place_image(&image, Vec::new()).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
}

#[test]
fn places_are_reused_with_new_contents() {
    // Other tests place code at the same time, so that the place is not certain; that it comes up is.
    let mut seen = std::collections::HashMap::new();
    for i in 0..2000 {
        let block = place(returns(i), CodeKind::Other).unwrap();
        assert_eq!(call(block.address()), i);
        *seen.entry(block.address()).or_insert(0) += 1;
    }
    assert!(seen.len() < 500, "{}", seen.len());
}

#[test]
fn large_blocks_give_their_memory_back() {
    let resident = |address: usize, len: usize| {
        let mut pages = vec![0u8; len / 4096];
        // SAFETY: the range is mapped, and there is a byte for each page.
        assert_eq!(unsafe { libc::mincore(address as *mut _, len, pages.as_mut_ptr()) }, 0);
        pages.iter().filter(|&&page| page & 1 != 0).count()
    };
    let status = in_child(|| {
        let mut image = vec![0xc3; 4 << 20];
        let block = place_image(&image, Vec::new()).unwrap();
        let first = block.address() as usize;
        let start = first.next_multiple_of(4096);
        assert_eq!(resident(start, 1 << 20), 256);
        drop(block);
        assert_eq!(resident(start, 1 << 20), 0);
        image.fill(0x90);
        image.push(0xc3);
        let block = place_image(&image, Vec::new()).unwrap();
        assert_eq!(block.address() as usize, first);
        call(block.address());
        0
    });
    assert_eq!(status, Ok(0));
}

#[test]
fn freed_code_cannot_be_run() {
    let status = in_child(|| {
        let block = place(returns(1), CodeKind::Other).unwrap();
        let address = block.address();
        drop(block);
        call(address);
        0
    });
    assert_eq!(status, Err(libc::SIGTRAP));
}

#[test]
fn code_cannot_be_written_where_it_runs() {
    let block = place(returns(1), CodeKind::Other).unwrap();
    let address = block.address().cast_mut();
    let status = in_child(|| {
        // SAFETY: none: that is what is tested.
        unsafe { address.write_volatile(0) };
        0
    });
    assert_eq!(status, Err(libc::SIGSEGV));
}

#[test]
fn a_forked_child_has_its_own_code() {
    let before = place(returns(1), CodeKind::Other).unwrap();
    let before_address = before.address() as usize;
    let thunks = lazy_thunks(10).unwrap();
    // Pipes: the parent acts while the child waits, then the child looks.
    let mut pipe = [0; 2];
    // SAFETY: the array has room for both.
    assert_eq!(unsafe { libc::pipe(pipe.as_mut_ptr()) }, 0);
    let child = start_child(|| {
        let mut byte = 0u8;
        // SAFETY: reads one byte.
        assert_eq!(unsafe { libc::read(pipe[0], (&raw mut byte).cast(), 1) }, 1);
        // The parent has freed and overwritten it by now.
        assert_eq!(call(before_address as *const u8), 1);
        assert_eq!(find(before_address).unwrap().vmctx_below_fp, Some(1));
        // SAFETY: thunks are readable.
        assert_eq!(unsafe { thunks.add(9 * THUNK_SIZE).cast::<[u8; 5]>().read() }, [0xb8, 9, 0, 0, 0]);
        let mine: Vec<_> = (0..100).map(|i| place(returns(1000 + i), CodeKind::Other).unwrap()).collect();
        for (i, block) in (0..).zip(&mine) {
            assert_eq!(call(block.address()), 1000 + i);
        }
        0
    });
    drop(before);
    let after: Vec<_> = (0..200).map(|i| place(returns(2000 + i), CodeKind::Other).unwrap()).collect();
    // SAFETY: writes one byte.
    assert_eq!(unsafe { libc::write(pipe[1], c"x".as_ptr().cast(), 1) }, 1);
    assert_eq!(wait_for_child(child), Ok(0));
    // SAFETY: both are this test's.
    unsafe {
        libc::close(pipe[0]);
        libc::close(pipe[1]);
    }
    for (i, block) in (0..).zip(&after) {
        assert_eq!(call(block.address()), 2000 + i);
    }
}

#[test]
fn lazy_thunks_are_equidistant() {
    let base = lazy_thunks(20_000).unwrap();
    assert_eq!(lazy_thunks(1).unwrap(), base);
    let island = base as usize - THUNKS_AT;
    for index in [0, 1, 255, 256, 12_345, 19_999] {
        let thunk = lazy_thunk(index).unwrap();
        assert_eq!(thunk as usize, base as usize + index as usize * THUNK_SIZE);
        // SAFETY: thunks are readable.
        let bytes = unsafe { thunk.cast::<[u8; 16]>().read() };
        assert_eq!((bytes[0], &bytes[1..5]), (0xb8, &index.to_le_bytes()[..]));
        let jump = i32::from_le_bytes(bytes[6..10].try_into().unwrap());
        assert_eq!((bytes[5], thunk as usize + 10), (0xe9, island.wrapping_sub(jump as usize)));
        assert_eq!(bytes[10..], [FILL; 6]);
        assert!(find(thunk as usize).is_none());
    }
    // SAFETY: so is the island.
    let target = unsafe { (island as *const u8).add(6).cast::<usize>().read_unaligned() };
    assert_eq!(target, trampoline::lazy_compile as *const () as usize);
    assert!(lazy_thunks(MAX_THUNKS + 1).is_err() && lazy_thunk(u32::MAX).is_err());
    lazy_thunks(MAX_THUNKS).unwrap();
}

#[test]
fn many_threads_place_and_free() {
    let work = |seed: u32| {
        let mut live = Vec::new();
        let mut random = seed;
        for i in 0..2000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if random >> 31 == 0 && !live.is_empty() {
                let (block, value): (CodeBlock, u32) = live.swap_remove((random >> 8) as usize % live.len());
                assert_eq!(call(block.address()), value);
                assert_eq!(find(block.address() as usize).unwrap().vmctx_below_fp, Some(value));
            } else {
                let mut code = returns(seed * 10_000 + i);
                code.bytes.resize(6 + (random >> 8 & 0x3ff) as usize, 0xcc);
                live.push((place(code, CodeKind::Other).unwrap(), seed * 10_000 + i));
            }
        }
        live.len()
    };
    let threads: Vec<_> = (1..5).map(|seed| std::thread::spawn(move || work(seed))).collect();
    for thread in threads {
        assert!(thread.join().unwrap() > 0);
    }
}

#[test]
fn limits_of_the_process_are_errors() {
    // The limits would hit the other tests as well: a process of its own, where nothing was placed before.
    let name = "runtime::code_memory::tests::places_are_reused_with_new_contents";
    for (limit, expected) in [("-f 1000", false), ("-v 600000", true), ("-v 120000", false)] {
        let script = format!("ulimit {limit} && exec \"$0\" --test-threads=1 --exact {name} 2>&1");
        let program = std::env::current_exe().unwrap();
        let mut shell = std::process::Command::new("sh");
        // A backtrace needs more memory than there is, and waits for itself when it finds none.
        let output = shell.env("RUST_BACKTRACE", "0").arg("-c").arg(script).arg(program).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.success(), expected, "{limit}: {text}");
        assert!(text.contains("1 passed") == expected && text.contains("no code memory") != expected, "{text}");
    }
}
