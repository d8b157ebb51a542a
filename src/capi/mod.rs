//! The C ABI. `include/pt2.h` is generated from this room.
//!
//! Every exported function runs its body through `guard`: a panic becomes an error, and nothing
//! unwinds into the caller. The functions only translate between C and `crate::model::Model`.
#![expect(non_camel_case_types, reason = "these are the names that C sees")]
#![expect(
    clippy::missing_safety_doc,
    reason = "the docs become the header: what a caller must see to is said there in C's terms"
)]

mod direction;
mod dlpack;
mod error;
mod guard;
mod libtorch;
mod model;
mod op_library;
mod options;
mod parameter;
mod parameter_text;
mod port;
mod port_index;
mod port_text;
mod run;
mod state;
mod statistics;
mod tensor;
mod tensor_copy;
mod version;
mod versioned_struct;
mod warm_up;
mod weights;

pub use dlpack::*;
pub use error::*;
pub use libtorch::*;
pub use model::*;
pub use op_library::*;
pub use options::*;
pub use parameter::*;
pub use port::*;
pub use port_index::*;
pub use run::*;
pub use state::*;
pub use statistics::*;
pub use tensor::*;
pub use tensor_copy::*;
pub use version::*;
pub use warm_up::*;
pub use weights::*;
