//! What the thirteen vector types of the header have in common. A vector is a C struct of a size and a
//! pointer, which programs may fill in themselves and whose size they may change, so nothing may depend on
//! the size having stayed what it was: the storage comes from `calloc` and goes back to `free`, which need
//! none. That also makes every allocation refusable, and the slots of an uninitialised vector of pointers NULL.

use super::error;
use super::own::{Empty, Out, Own, Take};
use crate::runtime::sys::stack;
use std::ops::Deref;
use std::ptr;

/// What a vector must know of its elements.
pub trait Element: Sized {
    /// Whether a copy is worth the same bit by bit, so that many can be copied at once.
    const PLAIN: bool = false;
    /// What the bytes of an element become that was deleted where it stood: NULL, or what is no value.
    const DELETED: u8 = 0;
    /// Another element that is worth the same; `None` if it cannot be had.
    fn copy(&self) -> Option<Self>;
}

/// Things with a copy function of their own.
pub trait Copied: Sized {
    /// The copy; `None` if it cannot be had.
    fn copied(&self) -> Own<Self>;
}

impl<T: Copied> Element for Own<T> {
    fn copy(&self) -> Option<Own<T>> {
        match self {
            None => Some(None),
            Some(thing) => thing.copied().map(Some),
        }
    }
}

/// A vector type of the header.
///
/// # Safety
/// `parts` and `from_parts` carry the same size and pointer, and dropping the type does nothing.
pub unsafe trait Vector: Empty + Sized {
    /// What it holds.
    type Element: Element;
    /// The size and the data pointer.
    fn parts(&self) -> (usize, *mut Self::Element);
    /// The vector of these parts.
    fn from_parts(size: usize, data: *mut Self::Element) -> Self;

    /// The elements. A vector whose data is NULL has none, whatever its size says.
    fn elements(&self) -> &[Self::Element] {
        let (size, data) = self.parts();
        if data.is_null() || size.checked_mul(size_of::<Self::Element>()).is_none_or(|n| n > isize::MAX as usize) {
            return &[];
        }
        // SAFETY: by the header's contract `data` points to `size` initialised elements, and the caller leaves
        // the vector alone during the call.
        unsafe { std::slice::from_raw_parts(data, size) }
    }
}

/// Implements [`Vector`] for a struct of the fields `size` and `data`.
macro_rules! vector {
    ($vector:ident of $element:ty) => {
        impl $crate::capi::own::Empty for $vector {
            const EMPTY: $vector = $vector { size: 0, data: std::ptr::null_mut() };
        }
        // SAFETY: the two functions move the two fields and nothing else; the struct has no Drop.
        unsafe impl $crate::capi::vec::Vector for $vector {
            type Element = $element;
            fn parts(&self) -> (usize, *mut $element) {
                (self.size, self.data)
            }
            fn from_parts(size: usize, data: *mut $element) -> $vector {
                $vector { size, data }
            }
        }
    };
}
pub(crate) use vector;

/// A vector that this side owns and deletes.
pub(crate) struct Owned<V: Vector>(V);

impl<V: Vector> Owned<V> {
    /// Takes over what `vec` holds.
    pub(crate) fn new(vec: V) -> Owned<V> {
        Owned(vec)
    }

    /// The vector of `elements`; `None` where memory has run out (an element's failure to be made included).
    pub(crate) fn collect(elements: impl ExactSizeIterator<Item = Option<V::Element>>) -> Option<Owned<V>> {
        let count = elements.len();
        let mut vec = Owned(allocate::<V>(count)?);
        let (_, data) = vec.0.parts();
        // The size grows with the elements, so that an early end deletes what is there and no more.
        vec.0 = V::from_parts(0, data);
        for (i, element) in elements.take(count).enumerate() {
            // SAFETY: `i < count`, for which `data` has room; the slot holds no element yet.
            unsafe { data.add(i).write(element?) };
            vec.0 = V::from_parts(i + 1, data);
        }
        Some(vec)
    }

    /// Gives the vector away.
    pub(crate) fn into_inner(mut self) -> V {
        std::mem::replace(&mut self.0, V::EMPTY)
    }
}

impl<V: Vector> Deref for Owned<V> {
    type Target = V;
    fn deref(&self) -> &V {
        &self.0
    }
}

impl<V: Vector> Drop for Owned<V> {
    fn drop(&mut self) {
        release(std::mem::replace(&mut self.0, V::EMPTY));
    }
}

/// Room for `count` elements, zeroed, which for a pointer is NULL; the empty vector for none.
pub(crate) fn allocate<V: Vector>(count: usize) -> Option<V> {
    if count == 0 {
        return Some(V::EMPTY);
    }
    let bytes = count.saturating_mul(size_of::<V::Element>());
    let data = match isize::try_from(bytes) {
        // SAFETY: calloc takes any two numbers and answers NULL where it cannot serve.
        Ok(_) => unsafe { libc::calloc(count, size_of::<V::Element>()) },
        Err(_) => ptr::null_mut(),
    };
    if data.is_null() {
        error::out_of_memory(bytes);
        return None;
    }
    Some(V::from_parts(count, data.cast()))
}

/// Deletes the elements and the storage; an array on the caller's stack, of `WASM_ARRAY_VEC` or of the results that a
/// callback is to fill in, stays.
fn release<V: Vector>(vec: V) {
    let (size, data) = vec.parts();
    if data.is_null() {
        return;
    }
    // SAFETY: `data` holds `size` initialised elements, which nothing uses any more: the vector was taken from its owner.
    unsafe { ptr::drop_in_place(ptr::slice_from_raw_parts_mut(data, size)) };
    if data.addr() > stack::stack_pointer() && stack::current_stack().contains(&data.addr()) {
        // SAFETY: there are as many, and they are gone.
        unsafe { ptr::write_bytes(data.cast::<u8>(), V::Element::DELETED, size * size_of::<V::Element>()) };
    } else {
        // SAFETY: `data` came from `allocate`: `free` accepts what `calloc` gave.
        unsafe { libc::free(data.cast()) };
    }
}

/// Hands an owned vector to the caller, or deletes it if there is no variable for it.
pub(crate) fn give<V: Vector>(out: Out<V>, vec: Owned<V>) {
    if let Err(vec) = out.write(vec.into_inner()) {
        release(vec);
    }
}

/// Body of `wasm_x_vec_new_empty`.
pub(crate) fn new_empty<V: Vector>(out: Out<V>) {
    let _nothing_to_free = out.write(V::EMPTY);
}

/// Body of `wasm_x_vec_new_uninitialized`.
pub(crate) fn new_uninitialized<V: Vector>(out: Out<V>, size: usize) {
    if out.is_null() {
        return;
    }
    give(out, Owned(allocate(size).unwrap_or(V::EMPTY)));
}

/// Body of `wasm_x_vec_new`: the elements move from the caller's array into the vector.
pub(crate) fn new<V: Vector>(out: Out<V>, size: usize, data: *const V::Element) {
    if out.is_null() || data.is_null() {
        // Without an array there are no elements, without a variable they stay the caller's.
        return new_empty(out);
    }
    let Some(vec) = allocate::<V>(size) else { return new_empty(out) };
    // SAFETY: by the header's contract `data` points to `size` elements that the caller gives away; the fresh
    // storage has room for as many and does not overlap them.
    unsafe { ptr::copy_nonoverlapping(data, vec.parts().1, vec.parts().0) };
    give(out, Owned(vec));
}

/// Body of `wasm_x_vec_copy`: all elements are copied, or the result is empty.
pub(crate) fn copy<V: Vector>(out: Out<V>, from: Option<&V>) {
    if out.is_null() {
        return;
    }
    let elements = from.map_or(&[][..], |v| v.elements());
    if V::Element::PLAIN {
        return new(out, elements.len(), elements.as_ptr());
    }
    match Owned::<V>::collect(elements.iter().map(Element::copy)) {
        Some(vec) => give(out, vec),
        None => new_empty(out),
    }
}

/// Body of `wasm_x_vec_delete`: the vector becomes empty, so that deleting it twice is harmless.
pub(crate) fn delete<V: Vector>(vec: Take<V>) {
    release(vec.take());
}
