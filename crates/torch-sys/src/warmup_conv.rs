//! Checks and sizes of convolutions for warm-up.

use crate::WarmupConv;

/// `at::kFloat` (c10/core/ScalarType.h, 2.11).
const FLOAT: i32 = 6;

/// `at::kDouble`, `at::kHalf` and `at::kBFloat16`.
const OTHER_FLOATS: [i32; 3] = [7, 5, 15];

/// Maximum size, stride, padding or dilation: products and sums of two fit 64 bits.
const MOST: i64 = 1 << 26;

impl WarmupConv {
    /// Convolution that loads the libraries and does little else. Filters of one element may use
    /// cuBLAS instead.
    pub const SMALL: WarmupConv = WarmupConv {
        dtype: FLOAT,
        input: [1, 64, 8, 8],
        weight: [64, 64, 3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
        groups: 1,
        channels_last: true,
        bias: true,
        other: false,
        relu: true,
    };

    /// Returns true if the numbers, which come from an archive, describe a valid convolution.
    pub fn is_possible(&self) -> bool {
        let all_positive = |numbers: &[i64]| numbers.iter().all(|number| (1..=MOST).contains(number));
        let positive = all_positive(&self.input)
            && all_positive(&self.weight)
            && all_positive(&self.stride)
            && all_positive(&self.dilation)
            && all_positive(&[self.groups])
            && self.padding.iter().all(|padding| (0..=MOST).contains(padding));
        positive
            && self.weight[0] % self.groups == 0
            && self.weight[1].checked_mul(self.groups) == Some(self.input[1])
            && self.output().iter().all(|size| *size > 0)
            && is_floating(self.dtype)
    }

    /// Returns the spatial sizes of the result of a valid convolution.
    pub fn output(&self) -> [i64; 2] {
        std::array::from_fn(|at| {
            let filter = self.dilation[at] * (self.weight[at + 2] - 1) + 1;
            let room = self.input[at + 2] + 2 * self.padding[at] - filter;
            if room < 0 { 0 } else { room / self.stride[at] + 1 }
        })
    }

    /// Returns the number of elements of all tensors of a valid convolution.
    pub fn elements(&self) -> i64 {
        let output = count(&self.output()).saturating_mul(self.input[0]).saturating_mul(self.weight[0]);
        count(&self.input).saturating_add(count(&self.weight)).saturating_add(output.saturating_mul(2))
    }
}

/// Returns true for dtypes that the libraries multiply.
pub fn is_floating(dtype: i32) -> bool {
    dtype == FLOAT || OTHER_FLOATS.contains(&dtype)
}

/// Returns the number of elements of a tensor with these sizes.
pub fn count(sizes: &[i64]) -> i64 {
    sizes.iter().fold(1i64, |product, size| product.saturating_mul(*size))
}
