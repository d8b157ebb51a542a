//! Error context: the entry that broke a rule, or the whole file.

use crate::{Error, Result};

/// Builds errors that name their entry.
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

/// Adds the outer entry to an error of the zip inside it.
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

/// Formats the name of the entry `inner` of the zip stored as the entry `outer`.
pub(super) fn nested_name(outer: &str, inner: &str) -> String {
    format!("{outer}: {inner}")
}
