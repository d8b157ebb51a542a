//! Function: a graph with the meaning of its inputs and outputs.

use super::Graph;
use crate::program::schema::ConstantValue;
use std::collections::HashSet;

/// Graph with the meaning of its inputs and outputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Graph that computes the outputs from the inputs.
    pub graph: Graph,
    /// Bindings of the inputs, one for each input of the graph.
    pub inputs: Vec<InputBinding>,
    /// Bindings of the outputs, one for each output of the graph.
    pub outputs: Vec<OutputBinding>,
}

/// Source of a graph input.
#[derive(Clone, Debug, PartialEq)]
pub enum InputBinding {
    /// Passed by the caller.
    User,
    /// Passed by the caller, and must equal this constant.
    Constant(ConstantValue),
    /// Parameter, by its fully qualified name.
    Parameter(String),
    /// Buffer, by its fully qualified name.
    Buffer {
        /// Fully qualified name.
        name: String,
        /// True if the buffer is part of the state dict. Others are stored with the constants.
        persistent: bool,
    },
    /// Tensor that was a constant in the exported Python, by its name.
    TensorConstant(String),
    /// Custom object, by its name.
    Object(String),
    /// Effect token.
    Token,
}

/// Destination of a graph output.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputBinding {
    /// Returned to the caller.
    User,
    /// Returned to the caller, as the loss of a training program.
    Loss,
    /// Effect token, which is dropped.
    Token,
    /// Copied back into the buffer of this name after the run.
    MutatesBuffer(String),
    /// Copied back into the parameter of this name after the run.
    MutatesParameter(String),
    /// Copied back into the caller's memory: the graph input of this name.
    MutatesInput(String),
    /// Gradient of the parameter of this name.
    GradientToParameter(String),
    /// Gradient of the graph input of this name.
    GradientToInput(String),
}

impl OutputBinding {
    /// Returns true if the caller receives the output.
    pub fn is_returned(&self) -> bool {
        use OutputBinding::*;
        matches!(self, User | Loss | GradientToParameter(_) | GradientToInput(_))
    }
}

impl InputBinding {
    /// Returns the name in the archive if the input is a stored tensor: a parameter, buffer or
    /// constant.
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
    /// Returns the names of the stored tensors that the function takes.
    pub fn weights(&self) -> HashSet<&str> {
        self.inputs.iter().filter_map(InputBinding::weight).collect()
    }

    /// Returns the input that an output is copied back into, as an index into `inputs`.
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

    /// Returns the user input of this name, as an index into `inputs`.
    pub fn user_input(&self, name: &str) -> Option<usize> {
        let named = |id| self.graph.value(id).is_some_and(|value| value.name == name);
        let mut bound = self.inputs.iter().zip(&self.graph.inputs);
        bound.position(|(input, id)| matches!(input, InputBinding::User) && named(*id))
    }
}
