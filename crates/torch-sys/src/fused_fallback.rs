//! Fused calls that fall back to libtorch's operators one by one.

unsafe extern "C" {
    /// Makes fused calls of this thread fail, for tests.
    pub fn shim_fused_calls_fail(wanted: bool);

    /// Returns the number of fused calls of this thread that fell back.
    pub fn shim_fused_fallbacks() -> u64;
}
