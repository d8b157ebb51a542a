//! Command-line program `pt2`: shows the contents of a `.pt2` file, and runs its models.
//!
//! It uses the same Rust interface as the C ABI. Exit codes: 0; 1 for a model or input error, with
//! one sentence on stderr; 2 for usage.

mod arguments;
mod column;
mod failure;
mod inspect;
mod run;
mod tensors;

use arguments::{Arguments, Command};
use clap::Parser;
use failure::Failure;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut out = BufWriter::new(io::stdout().lock());
    match carry_out(&arguments.command, &mut out) {
        // The reader that closed the pipe, such as `head`, has read all that it needs.
        Ok(()) | Err(Failure::ReaderGone) => ExitCode::SUCCESS,
        Err(Failure::Refused(sentence)) => {
            // If stderr is closed too, the error cannot be reported.
            let _ = writeln!(io::stderr(), "pt2: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn carry_out(command: &Command, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        Command::Inspect(arguments) => inspect::inspect(arguments, out)?,
        Command::Run(arguments) => run::run(arguments, out)?,
    }
    Ok(out.flush()?)
}
