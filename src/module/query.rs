//! What a module asks for and what it gives, as types.

use super::{ExternKind, Module};
use crate::types::{ExportType, ImportType};

impl Module {
    /// What must be given at instantiation, in declaration order.
    pub fn import_types(&self) -> Vec<ImportType> {
        let mut next = [0u32; ExternKind::COUNT];
        let ty = |import: &super::Import| {
            let index = &mut next[import.kind as usize];
            *index += 1;
            ImportType {
                module: import.module.clone(),
                name: import.name.clone(),
                ty: self.extern_type(import.kind, *index - 1),
            }
        };
        self.imports.iter().map(ty).collect()
    }

    /// What an instance gives, in declaration order.
    pub fn export_types(&self) -> Vec<ExportType> {
        let ty = |e: &super::Export| ExportType { name: e.name.clone(), ty: self.extern_type(e.kind, e.index) };
        self.exports.iter().map(ty).collect()
    }

    /// The export with this name.
    pub fn export(&self, name: &str) -> Option<&super::Export> {
        self.exports.iter().find(|e| e.name == name)
    }
}
