//! Whether this process may execute code that it generates.
//!
//! oneDNN compiles its kernels at run time. Services are often denied that: systemd's `MemoryDenyWriteExecute=`, SELinux
//! without `execmem`, `prctl(PR_SET_MDWE)`.

use once_cell::sync::OnceCell;
use std::ptr;

/// Whether memory that was written may become executable, by trying it once with a page.
pub fn is_allowed() -> bool {
    static ALLOWED: OnceCell<bool> = OnceCell::new();
    *ALLOWED.get_or_init(|| try_page().unwrap_or(true))
}

/// None where there is no memory to try it with.
fn try_page() -> Option<bool> {
    const PAGE: usize = 1 << 16;
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the system chooses where; nothing that exists is touched.
    let page = unsafe { libc::mmap(ptr::null_mut(), PAGE, access, kind, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    // SAFETY: the mapping was made above, is written to within its length, and nothing in it is executed.
    unsafe {
        page.cast::<u8>().write(0xc3);
        let allowed = libc::mprotect(page, PAGE, libc::PROT_READ | libc::PROT_EXEC) == 0;
        libc::munmap(page, PAGE);
        Some(allowed)
    }
}
