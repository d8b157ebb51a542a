//! Reads AOTInductor packages and describes this machine for comparison with them.
//!
//! Owns: a package's entries ([`Package`]), its metadata ([`TargetMachine`]), and the inputs and
//! outputs that its sources declare ([`WrapperSource`]). Also owns the requirements of its library
//! ([`Requirements`]) and the description of this machine ([`Machine`]).
//!
//! Input: an archive.
//!
//! Output: the declarations of its packages. This room executes nothing and compiles no source.
//! Entry names remain keys and never become paths.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod available_forms;
mod code_digest;
mod constant_section;
mod edited_parts;
pub mod elf;
mod exec_stack;
pub mod input_strides;
mod interface;
mod interface_release;
mod machine;
pub mod package;
mod source;
pub mod target_machine;

pub use available_forms::{AvailableForms, Form, available_forms};
pub use code_digest::{Digest, digest_of};
pub use elf::Requirements;
pub use exec_stack::ExecStack;
pub use input_strides::InputStrides;
pub use interface::PackageInterface;
pub use interface_release::other_release;
pub use machine::Machine;
pub use package::Package;
pub use source::{DeclaredInput, WrapperSource};
pub use target_machine::TargetMachine;
