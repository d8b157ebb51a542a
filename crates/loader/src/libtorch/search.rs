//! Search for libtorch, place by place. The first place that has one decides: if that one cannot be
//! used, the search fails and goes to no other place.

use super::elf_header;
use super::library::Libtorch;
use super::place::Place;
use super::requested::requested;
use crate::library_name::LIBTORCH;
use std::env;
use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Search with a record of its results.
#[derive(Default)]
pub struct Search {
    /// A line for each place.
    pub record: Vec<String>,
}

impl Search {
    /// Looks in the places that come before the search paths of engines. `folder` is that of
    /// libpt2.so.
    pub fn before_engines(&mut self, folder: &Path) -> Result<Option<Libtorch>, String> {
        for (place, named) in [(Place::Requested, requested()), (Place::Variable, variable("PT2_LIBTORCH"))] {
            match named {
                Some(named) => return self.named(place, &named).map(Some),
                None => self.note(place, "not set"),
            }
        }
        if let Some(found) = Libtorch::already_open() {
            return self.found(found).map(Some);
        }
        self.note(Place::Process, "it has opened none");
        let beside = folder.join(LIBTORCH);
        if beside.exists() {
            return self.opened(Place::Beside, &beside).map(Some);
        }
        self.note(Place::Beside, format!("`{}` has none", folder.display()));
        match Libtorch::open(Path::new(LIBTORCH), Place::DynamicLoader) {
            Ok(found) => self.found(found).map(Some),
            Err(reason) if is_missing(&reason) => {
                self.note(Place::DynamicLoader, "it finds none");
                Ok(None)
            }
            Err(reason) => Err(self.failed(Place::DynamicLoader, &reason)),
        }
    }

    /// Looks in the place that comes after the search paths of engines.
    pub fn after_engines(&mut self) -> Result<Option<Libtorch>, String> {
        let place = Place::VirtualEnvironment;
        let Some(environment) = variable("VIRTUAL_ENV") else {
            self.note(place, "not set");
            return Ok(None);
        };
        match wheel_in(&environment) {
            Some(found) => self.opened(place, &found).map(Some),
            None => {
                self.note(place, format!("`{}` has no package torch", environment.display()));
                Ok(None)
            }
        }
    }

    /// Opens the libtorch of a folder that was named.
    fn named(&mut self, place: Place, folder: &Path) -> Result<Libtorch, String> {
        match library_in(folder) {
            Some(path) => self.opened(place, &path),
            None => Err(self.failed(place, &without_library(folder))),
        }
    }

    fn opened(&mut self, place: Place, path: &Path) -> Result<Libtorch, String> {
        // Libraries find those that they depend on from their own folder, not from that of a link.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let fail = |reason: String| format!("leads to {}{reason}", path.display());
        let other = Libtorch::already_open().and_then(|other| other.path());
        let opened = match other.filter(|other| *other != path) {
            Some(other) => Err(fail(format!(", and this process has already opened {}", other.display()))),
            None => elf_header::check(&path)
                .and_then(|()| Libtorch::open(&path, place))
                .map_err(|reason| fail(format!(": {reason}"))),
        };
        match opened {
            Ok(found) => self.found(found),
            Err(reason) => Err(self.failed(place, &reason)),
        }
    }

    fn found(&mut self, found: Libtorch) -> Result<Libtorch, String> {
        self.note(found.place, &found);
        Ok(found)
    }

    fn failed(&mut self, place: Place, reason: &str) -> String {
        self.note(place, reason);
        format!("{place} {reason}")
    }

    /// Records a result.
    pub fn note(&mut self, place: Place, result: impl Display) {
        self.record.push(format!("{place}: {result}"));
    }
}

/// Returns the library in a wheel's `torch`, in an unpacked libtorch, or in the `lib` of one.
pub fn library_in(folder: &Path) -> Option<PathBuf> {
    [folder.join("lib").join(LIBTORCH), folder.join(LIBTORCH)].into_iter().find(|path| path.exists())
}

/// Returns the reason why a folder has no libtorch.
pub fn without_library(folder: &Path) -> String {
    format!("is `{}`, which has neither {LIBTORCH} nor lib/{LIBTORCH}", folder.display())
}

/// Returns the library in a virtual environment's package `torch`.
fn wheel_in(environment: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(environment.join("lib")).ok()?;
    let wheels = entries.flatten().map(|entry| entry.path().join("site-packages/torch/lib").join(LIBTORCH));
    wheels.into_iter().find(|path| path.exists())
}

/// Returns true if the dynamic loader found no file of libtorch's name. Other errors are of a file
/// that it found.
fn is_missing(reason: &str) -> bool {
    reason.contains(&format!("{LIBTORCH}: cannot open shared object file"))
}

/// Returns a variable of the environment that is not empty. A program with more rights than its
/// user ignores them, as the dynamic loader does.
pub fn variable(name: &str) -> Option<PathBuf> {
    // SAFETY: the call takes a number.
    let has_more_rights = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    env::var_os(name).filter(|value| !has_more_rights && !value.is_empty()).map(PathBuf::from)
}
