//! Program and engine as `make install` lays them out: `bin/pt2` and `lib/libpt2_core.so`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, id};
use std::sync::LazyLock;

/// Returns a command that runs the program of the prefix.
pub fn program() -> Command {
    static PREFIX: LazyLock<PathBuf> = LazyLock::new(|| {
        let prefix = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pt2-prefix");
        install(&prefix);
        prefix
    });
    Command::new(PREFIX.join("bin/pt2"))
}

/// Installs the program and the engine of this build. Test processes may do so at the same time.
pub fn install(prefix: &Path) {
    fs::create_dir_all(prefix.join("bin")).unwrap();
    fs::create_dir_all(prefix.join("lib")).unwrap();
    // A link, because a file that is open for writing cannot be executed.
    replace(&prefix.join("bin/pt2"), |path| fs::hard_link(env!("CARGO_BIN_EXE_pt2"), path));
    replace(&prefix.join("lib/libpt2_core.so"), |path| symlink(engine(), path));
}

/// Returns the engine that cargo built for these tests, beside them.
pub fn engine() -> PathBuf {
    let engine = std::env::current_exe().unwrap().with_file_name("libpt2_core.so");
    assert!(engine.exists(), "{} is missing", engine.display());
    engine
}

fn replace(path: &Path, make: impl FnOnce(&Path) -> std::io::Result<()>) {
    let temporary = path.with_extension(format!("{}.new", id()));
    make(&temporary).unwrap();
    fs::rename(&temporary, path).unwrap();
    // Renaming to a link of the same file does nothing.
    let _ = fs::remove_file(&temporary);
}
