//! CUDA start-up: decides once whether this process uses CUDA.
//!
//! libtorch fixes its CUDA hooks on first use. A convolution that runs before `libtorch_cuda.so` is
//! loaded leaves a stub for the rest of the process. So the decision precedes the first call into
//! libtorch, whatever device that call needs. libpt2 loads libtorch's CUDA library if the driver
//! reports a device.

use super::Device;
use super::ffi;
use super::process;
use libc::{RTLD_GLOBAL, RTLD_LAZY, RTLD_NOLOAD, c_char, c_int, c_void};
use once_cell::sync::OnceCell;
use pt2_cuda_driver::{Context, Driver};
use pt2_format::timeline::span;
use pt2_format::{Error, Result};
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// Policy for loading CUDA at the first load of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CudaPolicy {
    /// Load libtorch's CUDA library if the driver reports a device.
    #[default]
    Auto,
    /// Never load it; the process only uses the CPU.
    Never,
}

#[derive(Clone, Debug)]
enum Presence {
    Loaded,
    OptedOut,
    Absent(String),
}

static PRESENCE: OnceCell<Presence> = OnceCell::new();

/// Decides about CUDA. Every path into libtorch first calls this; only the first call's policy
/// counts.
pub fn start(policy: CudaPolicy) {
    PRESENCE.get_or_init(|| decide(policy));
}

/// Decides about CUDA for a caller that will use a device.
///
/// A thread creates the driver's context of a CUDA device, and dropping the returned value waits
/// for it. None if the decision was made before.
pub fn start_on(policy: CudaPolicy, device: Device) -> Option<Context> {
    let mut context = None;
    PRESENCE.get_or_init(|| {
        if let (Device::Cuda(index), CudaPolicy::Auto, false) = (device, policy, is_loaded()) {
            context = Context::begin(move || span("create context", || pt2_cuda_driver::retain(index)));
        }
        match context {
            Some(_) => load_libtorch_cuda().map_or_else(Presence::Absent, |()| Presence::Loaded),
            None => decide(policy),
        }
    });
    context
}

/// Returns the number of CUDA devices that programs can be loaded on.
pub fn cuda_devices() -> usize {
    start(CudaPolicy::Auto);
    match PRESENCE.get() {
        // SAFETY: the call takes no arguments and does not throw.
        Some(Presence::Loaded) => usize::try_from(unsafe { ffi::shim_cuda_device_count() }).unwrap_or(0),
        _ => 0,
    }
}

/// Returns the compute capability of a CUDA device, such as `90` for 9.0; None if there is no such
/// device.
///
/// The format is AOTInductor's: `CudaInterface.get_compute_capability` in
/// `torch/_dynamo/device_interface.py`, 2.11.
pub fn compute_capability(index: u16) -> Option<String> {
    let [major, minor] = driver_of(index)?.compute_capability(index)?;
    Some(format!("{major}{minor}"))
}

/// Returns the driver's name of a CUDA device, such as `NVIDIA H100 80GB HBM3`; None if there is no
/// such device.
pub fn device_name(index: u16) -> Option<String> {
    driver_of(index)?.name(index)
}

/// Returns the driver; None if programs cannot be loaded on the device.
fn driver_of(index: u16) -> Option<Driver> {
    (usize::from(index) < cuda_devices()).then(|| Driver::start().ok())?
}

impl Device {
    /// Fails for a device that this process cannot use. The error has the reason.
    pub fn require(self) -> Result<()> {
        let Device::Cuda(index) = self else { return Ok(()) };
        process::ready()?;
        let count = cuda_devices();
        if usize::from(index) < count {
            return Ok(());
        }
        Err(Error::Device { device: self.to_string(), reason: why_not(count) })
    }
}

/// Returns the reason why this process has no CUDA device.
pub(super) fn cuda_absence() -> String {
    why_not(cuda_devices())
}

fn why_not(count: usize) -> String {
    match PRESENCE.get() {
        Some(Presence::OptedOut) => {
            "this process opted out of CUDA at its first load; load without that option, before any other model".into()
        }
        Some(Presence::Absent(reason)) => format!("{reason}; load on `cpu` instead"),
        _ if count == 0 => "libtorch finds no CUDA device it can use; load on `cpu` instead".into(),
        _ => format!("this machine has {count} CUDA device(s), numbered from 0"),
    }
}

fn decide(policy: CudaPolicy) -> Presence {
    if is_loaded() {
        return Presence::Loaded;
    }
    if policy == CudaPolicy::Never {
        return Presence::OptedOut;
    }
    Driver::start()
        .and_then(Driver::devices)
        .and_then(|_| load_libtorch_cuda())
        .map_or_else(Presence::Absent, |()| Presence::Loaded)
}

fn is_loaded() -> bool {
    open(c"libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD).is_some()
}

fn load_libtorch_cuda() -> Result<(), String> {
    let path = beside_libtorch("libtorch_cuda.so")?;
    let opened = open(&path, RTLD_LAZY | RTLD_GLOBAL).map(|_| ()).ok_or_else(|| {
        // SAFETY: `dlerror` returns NULL or a string valid until this thread's next call of the
        // dynamic loader.
        let reason = unsafe { libc::dlerror() };
        let reason = if reason.is_null() { "".into() } else { cstr(reason) };
        format!("libtorch's CUDA library did not load: {reason}")
    });
    opened.and_then(|()| process::bind_cuda())
}

/// Returns the file of libtorch's CPU library.
pub(super) fn libtorch_library() -> Result<&'static Path, String> {
    let library = LIBTORCH.get().ok_or("libtorch's folder is unknown")?;
    library.as_deref().map_err(|reason| format!("libtorch's folder is unknown: {reason}"))
}

fn beside_libtorch(name: &str) -> Result<CString, String> {
    let path = libtorch_library()?;
    CString::new(path.with_file_name(name).into_os_string().into_vec()).map_err(|error| error.to_string())
}

/// Path of libtorch's CPU library.
///
/// It is looked up when this library is loaded, because the dynamic loader's path may be relative
/// to the working directory.
static LIBTORCH: OnceCell<Result<PathBuf, String>> = OnceCell::new();

extern "C" fn remember_libtorch() {
    let function: unsafe extern "C" fn() -> u64 = ffi::aoti_torch_abi_version;
    LIBTORCH.get_or_init(|| pt2_host::path_of(function as *const c_void));
}

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = remember_libtorch;

fn open(name: &CStr, flags: c_int) -> Option<*mut c_void> {
    // SAFETY: `name` is NUL-terminated. The handle is never closed, because a library that
    // registers operators cannot be unloaded.
    let handle = unsafe { libc::dlopen(name.as_ptr(), flags) };
    (!handle.is_null()).then_some(handle)
}

fn cstr(text: *const c_char) -> String {
    // SAFETY: callers pass NUL-terminated strings of the dynamic loader.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
