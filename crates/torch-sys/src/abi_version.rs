//! libtorch's own C function for its version. Not part of `pt2_shim.h`.

unsafe extern "C" {
    /// Returns libtorch's ABI version: major, minor and patch are its top three bytes.
    pub fn aoti_torch_abi_version() -> u64;
}
