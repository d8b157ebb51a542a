//! Program in static single assignment form: numbered values, and the nodes that define them.
//!
//! - Owns: the types ([`Graph`], [`Node`], [`Operand`], …), their invariants ([`Graph::verify`])
//!   and a text form that can be written and read ([`parse`], `Display`).
//! - Input: a [`schema::GraphModule`](crate::program::schema), which refers to values by name.
//! - Output: a [`Function`], which refers to them by index.
//!
//! A name that is missing, defined twice or of another kind is an error of the import.
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

/// Maximum depth of graphs in graphs, and of lists in lists. Real programs have less than ten
/// levels. The limit bounds the stack of every walk over a graph, its destructor included.
pub const MAX_DEPTH: usize = 32;

/// Maximum number of characters of a subgraph's name in the paths of error messages.
const LONGEST_STEP: usize = 80;

/// Returns the path of a subgraph in messages. The name is shortened, because the path of every
/// nested graph repeats it.
fn path_within(path: &str, name: &str) -> String {
    let short: String = name.chars().take(LONGEST_STEP).collect();
    format!("{path}/{}", short.escape_debug())
}
