//! Files of loaded libraries.

use libc::c_void;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Returns the file of the library that contains `address`, with links resolved.
///
/// Call this at load. The dynamic loader records the path by which the library was opened, and a
/// relative path depends on the working directory of that moment.
#[expect(clippy::not_unsafe_ptr_arg_deref, reason = "dladdr compares the address and reads nothing there")]
pub fn path_of(address: *const c_void) -> Result<PathBuf, String> {
    // SAFETY: an all-zero Dl_info is a valid value of that plain C struct.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: dladdr accepts any address; it fills `info` or returns 0.
    let found = unsafe { libc::dladdr(address, &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return Err("the dynamic loader does not know the library's file".into());
    }
    // SAFETY: the dynamic loader keeps the string until it unloads the library, which is executing.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = Path::new(OsStr::from_bytes(name.to_bytes()));
    path.canonicalize().map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_an_address() {
        let here: fn() = the_file_of_an_address;
        let found = path_of(here as *const c_void).unwrap();
        assert_eq!(found, std::env::current_exe().unwrap().canonicalize().unwrap());
        assert!(path_of(std::ptr::null()).is_err());
    }
}
