//! Nodes, and the graph that they form.

use super::{Operand, Target, Value, ValueId, ValueKind};
use crate::program::schema::TensorMeta;
use std::collections::HashMap;

/// Argument of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// Name of the parameter in the operator's schema. Empty where the archive records none
    /// (higher-order operators).
    pub name: String,
    /// True if the exported program passes it by keyword. Archives written before 2.7 do not record
    /// it.
    pub keyword: Option<bool>,
    /// Operand that is passed.
    pub value: Operand,
}

/// Values that one return of an operator defines.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// None: the operator returns `None` in this place.
    None,
    /// One value.
    Value(ValueId),
    /// List of tensors, of which some may be `None`.
    List(Vec<Option<ValueId>>),
}

impl Output {
    /// Returns the values that the return defines, in order.
    pub fn values(&self) -> impl Iterator<Item = ValueId> + '_ {
        let (one, list) = match self {
            Output::None => (None, &[][..]),
            Output::Value(id) => (Some(*id), &[][..]),
            Output::List(ids) => (None, ids.as_slice()),
        };
        one.into_iter().chain(list.iter().flatten().copied())
    }

    /// Returns the values that the return defines, mutable, in order.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut ValueId> + '_ {
        let (one, list) = match self {
            Output::None => (None, &mut [][..]),
            Output::Value(id) => (Some(id), &mut [][..]),
            Output::List(ids) => (None, ids.as_mut_slice()),
        };
        one.into_iter().chain(list.iter_mut().flatten())
    }
}

/// Author of a node: the one who chose its operator and arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Author {
    /// Exporter: the node is from the archive, or its arguments are.
    #[default]
    Exporter,
    /// Optimisation pass.
    Pass,
}

/// Call of an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Name in the exported program, or else the name of its first output. Used for display and
    /// errors only.
    pub name: String,
    /// Operator or function that the node calls.
    pub target: Target,
    /// Arguments that the archive lists: those that differ from the operator's defaults.
    pub inputs: Vec<Argument>,
    /// Outputs, one for each return of the operator. A higher-order operator has one for each
    /// element it returns, as a tuple or not.
    pub outputs: Vec<Output>,
    /// Stack trace of the call in the exported Python, if the archive records one.
    pub trace: Option<String>,
    /// Author of the node. The text form does not show it.
    pub author: Author,
}

impl Node {
    /// Calls `visit` with every value that the node reads, in order.
    pub fn for_each_use(&self, visit: &mut impl FnMut(ValueId)) {
        self.inputs.iter().for_each(|argument| argument.value.for_each_value(visit));
    }

    /// Returns the argument for the parameter of this name, or None if the operator's default
    /// applies.
    pub fn argument(&self, name: &str) -> Option<&Operand> {
        self.inputs.iter().find(|argument| argument.name == name).map(|argument| &argument.value)
    }

    /// Sets the argument for the parameter of this name.
    pub fn set_argument(&mut self, name: &str, value: Operand) {
        match self.inputs.iter_mut().find(|argument| argument.name == name) {
            Some(argument) => argument.value = value,
            None => self.inputs.push(Argument { name: name.into(), keyword: None, value }),
        }
    }

    /// Returns the value that the node defines, if it defines exactly one.
    pub fn result(&self) -> Option<ValueId> {
        let mut defined = self.defined();
        let first = defined.next()?;
        defined.next().is_none().then_some(first)
    }

    /// Returns true if the node calls any overload of this operator of `aten`.
    pub fn is_aten(&self, wanted: &str) -> bool {
        self.is("aten", wanted)
    }

    /// Returns true if the node calls any overload of this operator.
    pub fn is(&self, library: &str, wanted: &str) -> bool {
        matches!(&self.target, Target::Operator { namespace, name, .. } if namespace == library && name == wanted)
    }

    /// Returns the values that the node defines, in order.
    pub fn defined(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.outputs.iter().flat_map(Output::values)
    }
}

/// Values, and the nodes that compute them, in the order in which they run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// All values. A [`ValueId`] is an index into this list.
    pub values: Vec<Value>,
    /// Values that the caller passes.
    pub inputs: Vec<ValueId>,
    /// Calls, in order.
    pub nodes: Vec<Node>,
    /// Operands that the graph returns.
    pub outputs: Vec<Operand>,
}

impl Graph {
    /// Returns the position of the node that defines each value, for nodes with one result.
    pub fn makers(&self) -> HashMap<ValueId, usize> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter_map(|(index, node)| Some((node.result()?, index))).collect()
    }

    /// Returns the value with this id, or `None` if the id belongs to another graph.
    pub fn value(&self, id: ValueId) -> Option<&Value> {
        self.values.get(id.index())
    }

    /// Returns the metadata that the exporter recorded for a tensor.
    pub fn meta(&self, id: ValueId) -> Option<&TensorMeta> {
        match &self.value(id)?.kind {
            ValueKind::Tensor(meta) => meta.as_ref(),
            _ => None,
        }
    }
}
