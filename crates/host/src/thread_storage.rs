//! Memory of a thread for the thread-local variables of all libraries.
//!
//! The dynamic loader allocates the variables of a library that was opened at run time when a thread first uses one, and
//! ends the process where there is no memory (`__tls_get_addr` and `oom` in `elf/dl-tls.c`, glibc 2.36).

use libc::{c_int, c_void, dl_phdr_info, pthread_key_t};
use std::hint::black_box;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Thread-local storage of the calling thread.
#[derive(Debug)]
pub struct ThreadStorage;

/// How often libraries were opened: what a thread has for earlier ones is not all.
static OPENED: AtomicUsize = AtomicUsize::new(1);

/// Room for the loader's vector of a thread (`dtv` of glibc), and for what allocators add to blocks.
const SLACK: usize = 16 << 10;

#[repr(C)]
struct TlsIndex {
    module: usize,
    offset: usize,
}

unsafe extern "C" {
    /// Of the dynamic loader: the address of a thread-local variable. The psABI of ELF TLS has the structure.
    fn __tls_get_addr(index: *const TlsIndex) -> *mut c_void;
}

impl ThreadStorage {
    /// Whether the calling thread has memory for the variables of all libraries. Allocates nothing.
    #[inline]
    pub fn is_allocated() -> bool {
        let Some(key) = key() else { return false };
        // SAFETY: the key exists for the life of the process.
        unsafe { libc::pthread_getspecific(key) }.addr() == OPENED.load(Ordering::Relaxed)
    }

    /// Allocates it, unless it is. Returns whether there was memory for it.
    #[inline]
    pub fn allocate() -> bool {
        Self::is_allocated() || allocate()
    }

    /// Has every thread allocate it again: a library was opened.
    pub fn library_was_opened() {
        OPENED.fetch_add(1, Ordering::Relaxed);
    }
}

/// As much memory as the calling thread needs for the variables that it does not have yet.
#[derive(Debug)]
pub(crate) struct Room(*mut c_void);

impl Room {
    /// None where there is no memory.
    pub(crate) fn new() -> Option<Room> {
        let mut needed = SLACK;
        // SAFETY: the callback gets the number and is not called after this returns.
        unsafe { libc::dl_iterate_phdr(Some(count), (&raw mut needed).cast()) };
        // Compilers omit an allocation whose memory is not used.
        // SAFETY: takes a number.
        let block = black_box(unsafe { libc::malloc(needed) });
        (!block.is_null()).then_some(Room(block))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // SAFETY: the block is this value's.
        unsafe { libc::free(self.0) }
    }
}

fn key() -> Option<pthread_key_t> {
    static KEY: OnceLock<Option<pthread_key_t>> = OnceLock::new();
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: fills the key.
        (unsafe { libc::pthread_key_create(&mut key, None) } == 0).then_some(key)
    })
}

#[cold]
fn allocate() -> bool {
    let Some(key) = key() else { return false };
    let opened = OPENED.load(Ordering::Relaxed);
    let Some(room) = Room::new() else { return false };
    drop(room);
    // SAFETY: the callback needs nothing; the key exists for the life of the process, and keeps a number.
    unsafe {
        libc::dl_iterate_phdr(Some(touch), ptr::null_mut());
        libc::pthread_setspecific(key, ptr::without_provenance(opened)) == 0
    }
}

/// The size of a library's variables, if it has any and this thread has none of them yet.
///
/// # Safety
/// The description is the dynamic loader's.
unsafe fn missing(info: *const dl_phdr_info) -> Option<(usize, usize)> {
    // SAFETY: the caller's promise.
    let info = unsafe { &*info };
    if info.dlpi_tls_modid == 0 || !info.dlpi_tls_data.is_null() {
        return None;
    }
    // SAFETY: the loader's headers stay as long as the object.
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
    // SAFETY: the dynamic loader gave its description and knows the module by this number.
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
