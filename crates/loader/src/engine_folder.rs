//! Folder of the engines, for a program that links this crate instead of `libpt2.so`.

use crate::engine::Engines;
use once_cell::sync::OnceCell;
use std::path::{Path, PathBuf};

static FOLDER: OnceCell<Result<PathBuf, String>> = OnceCell::new();

/// Searches beside the program of this process from now on. A program does so before it opens the
/// core.
pub fn search_beside_program() {
    FOLDER.get_or_init(|| {
        let program = std::env::current_exe().and_then(|program| program.canonicalize());
        let program = program.map_err(|error| format!("the folder of this program is unknown: {error}"))?;
        beside(&program)
    });
}

/// Returns the folder, or None if this crate is part of `libpt2.so`.
pub fn of_program() -> Option<Result<&'static Path, String>> {
    FOLDER.get().map(|folder| folder.as_deref().map_err(String::clone))
}

/// Returns the program's folder, as it is built, or `lib` beside it, as it is installed.
fn beside(program: &Path) -> Result<PathBuf, String> {
    let own = program.parent().unwrap_or(program);
    let library = own.parent().unwrap_or(own).join("lib");
    let found = [own, &library].into_iter().find(|folder| Engines::in_folder(folder).is_ok());
    found.map(Path::to_owned).ok_or_else(|| {
        let (own, library) = (own.display(), library.display());
        format!(
            "neither `{own}` nor `{library}` has the libpt2_core-*.so that were installed with this program"
        )
    })
}
