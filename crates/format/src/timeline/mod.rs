//! Records named spans of work on every thread.
//!
//! Owns: the switch, the spans and their form as a trace.
//!
//! Input: names, and the work to measure.
//!
//! Output: a [`Trace`] in the Chrome trace event format.
//!
//! Recording is process-wide, because the work of a load is spread over threads. While it is off, a
//! span costs one atomic load and allocates nothing.

mod chrome_trace;
mod recorder;
mod thread;

pub use chrome_trace::Trace;
pub use recorder::{Detail, Timeline, node, span};

use std::time::Duration;

/// A named interval of work on one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The stage of the library, or the name of a node.
    pub name: String,
    /// The operator, for a node.
    pub operator: Option<String>,
    /// The number of the thread.
    pub thread: u64,
    /// The start, relative to the beginning of the timeline.
    pub start: Duration,
    /// The duration on the host. On a CUDA device, kernels may still be queued at the end.
    pub length: Duration,
}
