//! The container of serialized modules: the WebAssembly bytes and whatever was made from them, sealed with hashes.
//!
//! ```text
//!   0  magic            8 bytes
//!   8  total length     u64, of everything
//!  16  hash of the head 32 bytes: blake3 of everything before the contents but itself
//!  48  identity hash    32 bytes: blake3 of the crate's version and of what the caller calls its identity
//!  80  format version   u32
//!  84  section count    u32
//!  88  sections         24 bytes each: tag u32, zero u32, offset u64, length u64
//!      hashes           32 bytes each: blake3 of the pieces of the contents (`seal.rs`)
//!      contents         each at the next multiple of 64, of 4096 if it is to be mapped (code, memories); zeros between
//! ```
//!
//! All numbers are little-endian. What stands before the format version never changes, nor does the form of the section
//! table, nor the hashes, nor that the section with the tag `WASM` is the module: every version can tell a damaged file from
//! one of another version, and recompile the latter. Hashes find damage, not malice: who can write the file can
//! write hashes that match.

use super::Bytes;
use super::seal::{self, Checked, HASH, Sealed};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

const MAGIC: [u8; 8] = *b"\x7ftenon\r\n";
const FORMAT_VERSION: u32 = 3;
const TOTAL_LENGTH: usize = 8;
const HEAD_HASH: Range<usize> = 16..48;
const IDENTITY_HASH: Range<usize> = 48..80;
const VERSION: usize = 80;
const SECTION_COUNT: usize = 84;
const SECTIONS: usize = 88;
const SECTION_ENTRY: usize = 24;

/// Tag of the section that holds the WebAssembly bytes.
pub const WASM: u32 = 1;
/// Tag of the section that holds machine code.
pub const CODE: u32 = 2;
/// Tag of the section that holds what must be known of the machine code.
pub const TABLES: u32 = 3;
/// Tag of the section that holds what memories hold at first, one after the other in whole pages of 4096 bytes.
pub const MEMORIES: u32 = 4;
/// Tag of the section that says where they go, and more that is known of the module.
pub const FACTS: u32 = 5;
/// Tag of the section that says where the bodies of functions stand.
pub const BODIES: u32 = 6;

/// Why bytes cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SerializeError {
    /// They are something else.
    NotSerialized,
    /// They were a serialized module, but are cut or changed.
    Damaged(&'static str),
}

impl fmt::Display for SerializeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SerializeError::NotSerialized => f.write_str("not a serialized module"),
            SerializeError::Damaged(what) => write!(f, "damaged serialized module: {what}"),
        }
    }
}

impl std::error::Error for SerializeError {}

/// The contents do not match their hashes.
pub const MISMATCH: SerializeError = SerializeError::Damaged("its contents do not match their hash");

/// A serialized module whose head is undamaged. What else it holds is checked when it is asked for.
#[derive(Debug)]
pub struct Container {
    sealed: Arc<Sealed>,
    wasm: Range<usize>,
    /// Whether the identity is the reader's. If not, only the WebAssembly bytes are of use: everything else must be made anew.
    pub same_identity: bool,
}

impl Container {
    /// Opens a serialized module for a reader with this `identity`. `checked` is what is known of the same bytes if they have
    /// been opened before.
    pub fn open(bytes: Bytes, identity: &[u8], checked: Option<Arc<Checked>>) -> Result<Container, SerializeError> {
        if !is_serialized(&bytes) {
            return Err(SerializeError::NotSerialized);
        }
        if bytes.len() < SECTIONS {
            return Err(SerializeError::Damaged("its header is cut off"));
        }
        if get64(&bytes, TOTAL_LENGTH) != Some(bytes.len() as u64) {
            return Err(SerializeError::Damaged("its length is not the one it was written with"));
        }
        let count = get32(&bytes, SECTION_COUNT).unwrap_or(0) as usize;
        let (head, hashes) = places_of_hashes(count, bytes.len());
        let sealed = Sealed::new(bytes, head, hashes, HEAD_HASH, checked).ok_or(MISMATCH)?;
        let head = sealed.bytes();
        let wasm = find(head, WASM)?.ok_or(SerializeError::Damaged("it holds no module"))?;
        let same_identity =
            get32(head, VERSION) == Some(FORMAT_VERSION) && identity_hash(identity) == head[IDENTITY_HASH];
        Ok(Container { sealed: Arc::new(sealed), wasm, same_identity })
    }

    /// The bytes of all, and what was checked of them.
    pub fn sealed(&self) -> &Arc<Sealed> {
        &self.sealed
    }

    /// Where the WebAssembly bytes stand. They were valid when they were written.
    pub fn wasm(&self) -> Range<usize> {
        self.wasm.clone()
    }

    /// Where the contents of the section with this tag stand, if the identity is the reader's and there is one.
    pub fn place(&self, tag: u32) -> Option<Range<usize>> {
        if self.same_identity { find(self.sealed.bytes(), tag).ok()? } else { None }
    }

    /// The contents of the section with this tag, which are undamaged, if the identity is the reader's and there is one.
    pub fn section(&self, tag: u32) -> Result<Option<&[u8]>, SerializeError> {
        self.place(tag).map(|place| self.part(place)).transpose()
    }

    /// A part, which is undamaged.
    pub fn part(&self, part: Range<usize>) -> Result<&[u8], SerializeError> {
        if self.sealed.check(part.clone()) { Ok(&self.sealed.bytes()[part]) } else { Err(MISMATCH) }
    }

    /// Checks everything.
    pub fn check_all(&self) -> Result<(), SerializeError> {
        self.part(0..self.sealed.bytes().len()).map(|_| ())
    }
}

/// Where the head of so many bytes with so many sections ends, and where the hashes stand.
fn places_of_hashes(sections: usize, len: usize) -> (usize, Range<usize>) {
    let start = SECTIONS + sections * SECTION_ENTRY;
    let hashes = start..start + seal::pieces(len) * HASH;
    (hashes.end, hashes)
}

/// A serialized module of `wasm` and other sections, for readers that name the same `identity`. `WASM` is not to
/// be among the tags.
pub fn write(wasm: &[u8], identity: &[u8], sections: &[(u32, &[u8])]) -> Vec<u8> {
    let all = || std::iter::once((WASM, wasm)).chain(sections.iter().copied());
    let count = all().count();
    let place_from = |head: usize| {
        let (mut end, mut places) = (head, Vec::with_capacity(count));
        for (tag, contents) in all() {
            let start = end.next_multiple_of(if tag == CODE || tag == MEMORIES { 4096 } else { 64 });
            places.push(start);
            end = start + contents.len();
        }
        (places, end)
    };
    // The more there is, the more hashes there are, which is more again: soon there is enough room.
    let (_, mut end) = place_from(SECTIONS + count * SECTION_ENTRY);
    let (head, hashes, places) = loop {
        let (head, hashes) = places_of_hashes(count, end);
        let (places, new_end) = place_from(head);
        let is_enough = seal::pieces(new_end) == seal::pieces(end);
        end = new_end;
        if is_enough {
            break (head, hashes, places);
        }
    };
    let mut out = vec![0; end];
    out[..MAGIC.len()].copy_from_slice(&MAGIC);
    put64(&mut out, TOTAL_LENGTH, end as u64);
    out[IDENTITY_HASH].copy_from_slice(&identity_hash(identity));
    put32(&mut out, VERSION, FORMAT_VERSION);
    put32(&mut out, SECTION_COUNT, count as u32);
    for (i, ((tag, contents), start)) in all().zip(places).enumerate() {
        let entry = SECTIONS + i * SECTION_ENTRY;
        put32(&mut out, entry, tag);
        put64(&mut out, entry + 8, start as u64);
        put64(&mut out, entry + 16, contents.len() as u64);
        out[start..start + contents.len()].copy_from_slice(contents);
    }
    seal::seal(&mut out, head, hashes, HEAD_HASH);
    out
}

/// Whether `bytes` begin like a serialized module.
pub fn is_serialized(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Where the contents of the first section with this tag stand.
fn find(bytes: &[u8], tag: u32) -> Result<Option<Range<usize>>, SerializeError> {
    let damaged = SerializeError::Damaged("its section table does not fit");
    let count = get32(bytes, SECTION_COUNT).ok_or(damaged)? as usize;
    let entries = bytes.get(SECTIONS..).and_then(|b| b.get(..count.checked_mul(SECTION_ENTRY)?)).ok_or(damaged)?;
    for entry in entries.chunks_exact(SECTION_ENTRY) {
        if get32(entry, 0) == Some(tag) {
            let place = || {
                let start = usize::try_from(get64(entry, 8)?).ok()?;
                let end = start.checked_add(usize::try_from(get64(entry, 16)?).ok()?)?;
                (end <= bytes.len()).then_some(start..end)
            };
            return Ok(Some(place().ok_or(damaged)?));
        }
    }
    Ok(None)
}

fn identity_hash(identity: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    hasher.update(&(version.len() as u64).to_le_bytes()).update(version).update(identity);
    *hasher.finalize().as_bytes()
}

fn put32(out: &mut [u8], at: usize, value: u32) {
    out[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn put64(out: &mut [u8], at: usize, value: u64) {
    out[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn get32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn get64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDENTITY: &[u8] = b"engine, processor, settings";

    fn sample() -> Vec<u8> {
        write(b"\0asm\x01\0\0\0", IDENTITY, &[(TABLES, b"tables"), (9, b""), (77, &[5; 130])])
    }

    /// Seals changed bytes again, as somebody with intent, or a later version, would.
    fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
        let count = get32(&bytes, SECTION_COUNT).unwrap() as usize;
        let (head, hashes) = places_of_hashes(count, bytes.len());
        if head <= bytes.len() {
            seal::seal(&mut bytes, head, hashes, HEAD_HASH);
        }
        bytes
    }

    /// Opens a container and checks all of it.
    fn read(bytes: &[u8], identity: &[u8]) -> Result<Container, SerializeError> {
        let container = Container::open(Bytes::from(bytes.to_vec()), identity, None)?;
        container.check_all()?;
        Ok(container)
    }

    fn section(container: &Container, tag: u32) -> Option<&[u8]> {
        container.section(tag).unwrap()
    }

    #[test]
    fn round_trip() {
        let bytes = write(b"wasm", IDENTITY, &[(CODE, &[0x90; 100]), (TABLES, b"tables"), (9, b"")]);
        let parts = read(&bytes, IDENTITY).unwrap();
        assert!(parts.same_identity);
        assert_eq!(parts.part(parts.wasm()), Ok(&b"wasm"[..]));
        assert_eq!(section(&parts, TABLES), Some(&b"tables"[..]));
        assert_eq!(section(&parts, 9), Some(&b""[..]));
        assert_eq!(section(&parts, 10), None);
        let code = section(&parts, CODE).unwrap();
        assert_eq!(code, [0x90; 100]);
        assert_eq!(parts.place(CODE).unwrap().start % 4096, 0);
    }

    #[test]
    fn every_bit_flip_is_refused() {
        let good = sample();
        let mut refused = 0;
        for i in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[i / 8] ^= 1 << (i % 8);
            let error = read(&bad, IDENTITY).map(|_| ()).expect_err("a changed bit went unnoticed");
            assert_eq!(error == SerializeError::NotSerialized, i / 8 < MAGIC.len(), "bit {i}: {error}");
            refused += 1;
        }
        println!("{refused} bit flips refused");
        assert_eq!(refused, good.len() * 8);
    }

    #[test]
    fn every_truncation_and_extension_is_refused() {
        let good = sample();
        for len in 0..good.len() {
            assert!(read(&good[..len], IDENTITY).is_err(), "{len} of {} bytes were accepted", good.len());
        }
        let longer = [&good[..], &[0]].concat();
        assert!(matches!(read(&longer, IDENTITY), Err(SerializeError::Damaged(_))));
        assert_eq!(read(b"\0asm\x01\0\0\0", IDENTITY).unwrap_err(), SerializeError::NotSerialized);
    }

    #[test]
    fn another_identity_or_version_leaves_the_module() {
        let good = sample();
        let parts = read(&good, b"another").unwrap();
        assert!(!parts.same_identity);
        assert_eq!(parts.part(parts.wasm()), Ok(&b"\0asm\x01\0\0\0"[..]));
        assert_eq!(section(&parts, TABLES), None);

        let mut later = good;
        put32(&mut later, VERSION, FORMAT_VERSION + 1);
        let later = resealed(later);
        let parts = read(&later, IDENTITY).unwrap();
        assert!(!parts.same_identity);
        assert_eq!(parts.part(parts.wasm()), Ok(&b"\0asm\x01\0\0\0"[..]));
    }

    #[test]
    fn a_sealed_but_senseless_table_is_refused() {
        let good = sample();
        let field = |i: usize| SECTIONS + i * SECTION_ENTRY;
        let cases: [(usize, u64); 6] = [
            (field(0) + 8, u64::MAX),
            (field(0) + 16, u64::MAX),
            (field(0) + 8, good.len() as u64),
            (field(0) + 16, good.len() as u64),
            (field(0), 1000),
            (VERSION, u64::MAX),
        ];
        for (at, value) in cases {
            let mut bad = good.clone();
            put64(&mut bad, at, value);
            let bad = resealed(bad);
            assert!(matches!(read(&bad, IDENTITY), Err(SerializeError::Damaged(_))), "{value:#x} at {at}");
        }
        // A section of another tag that does not fit is as if it were not there.
        let mut bad = good;
        put64(&mut bad, field(1) + 16, u64::MAX);
        let bad = resealed(bad);
        assert_eq!(read(&bad, IDENTITY).unwrap().place(TABLES), None);
    }
}
