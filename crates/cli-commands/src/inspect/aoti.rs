//! Compiled code of AOTInductor: target machine, inputs, and readiness to run here. None of the
//! code is executed.

use super::{bytes, interface};
use crate::failure::Failure;
use pt2::aoti::{TargetMachine, ValidatedPackage};
use pt2::archive::Archive;
use pt2_cli_arguments::Inspect;
use std::io::Write;

/// Shows the compiled code of one model.
pub fn show(
    archive: &Archive,
    model: &str,
    arguments: &Inspect,
    out: &mut impl Write,
) -> Result<(), Failure> {
    pt2::torch::start(pt2::torch::CudaPolicy::Auto);
    let path = &arguments.source.path;
    let validated = ValidatedPackage::of(archive, model, None).map_err(|error| error.in_archive(path))?;
    let digest = validated.digest(archive).map_err(|error| error.in_archive(path))?;
    writeln!(out, "\nmodel      {model}, compiled")?;
    writeln!(out, "compiled   by {}", compiler(&validated))?;
    for target in validated.package.targets.iter().take(1) {
        writeln!(out, "for        {}", machine(target))?;
    }
    let size = archive.entry(&validated.package.library).map_err(|error| error.in_archive(path))?.len();
    writeln!(
        out,
        "code       {}, {} kernels, SHA-256 {digest}",
        bytes(size as u64),
        validated.package.kernels.len()
    )?;
    match &validated.described {
        Some(described) => interface::show(&described.interface, &[], out)?,
        None => writeln!(out, "unchecked  all inputs: the package does not tell what it takes")?,
    }
    let differences = &validated.differences;
    if differences.is_empty() {
        writeln!(out, "runs here  yes, with --allow-native-code")?
    } else {
        writeln!(out, "runs here  no, {}", differences.join("; "))?
    }
    Ok(())
}

fn compiler(validated: &ValidatedPackage) -> String {
    match &validated.torch_version {
        Some(version) => format!("PyTorch {version}"),
        None => "a PyTorch whose version is not recorded".into(),
    }
}

fn machine(target: &TargetMachine) -> String {
    let words = [
        &target.device,
        &target.compute_capability,
        &target.platform,
        &target.machine,
        &target.instruction_set,
    ];
    let words: Vec<&str> = words.into_iter().map(String::as_str).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}
