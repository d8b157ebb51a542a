//! Failures that end the program.

use std::fmt::Display;
use std::io;
use std::path::Path;

/// Reason why the program ends early.
#[derive(Debug)]
pub enum Failure {
    /// A model, an input or an output is refused, for the reason in this sentence.
    Refused(String),
    /// The reader of the printed text has closed the pipe.
    ReaderGone,
}

impl Failure {
    /// Creates the failure of a file.
    pub fn file(verb: &str, path: &Path, reason: impl Display) -> Failure {
        Failure::Refused(format!("cannot {verb} `{}`: {reason}", path.display()))
    }
}

impl From<pt2::Error> for Failure {
    fn from(error: pt2::Error) -> Failure {
        Failure::Refused(error.to_string())
    }
}

/// Converts failures of printing. Failures of opened files use [`Failure::file`], which names the
/// file.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::Refused(format!("cannot print: {error}")),
        }
    }
}
