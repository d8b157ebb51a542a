//! Bounds checks of tensor descriptions against their storage.

use crate::program::schema::ScalarType;

/// Maximum rank of a tensor, as in libtorch's kernels.
pub const MAX_RANK: usize = 64;

/// Checks that every element of a tensor is within `bytes` bytes of storage, and that its size in
/// bytes fits an `i64`. `offset` and `strides` count elements. The error is the broken rule.
///
/// A tensor without elements reads no storage. Its offset may therefore be beyond the end, which
/// slicing in PyTorch can produce.
pub fn fits(
    dtype: ScalarType,
    sizes: &[i64],
    strides: &[i64],
    offset: i64,
    bytes: u64,
) -> Result<(), String> {
    let item = dtype.size_in_bytes() as i64;
    check_signs(sizes, strides, offset)?;
    byte_count(item, sizes)
        .ok_or_else(|| format!("sizes {sizes:?} multiply to more bytes than can be counted"))?;
    if sizes.contains(&0) {
        return Ok(());
    }
    let end = end_of(item, sizes, strides, offset);
    let end =
        end.ok_or_else(|| format!("sizes {sizes:?}, strides {strides:?} and offset {offset} wrap around"))?;
    if end > bytes {
        return Err(format!(
            "sizes {sizes:?}, strides {strides:?} and offset {offset} reach byte {end} of a storage of {bytes}"
        ));
    }
    Ok(())
}

/// Returns the size in bytes of a dense tensor, whose elements fill its memory without gaps or
/// overlaps in any order of dimensions. Returns None for other tensors. The caller has checked the
/// description with [`fits`].
pub fn bytes_if_dense(dtype: ScalarType, sizes: &[i64], strides: &[i64]) -> Option<usize> {
    let item = dtype.size_in_bytes() as i64;
    if sizes.contains(&0) {
        return Some(0);
    }
    let mut steps: Vec<(i64, i64)> =
        strides.iter().copied().zip(sizes.iter().copied()).filter(|(_, size)| *size > 1).collect();
    steps.sort_unstable();
    let elements = steps.iter().try_fold(1i64, |expected, (stride, size)| {
        (*stride == expected).then_some(expected)?.checked_mul(*size)
    })?;
    usize::try_from(elements.checked_mul(item)?).ok()
}

fn check_signs(sizes: &[i64], strides: &[i64], offset: i64) -> Result<(), String> {
    if sizes.len() != strides.len() {
        return Err(format!("{} sizes but {} strides", sizes.len(), strides.len()));
    }
    if sizes.len() > MAX_RANK {
        return Err(format!("{} dimensions, at most {MAX_RANK} are supported", sizes.len()));
    }
    if sizes.iter().chain(strides).any(|number| *number < 0) || offset < 0 {
        return Err(format!("negative number in sizes {sizes:?}, strides {strides:?} or offset {offset}"));
    }
    Ok(())
}

/// Returns the size in bytes of a dense tensor with these sizes. Zeros count as ones, so that the
/// order of factors cannot hide an overflow.
fn byte_count(item: i64, sizes: &[i64]) -> Option<i64> {
    sizes.iter().try_fold(item, |product, size| product.checked_mul((*size).max(1)))
}

/// Returns the end of the last element in bytes. No size may be zero.
fn end_of(item: i64, sizes: &[i64], strides: &[i64], offset: i64) -> Option<u64> {
    let mut last = offset;
    for (size, stride) in sizes.iter().zip(strides) {
        last = last.checked_add(size.checked_sub(1)?.checked_mul(*stride)?)?;
    }
    u64::try_from(last.checked_add(1)?.checked_mul(item)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{bytes_if_dense, fits};
    use crate::program::schema::ScalarType::{Double, Float};

    #[test]
    fn genuine_views_fit() {
        for (sizes, strides, offset, bytes) in [
            (&[2, 3][..], &[3, 1][..], 0, 24),
            (&[3, 2], &[1, 3], 0, 24),
            (&[1000, 1000], &[0, 0], 5, 24),
            (&[], &[], 5, 24),
            (&[0, 3], &[3, 1], 0, 0),
            (&[0], &[1], 99, 24),
            (&[2, 2], &[3, 1], 1, 24),
        ] {
            assert_eq!(fits(Float, sizes, strides, offset, bytes), Ok(()), "{sizes:?} {strides:?} {offset}");
        }
    }

    #[test]
    fn lies_are_refused() {
        const HUGE: i64 = i64::MAX;
        for (sizes, strides, offset, bytes) in [
            (&[2, 3][..], &[3, 1][..], 1, 24),
            (&[2, 3], &[3, 1], 0, 23),
            (&[2, 3], &[3, 2], 0, 24),
            (&[-1], &[1], 0, 24),
            (&[1], &[-1], 0, 24),
            (&[1], &[1], -1, 24),
            (&[1], &[1], HUGE, 24),
            (&[2], &[HUGE], 0, 24),
            (&[HUGE], &[0], 0, 24),
            (&[HUGE], &[HUGE], HUGE, u64::MAX),
            (&[1 << 31, 1 << 31, 4], &[0, 0, 0], 0, 24),
            (&[0, 1 << 40, 1 << 40], &[1, 1, 1], 0, 24),
            (&[2], &[1, 1], 0, 24),
            (&[1; 65], &[1; 65], 0, 24),
        ] {
            assert!(fits(Float, sizes, strides, offset, bytes).is_err(), "{sizes:?} {strides:?} {offset}");
        }
    }

    #[test]
    fn the_dtype_counts() {
        assert!(fits(Double, &[3], &[1], 0, 24).is_ok());
        assert!(fits(Double, &[4], &[1], 0, 31).is_err());
    }

    #[test]
    fn dense_in_any_order() {
        for (sizes, strides, bytes) in [
            (&[2, 3][..], &[3, 1][..], Some(24)),
            (&[2, 3], &[1, 2], Some(24)),
            (&[2, 3, 4], &[1, 8, 2], Some(96)),
            (&[2, 1, 3], &[3, 99, 1], Some(24)),
            (&[], &[], Some(4)),
            (&[0, 3], &[7, 7], Some(0)),
            (&[2, 3], &[4, 1], None),
            (&[2, 3], &[0, 1], None),
            (&[2, 2], &[1, 1], None),
        ] {
            assert_eq!(bytes_if_dense(Float, sizes, strides), bytes, "{sizes:?} {strides:?}");
        }
    }
}
