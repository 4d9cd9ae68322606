//! Tables that never change: what a call through one of them can reach is known before there is an instance.
//!
//! That is a table of functions which the module defines and does not export, into which active element segments that cannot
//! fail put functions that it defines, and which no instruction writes. Compilers make such tables for function
//! pointers and virtual methods.
//!
//! Behind the code table (`compile/layout.rs`), which all instances of the module share, each element of each such table has
//! an *entry*: the code of its function, and which type it has.

use super::const_expr::constant;
use super::{ElementItems, ExternKind, Module, SegmentMode};
use crate::types::{HeapType, Hierarchy};
use std::collections::HashMap;

/// Entries of all tables of a module at most: 16 bytes each. Tables beyond are like any other.
const MAX_ENTRIES: u64 = 1 << 18;
/// More types are not compared with one that may have others below it.
const MAX_TYPES: usize = 32;

/// A function in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its index.
    pub func: u32,
    /// The first index in the module that means its type.
    pub ty: u32,
}

/// A table that never changes.
#[derive(Debug)]
pub struct ConstantTable {
    /// Its first entry's index among those of all constant tables.
    pub first: u32,
    /// What it holds; nothing is null.
    pub elements: Box<[Option<Entry>]>,
    /// The types among its entries, by ascending id.
    types: Box<[u32]>,
}

impl ConstantTable {
    /// The only type among its entries that an expected one accepts, and whether every element has it; none if there are no
    /// such entries, or of several types.
    pub fn accepted(&self, module: &Module, expected: u32) -> Option<(u32, bool)> {
        let expected = &module.types[expected as usize];
        let id = |ty: &u32| module.types[*ty as usize].id();
        let ty = if expected.is_final() {
            let at = self.types.binary_search_by_key(&expected.id().index(), |ty| id(ty).index()).ok()?;
            self.types[at]
        } else {
            let is_accepted = |ty: &&u32| HeapType::Concrete(id(ty)).matches(HeapType::Concrete(expected.id()));
            let mut accepted = self.types.iter().take(MAX_TYPES).filter(is_accepted);
            let ty = *accepted.next()?;
            if accepted.next().is_some() || self.types.len() > MAX_TYPES {
                return None;
            }
            ty
        };
        let is_only = self.types.len() == 1 && self.elements.iter().all(Option::is_some);
        Some((ty, is_only))
    }
}

impl Module {
    /// The table with this index, if it never changes.
    pub fn constant_table(&self, table: u32) -> Option<&ConstantTable> {
        self.constant_tables().get(table as usize)?.as_ref()
    }

    /// The elements of all constant tables, one table after the other.
    pub fn constant_elements(&self) -> impl Iterator<Item = Option<Entry>> + '_ {
        self.constant_tables().iter().flatten().flat_map(|table| table.elements.iter().copied())
    }

    fn constant_tables(&self) -> &[Option<ConstantTable>] {
        self.constant_tables.get_or_init(|| self.find_constant_tables().unwrap_or_default())
    }

    /// None if not even the segments that write to other tables can be relied on.
    fn find_constant_tables(&self) -> Option<Vec<Option<ConstantTable>>> {
        let mut functions = self.unwritten_tables();
        for segment in &self.elements {
            let SegmentMode::Active { index, offset } = &segment.mode else { continue };
            // A segment that fails ends instantiation, and what was written before stays.
            let ElementItems::Functions(items) = &segment.items else { return None };
            let start = usize::try_from(constant(offset)? as u64).ok()?;
            let end = start.checked_add(items.len())?;
            if end as u64 > self.tables.get(*index as usize)?.limits.min || *index < self.imported_tables {
                return None;
            }
            let table = &mut functions[*index as usize];
            if items.iter().any(|func| *func < self.imported_functions) {
                *table = None;
            }
            if let Some(table) = table {
                table[start..end].iter_mut().zip(items).for_each(|(element, func)| *element = Some(*func));
            }
        }
        if functions.iter().flatten().all(Vec::is_empty) {
            return None;
        }
        let mut first_indices = HashMap::new();
        for (index, ty) in (0..).zip(&self.types) {
            first_indices.entry(ty.id().index()).or_insert(index);
        }
        let entry = |func: u32| {
            let id = self.types[self.functions[func as usize] as usize].id();
            Entry { func, ty: first_indices[&id.index()] }
        };
        let mut first = 0;
        let table = |functions: Vec<Option<u32>>| {
            let elements: Box<[_]> = functions.into_iter().map(|func| func.map(entry)).collect();
            let mut types: Vec<u32> = elements.iter().flatten().map(|entry| entry.ty).collect();
            types.sort_unstable_by_key(|ty| self.types[*ty as usize].id().index());
            types.dedup();
            let table = ConstantTable { first, elements, types: types.into() };
            first += table.elements.len() as u32;
            table
        };
        let mut table = table;
        Some(functions.into_iter().map(|functions| functions.map(&mut table)).collect())
    }

    /// Of each table that begins with null, and into which only active segments write, as many elements.
    fn unwritten_tables(&self) -> Vec<Option<Vec<Option<u32>>>> {
        let mut room = MAX_ENTRIES;
        let mut tables = Vec::with_capacity(self.tables.len());
        for (index, ty) in (0u32..).zip(&self.tables) {
            let is_null = index.checked_sub(self.imported_tables).is_some_and(|defined| {
                self.table_inits.get(defined as usize).is_some_and(|init| constant(init) == Some(0))
            });
            let is_written = self.written_tables.checked_shr(index).is_none_or(|written| written & 1 == 1);
            let is_constant = is_null && !is_written && ty.element.heap.hierarchy() == Hierarchy::Func;
            let has_room = is_constant && ty.limits.min <= room;
            tables.push(has_room.then(|| vec![None; ty.limits.min as usize]));
            room -= if has_room { ty.limits.min } else { 0 };
        }
        for export in self.exports.iter().filter(|export| export.kind == ExternKind::Table) {
            tables[export.index as usize] = None;
        }
        tables
    }
}
