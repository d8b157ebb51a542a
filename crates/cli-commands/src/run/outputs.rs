//! Results of a call, written to a file or listed.

use super::array_names;
use crate::column;
use crate::failure::Failure;
use crate::tensors::{self, Array, ElementTypes};
use pt2::program::schema::ConstantValue;
use pt2::program::{Port, PortKind};
use pt2::torch::Tensor;
use pt2_cli_arguments::{Format, Output};
use std::io::Write;

/// Refuses a format that cannot hold the outputs.
pub fn require(ports: &[Port], output: &Output) -> Result<(), Failure> {
    let refuse = |reason: String| Failure::file("write", &output.path, reason);
    let none = |port: &&Port| matches!(port.kind, PortKind::Constant(ConstantValue::None));
    let count = ports.len() - ports.iter().filter(none).count();
    if output.format == Format::Npy && count != 1 {
        return Err(refuse(format!("a .npy file takes one array, the model gives {count}; write .npz")));
    }
    for port in ports {
        let PortKind::Tensor(tensor) = &port.kind else { continue };
        output.format.require(tensor.dtype).map_err(|reason| refuse(format!("`{}`: {reason}", port.name)))?;
    }
    Ok(())
}

/// Returns the outputs on the host under their path names. Those that are Python's None are left
/// out.
pub fn collect(ports: &[Port], outputs: &[Option<Tensor>]) -> Result<Vec<Array>, Failure> {
    let pairs = ports.iter().zip(outputs);
    let given = pairs.filter_map(|(port, output)| Some(Array::of(&port.name, output.as_ref()?)));
    Ok(given.collect::<pt2::Result<_>>()?)
}

/// Writes the outputs under names that are valid in files.
pub fn write(mut arrays: Vec<Array>, output: &Output) -> Result<(), Failure> {
    let named = |array: &Array| array_names::short(&array.name) + output.format.suffix(array.dtype);
    let names = array_names::unique(arrays.iter().map(named));
    for (array, name) in arrays.iter_mut().zip(names) {
        array.name = name;
    }
    tensors::write(&output.path, output.format, &arrays)
}

/// Lists name, dtype and sizes of the outputs.
pub fn list(arrays: &[Array], out: &mut impl Write) -> Result<(), Failure> {
    let width = column::width(arrays.iter().map(|array| array.name.as_str()));
    for Array { name, dtype, sizes, .. } in arrays {
        writeln!(out, "{name:width$}  {dtype} {sizes:?}")?;
    }
    Ok(())
}
