//! Bytes to `Module`: one pass over the sections, each validated by wasmparser and then taken over.
//!
//! Function bodies are only delimited on the way and validated at the end (`validate.rs`); names and other custom
//! sections are not read. Memory stays within a small multiple of the input: a count is checked against the
//! bytes that are there before anything is reserved for it.

use super::error::{ModuleError, ModuleErrorKind};
use super::validate::Bodies;
use super::*;
use crate::config::Features;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use wasmparser::{BinaryReader, Chunk, DataSectionReader, FromReader, Operator, Parser, Payload, SectionLimited};
use wasmparser::{Validator, ValidatorResources, WasmFeatures};

impl Module {
    /// Decodes and validates `bytes`. `threads` is how many may work on it, the calling one included.
    pub fn new(bytes: Arc<[u8]>, features: &Features, threads: usize) -> Result<Module, ModuleError> {
        let mut module = decode(&bytes, features, Check::Bodies(threads))?;
        module.bytes = bytes.into();
        Ok(module)
    }

    /// Decodes what was a valid module with the same features when `facts` was written down. Its code, names and, if the facts
    /// say so, its data are not looked at. What is, is checked: an error means that it is damaged.
    pub fn trusted(bytes: Bytes, features: &Features, facts: ModuleFacts) -> Result<Module, ModuleError> {
        let mut module = decode_in_one_pass(&bytes, features, Check::Trust(&bytes, facts))?;
        module.bytes = bytes;
        Ok(module)
    }

    /// What must be known of it so that code and data need not be read. `data_is_spent`: nobody will ask for its data
    /// segments, as they are all active and run by other means.
    pub fn facts(&self, data_is_spent: bool) -> ModuleFacts {
        let spent_data = if data_is_spent { self.data.len() as u32 + self.spent_data } else { 0 };
        let (tail_calls_out, objects, written_tables) = (self.tail_calls_out, self.objects, self.written_tables);
        ModuleFacts { tail_calls_out, objects, written_tables, spent_data, bodies: self.bodies.clone() }
    }

    /// Whether `bytes` are a module that `Module::new` takes, and if not, why.
    pub fn validate_only(bytes: &[u8], features: &Features, threads: usize) -> Result<(), ModuleError> {
        decode(bytes, features, Check::Bodies(threads)).map(|_| ())
    }
}

/// What is found out about a module by reading its code and data sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleFacts {
    /// As in [`Module`].
    pub tail_calls_out: bool,
    /// As in [`Module`].
    pub objects: bool,
    /// As in [`Module`].
    pub written_tables: u32,
    /// As in [`Module`].
    pub spent_data: u32,
    /// As in [`Module`].
    pub bodies: Vec<Range<u32>>,
}

/// What becomes of the bodies.
enum Check<'a> {
    /// They are validated by so many threads.
    Bodies(usize),
    /// They were, and this was found.
    Trust(&'a Bytes, ModuleFacts),
}

/// The language that modules may be written in.
pub(super) fn wasm_features(features: &Features) -> WasmFeatures {
    let mut allowed = WasmFeatures::WASM2.union(WasmFeatures::EXTENDED_CONST);
    allowed.set(WasmFeatures::SIMD, features.simd);
    allowed.set(WasmFeatures::RELAXED_SIMD, features.simd && features.relaxed_simd);
    allowed.set(WasmFeatures::EXCEPTIONS, features.exceptions);
    allowed.set(WasmFeatures::LEGACY_EXCEPTIONS, features.exceptions && features.legacy_exceptions);
    allowed.set(WasmFeatures::TAIL_CALL, features.tail_calls);
    let function_references = features.reference_types && features.function_references;
    allowed.set(WasmFeatures::FUNCTION_REFERENCES, function_references);
    allowed.set(WasmFeatures::GC, function_references && features.gc);
    allowed.set(WasmFeatures::REFERENCE_TYPES, features.reference_types);
    allowed.set(WasmFeatures::MULTI_MEMORY, features.multi_memory);
    allowed.set(WasmFeatures::MEMORY64, features.memory64);
    allowed.set(WasmFeatures::CUSTOM_PAGE_SIZES, features.custom_page_sizes);
    allowed.set(WasmFeatures::WIDE_ARITHMETIC, features.wide_arithmetic);
    allowed.set(WasmFeatures::THREADS, features.threads);
    allowed
}

/// The module of `bytes`, which its field `bytes` does not hold yet.
fn decode(bytes: &[u8], features: &Features, check: Check<'_>) -> Result<Module, ModuleError> {
    decode_in_one_pass(bytes, features, check).map_err(|error| error.in_words_of_specification(bytes))
}

fn decode_in_one_pass(bytes: &[u8], features: &Features, check: Check<'_>) -> Result<Module, ModuleError> {
    if bytes.len() > limits::MAX_MODULE_SIZE {
        let message = format!("module of {} bytes; at most {} are allowed", bytes.len(), limits::MAX_MODULE_SIZE);
        return Err(ModuleError::new(ModuleErrorKind::Limit, message, None));
    }
    let features = wasm_features(features);
    let validator = Validator::new_with_features(features);
    let mut decoder = Decoder { features, validator, resources: None, data: None, module: Module::empty() };
    let sections = match &check {
        Check::Bodies(_) => decoder.sections(bytes),
        Check::Trust(bytes, facts) => decoder.trusted_sections(bytes, facts),
    };
    let Decoder { mut validator, resources, data, mut module, .. } = decoder;
    let read_data = || data.map_or(Ok(Vec::new()), |s| data_section(s, &mut validator, &module.memories, bytes));
    // The first error is the one to report: sections before the code, bodies, the data section, what is behind it.
    let data = match (resources, check) {
        (_, Check::Trust(_, facts)) => {
            (module.tail_calls_out, module.objects) = (facts.tail_calls_out, facts.objects);
            module.written_tables = facts.written_tables;
            module.spent_data = facts.spent_data;
            module.bodies = facts.bodies;
            read_data()
        }
        (Some(resources), Check::Bodies(threads)) => {
            let bodies = Bodies {
                bytes,
                ranges: &module.bodies,
                types: &module.functions[module.imported_functions as usize..],
                first_index: module.imported_functions,
                resources,
                features,
                tail_calls_out: AtomicBool::new(false),
                objects: AtomicBool::new(false),
                written_tables: AtomicU32::new(0),
            };
            let (checked, data) = bodies.validate(threads, read_data);
            module.tail_calls_out = bodies.tail_calls_out.load(Ordering::Relaxed);
            module.objects = bodies.objects.load(Ordering::Relaxed);
            module.written_tables = bodies.written_tables.load(Ordering::Relaxed);
            checked.map_err(|error| named(error, &module, bytes))?;
            data
        }
        (None, _) => read_data(),
    };
    module.data = data?;
    sections?;
    Ok(module)
}

/// Adds the function's name to an error, if the module tells it.
fn named(mut error: ModuleError, module: &Module, bytes: &[u8]) -> ModuleError {
    if let Some((index, name @ None)) = &mut error.function {
        let exported = || module.exports.iter().find(|e| e.kind == ExternKind::Func && e.index == *index);
        *name = names::Names::read(module, bytes)
            .function(bytes, *index)
            .map(String::from)
            .or_else(|| exported().map(|e| e.name.clone()));
    }
    error
}

struct Decoder<'a> {
    features: WasmFeatures,
    validator: Validator,
    /// What bodies are validated against, once the code section has been seen.
    resources: Option<ValidatorResources>,
    /// The data section, which is left for the time in which other threads are busy with the bodies.
    data: Option<DataSectionReader<'a>>,
    module: Module,
}

impl<'a> Decoder<'a> {
    fn sections(&mut self, bytes: &'a [u8]) -> Result<(), ModuleError> {
        let mut parser = Parser::new(0);
        parser.set_features(self.features);
        for payload in parser.parse_all(bytes) {
            self.payload(payload?)?;
        }
        Ok(())
    }

    /// As `sections`, but what stands in the code section is known, and perhaps what stands in the data section.
    fn trusted_sections(&mut self, bytes: &'a Bytes, facts: &ModuleFacts) -> Result<(), ModuleError> {
        let mut parser = Parser::new(0);
        parser.set_features(self.features);
        let mut at = 0;
        loop {
            let parsed = parser.parse(bytes.get(at..).unwrap_or_default(), true);
            let Ok(Chunk::Parsed { consumed, payload }) = parsed else { return Err(damaged(at)) };
            // What is passed over is not checked, either. The parser has read the rest, but nothing came of that yet.
            let read_to = match &payload {
                Payload::DataSection(section) if facts.spent_data > 0 => section.range().start as usize,
                Payload::CustomSection(section) => section.data_range().start as usize,
                _ => at + consumed,
            };
            if !bytes.check(at..read_to.clamp(at, at + consumed)) {
                return Err(damaged(at));
            }
            at += consumed;
            match payload {
                Payload::CodeSectionStart { unchecked_range, size, .. } => {
                    self.validator.code_section_start(&unchecked_range)?;
                    parser.skip_section();
                    at += size as usize;
                }
                Payload::DataSection(_) if facts.spent_data > 0 => {}
                Payload::End(_) => return Ok(()),
                payload => self.payload(payload)?,
            }
        }
    }

    fn payload(&mut self, payload: Payload<'a>) -> Result<(), ModuleError> {
        match payload {
            Payload::Version { num, encoding, range } => self.validator.version(num, encoding, &range)?,
            Payload::TypeSection(s) => {
                check_count(&s, "types", 2)?;
                self.validator.type_section(&s)?;
                self.module.types.reserve_exact(s.count() as usize);
                for group in s {
                    let group = types::rec_group(&self.module.types, group?)?;
                    self.module.types.extend(group);
                }
            }
            Payload::ImportSection(s) => {
                check_count(&s, "imports", 4)?;
                self.validator.import_section(&s)?;
                self.module.imports.reserve_exact(s.count() as usize);
                for import in s.into_imports() {
                    self.import(&import?)?;
                }
            }
            Payload::FunctionSection(s) => {
                check_count(&s, "functions", 1)?;
                self.validator.function_section(&s)?;
                self.module.functions.reserve_exact(s.count() as usize);
                for ty in s {
                    self.module.functions.push(ty?);
                }
            }
            Payload::TableSection(s) => {
                check_count(&s, "tables", 3)?;
                self.validator.table_section(&s)?;
                for table in s {
                    let table = table?;
                    let ty = self.module.table_type(&table.ty)?;
                    self.module.tables.push(ty);
                    self.module.table_inits.push(match &table.init {
                        wasmparser::TableInit::RefNull => vec![ConstOp::RefNull],
                        wasmparser::TableInit::Expr(e) => const_expr(e, &self.module.types)?,
                    });
                }
            }
            Payload::MemorySection(s) => {
                check_count(&s, "memories", 2)?;
                self.validator.memory_section(&s)?;
                for memory in s {
                    self.module.memories.push(memory_type(&memory?));
                }
            }
            Payload::TagSection(s) => {
                check_count(&s, "tags", 2)?;
                self.validator.tag_section(&s)?;
                self.module.tags.reserve_exact(s.count() as usize);
                for tag in s {
                    self.module.tags.push(tag?.func_type_idx);
                }
            }
            Payload::GlobalSection(s) => {
                check_count(&s, "globals", 3)?;
                self.validator.global_section(&s)?;
                self.module.globals.reserve_exact(s.count() as usize);
                self.module.global_inits.reserve_exact(s.count() as usize);
                for global in s {
                    let global = global?;
                    self.module.globals.push(self.module.global_type(&global.ty)?);
                    self.module.global_inits.push(const_expr(&global.init_expr, &self.module.types)?);
                }
            }
            Payload::ExportSection(s) => {
                check_count(&s, "exports", 3)?;
                self.validator.export_section(&s)?;
                self.module.exports.reserve_exact(s.count() as usize);
                for export in s {
                    let export = export?;
                    let kind = match export.kind {
                        wasmparser::ExternalKind::Func => ExternKind::Func,
                        wasmparser::ExternalKind::Table => ExternKind::Table,
                        wasmparser::ExternalKind::Memory => ExternKind::Memory,
                        wasmparser::ExternalKind::Global => ExternKind::Global,
                        wasmparser::ExternalKind::Tag => ExternKind::Tag,
                        other => return Err(unsupported(format!("export of kind {other:?}"))),
                    };
                    self.module.exports.push(Export { name: export.name.into(), kind, index: export.index });
                }
            }
            Payload::StartSection { func, range } => {
                self.validator.start_section(func, &range)?;
                self.module.start = Some(func);
            }
            Payload::ElementSection(s) => {
                check_count(&s, "element segments", 3)?;
                self.validator.element_section(&s)?;
                self.module.elements.reserve_exact(s.count() as usize);
                for element in s {
                    self.module.elements.push(element_segment(element?, &self.module.types)?);
                }
            }
            Payload::DataCountSection { count, range } => self.validator.data_count_section(count, &range)?,
            Payload::CodeSectionStart { count, unchecked_range, .. } => {
                self.validator.code_section_start(&unchecked_range)?;
                // The parser has compared the count with that of the function section.
                self.module.bodies.reserve_exact(count as usize);
            }
            Payload::CodeSectionEntry(body) => {
                if self.resources.is_none() {
                    self.resources = Some(self.validator.code_section_entry(&body)?.resources);
                }
                let range = body.range();
                self.module.bodies.push(range.start as u32..range.end as u32);
            }
            Payload::DataSection(s) => self.data = Some(s),
            Payload::CustomSection(s) => {
                let section = match s.name() {
                    "name" => &mut self.module.name_section,
                    hints::SECTION => &mut self.module.hint_section,
                    _ => return Ok(()),
                };
                let range = s.data_range();
                section.get_or_insert(range.start as u32..range.end as u32);
            }
            Payload::End(_) => {}
            Payload::UnknownSection { id, range, .. } => self.validator.unknown_section(id, &range)?,
            // What is left are the sections of components, whose header was refused.
            _ => return Err(unsupported("component".into())),
        }
        Ok(())
    }

    fn import(&mut self, import: &wasmparser::Import<'_>) -> Result<(), ModuleError> {
        let module = &mut self.module;
        let kind = match &import.ty {
            wasmparser::TypeRef::Func(ty) => {
                module.functions.push(*ty);
                module.imported_functions += 1;
                ExternKind::Func
            }
            wasmparser::TypeRef::Table(ty) => {
                module.tables.push(module.table_type(ty)?);
                module.imported_tables += 1;
                ExternKind::Table
            }
            wasmparser::TypeRef::Memory(ty) => {
                module.memories.push(memory_type(ty));
                module.imported_memories += 1;
                ExternKind::Memory
            }
            wasmparser::TypeRef::Global(ty) => {
                module.globals.push(module.global_type(ty)?);
                module.imported_globals += 1;
                ExternKind::Global
            }
            wasmparser::TypeRef::Tag(ty) => {
                module.tags.push(ty.func_type_idx);
                module.imported_tags += 1;
                ExternKind::Tag
            }
            other => return Err(unsupported(format!("import of kind {other:?}"))),
        };
        module.imports.push(Import { module: import.module.into(), name: import.name.into(), kind });
        Ok(())
    }
}

/// Refuses a count that the section's bytes cannot hold, before anything is reserved for it.
fn check_count<'a, T: FromReader<'a>>(s: &SectionLimited<'a, T>, what: &str, min_size: u64) -> Result<(), ModuleError> {
    let (count, range) = (u64::from(s.count()), s.range());
    // The range includes the count itself, so this is generous by at most five bytes.
    let size = range.end.saturating_sub(range.start);
    if count * min_size <= size {
        return Ok(());
    }
    let message = format!("unexpected end: {count} {what} are declared in a section of {size} bytes");
    Err(ModuleError::new(ModuleErrorKind::Malformed, message, range.start as usize))
}

/// The answer to what validation should already have refused.
pub(super) fn unsupported(what: String) -> ModuleError {
    ModuleError::new(ModuleErrorKind::Unsupported, format!("feature not enabled: {what}"), None)
}

/// The answer to a trusted module that is not what it was.
fn damaged(at: usize) -> ModuleError {
    ModuleError::new(ModuleErrorKind::Malformed, String::from("damaged"), at)
}

fn memory_type(ty: &wasmparser::MemoryType) -> MemoryType {
    MemoryType {
        limits: Limits { min: ty.initial, max: ty.maximum },
        is64: ty.memory64,
        shared: ty.shared,
        page_size_log2: ty.page_size_log2.map_or(16, |log2| log2 as u8),
    }
}

/// `types` are those of the module. Offsets of segments need none: they are numbers.
fn const_expr(expr: &wasmparser::ConstExpr<'_>, types: &[DefType]) -> Result<ConstExpr, ModuleError> {
    let mut ops = Vec::with_capacity(1);
    for op in expr.get_operators_reader() {
        ops.push(match op? {
            Operator::I32Const { value } => ConstOp::I32Const(value),
            Operator::I64Const { value } => ConstOp::I64Const(value),
            Operator::F32Const { value } => ConstOp::F32Const(value.bits()),
            Operator::F64Const { value } => ConstOp::F64Const(value.bits()),
            Operator::V128Const { value } => ConstOp::V128Const(value.i128() as u128),
            Operator::GlobalGet { global_index } => ConstOp::GlobalGet(global_index),
            Operator::RefNull { .. } => ConstOp::RefNull,
            Operator::RefFunc { function_index } => ConstOp::RefFunc(function_index),
            Operator::StructNew { struct_type_index: ty } => {
                let fields = match types.get(ty as usize) {
                    Some(DefType::Struct(declared)) => declared.fields().len() as u32,
                    _ => 0,
                };
                ConstOp::StructNew { ty, fields }
            }
            Operator::StructNewDefault { struct_type_index } => ConstOp::StructNewDefault(struct_type_index),
            Operator::ArrayNew { array_type_index } => ConstOp::ArrayNew(array_type_index),
            Operator::ArrayNewDefault { array_type_index } => ConstOp::ArrayNewDefault(array_type_index),
            Operator::ArrayNewFixed { array_type_index: ty, array_size: len } => ConstOp::ArrayNewFixed { ty, len },
            Operator::RefI31 => ConstOp::RefI31,
            Operator::AnyConvertExtern => ConstOp::AnyConvertExtern,
            Operator::ExternConvertAny => ConstOp::ExternConvertAny,
            Operator::I32Add => ConstOp::I32Add,
            Operator::I32Sub => ConstOp::I32Sub,
            Operator::I32Mul => ConstOp::I32Mul,
            Operator::I64Add => ConstOp::I64Add,
            Operator::I64Sub => ConstOp::I64Sub,
            Operator::I64Mul => ConstOp::I64Mul,
            Operator::End => break,
            other => return Err(unsupported(format!("constant instruction {other:?}"))),
        });
    }
    Ok(ops)
}

fn element_segment(element: wasmparser::Element<'_>, types: &[DefType]) -> Result<ElementSegment, ModuleError> {
    let mode = match &element.kind {
        wasmparser::ElementKind::Passive => SegmentMode::Passive,
        wasmparser::ElementKind::Declared => SegmentMode::Declared,
        wasmparser::ElementKind::Active { table_index, offset_expr } => {
            SegmentMode::Active { index: table_index.unwrap_or(0), offset: const_expr(offset_expr, types)? }
        }
    };
    // The parser has already been over all items, so there are at least as many bytes as the counts say.
    let (ty, items) = match element.items {
        wasmparser::ElementItems::Functions(functions) => {
            (RefType { nullable: true, heap: HeapType::Func }, ElementItems::Functions(collect(functions)?))
        }
        wasmparser::ElementItems::Expressions(ty, exprs) => {
            let items = match plain_functions(&exprs)? {
                Some(functions) => ElementItems::Functions(functions),
                None => {
                    let mut items = Vec::with_capacity(exprs.count() as usize);
                    for expr in exprs {
                        items.push(const_expr(&expr?, types)?);
                    }
                    ElementItems::Expressions(items)
                }
            };
            (types::ref_type(ty, types)?, items)
        }
    };
    Ok(ElementSegment { mode, ty, items })
}

fn collect(functions: SectionLimited<'_, u32>) -> Result<Vec<u32>, ModuleError> {
    let mut indices = Vec::with_capacity(functions.count() as usize);
    for index in functions {
        indices.push(index?);
    }
    Ok(indices)
}

/// The functions, if each expression is nothing but a `ref.func`.
fn plain_functions(
    exprs: &SectionLimited<'_, wasmparser::ConstExpr<'_>>,
) -> Result<Option<Vec<u32>>, wasmparser::Error> {
    let mut functions = Vec::with_capacity(exprs.count() as usize);
    for expr in exprs.clone() {
        let mut reader: BinaryReader<'_> = expr?.get_binary_reader();
        match (reader.read_u8()?, reader.read_var_u32(), reader.read_u8()) {
            (0xd2, Ok(index), Ok(0x0b)) if reader.eof() => functions.push(index),
            _ => return Ok(None),
        }
    }
    Ok(Some(functions))
}

fn data_section(
    section: DataSectionReader<'_>,
    validator: &mut Validator,
    memories: &[MemoryType],
    bytes: &[u8],
) -> Result<Vec<DataSegment>, ModuleError> {
    check_count(&section, "data segments", 2)?;
    if let Some(segments) = plain_data_segments(&section, memories, bytes) {
        return Ok(segments);
    }
    validator.data_section(&section)?;
    let mut segments = Vec::with_capacity(section.count() as usize);
    for data in section {
        segments.push(data_segment(data?)?);
    }
    Ok(segments)
}

fn data_segment(data: wasmparser::Data<'_>) -> Result<DataSegment, ModuleError> {
    let mode = match &data.kind {
        wasmparser::DataKind::Passive => SegmentMode::Passive,
        wasmparser::DataKind::Active { memory_index, offset_expr } => {
            SegmentMode::Active { index: *memory_index, offset: const_expr(offset_expr, &[])? }
        }
    };
    let end = data.range.end as u32;
    Ok(DataSegment { mode, range: end - data.data.len() as u32..end })
}

/// The segments of a section that holds nothing but passive ones and ones at constant offsets in a first, 32-bit,
/// memory, and that is valid: nearly every one. Some compilers make a hundred thousand segments, which take longer
/// than all else outside of the code when they are validated first and read then. For what is not plain, or not
/// valid, the answer is `None`.
fn plain_data_segments(
    section: &DataSectionReader<'_>,
    memories: &[MemoryType],
    bytes: &[u8],
) -> Option<Vec<DataSegment>> {
    let active = memories.first().is_some_and(|m| !m.is64);
    if section.count() > limits::MAX_DATA_SEGMENTS {
        return None;
    }
    let start = section.original_position();
    let contents = bytes.get(start as usize..section.range().end as usize)?;
    let mut reader = BinaryReader::new(contents, start);
    let mut segments = Vec::with_capacity(section.count() as usize);
    for _ in 0..section.count() {
        let mode = match reader.read_u8().ok()? {
            0 if active && reader.read_u8().ok()? == 0x41 => {
                let offset = vec![ConstOp::I32Const(reader.read_var_i32().ok()?)];
                if reader.read_u8().ok()? != 0x0b {
                    return None;
                }
                SegmentMode::Active { index: 0, offset }
            }
            1 => SegmentMode::Passive,
            _ => return None,
        };
        let size = reader.read_var_u32().ok()?;
        let start = reader.original_position() as u32;
        reader.read_bytes(size as usize).ok()?;
        segments.push(DataSegment { mode, range: start..start + size });
    }
    reader.eof().then_some(segments)
}

impl Module {
    fn empty() -> Module {
        Module {
            bytes: Bytes::from(<Arc<[u8]>>::from([])),
            types: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            functions: Vec::new(),
            tables: Vec::new(),
            memories: Vec::new(),
            globals: Vec::new(),
            tags: Vec::new(),
            imported_functions: 0,
            imported_tables: 0,
            imported_memories: 0,
            imported_globals: 0,
            imported_tags: 0,
            table_inits: Vec::new(),
            global_inits: Vec::new(),
            start: None,
            elements: Vec::new(),
            data: Vec::new(),
            spent_data: 0,
            bodies: Vec::new(),
            name_section: None,
            hint_section: None,
            tail_calls_out: false,
            objects: false,
            written_tables: 0,
            constant_tables: OnceLock::new(),
            names: OnceLock::new(),
            hints: OnceLock::new(),
        }
    }
}
