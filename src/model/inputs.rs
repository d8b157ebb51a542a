//! The caller's inputs, checked against what the program was exported for.

use crate::program::number::Number;
use crate::program::{InputView, Interface, Port, PortKind};
use crate::run::{Input, describe};
use crate::torch::{Device, Tensor};
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
