//! What the targets share: how far a program or an archive goes on its way to a plan, without libtorch.

pub mod flat;

use pt2::archive::Archive;
use pt2::graph::Function;
use pt2::program::Program;
use pt2::{Result, graph, passes, weights};

/// A program's JSON as every load reads it, and the texts that tell of it.
pub fn program(json: &[u8]) -> Result<Function> {
    let program = Program::parse(json)?;
    let _ = program.interface.check(&[]);
    let mut function = graph::build(&program.graph_module)?;
    let _ = function.graph.to_string();
    passes::run(&mut function, passes::Optimization::Fast, &passes::Traits::ONEDNN)?;
    drop(passes::split(function.clone()));
    Ok(function)
}

/// All of an archive that loading reads.
pub fn archive(archive: &Archive) {
    for model in archive.models() {
        let function = archive.program(model).and_then(|json| program(json.bytes()));
        let stored = weights::read(archive, model);
        if let (Ok(function), Ok(stored)) = (function, stored) {
            let _ = weights::check(&function, &stored);
        }
    }
    for entry in archive.entries() {
        let _ = archive.entry(entry.name()).and_then(|slice| slice.verify());
    }
}
