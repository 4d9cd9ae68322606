//! Tags (specification: Runtime Structure, Tag Instances): what exceptions are told apart by. Everything about them but
//! their types is missing in `wasm.h`; the names are those that it would have.

use super::error::{self, Kind, tenon_error_t};
use super::external::wasm_extern_t;
use super::handle::{self, Counted, Handle, Lent, noun, required};
use super::own::{Out, Own};
use super::reference::wasm_ref_t;
use super::store::wasm_store_t;
use super::tagtype::wasm_tagtype_t;
use crate::runtime::object::ObjectKind;
use crate::runtime::tag::Tag;
use std::ffi::c_void;

/// A tag.
#[cfg_attr(all(), repr(transparent))]
pub struct wasm_tag_t(Tag);
noun!(wasm_tag_t, ObjectKind::Tag);

impl wasm_tag_t {
    /// The tag.
    pub(crate) fn tag(&self) -> &Tag {
        &self.0
    }
}

/// Gives up a reference to a tag; NULL is allowed.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_delete(tag: Handle<wasm_tag_t>) {
    drop(tag);
}

/// Makes another reference to the same tag. With NULL: NULL. Any thread may call it.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_copy(tag: Option<&wasm_tag_t>) -> Handle<wasm_tag_t> {
    handle::copy(tag)
}

/// Whether two references are to the same tag. NULL is the same as NULL only.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_same(tag: Option<&wasm_tag_t>, other: Option<&wasm_tag_t>) -> bool {
    handle::same(tag, other)
}

/// The host's information about the tag: what was set last, through whichever reference; NULL if nothing was.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_get_host_info(tag: Option<&wasm_tag_t>) -> *mut c_void {
    handle::get_host_info(tag, "wasm_tag_get_host_info")
}

/// Attaches information of the host to the tag. What was there is replaced, and its finalizer runs.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_set_host_info(tag: Lent<wasm_tag_t>, info: *mut c_void) {
    handle::set_host_info(tag, info, None, "wasm_tag_set_host_info");
}

/// Attaches information of the host to the tag. The finalizer, which may be NULL, is called once with it: when it is
/// replaced or the tag dies.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_set_host_info_with_finalizer(
    tag: Lent<wasm_tag_t>,
    info: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) {
    handle::set_host_info(tag, info, finalizer, "wasm_tag_set_host_info_with_finalizer");
}

/// Sees a tag as a reference. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_as_ref(tag: Lent<wasm_tag_t>) -> Lent<wasm_ref_t> {
    handle::see(tag)
}

/// Sees a reference as a tag. The same object: nothing changes hands. With NULL, or a reference to something
/// else: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_tag(reference: Lent<wasm_ref_t>) -> Lent<wasm_tag_t> {
    handle::see(reference)
}

/// `wasm_tag_as_ref` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_as_ref_const(tag: Option<&wasm_tag_t>) -> Option<&wasm_ref_t> {
    handle::see_const(tag)
}

/// `wasm_ref_as_tag` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_ref_as_tag_const(reference: Option<&wasm_ref_t>) -> Option<&wasm_tag_t> {
    handle::see_const(reference)
}

/// Sees a tag as an external. The same object: nothing changes hands. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_as_extern(tag: Lent<wasm_tag_t>) -> Lent<wasm_extern_t> {
    handle::see(tag)
}

/// Sees an external as a tag. The same object: nothing changes hands. With NULL, or another kind: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_tag(external: Lent<wasm_extern_t>) -> Lent<wasm_tag_t> {
    handle::see(external)
}

/// `wasm_tag_as_extern` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_as_extern_const(tag: Option<&wasm_tag_t>) -> Option<&wasm_extern_t> {
    handle::see_const(tag)
}

/// `wasm_extern_as_tag` for a const pointer.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_extern_as_tag_const(external: Option<&wasm_extern_t>) -> Option<&wasm_tag_t> {
    handle::see_const(external)
}

fn new(
    function: &str,
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_tagtype_t>,
) -> Result<Counted<wasm_tag_t>, tenon_error_t> {
    error::attempt(function, || {
        let store = store.entered(function)?;
        let Some(ty) = required(ty, function, "the type")?.to_ty() else {
            let message = format_args!("{function}: the type is not one of a tag");
            return Err(tenon_error_t::new(Kind::TENON_ERROR_ARGUMENT, message));
        };
        let tag = Tag::new(store, ty).map_err(|error| tenon_error_t::from(error).within(function))?;
        // SAFETY: a new tag comes with a handle.
        unsafe { Counted::take(tag) }.ok_or_else(error::last)
    })
}

/// Makes a tag, which differs from all others. With NULL, or where the type has results: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_new(store: Lent<wasm_store_t>, ty: Option<&wasm_tagtype_t>) -> Handle<wasm_tag_t> {
    error::keep(new("wasm_tag_new", store, ty))
}

/// `wasm_tag_new` with a reason.
#[unsafe(no_mangle)]
pub extern "C" fn tenon_tag_new(
    store: Lent<wasm_store_t>,
    ty: Option<&wasm_tagtype_t>,
    out: Out<Handle<wasm_tag_t>>,
) -> Own<tenon_error_t> {
    error::answer(out, new("tenon_tag_new", store, ty))
}

/// The type. With NULL: NULL.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_tag_type(tag: Option<&wasm_tag_t>) -> Own<wasm_tagtype_t> {
    wasm_tagtype_t::from_ty(&tag?.0.ty)
}
