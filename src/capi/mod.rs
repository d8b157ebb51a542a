//! The C ABI. `include/pt2.h` is generated from this room.
//!
//! Every exported function runs its body through [`guard`]: a panic becomes an error, and nothing unwinds into
//! the caller. The functions only translate; what they do is said by the Rust face.
#![expect(non_camel_case_types, reason = "these are the names that C sees")]

mod dlpack;
mod error;
mod guard;
mod model;
mod options;
mod port;
mod sized;
mod tensor;
mod version;

pub use dlpack::*;
pub use error::*;
pub use model::*;
pub use options::*;
pub use port::*;
pub use tensor::*;
pub use version::*;
