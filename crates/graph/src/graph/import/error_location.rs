//! Error location: the place of an error in the program. It is formatted only when an error occurs.

use crate::Error;
use std::fmt;

/// Graph, optionally a node of it, optionally an argument of that node.
#[derive(Copy, Clone)]
pub struct ErrorLocation<'a> {
    path: &'a str,
    node: Option<&'a str>,
    field: Option<&'a str>,
}

impl<'a> ErrorLocation<'a> {
    pub fn new(path: &'a str) -> ErrorLocation<'a> {
        ErrorLocation { path, node: None, field: None }
    }

    pub fn node(self, node: &'a str) -> ErrorLocation<'a> {
        ErrorLocation { node: Some(node), ..self }
    }

    pub fn field(self, field: &'a str) -> ErrorLocation<'a> {
        ErrorLocation { field: Some(field), ..self }
    }

    pub fn error(self, reason: String) -> Error {
        Error::Program { at: self.to_string(), reason }
    }
}

impl fmt::Display for ErrorLocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path)?;
        if let Some(node) = self.node {
            write!(f, ", node `{}`", node.escape_debug())?;
        }
        match self.field {
            Some("") => f.write_str(", an argument without name"),
            Some(field) if self.node.is_some() => write!(f, ", argument `{}`", field.escape_debug()),
            Some(field) => write!(f, ", {field}"),
            None => Ok(()),
        }
    }
}
