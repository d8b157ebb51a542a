//! Warm-up of a model for inputs like the caller's, without visible effects.

use super::{ExportedModel, RunOptions};
use crate::exec::CALLS_BEFORE_CAPTURE;
use crate::plan::Plan;
use crate::torch::{Failure, Tensor};
use crate::{Error, Result};

impl ExportedModel {
    /// Prepares calls with inputs of these sizes, strides, dtypes and numbers; see
    /// [`Model::warm`](super::Model::warm).
    ///
    /// Runs the program until a call is like all later ones. It writes only to copies.
    pub fn warm(&self, inputs: &[Option<Tensor>], options: &RunOptions) -> Result<()> {
        let plan = &self.loaded.planned.plan;
        refuse_random(plan)?;
        // Only the checks of a call decide if these inputs can be copied.
        self.checked(inputs)?;
        let twin = self.try_clone()?;
        let inputs = with_copies(plan, inputs)?;
        (0..calls(&twin)?).try_for_each(|_| twin.run(&inputs, options).map(drop))?;
        self.device().synchronize().map_err(Failure::outside_node)
    }
}

/// Returns the number of calls with the same sizes that differ from later ones.
fn calls(model: &ExportedModel) -> Result<u32> {
    Ok(match model.current.weight_set()?.cuda_graphs {
        Some(_) => CALLS_BEFORE_CAPTURE + 1,
        None => model.loaded.planned.calls_until_steady(),
    })
}

/// Rejects programs that draw random numbers: warm-up would advance the process's generator.
fn refuse_random(plan: &Plan) -> Result<()> {
    let refuse = |node: &String| Error::Unsupported {
        what: format!("warming a program that draws random numbers, as {node} does"),
    };
    plan.random.as_ref().map_or(Ok(()), |node| Err(refuse(node)))
}

fn with_copies(plan: &Plan, inputs: &[Option<Tensor>]) -> Result<Vec<Option<Tensor>>> {
    let copy = |(position, input): (usize, &Option<Tensor>)| match input {
        Some(tensor) if plan.effects.inputs.contains(&position) => tensor.copied().map(Some),
        other => Ok(other.clone()),
    };
    inputs.iter().enumerate().map(copy).collect::<Result<_, Failure>>().map_err(Failure::outside_node)
}
