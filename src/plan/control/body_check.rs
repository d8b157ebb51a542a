//! Checks that the graphs of a node take its operands and return its results.

use super::Control;
use crate::plan::Plan;

impl Control {
    /// Checks the number of inputs and outputs of every graph against the node.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            Control::Branch { yes, no, operands, results, .. } => {
                fits(yes, operands.len(), results.len())?;
                fits(no, operands.len(), results.len())
            }
            Control::While { condition, body, carried, extra, results, .. } => {
                fits(condition, carried.len() + extra.len(), 1)?;
                fits(body, carried.len() + extra.len(), carried.len())?;
                fits(body, carried.len() + extra.len(), results.len())
            }
            Control::Scan { body, carried, rows, extra, results } => {
                if rows.is_empty() || results.len() < carried.len() {
                    return Err(unknown());
                }
                fits(body, carried.len() + rows.len() + extra.len(), results.len())
            }
            Control::Associate { rows, .. } if rows.is_empty() => Err(unknown()),
            Control::Associate { body, rows, extra, results } => {
                fits(body, 2 * rows.len() + extra.len(), rows.len())?;
                fits(body, 2 * rows.len() + extra.len(), results.len())
            }
            Control::Autocast { body, operands, results, .. } => fits(body, operands.len(), results.len()),
            Control::Pointwise { body, operands, results, .. } => fits(body, operands.len(), results.len()),
        }
    }
}

fn fits(plan: &Plan, operands: usize, results: usize) -> Result<(), String> {
    let (takes, returns) = (plan.inputs.len(), plan.outputs.len());
    if (takes, returns) == (operands, results) {
        return Ok(());
    }
    Err(format!(
        "a graph takes {takes} values and returns {returns}, the node gives {operands} and takes {results}"
    ))
}

/// Returns the error for a node whose arguments differ from those that PyTorch writes.
pub fn unknown() -> String {
    "its arguments have an unknown form".into()
}
