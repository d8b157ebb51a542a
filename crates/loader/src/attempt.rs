//! Record of the attempt to open libtorch and an engine.

use crate::libtorch::Search;
use once_cell::sync::OnceCell;
use std::path::PathBuf;

/// Search for libtorch, and the engine that was opened, if one was.
pub struct Attempt {
    pub search: Search,
    pub engine: Option<PathBuf>,
}

static ATTEMPT: OnceCell<Attempt> = OnceCell::new();

/// Records the attempt.
pub fn remember(search: Search, engine: Option<PathBuf>) {
    ATTEMPT.get_or_init(|| Attempt { search, engine });
}

/// Returns the attempt that this process made.
pub fn made() -> Option<&'static Attempt> {
    ATTEMPT.get()
}
