//! Hooks for functions that libtorch calls: starting a parallel region, and registering a
//! destructor.

use super::Handle;
use super::memory::{self, Function};
use crate::process;
use libc::{c_int, c_uint, c_void};
use pt2_host::reserve::{self, Helper};
use pt2_host::{FloatingPoint, TeamSize};
use std::ffi::CStr;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// Function that replaces another.
#[derive(Clone, Copy, Debug)]
pub enum Hook {
    /// `GOMP_parallel` of libgomp, which other OpenMP runtimes also define.
    Parallel,
    /// `__cxa_atexit` of the C library.
    AtExit,
    /// `__cxa_thread_atexit` of libstdc++, and the C library's function behind it.
    ThreadAtExit(bool),
    /// A function of the allocator.
    Memory(Function),
}

/// Function that OpenMP calls in each thread, and that exit calls for each destructor.
type Body = unsafe extern "C" fn(*mut c_void);
type Parallel = unsafe extern "C" fn(Body, *mut c_void, c_uint, c_uint);
type AtExit = unsafe extern "C" fn(Body, *mut c_void, *mut c_void) -> c_int;

static PARALLEL: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static AT_EXIT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static THREAD_AT_EXIT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static THREAD_AT_EXIT_BEHIND: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

impl Hook {
    /// Returns the hook of a function. None if it has no hook, or if its original is not found.
    pub fn of(name: &CStr) -> Option<Hook> {
        let (hook, original) = match name.to_bytes() {
            b"GOMP_parallel" => (Hook::Parallel, &PARALLEL),
            b"__cxa_atexit" => (Hook::AtExit, &AT_EXIT),
            b"__cxa_thread_atexit" => (Hook::ThreadAtExit(false), &THREAD_AT_EXIT),
            b"__cxa_thread_atexit_impl" => (Hook::ThreadAtExit(true), &THREAD_AT_EXIT_BEHIND),
            _ => {
                let function = Function::of(name)?;
                (Hook::Memory(function), function.original())
            }
        };
        if original.load(Ordering::Acquire).is_null() {
            let found = Handle::GLOBAL.symbol(name).or_else(|| Handle::libtorch()?.symbol(name))?;
            original.store(found as *mut c_void, Ordering::Release);
        }
        Some(hook)
    }

    /// Returns the address to write into slots.
    pub fn address(self) -> usize {
        match self {
            Hook::Parallel => parallel as Parallel as usize,
            Hook::AtExit => at_exit as AtExit as usize,
            Hook::ThreadAtExit(false) => thread_at_exit as AtExit as usize,
            Hook::ThreadAtExit(true) => thread_at_exit_behind as AtExit as usize,
            Hook::Memory(function) => function.address(),
        }
    }
}

impl Handle {
    /// Opens libtorch's CPU library, which also covers the libraries that it needs.
    fn libtorch() -> Option<Handle> {
        // SAFETY: `RTLD_NOLOAD` only finds a loaded library, so no initialiser runs.
        let raw = unsafe { libc::dlopen(c"libtorch_cpu.so".as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        (!raw.is_null()).then_some(Handle(raw))
    }
}

/// Parallel region of a call of libpt2.
struct Region {
    body: Body,
    data: *mut c_void,
    call: Helper,
    /// True if a thread took from the reserve.
    taken: AtomicBool,
}

/// Starts a parallel region.
///
/// In calls of libpt2 the team is limited to threads that can be created, because libgomp aborts
/// the process if one cannot. Each thread computes in the default floating-point environment.
///
/// # Safety
/// As for `GOMP_parallel`.
unsafe extern "C" fn parallel(body: Body, data: *mut c_void, threads: c_uint, flags: c_uint) {
    // SAFETY: `Hook::of` stored a function of this type before it returned the address of this one.
    let original: Parallel = unsafe { std::mem::transmute(PARALLEL.load(Ordering::Acquire)) };
    if !process::is_inside() {
        // SAFETY: `GOMP_parallel` has the same contract, which the compiler of the calling code
        // upholds.
        return unsafe { original(body, data, threads, flags) };
    }
    let wanted = if threads == 0 { most_threads() } else { threads };
    let threads = TeamSize::affordable(wanted);
    let mut region = Region { body, data, call: reserve::helper(), taken: AtomicBool::new(false) };
    // SAFETY: `run` takes a `Region`. It outlives the call, which returns after every thread has
    // left it.
    unsafe { original(run, (&raw mut region).cast(), threads, flags) }
    reserve::note(region.taken.load(Ordering::Acquire));
}

unsafe extern "C" fn run(region: *mut c_void) {
    let _environment = FloatingPoint::default_environment();
    // SAFETY: `parallel` passes its region, which all threads share.
    let Region { body, data, call, taken } = unsafe { &*region.cast::<Region>() };
    // SAFETY: the body and the data are the arguments of `GOMP_parallel`, which belong together.
    let ((), took) = call.run(|| unsafe { body(*data) });
    if took {
        taken.store(true, Ordering::Release);
    }
}

/// Returns the number of threads of a region that requests none.
fn most_threads() -> c_uint {
    c_uint::try_from(crate::threads()).unwrap_or(1)
}

/// Registers a destructor, and then again the handler that waits for calls.
///
/// Exit runs handlers in reverse order, and libtorch creates many static objects in its first
/// calls.
///
/// # Safety
/// As for `__cxa_atexit`.
unsafe extern "C" fn at_exit(function: Body, argument: *mut c_void, library: *mut c_void) -> c_int {
    // SAFETY: `Hook::of` stored a function of this type before it returned the address of this one.
    let original: AtExit = unsafe { std::mem::transmute(AT_EXIT.load(Ordering::Acquire)) };
    // SAFETY: `__cxa_atexit` has the same contract, which the compiler of the calling code upholds.
    let result = unsafe { original(function, argument, library) };
    call_first_at_exit(process::close);
    result
}

/// Registers the destructor of a thread-local object. Without memory for that, the C library ends
/// the process (`__cxa_thread_atexit_impl` of glibc 2.36); here the object outlives its thread.
///
/// # Safety
/// As for `__cxa_thread_atexit`.
unsafe extern "C" fn thread_at_exit(function: Body, object: *mut c_void, library: *mut c_void) -> c_int {
    // SAFETY: `registered_with` has the same contract.
    unsafe { registered_with(&THREAD_AT_EXIT, function, object, library) }
}

/// As [`thread_at_exit`].
///
/// # Safety
/// As for `__cxa_thread_atexit_impl`.
unsafe extern "C" fn thread_at_exit_behind(
    function: Body,
    object: *mut c_void,
    library: *mut c_void,
) -> c_int {
    // SAFETY: `registered_with` has the contract of `__cxa_thread_atexit`, which is the same.
    unsafe { registered_with(&THREAD_AT_EXIT_BEHIND, function, object, library) }
}

/// # Safety
/// As for `__cxa_thread_atexit`.
unsafe fn registered_with(
    original: &AtomicPtr<c_void>,
    function: Body,
    object: *mut c_void,
    library: *mut c_void,
) -> c_int {
    if memory::is_exhausted(REGISTRATION) && reserve::refuse() {
        return 0;
    }
    // SAFETY: `Hook::of` stored a function of this type before a slot referred to its replacement.
    let original: AtExit = unsafe { std::mem::transmute(original.load(Ordering::Acquire)) };
    // SAFETY: the original has the same contract, which the compiler of the calling code upholds.
    unsafe { original(function, object, library) }
}

/// Upper bound of the size of glibc's `struct dtor_list`.
const REGISTRATION: usize = 64;

/// Makes exit call a function before all handlers registered so far. Without memory for it nothing
/// changes.
pub fn call_first_at_exit(handler: extern "C" fn(*mut c_void)) {
    // Not `libc::atexit`, whose slot may refer to `at_exit`.
    let Some(_) = Hook::of(c"__cxa_atexit") else { return };
    // SAFETY: `Hook::of`, called above or in another thread, stored a function of this type.
    let original: AtExit = unsafe { std::mem::transmute(AT_EXIT.load(Ordering::Acquire)) };
    // SAFETY: the handler is in a library that is never unloaded.
    unsafe { original(handler, ptr::null_mut(), ptr::null_mut()) };
}
