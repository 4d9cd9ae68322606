//! Where the references lie in objects of a type: what the collector knows of it.

use super::object::HEADER;

/// The shape of the objects of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// No type has this index.
    None,
    /// A structure whose references lie in its first part.
    Small {
        /// Bytes of an object.
        size: u32,
        /// Bit `i`: 4 bytes at `HEADER + 4 i` are a reference to an object of the heap.
        references: u64,
        /// Bit `i`: 8 bytes at `HEADER + 8 i` point to an object of the store.
        pointers: u64,
    },
    /// Another structure.
    Large {
        /// Bytes of an object.
        size: u32,
        /// Offsets of references to objects of the heap.
        references: Box<[u32]>,
        /// Offsets of pointers to objects of the store.
        pointers: Box<[u32]>,
    },
    /// An array.
    Array {
        /// Bytes of an element.
        element: u32,
        /// What an element is to the collector.
        holds: Holds,
    },
}

/// What a place in an object is to the collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// A number.
    Number,
    /// A reference to an object of the heap: 4 bytes.
    Reference,
    /// A pointer to an object of the store, or null: 8 bytes.
    Pointer,
}

impl Shape {
    /// The shape of a structure of `size` bytes with these fields, by offset.
    pub fn of_structure(size: u32, fields: impl IntoIterator<Item = (u32, Holds)>) -> Shape {
        let (mut references, mut pointers) = (Vec::new(), Vec::new());
        for (offset, holds) in fields {
            match holds {
                Holds::Number => {}
                Holds::Reference => references.push(offset),
                Holds::Pointer => pointers.push(offset),
            }
        }
        match (bits(&references, 4), bits(&pointers, 8)) {
            (Some(references), Some(pointers)) => Shape::Small { size, references, pointers },
            _ => Shape::Large { size, references: references.into(), pointers: pointers.into() },
        }
    }

    /// Bytes of an object with this shape, which has `length` elements if it is an array.
    #[inline(always)]
    pub fn size(&self, length: u32) -> u64 {
        match self {
            Shape::Small { size, .. } | Shape::Large { size, .. } => u64::from(*size),
            Shape::Array { element, .. } => array_size(*element, length),
            Shape::None => u64::from(HEADER),
        }
    }
}

/// Bytes of an array of `length` elements.
#[inline(always)]
pub fn array_size(element: u32, length: u32) -> u64 {
    (u64::from(HEADER) + u64::from(element) * u64::from(length)).next_multiple_of(8)
}

/// The bits for these offsets, one for each `unit` bytes behind the header, if they suffice.
fn bits(offsets: &[u32], unit: u32) -> Option<u64> {
    offsets.iter().try_fold(0, |bits, offset| {
        let bit = (offset - HEADER) / unit;
        (bit < 64).then(|| bits | 1u64 << bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_in_bits_is_small() {
        let fields = [(8, Holds::Reference), (12, Holds::Number), (16, Holds::Pointer), (24, Holds::Reference)];
        assert_eq!(Shape::of_structure(32, fields), Shape::Small { size: 32, references: 0b10001, pointers: 0b10 });
        let last = 8 + 4 * 64;
        let Shape::Large { references, pointers, size } = Shape::of_structure(1000, [(last, Holds::Reference)]) else {
            panic!("the bits do not suffice")
        };
        assert_eq!((&*references, &*pointers, size), (&[last][..], &[][..], 1000));
    }

    #[test]
    fn arrays_are_rounded_up() {
        let array = Shape::Array { element: 1, holds: Holds::Number };
        assert_eq!([0, 1, 8, 9].map(|length| array.size(length)), [8, 16, 16, 24]);
        assert_eq!(array_size(16, u32::MAX), 8 + 16 * u64::from(u32::MAX));
    }
}
