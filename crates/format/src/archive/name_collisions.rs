//! Name collisions: names in an archive that some file system could not distinguish.

use std::borrow::Cow;
use std::collections::HashMap;

use super::entry::Entry;
use super::entry_name::folded;
use super::error_context::ErrorContext;
use crate::Result;

type Folded<'a> = HashMap<Cow<'a, str>, &'a str>;

/// Rejects duplicates, names that some file systems cannot distinguish, and files that are also
/// folders.
pub(super) fn require_distinct(entries: &[Entry]) -> Result<()> {
    let mut seen = Folded::with_capacity(entries.len());
    for entry in entries {
        if let Some(other) = seen.insert(folded(entry.name()), entry.name()) {
            return Err(clash(entry.name(), other));
        }
    }
    let mut sorted: Vec<(&str, &str)> = seen.iter().map(|(folded, name)| (folded.as_ref(), *name)).collect();
    sorted.sort_unstable_by(|(one, _), (other, _)| in_folders(one).cmp(in_folders(other)));
    sorted.windows(2).try_for_each(require_no_folder)
}

/// Returns a name's bytes as a sort key that places a file directly before the contents of a folder
/// of the same name.
fn in_folders(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().map(|byte| if byte == b'/' { 0 } else { byte })
}

fn clash(name: &str, other: &str) -> crate::Error {
    ErrorContext::entry(name).error(if name == other {
        "it occurs twice".to_owned()
    } else {
        format!("some systems cannot tell its name from `{other}`")
    })
}

fn require_no_folder(neighbours: &[(&str, &str)]) -> Result<()> {
    let [(file, name), (inside, other)] = neighbours else { return Ok(()) };
    if inside.strip_prefix(file).is_some_and(|rest| rest.starts_with('/')) {
        Err(ErrorContext::entry(name).error(format!("it is a file and also the folder of `{other}`")))
    } else {
        Ok(())
    }
}
