//! The C ABI. `include/pt2.h` is generated from this room.
//!
//! Every exported function runs its body through `guard`: a panic becomes an error, and nothing unwinds into
//! the caller. The functions only translate between C and `crate::model::Model`.
#![expect(non_camel_case_types, reason = "these are the names that C sees")]
#![expect(
    clippy::missing_safety_doc,
    reason = "the docs become the header: what a caller must see to is said there in C's terms"
)]

mod dlpack;
mod error;
mod guard;
mod library;
mod model;
mod name;
mod options;
mod parameter;
mod port;
mod run;
mod side;
mod sized;
mod state;
mod statistics;
mod swap;
mod tensor;
mod transfer;
mod version;
mod warm;

pub use dlpack::*;
pub use error::*;
pub use library::*;
pub use model::*;
pub use name::*;
pub use options::*;
pub use parameter::*;
pub use port::*;
pub use run::*;
pub use state::*;
pub use statistics::*;
pub use swap::*;
pub use tensor::*;
pub use transfer::*;
pub use version::*;
pub use warm::*;
