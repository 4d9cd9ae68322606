//! What a module's tables hold at first: made once for a module, when it is first instantiated, and copied to each
//! instance.
//!
//! As with memories (`memory_image.rs`), images stand for all active element segments or for none: if these cannot
//! fail, and name functions only. The elements are lazy (`table.rs`), so that no function needs an object before
//! somebody asks for it.

use crate::module::const_expr::constant;
use crate::module::{ElementItems, Module, SegmentMode};
use crate::runtime::table::{MAX_ELEMENTS, lazy};
use crate::types::Hierarchy;

/// The images of a module's defined tables.
#[derive(Debug)]
pub struct TableImages {
    /// In their order: the elements from the first on; those that are not there are null.
    images: Box<[Box<[usize]>]>,
    /// The imported functions among them.
    imported: Box<[u32]>,
}

impl TableImages {
    /// The images, if they can stand for all active element segments of the module.
    pub fn of(module: &Module) -> Option<TableImages> {
        let first = module.imported_tables as usize;
        let mut images: Vec<Vec<usize>> = vec![Vec::new(); module.tables.len() - first];
        let mut imported = Vec::new();
        for segment in &module.elements {
            let SegmentMode::Active { index, offset } = &segment.mode else { continue };
            let ty = module.tables.get(*index as usize)?;
            let defined = (*index as usize).checked_sub(first)?;
            let ElementItems::Functions(functions) = &segment.items else { return None };
            let is_null = constant(module.table_inits.get(defined)?) == Some(0);
            let start = usize::try_from(constant(offset)? as u64).ok()?;
            let end = start.checked_add(functions.len())?;
            // A type may name more elements than any table can have.
            let fits = end as u64 <= ty.limits.min && ty.limits.min <= MAX_ELEMENTS;
            if !is_null || ty.element.heap.hierarchy() != Hierarchy::Func || !fits {
                return None;
            }
            let image = images.get_mut(defined)?;
            if end > image.len() {
                image.try_reserve(end - image.len()).ok()?;
                image.resize(end, 0);
            }
            for (place, function) in image[start..end].iter_mut().zip(functions) {
                *place = lazy(*function);
                if *function < module.imported_functions {
                    imported.push(*function);
                }
            }
        }
        imported.sort_unstable();
        imported.dedup();
        Some(TableImages { images: images.into_iter().map(Vec::into).collect(), imported: imported.into() })
    }

    /// What a defined table holds from its first element on.
    pub fn get(&self, defined: usize) -> &[usize] {
        self.images.get(defined).map_or(&[], |image| image)
    }

    /// The imported functions in tables, which may leave the instance from there.
    pub fn imported(&self) -> &[u32] {
        &self.imported
    }
}
