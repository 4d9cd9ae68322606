//! The container of serialized modules: the WebAssembly bytes and whatever was made from them, sealed with a hash.
//!
//! ```text
//!   0  magic            8 bytes
//!   8  total length     u64, of everything
//!  16  content hash     32 bytes: blake3 of everything but itself
//!  48  identity hash    32 bytes: blake3 of the crate's version and of what the caller calls its identity
//!  80  format version   u32
//!  84  section count    u32
//!  88  sections         24 bytes each: tag u32, zero u32, offset u64, length u64
//!      contents         each at the next multiple of 64, of 4096 if it is to be mapped (code, memories); zeros between
//! ```
//!
//! All numbers are little-endian. What stands before the format version never changes, nor does the form of the section
//! table, nor that the section with the tag `WASM` is the module: every version can tell a damaged file from one of
//! another version, and recompile the latter. The hash finds damage, not malice: who can write the file can write a
//! matching hash.

use std::fmt;
use std::ops::Range;

const MAGIC: [u8; 8] = *b"\x7ftenon\r\n";
const FORMAT_VERSION: u32 = 2;
const TOTAL_LENGTH: usize = 8;
const CONTENT_HASH: Range<usize> = 16..48;
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

/// An undamaged serialized module.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The WebAssembly bytes. They were valid when they were written.
    pub wasm: &'a [u8],
    /// Whether the identity is the reader's. If not, only `wasm` is of use: everything else must be made anew.
    pub same_identity: bool,
    bytes: &'a [u8],
}

impl<'a> Parts<'a> {
    /// The contents of the section with this tag, if the identity is the reader's and there is one.
    pub fn section(&self, tag: u32) -> Option<&'a [u8]> {
        if self.same_identity { find(self.bytes, tag).ok()? } else { None }
    }
}

/// A serialized module of `wasm` and other sections, for readers that name the same `identity`. `WASM` is not to
/// be among the tags.
pub fn write(wasm: &[u8], identity: &[u8], sections: &[(u32, &[u8])]) -> Vec<u8> {
    let all = || std::iter::once((WASM, wasm)).chain(sections.iter().copied());
    let count = all().count();
    let mut end = SECTIONS + count * SECTION_ENTRY;
    let mut places = Vec::with_capacity(count);
    for (tag, contents) in all() {
        let start = end.next_multiple_of(if tag == CODE || tag == MEMORIES { 4096 } else { 64 });
        places.push(start);
        end = start + contents.len();
    }
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
    let hash = content_hash(&out);
    out[CONTENT_HASH].copy_from_slice(&hash);
    out
}

/// Whether `bytes` begin like a serialized module.
pub fn is_serialized(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

/// Opens a serialized module for a reader with this `identity`.
pub fn read<'a>(bytes: &'a [u8], identity: &[u8]) -> Result<Parts<'a>, SerializeError> {
    open(bytes, identity, true)
}

/// Opens a serialized module for a reader with this `identity`, who can say whether the hash must be checked: not if the same
/// bytes have been read before.
pub fn open<'a>(bytes: &'a [u8], identity: &[u8], check_hash: bool) -> Result<Parts<'a>, SerializeError> {
    if !is_serialized(bytes) {
        return Err(SerializeError::NotSerialized);
    }
    if bytes.len() < SECTIONS {
        return Err(SerializeError::Damaged("its header is cut off"));
    }
    if get64(bytes, TOTAL_LENGTH) != Some(bytes.len() as u64) {
        return Err(SerializeError::Damaged("its length is not the one it was written with"));
    }
    if check_hash && content_hash(bytes) != bytes[CONTENT_HASH] {
        return Err(SerializeError::Damaged("its contents do not match their hash"));
    }
    let wasm = find(bytes, WASM)?.ok_or(SerializeError::Damaged("it holds no module"))?;
    let same_identity =
        get32(bytes, VERSION) == Some(FORMAT_VERSION) && identity_hash(identity) == bytes[IDENTITY_HASH];
    Ok(Parts { wasm, same_identity, bytes })
}

/// The contents of the first section with this tag.
fn find(bytes: &[u8], tag: u32) -> Result<Option<&[u8]>, SerializeError> {
    let damaged = SerializeError::Damaged("its section table does not fit");
    let count = get32(bytes, SECTION_COUNT).ok_or(damaged)? as usize;
    let entries = bytes.get(SECTIONS..).and_then(|b| b.get(..count.checked_mul(SECTION_ENTRY)?)).ok_or(damaged)?;
    for entry in entries.chunks_exact(SECTION_ENTRY) {
        if get32(entry, 0) == Some(tag) {
            let place = || {
                let start = usize::try_from(get64(entry, 8)?).ok()?;
                let len = usize::try_from(get64(entry, 16)?).ok()?;
                bytes.get(start..start.checked_add(len)?)
            };
            return Ok(Some(place().ok_or(damaged)?));
        }
    }
    Ok(None)
}

fn content_hash(bytes: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..CONTENT_HASH.start]).update(&bytes[CONTENT_HASH.end..]);
    *hasher.finalize().as_bytes()
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
        let hash = content_hash(&bytes);
        bytes[CONTENT_HASH].copy_from_slice(&hash);
        bytes
    }

    #[test]
    fn round_trip() {
        let bytes = write(b"wasm", IDENTITY, &[(CODE, &[0x90; 100]), (TABLES, b"tables"), (9, b"")]);
        let parts = read(&bytes, IDENTITY).unwrap();
        assert!(parts.same_identity);
        assert_eq!(parts.wasm, b"wasm");
        assert_eq!(parts.section(TABLES), Some(&b"tables"[..]));
        assert_eq!(parts.section(9), Some(&b""[..]));
        assert_eq!(parts.section(10), None);
        let code = parts.section(CODE).unwrap();
        assert_eq!(code, [0x90; 100]);
        assert_eq!((code.as_ptr() as usize - bytes.as_ptr() as usize) % 4096, 0);
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
        assert_eq!(parts.wasm, b"\0asm\x01\0\0\0");
        assert_eq!(parts.section(TABLES), None);

        let mut later = good;
        put32(&mut later, VERSION, FORMAT_VERSION + 1);
        let later = resealed(later);
        let parts = read(&later, IDENTITY).unwrap();
        assert!(!parts.same_identity);
        assert_eq!(parts.wasm, b"\0asm\x01\0\0\0");
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
        assert_eq!(read(&bad, IDENTITY).unwrap().section(TABLES), None);
    }
}
