//! Commands of the program `pt2` that need libtorch: they show the contents of a `.pt2` file, and
//! run its models.
//!
//! They use the same Rust interface as the C ABI. `crates/core` links them with libtorch, and the
//! program (`crates/cli`) calls them there.

mod column;
mod failure;
mod inspect;
mod model_arguments;
mod run;
mod tensors;

use clap::Parser;
use failure::Failure;
use pt2_cli_arguments::{Arguments, ModelCommand};
use std::ffi::OsString;
use std::io::{self, BufWriter, Write};

/// Carries out the command in the arguments, of which the first is the name of the program. Returns
/// the exit code: 0; 1 for a model or input error, with one sentence on stderr; 2 for usage.
pub fn carry_out(arguments: impl IntoIterator<Item = OsString>) -> i32 {
    let arguments = match Arguments::<ModelCommand>::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // If stderr is closed, the error cannot be reported.
            let _ = error.print();
            return error.exit_code();
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let code = match execute(&arguments.command, &mut out) {
        // The reader that closed the pipe, such as `head`, has read all that it needs.
        Ok(()) | Err(Failure::ReaderGone) => 0,
        Err(Failure::Refused(sentence)) => {
            // If stderr is closed too, the error cannot be reported.
            let _ = writeln!(io::stderr(), "pt2: {sentence}");
            1
        }
    };
    // The program's own standard library flushes only its own buffers at exit. A failure of the
    // command has been reported.
    let _ = out.flush();
    code
}

fn execute(command: &ModelCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        ModelCommand::Inspect(arguments) => inspect::inspect(arguments, out)?,
        ModelCommand::Run(arguments) => run::run(arguments, out)?,
    }
    Ok(out.flush()?)
}
