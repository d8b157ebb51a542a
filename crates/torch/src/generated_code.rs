//! Detects whether this process may execute code that it generates.
//!
//! oneDNN compiles its kernels at run time. Services often forbid that: systemd's
//! `MemoryDenyWriteExecute=`, SELinux without `execmem`, `prctl(PR_SET_MDWE)`.

use once_cell::sync::OnceCell;
use std::ptr;

/// Returns true if written memory may become executable. Tries it once, with one page.
pub fn is_allowed() -> bool {
    static ALLOWED: OnceCell<bool> = OnceCell::new();
    *ALLOWED.get_or_init(|| try_page().unwrap_or(true))
}

/// Tries it with a page; None if there is no memory for one.
fn try_page() -> Option<bool> {
    const PAGE: usize = 1 << 16;
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the system chooses the address, so no existing mapping is replaced.
    let page = unsafe { libc::mmap(ptr::null_mut(), PAGE, access, kind, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: this function made the mapping, writes inside its length, and executes nothing in it.
    unsafe {
        page.cast::<u8>().write(0xc3);
        let allowed = libc::mprotect(page, PAGE, libc::PROT_READ | libc::PROT_EXEC) == 0;
        libc::munmap(page, PAGE);
        Some(allowed)
    }
}
