//! Interface of compiled code, from the exported program beside it, compared with the wrapper
//! source.

use super::{CodeInput, PackageInterface, layout};
use crate::aoti::source::{DeclaredInput, WrapperSource};
use crate::program::expr::Expr;
use crate::program::{Dim, Interface, Port, PortKind, Program, Rules, Symbol, TensorPort};
use crate::{Error, Result};

/// Returns the program's interface in the form that the code takes. Rejects a program from which
/// the code was not compiled.
pub fn describe(source: &WrapperSource, program: &Program) -> Result<PackageInterface> {
    // The code was compiled for the recorded ranges and checks nothing itself.
    let mut interface = program.interface.clone().under(Rules::Recorded);
    let places = tensors_of(&interface);
    let differs = |what: String| Error::Unsupported {
        what: format!("compiled code beside a program that is not the one it was compiled from: {what}"),
    };
    if places.len() != source.inputs.len() || interface.outputs.len() != source.outputs {
        let (takes, gives) = (source.inputs.len(), source.outputs);
        let (tensors, outputs) = (places.len(), interface.outputs.len());
        return Err(differs(format!(
            "it takes {takes} tensors and gives {gives}, the program takes {tensors} and gives {outputs}"
        )));
    }
    let (mut takes, mut unchecked) = (Vec::new(), Vec::new());
    for ((port, tensor), input) in places.into_iter().zip(&source.inputs) {
        let name = interface.inputs.get(port).map_or("", |port| port.name.as_str());
        agree(tensor, input).map_err(|reason| differs(format!("input `{name}`: {reason}")))?;
        unchecked.extend(assumed(name, tensor, input, &interface.symbols));
        takes.push(CodeInput { port, device_type: input.device_type, layout: layout(input, Some(tensor)) });
    }
    interface.unchecked_guards.extend(unchecked);
    Ok(PackageInterface { interface, takes })
}

/// Lists sizes that the program allows although the compiler assumed others. The package does not
/// record the conclusions that the compiler drew.
fn assumed(name: &str, tensor: &TensorPort, input: &DeclaredInput, symbols: &[Symbol]) -> Vec<String> {
    let mut all = Vec::new();
    for (dim, (size, recorded)) in input.sizes.iter().zip(&tensor.sizes).enumerate() {
        let Dim::Expr(Expr::Symbol(id)) = recorded else { continue };
        let Some(symbol) = symbols.get(id.index()) else { continue };
        let below = size.min.filter(|min| symbol.min.is_none_or(|allowed| allowed < *min));
        let above = size.max().filter(|max| symbol.max.is_none_or(|allowed| allowed > *max));
        let beyond = [below.map(|min| format!("below {min}")), above.map(|max| format!("above {max}"))];
        let beyond: Vec<String> = beyond.into_iter().flatten().collect();
        if !beyond.is_empty() {
            all.push(format!(
                "whether the compiled code is right where dimension {dim} of `{name}` is {}: the program allows it, \
                 the compiler assumed otherwise",
                beyond.join(" or ")
            ));
        }
    }
    all
}

fn tensors_of(interface: &Interface) -> Vec<(usize, &TensorPort)> {
    let tensor = |(place, port): (usize, &'_ Port)| -> Option<usize> {
        matches!(port.kind, PortKind::Tensor(_)).then_some(place)
    };
    let places = interface.inputs.iter().enumerate().filter_map(tensor);
    places.filter_map(|place| Some((place, as_tensor(interface.inputs.get(place)?)?))).collect()
}

fn as_tensor(port: &Port) -> Option<&TensorPort> {
    match &port.kind {
        PortKind::Tensor(tensor) => Some(tensor),
        _ => None,
    }
}

/// Compares the properties that both the program and the wrapper source declare.
fn agree(tensor: &TensorPort, input: &DeclaredInput) -> Result<(), String> {
    let Some(dtype) = input.dtype else { return Ok(()) };
    if dtype != tensor.dtype {
        return Err(format!("it was compiled for {dtype}, the program says {}", tensor.dtype));
    }
    if input.sizes.len() != tensor.sizes.len() {
        let (code, program) = (input.sizes.len(), tensor.sizes.len());
        return Err(format!("it was compiled for {code} dimensions, the program says {program}"));
    }
    for (dim, (size, recorded)) in input.sizes.iter().zip(&tensor.sizes).enumerate() {
        match (size.fixed, recorded) {
            (Some(code), Dim::Fixed(program)) if code == *program => {}
            (Some(code), _) => return Err(format!("dimension {dim} was compiled for {code} only")),
            (None, _) => {}
        }
    }
    Ok(())
}
