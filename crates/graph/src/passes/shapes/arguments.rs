//! Arguments of a node, as far as they are known before the node runs.

use super::shape::Shape;
use crate::graph::{Node, Operand, ValueId};
use crate::program::schema::ScalarType;

/// Node with the shapes of the tensors that it reads.
#[derive(Clone, Copy)]
pub struct NodeArguments<'a> {
    pub node: &'a Node,
    pub shape: &'a dyn Fn(ValueId) -> Option<&'a Shape>,
}

impl<'a> NodeArguments<'a> {
    /// Returns the tensor passed under this name.
    pub fn tensor(&self, name: &str) -> Option<&'a Shape> {
        (self.shape)(self.node.argument(name)?.value()?)
    }

    /// Returns the first argument, if it is a tensor.
    pub fn first(&self) -> Option<&'a Shape> {
        (self.shape)(self.node.inputs.first()?.value.value()?)
    }

    /// Returns all tensors, those in lists included. None if the shape of one is unknown.
    pub fn tensors(&self) -> Option<Vec<&'a Shape>> {
        let mut all = Some(Vec::new());
        self.node.for_each_use(&mut |value| match ((self.shape)(value), &mut all) {
            (Some(shape), Some(all)) => all.push(shape),
            _ => all = None,
        });
        all
    }

    /// Returns the tensors of a list.
    pub fn listed(&self, name: &str) -> Option<Vec<&'a Shape>> {
        let Operand::List(items) = self.node.argument(name)? else { return None };
        items.iter().map(|item| (self.shape)(item.value()?)).collect()
    }

    /// Returns an int that is known at export, or the default if none is passed.
    pub fn int(&self, name: &str, default: i64) -> Option<i64> {
        match self.node.argument(name) {
            None => Some(default),
            Some(Operand::Int(value)) => Some(*value),
            Some(_) => None,
        }
    }

    /// Returns an int as [`Arguments::int`] does. Python's `None` also means the default.
    pub fn optional_int(&self, name: &str, default: i64) -> Option<i64> {
        match self.node.argument(name) {
            Some(Operand::None) => Some(default),
            _ => self.int(name, default),
        }
    }

    /// Returns a bool that is known at export, or the default if none is passed.
    pub fn flag(&self, name: &str, default: bool) -> Option<bool> {
        match self.node.argument(name) {
            None => Some(default),
            Some(Operand::Bool(value)) => Some(*value),
            Some(_) => None,
        }
    }

    /// Returns a list of ints that are known at export.
    pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
        self.node.argument(name)?.as_ints()
    }

    /// Returns one dimension or several; `Some(None)` if the operator takes all.
    pub fn dims(&self, name: &str) -> Option<Option<Vec<i64>>> {
        match self.node.argument(name) {
            None | Some(Operand::None) => Some(None),
            Some(Operand::Int(dim)) => Some(Some(vec![*dim])),
            Some(list) => list.as_ints().map(Some),
        }
    }

    /// Returns the dtype that the node requests; `Some(None)` if it leaves that to libtorch.
    pub fn dtype(&self) -> Option<Option<ScalarType>> {
        match self.node.argument("dtype") {
            None | Some(Operand::None) => Some(None),
            Some(Operand::ScalarType(dtype)) => Some(Some(*dtype)),
            Some(_) => None,
        }
    }

    /// Returns the broadcast sizes of all tensors.
    pub fn broadcast(&self) -> Option<Vec<i64>> {
        broadcast(self.tensors()?.iter().map(|shape| shape.sizes.as_slice()))
    }
}

/// Broadcasts sizes by the rules of NumPy and libtorch.
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
