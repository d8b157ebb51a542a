//! Function: a graph with the meaning of its inputs and outputs.

use super::Graph;
use crate::program::schema::ConstantValue;
use std::collections::HashSet;

/// A graph and what its inputs and outputs stand for.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// What is computed.
    pub graph: Graph,
    /// One element for each input of the graph.
    pub inputs: Vec<InputBinding>,
    /// One element for each output of the graph.
    pub outputs: Vec<OutputBinding>,
}

/// Where an input of the graph comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum InputBinding {
    /// The caller passes it.
    User,
    /// The caller passes it, and it must equal this constant.
    Constant(ConstantValue),
    /// A parameter, by its fully qualified name.
    Parameter(String),
    /// A buffer, by its fully qualified name.
    Buffer {
        /// The fully qualified name.
        name: String,
        /// Whether it is part of the state dict; if not, it is stored with the constants.
        persistent: bool,
    },
    /// A tensor that was a constant in the exported Python, by its name.
    TensorConstant(String),
    /// A custom object, by its name.
    Object(String),
    /// An effect token.
    Token,
}

/// Where an output of the graph goes.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputBinding {
    /// To the caller.
    User,
    /// To the caller, as the loss of a training program.
    Loss,
    /// An effect token, which nobody gets.
    Token,
    /// Copied back into the buffer of this name after the run.
    MutatesBuffer(String),
    /// Copied back into the parameter of this name after the run.
    MutatesParameter(String),
    /// Copied back into the input of the graph with this name, which is the caller's memory.
    MutatesInput(String),
    /// The gradient of the parameter of this name.
    GradientToParameter(String),
    /// The gradient of the input of the graph with this name.
    GradientToInput(String),
}

impl OutputBinding {
    /// Whether the caller gets it.
    pub fn is_returned(&self) -> bool {
        use OutputBinding::*;
        matches!(self, User | Loss | GradientToParameter(_) | GradientToInput(_))
    }
}

impl InputBinding {
    /// The name of a tensor of the archive: a parameter, buffer or constant.
    pub fn weight(&self) -> Option<&str> {
        match self {
            InputBinding::Parameter(name)
            | InputBinding::Buffer { name, .. }
            | InputBinding::TensorConstant(name) => Some(name),
            _ => None,
        }
    }
}

impl Function {
    /// The names of the tensors of the archive that it takes.
    pub fn weights(&self) -> HashSet<&str> {
        self.inputs.iter().filter_map(InputBinding::weight).collect()
    }

    /// The input of the graph that an output is copied back into, as an index into `inputs`.
    pub fn mutated_input(&self, output: &OutputBinding) -> Option<usize> {
        match output {
            OutputBinding::MutatesBuffer(target) => self
                .inputs
                .iter()
                .position(|input| matches!(input, InputBinding::Buffer { name, .. } if name == target)),
            OutputBinding::MutatesParameter(target) => self
                .inputs
                .iter()
                .position(|input| matches!(input, InputBinding::Parameter(name) if name == target)),
            OutputBinding::MutatesInput(target) => self.user_input(target),
            _ => None,
        }
    }

    /// The user input of this name, as an index into `inputs`.
    pub fn user_input(&self, name: &str) -> Option<usize> {
        let named = |id| self.graph.value(id).is_some_and(|value| value.name == name);
        let mut bound = self.inputs.iter().zip(&self.graph.inputs);
        bound.position(|(input, id)| matches!(input, InputBinding::User) && named(*id))
    }
}
