//! Nodes, and the graph they make up.

use super::{Operand, Target, Value, ValueId, ValueKind};
use crate::program::schema::TensorMeta;
use std::collections::HashMap;

/// One argument of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    /// The parameter's name in the operator's schema; empty where the archive has none (higher-order operators).
    pub name: String,
    /// Whether the caller passed it by keyword. Archives written before 2.7 do not say.
    pub keyword: Option<bool>,
    /// What is passed.
    pub value: Operand,
}

/// What one return of an operator defines.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Nothing: the operator returns `None` in this place.
    None,
    /// One value.
    Value(ValueId),
    /// A list of tensors, of which some may be `None`.
    List(Vec<Option<ValueId>>),
}

impl Output {
    /// The values the return defines, in order.
    pub fn values(&self) -> impl Iterator<Item = ValueId> + '_ {
        let (one, list) = match self {
            Output::None => (None, &[][..]),
            Output::Value(id) => (Some(*id), &[][..]),
            Output::List(ids) => (None, ids.as_slice()),
        };
        one.into_iter().chain(list.iter().flatten().copied())
    }

    /// The same with the right to change each value.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut ValueId> + '_ {
        let (one, list) = match self {
            Output::None => (None, &mut [][..]),
            Output::Value(id) => (Some(id), &mut [][..]),
            Output::List(ids) => (None, ids.as_mut_slice()),
        };
        one.into_iter().chain(list.iter_mut().flatten())
    }
}

/// Who chose what a node calls and with which arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Author {
    /// The exporter: whatever the archive says.
    #[default]
    Exporter,
    /// An optimisation pass.
    Pass,
}

/// One call of an operator.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The name in the exported program, or else the name of its first output. For people and errors only.
    pub name: String,
    /// What is called.
    pub target: Target,
    /// The arguments the archive lists: those that differ from the operator's defaults.
    pub inputs: Vec<Argument>,
    /// One element for each return of the operator. A higher-order operator has one for each element it returns,
    /// whether or not it returns them as a tuple.
    pub outputs: Vec<Output>,
    /// Where the exported Python called the operator, if the archive tells.
    pub trace: Option<String>,
    /// Who wrote the node. The text form does not show it.
    pub author: Author,
}

impl Node {
    /// The values the node reads, in order.
    pub fn for_each_use(&self, visit: &mut impl FnMut(ValueId)) {
        self.inputs.iter().for_each(|argument| argument.value.for_each_value(visit));
    }

    /// What is passed for the parameter of this name; None if the operator's default is.
    pub fn argument(&self, name: &str) -> Option<&Operand> {
        self.inputs.iter().find(|argument| argument.name == name).map(|argument| &argument.value)
    }

    /// Passes this for the parameter of this name.
    pub fn set_argument(&mut self, name: &str, value: Operand) {
        match self.inputs.iter_mut().find(|argument| argument.name == name) {
            Some(argument) => argument.value = value,
            None => self.inputs.push(Argument { name: name.into(), keyword: None, value }),
        }
    }

    /// The only value the node defines.
    pub fn result(&self) -> Option<ValueId> {
        let mut defined = self.defined();
        let first = defined.next()?;
        defined.next().is_none().then_some(first)
    }

    /// Whether it calls this operator of `aten`, whatever the overload.
    pub fn is_aten(&self, wanted: &str) -> bool {
        self.is("aten", wanted)
    }

    /// Whether it calls some overload of this operator.
    pub fn is(&self, library: &str, wanted: &str) -> bool {
        matches!(&self.target, Target::Operator { namespace, name, .. } if namespace == library && name == wanted)
    }

    /// The values the node defines, in order.
    pub fn defined(&self) -> impl Iterator<Item = ValueId> + '_ {
        self.outputs.iter().flat_map(Output::values)
    }
}

/// Values, and the nodes that compute them, in the order in which they run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Every value; a [`ValueId`] is an index into it.
    pub values: Vec<Value>,
    /// The values the caller brings.
    pub inputs: Vec<ValueId>,
    /// The calls, in order.
    pub nodes: Vec<Node>,
    /// What the caller gets.
    pub outputs: Vec<Operand>,
}

impl Graph {
    /// The position of the node that makes each value, of nodes with one result.
    pub fn makers(&self) -> HashMap<ValueId, usize> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter_map(|(index, node)| Some((node.result()?, index))).collect()
    }

    /// The value behind an id, or `None` if the id belongs to another graph.
    pub fn value(&self, id: ValueId) -> Option<&Value> {
        self.values.get(id.index())
    }

    /// What the exporter knew of a tensor.
    pub fn meta(&self, id: ValueId) -> Option<&TensorMeta> {
        match &self.value(id)?.kind {
            ValueKind::Tensor(meta) => meta.as_ref(),
            _ => None,
        }
    }
}
