//! Higher-order operators: nodes that run graphs. Each graph is a plan of its own.

mod arguments;
mod body_check;
mod op;

pub use arguments::{operands, results};
pub use op::ControlOp;

use super::{Plan, ValueRef};
use crate::torch::Pointwise;

/// Control flow of a node that runs graphs.
///
/// `results` has one slot for each output of the graph; None where no later step reads that output.
#[derive(Debug)]
pub enum Control {
    /// Runs one of two graphs.
    Branch {
        /// Condition that selects the graph.
        predicate: ValueRef,
        /// Graph for a true predicate.
        yes: Plan,
        /// Graph for a false predicate.
        no: Plan,
        /// Operands of either graph.
        operands: Vec<ValueRef>,
        /// Slots of the outputs.
        results: Vec<Option<u32>>,
    },
    /// Runs a graph on its own previous results for as long as a condition graph returns true.
    While {
        /// Returns true if there is another iteration.
        condition: Plan,
        /// Returns the values carried to the next iteration.
        body: Plan,
        /// Initial carried values.
        carried: Vec<ValueRef>,
        /// Operands that both graphs take after the carried values, unchanged.
        extra: Vec<ValueRef>,
        /// True if the carried values of all iterations are stacked and returned.
        stacked: bool,
        /// Slots of the last carried values, or of the stacked ones.
        results: Vec<Option<u32>>,
    },
    /// Runs a graph on each row of some tensors in turn.
    Scan {
        /// Returns the next carried values, then the outputs of this row.
        body: Plan,
        /// Initial carried values.
        carried: Vec<ValueRef>,
        /// Slots of the tensors, which have the same number of rows.
        rows: Vec<u32>,
        /// Operands that the graph takes after the rows, unchanged.
        extra: Vec<ValueRef>,
        /// Slots of the last carried values, then of the stacked outputs.
        results: Vec<Option<u32>>,
    },
    /// Computes an inclusive scan over the rows of some tensors with an associative graph.
    Associate {
        /// Combines rows with the rows after them.
        body: Plan,
        /// Slots of the tensors, which have the same number of rows.
        rows: Vec<u32>,
        /// Operands that the graph takes after the rows, unchanged.
        extra: Vec<ValueRef>,
        /// Slots of the combined rows.
        results: Vec<Option<u32>>,
    },
    /// Computes fused pointwise arithmetic.
    Pointwise {
        /// All operations in one loop over the elements.
        program: Pointwise,
        /// The operations one by one, for tensors that are not contiguous or differ in size.
        body: Plan,
        /// Slots of the tensors.
        operands: Vec<u32>,
        /// Slot of the output.
        results: Vec<Option<u32>>,
    },
    /// Runs a graph with autocast switched on or off.
    Autocast {
        /// True if autocast is on in the graph.
        enabled: bool,
        /// libtorch's number of the dtype to cast to; None for the device's default.
        dtype: Option<i32>,
        /// Graph to run.
        body: Plan,
        /// Operands of the graph.
        operands: Vec<ValueRef>,
        /// Slots of the outputs.
        results: Vec<Option<u32>>,
    },
}
