//! The `name` custom section: what functions are called, for messages and backtraces.
//!
//! Read on first use, because most modules never need it. It carries no meaning, so whatever is wrong with it
//! is passed over: the names before the damage count.

use super::Module;
use std::fmt;
use std::ops::Range;
use wasmparser::{BinaryReader, Name, NameSectionReader};

/// Where the names stand in the module's bytes.
#[derive(Debug, Default)]
pub(super) struct Names {
    module: Option<Place>,
    /// By function index, as far as there are names.
    functions: Vec<Option<Place>>,
}

/// A name's first byte and length. A name cannot stand at the beginning of a module.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: std::num::NonZeroU32,
    len: u32,
}

impl Place {
    fn of(name: &str, bytes: &[u8]) -> Option<Place> {
        let start = (name.as_ptr() as usize).checked_sub(bytes.as_ptr() as usize)?;
        Some(Place {
            start: std::num::NonZeroU32::new(u32::try_from(start).ok()?)?,
            len: u32::try_from(name.len()).ok()?,
        })
    }

    fn get(self, bytes: &[u8]) -> Option<&str> {
        let start = self.start.get() as usize;
        std::str::from_utf8(bytes.get(start..start + self.len as usize)?).ok()
    }
}

impl Names {
    /// Reads the section of `module`, whose bytes are `bytes`.
    pub(super) fn read(module: &Module, bytes: &[u8]) -> Names {
        let mut names = Names::default();
        let Some(range) = &module.name_section else { return names };
        let Some(section) = bytes.get(range.start as usize..range.end as usize) else { return names };
        // An error ends the reading.
        for subsection in NameSectionReader::new(BinaryReader::new(section, u64::from(range.start))) {
            match subsection {
                Ok(Name::Module { name, .. }) => names.module = Place::of(name, bytes),
                Ok(Name::Function(map)) => names.read_functions(map, module.functions.len(), bytes),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        names
    }

    fn read_functions(&mut self, map: wasmparser::NameMap<'_>, count: usize, bytes: &[u8]) {
        for naming in map {
            let Ok(naming) = naming else { break };
            let index = naming.index as usize;
            if index >= count {
                continue;
            }
            if self.functions.len() <= index {
                self.functions.resize(index + 1, None);
            }
            self.functions[index] = Place::of(naming.name, bytes);
        }
    }

    /// The name of a function.
    pub(super) fn function<'a>(&self, bytes: &'a [u8], index: u32) -> Option<&'a str> {
        (*self.functions.get(index as usize)?)?.get(bytes)
    }
}

impl Module {
    fn names(&self) -> &Names {
        let is_damaged = |range: &Range<u32>| !self.bytes.check(range.start as usize..range.end as usize);
        self.names.get_or_init(|| match &self.name_section {
            Some(range) if is_damaged(range) => Names::default(),
            _ => Names::read(self, &self.bytes),
        })
    }

    /// The name that the `name` section gives to the module.
    pub fn name(&self) -> Option<&str> {
        self.names().module?.get(&self.bytes)
    }

    /// The name that the `name` section gives to a function.
    pub fn name_of_function(&self, index: u32) -> Option<&str> {
        self.names().function(&self.bytes, index)
    }

    /// A function for messages: `$name`, or `function[12]` if it has none.
    pub fn func_display(&self, index: u32) -> impl fmt::Display + '_ {
        FuncDisplay { name: self.name_of_function(index), index }
    }
}

struct FuncDisplay<'a> {
    name: Option<&'a str>,
    index: u32,
}

impl fmt::Display for FuncDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => write!(f, "${name}"),
            None => write!(f, "function[{}]", self.index),
        }
    }
}
