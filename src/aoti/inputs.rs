//! Checks the caller's inputs and copies them into the layout that compiled code expects.
//!
//! The code itself checks nothing.

use super::PackageInterface;
use super::input_strides::StrideMatch;
use crate::exec::{check_mutated, describe_inputs};
use crate::program::PortKind;
use crate::torch::{Device, Failure, Tensor, TensorView};
use crate::{Error, Result};

/// Tensors in the order in which the code takes them.
pub struct CheckedInputs {
    /// All tensors.
    pub tensors: Vec<Tensor>,
    /// Tensors to copy, with the strides that the code expects.
    pub to_copy: Vec<(usize, Vec<i64>)>,
}

/// Checks count, kind, dtype, device, rank, sizes and strides, and the memory of the inputs at the
/// positions in `written`. An error leaves no side effect.
pub fn check_inputs(
    described: &PackageInterface,
    device: Device,
    alignment: usize,
    written: &[usize],
    given: &[Option<Tensor>],
) -> Result<CheckedInputs> {
    let ports = &described.interface.inputs;
    let views = describe_inputs(ports, given, |place| device_of(described, place, device))?;
    let bindings = described.interface.check(&views)?;
    let mut checked =
        CheckedInputs { tensors: Vec::with_capacity(described.takes.len()), to_copy: Vec::new() };
    for (place, taken) in described.takes.iter().enumerate() {
        let (Some(port), Some(Some(tensor))) = (ports.get(taken.port), given.get(taken.port)) else {
            continue;
        };
        let view = tensor.view();
        match taken.layout.fit(view.sizes, view.strides, &bindings) {
            StrideMatch::AsIs if is_aligned(&view, alignment) => {}
            StrideMatch::AsIs => checked.to_copy.push((place, view.strides.to_vec())),
            StrideMatch::Copy(strides) => checked.to_copy.push((place, strides)),
            StrideMatch::Unknown => return Err(other_strides(&port.name, view.strides)),
        }
        checked.tensors.push(tensor.clone());
    }
    check_mutated(&described.interface, written, given)?;
    Ok(checked)
}

/// Returns true if the address is aligned. A tensor with overlapping elements is accepted too, for
/// it cannot be copied.
fn is_aligned(view: &TensorView, alignment: usize) -> bool {
    view.data.addr().is_multiple_of(alignment) || view.repeats_elements()
}

/// Returns the device of an input: code for a CUDA device may take some tensors on the CPU.
fn device_of(described: &PackageInterface, port: usize, device: Device) -> Device {
    let taken = described.takes.iter().find(|taken| taken.port == port);
    let on_cpu = taken.is_some_and(|taken| taken.device_type == Some(0));
    let tensor =
        matches!(described.interface.inputs.get(port).map(|port| &port.kind), Some(PortKind::Tensor(_)));
    if on_cpu && tensor { Device::Cpu } else { device }
}

fn other_strides(input: &str, strides: &[i64]) -> Error {
    let reason =
        format!("its strides are {strides:?}, which the code was not compiled for; pass it row-major");
    Error::Input { input: input.into(), reason }
}

impl CheckedInputs {
    /// Replaces tensors by copies, on the current stream. Returns the caller's tensors with their
    /// copies.
    pub fn lay_out(&mut self) -> Result<Vec<(Tensor, Tensor)>, Failure> {
        let mut copied = Vec::new();
        for (place, strides) in &self.to_copy {
            if let Some(tensor) = self.tensors.get_mut(*place) {
                let copy = tensor.laid_out(strides)?;
                copied.push((std::mem::replace(tensor, copy.clone()), copy));
            }
        }
        Ok(copied)
    }
}

/// Copies changes back to the caller's tensors, because the code may have written to an input.
pub fn give_back(copied: &[(Tensor, Tensor)]) -> Result<(), Failure> {
    copied.iter().try_for_each(|(original, copy)| original.write_back(copy))
}
