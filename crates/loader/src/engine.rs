//! Engines: builds of the core, one for each minor version of libtorch.

use crate::libtorch::{Libtorch, Version, variable};
use std::fmt::{Display, Formatter};
use std::path::{Path, PathBuf};

const PREFIX: &str = "libpt2_core-";
const SUFFIX: &str = ".so";

/// Engine of a build in a folder of cargo's, whatever version it is for.
const AS_BUILT: &str = "libpt2_core.so";

/// Variable that allows an engine for an older libtorch than the one that was found.
const OVERRIDE: &str = "PT2_ALLOW_NEWER_LIBTORCH";

/// Engines in a folder.
#[derive(Debug)]
pub struct Engines {
    folder: PathBuf,
    /// Versions of the installed engines, the oldest first.
    versions: Vec<Version>,
}

impl Engines {
    /// Lists the engines in a folder. The error says that there is none.
    pub fn in_folder(folder: &Path) -> Result<Engines, String> {
        let none =
            || format!("`{}` has no {PREFIX}*{SUFFIX}, which belongs beside libpt2.so", folder.display());
        let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", none()))?;
        let names = entries.flatten().map(|entry| entry.file_name());
        let mut versions: Vec<Version> = names.filter_map(|name| version_in(name.to_str()?)).collect();
        versions.sort();
        let engines = Engines { folder: folder.to_owned(), versions };
        engines.newest_first().next().map(|_| ()).ok_or_else(none)?;
        Ok(engines)
    }

    /// Returns the files of all engines, those for the newest libtorch first.
    pub fn newest_first(&self) -> impl Iterator<Item = PathBuf> {
        self.as_built().into_iter().chain(self.versions.iter().rev().map(|version| self.installed(*version)))
    }

    /// Returns the engine for a libtorch. The error says which versions have one.
    pub fn for_libtorch(&self, libtorch: &Libtorch) -> Result<PathBuf, String> {
        let Some(version) = libtorch.version() else {
            return Err(self.without(libtorch, "is too old"));
        };
        if self.versions.contains(&version) {
            return Ok(self.installed(version));
        }
        if let Some(path) = self.as_built() {
            return Ok(path);
        }
        match self.versions.last() {
            Some(newest) if version > *newest && allows_newer() => Ok(self.installed(*newest)),
            Some(newest) if version > *newest => Err(format!(
                "{}, or set {OVERRIDE}=1 to try the engine for {newest}",
                self.without(libtorch, "is too new")
            )),
            _ => Err(self.without(libtorch, "has no engine")),
        }
    }

    fn without(&self, libtorch: &Libtorch, state: &str) -> String {
        format!(
            "{} leads to {libtorch}, which {state}; this libpt2 is for {self}: install one of these, name it by \
             PT2_LIBTORCH, or install a libpt2 for this one",
            libtorch.place
        )
    }

    fn installed(&self, version: Version) -> PathBuf {
        self.folder.join(format!("{PREFIX}{version}{SUFFIX}"))
    }

    fn as_built(&self) -> Option<PathBuf> {
        Some(self.folder.join(AS_BUILT)).filter(|path| path.exists())
    }
}

impl Display for Engines {
    fn fmt(&self, text: &mut Formatter) -> std::fmt::Result {
        let versions: Vec<String> = self.versions.iter().map(Version::to_string).collect();
        match versions.as_slice() {
            [] => write!(text, "the version of {AS_BUILT}"),
            versions => write!(text, "libtorch {}", versions.join(", ")),
        }
    }
}

/// Returns true if the user allows an engine for an older libtorch.
pub fn allows_newer() -> bool {
    variable(OVERRIDE).is_some_and(|value| value.as_os_str() == "1")
}

fn version_in(name: &str) -> Option<Version> {
    name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX)?.parse().ok()
}
