//! What a node is given, as far as it is known before the node runs.

use super::Shape;
use crate::graph::{Node, Operand, ValueId};
use crate::program::schema::ScalarType;

/// A node with the shapes of what it reads.
#[derive(Clone, Copy)]
pub struct NodeArguments<'a> {
    pub node: &'a Node,
    pub shape: &'a dyn Fn(ValueId) -> Option<&'a Shape>,
}

impl<'a> NodeArguments<'a> {
    /// The tensor passed under this name.
    pub fn tensor(&self, name: &str) -> Option<&'a Shape> {
        (self.shape)(self.node.argument(name)?.value()?)
    }

    /// The first argument, where it is a tensor.
    pub fn first(&self) -> Option<&'a Shape> {
        (self.shape)(self.node.inputs.first()?.value.value()?)
    }

    /// All tensors, those in lists too. None where the shape of one is not known.
    pub fn tensors(&self) -> Option<Vec<&'a Shape>> {
        let mut all = Some(Vec::new());
        self.node.for_each_use(&mut |value| match ((self.shape)(value), &mut all) {
            (Some(shape), Some(all)) => all.push(shape),
            _ => all = None,
        });
        all
    }

    /// The tensors of a list.
    pub fn listed(&self, name: &str) -> Option<Vec<&'a Shape>> {
        let Operand::List(items) = self.node.argument(name)? else { return None };
        items.iter().map(|item| (self.shape)(item.value()?)).collect()
    }

    /// An int that is known at export; the default where none is passed.
    pub fn int(&self, name: &str, default: i64) -> Option<i64> {
        match self.node.argument(name) {
            None => Some(default),
            Some(Operand::Int(value)) => Some(*value),
            Some(_) => None,
        }
    }

    /// As `int`, and None stands for the default too.
    pub fn optional_int(&self, name: &str, default: i64) -> Option<i64> {
        match self.node.argument(name) {
            Some(Operand::None) => Some(default),
            _ => self.int(name, default),
        }
    }

    /// As `int`, of a bool.
    pub fn flag(&self, name: &str, default: bool) -> Option<bool> {
        match self.node.argument(name) {
            None => Some(default),
            Some(Operand::Bool(value)) => Some(*value),
            Some(_) => None,
        }
    }

    /// A list of ints that are known at export.
    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.node.argument(name)?.as_ints()
    }

    /// One dimension or several; `Some(None)` where the operator takes all.
    pub fn dims(&self, name: &str) -> Option<Option<Vec<i64>>> {
        match self.node.argument(name) {
            None | Some(Operand::None) => Some(None),
            Some(Operand::Int(dim)) => Some(Some(vec![*dim])),
            Some(list) => list.as_ints().map(Some),
        }
    }

    /// The dtype that the node asks for. `Some(None)` where it leaves that to libtorch.
    pub fn dtype(&self) -> Option<Option<ScalarType>> {
        match self.node.argument("dtype") {
            None | Some(Operand::None) => Some(None),
            Some(Operand::ScalarType(dtype)) => Some(Some(*dtype)),
            Some(_) => None,
        }
    }

    /// The sizes that all tensors have in common.
    pub fn broadcast(&self) -> Option<Vec<i64>> {
        broadcast(self.tensors()?.iter().map(|shape| shape.sizes.as_slice()))
    }
}

/// As NumPy and libtorch broadcast.
pub fn broadcast<'s>(all: impl Iterator<Item = &'s [i64]>) -> Option<Vec<i64>> {
    let mut common: Vec<i64> = Vec::new();
    for sizes in all {
        let missing = sizes.len().saturating_sub(common.len());
        common.splice(0..0, std::iter::repeat_n(1, missing));
        for (to, size) in common.iter_mut().rev().zip(sizes.iter().rev()) {
            match (*to, *size) {
                (one, other) if one == other => {}
                (_, 1) => {}
                (1, other) => *to = other,
                _ => return None,
            }
        }
    }
    Some(common)
}
