//! The program as numbered values and nodes: what the passes improve and the plan is made from.
//!
//! Owns: the types ([`Graph`], [`Node`], [`Operand`], …), their invariants ([`Graph::verify`]) and a text form
//! that reads and writes ([`parse`], `Display`). Enters: a [`schema::GraphModule`](crate::program::schema), in
//! which values are found by name. Leaves: a [`Function`], in which they are found by index; a name that is
//! missing, defined twice or of another kind ends here as an error.
#![deny(clippy::indexing_slicing)]

mod function;
mod import;
mod node;
mod operand;
mod renumber;
mod rewriter;
mod target;
mod text;
mod unique_names;
mod value;
mod verify;

pub use function::{Function, InputBinding, OutputBinding};
pub use import::import;
pub use node::{Argument, Author, Graph, Node, Output};
pub use operand::{Operand, Subgraph};
pub use rewriter::Rewriter;
pub use target::Target;
pub use text::parse;
pub use unique_names::UniqueNames;
pub use value::{Value, ValueId, ValueKind};

/// How deep graphs may nest in graphs, and lists in lists. Genuine programs stay below ten; the cap keeps every
/// walk over a graph, its destructor too, within a small stack.
pub const MAX_DEPTH: usize = 32;

/// How many characters of a subgraph's name stand in the paths of what is in it.
const LONGEST_STEP: usize = 80;

/// The path of a subgraph in messages: each graph inside repeats it.
fn path_within(path: &str, name: &str) -> String {
    let short: String = name.chars().take(LONGEST_STEP).collect();
    format!("{path}/{}", short.escape_debug())
}
