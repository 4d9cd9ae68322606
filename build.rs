//! Link options of the C library, and the identity of its code generator.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// What machine code depends on: the compiler's room, the structures that it shares with the runtime, the versions of the
/// dependencies. Code that was serialized by a library with another identity is compiled anew.
const GENERATOR: &[&str] = &["src/compile", "src/runtime/vmctx.rs", "src/types", "src/trap.rs", "Cargo.lock"];

fn main() -> io::Result<()> {
    // The signal handlers and the fork handlers stay registered as long as the process lives: the library must not be
    // unmapped by dlclose.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // What the library calls of its own must not be found in another library with the same functions.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-Bsymbolic-functions");
    // Tables of addresses of the library's own take a fraction of the room when they are packed, where the C library reads that.
    if variable("CARGO_CFG_TARGET_ENV")? == "gnu" && c_library().is_some_and(|version| version >= (2, 36)) {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,pack-relative-relocs");
    }
    // Functions that are the same are there once. Nothing here tells functions by their addresses.
    if linker_takes(SAME_ONCE)? {
        println!("cargo::rustc-cdylib-link-arg={SAME_ONCE}");
    }
    println!("cargo::rerun-if-changed=build.rs");
    name_the_library()?;

    let root = variable("CARGO_MANIFEST_DIR")?;
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for place in GENERATOR {
        println!("cargo::rerun-if-changed={place}");
        add(&Path::new(&root).join(place), &mut hash)?;
    }
    println!("cargo::rustc-env=TENON_GENERATOR={hash:016x}");
    Ok(())
}

const SAME_ONCE: &str = "-Wl,--icf=all";

/// Whether a library can be linked with an option that not all linkers have: by trying it.
fn linker_takes(option: &str) -> io::Result<bool> {
    let out = Path::new(&variable("OUT_DIR")?).to_path_buf();
    let source = out.join("nothing.rs");
    fs::write(&source, "#![no_std]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n")?;
    let mut command = Command::new(variable("RUSTC")?);
    command.arg(&source).arg("--out-dir").arg(&out).args(["--target", &variable("TARGET")?]);
    command.args(["--edition", "2024", "--crate-type", "cdylib", "-C", "panic=abort"]);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        command.args(["-C", &format!("linker={linker}")]);
    }
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    command.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    Ok(command.args(["-C", &format!("link-arg={option}")]).output()?.status.success())
}

/// The version of glibc, if that is the C library here.
fn c_library() -> Option<(u32, u32)> {
    let said = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let (major, minor) = std::str::from_utf8(&said.stdout).ok()?.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.split('.').next()?.parse().ok()?))
}

/// The number in the soname is the major version: it is raised when a function changes or goes, and what was linked with the
/// old library needs the old one. The linker writes the soname into every program that is linked with the library, so there must
/// be a file of that name beside it, here as well as where it is installed.
fn name_the_library() -> io::Result<()> {
    let soname = format!("libtenon.so.{}", variable("CARGO_PKG_VERSION_MAJOR")?);
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{soname}");

    // OUT_DIR is <target>/<profile>/build/<package>/out. The library is in <profile>/deps, and linked from there to <profile>.
    let out = PathBuf::from(variable("OUT_DIR")?);
    let Some(profile) = out.ancestors().nth(3) else { return Ok(()) };
    for place in [profile.to_path_buf(), profile.join("deps")] {
        match symlink("libtenon.so", place.join(&soname)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
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
