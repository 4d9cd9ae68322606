//! The specification's words for bytes that are not a module.
//!
//! What comes first decides what is said: where a count is wrong, the specification's decoder reads on and stumbles over
//! something behind it, while ours knows the end of each section and body. So a module that was refused is read once more, in the
//! order of the specification (section 5.5) and with no bound but the end of the bytes. It decides nothing but words.

use wasmparser::{BinaryReader, Operator, OperatorsReader, WasmFeatures};

/// What is wrong, and at which byte.
pub(super) type Malformed = (String, usize);

/// A reader of all bytes.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// The order of the sections but for custom ones, by their ids.
const ORDER: [u8; 13] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/// The language that instructions are read in, whatever is switched off.
const LANGUAGE: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::LEGACY_EXCEPTIONS)
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::WIDE_ARITHMETIC);

/// What sections say about each other.
#[derive(Default)]
struct Counts {
    functions: usize,
    bodies: usize,
    data_count: Option<usize>,
    data: usize,
    uses_data: bool,
}

/// Finds what the specification's decoder finds first, if it finds anything.
pub(super) fn find(bytes: &[u8]) -> Option<Malformed> {
    Reader { bytes, at: 0 }.module().err()
}

impl Reader<'_> {
    fn error<T>(&self, what: &str) -> Result<T, Malformed> {
        Err((what.into(), self.at.min(self.bytes.len())))
    }

    fn require(&self, condition: bool, what: &str) -> Result<(), Malformed> {
        if condition { Ok(()) } else { self.error(what) }
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        let Some(byte) = self.bytes.get(self.at) else { return self.error("unexpected end of section or function") };
        self.at += 1;
        Ok(*byte)
    }

    fn skip(&mut self, count: usize) -> Result<(), Malformed> {
        self.require(count <= self.bytes.len() - self.at, "unexpected end of section or function")?;
        self.at += count;
        Ok(())
    }

    /// An unsigned integer in LEB128.
    fn unsigned(&mut self, bits: u32) -> Result<u64, Malformed> {
        let (mut value, mut shift) = (0, 0);
        loop {
            self.require(shift < bits, "integer representation too long")?;
            let byte = self.byte()?;
            let left = bits - shift;
            self.require(left >= 7 || u32::from(byte & 0x7f) < 1 << left, "integer too large")?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
            shift += 7;
        }
    }

    /// A signed integer in LEB128, of at most 33 bits.
    fn signed(&mut self, bits: u32) -> Result<i64, Malformed> {
        let (mut value, mut shift) = (0, 0);
        loop {
            self.require(shift < bits, "integer representation too long")?;
            let byte = self.byte()?;
            let left = bits - shift;
            if left < 7 {
                // The bits beyond must all be the sign.
                let beyond = (byte & 0x7f) >> (left - 1);
                self.require(beyond == 0 || beyond == 0x7f >> (left - 1), "integer too large")?;
            }
            value |= i64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return Ok(value << (64 - shift) >> (64 - shift));
            }
        }
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(self.unsigned(32)? as u32)
    }

    /// A length: that many bytes must be there.
    fn length(&mut self) -> Result<usize, Malformed> {
        let length = self.u32()? as usize;
        self.require(length <= self.bytes.len() - self.at, "length out of bounds")?;
        Ok(length)
    }

    fn vec(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Malformed>) -> Result<usize, Malformed> {
        // Each item takes a byte at least, so that a count which is too large ends with the bytes.
        let count = self.u32()? as usize;
        for _ in 0..count {
            item(self)?;
        }
        Ok(count)
    }

    fn name(&mut self) -> Result<(), Malformed> {
        let (length, start) = (self.length()?, self.at);
        self.skip(length)?;
        self.require(std::str::from_utf8(&self.bytes[start..self.at]).is_ok(), "malformed UTF-8 encoding")
    }

    // Types.

    fn heap_type(&mut self) -> Result<(), Malformed> {
        let ty = self.signed(33)?;
        self.require(ty >= 0 || (-0x18..=-0xb).contains(&ty), "malformed heap type")
    }

    fn ref_type(&mut self) -> Result<(), Malformed> {
        match self.bytes.get(self.at) {
            Some(0x63 | 0x64) => {
                self.at += 1;
                self.heap_type()
            }
            _ => {
                let ty = self.signed(7)?;
                self.require((-0x18..=-0xb).contains(&ty), "malformed reference type")
            }
        }
    }

    fn val_type(&mut self) -> Result<(), Malformed> {
        match self.bytes.get(self.at) {
            Some(0x7b..=0x7f) => self.skip(1),
            _ => self.ref_type(),
        }
    }

    fn mutability(&mut self) -> Result<(), Malformed> {
        let flag = self.byte()?;
        self.require(flag <= 1, "malformed mutability")
    }

    fn field(&mut self) -> Result<(), Malformed> {
        match self.bytes.get(self.at) {
            Some(0x77 | 0x78) => self.skip(1)?,
            _ => self.val_type()?,
        }
        self.mutability()
    }

    fn comp_type(&mut self) -> Result<(), Malformed> {
        match self.signed(7)? {
            -0x20 => {
                self.vec(Self::val_type)?;
                self.vec(Self::val_type)?;
            }
            -0x21 => drop(self.vec(Self::field)?),
            -0x22 => self.field()?,
            _ => self.error("malformed definition type")?,
        }
        Ok(())
    }

    fn sub_type(&mut self) -> Result<(), Malformed> {
        if let Some(0x4f | 0x50) = self.bytes.get(self.at) {
            self.at += 1;
            self.vec(|this| this.u32().map(drop))?;
        }
        self.comp_type()
    }

    fn rec_type(&mut self) -> Result<(), Malformed> {
        if self.bytes.get(self.at) != Some(&0x4e) {
            return self.sub_type();
        }
        self.at += 1;
        self.vec(Self::sub_type).map(drop)
    }

    /// Flags: 1 for a maximum, 2 for shared, 4 for 64 bits, 8 for a page size.
    fn limits(&mut self, flags_allowed: u8) -> Result<(), Malformed> {
        let flags = self.byte()?;
        let known = flags & !flags_allowed == 0;
        self.require(known, "malformed limits flags")?;
        if flags & 8 == 0 {
            return self.bounds(flags);
        }
        // The core language does not know page sizes: what cannot be read as one has a wrong flag.
        self.bounds(flags).or_else(|_| self.error("malformed limits flags"))?;
        let page_size_log2 = self.u32()?;
        self.require(page_size_log2 < 64, "invalid custom page size")
    }

    fn bounds(&mut self, flags: u8) -> Result<(), Malformed> {
        self.unsigned(64)?;
        if flags & 1 != 0 {
            self.unsigned(64)?;
        }
        Ok(())
    }

    fn memory(&mut self) -> Result<(), Malformed> {
        self.limits(0xf)
    }

    fn table_type(&mut self) -> Result<(), Malformed> {
        self.ref_type()?;
        self.limits(7)
    }

    fn global_type(&mut self) -> Result<(), Malformed> {
        self.val_type()?;
        self.mutability()
    }

    fn tag(&mut self) -> Result<(), Malformed> {
        let attribute = self.byte()?;
        self.require(attribute == 0, "malformed tag attribute")?;
        self.u32().map(drop)
    }

    // Instructions.

    /// An expression with its `end`.
    fn expression(&mut self, counts: &mut Counts) -> Result<(), Malformed> {
        let reader = BinaryReader::new_features(&self.bytes[self.at..], self.at as u64, LANGUAGE);
        let (mut operators, mut depth) = (OperatorsReader::new(reader), 1);
        while depth > 0 {
            self.at = operators.original_position() as usize;
            match operators.read() {
                Ok(
                    Operator::Block { .. }
                    | Operator::Loop { .. }
                    | Operator::If { .. }
                    | Operator::Try { .. }
                    | Operator::TryTable { .. },
                ) => depth += 1,
                Ok(Operator::End | Operator::Delegate { .. }) => depth -= 1,
                Ok(Operator::MemoryInit { .. } | Operator::DataDrop { .. }) => counts.uses_data = true,
                Ok(_) => {}
                Err(error) => {
                    let opcode = self.bytes.get(self.at).copied().unwrap_or(0);
                    let words = operator_words(error.message(), opcode);
                    return Err((words, error.offset() as usize));
                }
            }
        }
        self.at = operators.original_position() as usize;
        Ok(())
    }

    // Sections.

    fn import(&mut self) -> Result<(), Malformed> {
        self.name()?;
        self.name()?;
        match self.byte()? {
            0 => self.u32().map(drop),
            1 => self.table_type(),
            2 => self.memory(),
            3 => self.global_type(),
            4 => self.tag(),
            _ => {
                self.at -= 1;
                self.error("malformed import kind")
            }
        }
    }

    fn export(&mut self) -> Result<(), Malformed> {
        self.name()?;
        let kind = self.byte()?;
        self.require(kind <= 4, "malformed export kind")?;
        self.u32().map(drop)
    }

    fn table(&mut self, counts: &mut Counts) -> Result<(), Malformed> {
        if self.bytes.get(self.at) != Some(&0x40) {
            return self.table_type();
        }
        self.at += 1;
        let zero = self.byte()?;
        self.require(zero == 0, "zero byte expected")?;
        self.table_type()?;
        self.expression(counts)
    }

    fn element_kind(&mut self) -> Result<(), Malformed> {
        let kind = self.byte()?;
        self.require(kind == 0, "malformed elements segment kind")
    }

    /// Flags: 1 for passive or declared, 2 for a table or declared, 4 for expressions.
    fn element(&mut self, counts: &mut Counts) -> Result<(), Malformed> {
        let flags = self.u32()?;
        self.require(flags < 8, "malformed elements segment kind")?;
        if flags & 1 == 0 {
            if flags & 2 != 0 {
                self.u32()?;
            }
            self.expression(counts)?;
        }
        match flags & 7 {
            0 | 4 => {}
            1..=3 => self.element_kind()?,
            _ => self.ref_type()?,
        }
        if flags & 4 == 0 { self.vec(|this| this.u32().map(drop)) } else { self.vec(|this| this.expression(counts)) }
            .map(drop)
    }

    fn body(&mut self, counts: &mut Counts) -> Result<(), Malformed> {
        let (size, start) = (self.length()?, self.at);
        let mut locals = 0;
        self.vec(|this| {
            locals += u64::from(this.u32()?);
            this.val_type()
        })?;
        self.require(locals <= u64::from(u32::MAX), "too many locals")?;
        self.expression(counts)?;
        self.require(self.at == start + size, "section size mismatch")
    }

    fn segment(&mut self, counts: &mut Counts) -> Result<(), Malformed> {
        let flags = self.u32()?;
        self.require(flags <= 2, "malformed data segment kind")?;
        if flags == 2 {
            self.u32()?;
        }
        if flags != 1 {
            self.expression(counts)?;
        }
        let length = self.u32()? as usize;
        self.skip(length)
    }

    fn section(&mut self, id: u8, counts: &mut Counts) -> Result<(), Malformed> {
        match id {
            1 => drop(self.vec(Self::rec_type)?),
            2 => drop(self.vec(Self::import)?),
            3 => counts.functions = self.vec(|this| this.u32().map(drop))?,
            4 => drop(self.vec(|this| this.table(counts))?),
            5 => drop(self.vec(Self::memory)?),
            6 => drop(self.vec(|this| {
                this.global_type()?;
                this.expression(counts)
            })?),
            7 => drop(self.vec(Self::export)?),
            8 => drop(self.u32()?),
            9 => drop(self.vec(|this| this.element(counts))?),
            10 => {
                // Only bodies can be what the data count section is for.
                counts.uses_data = false;
                counts.bodies = self.vec(|this| this.body(counts))?;
            }
            11 => counts.data = self.vec(|this| this.segment(&mut Counts::default()))?,
            12 => counts.data_count = Some(self.u32()? as usize),
            _ => drop(self.vec(Self::tag)?),
        }
        Ok(())
    }

    /// The id of the section that begins here.
    fn section_id(&self) -> Result<Option<u8>, Malformed> {
        let id = self.bytes.get(self.at).copied();
        self.require(id.is_none_or(|id| id <= 13), "malformed section id")?;
        Ok(id)
    }

    fn custom_sections(&mut self) -> Result<(), Malformed> {
        while self.section_id()? == Some(0) {
            self.at += 1;
            let (size, start) = (self.length()?, self.at);
            self.name()?;
            self.require(self.at - start <= size, "unexpected end of section or function")?;
            self.at = start + size;
        }
        Ok(())
    }

    fn module(&mut self) -> Result<(), Malformed> {
        for (header, words) in [(b"\0asm", "magic header not detected"), (b"\x01\0\0\0", "unknown binary version")] {
            let start = self.at;
            self.skip(4)?;
            if self.bytes[start..self.at] != *header {
                return Err((words.into(), start));
            }
        }
        let mut counts = Counts::default();
        self.custom_sections()?;
        for id in ORDER {
            if self.section_id()? == Some(id) {
                self.at += 1;
                let (size, start) = (self.length()?, self.at);
                self.section(id, &mut counts)?;
                self.require(self.at == start + size, "section size mismatch")?;
            }
            self.custom_sections()?;
        }
        self.require(self.at == self.bytes.len(), "unexpected content after last section")?;
        let Counts { functions, bodies, data_count, data, uses_data } = counts;
        self.require(functions == bodies, "function and code section have inconsistent lengths")?;
        let same = data_count.is_none_or(|count| count == data);
        self.require(same, "data count and data section have inconsistent lengths")?;
        self.require(data_count.is_some() || !uses_data, "data count section required")
    }
}

/// What the specification says where wasmparser says `text` about an instruction.
fn operator_words(text: &str, opcode: u8) -> String {
    let words = match text {
        "unexpected end-of-file" => "unexpected end of section or function",
        _ if text.starts_with("illegal opcode") => return format!("illegal opcode {opcode:02x}"),
        _ if text.starts_with("malformed memop") || text.contains("alignment") => "malformed memop flags",
        // The byte that would be an `else` stands where an `end` should.
        _ if text.contains("else") || text.contains("catch") => "END opcode expected",
        _ => text.strip_prefix("invalid var_").and_then(|rest| rest.split_once(": ")).map_or(text, |(_, what)| what),
    };
    words.into()
}
