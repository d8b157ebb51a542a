//! Owns the trees that inputs come in and outputs leave in, and the path that names each leaf.
//!
//! The text is `treespec_dumps` of `torch/utils/_pytree.py` (2.11), protocol 1. Types are data: one that is not
//! known here is a node like any other, and its context may name its children.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserializer, SeqAccess, Visitor};
use serde_json::Value;

use super::json::{self, malformed};
use super::schema::NamedTupleDef;
use super::schema::record::record;
use super::schema::wire::{Wire, seed};
use crate::error::Result;

/// The most leaves a tree may have.
pub const MAX_LEAVES: usize = 1 << 16;

/// The most bytes the names of a tree's leaves may take together.
const MAX_NAMES: usize = 1 << 24;

/// A tree of Python containers. JSON nesting bounds its depth.
#[derive(Clone, Debug, PartialEq)]
pub enum TreeSpec {
    /// One input or output.
    Leaf,
    /// A container.
    Node {
        /// The container's type, such as `builtins.dict`.
        kind: String,
        /// What the type keeps of its own: keys, names, a length.
        context: Value,
        /// What it contains.
        children: Vec<TreeSpec>,
    },
}

record! {
    /// A tree as the text has it: `_TreeSpecSchema`.
    Text {
        /// The container's type, none for a leaf.
        r#type: Option<String>,
        /// What the type keeps: JSON, or JSON inside a string.
        context: Value,
        /// What it contains.
        children_spec: Vec<Text>,
    }
}

impl<'de> Wire<'de> for Value {
    fn read<D: Deserializer<'de>>(json: D) -> std::result::Result<Self, D::Error> {
        serde::Deserialize::deserialize(json)
    }
}

/// The pair of protocol number and tree.
struct Pair(Text);

impl<'de> Wire<'de> for Pair {
    fn read<D: Deserializer<'de>>(json: D) -> std::result::Result<Self, D::Error> {
        json.deserialize_seq(PairVisitor)
    }
}

struct PairVisitor;

impl<'de> Visitor<'de> for PairVisitor {
    type Value = Pair;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of a protocol number and a tree")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut json: A) -> std::result::Result<Pair, A::Error> {
        use serde::de::Error;
        match json.next_element_seed(seed::<i64>())? {
            Some(1) => {}
            Some(other) => return Err(A::Error::custom(format_args!("tree protocol {other} is not known"))),
            None => return Err(A::Error::invalid_length(0, &self)),
        }
        let tree = json.next_element_seed(seed())?.ok_or_else(|| A::Error::invalid_length(1, &self))?;
        Ok(Pair(tree))
    }
}

impl TreeSpec {
    /// Reads a tree. `at` names the text in errors.
    pub fn parse(text: &str, at: &str) -> Result<TreeSpec> {
        let Pair(tree) = json::read(text.as_bytes()).map_err(|error| malformed(at, error.to_string()))?;
        TreeSpec::build(tree).map_err(|reason| malformed(at, reason))
    }

    fn build(text: Text) -> std::result::Result<TreeSpec, String> {
        let Some(kind) = text.r#type else {
            return match text.children_spec.is_empty() {
                true => Ok(TreeSpec::Leaf),
                false => Err("a leaf has children".into()),
            };
        };
        let context = match text.context {
            // A context that is no JSON is the text itself, such as the name of a named tuple.
            Value::String(inner) => serde_json::from_str(&inner).unwrap_or(Value::String(inner)),
            other => other,
        };
        let children = text.children_spec.into_iter().map(TreeSpec::build).collect::<Result<_, _>>()?;
        Ok(TreeSpec::Node { kind, context, children })
    }

    /// The type and children of a container.
    pub fn node(&self) -> Option<(&str, &[TreeSpec])> {
        match self {
            TreeSpec::Leaf => None,
            TreeSpec::Node { kind, children, .. } => Some((kind, children)),
        }
    }

    /// The paths of all leaves in order, each beginning with `root`. Fails when keys and children differ in number,
    /// and when there are too many.
    pub fn leaf_paths(&self, root: &str, fields: &NamedTuples) -> std::result::Result<Vec<String>, String> {
        let mut walk = Walk { fields, paths: Vec::new(), bytes: 0 };
        walk.visit(self, root.to_owned())?;
        Ok(walk.paths)
    }
}

/// The fields of each named tuple, by the name of its type.
pub type NamedTuples = BTreeMap<String, NamedTupleDef>;

struct Walk<'a> {
    fields: &'a NamedTuples,
    paths: Vec<String>,
    bytes: usize,
}

impl Walk<'_> {
    fn visit(&mut self, tree: &TreeSpec, path: String) -> std::result::Result<(), String> {
        self.bytes += path.len();
        if self.bytes > MAX_NAMES || self.paths.len() >= MAX_LEAVES {
            return Err("the tree has too many leaves or too long names".into());
        }
        let TreeSpec::Node { kind, context, children } = tree else {
            self.paths.push(path);
            return Ok(());
        };
        let steps = self.steps(kind, context, children.len())?;
        for (place, child) in children.iter().enumerate() {
            let step = steps.as_ref().and_then(|steps| steps.get(place).cloned());
            self.visit(child, path.clone() + &step.unwrap_or_else(|| format!("[{place}]")))?;
        }
        Ok(())
    }

    /// How each child is reached from its parent; nothing where that is by number.
    fn steps(
        &self,
        kind: &str,
        context: &Value,
        count: usize,
    ) -> std::result::Result<Option<Vec<String>>, String> {
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

fn keys(context: &Value) -> Option<Vec<String>> {
    Some(context.as_array()?.iter().map(key).collect())
}

/// Keys that are enums come as objects that hold the member's name (`EnumEncoder`).
fn key(key: &Value) -> String {
    match key.get("__enum__").and(key.get("name")).and_then(Value::as_str) {
        Some(member) => format!("[{member}]"),
        None => format!("[{key}]"),
    }
}

/// The fields of a class that is not known here. Dataclasses keep a list of names, or a list of two such lists: the
/// fields that are set and the ones that are None (`register_dataclass_as_pytree_node`).
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
    match !name.is_empty() && name.chars().all(word) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!(".{name}"),
        false => format!("[{}]", Value::from(name)),
    }
}
