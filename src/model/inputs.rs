//! The caller's inputs, checked against what the program was exported for.

use crate::program::number::Number;
use crate::program::{InputView, Interface, Port, PortKind};
use crate::run::Input;
use crate::torch::{Device, Scalar, Tensor, dtype_from_torch};
use crate::{Error, Result};

/// Checks count, dtype, device, rank and every size. Nothing has run when this fails.
pub fn accept(interface: &Interface, device: Device, given: &[Option<Tensor>]) -> Result<Vec<Input>> {
    let ports = &interface.inputs;
    if ports.len() != given.len() {
        return Err(Error::InputCount { expected: ports.len(), found: given.len() });
    }
    let checked: Vec<InputView> = ports
        .iter()
        .zip(given)
        .map(|(port, input)| describe(port, input.as_ref(), device))
        .collect::<Result<_>>()?;
    interface.check(&checked)?;
    Ok(ports.iter().zip(&checked).zip(given).map(|((port, view), input)| take(port, view, input)).collect())
}

fn take(port: &Port, view: &InputView, given: &Option<Tensor>) -> Input {
    match (&port.kind, view, given) {
        (PortKind::Constant(_), ..) => Input::None,
        (_, InputView::Int(value), _) => Input::Number(Number::Int(*value)),
        (_, InputView::Float(value), _) => Input::Number(Number::Float(*value)),
        (_, InputView::Bool(value), _) => Input::Number(Number::Bool(*value)),
        (_, _, Some(tensor)) => Input::Tensor(tensor.clone()),
        _ => Input::None,
    }
}

fn describe<'a>(port: &Port, tensor: Option<&'a Tensor>, device: Device) -> Result<InputView<'a>> {
    let refuse = |reason: String| Error::Input { input: port.name.clone(), reason };
    let Some(view) = tensor.map(Tensor::view) else { return Ok(absent(&port.kind)) };
    let dtype =
        dtype_from_torch(view.dtype).ok_or_else(|| refuse("its dtype is none a program can have".into()))?;
    if !view.strided {
        return Err(refuse("it is sparse, a dense tensor is expected".into()));
    }
    if matches!(port.kind, PortKind::Tensor(_)) {
        let found = view.device.map_or_else(|| "an unknown device".to_string(), |device| device.to_string());
        if view.device != Some(device) {
            return Err(refuse(format!("it is on {found}, the model is on {device}; copy it there first")));
        }
        return Ok(InputView::Tensor { dtype, sizes: view.sizes });
    }
    number(tensor).map_err(refuse)
}

/// The caller may leave out what is always the same.
fn absent(kind: &PortKind) -> InputView<'static> {
    if matches!(kind, PortKind::Constant(_)) { InputView::Exported } else { InputView::None }
}

/// A tensor with one element on the CPU as the number it holds.
fn number(tensor: Option<&Tensor>) -> Result<InputView<'static>, String> {
    match tensor.and_then(Tensor::number) {
        Some(Scalar::Int(value)) => Ok(InputView::Int(value)),
        Some(Scalar::Float(value)) => Ok(InputView::Float(value)),
        Some(Scalar::Bool(value)) => Ok(InputView::Bool(value)),
        _ => Err("a number is expected: pass one int64, float64 or bool on the CPU".into()),
    }
}
