//! Memory of a thread for the thread-local variables of all libraries.
//!
//! For a library opened at run time, the dynamic loader allocates a thread's variables on first
//! use. It ends the process if memory is exhausted (`__tls_get_addr` and `oom` in `elf/dl-tls.c`,
//! glibc 2.36).

use libc::{c_int, c_void, dl_phdr_info, pthread_key_t};
use std::hint::black_box;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Thread-local storage of the calling thread.
#[derive(Debug)]
pub struct ThreadStorage;

/// Number of times that libraries were opened. Threads prepared at a lower number may lack
/// variables.
static OPENED: AtomicUsize = AtomicUsize::new(1);

/// Margin for the loader's vector of a thread (`dtv` of glibc) and for allocator overhead.
const SLACK: usize = 16 << 10;

#[repr(C)]
struct TlsIndex {
    module: usize,
    offset: usize,
}

unsafe extern "C" {
    /// Returns the address of a thread-local variable. The psABI of ELF TLS defines the structure.
    fn __tls_get_addr(index: *const TlsIndex) -> *mut c_void;
}

impl ThreadStorage {
    /// Returns true if the calling thread has memory for the variables of all libraries. Allocates
    /// nothing.
    #[inline]
    pub fn is_allocated() -> bool {
        let Some(key) = key() else { return false };
        // SAFETY: the key exists for the life of the process.
        unsafe { libc::pthread_getspecific(key) }.addr() == OPENED.load(Ordering::Relaxed)
    }

    /// Allocates the variables unless they are allocated. Returns false if memory is exhausted.
    #[inline]
    pub fn allocate() -> bool {
        Self::is_allocated() || allocate()
    }

    /// Makes every thread allocate its variables again after a library was opened.
    pub fn library_was_opened() {
        OPENED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Reserved memory for the variables that the calling thread does not have yet.
#[derive(Debug)]
pub(crate) struct Room(*mut c_void);

impl Room {
    /// Returns None if memory is exhausted.
    pub(crate) fn new() -> Option<Room> {
        let mut needed = SLACK;
        // SAFETY: the callback takes the number by pointer and is not called after this returns.
        unsafe { libc::dl_iterate_phdr(Some(count), (&raw mut needed).cast()) };
        // Compilers omit an allocation whose memory is not used.
        // SAFETY: takes a number.
        let block = black_box(unsafe { libc::malloc(needed) });
        (!block.is_null()).then_some(Room(block))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: this value owns the block.
        unsafe { libc::free(self.0) }
    }
}

fn key() -> Option<pthread_key_t> {
    static KEY: OnceLock<Option<pthread_key_t>> = OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: the call writes the key.
        (unsafe { libc::pthread_key_create(&mut key, None) } == 0).then_some(key)
    })
}

#[cold]
fn allocate() -> bool {
    let Some(key) = key() else { return false };
    let opened = OPENED.load(Ordering::Relaxed);
    let Some(room) = Room::new() else { return false };
    drop(room);
    // SAFETY: the callback ignores its context. The key exists until the process exits and holds a
    // number.
    unsafe {
        libc::dl_iterate_phdr(Some(touch), ptr::null_mut());
        libc::pthread_setspecific(key, ptr::without_provenance(opened)) == 0
    }
}

/// Returns module and size of a library's variables, if it has any and this thread lacks them.
///
/// # Safety
/// `info` is the dynamic loader's description of a loaded object.
unsafe fn missing(info: *const dl_phdr_info) -> Option<(usize, usize)> {
    // SAFETY: this function's contract makes the description valid.
    let info = unsafe { &*info };
    if info.dlpi_tls_modid == 0 || !info.dlpi_tls_data.is_null() {
        return None;
    }
    // SAFETY: the loader keeps the headers as long as the object is loaded.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    let header = headers.iter().find(|header| header.p_type == libc::PT_TLS)?;
    Some((info.dlpi_tls_modid, (header.p_memsz + header.p_align) as usize))
}

unsafe extern "C" fn count(info: *mut dl_phdr_info, _: usize, needed: *mut c_void) -> c_int {
    // SAFETY: `allocate` passes a number, and the dynamic loader its description.
    unsafe {
        if let Some((_, size)) = missing(info) {
            *needed.cast::<usize>() += size + SLACK / 64;
        }
    }
    0
}

unsafe extern "C" fn touch(info: *mut dl_phdr_info, _: usize, _: *mut c_void) -> c_int {
    // SAFETY: the dynamic loader made the description and knows the module by this number.
    unsafe {
        if let Some((module, _)) = missing(info) {
            __tls_get_addr(&TlsIndex { module, offset: 0 });
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thread_allocates_once_and_again_for_new_libraries() {
        let allocated = || {
            assert!(!ThreadStorage::is_allocated());
            assert!(ThreadStorage::allocate() && ThreadStorage::is_allocated());
        };
        allocated();
        std::thread::scope(|scope| drop(scope.spawn(allocated)));
        ThreadStorage::library_was_opened();
        allocated();
    }
}
