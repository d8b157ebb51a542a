//! Where time goes: named spans of work on every thread, as long as someone records them.
//!
//! Owns: the switch, the spans and their form as a trace. Enters: a name and the work it stands for. Leaves: a
//! [`Trace`] in the Chrome trace event format. Recording is a matter of the whole process, for the work of a load is
//! spread over threads. While nobody records, a span costs one load of an atomic and allocates nothing.

mod chrome_trace;
mod recorder;
mod thread;

pub use chrome_trace::Trace;
pub use recorder::{Detail, Timeline, node, span};

use std::time::Duration;

/// One piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// What was done: a stage of the library, or a node's name.
    pub name: String,
    /// The operator that a node calls.
    pub operator: Option<String>,
    /// The number of the thread.
    pub thread: u64,
    /// When it began, counted from the beginning of the timeline.
    pub start: Duration,
    /// How long it took. On a CUDA device this is what the host spent: kernels may still be queued.
    pub length: Duration,
}
