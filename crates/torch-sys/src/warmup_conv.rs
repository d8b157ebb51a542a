//! Checks and sizes of convolutions for warm-up.

use crate::WarmupConv;

/// `at::kFloat` (c10/core/ScalarType.h, 2.11).
const FLOAT: i32 = 6;

/// `at::kDouble`, `at::kHalf` and `at::kBFloat16`.
const OTHER_FLOATS: [i32; 3] = [7, 5, 15];

/// The largest size, stride, padding or dilation: products and sums of two are counted in 64 bits.
const MOST: i64 = 1 << 26;

impl WarmupConv {
    /// One that loads the libraries and little else; not with filters of one element, which may go to cuBLAS.
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

    /// Whether there is such a convolution: sizes and arguments come from an archive and may be anything.
    pub fn is_possible(&self) -> bool {
        let positive = |numbers: &[i64]| numbers.iter().all(|number| (1..=MOST).contains(number));
        let positive = positive(&self.input)
            && positive(&self.weight)
            && positive(&self.stride)
            && positive(&self.dilation)
            && positive(&[self.groups])
            && self.padding.iter().all(|padding| (0..=MOST).contains(padding));
        positive
            && self.weight[0] % self.groups == 0
            && self.weight[1].checked_mul(self.groups) == Some(self.input[1])
            && self.output().iter().all(|size| *size > 0)
            && is_floating(self.dtype)
    }

    /// The spatial sizes of the result, for numbers that are possible.
    pub fn output(&self) -> [i64; 2] {
        std::array::from_fn(|at| {
            let filter = self.dilation[at] * (self.weight[at + 2] - 1) + 1;
            let room = self.input[at + 2] + 2 * self.padding[at] - filter;
            if room < 0 { 0 } else { room / self.stride[at] + 1 }
        })
    }

    /// How many elements its tensors have together, for numbers that are possible.
    pub fn elements(&self) -> i64 {
        let output = count(&self.output()).saturating_mul(self.input[0]).saturating_mul(self.weight[0]);
        count(&self.input).saturating_add(count(&self.weight)).saturating_add(output.saturating_mul(2))
    }
}

/// Whether a dtype is one that libraries multiply.
pub fn is_floating(dtype: i32) -> bool {
    dtype == FLOAT || OTHER_FLOATS.contains(&dtype)
}

/// How many elements a tensor of these sizes has.
pub fn count(sizes: &[i64]) -> i64 {
    sizes.iter().fold(1i64, |product, size| product.saturating_mul(*size))
}
