//! Folder that the program named by `pt2_set_libtorch`.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

static REQUESTED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Sets the folder, or forgets it.
pub fn request(folder: Option<&Path>) {
    *REQUESTED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = folder.map(Path::to_owned);
}

/// Returns the folder, if there is one.
pub fn requested() -> Option<PathBuf> {
    REQUESTED.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
}
