//! Pytrees of inputs and outputs, and the path that names each leaf.
//!
//! The text is `treespec_dumps` of `torch/utils/_pytree.py` 2.11, protocol 1. Types are only names:
//! an unknown type is a container like any other, and its context may name its children.

mod cursor;
mod parser;

use std::collections::BTreeMap;

use serde_json::Value;

use super::json::malformed;
use super::schema::NamedTupleDef;
use crate::error::Result;

/// Maximum number of leaves of a tree.
pub const MAX_LEAVES: usize = 1 << 16;

/// Maximum number of nodes of a tree, including the values in their contexts.
pub const MAX_NODES: usize = 1 << 18;

/// Maximum depth of a tree. Python 3.11 cannot read deeper ones: each level takes two calls of its
/// recursion limit of 1000.
pub const MAX_DEPTH: usize = 512;

/// Limit on the bytes of all leaf names of a tree.
const MAX_NAMES: usize = 1 << 24;

/// A tree of Python containers. Nodes are in pre-order, so that no walk is recursive.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeSpec {
    nodes: Vec<TreeNode>,
}

/// A leaf (an input or output) or a container.
#[derive(Clone, Debug, Default, PartialEq)]
struct TreeNode {
    /// The container's type, such as `builtins.dict`. None for a leaf.
    kind: Option<String>,
    /// The type-specific data: keys, names, a length.
    context: Value,
    /// The number of direct children.
    children: usize,
}

impl TreeSpec {
    /// Parses a tree. `at` names the text in errors.
    pub fn parse(text: &str, at: &str) -> Result<TreeSpec> {
        parser::read(text).map_err(|reason| malformed(at, reason))
    }

    /// Returns the paths of all leaves in order, each beginning with `root`. Fails if the numbers
    /// of keys and children differ, or if the tree exceeds a limit.
    pub fn leaf_paths(&self, root: &str, fields: &NamedTuples) -> Result<Vec<String>, String> {
        let mut walk = PathWalk::new(fields, vec![root.to_owned()]);
        self.nodes.iter().try_for_each(|node| walk.visit(node))?;
        Ok(walk.paths)
    }

    /// Returns the paths for the pair of positional and keyword arguments, which begin with `args`
    /// and `kwargs`.
    pub fn call_paths(&self, fields: &NamedTuples) -> Result<Vec<String>, String> {
        match self.nodes.split_first() {
            Some((TreeNode { kind: Some(kind), children: 2, .. }, inside)) if kind == "builtins.tuple" => {
                let mut walk = PathWalk::new(fields, vec!["kwargs".into(), "args".into()]);
                inside.iter().try_for_each(|node| walk.visit(node))?;
                Ok(walk.paths)
            }
            _ => Err("it is not a pair of positional and keyword arguments".into()),
        }
    }
}

/// Fields of each named tuple, by the name of its type.
pub type NamedTuples = BTreeMap<String, NamedTupleDef>;

struct PathWalk<'a> {
    fields: &'a NamedTuples,
    /// The paths of pending nodes, the next one last.
    waiting: Vec<String>,
    paths: Vec<String>,
    bytes: usize,
}

impl<'a> PathWalk<'a> {
    fn new(fields: &'a NamedTuples, waiting: Vec<String>) -> Self {
        PathWalk { fields, waiting, paths: Vec::new(), bytes: 0 }
    }

    /// Visits the next node of the tree.
    fn visit(&mut self, node: &TreeNode) -> Result<(), String> {
        let path = self.waiting.pop().ok_or("it has more nodes than containers hold")?;
        let Some(kind) = &node.kind else {
            self.paths.push(path);
            return if self.paths.len() > MAX_LEAVES { Err(TOO_LARGE.into()) } else { Ok(()) };
        };
        let steps = self.steps(kind, &node.context, node.children)?;
        for place in (0..node.children).rev() {
            let step = steps.as_ref().and_then(|steps| steps.get(place).cloned());
            let path = path.clone() + &step.unwrap_or_else(|| format!("[{place}]"));
            self.bytes += path.len();
            if self.bytes > MAX_NAMES {
                return Err(TOO_LARGE.into());
            }
            self.waiting.push(path);
        }
        Ok(())
    }

    /// Returns the path step of each child, or None if the children are numbered.
    fn steps(&self, kind: &str, context: &Value, count: usize) -> Result<Option<Vec<String>>, String> {
        let steps: Option<Vec<String>> = match kind {
            "builtins.tuple" | "builtins.list" | "collections.deque" => None,
            "builtins.dict" | "collections.OrderedDict" => keys(context),
            "collections.defaultdict" => context.get("dict_context").and_then(keys),
            "collections.namedtuple" => self.named_tuple(context),
            _ => return Ok(attributes(context, count)),
        };
        match steps {
            Some(steps) if steps.len() != count => {
                Err(format!("{kind} has {count} children and {} keys", steps.len()))
            }
            steps => Ok(steps),
        }
    }

    fn named_tuple(&self, context: &Value) -> Option<Vec<String>> {
        let fields = self.fields.get(context.as_str()?)?;
        Some(fields.field_names.iter().map(|name| attribute(name)).collect())
    }
}

const TOO_LARGE: &str = "the tree has too many leaves or too long names";

fn keys(context: &Value) -> Option<Vec<String>> {
    Some(context.as_array()?.iter().map(key).collect())
}

/// Formats a key. Enum keys are stored as objects with the member's name (`EnumEncoder`).
fn key(key: &Value) -> String {
    match key.get("__enum__").and(key.get("name")).and_then(Value::as_str) {
        Some(member) => format!("[{member}]"),
        None => format!("[{key}]"),
    }
}

/// Returns the field names of an unknown class. Dataclasses store a list of names, or a list of two
/// such lists: the fields that are set and those that are None
/// (`register_dataclass_as_pytree_node`).
fn attributes(context: &Value, count: usize) -> Option<Vec<String>> {
    let list = context.as_array()?;
    let nested = list.first().and_then(Value::as_array);
    [Some(list), nested].into_iter().flatten().find_map(|names| {
        let names: Option<Vec<String>> = names.iter().map(|name| Some(attribute(name.as_str()?))).collect();
        names.filter(|names| names.len() == count)
    })
}

fn attribute(name: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(word) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        format!(".{name}")
    } else {
        format!("[{}]", Value::from(name))
    }
}
