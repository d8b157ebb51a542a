//! Higher-order operators: nodes that run graphs, each graph a plan of its own.

mod arguments;
mod body_check;
mod op;

pub use arguments::{operands, results};
pub use op::ControlOp;

use super::{Plan, ValueRef};
use crate::torch::Pointwise;

/// How a node runs the graphs it is given. Results are one for each output of the graph; None is read by nobody.
#[derive(Debug)]
pub enum Control {
    /// Runs one of two graphs.
    Branch {
        /// Decides which.
        predicate: ValueRef,
        /// Run if the predicate is true.
        yes: Plan,
        /// Run if it is not.
        no: Plan,
        /// What either is given.
        operands: Vec<ValueRef>,
        /// Where the outputs go.
        results: Vec<Option<u32>>,
    },
    /// Runs a graph on what it returned before, as long as another one says so.
    While {
        /// Returns whether to go on.
        condition: Plan,
        /// Returns the next values.
        body: Plan,
        /// The first values.
        carried: Vec<ValueRef>,
        /// What both graphs are given after the values, unchanged.
        extra: Vec<ValueRef>,
        /// Whether the values of every round are collected, and returned as the rows of tensors.
        stacked: bool,
        /// Where the last values go, or the stacked ones.
        results: Vec<Option<u32>>,
    },
    /// Runs a graph on each row of some tensors in turn.
    Scan {
        /// Returns the next carried values, then this row's outputs.
        body: Plan,
        /// The first carried values.
        carried: Vec<ValueRef>,
        /// The tensors, of as many rows each.
        rows: Vec<u32>,
        /// What the graph is given after the rows, unchanged.
        extra: Vec<ValueRef>,
        /// Where the last carried values go, then the stacked outputs.
        results: Vec<Option<u32>>,
    },
    /// Runs a graph on neighbouring rows of some tensors, on what it returned for those, and so on, so that each
    /// row becomes what all rows up to it combine to.
    Associate {
        /// Combines rows with the rows after them.
        body: Plan,
        /// The tensors, of as many rows each.
        rows: Vec<u32>,
        /// What the graph is given after the rows, unchanged.
        extra: Vec<ValueRef>,
        /// Where the combined rows go.
        results: Vec<Option<u32>>,
    },
    /// Does arithmetic on each element of some tensors.
    Pointwise {
        /// All of it at once.
        program: Pointwise,
        /// One operation at a time, where the tensors do not lie row-major or are of other sizes.
        body: Plan,
        /// The tensors.
        operands: Vec<u32>,
        /// Where the output goes.
        results: Vec<Option<u32>>,
    },
    /// Runs a graph with automatic casts switched on or off.
    Autocast {
        /// Whether they are on.
        enabled: bool,
        /// The dtype to cast to, by libtorch's number; None for the device's default.
        dtype: Option<i32>,
        /// What runs.
        body: Plan,
        /// What it is given.
        operands: Vec<ValueRef>,
        /// Where the outputs go.
        results: Vec<Option<u32>>,
    },
}
