//! Names of devices.

/// Returns the name if libpt2 knows such a device. The device itself may be missing.
pub fn checked(name: &str) -> Result<String, String> {
    if matches!(name, "cpu" | "cpu:0") || pt2_cuda_driver::index_of(name).is_some() {
        return Ok(name.into());
    }
    Err(format!("`{name}` is no device; use cpu, cuda or cuda:N"))
}
