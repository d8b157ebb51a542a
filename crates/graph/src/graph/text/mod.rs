//! Graphs as text, both ways, for tests and for people.
//!
//! ```text
//! graph(%x: tensor, %w: tensor<float32 [4, "s0"~2] [2, 1] grad>) {
//!   %mm: tensor = aten::matmul.default(self=%x, other=%w)
//!   [%a: tensor, %b: tensor] = aten::split.Tensor(self=%mm, split_size=2) as "split"
//!   aten::_assert_scalar.default(self@=true, assert_msg:="no") as "check" trace "File …"
//!   return (%a, [%b, none], 1, 0.5)
//! }
//! ```
//! `=` gives an argument of which the archive does not say how it is passed, `@=` one by position, `:=` one by
//! keyword. A node is named after its first value unless `as` says otherwise. A tensor's type has its sizes and
//! strides, and what else is unusual. Reading what was written gives the same graph, its values numbered in the
//! order of their definition.

mod cursor;
mod enum_names;
mod parse_operand;
mod parse_type;
mod parser;
mod print_token;
mod printer;

pub use parser::parse;

/// How an argument's name is joined to its value.
const JOINS: [(&str, Option<bool>); 3] = [("@=", Some(false)), (":=", Some(true)), ("=", None)];
