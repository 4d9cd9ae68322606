//! Link options of the C library.

fn main() {
    // The signal handlers and the fork handlers stay registered as long as the process lives: the library must not be
    // unmapped by dlclose.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo::rerun-if-changed=build.rs");
}
