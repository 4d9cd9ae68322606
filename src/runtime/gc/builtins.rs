//! The helpers about garbage-collected objects that generated code calls. Each says that there is no collector yet.

use crate::runtime::object::Object;
use crate::runtime::trap::set_trap;
use crate::runtime::vmctx::Vmctx;
use crate::trap::TrapCode;
use std::ptr;

macro_rules! without_collector {
    ($($name:ident($($param:ident: $ty:ty),*) $(-> $result:ty = $value:expr)?;)*) => { $(
        #[doc = concat!("`", stringify!($name), "`")]
        ///
        /// # Safety
        /// Called by generated code, with its vmctx.
        pub unsafe extern "C" fn $name(vmctx: *mut Vmctx, $($param: $ty),*) $(-> $result)? {
            $(let _ = $param;)*
            // SAFETY: the vmctx of the code that called.
            unsafe { set_trap((*vmctx).store, TrapCode::AllocationFailure, "this build has no garbage collector") };
            $($value)?
        }
    )* };
}

without_collector! {
    gc_alloc(type_id: u32, length: u32, size: u64) -> u32 = 0;
    array_new_data(ty: u32, segment: u32, offset: u32, len: u32) -> u32 = 0;
    array_new_elem(ty: u32, segment: u32, offset: u32, len: u32) -> u32 = 0;
    array_init_data(segment: u32, dst: *mut u8, offset: u32, len: u64);
    array_init_elem(array: u32, at: u32, segment: u32, offset: u32, len: u32);
    array_copy(dst: *mut u8, src: *const u8, len: u64);
    any_convert_extern(object: *const Object) -> u32 = 0;
    extern_convert_any(reference: u32) -> *const Object = ptr::null();
    host_args_box(values: *mut u8, offset: u32);
    host_args_release();
}
