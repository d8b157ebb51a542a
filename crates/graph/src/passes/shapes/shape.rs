//! Shape: the sizes of a tensor and of its elements.

use super::element::ElementSize;
use crate::program::schema::{SymInt, TensorMeta};

/// Sizes of a tensor, and the size of its elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// Sizes, one for each dimension.
    pub sizes: Vec<i64>,
    /// Element size and type.
    pub element: ElementSize,
}

impl Shape {
    /// Returns the shape of a stored tensor. None if a size is symbolic or impossible.
    pub fn of_stored(meta: &TensorMeta) -> Option<Shape> {
        let size = |size: &SymInt| if let SymInt::Int(size) = size { Some(*size) } else { None };
        let sizes = meta.sizes.iter().map(size).collect::<Option<_>>()?;
        let shape = Shape { sizes, element: ElementSize::of(meta.dtype) };
        shape.elements().is_some().then_some(shape)
    }

    /// Returns the number of elements, those of expanded dimensions each time. None if it
    /// overflows.
    pub fn elements(&self) -> Option<i64> {
        elements(&self.sizes)
    }

    /// Returns the maximum size of the elements in bytes, if they are dense.
    pub fn bytes(&self) -> Option<i64> {
        self.elements()?.checked_mul(self.element.bytes())
    }
}

/// Returns the number of elements of these sizes. None if it overflows or a size is negative.
pub fn elements(sizes: &[i64]) -> Option<i64> {
    if sizes.iter().any(|size| *size < 0) {
        return None;
    }
    if sizes.contains(&0) {
        return Some(0);
    }
    sizes.iter().try_fold(1i64, |count, size| count.checked_mul(*size))
}

/// Returns the index of a dimension, which counts from the end if it is negative.
pub fn wrapped(dim: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank.max(1)).ok()?;
    let dim = if dim < 0 { dim.checked_add(rank)? } else { dim };
    (0..rank).contains(&dim).then(|| usize::try_from(dim).ok())?
}
