//! Checks the caller's inputs against the exported interface.

use crate::exec::{Input, check_mutated, describe_inputs};
use crate::program::number::Number;
use crate::program::{Bindings, InputView, Interface, Port, PortKind};
use crate::torch::{Device, Failure, Tensor};
use crate::{Error, Result};

/// Checks count, dtype, device, rank and sizes, and the memory of the inputs at the positions in
/// `written`. Returns the inputs and the symbols' values.
///
/// An error leaves no side effect.
pub fn check_inputs(
    interface: &Interface,
    device: Device,
    written: &[usize],
    given: &[Option<Tensor>],
) -> Result<(Vec<Input>, Bindings)> {
    let ports = &interface.inputs;
    let checked = describe_inputs(ports, given, |_| device)?;
    let bindings = interface.check(&checked)?;
    check_mutated(interface, written, given)?;
    let taken = ports.iter().zip(&checked).zip(given).map(|((port, view), input)| take(port, view, input));
    Ok((taken.collect(), bindings))
}

/// Largest alignment of an element, in bytes: that of complex128.
const ELEMENT: usize = 16;

/// Copies unaligned inputs for programs that view memory as another dtype: any input may be viewed.
pub fn align(interface: &Interface, written: &[usize], inputs: &mut [Input]) -> Result<()> {
    for (at, (port, input)) in interface.inputs.iter().zip(inputs).enumerate() {
        let Input::Tensor(tensor) = input else { continue };
        if tensor.view().data.addr().is_multiple_of(ELEMENT) {
            continue;
        }
        if written.contains(&at) {
            let reason = format!(
                "the program writes to it and views memory as another dtype, so it must be aligned to {ELEMENT} bytes"
            );
            return Err(Error::Input { input: port.name.clone(), reason });
        }
        *tensor = tensor.copied().map_err(Failure::outside_node)?;
    }
    Ok(())
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
