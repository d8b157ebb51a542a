//! Shared by the targets: the path of a program or archive to a plan, without libtorch.

pub mod flat;

use pt2_format::archive::Archive;
use pt2_format::aoti::{PackageInterface, Requirements, WrapperSource, ExecStack};
use pt2_graph::graph::Function;
use pt2_format::program::Program;
use pt2_format::{Result, weights};
use pt2_graph::{graph, passes, stored_meta};

/// Parses a program's JSON as every load does, and the texts derived from it.
pub fn program(json: &[u8]) -> Result<Function> {
    let program = Program::parse(json)?;
    let _ = program.interface.check(&[]);
    let mut function = graph::import(&program.graph_module)?;
    let _ = function.graph.to_string();
    passes::run(&mut function, passes::Optimization::Fast, &passes::DeviceProfile::ONEDNN)?;
    drop(passes::split_const_subgraph(function.clone()));
    Ok(function)
}

/// Parses a library of compiled code and edits it as loading does.
pub fn library(bytes: &[u8]) {
    let Ok(found) = Requirements::of("library", bytes) else { return };
    let _ = found.other_processor();
    let mut edited = bytes.to_vec();
    if let Some((at, name)) = found.rename(bytes, "libtorch.so", "libtorch_cpu.so") {
        edited[at..at + name.len()].copy_from_slice(&name);
    }
    if let ExecStack::Edits(edits) = &found.stack {
        edits.iter().for_each(|(at, mark)| edited[*at..*at + mark.len()].copy_from_slice(mark));
        let again = Requirements::of("library", &edited).expect("the edits leave it a library");
        assert_eq!((again.stack, again.calls, again.offers), (ExecStack::Plain, found.calls, found.offers));
    }
    if let Some(range) = found.constants {
        assert!(range.end <= bytes.len());
    }
}

/// Parses the source beside a library and the calls that it declares.
pub fn source(text: &str) {
    let source = WrapperSource::parse(text);
    if let Ok(described) = PackageInterface::of(&source, None) {
        let _ = described.interface.check(&[]);
    }
}

/// Reads all of an archive that loading reads.
pub fn archive(archive: &Archive) {
    for model in archive.models() {
        let function = archive.program(model).and_then(|json| program(json.bytes()));
        let stored = weights::read(archive, model);
        if let (Ok(function), Ok(stored)) = (function, stored) {
            let _ = stored_meta::check(&function, &stored);
        }
    }
    for entry in archive.entries() {
        let _ = archive.entry(entry.name()).and_then(|slice| slice.verify());
    }
}
