//! The immutable, device-bound form of a program: what a run needs and nothing else.
//!
//! Enters: a [`Function`](crate::graph::Function) and a device. Leaves: a [`Plan`], in which every
//! operator is resolved, every default filled in, every value a slot, and every last use known. Names, hash
//! maps and schemas end here; a program that lacks something is refused here, with all that it lacks.

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
pub use hop_lowering::lower_higher_order;
pub use policy::Policy;
pub use python_function::PythonFunction;
pub use warmup::{ConvTemplate, FirstCall, GemmTemplate, WarmupQueue};

use crate::program::number::Number;
use crate::torch::{Device, OpCall};

/// What a run needs besides the weights. Immutable, and shared by all threads.
#[derive(Debug)]
pub struct Plan {
    /// Where it runs.
    pub device: Device,
    /// How many slots a frame has.
    pub slots: usize,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The weights by name, with the slots they stay in.
    pub weights: Vec<(u32, String)>,
    /// The slot of each input the caller passes; None for an input that is a constant of the program.
    pub inputs: Vec<Option<u32>>,
    /// What the caller gets.
    pub outputs: Vec<ValueRef>,
    /// The names of the outputs in the interface, for errors; empty for a graph inside the program.
    pub output_names: Vec<String>,
    /// The slots that are still full after the last step and are no weights.
    pub leftover: Vec<u32>,
    /// What the program writes to.
    pub effects: Effects,
    /// What to say of each step when it fails.
    pub labels: Vec<Label>,
    /// Whether it views memory as elements of another dtype.
    pub has_bitcasts: bool,
    /// Which node draws random numbers, here or in a graph that a node runs.
    pub random: Option<String>,
    /// Why its kernels cannot be captured; None if they can, on a device that captures.
    pub capture_refusal: Option<String>,
}

/// One step of a run.
#[derive(Debug)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// The slots that no later step reads.
    pub dead: Vec<u32>,
}

/// What a step does.
#[derive(Debug)]
pub enum Action {
    /// Calls an operator of libtorch.
    Call(OpCall),
    /// Computes a number from numbers.
    Compute {
        /// The function.
        function: PythonFunction,
        /// Its arguments.
        arguments: Vec<ValueRef>,
        /// Where the result goes.
        slot: u32,
    },
    /// Runs graphs.
    Control(Box<Control>),
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ValueRef {
    /// A slot of the frame.
    Slot(u32),
    /// A constant of the program.
    Number(Number),
    /// Python's None.
    None,
}

/// The memory that outlives a call and that the program writes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// The names of the parameters, buffers and constants it writes to.
    pub state: Vec<String>,
    /// The positions of the inputs whose memory it writes to.
    pub inputs: Vec<usize>,
}

/// A node, for people.
#[derive(Clone, Debug)]
pub struct Label {
    /// Its name in the graph.
    pub node: String,
    /// The operator with its overload.
    pub target: String,
    /// Where the exported Python called it.
    pub trace: Option<String>,
}
