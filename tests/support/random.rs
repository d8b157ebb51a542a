//! Reproducible pseudo-random inputs.

use pt2::program::schema::ScalarType;
use pt2::torch::Tensor;

/// Returns contiguous numbers between −1 and 1.
pub fn numbers(sizes: &[i64], seed: u32) -> Tensor {
    let count: i64 = sizes.iter().product();
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / 8_388_608.0 - 1.0).to_le_bytes()
    };
    let bytes: Vec<u8> = (0..count).flat_map(|_| next()).collect();
    Tensor::from_bytes(ScalarType::Float, sizes, &bytes).unwrap()
}
