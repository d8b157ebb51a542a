//! Text form of graphs, for tests and for `pt2 inspect --graph`.
//!
//! ```text
//! graph(%x: tensor, %w: tensor<float32 [4, "s0"~2] [2, 1] grad>) {
//!   %mm: tensor = aten::matmul.default(self=%x, other=%w)
//!   [%a: tensor, %b: tensor] = aten::split.Tensor(self=%mm, split_size=2) as "split"
//!   aten::_assert_scalar.default(self@=true, assert_msg:="no") as "check" trace "File …"
//!   return (%a, [%b, none], 1, 0.5)
//! }
//! ```
//! `@=` marks an argument that is passed by position, `:=` one that is passed by keyword. `=` marks
//! one for which the archive records neither.
//!
//! A node has the name of its first value unless `as` states another. A tensor's type has its sizes
//! and strides, and every property that differs from the default.
//!
//! Parsing a printed graph returns the same graph, with its values numbered in the order of their
//! definition.

mod cursor;
mod enum_names;
mod parse_operand;
mod parse_type;
mod parser;
mod print_token;
mod printer;

pub use parser::parse;

/// Separators between an argument's name and its value, with the `keyword` that each represents.
const JOINS: [(&str, Option<bool>); 3] = [("@=", Some(false)), (":=", Some(true)), ("=", None)];
