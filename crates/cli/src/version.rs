//! Versions of the program and of libtorch.

use std::io::{self, Write};
use std::process::ExitCode;

/// Prints both. Without libtorch the program's own is printed.
pub fn show() -> ExitCode {
    let libtorch = match pt2_loader::libtorch_version() {
        Ok(version) => format!("libtorch {version}"),
        Err(_) => "no usable libtorch".into(),
    };
    // As for clap's own output, a reader that closed the pipe is no error.
    let _ = writeln!(io::stdout(), "pt2 {} ({libtorch})", env!("CARGO_PKG_VERSION"));
    ExitCode::SUCCESS
}
