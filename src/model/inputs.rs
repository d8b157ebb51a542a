//! The caller's inputs, checked against what the program was exported for.

use crate::Result;
use crate::program::number::Number;
use crate::program::{Bindings, InputView, Interface, Port, PortKind};
use crate::run::{Input, describe};
use crate::torch::{Device, Tensor};

/// Checks count, dtype, device, rank and every size, and gives the symbols' values too. Nothing has run when this
/// fails.
pub fn accept(
    interface: &Interface,
    device: Device,
    given: &[Option<Tensor>],
) -> Result<(Vec<Input>, Bindings)> {
    let ports = &interface.inputs;
    let checked = describe(ports, given, |_| device)?;
    let bindings = interface.check(&checked)?;
    let taken = ports.iter().zip(&checked).zip(given).map(|((port, view), input)| take(port, view, input));
    Ok((taken.collect(), bindings))
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
