//! Which library this is: for programs that log it, and for bug reports.

use std::ffi::{CStr, c_char};
use std::sync::OnceLock;

/// The version of the library, as in "1.2.3"; a program can compare it with `TENON_VERSION`, the version of the
/// header it was compiled with. The text is constant. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_version() -> *const c_char {
    const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };
    VERSION.as_ptr()
}

/// What the library was built from and for, in a line for people: version, machine, system, compiler back end. The
/// text is constant, its form is not. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_build_info() -> *const c_char {
    static INFO: OnceLock<std::ffi::CString> = OnceLock::new();
    INFO.get_or_init(|| {
        let kind = if cfg!(debug_assertions) { "with assertions" } else { "optimized" };
        let text = format!(
            "tenon {} for {}-{}, {kind}, cranelift {}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::ARCH,
            std::env::consts::OS,
            cranelift_codegen::VERSION
        );
        std::ffi::CString::new(text).unwrap_or_default()
    })
    .as_ptr()
}
