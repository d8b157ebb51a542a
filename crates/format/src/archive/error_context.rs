//! Error context: the entry that broke a rule, or the file as a whole.

use crate::{Error, Result};

/// Turns broken rules into errors that name their entry.
#[derive(Clone, Copy)]
pub(super) struct ErrorContext<'a>(Option<&'a str>);

impl<'a> ErrorContext<'a> {
    pub(super) const FILE: ErrorContext<'static> = ErrorContext(None);

    pub(super) fn entry(name: &'a str) -> Self {
        Self(Some(name))
    }

    pub(super) fn error(self, reason: impl Into<String>) -> Error {
        Error::Archive { entry: self.0.map(str::to_owned), reason: reason.into() }
    }

    pub(super) fn require(self, holds: bool, reason: &str) -> Result<()> {
        if holds { Ok(()) } else { Err(self.error(reason)) }
    }
}

/// Says that an error of an inner zip happened inside the entry `outer`.
pub(super) fn within(outer: &str, error: Error) -> Error {
    match error {
        Error::Archive { entry: None, reason } => Error::Archive { entry: Some(outer.to_owned()), reason },
        Error::Archive { entry: Some(inner), reason } => {
            Error::Archive { entry: Some(nested_name(outer, &inner)), reason }
        }
        Error::Unsupported { what } => Error::Unsupported { what: format!("{what} (inside `{outer}`)") },
        other => other,
    }
}

/// How messages spell the entry `inner` of the zip that is the entry `outer`.
pub(super) fn nested_name(outer: &str, inner: &str) -> String {
    format!("{outer}: {inner}")
}
