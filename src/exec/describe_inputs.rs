//! Describes the caller's tensors for the input check.

use crate::program::{InputView, Port, PortKind};
use crate::torch::{Device, SlotValue, Tensor, dtype_from_torch};
use crate::{Error, Result};

/// Describes all inputs for [`Interface::check`](crate::program::Interface::check), which also
/// compares their number with that of the ports. `device` returns the device where each must be.
pub fn describe_inputs<'a>(
    ports: &[Port],
    given: &'a [Option<Tensor>],
    device: impl Fn(usize) -> Device,
) -> Result<Vec<InputView<'a>>> {
    let describe = |(place, input): (usize, &'a Option<Tensor>)| match ports.get(place) {
        Some(port) => describe_one(port, input.as_ref(), device(place)),
        None => Ok(InputView::None),
    };
    given.iter().enumerate().map(describe).collect()
}

/// Describes one input.
///
/// A tensor must be strided and on `device`. Where a number is expected, it must have one element
/// and be on the CPU.
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

/// Describes a missing input. The caller may omit a constant of the program.
fn absent(kind: &PortKind) -> InputView<'static> {
    if matches!(kind, PortKind::Constant(_)) { InputView::Exported } else { InputView::None }
}

/// Returns the number in a tensor with one element on the CPU.
fn number(tensor: Option<&Tensor>) -> Result<InputView<'static>, String> {
    match tensor.and_then(Tensor::number) {
        Some(SlotValue::Int(value)) => Ok(InputView::Int(value)),
        Some(SlotValue::Float(value)) => Ok(InputView::Float(value)),
        Some(SlotValue::Bool(value)) => Ok(InputView::Bool(value)),
        _ => Err("a number is expected: pass one int64, float64 or bool on the CPU".into()),
    }
}
