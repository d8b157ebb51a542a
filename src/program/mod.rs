//! Owns the meaning of a program's JSON: schema, signature, trees, symbols and ranges, and the check of inputs.
//!
//! JSON text enters; a typed, validated [`Program`] leaves. libtorch is never touched, operators are not looked
//! up, and no bytes make it panic.
#![deny(clippy::indexing_slicing)]

pub mod schema;

mod json;
pub mod payload;
pub mod pytree;
mod signature;

mod eval;
pub mod expr;
pub mod function;
pub mod linear;
pub mod number;
pub mod symbol;
pub mod text;
mod token;

mod check;
mod checks;
mod condition;
mod describable;
mod guard;
mod interface;
mod names;
mod place;
#[expect(clippy::module_inception, reason = "the room is named after what leaves it")]
mod program;
mod ranges;
mod refusal;
mod requirement;
mod told;
mod view;

pub use check::Bindings;
pub use checks::Rules;
pub use interface::{Dim, Interface, Port, PortKind, Symbol, TensorPort};
pub use names::{find_input, find_output};
pub use payload::{PayloadConfig, PayloadMeta};
pub use program::{Program, SCHEMA};
pub use told::CallSpec;
pub use view::InputView;
