//! Captures the kernels of one tuple of input shapes.

use super::super::{Input, frame, run_for_caller};
use super::{capture_refused, key};
use crate::Result;
use crate::plan::Plan;
use crate::torch::{CaptureSession, CudaGraph, Failure, Frame, Scope, Tensor};
use std::time::{Duration, Instant};

/// Ratio of device time to queueing time above which a CUDA graph saves no time.
const BUSY: u32 = 3;

/// CUDA graph with its static inputs and its outputs.
#[derive(Debug)]
pub struct CapturedGraph {
    cuda_graph: CudaGraph,
    inputs: Vec<Input>,
    outputs: Vec<Option<Tensor>>,
}

/// Run on the capturer's stream before capture. Libraries initialise at a thread's first call,
/// which capture forbids.
pub struct WarmupRun {
    inputs: Vec<Input>,
    frame: Frame,
    start: Instant,
    queued: Duration,
}

impl WarmupRun {
    /// Queues a run on copies of the inputs.
    pub fn queue(
        plan: &Plan,
        weights: &[(u32, Tensor)],
        scope: &Scope,
        inputs: &[Input],
    ) -> Result<WarmupRun> {
        let inputs = key::static_inputs(inputs).map_err(Failure::outside_node)?;
        let mut frame = frame(plan, weights)?;
        let start = Instant::now();
        run_for_caller(plan, scope, &mut frame, &inputs)?;
        Ok(WarmupRun { inputs, frame, start, queued: start.elapsed() })
    }
}

impl CapturedGraph {
    /// Waits for the warm-up run, then captures the same run.
    pub fn capture(
        plan: &Plan,
        weights: &[(u32, Tensor)],
        session: CaptureSession,
        warmup: WarmupRun,
    ) -> Result<CapturedGraph> {
        let WarmupRun { inputs, mut frame, start, queued } = warmup;
        plan.device.synchronize().map_err(Failure::outside_node)?;
        if start.elapsed() > BUSY * queued {
            return Err(capture_refused("the device is busy for longer than its work takes to queue"));
        }
        let (cuda_graph, outputs) =
            session.capture(|scope| run_for_caller(plan, scope, &mut frame, &inputs))?;
        let kernels = CapturedGraph { cuda_graph, inputs, outputs };
        kernels.check(weights)?;
        Ok(kernels)
    }

    /// Queues copies of the inputs, the kernels and copies of the outputs on the thread's current
    /// stream.
    pub fn launch(&mut self, scope: &Scope, inputs: &[Input]) -> Result<Vec<Option<Tensor>>, Failure> {
        for (kept, given) in self.inputs.iter_mut().zip(inputs) {
            if let (Input::Tensor(kept), Input::Tensor(given)) = (kept, given) {
                kept.fill_from(given, true)?;
            }
        }
        self.cuda_graph.launch(scope)?;
        self.outputs.iter().map(|output| output.as_ref().map(Tensor::copied).transpose()).collect()
    }

    /// Checks that each output can be copied: it has no gaps and aliases no weight or input.
    fn check(&self, weights: &[(u32, Tensor)]) -> Result<()> {
        let inputs = || self.inputs.iter().filter_map(Input::tensor);
        let others = || weights.iter().map(|(_, weight)| weight).chain(inputs());
        for output in self.outputs.iter().flatten() {
            if !output.fills_its_memory() {
                return Err(capture_refused("an output has gaps or shares elements"));
            }
            if others().any(|other| output.shares_memory(other)) {
                return Err(capture_refused("an output is a view of a weight or an input"));
            }
        }
        Ok(())
    }
}
