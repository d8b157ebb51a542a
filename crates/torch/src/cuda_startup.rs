//! CUDA start-up: decides once whether CUDA takes part in this process.
//!
//! libtorch fixes its CUDA hooks at the first question it is asked: a convolution that runs before
//! `libtorch_cuda.so` is loaded leaves a stub behind for the life of the process. So this is decided once,
//! before the first call into libtorch, and whatever device that call wants: a machine whose driver shows a
//! device loads libtorch's CUDA library, any other machine never does.

use super::Device;
use super::ffi;
use super::process;
use libc::{RTLD_GLOBAL, RTLD_LAZY, RTLD_NOLOAD, c_char, c_int, c_void};
use once_cell::sync::OnceCell;
use pt2_driver::{Context, Driver};
use pt2_format::timeline::span;
use pt2_format::{Error, Result};
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// Whether the first load may bring CUDA into the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CudaPolicy {
    /// Load libtorch's CUDA library if the driver shows a device.
    #[default]
    Auto,
    /// Never load it; the process stays on the CPU.
    Never,
}

#[derive(Clone, Debug)]
enum Presence {
    Loaded,
    OptedOut,
    Absent(String),
}

static PRESENCE: OnceCell<Presence> = OnceCell::new();

/// Decides about CUDA. Every path into libtorch comes through here first; only the first call's policy counts.
pub fn start(policy: CudaPolicy) {
    PRESENCE.get_or_init(|| decide(policy));
}

/// The same for a caller who will use a device: of a CUDA device the driver's context is made meanwhile and later, until
/// what is returned is dropped. None where it was decided before.
pub fn start_on(policy: CudaPolicy, device: Device) -> Option<Context> {
    let mut context = None;
    PRESENCE.get_or_init(|| {
        if let (Device::Cuda(index), CudaPolicy::Auto, false) = (device, policy, is_loaded()) {
            context = Context::begin(move || span("create context", || pt2_driver::retain(index)));
        }
        match context {
            Some(_) => load_libtorch_cuda().map_or_else(Presence::Absent, |()| Presence::Loaded),
            None => decide(policy),
        }
    });
    context
}

/// How many CUDA devices programs can be loaded on.
pub fn cuda_devices() -> usize {
    start(CudaPolicy::Auto);
    match PRESENCE.get() {
        // SAFETY: takes no arguments and throws nothing.
        Some(Presence::Loaded) => usize::try_from(unsafe { ffi::shim_cuda_device_count() }).unwrap_or(0),
        _ => 0,
    }
}

/// The compute capability of a CUDA device as AOTInductor writes it, such as `90` for 9.0; None without the device.
///
/// `CudaInterface.get_compute_capability` in `torch/_dynamo/device_interface.py` 2.11.
pub fn compute_capability(index: u16) -> Option<String> {
    let [major, minor] = driver_of(index)?.compute_capability(index)?;
    Some(format!("{major}{minor}"))
}

/// What the driver calls a CUDA device, such as `NVIDIA H100 80GB HBM3`; None without the device.
pub fn device_name(index: u16) -> Option<String> {
    driver_of(index)?.name(index)
}

/// None where programs cannot be loaded on the device.
fn driver_of(index: u16) -> Option<Driver> {
    (usize::from(index) < cuda_devices()).then(|| Driver::start().ok())?
}

impl Device {
    /// Refuses a device that this process cannot use, and says why.
    pub fn require(self) -> Result<()> {
        let Device::Cuda(index) = self else { return Ok(()) };
        let count = cuda_devices();
        if usize::from(index) < count {
            return Ok(());
        }
        Err(Error::Device { device: self.to_string(), reason: why_not(count) })
    }
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
        // SAFETY: dlerror returns NULL or a string that lives until this thread's next dl call.
        let reason = unsafe { libc::dlerror() };
        let reason = if reason.is_null() { "".into() } else { cstr(reason) };
        format!("libtorch's CUDA library did not load: {reason}")
    });
    opened.and_then(|()| process::bind_cuda())
}

fn beside_libtorch(name: &str) -> Result<CString, String> {
    let library = LIBTORCH.get().ok_or("libtorch's folder is unknown")?;
    let path = library.as_ref().map_err(|reason| format!("libtorch's folder is unknown: {reason}"))?;
    CString::new(path.with_file_name(name).into_os_string().into_vec()).map_err(|error| error.to_string())
}

/// The file of libtorch's CPU half, looked up when this code is loaded, because the dynamic loader's path may be relative
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
    // SAFETY: `name` is NUL-terminated. The handles are never closed: libraries that register operators
    // cannot be unloaded.
    let handle = unsafe { libc::dlopen(name.as_ptr(), flags) };
    (!handle.is_null()).then_some(handle)
}

fn cstr(text: *const c_char) -> String {
    // SAFETY: callers pass NUL-terminated strings of the dynamic loader.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}
