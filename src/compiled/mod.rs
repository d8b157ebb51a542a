//! What AOTInductor compiled, behind the same model: packages read, compared with this machine, and run.
//!
//! Owns: the meaning of a package's entries ([`Package`]), of its metadata ([`Target`]), of its sources as far as
//! they tell inputs and outputs ([`Source`]), of what its library needs ([`Requirements`]), what this machine is
//! ([`Machine`]), and calls of compiled code ([`Compiled`]). Enters: an archive and the caller's permission. Leaves:
//! a model that runs native code, or an error that names all that differs. Nothing of a package is mapped for
//! execution before all of that fits; no source is compiled; names stay keys.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod code;
mod interface;
mod layout;
mod machine;
mod package;
mod requirements;
mod source;
mod stack;
mod stored;
mod target;

#[cfg(feature = "torch")]
mod alignment;
#[cfg(feature = "torch")]
mod constants;
#[cfg(feature = "torch")]
mod effects;
#[cfg(feature = "torch")]
mod examined;
#[cfg(feature = "torch")]
mod form;
#[cfg(feature = "torch")]
mod gate;
#[cfg(feature = "torch")]
mod inputs;
#[cfg(feature = "torch")]
mod instance;
#[cfg(feature = "torch")]
mod load;
#[cfg(feature = "torch")]
mod model;
#[cfg(feature = "torch")]
mod parts;
#[cfg(feature = "torch")]
mod permission;
#[cfg(feature = "torch")]
mod swap;

pub use code::{Digest, digest_of};
pub use interface::Described;
pub use layout::Layout;
pub use machine::Machine;
pub use package::Package;
pub use requirements::Requirements;
pub use source::{Source, SourceInput};
pub use stack::StackMark;
pub use target::Target;

#[cfg(feature = "torch")]
pub use examined::Examined;
#[cfg(feature = "torch")]
pub use form::{Form, Offer, offers};
#[cfg(feature = "torch")]
pub use load::{load, require_permission};
#[cfg(feature = "torch")]
pub use model::Compiled;
#[cfg(feature = "torch")]
pub use permission::Permission;
