//! Reads a program and lists its stored tensors side by side.

use crate::Result;
use crate::archive::Archive;
use crate::program::Program;
use crate::reserve;
use crate::timeline::span;
use crate::weights;
use crate::weights::pickle::SavedTensor;
use crate::weights::placement::Verification;
use std::thread::{self, Builder};

/// Where the tensors of a program lie in its archive.
#[derive(Debug)]
pub struct StoredTensors {
    /// All of them; nothing of their bytes is touched yet.
    pub tensors: Vec<SavedTensor>,
    /// Goes on comparing their bytes with the checksums, if anybody wants that.
    pub verification: Option<Verification>,
}

/// Parses the program's text while another thread lists its tensors.
pub fn read_program(archive: &Archive, name: &str, text: &[u8]) -> Result<(Program, StoredTensors)> {
    reserve::check()?;
    thread::scope(|scope| {
        let call = reserve::helper();
        let list = move || call.run(|| stored(archive, name));
        let listing = Builder::new().name("pt2-weights".into()).spawn_scoped(scope, list);
        let samples = archive.has_sample_inputs(name);
        let program = span("parse", || Program::parse(text))?.with_samples(samples);
        // A thread that cannot be had, or that died, is no loss.
        let listed = listing.ok().and_then(|listing| listing.join().ok());
        let (listed, taken) = listed.unwrap_or_else(|| (stored(archive, name), false));
        reserve::note(taken);
        Ok((program, listed?))
    })
}

fn stored(archive: &Archive, name: &str) -> Result<StoredTensors> {
    let tensors = span("list weights", || weights::read(archive, name))?;
    let verification = archive.verifies().then(|| Verification::of(&tensors));
    Ok(StoredTensors { tensors, verification })
}
