//! Invariants of every graph: each value is defined exactly once and before its uses.

use super::{Graph, MAX_DEPTH, Node, Operand, ValueId, path_within};
use crate::{Error, Result};
use std::collections::HashSet;
use std::fmt;

impl Graph {
    /// Checks the graph and the graphs inside it. Runs once on every load and after every pass that
    /// changed the graph.
    pub fn verify(&self) -> Result<()> {
        self.verify_at("graph", 0)
    }

    fn verify_at(&self, path: &str, depth: usize) -> Result<()> {
        let mut defined = Definitions { graph: self, path, seen: vec![false; self.values.len()] };
        self.inputs.iter().try_for_each(|id| defined.define(*id, Place::Input))?;
        for node in &self.nodes {
            let at = Place::Node(node);
            for argument in &node.inputs {
                defined.operand(&argument.value, at, depth + 1)?;
            }
            node.defined().try_for_each(|id| defined.define(id, at))?;
        }
        self.outputs.iter().try_for_each(|output| defined.operand(output, Place::Output, depth + 1))?;
        defined.complete()
    }
}

/// The part of a graph that an error names.
#[derive(Clone, Copy)]
enum Place<'a> {
    Input,
    Node(&'a Node),
    Output,
    Values,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Place::Input => f.write_str("an input"),
            Place::Node(node) => write!(f, "node `{}`", node.name.escape_debug()),
            Place::Output => f.write_str("an output"),
            Place::Values => f.write_str("values"),
        }
    }
}

struct Definitions<'a> {
    graph: &'a Graph,
    path: &'a str,
    seen: Vec<bool>,
}

impl Definitions<'_> {
    fn define(&mut self, id: ValueId, at: Place) -> Result<()> {
        match self.seen.get_mut(id.index()) {
            None => Err(self.error(at, format!("it defines value {}, which does not exist", id.0))),
            Some(true) => Err(self.error(at, format!("{} is defined twice", self.name(id)))),
            Some(seen) => {
                *seen = true;
                Ok(())
            }
        }
    }

    fn used(&self, id: ValueId, at: Place) -> Result<()> {
        match self.seen.get(id.index()) {
            None => Err(self.error(at, format!("it reads value {}, which does not exist", id.0))),
            Some(false) => Err(self.error(at, format!("{} is used before it is defined", self.name(id)))),
            Some(true) => Ok(()),
        }
    }

    /// Checks the values that an operand names, and the graphs in it. The depth is checked before
    /// the recursion. The schema's own lists of lists may exceed the limit by two levels.
    fn operand(&self, operand: &Operand, at: Place, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH + 2 {
            return Err(self.error(at, format!("graphs and lists nest deeper than {MAX_DEPTH}")));
        }
        match operand {
            Operand::Value(id) => self.used(*id, at),
            Operand::List(items) => items.iter().try_for_each(|item| self.operand(item, at, depth + 1)),
            Operand::Map(items) => items.iter().try_for_each(|(_, item)| self.operand(item, at, depth + 1)),
            Operand::Graph(inner) => {
                let path = path_within(self.path, &inner.name);
                inner.graph.verify_at(&path, depth)
            }
            _ => Ok(()),
        }
    }

    fn complete(&self) -> Result<()> {
        if let Some(index) = self.seen.iter().position(|seen| !seen) {
            let name = self.graph.values.get(index).map_or("", |value| &value.name);
            return Err(self.error(Place::Values, format!("`{}` is never defined", name.escape_debug())));
        }
        let mut names = HashSet::with_capacity(self.graph.values.len());
        match self.graph.values.iter().find(|value| !names.insert(value.name.as_str())) {
            Some(twin) => {
                Err(self.error(Place::Values, format!("two are named `{}`", twin.name.escape_debug())))
            }
            None => Ok(()),
        }
    }

    fn name(&self, id: ValueId) -> String {
        self.graph
            .value(id)
            .map_or_else(String::new, |value| format!("the value `{}`", value.name.escape_debug()))
    }

    fn error(&self, at: Place, reason: String) -> Error {
        Error::Program { at: format!("{}, {at}", self.path), reason }
    }
}
