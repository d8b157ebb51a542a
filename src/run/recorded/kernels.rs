//! The recorded kernels of one tuple of shapes.

use super::super::{Input, frame, run_for_caller};
use super::{shape, unrecordable};
use crate::Result;
use crate::plan::Plan;
use crate::torch::{Failure, Frame, Recording, Scope, Session, Tensor};
use std::time::{Duration, Instant};

/// A device that is busy for so many times longer than its calls take to queue gains nothing from recording.
const BUSY: u32 = 3;

/// Kernels with the tensors that they read and write.
#[derive(Debug)]
pub struct Kernels {
    recording: Recording,
    inputs: Vec<Input>,
    outputs: Vec<Option<Tensor>>,
}

/// A run on the recorder's stream, so that whatever libraries prepare at a thread's first call is there before recording
/// begins.
pub struct Trial {
    inputs: Vec<Input>,
    frame: Frame,
    start: Instant,
    queued: Duration,
}

impl Trial {
    /// Queues it, on copies of the inputs.
    pub fn queue(plan: &Plan, weights: &[(u32, Tensor)], scope: &Scope, inputs: &[Input]) -> Result<Trial> {
        let inputs = shape::twins(inputs).map_err(Failure::outside_node)?;
        let mut frame = frame(plan, weights)?;
        let start = Instant::now();
        run_for_caller(plan, scope, &mut frame, &inputs)?;
        Ok(Trial { inputs, frame, start, queued: start.elapsed() })
    }
}

impl Kernels {
    /// Waits for the trial, then records the same.
    pub fn record(plan: &Plan, weights: &[(u32, Tensor)], session: Session, trial: Trial) -> Result<Kernels> {
        let Trial { inputs, mut frame, start, queued } = trial;
        plan.device.synchronize().map_err(Failure::outside_node)?;
        if start.elapsed() > BUSY * queued {
            return Err(unrecordable("the device is busy for longer than its work takes to queue"));
        }
        let (recording, outputs) =
            session.record(|scope| run_for_caller(plan, scope, &mut frame, &inputs))?;
        let kernels = Kernels { recording, inputs, outputs };
        kernels.check(weights)?;
        Ok(kernels)
    }

    /// Queues copies of the inputs, the kernels and copies of the outputs on the thread's current stream.
    pub fn launch(&mut self, scope: &Scope, inputs: &[Input]) -> Result<Vec<Option<Tensor>>, Failure> {
        for (kept, given) in self.inputs.iter_mut().zip(inputs) {
            if let (Input::Tensor(kept), Input::Tensor(given)) = (kept, given) {
                kept.fill_from(given, true)?;
            }
        }
        self.recording.launch(scope)?;
        self.outputs.iter().map(|output| output.as_ref().map(Tensor::copied).transpose()).collect()
    }

    /// Outputs are copied, so they must be nobody else's memory and have one place for each element.
    fn check(&self, weights: &[(u32, Tensor)]) -> Result<()> {
        let inputs = || self.inputs.iter().filter_map(Input::tensor);
        let others = || weights.iter().map(|(_, weight)| weight).chain(inputs());
        for output in self.outputs.iter().flatten() {
            if !output.fills_its_memory() {
                return Err(unrecordable("an output has gaps or shares elements"));
            }
            if others().any(|other| output.shares_memory(other)) {
                return Err(unrecordable("an output is a view of a weight or an input"));
            }
        }
        Ok(())
    }
}
