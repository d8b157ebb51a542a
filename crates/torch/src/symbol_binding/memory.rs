//! Replaces the C library's allocator for libtorch, libstdc++ and libgomp, with the reserve of
//! calls behind it.
//!
//! oneDNN and libgomp do not survive a failed small allocation, and libstdc++ allocates for all of
//! them. Any of these libraries may free a block of the reserve. So allocations fall back to it
//! only once all of them free through this module ([`serve`]).

use libc::{c_int, c_void, size_t};
use pt2_host::reserve;
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// Function of the allocator.
#[derive(Clone, Copy, Debug)]
pub enum Function {
    Malloc,
    Calloc,
    Realloc,
    Free,
    PosixMemalign,
    AlignedAlloc,
}

type Malloc = unsafe extern "C" fn(size_t) -> *mut c_void;
type Calloc = unsafe extern "C" fn(size_t, size_t) -> *mut c_void;
type Realloc = unsafe extern "C" fn(*mut c_void, size_t) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void);
type PosixMemalign = unsafe extern "C" fn(*mut *mut c_void, size_t, size_t) -> c_int;
type AlignedAlloc = unsafe extern "C" fn(size_t, size_t) -> *mut c_void;

/// Alignment of `malloc` on 64-bit processors.
const ALIGNMENT: usize = 16;

static ORIGINALS: [AtomicPtr<c_void>; 6] = [const { AtomicPtr::new(ptr::null_mut()) }; 6];
static SERVES: AtomicBool = AtomicBool::new(false);

impl Function {
    /// Returns the function of this name.
    pub fn of(name: &CStr) -> Option<Function> {
        Some(match name.to_bytes() {
            b"malloc" => Function::Malloc,
            b"calloc" => Function::Calloc,
            b"realloc" => Function::Realloc,
            b"free" => Function::Free,
            b"posix_memalign" => Function::PosixMemalign,
            b"aligned_alloc" => Function::AlignedAlloc,
            _ => return None,
        })
    }

    /// Returns the place of the original function's address.
    pub fn original(self) -> &'static AtomicPtr<c_void> {
        let [malloc, calloc, realloc, free, posix_memalign, aligned_alloc] = &ORIGINALS;
        match self {
            Function::Malloc => malloc,
            Function::Calloc => calloc,
            Function::Realloc => realloc,
            Function::Free => free,
            Function::PosixMemalign => posix_memalign,
            Function::AlignedAlloc => aligned_alloc,
        }
    }

    /// Returns the address of the replacement.
    pub fn address(self) -> usize {
        match self {
            Function::Malloc => malloc as Malloc as usize,
            Function::Calloc => calloc as Calloc as usize,
            Function::Realloc => realloc as Realloc as usize,
            Function::Free => free as Free as usize,
            Function::PosixMemalign => posix_memalign as PosixMemalign as usize,
            Function::AlignedAlloc => aligned_alloc as AlignedAlloc as usize,
        }
    }

    fn loaded(self) -> *mut c_void {
        self.original().load(Ordering::Acquire)
    }
}

/// Makes allocations fall back to the reserve from now on.
pub fn serve() {
    SERVES.store(true, Ordering::Release);
}

/// Returns true if the process has no memory for a block that its C library is about to allocate.
pub fn is_exhausted(size: usize) -> bool {
    // SAFETY: an original, of the type of its name, is stored before a slot refers to its
    // replacement.
    unsafe {
        let malloc: Option<Malloc> = std::mem::transmute(Function::Malloc.loaded());
        let free: Option<Free> = std::mem::transmute(Function::Free.loaded());
        let (Some(malloc), Some(free)) = (malloc, free) else { return false };
        let block = malloc(size);
        if block.is_null() {
            return true;
        }
        free(block);
    }
    false
}

#[cold]
fn reserved(size: usize, alignment: usize) -> *mut c_void {
    let block = if SERVES.load(Ordering::Acquire) { reserve::take(size, alignment) } else { ptr::null_mut() };
    block.cast()
}

// Each function has the contract of its namesake in the C library. An original, of the type of its
// name, is stored before a slot refers to its replacement.

unsafe extern "C" fn malloc(size: size_t) -> *mut c_void {
    // SAFETY: see above.
    let block = unsafe { std::mem::transmute::<*mut c_void, Malloc>(Function::Malloc.loaded())(size) };
    if block.is_null() { reserved(size, ALIGNMENT) } else { block }
}

unsafe extern "C" fn calloc(count: size_t, size: size_t) -> *mut c_void {
    // SAFETY: see above.
    let mut block =
        unsafe { std::mem::transmute::<*mut c_void, Calloc>(Function::Calloc.loaded())(count, size) };
    let Some(bytes) = count.checked_mul(size).filter(|_| block.is_null()) else { return block };
    block = reserved(bytes, ALIGNMENT);
    if !block.is_null() {
        // SAFETY: `reserved` returned a block of this size, which may have been used before.
        unsafe { block.cast::<u8>().write_bytes(0, bytes) };
    }
    block
}

unsafe extern "C" fn realloc(block: *mut c_void, size: size_t) -> *mut c_void {
    let is_ours = reserve::contains(block.cast());
    if !is_ours {
        // SAFETY: see above.
        let moved =
            unsafe { std::mem::transmute::<*mut c_void, Realloc>(Function::Realloc.loaded())(block, size) };
        // A size of 0 frees. A block of the C library cannot be moved, because its size is unknown
        // here.
        if !moved.is_null() || size == 0 || !block.is_null() {
            return moved;
        }
        return reserved(size, ALIGNMENT);
    }
    // SAFETY: see above.
    let moved = unsafe { malloc(size) };
    if !moved.is_null() {
        let kept = reserve::size_of(block.cast()).min(size);
        // SAFETY: both blocks are live, do not overlap, and have at least this size.
        unsafe { ptr::copy_nonoverlapping(block.cast::<u8>(), moved.cast(), kept) };
        reserve::give_back(block.cast());
    }
    moved
}

unsafe extern "C" fn free(block: *mut c_void) {
    if reserve::contains(block.cast()) {
        return reserve::give_back(block.cast());
    }
    // SAFETY: see above.
    unsafe { std::mem::transmute::<*mut c_void, Free>(Function::Free.loaded())(block) }
}

unsafe extern "C" fn posix_memalign(place: *mut *mut c_void, alignment: size_t, size: size_t) -> c_int {
    // SAFETY: see above.
    let result = unsafe {
        std::mem::transmute::<*mut c_void, PosixMemalign>(Function::PosixMemalign.loaded())(
            place, alignment, size,
        )
    };
    if result != libc::ENOMEM {
        return result;
    }
    let block = reserved(size, alignment);
    if block.is_null() {
        return result;
    }
    // SAFETY: the caller of `posix_memalign` passes a pointer to write the result to.
    unsafe { place.write(block) };
    0
}

unsafe extern "C" fn aligned_alloc(alignment: size_t, size: size_t) -> *mut c_void {
    // SAFETY: see above.
    let block = unsafe {
        std::mem::transmute::<*mut c_void, AlignedAlloc>(Function::AlignedAlloc.loaded())(alignment, size)
    };
    if block.is_null() && alignment.is_power_of_two() { reserved(size, alignment) } else { block }
}
