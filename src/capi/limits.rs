//! Limits of tables and memories (specification: Types, Limits), in the 32 bits that `wasm.h` has for each bound.

use super::error::{self, Kind};
use crate::types::Limits;

/// The limits of a table (in elements) or a memory (in pages). What 32 bits cannot hold reads as the largest number that
/// they can, and whoever asked for the limits finds a failure that says so; `tenon.h` has all of them in 64 bits.
#[repr(C)]
pub struct wasm_limits_t {
    /// The size at first; in the type of an object that exists, the size it has now.
    pub min: u32,
    /// The size that it may grow to; `wasm_limits_max_default` if the type sets no bound.
    pub max: u32,
}

/// What stands for "no bound" in `max`.
const NO_BOUND: u32 = 0xffff_ffff;

impl wasm_limits_t {
    /// The C struct for limits: what does not fit in 32 bits becomes the largest number that does.
    pub(crate) fn from_ty(limits: &Limits) -> wasm_limits_t {
        let clamped = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        wasm_limits_t { min: clamped(limits.min), max: limits.max.map_or(NO_BOUND, clamped) }
    }

    /// Whether the C struct says all of the limits; keeps the failure that it does not, for a function that lends it out.
    pub(crate) fn report(function: &str, limits: &Limits) {
        let most = u64::from(NO_BOUND);
        if limits.min > most || limits.max.is_some_and(|max| max > most) {
            let message = format_args!("{function}: 32 bits cannot hold the limits {limits}");
            error::fail(Kind::TENON_ERROR_UNSUPPORTED, message);
        }
    }

    /// The limits.
    pub(crate) fn to_ty(&self) -> Limits {
        Limits { min: self.min.into(), max: (self.max != NO_BOUND).then_some(self.max.into()) }
    }
}
