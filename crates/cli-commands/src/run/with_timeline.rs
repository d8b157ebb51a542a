//! Work whose timeline is written to a file.

use crate::failure::Failure;
use pt2::timeline::{Detail, Timeline};
use pt2_cli_arguments::Run;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Runs the work and, if requested, writes its timeline. A failure writes no timeline.
pub fn with_timeline<T>(arguments: &Run, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let Some(path) = &arguments.timeline else { return work() };
    // The file is created before the work, so that an unwritable path fails at once.
    let file = File::create(path).map_err(|error| Failure::file("write", path, error))?;
    let detail = if arguments.timeline_nodes { Detail::Nodes } else { Detail::Stages };
    let timeline = Timeline::begin(detail);
    let result = work()?;
    timeline.map_or(Ok(()), |timeline| write(timeline, file, path))?;
    Ok(result)
}

fn write(timeline: Timeline, file: File, path: &Path) -> Result<(), Failure> {
    let mut out = BufWriter::new(file);
    let written = timeline.finish().write(&mut out).and_then(|()| out.flush());
    written.map_err(|error| Failure::file("write", path, error))
}
