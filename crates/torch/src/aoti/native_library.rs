//! Native libraries in memory files. Equal contents are mapped once.

use super::{MemoryFile, PrivatePages};
use crate::{ffi, process, symbol_binding};
use libc::{RTLD_LAZY, RTLD_LOCAL, RTLD_NOLOAD, RTLD_NOW, c_void};
use pt2_format::lock::lock;
use std::ffi::{CStr, CString};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, Weak};

/// Libraries in use.
static USED: Mutex<Vec<Weak<NativeLibrary>>> = Mutex::new(Vec::new());
/// Files of unused libraries that the dynamic loader could not unload, because they define unique
/// symbols.
///
/// They are kept open, because the loader identifies them by the path of the descriptor.
static KEPT: Mutex<Vec<MemoryFile>> = Mutex::new(Vec::new());

/// Loaded library.
#[derive(Debug)]
pub struct NativeLibrary {
    raw: *mut c_void,
    /// None only during drop.
    file: Option<MemoryFile>,
    /// Range of the constants in the file, if it is known.
    constants: Option<Range<usize>>,
}

// SAFETY: the dynamic loader is thread-safe, and the handle never changes.
unsafe impl Send for NativeLibrary {}
// SAFETY: shared methods only read the handle and the file.
unsafe impl Sync for NativeLibrary {}

impl NativeLibrary {
    /// Loads a library, which executes its initialisers, or shares a loaded library of the same
    /// content.
    ///
    /// `constants` is the range of constants in the file, if it is known. An error has the dynamic
    /// loader's message, or the reason why the file cannot be read.
    pub fn open(file: MemoryFile, constants: Option<Range<usize>>) -> Result<Arc<NativeLibrary>, String> {
        // Dropped after the lock is released: these may become the last references, and dropping
        // the last one takes the lock.
        let mut all = Vec::new();
        let mut used = lock(&USED);
        used.retain(|library| library.strong_count() > 0);
        all.extend(used.iter().filter_map(Weak::upgrade));
        for library in &all {
            if library.has(&file).map_err(|error| error.to_string())? {
                return Ok(Arc::clone(library));
            }
        }
        let file = kept(&file).map_err(|error| error.to_string())?.unwrap_or(file);
        let raw = dlopen(&file.path(), RTLD_NOW | RTLD_LOCAL)?;
        // SAFETY: the line above opened the handle, which is not closed yet.
        unsafe { symbol_binding::hook_library(raw) };
        process::register_exit_handler();
        let library = Arc::new(NativeLibrary { raw, file: Some(file), constants });
        used.push(Arc::downgrade(&library));
        Ok(library)
    }

    /// Maps the constants again for one owner. None if their range is unknown or memory is
    /// exhausted.
    pub(super) fn constants(&self) -> Option<PrivatePages> {
        let range = self.constants.clone().filter(|range| !range.is_empty())?;
        self.file.as_ref()?.pages(range).ok()
    }

    fn has(&self, content: &MemoryFile) -> io::Result<bool> {
        self.file.as_ref().map_or(Ok(false), |file| file.equals(content))
    }

    pub(super) fn as_ptr(&self) -> *mut c_void {
        self.raw
    }
}

impl Drop for NativeLibrary {
    fn drop(&mut self) {
        // A thread that loads the same content waits for this lock, and then finds the file in
        // `KEPT`.
        let _used = lock(&USED);
        // SAFETY: `open` opened the handle, and no caller uses the library's code any more.
        unsafe { libc::dlclose(self.raw) };
        let Some(file) = self.file.take() else { return };
        if let Ok(raw) = dlopen(&file.path(), RTLD_LAZY | RTLD_NOLOAD) {
            // SAFETY: closes the handle that the line above opened.
            unsafe { libc::dlclose(raw) };
            lock(&KEPT).push(file);
        }
    }
}

/// Removes from `KEPT` the file of the same content, and returns it.
fn kept(content: &MemoryFile) -> io::Result<Option<MemoryFile>> {
    let mut all = lock(&KEPT);
    for at in 0..all.len() {
        if all.get(at).map_or(Ok(false), |file| file.equals(content))? {
            return Ok(Some(all.swap_remove(at)));
        }
    }
    Ok(None)
}

/// Returns true if this process's libtorch has a function.
pub fn libtorch_has(name: &str) -> bool {
    let Ok(name) = CString::new(name) else { return false };
    [c"libtorch_cpu.so", c"libtorch_cuda.so"].into_iter().any(|library| {
        let Ok(raw) = dlopen(library, RTLD_LAZY | RTLD_NOLOAD) else { return false };
        // SAFETY: the handle is open and the name NUL-terminated.
        let found = unsafe { ffi::shim_library_has(raw, name.as_ptr()) };
        // SAFETY: closes the handle opened above; libtorch itself keeps the library loaded.
        unsafe { libc::dlclose(raw) };
        found
    })
}

fn dlopen(path: &CStr, flags: libc::c_int) -> Result<*mut c_void, String> {
    // SAFETY: the path is NUL-terminated. The caller of libpt2 allowed native code, and so its
    // initialisers.
    let raw = unsafe { libc::dlopen(path.as_ptr(), flags) };
    if !raw.is_null() {
        return Ok(raw);
    }
    // SAFETY: `dlerror` returns NULL, or a string valid until this thread's next call of the
    // dynamic loader.
    let reason = unsafe { libc::dlerror().as_ref().map(|text| CStr::from_ptr(text)) };
    Err(reason
        .map_or("the dynamic loader gives no reason".into(), |text| text.to_string_lossy().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;
    use std::{fs, thread};

    /// Returns a copy of a loaded library with a mark at its end, where the loader maps nothing.
    fn content(mark: u8) -> Vec<u8> {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let path = maps.split_whitespace().find(|word| word.contains("libgcc_s")).unwrap();
        let mut bytes = fs::read(path).unwrap();
        bytes.resize(bytes.len() + (2 << 20), 0);
        bytes.push(mark);
        bytes
    }

    #[test]
    fn whoever_looks_for_a_library_may_be_the_last_to_hold_another() {
        let (done, waiting) = mpsc::channel();
        for mark in [1, 2] {
            let (done, bytes) = (done.clone(), content(mark));
            thread::spawn(move || {
                for turn in 0..200 {
                    let library = NativeLibrary::open(MemoryFile::of(&bytes).unwrap(), None).unwrap();
                    thread::sleep(Duration::from_micros(50 * (turn % 8)));
                    drop(library);
                }
                done.send(()).unwrap();
            });
        }
        for _ in 0..2 {
            waiting.recv_timeout(Duration::from_secs(100)).expect("a thread waits for itself");
        }
    }
}
