//! The caller's inputs, checked and laid out for compiled code, which checks nothing itself.

use super::PackageInterface;
use super::input_strides::StrideMatch;
use crate::exec::describe_inputs;
use crate::program::PortKind;
use crate::torch::{Device, Failure, Tensor, TensorView};
use crate::{Error, Result};

/// Tensors in the order in which the code takes them.
pub struct CheckedInputs {
    /// All of them.
    pub tensors: Vec<Tensor>,
    /// Those that lie otherwise than the code expects, with the strides it expects.
    pub to_copy: Vec<(usize, Vec<i64>)>,
}

/// Checks count, kind, dtype, device, rank and every size. Nothing has run when this fails.
pub fn check_inputs(
    described: &PackageInterface,
    device: Device,
    alignment: usize,
    given: &[Option<Tensor>],
) -> Result<CheckedInputs> {
    let ports = &described.interface.inputs;
    let views = describe_inputs(ports, given, |place| device_of(described, place, device))?;
    let bindings = described.interface.check(&views)?;
    let mut accepted =
        CheckedInputs { tensors: Vec::with_capacity(described.takes.len()), to_copy: Vec::new() };
    for (place, taken) in described.takes.iter().enumerate() {
        let (Some(port), Some(Some(tensor))) = (ports.get(taken.port), given.get(taken.port)) else {
            continue;
        };
        let view = tensor.view();
        match taken.layout.fit(view.sizes, view.strides, &bindings) {
            StrideMatch::AsIs if is_aligned(&view, alignment) => {}
            StrideMatch::AsIs => accepted.to_copy.push((place, view.strides.to_vec())),
            StrideMatch::Copy(strides) => accepted.to_copy.push((place, strides)),
            StrideMatch::Unknown => return Err(other_strides(&port.name, view.strides)),
        }
        accepted.tensors.push(tensor.clone());
    }
    Ok(accepted)
}

/// Whether the code finds what it expects of an address. A tensor whose elements share memory cannot be laid out anew.
fn is_aligned(view: &TensorView, alignment: usize) -> bool {
    view.data.addr().is_multiple_of(alignment) || view.repeats_elements()
}

/// Code for a CUDA device may take some tensors on the CPU.
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
    /// Copies what has to be; gives back the caller's tensors with the copies that stand for them. On the current
    /// stream.
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

/// The code may have written to an input: then the caller's memory gets what the copy got.
pub fn give_back(copied: &[(Tensor, Tensor)]) -> Result<(), Failure> {
    copied.iter().try_for_each(|(original, copy)| original.write_back(copy))
}
