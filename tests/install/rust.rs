//! Another static library written in Rust, with a standard library of its own, to be linked beside Tenon's.

use std::collections::HashMap;

/// Allocates, panics, and says how many entries it had: 0 if the panic was not caught.
#[unsafe(no_mangle)]
pub extern "C" fn rust_entries(count: u32) -> u32 {
    let entries: HashMap<u32, String> = (0..count).map(|n| (n, n.to_string())).collect();
    let caught = std::panic::catch_unwind(|| {
        std::panic::resume_unwind(Box::new(1));
    });
    if caught.is_err() { entries.len() as u32 } else { 0 }
}
