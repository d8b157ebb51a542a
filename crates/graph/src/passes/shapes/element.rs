//! Size of an element.

use crate::program::schema::ScalarType;

/// Maximum size of an element in bytes. `floating` is true if its dtype is known to be a floating
/// one of that size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementSize {
    bytes: i64,
    floating: bool,
}

impl ElementSize {
    /// Float32.
    pub const FLOAT: ElementSize = ElementSize { bytes: 4, floating: true };
    /// An int64, or any number that is not complex.
    pub const NUMBER: ElementSize = ElementSize { bytes: 8, floating: false };
    /// A bool.
    pub const BOOL: ElementSize = ElementSize { bytes: 1, floating: false };
    /// Any dtype.
    pub const LARGEST: ElementSize = ElementSize { bytes: 16, floating: false };

    /// Returns the element of a dtype.
    pub fn of(dtype: ScalarType) -> ElementSize {
        use ScalarType::{BFloat16, Double, Float, Half};
        let floating = matches!(dtype, Half | BFloat16 | Float | Double);
        ElementSize { bytes: i64::try_from(dtype.size_in_bytes()).unwrap_or(16), floating }
    }

    /// Returns the maximum size in bytes.
    pub fn bytes(self) -> i64 {
        self.bytes
    }

    /// Returns true if the dtype is known to be a floating one.
    pub fn is_floating(self) -> bool {
        self.floating
    }
}
