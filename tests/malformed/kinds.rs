//! Errors of malformed archives. Each must name a place and a reason.

use pt2_format::Error;

pub fn of(error: &Error) -> Option<&'static str> {
    let (kind, place, reason) = match error {
        Error::Program { at, reason } => ("program", at.as_str(), reason.as_str()),
        Error::Unsupported { what } => ("unsupported", "the program", what.as_str()),
        Error::Weight { name, reason } => {
            ("weight", if name.is_empty() { "\"\"" } else { name }, reason.as_str())
        }
        Error::Archive { entry: Some(entry), reason } => ("archive", entry.as_str(), reason.as_str()),
        _ => return None,
    };
    (!place.is_empty() && !reason.is_empty()).then_some(kind)
}
