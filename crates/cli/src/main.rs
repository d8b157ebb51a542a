//! Command-line program `pt2`.
//!
//! It needs only the C library. It parses the arguments, opens libtorch and the rest of libpt2 as
//! `libpt2.so` does (`crates/loader`), and has the command carried out there
//! (`crates/cli-commands`). Exit codes: 0; 1 for an error of a model, an input or libtorch, with
//! one sentence on stderr; 2 for usage.

mod doctor;
mod early_context;
mod version;

use clap::Parser;
use clap::error::ErrorKind;
use pt2_cli_arguments::{Arguments, Command, ModelCommand};
use std::ffi::CString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::process::ExitCode;

fn main() -> ExitCode {
    match Arguments::try_parse().map(|arguments| arguments.command) {
        Ok(Command::Model(command)) => carry_out(&command),
        Ok(Command::Doctor) => doctor::show(),
        Err(error) if error.kind() == ErrorKind::DisplayVersion => version::show(),
        Err(error) => error.exit(),
    }
}

fn carry_out(command: &ModelCommand) -> ExitCode {
    let _context = early_context::begin(command);
    // No argument of a process has a NUL inside.
    let texts = std::env::args_os().flat_map(|text| CString::new(text.into_vec()));
    match pt2_loader::carry_out(&texts.collect::<Vec<_>>()) {
        Ok(code) => u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from),
        Err(sentence) => {
            // If stderr is closed, the error cannot be reported.
            let _ = writeln!(io::stderr(), "pt2: {sentence}; `pt2 doctor` shows more");
            ExitCode::FAILURE
        }
    }
}
