//! One function of a module to machine code.
//!
//! This room never sees the runtime: it knows where things lie (`layout`), which helpers exist (`builtin`),
//! and what a module declares. What it makes (`code`) does not depend on an instance, an engine or an address.

pub mod builtin;
pub mod code;
pub mod layout;

/// The settings that change the code that is made for a module. Part of a serialized module's identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tunables {
    /// Traps by `ud2` and faulting accesses; else by explicit checks that call the `raise_trap` builtin.
    pub signals: bool,
    /// 32-bit memories of 64 KiB pages lie in reservations of 4 GiB and a guard, so that accesses whose
    /// constant offset and size stay within `guard` need no check. Only with `signals`.
    pub guarded_memories: bool,
    /// Bytes of guard behind a reservation.
    pub guard: u64,
    /// A memory's base never changes while it lives: it may be read from the vmctx and kept in a register.
    pub fixed_bases: bool,
}
