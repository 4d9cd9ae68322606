//! Views: addresses of parts of memories that tell whether they are still good.

use super::byte::byte_t;
use super::error::{self, Kind, tenon_error_t};
use super::handle::{Lent, entered, required};
use super::memory::wasm_memory_t;
use super::memory_access::part;
use super::own::{Empty, Out, Own};
use std::ptr;

/// What a view's elements are: one of the constants of `tenon_element_enum`.
pub type tenon_element_t = u8;

/// Kinds of elements. Elements of n bytes are at offsets that are multiples of n.
#[repr(C)]
pub enum tenon_element_enum {
    /// Bytes.
    TENON_ELEMENT_I8,
    /// 16-bit integers.
    TENON_ELEMENT_I16,
    /// 32-bit integers.
    TENON_ELEMENT_I32,
    /// 64-bit integers.
    TENON_ELEMENT_I64,
    /// 32-bit floats.
    TENON_ELEMENT_F32,
    /// 64-bit floats.
    TENON_ELEMENT_F64,
    /// Vectors of 16 bytes.
    TENON_ELEMENT_V128,
}

/// A part of a memory with its address. It owns nothing and keeps nothing alive: it is good as long as somebody holds the
/// memory and it has not grown, which `tenon_memory_view_is_valid` tells. The fields are to be read, not to be changed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct tenon_memory_view_t {
    /// The address of the first element.
    pub data: *mut byte_t,
    /// How many bytes there are.
    pub size: u64,
    /// The offset of the first element in the memory, in bytes.
    pub offset: u64,
    /// The generation of the memory when the view was made.
    pub generation: u64,
    /// What the elements are.
    pub element: tenon_element_t,
}

impl Empty for tenon_memory_view_t {
    const EMPTY: tenon_memory_view_t =
        tenon_memory_view_t { data: ptr::null_mut(), size: 0, offset: 0, generation: 0, element: 0 };
}

/// Bytes of an element.
fn size_of_element(function: &str, element: tenon_element_t) -> Result<u64, tenon_error_t> {
    const SIZES: [u64; 7] = [1, 2, 4, 8, 4, 8, 16];
    SIZES.get(usize::from(element)).copied().ok_or_else(|| {
        let message = format_args!("{function}: {element} is no kind of element");
        tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message)
    })
}

fn view(
    function: &str,
    memory: Lent<wasm_memory_t>,
    element: tenon_element_t,
    offset: u64,
    count: u64,
) -> Result<tenon_memory_view_t, tenon_error_t> {
    error::attempt(function, || {
        let memory = entered(memory.get(), function, "the memory")?.memory();
        let bytes = size_of_element(function, element)?;
        let refused = |message| Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        if !offset.is_multiple_of(bytes) {
            return refused(format_args!(
                "{function}: offset {offset} is not a multiple of the element's {bytes} bytes"
            ));
        }
        let Some(size) = count.checked_mul(bytes) else {
            let size = memory.length();
            return refused(format_args!(
                "{function}: {count} elements of {bytes} bytes at offset {offset} are outside of the memory of {size} bytes"
            ));
        };
        // First, so that a growth of a shared memory meanwhile makes the view stale and not the other way round.
        let generation = memory.generation();
        let data = part(function, memory, offset, size)?.cast();
        Ok(tenon_memory_view_t { data, size, offset, generation, element })
    })
}

/// A view of `length` bytes. `out` receives an empty view, with NULL for the address, if there is an error.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_view(
    memory: Lent<wasm_memory_t>,
    offset: u64,
    length: u64,
    out: Out<tenon_memory_view_t>,
) -> Own<tenon_error_t> {
    let made = view("tenon_memory_view", memory, 0, offset, length);
    error::answer_or(out, tenon_memory_view_t::EMPTY, made)
}

/// A view of `count` elements of a kind. The offset, in bytes, must be aligned for them; the address is then, too.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_view_of(
    memory: Lent<wasm_memory_t>,
    element: tenon_element_t,
    offset: u64,
    count: u64,
    out: Out<tenon_memory_view_t>,
) -> Own<tenon_error_t> {
    let made = view("tenon_memory_view_of", memory, element, offset, count);
    error::answer_or(out, tenon_memory_view_t::EMPTY, made)
}

/// Whether a view of this memory is still good: since it was made, the memory has not grown, neither by the host nor by
/// WebAssembly code. An empty view, or one of another memory, is not good. With NULL: false.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_view_is_valid(
    memory: Option<&wasm_memory_t>,
    view: Option<&tenon_memory_view_t>,
) -> bool {
    let (Some(memory), Some(view)) = (memory.map(wasm_memory_t::memory), view) else { return false };
    let place = memory.range(view.offset, view.size);
    memory.generation() == view.generation && place.is_some_and(|place| ptr::eq(place.cast(), view.data))
}

/// Makes a view good again: its offset, size and kind of elements stay what they are. What does not lie inside, as may be the
/// case for a view of another memory, is an error, and the view stays as it is.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_view_refresh(
    memory: Lent<wasm_memory_t>,
    view: Option<&mut tenon_memory_view_t>,
) -> Own<tenon_error_t> {
    let function = "tenon_memory_view_refresh";
    error::report(required(view, function, "the view").and_then(|old| {
        let count = old.size / size_of_element(function, old.element)?;
        *old = self::view(function, memory, old.element, old.offset, count)?;
        Ok(())
    }))
}

/// Whether the memory's address never changes. Then every address within its size, as it was at the time, stays good and stays
/// that of the same byte until the memory dies, however it grows. Views become stale by growth all the same, as more can be
/// seen then; renewed, they have the same address. It holds of shared memories, of all after
/// `tenon_config_set_pinned_memories`, of those with 32-bit addresses where 4 GiB are reserved for each, and of those whose type's
/// maximum is within what is reserved. With NULL: false.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_is_pinned(memory: Option<&wasm_memory_t>) -> bool {
    memory.is_some_and(|memory| memory.memory().is_pinned())
}

/// A number that changes whenever the memory grows, by the host or by WebAssembly code, in place or not. With NULL: 0.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_memory_generation(memory: Option<&wasm_memory_t>) -> u64 {
    memory.map_or(0, |memory| memory.memory().generation())
}
