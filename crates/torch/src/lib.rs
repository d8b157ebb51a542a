//! Interface to libtorch, through the C++ shim of `crates/torch-sys`.
//!
//! Owns every call into libtorch. The shim has tensors, boxed dispatcher calls, operator schemas, memory
//! with a release callback, and scopes of streams and inference mode. Input: names, indices and
//! devices. Output: tensors and [`Failure`]s. Graphs and archives are unknown here.

pub mod aoti;
mod autocast;
pub mod autotune_choices;
mod cuda_graph;
mod cuda_preload;
mod cuda_startup;
mod device;
mod diagnosis;
mod dtype;
mod event;
mod failure;
mod frame;
mod frame_transfer;
pub mod fused_fallback;
pub mod generated_code;
mod op_call;
mod op_library;
mod operator;
mod overlap;
mod pointwise;
pub mod process;
mod rows;
mod scope;
pub mod symbol_binding;
mod tensor;
mod version;
mod warmup_conv;
mod warmup_gemm;
mod workspace;

pub use autocast::Autocast;
pub use cuda_graph::{CaptureSession, Capturer, CudaGraph, is_capturing};
pub use cuda_preload::{CudaLibrary, CudaPreload};
pub use cuda_startup::{CudaPolicy, compute_capability, cuda_devices, device_name, start, start_on};
pub use device::Device;
pub use diagnosis::{diagnosis, require_libtorch_in};
pub use dtype::{dtype_from_torch, dtype_to_torch, layout_to_torch, memory_format_to_torch};
pub use event::Event;
pub use failure::{Failure, FailureKind};
pub use ffi::{AtTensor, GemmKind, WarmupConv};
pub use frame::{Frame, SlotValue};
pub use op_call::{CallOperand, OpCall, ReturnSlot};
pub use op_library::{load_op_library, registered_by_loaded_library};
pub use operator::{Content, Operator, Tag, operator_names};
pub use pointwise::{Arithmetic, Pointwise, PointwiseInput, PointwiseStep};
pub use pt2_cuda_driver::Context;
pub use scope::{Scope, SideStream, set_threads, threads};
pub use tensor::{Release, Tensor, TensorView};
pub use version::{built_for, libtorch_version};
pub use warmup_gemm::WarmupGemm;
pub use workspace::{Working, Workspace};

use pt2_torch_sys as ffi;
