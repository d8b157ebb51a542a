//! Stored tensors as the weights of a model.
//!
//! Owns: the way to a device ([`placement`]) and what a caller sees of weights ([`Parameter`]). Enters: tensors as
//! `pt2_format::weights` reads them. Leaves: tensors on a device.

mod parameter;
pub mod placement;

pub use parameter::{Parameter, ParameterKind, not_a_clone, require_distinct, require_known};
pub use pt2_format::weights::{extent, pickle, raw_tensors, read};
pub use pt2_graph::stored_meta::{check, describe};
