//! The last failure of each thread.
//!
//! The system keeps it, not a thread-local variable of Rust: such a variable's destructor is to be registered when a thread first
//! uses it, and where there is no memory for that, which is when things fail, the C library ends the process.

use super::error::tenon_error_t;
use std::ffi::c_void;
use std::ptr;
use std::sync::OnceLock;

/// The key by which the system finds a thread's failure, unless it has given away all of its keys.
fn key() -> Option<libc::pthread_key_t> {
    static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: the key is written to; the destructor lives as long as the process, from which this library is never unloaded.
        (unsafe { libc::pthread_key_create(&mut key, Some(forget)) } == 0).then_some(key)
    })
}

/// Called with what a thread that ends has kept.
unsafe extern "C" fn forget(kept: *mut c_void) {
    // SAFETY: what `replace` kept, which nobody else takes any more.
    drop(unsafe { Box::from_raw(kept.cast::<tenon_error_t>()) });
}

/// Keeps another failure, or none, and gives the one before. Where the system has no room for it, nothing changes.
pub(super) fn replace(error: Option<tenon_error_t>) -> Option<tenon_error_t> {
    let key = key()?;
    let new = error.map_or(ptr::null_mut(), |error| Box::into_raw(Box::new(error)));
    // SAFETY: the key is ours; what is kept under it is null or a box, which belongs to whoever takes it out.
    unsafe {
        let old = libc::pthread_getspecific(key).cast::<tenon_error_t>();
        let unused = if libc::pthread_setspecific(key, new.cast()) == 0 { old } else { new };
        (!unused.is_null()).then(|| *Box::from_raw(unused)).filter(|_| unused == old)
    }
}

/// What is kept, lent for as long as nobody of this thread replaces it.
pub(super) fn current<'a>() -> Option<&'a tenon_error_t> {
    // SAFETY: as in `replace`; the caller does not keep it.
    unsafe { libc::pthread_getspecific(key()?).cast::<tenon_error_t>().as_ref() }
}
