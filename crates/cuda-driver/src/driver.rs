//! Library of the driver, and the few of its functions that are called.

use libc::RTLD_NOLOAD;
use libloading::os::unix::{Library, RTLD_LAZY, Symbol};
use once_cell::sync::OnceCell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

const NAME: &str = "libcuda.so.1";

/// `CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR` and `_MINOR` (CUDA driver API).
const CAPABILITY: [c_int; 2] = [75, 76];

/// Driver that has been started. Devices are numbered from 0.
#[derive(Clone, Copy, Debug)]
pub struct Driver(&'static Library);

impl Driver {
    /// Returns true if the process has opened the library.
    pub fn is_open() -> bool {
        // SAFETY: with RTLD_NOLOAD nothing is loaded, and no initialiser runs.
        unsafe { Library::open(Some(NAME), RTLD_LAZY | RTLD_NOLOAD) }.is_ok()
    }

    /// Returns true if this machine has a driver.
    pub fn is_there() -> bool {
        open().is_some()
    }

    /// Opens the library and starts the driver. The first start in a process is slow.
    ///
    /// The error is the reason why there is no driver.
    pub fn start() -> Result<Driver, String> {
        let driver = Driver(open().ok_or("this machine has no CUDA driver")?);
        // SAFETY: cuInit(unsigned) has had this signature since CUDA 2.0 (CUDA driver API).
        let init: Symbol<unsafe extern "C" fn(u32) -> c_int> = unsafe { driver.function("cuInit") }?;
        // SAFETY: cuInit is thread-safe and may be called repeatedly.
        let status = unsafe { init(0) };
        if status == 0 { Ok(driver) } else { Err(NO_DEVICE.into()) }
    }

    /// Returns the number of devices. No device is an error.
    pub fn devices(self) -> Result<usize, String> {
        // SAFETY: cuDeviceGetCount(int *) has had this signature since CUDA 2.0 (CUDA driver API).
        let get: Symbol<unsafe extern "C" fn(*mut c_int) -> c_int> =
            unsafe { self.function("cuDeviceGetCount") }?;
        let mut count = 0;
        // SAFETY: the call writes one int.
        let status = unsafe { get(&mut count) };
        let count = usize::try_from(count).unwrap_or(0);
        if status == 0 && count > 0 { Ok(count) } else { Err(NO_DEVICE.into()) }
    }

    /// Returns the newest version of CUDA that the driver knows, such as 13000 for 13.0.
    pub fn version(self) -> Option<i64> {
        // SAFETY: cuDriverGetVersion(int *) has had this signature since CUDA 2.2 (CUDA driver API).
        let get: Symbol<unsafe extern "C" fn(*mut c_int) -> c_int> =
            unsafe { self.function("cuDriverGetVersion") }.ok()?;
        let mut version = 0;
        // SAFETY: the call writes one int.
        (unsafe { get(&mut version) } == 0).then(|| version.into())
    }

    /// Returns the compute capability of a device, such as 9 and 0.
    pub fn compute_capability(self, index: u16) -> Option<[c_int; 2]> {
        // SAFETY: cuDeviceGetAttribute(int *, enum, CUdevice) has had this signature since CUDA
        // 2.0.
        let get: Symbol<unsafe extern "C" fn(*mut c_int, c_int, c_int) -> c_int> =
            unsafe { self.function("cuDeviceGetAttribute") }.ok()?;
        let mut values = [0; 2];
        for (attribute, value) in CAPABILITY.iter().zip(&mut values) {
            // SAFETY: the call writes one int.
            if unsafe { get(value, *attribute, index.into()) } != 0 {
                return None;
            }
        }
        Some(values)
    }

    /// Returns the driver's name of a device, such as `NVIDIA H100 80GB HBM3`.
    pub fn name(self, index: u16) -> Option<String> {
        const ROOM: usize = 256;
        // SAFETY: cuDeviceGetName(char *, int, CUdevice) has had this signature since CUDA 2.0.
        let get: Symbol<unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int> =
            unsafe { self.function("cuDeviceGetName") }.ok()?;
        let mut name = [0u8; ROOM];
        // SAFETY: the call writes a terminated string of at most `ROOM` bytes.
        let status = unsafe { get(name.as_mut_ptr().cast(), ROOM as c_int, index.into()) };
        let text = CStr::from_bytes_until_nul(&name).ok().filter(|_| status == 0)?;
        Some(text.to_string_lossy().into())
    }

    /// Creates a device's primary context, which CUDA's runtime and therefore libtorch use. It is
    /// never released, because they use it until the process ends.
    pub(crate) fn retain_primary_context(self, index: u16) -> Result<(), String> {
        // SAFETY: cuDevicePrimaryCtxRetain(CUcontext *, CUdevice) has had this signature since CUDA
        // 7.0.
        let retain: Symbol<unsafe extern "C" fn(*mut *mut c_void, c_int) -> c_int> =
            unsafe { self.function("cuDevicePrimaryCtxRetain") }?;
        let mut context = ptr::null_mut();
        // SAFETY: the call writes one pointer.
        let status = unsafe { retain(&mut context, index.into()) };
        if status == 0 { Ok(()) } else { Err(format!("the CUDA driver has no context for device {index}")) }
    }

    /// Looks up a function of the library.
    ///
    /// # Safety
    /// `T` is the type of a pointer to the function of this name.
    unsafe fn function<T>(self, name: &str) -> Result<Symbol<T>, String> {
        // SAFETY: `T` matches the function by this function's contract.
        unsafe { self.0.get(name.as_bytes()) }.map_err(|error| error.to_string())
    }
}

const NO_DEVICE: &str = "the CUDA driver shows no device";

/// Opens the library. It is never closed, because the driver has its own threads.
fn open() -> Option<&'static Library> {
    static LIBRARY: OnceCell<Option<Library>> = OnceCell::new();
    // SAFETY: the driver's initialisers are written to run in any process.
    LIBRARY.get_or_init(|| unsafe { Library::open(Some(NAME), RTLD_LAZY) }.ok()).as_ref()
}
