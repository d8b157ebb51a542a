//! Keys of captured graphs: properties of inputs that kernels depend on, except tensor data.

use super::super::Input;
use crate::program::number::Number;
use crate::torch::{Failure, Tensor};

/// Key of one input.
#[derive(Clone, Debug, PartialEq)]
pub enum InputKey {
    /// None, or a constant of the program.
    None,
    /// Number, compared by its bits because it is part of the kernels' arguments.
    Number(Number),
    /// Tensor.
    Tensor { sizes: Vec<i64>, strides: Vec<i64>, dtype: i32 },
}

/// Largest alignment, in bytes, that kernels select code by. Unaligned inputs run node by node.
const ALIGNMENT: usize = 16;

/// Returns the keys of inputs; None if one of them cannot be captured.
pub fn of(inputs: &[Input]) -> Option<Vec<InputKey>> {
    inputs.iter().map(shape).collect()
}

/// Returns true if a CUDA graph with these keys can take the inputs.
pub fn matches(shapes: &[InputKey], inputs: &[Input]) -> bool {
    shapes.len() == inputs.len() && shapes.iter().zip(inputs).all(|(shape, input)| fits(shape, input))
}

/// Copies the inputs into memory that the CUDA graph owns.
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
