//! Reads a program and lists its stored tensors in parallel.

use crate::Result;
use crate::archive::Archive;
use crate::program::Program;
use crate::reserve;
use crate::timeline::span;
use crate::weights;
use crate::weights::pickle::SavedTensor;
use crate::weights::placement::Verification;
use std::thread::{self, Builder};

/// Stored tensors of a program.
#[derive(Debug)]
pub struct StoredTensors {
    /// All tensors. None of their bytes is read yet.
    pub tensors: Vec<SavedTensor>,
    /// Ongoing check of their bytes against the checksums, if the caller asked for it.
    pub verification: Option<Verification>,
}

/// Parses the program's text, unless it was `parsed` before, while another thread lists its tensors.
pub fn read_program(
    archive: &Archive,
    name: &str,
    text: &[u8],
    parsed: Option<Program>,
) -> Result<(Program, StoredTensors)> {
    reserve::check()?;
    thread::scope(|scope| {
        let call = reserve::helper();
        let list = move || call.try_run(|| stored(archive, name));
        let listing = Builder::new().name("pt2-weights".into()).spawn_scoped(scope, list);
        let samples = archive.has_sample_inputs(name);
        let program = match parsed {
            Some(program) => program,
            None => span("parse", || Program::parse(text))?,
        };
        let program = program.with_samples(samples);
        // If the thread does not start, has no memory or dies, this thread lists the tensors.
        let listed = listing.ok().and_then(|listing| listing.join().ok()).flatten();
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
