//! AOTInductor packages as files: what they declare, and what this machine is.
//!
//! Owns: the meaning of a package's entries ([`Package`]), of its metadata ([`TargetMachine`]), of its sources as far as
//! they tell inputs and outputs ([`WrapperSource`]), of what its library needs ([`Requirements`]), and what this machine
//! is ([`Machine`]). Enters: an archive. Leaves: what is read there. Nothing is executed and no source is compiled; names
//! stay keys.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod code_digest;
mod constant_section;
pub mod elf;
mod exec_stack;
pub mod input_strides;
mod interface;
mod machine;
pub mod package;
mod source;
pub mod target_machine;

pub use code_digest::{Digest, digest_of};
pub use elf::Requirements;
pub use exec_stack::ExecStack;
pub use input_strides::InputStrides;
pub use interface::PackageInterface;
pub use machine::Machine;
pub use package::Package;
pub use source::{DeclaredInput, WrapperSource};
pub use target_machine::TargetMachine;
