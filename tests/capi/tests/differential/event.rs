//! What an engine does with a module, in a form in which two engines can be compared.

use std::fmt;

use tenon_capi_tests::types::{ExternType, ValType};

use crate::generate::Random;

/// A value, with references reduced to what can be compared across engines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(u128),
    /// Whether there is a function.
    Func(bool),
    /// The number of the host's object.
    Extern(Option<u32>),
}

impl Value {
    /// With one NaN in place of all.
    pub fn canonical(self) -> Value {
        match self {
            Value::F32(bits) if f32::from_bits(bits).is_nan() => Value::F32(0x7fc0_0000),
            Value::F64(bits) if f64::from_bits(bits).is_nan() => Value::F64(0x7ff8_0000_0000_0000),
            other => other,
        }
    }
}

/// Why something was refused or stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A trap, by the specification's wording.
    Trap(&'static str),
    /// A message that is no trap's wording, as an engine gave it.
    Other(String),
}

/// The trap's wordings. An access to a table outside of its bounds has two, of which one engine knows only one.
const WORDINGS: [(&str, &str); 20] = [
    ("unreachable", "unreachable"),
    ("integer divide by zero", "integer divide by zero"),
    ("integer overflow", "integer overflow"),
    ("invalid conversion to integer", "invalid conversion to integer"),
    ("out of bounds memory access", "out of bounds memory access"),
    ("out of bounds table access", "out of bounds table access"),
    ("undefined element", "out of bounds table access"),
    ("uninitialized element", "uninitialized element"),
    ("indirect call type mismatch", "indirect call type mismatch"),
    ("call stack exhausted", "call stack exhausted"),
    ("unaligned atomic", "unaligned atomic"),
    ("uncaught exception", "uncaught exception"),
    ("null exception reference", "null exception reference"),
    ("null structure reference", "null structure reference"),
    ("null array reference", "null array reference"),
    ("null i31 reference", "null i31 reference"),
    ("null reference", "null reference"),
    ("cast failure", "cast failure"),
    ("out of bounds array access", "out of bounds array access"),
    ("allocation failure", "allocation failure"),
];

/// The message of the trap that a host function ends with.
pub const HOST_TRAP: &str = "the host function refuses";

impl Reason {
    /// The reason that a trap's message starts with.
    pub fn of_message(message: &str) -> Reason {
        let known = WORDINGS.iter().find(|(wording, _)| message.starts_with(wording));
        known.map_or_else(|| Reason::Other(message.to_owned()), |(_, class)| Reason::Trap(class))
    }
}

/// One observable thing.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// The module's exports, sorted by name.
    Exports(Vec<(String, String)>),
    /// The module became an instance, or not.
    Instantiated(Result<(), Reason>),
    /// The host function of this import was called.
    Host { import: Import, args: Vec<Value> },
    /// An exported function was called.
    Called { name: String, args: Vec<Value>, outcome: Result<Vec<Value>, Reason> },
    /// What an exported memory holds at the end of a round.
    Memory { name: String, bytes: Vec<u8> },
    /// What an exported global holds at the end of a round.
    Global { name: String, value: Value },
    /// What an exported table holds at the end of a round.
    Table { name: String, elements: Vec<Value> },
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Exports(exports) => write!(f, "exports {exports:?}"),
            Event::Instantiated(outcome) => write!(f, "instantiated: {outcome:?}"),
            Event::Host { import, args } => write!(f, "call of {import:?} with {args:?}"),
            Event::Called { name, args, outcome } => write!(f, "call of {name:?} with {args:?} gave {outcome:?}"),
            Event::Memory { name, bytes } => write!(f, "memory {name:?} of {} bytes", bytes.len()),
            Event::Global { name, value } => write!(f, "global {name:?} is {value:?}"),
            Event::Table { name, elements } => write!(f, "table {name:?} holds {elements:?}"),
        }
    }
}

/// The first difference, for a reader.
pub fn difference(ours: &[Event], theirs: &[Event]) -> Option<String> {
    if let Some(at) = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs) {
        let detail = match (&ours[at], &theirs[at]) {
            (Event::Memory { bytes: ours, .. }, Event::Memory { bytes: theirs, .. }) => {
                let offset = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
                offset.map_or(String::new(), |offset| {
                    format!(" (at {offset:#x}: {:#04x} and {:#04x})", ours[offset], theirs[offset])
                })
            }
            _ => String::new(),
        };
        return Some(format!("event {at}: ours {:?}, theirs {:?}{detail}", ours[at], theirs[at]));
    }
    (ours.len() != theirs.len()).then(|| format!("{} events, theirs {}", ours.len(), theirs.len()))
}

/// An import by what both engines know: its names and its type. The engines list imports in different orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub module: String,
    pub name: String,
    pub ty: ExternType,
}

impl Import {
    /// The purpose of random numbers for this import.
    fn purpose(&self) -> u64 {
        let text = format!("{self:?}");
        // FNV-1a: the standard library's hasher may change with its version.
        text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    }

    /// What this host function gives at its `call`-th call: values, or a trap now and then.
    pub fn outcome(&self, seed: u64, call: u64, results: &[ValType]) -> Result<Vec<Value>, &'static str> {
        let mut random = Random::new(seed, self.purpose().wrapping_add(call));
        if random.below(16) == 0 {
            return Err(HOST_TRAP);
        }
        Ok(results.iter().map(|result| random.value(*result)).collect())
    }

    /// What this global of the host holds.
    pub fn value(&self, seed: u64, ty: ValType) -> Value {
        Random::new(seed, self.purpose()).value(ty)
    }
}
