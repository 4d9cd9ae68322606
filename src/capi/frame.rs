//! Frames: where a trap happened, and what was being called there.

use super::handle::Lent;
use super::instance::wasm_instance_t;
use super::own::{Out, Own, Take, boxed};
use super::vec::{self, Copied, Owned, vector};
use crate::runtime::trap::Frame;

/// A function that was running when a trap happened. It keeps its instance alive.
pub struct wasm_frame_t(Frame);

impl wasm_frame_t {
    /// The C object for a frame.
    pub(crate) fn new(frame: Frame) -> Own<wasm_frame_t> {
        boxed(wasm_frame_t(frame))
    }

    /// The C objects for frames; `None` where memory has run out.
    pub(crate) fn vec(frames: Vec<Frame>) -> Option<Owned<wasm_frame_vec_t>> {
        Owned::collect(frames.into_iter().map(|frame| wasm_frame_t::new(frame).map(Some)))
    }

    /// The frame.
    pub(crate) fn frame(&self) -> &Frame {
        &self.0
    }
}

impl Copied for wasm_frame_t {
    fn copied(&self) -> Own<wasm_frame_t> {
        wasm_frame_t::new(self.0.clone())
    }
}

/// Deletes a frame; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_delete(frame: Own<wasm_frame_t>) {
    super::error::guard("wasm_frame_delete", (), || drop(frame));
}

/// A vector of frames.
#[repr(C)]
pub struct wasm_frame_vec_t {
    /// How many there are.
    pub size: usize,
    /// The frames; NULL if there are none.
    pub data: *mut Own<wasm_frame_t>,
}
vector!(wasm_frame_vec_t of Own<wasm_frame_t>);

/// Makes an empty vector of frames.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_vec_new_empty(out: Out<wasm_frame_vec_t>) {
    vec::new_empty(out);
}

/// Makes a vector of `size` frames, to be filled in by the caller. They are NULL at first. Where memory has run
/// out, the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_vec_new_uninitialized(out: Out<wasm_frame_vec_t>, size: usize) {
    vec::new_uninitialized(out, size);
}

/// Makes a vector of the `size` frames that `data` points to, and takes them over. Where memory has run out,
/// the vector is empty.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_vec_new(out: Out<wasm_frame_vec_t>, size: usize, data: *const Own<wasm_frame_t>) {
    vec::new(out, size, data);
}

/// Makes a copy of a vector of frames, each of them copied.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_vec_copy(out: Out<wasm_frame_vec_t>, vec: Option<&wasm_frame_vec_t>) {
    vec::copy(out, vec);
}

/// Deletes a vector and the frames in it, NULL among them or not. It is empty afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_vec_delete(vec: Take<wasm_frame_vec_t>) {
    vec::delete(vec);
}

/// Makes a copy of a frame. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_copy(frame: Option<&wasm_frame_t>) -> Own<wasm_frame_t> {
    frame?.copied()
}

/// The instance whose function it is. The reference belongs to the frame. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_instance(frame: Option<&wasm_frame_t>) -> Lent<wasm_instance_t> {
    Lent::new(frame.map_or(std::ptr::null(), |frame| frame.0.instance().cast()))
}

/// The function's index in its module, imported functions counted. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_func_index(frame: Option<&wasm_frame_t>) -> u32 {
    frame.map_or(0, |frame| frame.0.func_index)
}

/// How far from the beginning of the function's body the instruction stands, in bytes of the binary. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_func_offset(frame: Option<&wasm_frame_t>) -> usize {
    frame.map_or(0, |frame| frame.0.func_offset)
}

/// How far from the beginning of the module the instruction stands, in bytes of the binary. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_frame_module_offset(frame: Option<&wasm_frame_t>) -> usize {
    frame.map_or(0, |frame| frame.0.module_offset)
}
