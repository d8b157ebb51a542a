//! Libraries in memory files. One content is mapped once, however often it is loaded.

use super::{MemoryFile, PrivatePages};
use crate::{binding, ffi, process};
use libc::{RTLD_LAZY, RTLD_LOCAL, RTLD_NOLOAD, RTLD_NOW, c_void};
use pt2_format::lock::lock;
use std::ffi::{CStr, CString};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, Weak};

/// Libraries in use.
static USED: Mutex<Vec<Weak<NativeLibrary>>> = Mutex::new(Vec::new());
/// Libraries that the dynamic loader kept although nobody uses them: those that define symbols which must be unique
/// in a process. Their files stay open, for the loader knows them by the path of the descriptor.
static KEPT: Mutex<Vec<MemoryFile>> = Mutex::new(Vec::new());

/// A library whose code may be called.
#[derive(Debug)]
pub struct NativeLibrary {
    raw: *mut c_void,
    /// None only while it is dropped.
    file: Option<MemoryFile>,
    /// Which bytes of the file are the constants, if that is known.
    constants: Option<Range<usize>>,
}

// SAFETY: the dynamic loader's functions may be called from any thread, and the handle is not changed.
unsafe impl Send for NativeLibrary {}
// SAFETY: as above.
unsafe impl Sync for NativeLibrary {}

impl NativeLibrary {
    /// Loads a library, which executes its initialisers, or shares what was loaded with the same content before. The
    /// error says what the dynamic loader does not like, or why the file cannot be read.
    ///
    /// `constants` are those bytes of the file that are its constants, if the file tells.
    pub fn open(file: MemoryFile, constants: Option<Range<usize>>) -> Result<Arc<NativeLibrary>, String> {
        // Let go after the lock: these may become the last references meanwhile, and dropping the last takes the lock.
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
        // SAFETY: the handle was opened by the line above.
        unsafe { binding::hook_library(raw) };
        process::wait_at_exit();
        let library = Arc::new(NativeLibrary { raw, file: Some(file), constants });
        used.push(Arc::downgrade(&library));
        Ok(library)
    }

    /// Its constants once more, for one owner; None where nothing tells where they are, or memory is short.
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
        // Whoever loads the same content meanwhile waits here and finds it among the kept, if it is.
        let _used = lock(&USED);
        // SAFETY: `open` got the handle, and nothing uses the library's code any more.
        unsafe { libc::dlclose(self.raw) };
        let Some(file) = self.file.take() else { return };
        if let Ok(raw) = dlopen(&file.path(), RTLD_LAZY | RTLD_NOLOAD) {
            // SAFETY: this undoes the line above.
            unsafe { libc::dlclose(raw) };
            lock(&KEPT).push(file);
        }
    }
}

/// The file of the same content that the dynamic loader kept, which is no longer among those then.
fn kept(content: &MemoryFile) -> io::Result<Option<MemoryFile>> {
    let mut all = lock(&KEPT);
    for at in 0..all.len() {
        if all.get(at).map_or(Ok(false), |file| file.equals(content))? {
            return Ok(Some(all.swap_remove(at)));
        }
    }
    Ok(None)
}

/// Whether libtorch in this process has a function.
pub fn libtorch_has(name: &str) -> bool {
    let Ok(name) = CString::new(name) else { return false };
    [c"libtorch_cpu.so", c"libtorch_cuda.so"].into_iter().any(|library| {
        let Ok(raw) = dlopen(library, RTLD_LAZY | RTLD_NOLOAD) else { return false };
        // SAFETY: the handle is open and the name NUL-terminated.
        let found = unsafe { ffi::shim_library_has(raw, name.as_ptr()) };
        // SAFETY: the library was loaded before and stays.
        unsafe { libc::dlclose(raw) };
        found
    })
}

fn dlopen(path: &CStr, flags: libc::c_int) -> Result<*mut c_void, String> {
    // SAFETY: the path is NUL-terminated. What initialisers do is the trust of whoever allowed the code.
    let raw = unsafe { libc::dlopen(path.as_ptr(), flags) };
    if !raw.is_null() {
        return Ok(raw);
    }
    // SAFETY: NULL, or a string that lives until this thread's next call of the dynamic loader.
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

    /// A library of this process once more, and far behind all that is loaded of it what tells it from others.
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
