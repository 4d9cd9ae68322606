//! The errors of `tenon.h`: why the last call failed.

use std::ffi::CStr;

use crate::object::handle;
use crate::sys;

handle!(
    /// A failure.
    Error, tenon_error_t, tenon_error_delete
);

impl Error {
    /// Takes the last failure of this thread.
    pub fn take_last() -> Option<Error> {
        // SAFETY: no argument; the error is owned.
        unsafe { Error::from_raw(sys::tenon_last_error_take()) }
    }

    /// Which of the header's kinds it is.
    pub fn kind(&self) -> u32 {
        // SAFETY: the error is live.
        u32::from(unsafe { sys::tenon_error_kind(self.as_ptr()) })
    }

    /// The message.
    pub fn message(&self) -> String {
        // SAFETY: the error is live, and the text is its own and ends with a NUL.
        unsafe { CStr::from_ptr(sys::tenon_error_message(self.as_ptr())) }.to_string_lossy().into_owned()
    }
}

/// Translates text to a binary.
pub fn wat2wasm(text: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = sys::wasm_byte_vec_t { size: 0, data: std::ptr::null_mut() };
    // SAFETY: the text is only read during the call; the error, or the bytes, are ours afterwards.
    unsafe {
        match Error::from_raw(sys::tenon_wat2wasm(text.as_ptr().cast(), text.len(), &mut out)) {
            Some(error) => Err(error),
            None => Ok(crate::object::take_bytes(|vec| *vec = out)),
        }
    }
}
