//! Parses and validates a program's JSON, and checks the inputs of calls.
//!
//! Owns: schema, signature, pytrees, symbols and ranges, and the input check.
//!
//! Input: JSON text.
//!
//! Output: a typed, validated [`Program`]. This room never uses libtorch and looks up no operators.
//! It does not panic on any input.
#![deny(clippy::indexing_slicing)]

pub mod schema;

mod json;
pub mod payload_config;
pub mod pytree;
mod signature_check;

pub mod expr;
mod expr_eval;
pub mod expr_function;
mod expr_lexer;
pub mod expr_parser;
pub mod linear_form;
pub mod number;
pub mod symbol;

mod condition;
mod constraint_violation;
mod exported_program;
mod guard;
mod guard_message;
mod input_check;
mod input_check_plan;
mod input_source;
mod input_view;
mod interface;
mod package_interface;
mod port_lookup;
mod port_support;
mod range_constraints;
mod size_assertion;

pub use exported_program::{Program, SCHEMA};
pub use input_check::Bindings;
pub use input_check_plan::Rules;
pub use input_view::InputView;
pub use interface::{Dim, Interface, Port, PortKind, Symbol, TensorPort};
pub use package_interface::CallSpec;
pub use payload_config::{PayloadConfig, PayloadMeta};
pub use port_lookup::{find_input, find_output};
