//! The table of runtime helpers that generated code calls: number, name and signature, once for every tier.
//!
//! A builtin is called through the table at `VMCTX_BUILTINS`, by the C calling convention, with the caller's vmctx (or
//! the host function's `Func`) first. The trampoline in front of each (`runtime/trampoline.rs`) records the exit
//! frame; if the helper has set the store's trap, the trampoline raises it, and the call does not return.

/// Calls `$m!` with the list of builtins: `name(parameters) -> result;` each with its number.
macro_rules! for_each_builtin {
    ($m:ident) => {
        $m! {
            // Raises the trap with this code. Does not return.
            0 raise_trap(vmctx: i64, code: i32);
            // Raises the trap that a host function returned. Does not return.
            1 raise_host_trap(func: i64, trap: i64);
            // Checks a result of a host function that has not the expected kind: returns if the value can be taken
            // as it is, else raises a trap. `result` points to the wasm_val_t, `vector` to the wasm_val_vec_t of all results.
            2 host_result(func: i64, index: i32, result: i64, vector: i64);
            // Takes over the references in the results of a host function. `results` points to its wasm_val_t's.
            3 host_result_refs(func: i64, results: i64);
            // memory.grow: the old size in pages, or -1.
            4 memory_grow(vmctx: i64, memory: i32, delta: i64) -> i64;
            // memory.fill, of `len` bytes at an address that have been checked.
            5 memory_fill(vmctx: i64, dst: i64, value: i32, len: i64);
            // memory.copy, of `len` bytes between addresses, which have been checked and may overlap.
            6 memory_copy(vmctx: i64, dst: i64, src: i64, len: i64);
            // memory.init
            7 memory_init(vmctx: i64, memory: i32, segment: i32, dst: i64, src: i32, len: i32);
            // data.drop
            8 data_drop(vmctx: i64, segment: i32);
            // table.grow: the old size, or -1.
            9 table_grow(vmctx: i64, table: i32, init: i64, delta: i64) -> i64;
            // table.fill
            10 table_fill(vmctx: i64, table: i32, dst: i64, value: i64, len: i64);
            // table.copy
            11 table_copy(vmctx: i64, dst_table: i32, src_table: i32, dst: i64, src: i64, len: i64);
            // table.init
            12 table_init(vmctx: i64, table: i32, segment: i32, dst: i64, src: i32, len: i32);
            // elem.drop
            13 elem_drop(vmctx: i64, segment: i32);
            // The reference behind a lazy element, whose index is within the table.
            14 table_get_lazy(vmctx: i64, table: i32, index: i64) -> i64;
            // ref.func
            15 ref_func(vmctx: i64, func: i32) -> i64;
            // Raises the trap of a null element that was called. Does not return.
            16 raise_uninitialized(vmctx: i64, index: i64);
            // Whether functions of type `actual` may be called as functions of type `expected`; both are canonical ids.
            17 func_type_matches(vmctx: i64, actual: i32, expected: i32) -> i32;
            // Takes over the references in the results of a raw host function, with which `values` begins.
            18 raw_result_refs(func: i64, values: i64);
            // memory.atomic.wait32
            19 memory_atomic_wait32(vmctx: i64, memory: i32, index: i64, offset: i64, expected: i32, timeout: i64) -> i32;
            // memory.atomic.wait64
            20 memory_atomic_wait64(vmctx: i64, memory: i32, index: i64, offset: i64, expected: i64, timeout: i64) -> i32;
            // memory.atomic.notify
            21 memory_atomic_notify(vmctx: i64, memory: i32, index: i64, offset: i64, count: i32) -> i32;
            // throw: the values are in the store's payload cells. Does not return.
            22 throw(vmctx: i64, tag: i64);
            // throw_ref, of a reference that is not null. Does not return.
            23 throw_ref(vmctx: i64, exception: i64);
            // A new exception whose values are in the store's payload cells.
            24 exception_new(vmctx: i64, tag: i64) -> i64;
            // A new object of `size` bytes in the heap of garbage-collected objects, of which only the header is written:
            // the canonical type id, and the length. May collect, or raise the trap of a heap that is full.
            25 gc_alloc(vmctx: i64, type_id: i32, length: i32, size: i64) -> i32;
            // array.new_data; `ty` is an index of the module's types.
            26 array_new_data(vmctx: i64, ty: i32, segment: i32, offset: i32, len: i32) -> i32;
            // array.new_elem
            27 array_new_elem(vmctx: i64, ty: i32, segment: i32, offset: i32, len: i32) -> i32;
            // array.init_data, of `len` bytes, to an address in an array.
            28 array_init_data(vmctx: i64, segment: i32, dst: i64, offset: i32, len: i64);
            // array.init_elem; the array has the elements at `at..at + len`.
            29 array_init_elem(vmctx: i64, array: i32, at: i32, segment: i32, offset: i32, len: i32);
            // array.copy, of `len` bytes between addresses in arrays, which may overlap.
            30 array_copy(vmctx: i64, dst: i64, src: i64, len: i64);
            // any.convert_extern, of a reference that is not null.
            31 any_convert_extern(vmctx: i64, object: i64) -> i32;
            // extern.convert_any, of a reference that is not null.
            32 extern_convert_any(vmctx: i64, reference: i32) -> i64;
            // Turns the arguments of a host function that are of the `any` hierarchy into objects, lent until it returns. They
            // are at `values`, 16 bytes each, as bits at `offset` of these: zero-extended references, then addresses.
            33 host_args_box(func: i64, values: i64, offset: i32);
            // Takes back what `host_args_box` lent to the host function that has just returned.
            34 host_args_release(func: i64);
        }
    };
}

/// The type of a builtin's parameter or result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuiltinType {
    /// 32 bits.
    I32,
    /// 64 bits, or a pointer.
    I64,
}

/// A builtin as generated code sees it.
#[derive(Clone, Copy, Debug)]
pub struct BuiltinSignature {
    /// Its name.
    pub name: &'static str,
    /// Parameters, the vmctx first.
    pub params: &'static [BuiltinType],
    /// The result, if any.
    pub result: Option<BuiltinType>,
}

macro_rules! ty {
    (i32) => {
        BuiltinType::I32
    };
    (i64) => {
        BuiltinType::I64
    };
}

macro_rules! define {
    ($($number:literal $name:ident($($param:ident: $ty:ident),*) $(-> $result:ident)?;)*) => {
        /// A builtin's number: its place in the table.
        #[allow(non_camel_case_types)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u32)]
        pub enum Builtin {
            $(
                #[doc = concat!("`", stringify!($name), "`")]
                $name = $number,
            )*
        }

        /// The numbers as they are written.
        #[cfg(test)]
        const NUMBERS: &[usize] = &[$($number),*];

        /// The signatures, by number.
        pub const BUILTINS: &[BuiltinSignature] = &[$(
            BuiltinSignature {
                name: stringify!($name),
                params: &[$(ty!($ty)),*],
                result: define!(@result $($result)?),
            },
        )*];
    };
    (@result) => { None };
    (@result $ty:ident) => { Some(ty!($ty)) };
}

pub(crate) use for_each_builtin;

for_each_builtin!(define);

impl Builtin {
    /// Offset of its code pointer in the table.
    pub fn offset(self) -> u32 {
        self as u32 * super::layout::PTR
    }

    /// Its signature.
    pub fn signature(self) -> &'static BuiltinSignature {
        &BUILTINS[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_positions() {
        for (position, number) in NUMBERS.iter().enumerate() {
            assert_eq!(position, *number, "{}", BUILTINS[position].name);
        }
        assert_eq!(BUILTINS.len(), Builtin::host_args_release as usize + 1);
        assert_eq!(Builtin::ref_func.signature().name, "ref_func");
        assert_eq!(Builtin::memory_grow.signature().params.len(), 3);
    }
}
