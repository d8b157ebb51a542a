//! Device names of callers.

/// Returns the index of a CUDA device from `cuda`, which is the first, or `cuda:N`; None for
/// anything else.
pub fn index_of(device: &str) -> Option<u16> {
    match device.strip_prefix("cuda")? {
        "" => Some(0),
        rest => {
            let number = rest.strip_prefix(':')?;
            number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())?
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cuda_devices_have_numbers() {
        assert_eq!(["cuda", "cuda:0", "cuda:12"].map(index_of), [Some(0), Some(0), Some(12)]);
        for other in ["", "cpu", "cuda:", "cuda:x", "cuda:-1", "cuda:+1", "cuda:99999", "cuda0", "CUDA"] {
            assert_eq!(index_of(other), None, "{other}");
        }
    }
}
