//! Keys of captured graphs: what kernels depend on besides the values in tensors.

use super::super::Input;
use crate::program::number::Number;
use crate::torch::{Failure, Tensor};

/// One input as a captured graph sees it.
#[derive(Clone, Debug, PartialEq)]
pub enum InputKey {
    /// None, or a constant of the program.
    None,
    /// A number is part of the kernels' arguments, by its bits.
    Number(Number),
    /// A tensor.
    Tensor { sizes: Vec<i64>, strides: Vec<i64>, dtype: i32 },
}

/// Kernels choose by alignment up to this many bytes; inputs below it run node by node.
const ALIGNMENT: usize = 16;

/// The shapes of inputs that can be captured.
pub fn of(inputs: &[Input]) -> Option<Vec<InputKey>> {
    inputs.iter().map(shape).collect()
}

/// Whether a captured graph of these shapes can take the inputs.
pub fn matches(shapes: &[InputKey], inputs: &[Input]) -> bool {
    shapes.len() == inputs.len() && shapes.iter().zip(inputs).all(|(shape, input)| fits(shape, input))
}

/// The inputs in memory of the captured graph's own.
pub fn static_inputs(inputs: &[Input]) -> Result<Vec<Input>, Failure> {
    inputs
        .iter()
        .map(|input| match input {
            Input::Tensor(tensor) => {
                let mut copy = tensor.like()?;
                copy.fill_from(tensor, true)?;
                Ok(Input::Tensor(copy))
            }
            other => Ok(other.clone()),
        })
        .collect()
}

fn shape(input: &Input) -> Option<InputKey> {
    Some(match input {
        Input::None => InputKey::None,
        Input::Number(number) => InputKey::Number(*number),
        Input::Tensor(tensor) if takes(tensor) => {
            let view = tensor.view();
            let (sizes, strides) = (view.sizes.to_vec(), view.strides.to_vec());
            InputKey::Tensor { sizes, strides, dtype: view.dtype }
        }
        Input::Tensor(_) => return None,
    })
}

fn fits(shape: &InputKey, input: &Input) -> bool {
    match (shape, input) {
        (InputKey::None, Input::None) => true,
        (InputKey::Number(Number::Float(kept)), Input::Number(Number::Float(given))) => {
            kept.to_bits() == given.to_bits()
        }
        (InputKey::Number(kept), Input::Number(given)) => kept == given,
        (InputKey::Tensor { sizes, strides, dtype }, Input::Tensor(tensor)) => {
            let view = tensor.view();
            view.sizes == sizes && view.strides == strides && view.dtype == *dtype && takes(tensor)
        }
        _ => false,
    }
}

fn takes(tensor: &Tensor) -> bool {
    (tensor.view().data as usize).is_multiple_of(ALIGNMENT) && tensor.fills_its_memory()
}
