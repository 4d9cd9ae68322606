//! Link options of the C library, and the identity of its code generator.

use std::path::Path;
use std::{env, fs, io};

/// What machine code depends on: the compiler's room, the structures that it shares with the runtime, the versions of the
/// dependencies. Code that was serialized by a library with another identity is compiled anew.
const GENERATOR: &[&str] = &["src/compile", "src/runtime/vmctx.rs", "src/types", "src/trap.rs", "Cargo.lock"];

fn main() -> io::Result<()> {
    // The signal handlers and the fork handlers stay registered as long as the process lives: the library must not be
    // unmapped by dlclose.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rerun-if-changed=build.rs");

    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for place in GENERATOR {
        println!("cargo::rerun-if-changed={place}");
        add(&Path::new(&root).join(place), &mut hash)?;
    }
    println!("cargo::rustc-env=TENON_GENERATOR={hash:016x}");
    Ok(())
}

/// Adds a file, or all files of a folder in the order of their names, to a hash (FNV-1a). What is not there adds nothing.
fn add(path: &Path, hash: &mut u64) -> io::Result<()> {
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.map(|e| e.map(|e| e.path())).collect::<io::Result<Vec<_>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| add(entry, hash));
    }
    if path.exists() {
        for byte in fs::read(path)? {
            *hash = (*hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(())
}
