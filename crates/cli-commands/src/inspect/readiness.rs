//! Readiness: whether this process can run a program, and the memory that the program writes to.
//! Both follow from planning it for the CPU.

use super::Inspected;
use crate::failure::Failure;
use pt2::Error;
use pt2::model::{Form, LoadOptions, Model, Optimization};
use pt2::torch::CudaPolicy;
use pt2_cli_arguments::Inspect;
use std::io::Write;

/// Shows both. Damage is an error of the archive; any other failure of planning is only printed.
pub fn show(inspected: &Inspected, arguments: &Inspect, out: &mut impl Write) -> Result<(), Failure> {
    let options = LoadOptions {
        device: Some(pt2::torch::Device::Cpu),
        model: Some(inspected.name.into()),
        form: Form::Exported,
        optimization: Optimization::Exact,
        cuda: CudaPolicy::Never,
        allowed_operators: arguments.source.allow_operator.clone(),
        ..LoadOptions::default()
    };
    match Model::from_archive(inspected.archive, &options) {
        Ok(model) => {
            writeln!(out, "writes to  {}", effects(&model))?;
            writeln!(out, "runs here  yes")?;
        }
        Err(error) if is_damage(&error) => return Err(error.in_archive(&arguments.source.path).into()),
        Err(error) => writeln!(out, "runs here  no, {}", error.root())?,
    }
    Ok(())
}

fn is_damage(error: &Error) -> bool {
    matches!(
        error.root(),
        Error::Io { .. } | Error::Archive { .. } | Error::Checksum { .. } | Error::Weight { .. }
    )
}

fn effects(model: &Model) -> String {
    let (effects, ports) = (model.effects(), &model.interface().inputs);
    let inputs = effects.inputs.iter().filter_map(|place| ports.get(*place));
    let all: Vec<_> = [shortened(&effects.state).map(|state| format!("its {state}"))]
        .into_iter()
        .flatten()
        .chain(inputs.map(|port| format!("input {}", port.name)))
        .collect();
    if all.is_empty() { "nothing but its outputs".into() } else { all.join(", ") }
}

/// Lists the first names only: a model in training writes to hundreds of buffers.
fn shortened(names: &[String]) -> Option<String> {
    const SHOWN: usize = 6;
    let shown = names.get(..SHOWN.min(names.len()))?.join(", ");
    match names.len() {
        0 => None,
        count if count > SHOWN => Some(format!("{shown} and {} more", count - SHOWN)),
        _ => Some(shown),
    }
}
