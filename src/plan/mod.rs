//! Plans: the immutable, device-bound form of a program.
//!
//! Input: a [`Function`](crate::graph::Function) and a device. Output: a [`Plan`] in which
//! operators, defaults, slots and last uses are resolved. A run needs no names, hash maps or
//! schemas. If this process lacks something that a program needs, building fails and the error
//! lists all of it.

mod bitcast;
mod build;
mod control;
mod cuda_graph_support;
mod cuda_library_hint;
mod device_lowering;
mod device_profile;
mod effects;
mod hop_lowering;
mod liveness;
mod operand;
mod pointwise_program;
mod policy;
mod python_function;
mod resolve;
mod warmup;

pub use build::build;
pub use control::Control;
pub use cuda_library_hint::cuda_library_hint;
pub use device_lowering::lower_for_device;
pub use device_profile::device_profile;
pub use effects::effects;
pub use hop_lowering::lower_higher_order;
pub use policy::Policy;
pub use python_function::PythonFunction;
pub use warmup::{ConvTemplate, FirstCall, GemmTemplate, WarmupQueue};

use crate::program::number::Number;
use crate::torch::{Device, OpCall};

/// Immutable instructions of a run, shared by all threads. A run needs only the weights besides.
#[derive(Debug)]
pub struct Plan {
    /// Device that the plan runs on.
    pub device: Device,
    /// Number of slots of a frame.
    pub slots: usize,
    /// Steps, in order.
    pub steps: Vec<Step>,
    /// Weights by name, with the slots that hold them.
    pub weights: Vec<(u32, String)>,
    /// Slot of each input that the caller passes; None for an input that is a constant of the
    /// program.
    pub inputs: Vec<Option<u32>>,
    /// Values returned to the caller.
    pub outputs: Vec<ValueRef>,
    /// Names of the outputs in the interface, for errors; empty for a graph inside the program.
    pub output_names: Vec<String>,
    /// Slots other than weights that still hold a value after the last step.
    pub leftover: Vec<u32>,
    /// Memory that the program writes to.
    pub effects: Effects,
    /// Description of each step for errors.
    pub labels: Vec<Label>,
    /// True if the program views memory as elements of another dtype.
    pub has_bitcasts: bool,
    /// First node that draws random numbers, here or in a graph that a node runs.
    pub random: Option<String>,
    /// Reason why the kernels cannot be captured; None if a device with CUDA graphs can capture
    /// them.
    pub capture_refusal: Option<String>,
}

/// One step of a run.
#[derive(Debug)]
pub struct Step {
    /// Action of the step.
    pub action: Action,
    /// Slots that no later step reads.
    pub dead: Vec<u32>,
}

/// Action of a step.
#[derive(Debug)]
pub enum Action {
    /// Calls an operator of libtorch.
    Call(OpCall),
    /// Computes a number from numbers.
    Compute {
        /// Function to apply.
        function: PythonFunction,
        /// Its arguments.
        arguments: Vec<ValueRef>,
        /// Slot of the result.
        slot: u32,
    },
    /// Runs graphs.
    Control(Box<Control>),
}

/// Source of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef {
    /// Slot of the frame.
    Slot(u32),
    /// Constant of the program.
    Number(Number),
    /// Python's None.
    None,
}

/// Memory that outlives a call and that the program writes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Names of the parameters, buffers and constants that the program writes to.
    pub state: Vec<String>,
    /// Positions of the inputs whose memory the program writes to.
    pub inputs: Vec<usize>,
}

/// Description of a node for error messages.
#[derive(Clone, Debug)]
pub struct Label {
    /// Name of the node in the graph.
    pub node: String,
    /// Operator with its overload.
    pub target: String,
    /// Source location of the call in the exported Python.
    pub trace: Option<String>,
}
