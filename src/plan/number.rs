//! Numbers as Python computes with them.

/// An int, float or bool of Python, within the range that a program can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A bool; counts as 0 or 1 in arithmetic.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
}

impl Number {
    /// The value as a float.
    pub fn as_float(self) -> f64 {
        match self {
            Number::Bool(value) => f64::from(u8::from(value)),
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
        }
    }

    /// The value as an int, if it is no float.
    pub fn as_int(self) -> Option<i64> {
        match self {
            Number::Bool(value) => Some(i64::from(value)),
            Number::Int(value) => Some(value),
            Number::Float(_) => None,
        }
    }

    /// Whether Python takes the value for true.
    pub fn is_true(self) -> bool {
        match self {
            Number::Bool(value) => value,
            Number::Int(value) => value != 0,
            Number::Float(value) => value != 0.0,
        }
    }
}
