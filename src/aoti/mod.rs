//! AOTInductor packages: read, compared with this machine, and run behind the same model.
//!
//! Owns: the meaning of a package's entries ([`Package`]), of its metadata ([`TargetMachine`]), of its sources as far as
//! they tell inputs and outputs ([`WrapperSource`]), of what its library needs ([`Requirements`]), what this machine is
//! ([`Machine`]), and calls of compiled code ([`CompiledModel`]). Enters: an archive and the caller's permission. Leaves:
//! a model that runs native code, or an error that names all that differs. Nothing of a package is mapped for
//! execution before all of that fits; no source is compiled; names stay keys.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod code_digest;
mod constant_section;
mod elf;
mod exec_stack;
mod input_strides;
mod interface;
mod machine;
mod package;
mod source;
mod target_machine;

#[cfg(feature = "torch")]
mod admission;
#[cfg(feature = "torch")]
mod available_forms;
#[cfg(feature = "torch")]
mod compiled_model;
#[cfg(feature = "torch")]
mod completeness;
#[cfg(feature = "torch")]
mod concurrency;
#[cfg(feature = "torch")]
mod constant_swap;
#[cfg(feature = "torch")]
mod constants;
#[cfg(feature = "torch")]
mod effects;
#[cfg(feature = "torch")]
mod input_alignment;
#[cfg(feature = "torch")]
mod inputs;
#[cfg(feature = "torch")]
mod load;
#[cfg(feature = "torch")]
mod native_code_options;
#[cfg(feature = "torch")]
mod validated_package;

pub use code_digest::{Digest, digest_of};
pub use elf::Requirements;
pub use exec_stack::ExecStack;
pub use input_strides::InputStrides;
pub use interface::PackageInterface;
pub use machine::Machine;
pub use package::Package;
pub use source::{DeclaredInput, WrapperSource};
pub use target_machine::TargetMachine;

#[cfg(feature = "torch")]
pub use available_forms::{AvailableForms, Form, available_forms};
#[cfg(feature = "torch")]
pub use compiled_model::CompiledModel;
#[cfg(feature = "torch")]
pub use load::{load, require_allowed};
#[cfg(feature = "torch")]
pub use native_code_options::NativeCodeOptions;
#[cfg(feature = "torch")]
pub use validated_package::ValidatedPackage;
