//! Program and engine as `make install` lays them out: `bin/pt2` and `lib/libpt2_core.so`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, id};
use std::sync::LazyLock;
use tempfile::TempDir;

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

/// Installs an engine whose own search path leads nowhere.
pub fn install_without_libtorch(prefix: &Path) {
    install(prefix);
    let (path, libtorch) = (prefix.join("lib/libpt2_core.so"), std::env::var("LIBTORCH").unwrap());
    let mut bytes = fs::read(&path).unwrap();
    let places: Vec<usize> = memchr::memmem::find_iter(&bytes, &libtorch).collect();
    assert!(!places.is_empty(), "the engine has no search path");
    places.iter().for_each(|place| bytes[*place..place + libtorch.len()].fill(b'x'));
    fs::remove_file(&path).unwrap();
    fs::write(&path, bytes).unwrap();
}

/// Installs the program only, and returns its path.
pub fn alone(prefix: &Path) -> PathBuf {
    fs::create_dir(prefix.join("bin")).unwrap();
    let program = prefix.join("bin/pt2");
    fs::hard_link(env!("CARGO_BIN_EXE_pt2"), &program).unwrap();
    program
}

/// Creates a folder on the file system of the program, so that links can lead to it.
pub fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
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
