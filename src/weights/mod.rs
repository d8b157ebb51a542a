//! Stored tensors as the weights of a model.
//!
//! Owns [`placement`] on a device and the caller's view of weights ([`Parameter`]). Input: tensors
//! as `pt2_format::weights` reads them. Output: tensors on a device.

mod parameter;
pub mod placement;

pub use parameter::{Parameter, ParameterKind, not_a_clone, require_distinct, require_known};
pub use pt2_format::weights::{extent, pickle, raw_tensors, read};
pub use pt2_graph::stored_meta::{check, describe};
