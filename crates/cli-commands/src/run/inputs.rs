//! Assignment of arrays to inputs.

#[cfg(test)]
mod tests;

use super::array_names;
use crate::failure::Failure;
use crate::tensors::{self, Array, ElementTypes};
use pt2::Error;
use pt2::program::schema::ScalarType;
use pt2::program::{Port, PortKind};
use pt2_cli_arguments::{Format, Selection};

/// Arrays from the files.
pub struct GivenArray {
    arrays: Vec<Array>,
    /// True if the user selected arrays by name, which also determines their order.
    chosen: bool,
    /// File of several tensors without an order.
    unordered: Option<String>,
}

/// Reads all files, in the order of the command line.
pub fn read(files: &[Selection]) -> Result<GivenArray, Failure> {
    let mut given = GivenArray { arrays: Vec::new(), chosen: false, unordered: None };
    for file in files {
        let arrays = tensors::read(file)?;
        given.chosen |= file.names.is_some();
        if file.format == Format::Safetensors && file.names.is_none() && arrays.len() > 1 {
            given.unordered = Some(file.path.display().to_string());
        }
        given.arrays.extend(arrays);
    }
    Ok(given)
}

/// Returns one element for each input, empty for a constant that was left out.
pub fn assign(ports: &[Port], given: GivenArray) -> Result<Vec<Option<Array>>, Failure> {
    let named = if given.chosen { None } else { by_name(ports, &given.arrays) };
    let mut placed = match (named, given.unordered) {
        (Some(named), _) => complete(ports, named)?,
        (None, Some(path)) => return Err(without_order(ports, &path)),
        (None, None) => by_place(ports, given.arrays)?,
    };
    for (port, array) in ports.iter().zip(&mut placed) {
        restore_bfloat16(port, array);
    }
    Ok(placed)
}

/// Assigns the arrays to the inputs of the same names. None if an array has the name of no input,
/// or two have the same.
fn by_name(ports: &[Port], arrays: &[Array]) -> Option<Vec<Option<Array>>> {
    let short = array_names::unique(ports.iter().map(|port| array_names::short(&port.name)));
    let mut placed = vec![None; ports.len()];
    for array in arrays {
        let name = array.name.strip_suffix(Format::Npz.suffix(ScalarType::BFloat16)).unwrap_or(&array.name);
        let fits = |(port, short): (&Port, &String)| {
            [&array.name, name].iter().any(|name| port.name == *name || short == name)
        };
        let place = placed.get_mut(ports.iter().zip(&short).position(fits)?)?;
        if place.replace(array.clone()).is_some() {
            return None;
        }
    }
    Some(placed).filter(|_| !arrays.is_empty())
}

fn complete(ports: &[Port], placed: Vec<Option<Array>>) -> Result<Vec<Option<Array>>, Failure> {
    let missing = ports.iter().zip(&placed).find(|(port, array)| array.is_none() && !is_constant(port));
    match missing {
        Some((port, _)) => Err(Failure::Refused(format!("input `{}`: no --input file holds it", port.name))),
        None => Ok(placed),
    }
}

fn by_place(ports: &[Port], arrays: Vec<Array>) -> Result<Vec<Option<Array>>, Failure> {
    let needed = ports.iter().filter(|port| !is_constant(port)).count();
    let found = arrays.len();
    let mut arrays = arrays.into_iter();
    if found == ports.len() {
        return Ok(arrays.map(Some).collect());
    }
    if found != needed {
        return Err(miscounted(needed, found));
    }
    Ok(ports.iter().map(|port| if is_constant(port) { None } else { arrays.next() }).collect())
}

fn miscounted(needed: usize, found: usize) -> Failure {
    let hint = if found > needed { "; choose with --input FILE:NAME,NAME" } else { "" };
    Failure::Refused(format!("{}{hint}", Error::InputCount { expected: needed, found }))
}

fn is_constant(port: &Port) -> bool {
    matches!(port.kind, PortKind::Constant(_))
}

fn without_order(ports: &[Port], path: &str) -> Failure {
    let names: Vec<_> = ports.iter().map(|port| array_names::short(&port.name)).collect();
    Failure::Refused(format!(
        "the tensors in `{path}` have no order: name them {}, or choose with --input {path}:NAME,NAME",
        names.join(", ")
    ))
}

/// Restores bfloat16 from its bit patterns, because NumPy has no bfloat16.
fn restore_bfloat16(port: &Port, array: &mut Option<Array>) {
    let wanted = matches!(&port.kind, PortKind::Tensor(tensor) if tensor.dtype == ScalarType::BFloat16);
    if let Some(array) = array.as_mut().filter(|array| wanted && array.dtype == ScalarType::UInt16) {
        array.dtype = ScalarType::BFloat16;
    }
}
