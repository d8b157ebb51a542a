//! Command `pt2 doctor`: libtorch, CUDA and the driver as this program finds them.

use std::io::{self, Write};
use std::process::ExitCode;

/// Prints the report. Fails if no model can be loaded.
pub fn show() -> ExitCode {
    let (report, can_load) = pt2_loader::doctor();
    // As for clap's own output, a reader that closed the pipe is no error.
    let _ = write!(io::stdout(), "{report}");
    if can_load { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
