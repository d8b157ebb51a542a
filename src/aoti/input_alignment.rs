//! Alignment that compiled code on the CPU needs of its inputs.

use super::Requirements;

/// Alignment of libtorch's own memory, in bytes (`gAlignment` of `c10/core/alignment.h`, 2.11).
const ALLOCATED: usize = 64;

/// Size of the largest element, complex128.
const ELEMENT: usize = 16;

/// Functions whose kernels may load aligned vectors (`kOperators` of `crates/torch-sys/cpp/alignment.cpp`).
///
/// They include those through which any kernel may be called.
const VECTORS: [&str; 3] = [
    "aoti_torch_cpu__weight_int8pack_mm",
    "aoti_torch_proxy_executor_call_function",
    "aoti_torch_call_dispatcher",
];

/// Functions that view memory as elements of another dtype.
const RETYPING: [&str; 3] =
    ["aoti_torch_view_dtype", "aoti_torch_cpu_view_dtype", "aoti_torch_cpu_view_as_complex"];

/// Returns the alignment that the code needs of each input, in bytes.
///
/// Vector loads in the code itself, and all code for CUDA devices, need only the alignment of the
/// dtype.
pub fn input_alignment(requirements: &Requirements) -> usize {
    let calls = |names: &[&str]| requirements.calls.iter().any(|call| names.contains(&call.as_str()));
    match (calls(&VECTORS), calls(&RETYPING)) {
        (true, _) => ALLOCATED,
        (false, true) => ELEMENT,
        (false, false) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_code_calls_decides() {
        let of = |calls: &[&str]| {
            let calls = calls.iter().map(|call| call.to_string()).collect();
            input_alignment(&Requirements { calls, ..Requirements::default() })
        };
        assert_eq!(of(&["aoti_torch_cpu_mm_out"]), 1);
        assert_eq!(of(&["aoti_torch_cpu_mm_out", "aoti_torch_view_dtype"]), 16);
        assert_eq!(of(&["aoti_torch_view_dtype", "aoti_torch_cpu__weight_int8pack_mm"]), 64);
    }
}
