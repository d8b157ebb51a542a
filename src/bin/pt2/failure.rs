//! Why the program ends before its work is done.

use std::fmt::Display;
use std::io;
use std::path::Path;

/// The end of the program.
#[derive(Debug)]
pub enum Failure {
    /// Something is wrong with the model, an input or an output, in one sentence.
    Refused(String),
    /// Nobody reads what is printed any more.
    ReaderGone,
}

impl Failure {
    /// Something is wrong with a file.
    pub fn file(verb: &str, path: &Path, reason: impl Display) -> Failure {
        Failure::Refused(format!("cannot {verb} `{}`: {reason}", path.display()))
    }
}

impl From<pt2::Error> for Failure {
    fn from(error: pt2::Error) -> Failure {
        Failure::Refused(error.to_string())
    }
}

/// Only printing fails in this way: whoever opens a file says which.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ReaderGone,
            _ => Failure::Refused(format!("cannot print: {error}")),
        }
    }
}
