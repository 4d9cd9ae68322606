//! The `metadata.code.branch_hint` custom section: which branches are taken as a rule, and which hardly ever.
//!
//! Like names it carries no meaning: it is read when the first function that has a branch is compiled, and what is wrong with it
//! is passed over. The hints before the damage count.

use super::Module;
use wasmparser::{BinaryReader, BranchHintSectionReader};

/// The name of the section.
pub(super) const SECTION: &str = "metadata.code.branch_hint";

/// The hints, by the offset of their instruction in the module's bytes, ascending.
#[derive(Debug, Default)]
pub(super) struct Hints(Vec<(u32, bool)>);

impl Hints {
    fn read(module: &Module) -> Hints {
        let mut hints = Vec::new();
        let Some(range) = &module.hint_section else { return Hints(hints) };
        let place = range.start as usize..range.end as usize;
        if !module.bytes.check(place.clone()) {
            return Hints(hints);
        }
        let section = &module.bytes[place];
        let reader = BinaryReader::new(section, u64::from(range.start));
        let functions = BranchHintSectionReader::new(reader).into_iter().flatten();
        for function in functions.map_while(Result::ok) {
            let body = module.defined_func(function.func).and_then(|func| module.bodies.get(func as usize));
            let Some(body) = body else { continue };
            for hint in function.hints.into_iter().map_while(Result::ok) {
                if hint.func_offset < body.end - body.start {
                    hints.push((body.start + hint.func_offset, hint.taken));
                }
            }
        }
        hints.sort_unstable();
        Hints(hints)
    }
}

impl Module {
    /// Whether the branch at this offset of the module's bytes is likely to be taken, if there is a hint about it.
    pub fn branch_hint(&self, offset: u32) -> Option<bool> {
        self.hint_section.as_ref()?;
        let Hints(hints) = self.hints.get_or_init(|| Hints::read(self));
        hints.binary_search_by_key(&offset, |hint| hint.0).ok().map(|at| hints[at].1)
    }
}
