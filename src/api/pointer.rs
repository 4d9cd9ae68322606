//! Pointers of WebAssembly: offsets into a memory, with the type of what lies there.

use super::context::{AsContext, AsContextMut};
use super::data::WasmData;
use super::error::Error;
use super::memory::Memory;
use std::fmt;
use std::marker::PhantomData;

/// The numbers that are offsets: `u32`, and `u64` for memories with 64-bit addresses.
pub trait Offset: Copy + Eq + Ord + fmt::Debug + fmt::Display + Into<u64> + sealed::Narrow + 'static {}

impl Offset for u32 {}
impl Offset for u64 {}

mod sealed {
    pub trait Narrow: Sized {
        fn narrow(wide: u64) -> Option<Self>;
    }

    impl Narrow for u32 {
        fn narrow(wide: u64) -> Option<u32> {
            u32::try_from(wide).ok()
        }
    }

    impl Narrow for u64 {
        fn narrow(wide: u64) -> Option<u64> {
            Some(wide)
        }
    }
}

/// A pointer of WebAssembly to a `T`: an offset, which means something together with a memory. It can be a parameter or a result
/// of functions. Arithmetic is checked, and so is every access.
///
/// ```
/// use tenon::{Engine, Instance, Module, Store, WasmPtr};
///
/// let engine = Engine::default();
/// let module = Module::new(&engine, r#"(module
///     (memory (export "memory") 1)
///     (data (i32.const 16) "\01\00\00\00\02\00\00\00")
///     (func (export "numbers") (result i32) (i32.const 16)))"#)?;
/// let mut store = Store::new(&engine, ());
/// let instance = Instance::new(&mut store, &module, &[])?;
/// let memory = instance.memory(&mut store, "memory")?;
///
/// let numbers = instance.typed_func::<(), WasmPtr<u32>>(&mut store, "numbers")?.call(&mut store, ())?;
/// assert_eq!(numbers.slice(2)?.read(&memory, &store)?, [1, 2]);
/// let second = numbers.add(1)?;
/// second.write(&memory, &mut store, &5)?;
/// assert_eq!(second.read(&memory, &store)?, 5);
/// assert!(numbers.add(u32::MAX).is_err());
/// # Ok::<(), tenon::Error>(())
/// ```
pub struct WasmPtr<T, O = u32> {
    offset: O,
    to: PhantomData<fn() -> T>,
}

impl<T, O: Copy> Copy for WasmPtr<T, O> {}

impl<T, O: Copy> Clone for WasmPtr<T, O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, O: PartialEq> PartialEq for WasmPtr<T, O> {
    fn eq(&self, other: &Self) -> bool {
        self.offset == other.offset
    }
}

impl<T, O: Eq> Eq for WasmPtr<T, O> {}

impl<T, O: fmt::Debug> fmt::Debug for WasmPtr<T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WasmPtr({:?})", self.offset)
    }
}

impl<T, O: Offset> WasmPtr<T, O> {
    /// A pointer to this offset.
    pub fn new(offset: O) -> WasmPtr<T, O> {
        WasmPtr { offset, to: PhantomData }
    }

    /// The pointer to offset 0, which many languages take for none.
    pub fn null() -> Option<WasmPtr<T, O>> {
        sealed::Narrow::narrow(0).map(WasmPtr::new)
    }

    /// The offset.
    pub fn offset(self) -> O {
        self.offset
    }

    /// Whether the offset is 0.
    pub fn is_null(self) -> bool {
        self.offset.into() == 0
    }

    /// The same offset, as a pointer to something else.
    pub fn cast<U>(self) -> WasmPtr<U, O> {
        WasmPtr::new(self.offset)
    }

    fn moved(self, to: Option<u64>, by: &dyn fmt::Display) -> Result<Self, Error> {
        let to = to.and_then(sealed::Narrow::narrow).map(WasmPtr::new);
        to.ok_or_else(|| Error::argument(format!("the pointer {} {by} does not fit a pointer", self.offset)))
    }

    /// The pointer to this many bytes behind. Fails where the sum is no offset.
    pub fn add_bytes(self, bytes: O) -> Result<Self, Error> {
        self.moved(self.offset.into().checked_add(bytes.into()), &format_args!("+ {bytes}"))
    }

    /// The pointer to this many bytes before. Fails where the difference is no offset.
    pub fn sub_bytes(self, bytes: O) -> Result<Self, Error> {
        self.moved(self.offset.into().checked_sub(bytes.into()), &format_args!("- {bytes}"))
    }
}

impl<T: WasmData, O: Offset> WasmPtr<T, O> {
    /// The pointer to the value this many values behind. Fails where that is no offset.
    #[allow(clippy::should_implement_trait, reason = "an operator could not fail")]
    pub fn add(self, count: O) -> Result<Self, Error> {
        let bytes = count.into().checked_mul(T::SIZE as u64);
        let to = bytes.and_then(|bytes| self.offset.into().checked_add(bytes));
        self.moved(to, &format_args!("+ {count} values of {} bytes", T::SIZE))
    }

    /// The pointer to the value this many values before. Fails where that is no offset.
    #[allow(clippy::should_implement_trait, reason = "an operator could not fail")]
    pub fn sub(self, count: O) -> Result<Self, Error> {
        let bytes = count.into().checked_mul(T::SIZE as u64);
        let to = bytes.and_then(|bytes| self.offset.into().checked_sub(bytes));
        self.moved(to, &format_args!("- {count} values of {} bytes", T::SIZE))
    }

    /// The value.
    pub fn read(self, memory: &Memory, store: impl AsContext) -> Result<T, Error> {
        memory.read_value(store, self.offset.into())
    }

    /// Replaces the value.
    pub fn write(self, memory: &Memory, store: impl AsContextMut, value: &T) -> Result<(), Error> {
        memory.write_value(store, self.offset.into(), value)
    }

    /// `len` values that begin here. Fails if they would reach beyond the last offset.
    pub fn slice(self, len: O) -> Result<WasmSlice<T, O>, Error> {
        let end = len.into().checked_mul(T::SIZE as u64).and_then(|bytes| self.offset.into().checked_add(bytes));
        // The end itself need not be an offset: it may be one more.
        let last = end.filter(|end| *end == 0 || <O as sealed::Narrow>::narrow(end - 1).is_some());
        if last.is_none() {
            let message = format!("{len} values of {} bytes at {} reach beyond all addresses", T::SIZE, self.offset);
            return Err(Error::argument(message));
        }
        Ok(WasmSlice { start: self, len })
    }
}

impl<O: Offset> WasmPtr<u8, O> {
    /// The text of `len` bytes that begins here. Fails if it is not UTF-8.
    pub fn read_string(self, memory: &Memory, store: impl AsContext, len: O) -> Result<String, Error> {
        memory.read_string(store, self.offset.into(), len.into())
    }

    /// The text from here to the next byte that is zero, at most `max` bytes. See [`Memory::read_c_string`].
    pub fn read_c_string(self, memory: &Memory, store: impl AsContext, max: O) -> Result<String, Error> {
        memory.read_c_string(store, self.offset.into(), max.into())
    }
}

/// A pointer of WebAssembly to several values, one behind the other.
pub struct WasmSlice<T, O = u32> {
    start: WasmPtr<T, O>,
    len: O,
}

impl<T, O: Copy> Copy for WasmSlice<T, O> {}

impl<T, O: Copy> Clone for WasmSlice<T, O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, O: fmt::Debug> fmt::Debug for WasmSlice<T, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WasmSlice({:?}; {:?})", self.start.offset, self.len)
    }
}

impl<T: WasmData, O: Offset> WasmSlice<T, O> {
    /// The pointer to the first value.
    pub fn start(self) -> WasmPtr<T, O> {
        self.start
    }

    /// How many values.
    pub fn len(self) -> O {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len.into() == 0
    }

    /// The pointer to the value at `index`. Fails beyond the last.
    pub fn get(self, index: O) -> Result<WasmPtr<T, O>, Error> {
        if index >= self.len {
            return Err(Error::argument(format!("index {index} of a slice of {} values", self.len)));
        }
        self.start.add(index)
    }

    /// A copy of all values.
    pub fn read(self, memory: &Memory, store: impl AsContext) -> Result<Vec<T>, Error> {
        let bytes = memory.read_bytes(store, self.start.offset.into(), self.len.into() * T::SIZE as u64)?;
        Ok((0..self.len.into() as usize).map(|i| T::read(&bytes[i * T::SIZE..][..T::SIZE])).collect())
    }

    /// Replaces all values: there must be as many.
    pub fn write(self, memory: &Memory, store: impl AsContextMut, values: &[T]) -> Result<(), Error> {
        if values.len() as u64 != self.len.into() {
            let (given, expected) = (values.len(), self.len);
            return Err(Error::argument(format!("{given} values for a slice of {expected}")));
        }
        let mut bytes = vec![0; values.len() * T::SIZE];
        values.iter().enumerate().for_each(|(i, value)| value.write(&mut bytes[i * T::SIZE..][..T::SIZE]));
        memory.write(store, self.start.offset.into(), &bytes)
    }
}
