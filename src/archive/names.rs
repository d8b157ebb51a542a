//! That no two names of an archive could be taken for each other.

use std::borrow::Cow;
use std::collections::HashMap;

use super::blame::Blame;
use super::entry::Entry;
use super::name::folded;
use crate::Result;

type Folded<'a> = HashMap<Cow<'a, str>, &'a str>;

/// Refuses duplicates, names that some file systems cannot tell apart, and a file that is also a folder.
pub(super) fn require_distinct(entries: &[Entry]) -> Result<()> {
    let mut seen = Folded::with_capacity(entries.len());
    for entry in entries {
        if let Some(other) = seen.insert(folded(entry.name()), entry.name()) {
            return Err(clash(entry.name(), other));
        }
    }
    seen.keys().try_for_each(|name| require_no_file_above(name, &seen))
}

fn clash(name: &str, other: &str) -> crate::Error {
    Blame::entry(name).error(match name == other {
        true => "it occurs twice".to_owned(),
        false => format!("some systems cannot tell its name from `{other}`"),
    })
}

fn require_no_file_above(name: &str, seen: &Folded) -> Result<()> {
    let above = name.match_indices('/').filter_map(|(at, _)| name.get(..at));
    match above.filter_map(|folder| seen.get(folder)).next() {
        Some(file) => Err(Blame::entry(file).error(format!("it is a file and also the folder of `{name}`"))),
        None => Ok(()),
    }
}
