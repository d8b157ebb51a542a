//! Mutated inputs: inputs whose memory a program writes to.

use super::Input;
use crate::program::{Interface, Port};
use crate::torch::{Failure, Tensor, TensorView};
use crate::weights::placement::holds_weights;
use crate::{Error, Result};

/// Rejects mutated inputs if their elements overlap, or share memory with another input or a
/// model's weights.
///
/// Such writes would depend on their order or be seen elsewhere. `torch.export` does not trace
/// inputs that share memory when one is mutated
/// (`torch/_functorch/_aot_autograd/runtime_wrappers.py`, 2.11). So a program has no defined result
/// for them.
pub fn check_mutated(interface: &Interface, written: &[usize], inputs: &[Option<Tensor>]) -> Result<()> {
    if written.is_empty() {
        return Ok(());
    }
    let ports = || interface.inputs.iter().zip(inputs).enumerate();
    let given = ports().filter_map(|(at, (port, input))| Some((at, port, input.as_ref()?.view())));
    for (at, port, view) in given.clone().filter(|(at, ..)| written.contains(at)) {
        check_alone(&view).map_err(|reason| refusal(port, reason))?;
        let mut others = given.clone().filter(|(other, ..)| *other != at);
        if let Some((_, other, _)) = others.find(|(_, _, other)| view.shares_elements_with(other)) {
            return Err(refusal(port, &format!("it shares memory with input `{}`", other.name)));
        }
    }
    Ok(())
}

/// Replaces mutated inputs by aliases of the same memory.
///
/// A program that resizes an input in place then leaves the caller's handle unchanged.
pub fn alias_mutated(written: &[usize], inputs: &mut [Input]) -> Result<()> {
    for input in written.iter().copied() {
        if let Some(Input::Tensor(tensor)) = inputs.get_mut(input) {
            *tensor = tensor.alias().map_err(Failure::outside_node)?;
        }
    }
    Ok(())
}

fn check_alone(view: &TensorView) -> Result<(), &'static str> {
    match view.strided {
        true if view.repeats_elements() => Err("several of its elements lie at one address"),
        true if holds_weights(view) => Err("its memory holds weights or the state of a model"),
        _ => Ok(()),
    }
}

fn refusal(port: &Port, reason: &str) -> Error {
    let reason = format!("the program writes to it, and {reason}; pass a copy");
    Error::Input { input: port.name.clone(), reason }
}
