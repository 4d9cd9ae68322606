//! Rust values in linear memory.

/// Rust values that can be read from memory and written to it: numbers, arrays of them, and structures of the program that
/// say how they lie there.
///
/// ```
/// use tenon::{Engine, Memory, MemoryType, Limits, Store, WasmData};
///
/// #[derive(Debug, PartialEq)]
/// struct Point { x: f32, y: f32 }
///
/// impl WasmData for Point {
///     const SIZE: usize = 8;
///     fn read(bytes: &[u8]) -> Point {
///         Point { x: f32::read(&bytes[..4]), y: f32::read(&bytes[4..]) }
///     }
///     fn write(&self, bytes: &mut [u8]) {
///         self.x.write(&mut bytes[..4]);
///         self.y.write(&mut bytes[4..]);
///     }
/// }
///
/// let mut store = Store::new(&Engine::default(), ());
/// let memory = Memory::new(&mut store, MemoryType::new32(Limits { min: 1, max: None }))?;
/// memory.write_value(&mut store, 100, &Point { x: 1.0, y: 2.0 })?;
/// assert_eq!(memory.read_value::<Point>(&store, 100)?, Point { x: 1.0, y: 2.0 });
/// # Ok::<(), tenon::Error>(())
/// ```
pub trait WasmData: Sized {
    /// Bytes of a value.
    const SIZE: usize;

    /// The value that lies in [`WasmData::SIZE`] bytes. Numbers are little-endian.
    fn read(bytes: &[u8]) -> Self;

    /// Writes the value to [`WasmData::SIZE`] bytes.
    fn write(&self, bytes: &mut [u8]);
}

macro_rules! numbers {
    ($($ty:ty)*) => {
        $(
            impl WasmData for $ty {
                const SIZE: usize = size_of::<$ty>();

                fn read(bytes: &[u8]) -> $ty {
                    let mut own = [0; size_of::<$ty>()];
                    own.copy_from_slice(bytes);
                    <$ty>::from_le_bytes(own)
                }

                fn write(&self, bytes: &mut [u8]) {
                    bytes.copy_from_slice(&self.to_le_bytes());
                }
            }
        )*
    };
}

numbers!(i8 u8 i16 u16 i32 u32 i64 u64 i128 u128 f32 f64);

impl<V: WasmData, const N: usize> WasmData for [V; N] {
    const SIZE: usize = N * V::SIZE;

    fn read(bytes: &[u8]) -> [V; N] {
        std::array::from_fn(|i| V::read(&bytes[i * V::SIZE..][..V::SIZE]))
    }

    fn write(&self, bytes: &mut [u8]) {
        for (i, value) in self.iter().enumerate() {
            value.write(&mut bytes[i * V::SIZE..][..V::SIZE]);
        }
    }
}
