//! Values whose type Python's reader does not check: unbounded ints, and values of any kind on
//! which nothing depends (`_dict_to_dataclass` in `torch/_export/serde/serialize.py` 2.11).

use super::wire::{Skipped, Wire};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use std::fmt;

/// A Python int, which is unbounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PythonInt {
    /// An int that fits 64 bits.
    Small(i64),
    /// An int above `i64::MAX`.
    Above,
    /// An int below `i64::MIN`.
    Below,
}

impl PythonInt {
    /// Returns the int if it fits 64 bits.
    pub fn in_64_bits(self) -> Option<i64> {
        match self {
            PythonInt::Small(value) => Some(value),
            PythonInt::Above | PythonInt::Below => None,
        }
    }

    /// Returns the nearest 64-bit int.
    pub fn saturated(self) -> i64 {
        match self {
            PythonInt::Small(value) => value,
            PythonInt::Above => i64::MAX,
            PythonInt::Below => i64::MIN,
        }
    }
}

impl<'de> Wire<'de> for PythonInt {
    fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Int)
    }
}

struct Int;

/// 2^63. serde_json reads larger ints as floats.
const BEYOND: f64 = 9_223_372_036_854_775_808.0;

impl Visitor<'_> for Int {
    type Value = PythonInt;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an int")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<PythonInt, E> {
        Ok(PythonInt::Small(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<PythonInt, E> {
        Ok(i64::try_from(value).map_or(PythonInt::Above, PythonInt::Small))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<PythonInt, E> {
        match value {
            value if value >= BEYOND => Ok(PythonInt::Above),
            value if value < -BEYOND => Ok(PythonInt::Below),
            value => Err(E::invalid_type(Unexpected::Float(value), &self)),
        }
    }
}

/// A value on which nothing depends. Strings and ints are kept, others are skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untyped {
    /// A string.
    Text(String),
    /// An int.
    Int(PythonInt),
    /// A value of any other kind.
    Other,
}

impl Untyped {
    /// Returns the string, if the value is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Untyped::Text(text) => Some(text),
            Untyped::Int(_) | Untyped::Other => None,
        }
    }
}

impl<'de> Wire<'de> for Untyped {
    fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Untyped;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Untyped, E> {
        Ok(Untyped::Other)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Untyped, E> {
        Int.visit_i64(value).map(Untyped::Int)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Untyped, E> {
        Int.visit_u64(value).map(Untyped::Int)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Untyped, E> {
        Ok(Int.visit_f64::<E>(value).map_or(Untyped::Other, Untyped::Int))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Untyped, E> {
        Ok(Untyped::Text(text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Untyped, E> {
        Ok(Untyped::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, json: A) -> Result<Untyped, A::Error> {
        Skipped.visit_seq(json).map(|_| Untyped::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, json: A) -> Result<Untyped, A::Error> {
        Skipped.visit_map(json).map(|_| Untyped::Other)
    }
}
