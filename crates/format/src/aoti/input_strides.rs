//! Strides of inputs that compiled code assumes. The code computes addresses with these and never
//! reads the strides of the tensor it receives.

use crate::program::expr::Expr;

/// Stride of one dimension, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub enum Stride {
    /// Constant.
    Fixed(i64),
    /// Computed from the sizes of the call.
    Expr(Expr),
    /// Depends on sizes in a way that the package does not record.
    Unknown,
}

/// Strides of one input.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InputStrides(pub Vec<Stride>);

/// Result of comparing a tensor's strides with the assumed ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StrideMatch {
    /// The tensor has the strides that the code assumes.
    AsIs,
    /// The tensor must be copied into these strides.
    Copy(Vec<i64>),
    /// The assumed strides are not known well enough to copy the tensor.
    Unknown,
}

impl InputStrides {
    /// Compares a tensor of the right rank. `bindings` holds the values of the symbols in this
    /// call.
    pub fn fit(&self, sizes: &[i64], strides: &[i64], bindings: &[Option<i64>]) -> StrideMatch {
        if self.0.len() != sizes.len() || sizes.contains(&0) {
            return StrideMatch::AsIs;
        }
        let declared: Vec<Option<i64>> = self.0.iter().map(|stride| stride.value(bindings)).collect();
        let agrees = |strides: &[i64]| agree(sizes, &declared, strides);
        let candidates = [declared.iter().copied().collect(), Some(dense(sizes)), channels_last(sizes)];
        match candidates.into_iter().flatten().find(|candidate| agrees(candidate)) {
            Some(expected) if same(sizes, &expected, strides) => StrideMatch::AsIs,
            Some(expected) => StrideMatch::Copy(expected),
            None if agrees(strides) => StrideMatch::AsIs,
            None => StrideMatch::Unknown,
        }
    }
}

impl Stride {
    fn value(&self, bindings: &[Option<i64>]) -> Option<i64> {
        match self {
            Stride::Fixed(stride) => Some(*stride),
            Stride::Expr(expr) => expr.eval_int(bindings).ok(),
            Stride::Unknown => None,
        }
    }
}

/// Ignores dimensions of size 1, whose stride is never used.
fn agree(sizes: &[i64], declared: &[Option<i64>], strides: &[i64]) -> bool {
    let mut all = sizes.iter().zip(declared).zip(strides);
    all.all(|((size, declared), stride)| *size == 1 || declared.is_none_or(|declared| declared == *stride))
}

fn same(sizes: &[i64], one: &[i64], other: &[i64]) -> bool {
    let mut all = sizes.iter().zip(one).zip(other);
    all.all(|((size, one), other)| *size == 1 || one == other)
}

/// Returns contiguous strides.
fn dense(sizes: &[i64]) -> Vec<i64> {
    let mut strides: Vec<i64> = sizes
        .iter()
        .rev()
        .scan(1_i64, |step, size| {
            let stride = *step;
            *step = step.saturating_mul(*size);
            Some(stride)
        })
        .collect();
    strides.reverse();
    strides
}

/// Returns channels-last strides for 2-D and 3-D images.
fn channels_last(sizes: &[i64]) -> Option<Vec<i64>> {
    let (batch, channels, space) = match sizes {
        [batch, channels, space @ ..] if matches!(space.len(), 2 | 3) => (batch, channels, space),
        _ => return None,
    };
    let order: Vec<i64> = [batch].into_iter().chain(space).chain([channels]).copied().collect();
    let strides = dense(&order);
    let (first, rest) = strides.split_first()?;
    let (last, middle) = rest.split_last()?;
    Some([first, last].into_iter().chain(middle).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::Stride::{Fixed, Unknown};
    use super::*;
    use crate::program::symbol::SymbolId;

    #[test]
    fn told_strides_decide() {
        let layout = InputStrides(vec![Fixed(12), Fixed(4), Fixed(1)]);
        assert_eq!(layout.fit(&[2, 3, 4], &[12, 4, 1], &[]), StrideMatch::AsIs);
        assert_eq!(layout.fit(&[2, 3, 4], &[12, 1, 3], &[]), StrideMatch::Copy(vec![12, 4, 1]));
        assert_eq!(layout.fit(&[2, 3, 4], &[0, 4, 1], &[]), StrideMatch::Copy(vec![12, 4, 1]));
        assert_eq!(layout.fit(&[1, 3, 4], &[99, 4, 1], &[]), StrideMatch::AsIs);
        assert_eq!(layout.fit(&[0, 3, 4], &[1, 1, 1], &[]), StrideMatch::AsIs);
    }

    #[test]
    fn strides_that_depend_on_sizes_are_computed() {
        let layout = InputStrides(vec![Stride::Expr(Expr::Symbol(SymbolId(0))), Fixed(1)]);
        assert_eq!(layout.fit(&[2, 5], &[5, 1], &[Some(5)]), StrideMatch::AsIs);
        assert_eq!(layout.fit(&[2, 5], &[1, 2], &[Some(5)]), StrideMatch::Copy(vec![5, 1]));
    }

    #[test]
    fn strides_that_are_not_told_are_dense_or_channels_last() {
        let rows = InputStrides(vec![Unknown, Unknown, Fixed(1)]);
        assert_eq!(rows.fit(&[2, 3, 4], &[12, 4, 1], &[]), StrideMatch::AsIs);
        assert_eq!(rows.fit(&[2, 3, 4], &[24, 8, 1], &[]), StrideMatch::Copy(vec![12, 4, 1]));
        let images = InputStrides(vec![Unknown, Fixed(1), Unknown, Fixed(3)]);
        assert_eq!(images.fit(&[2, 3, 4, 5], &[60, 1, 15, 3], &[]), StrideMatch::AsIs);
        assert_eq!(images.fit(&[2, 3, 4, 5], &[60, 20, 5, 1], &[]), StrideMatch::Copy(vec![60, 1, 15, 3]));
        let odd = InputStrides(vec![Unknown, Fixed(7)]);
        assert_eq!(odd.fit(&[2, 3], &[50, 7], &[]), StrideMatch::AsIs);
        assert_eq!(odd.fit(&[2, 3], &[3, 1], &[]), StrideMatch::Unknown);
    }
}
