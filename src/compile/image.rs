//! The code of a module's functions as two byte strings, to be stored and to be read back.
//!
//! The *blob* is the machine code and nothing else: functions at multiples of 64, filled up with `int3`, no
//! relocations, so that it can be placed as it is. The *tables* say what is where:
//!
//! ```text
//!  function count  u32
//!  entries         16 bytes each: start in the blob / 64 (u32), code bytes (u32), facts' start (u32), facts' bytes (u32)
//!  facts           of each function: vmctx_below_fp + 1 or 0; trap sites: count, then (offset - previous, code);
//!                  positions: count, then (offset - previous, module offset - previous, zigzag);
//!                  inlined bodies: count, then (start - previous, body, call);
//!                  frame_below_fp; handlers: count, then (call - previous, clause, landing);
//!                  roots: count, then (call - previous, below_fp)
//! ```
//!
//! Entries are little-endian, facts are LEB128. A function without code has an entry of zeros, one with code has facts.
//! Reading checks everything that it touches and refuses what does not fit; it never panics.

use super::code::{Clause, Code, Handler, Inlined, Position, Root, TrapSite};
use crate::trap::TrapCode;
use std::fmt;
use std::ops::Range;

/// Functions begin at multiples of this.
pub const ALIGNMENT: usize = 64;
const COUNT_SIZE: usize = 4;
const ENTRY_SIZE: usize = 16;
/// `int3`: running off the end of a function is a trap, not the next function.
const FILLER: u8 = 0xcc;

/// The code of a module's functions as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedImage {
    /// Machine code.
    pub blob: Vec<u8>,
    /// What must be known of it.
    pub tables: Vec<u8>,
}

/// Why an image cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageError {
    /// The function that is concerned; none if it is the whole.
    pub function: Option<u32>,
    /// What is wrong.
    pub what: &'static str,
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.function {
            Some(index) => write!(f, "damaged code image: function {index}: {}", self.what),
            None => write!(f, "damaged code image: {}", self.what),
        }
    }
}

impl std::error::Error for ImageError {}

/// Writes the code of a module's defined functions, in order; `None` is one that is not compiled. Too much code
/// to number (a function of 4 GiB, a blob of 256 GiB, facts of 4 GiB) is left out from there on.
pub fn encode<'a>(functions: impl IntoIterator<Item = Option<&'a Code>>) -> EncodedImage {
    let mut blob = Vec::new();
    let mut entries = Vec::new();
    let mut facts = Vec::new();
    let mut count = 0u32;
    for code in functions {
        count += 1;
        let entry = code.and_then(|code| append(code, &mut blob, &mut facts)).unwrap_or_default();
        entries.extend(entry.iter().flat_map(|field| field.to_le_bytes()));
    }
    let mut tables = Vec::with_capacity(COUNT_SIZE + entries.len() + facts.len());
    tables.extend(count.to_le_bytes());
    tables.append(&mut entries);
    tables.append(&mut facts);
    EncodedImage { blob, tables }
}

/// Appends a function; its entry.
fn append(code: &Code, blob: &mut Vec<u8>, facts: &mut Vec<u8>) -> Option<[u32; 4]> {
    let (blob_end, facts_start) = (blob.len(), facts.len());
    let start = blob_end.next_multiple_of(ALIGNMENT);
    write_facts(code, facts);
    let entry = || {
        let start = u32::try_from(start / ALIGNMENT).ok()?;
        let len = u32::try_from(code.bytes.len()).ok()?;
        let facts_end = u32::try_from(facts.len()).ok()?;
        Some([start, len, facts_start as u32, facts_end - facts_start as u32])
    };
    let entry = entry();
    if entry.is_some() {
        blob.resize(start, FILLER);
        blob.extend_from_slice(&code.bytes);
    } else {
        facts.truncate(facts_start);
    }
    entry
}

fn write_facts(code: &Code, out: &mut Vec<u8>) {
    write_leb(out, code.vmctx_below_fp.map_or(0, |distance| u64::from(distance) + 1));
    write_leb(out, code.traps.len() as u64);
    let mut previous = 0u32;
    for site in &code.traps {
        write_leb(out, u64::from(site.offset.wrapping_sub(previous)));
        out.push(site.code as u8);
        previous = site.offset;
    }
    write_leb(out, code.positions.len() as u64);
    let (mut previous, mut module_previous) = (0u32, 0u32);
    for position in &code.positions {
        write_leb(out, u64::from(position.offset.wrapping_sub(previous)));
        let step = i64::from(position.module_offset) - i64::from(module_previous);
        write_leb(out, ((step << 1) ^ (step >> 63)) as u64);
        (previous, module_previous) = (position.offset, position.module_offset);
    }
    write_leb(out, code.inlined.len() as u64);
    let mut previous = 0u32;
    for body in &code.inlined {
        write_leb(out, u64::from(body.start.wrapping_sub(previous)));
        write_leb(out, u64::from(body.body));
        write_leb(out, u64::from(body.call));
        previous = body.start;
    }
    write_leb(out, u64::from(code.frame_below_fp));
    write_leb(out, code.handlers.len() as u64);
    let mut previous = 0u32;
    for handler in &code.handlers {
        write_leb(out, u64::from(handler.call.wrapping_sub(previous)));
        write_leb(out, u64::from(handler.clause.to_u32()));
        write_leb(out, u64::from(handler.landing));
        previous = handler.call;
    }
    write_leb(out, code.roots.len() as u64);
    let mut previous = 0u32;
    for root in &code.roots {
        write_leb(out, u64::from(root.call.wrapping_sub(previous)));
        write_leb(out, u64::from(root.below_fp));
        previous = root.call;
    }
}

fn write_leb(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Where a function's code stands in the blob, and its facts.
type Entry<'a> = (Range<usize>, &'a [u8]);

/// An image that is being read.
#[derive(Clone, Copy, Debug)]
pub struct Image<'a> {
    blob: &'a [u8],
    entries: &'a [u8],
    facts: &'a [u8],
}

impl<'a> Image<'a> {
    /// Opens an image. Functions are checked when they are read.
    pub fn new(blob: &'a [u8], tables: &'a [u8]) -> Result<Image<'a>, ImageError> {
        let split = || {
            let (count, rest) = tables.split_first_chunk::<COUNT_SIZE>()?;
            let entries = usize::try_from(u32::from_le_bytes(*count)).ok()?.checked_mul(ENTRY_SIZE)?;
            rest.split_at_checked(entries)
        };
        let (entries, facts) =
            split().ok_or(ImageError { function: None, what: "the table of functions is cut off" })?;
        Ok(Image { blob, entries, facts })
    }

    /// How many functions there are, compiled or not.
    pub fn len(&self) -> u32 {
        (self.entries.len() / ENTRY_SIZE) as u32
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where the machine code of a function stands in the blob; none if it is not compiled.
    pub fn range(&self, index: u32) -> Result<Option<Range<usize>>, ImageError> {
        Ok(self.entry(index)?.map(|(range, _)| range))
    }

    /// Where the entry of a function stands in the tables.
    pub fn place_of_entry(index: u32) -> Range<usize> {
        let start = COUNT_SIZE + index as usize * ENTRY_SIZE;
        start..start + ENTRY_SIZE
    }

    /// Where the facts about a function stand in the tables; none if it is not compiled.
    pub fn place_of_facts(&self, index: u32) -> Result<Option<Range<usize>>, ImageError> {
        let before = COUNT_SIZE + self.entries.len();
        let place = |facts: &[u8]| {
            let start = before + (facts.as_ptr() as usize - self.facts.as_ptr() as usize);
            start..start + facts.len()
        };
        Ok(self.entry(index)?.map(|(_, facts)| place(facts)))
    }

    /// The code of a function; none if it is not compiled.
    pub fn function(&self, index: u32) -> Result<Option<Code>, ImageError> {
        let Some((range, facts)) = self.entry(index)? else { return Ok(None) };
        let bytes = self.blob[range].to_vec();
        let damaged = ImageError { function: Some(index), what: "its facts do not make sense" };
        read_facts(facts, bytes).ok_or(damaged).map(Some)
    }

    /// The code of all functions, in order.
    pub fn functions(&self) -> Result<Vec<Option<Code>>, ImageError> {
        (0..self.len()).map(|index| self.function(index)).collect()
    }

    /// A function's range of the blob, which is within it, and its facts.
    fn entry(&self, index: u32) -> Result<Option<Entry<'a>>, ImageError> {
        let damaged = |what| ImageError { function: Some(index), what };
        let at = index as usize * ENTRY_SIZE;
        let entry = self.entries.get(at..at + ENTRY_SIZE).ok_or(damaged("there is no such function"))?;
        let field = |i: usize| {
            u32::from_le_bytes([entry[i * 4], entry[i * 4 + 1], entry[i * 4 + 2], entry[i * 4 + 3]]) as usize
        };
        let (start, len, facts_start, facts_len) = (field(0) * ALIGNMENT, field(1), field(2), field(3));
        if facts_len == 0 {
            // Every compiled function has facts, if only their counts.
            return if entry.iter().all(|b| *b == 0) { Ok(None) } else { Err(damaged("it has code but no facts")) };
        }
        let range = start..start + len;
        if range.end > self.blob.len() {
            return Err(damaged("its code is cut off"));
        }
        let facts = self.facts.get(facts_start..facts_start + facts_len).ok_or(damaged("its facts are cut off"))?;
        Ok(Some((range, facts)))
    }
}

/// Reads facts about a function whose code is `bytes`.
fn read_facts(mut facts: &[u8], bytes: Vec<u8>) -> Option<Code> {
    let input = &mut facts;
    let size = u32::try_from(bytes.len()).ok()?;
    let step = |input: &mut &[u8], previous: u32| {
        let offset = previous.checked_add(read_leb32(input)?)?;
        (offset <= size).then_some(offset)
    };
    let vmctx_below_fp = match read_leb(input)? {
        0 => None,
        n => Some(u32::try_from(n - 1).ok()?),
    };
    // Each site and each position takes at least two bytes, so that a count is checked before it is believed.
    let count = |input: &mut &[u8]| read_leb(input).filter(|n| *n <= input.len() as u64 / 2);
    let trap_count = count(input)?;
    let mut traps = Vec::with_capacity(trap_count as usize);
    let mut offset = 0;
    for _ in 0..trap_count {
        offset = step(input, offset)?;
        let (code, rest) = input.split_first()?;
        *input = rest;
        traps.push(TrapSite { offset, code: TrapCode::from_u8(*code)? });
    }
    let position_count = count(input)?;
    let mut positions = Vec::with_capacity(position_count as usize);
    let (mut offset, mut module_offset) = (0, 0u32);
    for _ in 0..position_count {
        offset = step(input, offset)?;
        let zigzag = read_leb(input)?;
        let distance = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        module_offset = u32::try_from(i64::from(module_offset).checked_add(distance)?).ok()?;
        positions.push(Position { offset, module_offset });
    }
    let inlined_count = count(input)?;
    let mut inlined = Vec::with_capacity(inlined_count as usize);
    let mut start = 0u32;
    for _ in 0..inlined_count {
        start = start.checked_add(read_leb32(input)?)?;
        let body = read_leb32(input)?;
        // Who follows the calls outwards comes to an end.
        let call = read_leb32(input).filter(|call| *call < start)?;
        inlined.push(Inlined { start, body, call });
    }
    let frame_below_fp = read_leb32(input)?;
    let handler_count = count(input)?;
    let mut handlers = Vec::with_capacity(handler_count as usize);
    let mut call = 0;
    for _ in 0..handler_count {
        call = step(input, call)?;
        let clause = Clause::from_u32(read_leb32(input)?);
        let landing = read_leb32(input).filter(|landing| *landing < size)?;
        handlers.push(Handler { call, clause, landing });
    }
    let root_count = count(input)?;
    let mut roots = Vec::with_capacity(root_count as usize);
    let mut call = 0;
    for _ in 0..root_count {
        call = step(input, call)?;
        roots.push(Root { call, below_fp: read_leb32(input)? });
    }
    input.is_empty().then_some(Code {
        bytes,
        traps,
        positions,
        inlined,
        vmctx_below_fp,
        handlers,
        frame_below_fp,
        roots,
    })
}

fn read_leb(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first()?;
        *input = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn read_leb32(input: &mut &[u8]) -> Option<u32> {
    read_leb(input)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(offset: u32, code: TrapCode) -> TrapSite {
        TrapSite { offset, code }
    }

    fn position(offset: u32, module_offset: u32) -> Position {
        Position { offset, module_offset }
    }

    fn handler(call: u32, tag: Option<u32>, by_ref: bool, landing: u32) -> Handler {
        Handler { call, clause: Clause { tag, by_ref }, landing }
    }

    fn samples() -> Vec<Option<Code>> {
        let full = Code {
            bytes: (0..200).collect(),
            traps: vec![
                site(0, TrapCode::Unreachable),
                site(0, TrapCode::Host),
                site(199, TrapCode::CompilationFailure),
            ],
            positions: vec![position(0, u32::MAX), position(5, 0), position(5, 77), position(200, u32::MAX)],
            inlined: vec![
                Inlined { start: 90, body: 7, call: 89 },
                Inlined { start: 95, body: u32::MAX, call: 0 },
                Inlined { start: u32::MAX, body: 0, call: u32::MAX - 1 },
            ],
            vmctx_below_fp: Some(u32::MAX),
            handlers: vec![
                handler(0, Some(0), false, 199),
                handler(7, Some(u32::MAX >> 2), true, 0),
                handler(7, None, false, 5),
                handler(200, None, true, 6),
            ],
            frame_below_fp: u32::MAX,
            roots: vec![
                Root { call: 3, below_fp: u32::MAX },
                Root { call: 3, below_fp: 0 },
                Root { call: 200, below_fp: 24 },
            ],
        };
        let small = Code { bytes: vec![0xc3], vmctx_below_fp: Some(0), ..Code::default() };
        vec![None, Some(full), Some(Code::default()), None, Some(small), None]
    }

    fn encoded(functions: &[Option<Code>]) -> EncodedImage {
        encode(functions.iter().map(Option::as_ref))
    }

    #[test]
    fn round_trip() {
        let functions = samples();
        let EncodedImage { blob, tables } = encoded(&functions);
        let image = Image::new(&blob, &tables).unwrap();
        assert_eq!(image.len(), 6);
        assert_eq!(image.functions().unwrap(), functions);
        assert_eq!(image.range(1).unwrap(), Some(0..200));
        assert_eq!(image.range(4).unwrap(), Some(256..257));
        assert_eq!(blob[199..257], [&[199][..], &[FILLER; 56], &[0xc3]].concat());
        assert_eq!(image.range(3).unwrap(), None);
        assert_eq!(image.function(6).unwrap_err().function, Some(6));
    }

    #[test]
    fn every_trap_code_survives() {
        let traps = TrapCode::ALL.iter().enumerate().map(|(i, code)| site(i as u32, *code)).collect();
        let functions = [Some(Code { bytes: vec![0; 64], traps, ..Code::default() })];
        let EncodedImage { blob, tables } = encoded(&functions);
        assert_eq!(Image::new(&blob, &tables).unwrap().functions().unwrap(), functions);
    }

    #[test]
    fn nothing_is_an_image_too() {
        let EncodedImage { blob, tables } = encoded(&[]);
        assert!(Image::new(&blob, &tables).unwrap().is_empty());
        assert!(Image::new(&[], &[]).is_err());
    }

    #[test]
    fn truncations_are_refused() {
        let EncodedImage { blob, tables } = encoded(&samples());
        for len in 0..tables.len() {
            let whole = Image::new(&blob, &tables[..len]).and_then(|image| image.functions());
            assert!(whole.is_err(), "tables cut to {len} bytes were accepted");
        }
        for len in 0..blob.len() {
            let whole = Image::new(&blob[..len], &tables).and_then(|image| image.functions());
            assert!(whole.is_err(), "a blob cut to {len} bytes was accepted");
        }
    }

    #[test]
    fn what_is_read_from_changed_tables_is_within_bounds() {
        let EncodedImage { blob, tables } = encoded(&samples());
        let (mut refused, mut read) = (0, 0);
        for at in 0..tables.len() {
            for value in 0..=255 {
                let mut tables = tables.clone();
                tables[at] = value;
                match Image::new(&blob, &tables).and_then(|image| image.functions()) {
                    Err(_) => refused += 1,
                    Ok(functions) => {
                        read += 1;
                        for code in functions.into_iter().flatten() {
                            let size = code.bytes.len() as u32;
                            assert!(code.traps.is_sorted_by_key(|t| t.offset));
                            assert!(code.positions.is_sorted_by_key(|p| p.offset));
                            assert!(code.traps.iter().all(|t| t.offset <= size));
                            assert!(code.positions.iter().all(|p| p.offset <= size));
                            assert!(code.inlined.is_sorted_by_key(|b| b.start));
                            assert!(code.inlined.iter().all(|b| b.call < b.start));
                            assert!(code.handlers.is_sorted_by_key(|h| h.call));
                            assert!(code.handlers.iter().all(|h| h.call <= size && h.landing < size));
                            assert!(code.roots.is_sorted_by_key(|r| r.call));
                            assert!(code.roots.iter().all(|r| r.call <= size));
                        }
                    }
                }
            }
        }
        println!("changed tables: {refused} refused, {read} read");
        assert_eq!(refused + read, tables.len() * 256);
        assert!(refused > read);
    }

    #[test]
    fn counts_are_not_believed() {
        // One function without code, whose facts claim 2^60 trap sites.
        let mut tables = 1u32.to_le_bytes().to_vec();
        let mut facts = vec![0];
        write_leb(&mut facts, 1 << 60);
        for field in [0, 0, 0, facts.len() as u32] {
            tables.extend(field.to_le_bytes());
        }
        tables.extend(&facts);
        let error = Image::new(&[], &tables).unwrap().function(0).unwrap_err();
        assert_eq!(error.to_string(), "damaged code image: function 0: its facts do not make sense");
        // A table that claims 2^32 - 1 functions.
        assert!(Image::new(&[], &[0xff; 40]).is_err());
    }
}
