//! The C++ side of libpt2 over libtorch: its types and functions, one file for each noun.
//!
//! The folder `cpp` defines the functions. Its header `pt2_shim.h` is generated from these
//! declarations, so a definition that differs does not compile: `make header` writes it.
//!
//! Rules for all functions:
//! - A returned [`ShimError`] is NULL on success. On failure it is owned by the caller, and outputs are
//!   unmodified unless the function says otherwise.
//! - No C++ exception leaves a function.
//! - Pointers are valid, and counts are those of the arrays beside them. Callers of other rooms never
//!   see these functions: crate `pt2-torch` upholds this.
//! - Dtypes, layouts and device types have libtorch's numbers (`c10::ScalarType`, `c10::Layout` and
//!   `c10::DeviceType`).

mod abi_version;
mod container;
mod cuda_graph;
mod cudnn;
mod device;
mod error;
mod event;
mod frame;
mod fused_fallback;
mod host_memory;
mod op_call;
mod operator;
mod pointwise;
mod rows;
mod scope;
mod tensor;
mod warmup_conv;
mod warmup_gemm;

pub use abi_version::*;
pub use container::*;
pub use cuda_graph::*;
pub use cudnn::*;
pub use device::*;
pub use error::*;
pub use event::*;
pub use frame::*;
pub use fused_fallback::*;
pub use host_memory::*;
pub use op_call::*;
pub use operator::*;
pub use pointwise::*;
pub use rows::*;
pub use scope::*;
pub use tensor::*;
pub use warmup_conv::{count, is_floating};
pub use warmup_gemm::*;
