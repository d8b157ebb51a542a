//! Describes the caller's tensors for the input check.

use crate::program::{InputView, Port, PortKind};
use crate::torch::{Device, Scalar, Tensor, dtype_from_torch};
use crate::{Error, Result};

/// Describes all inputs, of which there have to be as many as ports; `device` tells where each has to be.
pub fn describe_inputs<'a>(
    ports: &[Port],
    given: &'a [Option<Tensor>],
    device: impl Fn(usize) -> Device,
) -> Result<Vec<InputView<'a>>> {
    if ports.len() != given.len() {
        return Err(Error::InputCount { expected: ports.len(), found: given.len() });
    }
    let all = ports.iter().zip(given).enumerate();
    all.map(|(place, (port, input))| describe_one(port, input.as_ref(), device(place))).collect()
}

/// Describes one input for [`Interface::check`](crate::program::Interface::check). A tensor has to be strided and on
/// `device`; where a number is expected, a tensor of one element on the CPU is that number.
fn describe_one<'a>(port: &Port, tensor: Option<&'a Tensor>, device: Device) -> Result<InputView<'a>> {
    let refuse = |reason: String| Error::Input { input: port.name.clone(), reason };
    let Some(view) = tensor.map(Tensor::view) else { return Ok(absent(&port.kind)) };
    let dtype =
        dtype_from_torch(view.dtype).ok_or_else(|| refuse("its dtype is none a program can have".into()))?;
    if !view.strided {
        return Err(refuse("it is sparse, a dense tensor is expected".into()));
    }
    if matches!(port.kind, PortKind::Tensor(_) | PortKind::Unknown) {
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
