//! Record of the attempt to open libtorch and an engine.

use crate::libtorch::Search;
use once_cell::sync::OnceCell;
use std::path::PathBuf;

/// Search for libtorch, and the engine that was taken or the reason why there is none.
pub struct Attempt {
    pub search: Search,
    pub engine: Result<PathBuf, String>,
}

static ATTEMPT: OnceCell<Attempt> = OnceCell::new();

/// Records the attempt.
pub fn remember(search: Search, engine: Result<PathBuf, String>) {
    ATTEMPT.get_or_init(|| Attempt { search, engine });
}

/// Returns the attempt that this process made.
pub fn made() -> Option<&'static Attempt> {
    ATTEMPT.get()
}
