//! AOTInductor packages as models.
//!
//! Owns validation of compiled code ([`ValidatedPackage`]) and its calls ([`CompiledModel`]).
//! Input: a package as `pt2_format::aoti` reads it, and the caller's permission. Output: a model
//! that runs native code, or an error with all differences between package and machine. No byte of
//! a package is mapped for execution before all of it fits.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod admission;
mod compiled_model;
mod completeness;
mod constant_swap;
mod constants;
mod effects;
mod input_alignment;
mod inputs;
mod instances;
mod load;
mod native_code_options;
mod validated_package;

pub use compiled_model::CompiledModel;
pub use load::{load, require_allowed};
pub use native_code_options::NativeCodeOptions;
pub use pt2_format::aoti::{
    AvailableForms, DeclaredInput, Digest, ExecStack, Form, InputStrides, Machine, Package, PackageInterface,
    Requirements, TargetMachine, WrapperSource, available_forms, digest_of, other_release,
};
pub use validated_package::ValidatedPackage;

use pt2_format::aoti::{elf, input_strides, package, target_machine};
