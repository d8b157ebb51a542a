//! Reads JSON values as Rust values: strings, floats, lists and dictionaries.
//! [`record`](mod@super::record) adds the types that the schema declares.
//!
//! An object must not repeat a key, even if it is skipped. The reader follows `_dataclass_to_dict`
//! and `_dict_to_dataclass` in `torch/_export/serde/serialize.py` 2.11.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A type with a single representation in the program's JSON.
pub trait Wire<'de>: Sized {
    /// Reads the value.
    fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error>;
}

/// Adapter from [`Wire`] to serde.
pub struct Seed<T>(PhantomData<T>);

/// Returns a seed for the inferred type.
pub fn seed<'de, T: Wire<'de>>() -> Seed<T> {
    Seed(PhantomData)
}

impl<'de, T: Wire<'de>> DeserializeSeed<'de> for Seed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<T, D::Error> {
        T::read(json)
    }
}

/// Implements [`Wire`] for types that serde can deserialize.
macro_rules! plain {
    ($($type:ty),*) => {$(
        impl<'de> Wire<'de> for $type {
            fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
                serde::Deserialize::deserialize(json)
            }
        }
    )*};
}
plain!(bool, i64, String);

impl<'de> Wire<'de> for Cow<'de, str> {
    fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_str(Text)
    }
}

struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

impl<'de> Wire<'de> for f64 {
    fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Float)
    }
}

/// Reader of floats. JSON has no notation for non-finite values, so they are strings.
struct Float;

impl Visitor<'_> for Float {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        match text {
            "NaN" => Ok(f64::NAN),
            "Infinity" => Ok(f64::INFINITY),
            "-Infinity" => Ok(f64::NEG_INFINITY),
            other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
        }
    }
}

impl<'de, T: Wire<'de>> Wire<'de> for Box<T> {
    fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        T::read(json).map(Box::new)
    }
}

impl<'de, T: Wire<'de>> Wire<'de> for Option<T> {
    fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_option(Nullable(PhantomData))
    }
}

struct Nullable<T>(PhantomData<T>);

impl<'de, T: Wire<'de>> Visitor<'de> for Nullable<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value or null")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, json: D) -> Result<Self::Value, D::Error> {
        T::read(json).map(Some)
    }
}

impl<'de, T: Wire<'de>> Wire<'de> for Vec<T> {
    fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_seq(List(PhantomData))
    }
}

struct List<T>(PhantomData<T>);

impl<'de, T: Wire<'de>> Visitor<'de> for List<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut json: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = json.next_element_seed(seed())? {
            items.push(item);
        }
        Ok(items)
    }
}

impl<'de, T: Wire<'de>> Wire<'de> for BTreeMap<String, T> {
    fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(Dict(PhantomData))
    }
}

struct Dict<T>(PhantomData<T>);

impl<'de, T: Wire<'de>> Visitor<'de> for Dict<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(key) = json.next_key_seed(seed::<String>())? {
            if entries.contains_key(&key) {
                return Err(twice(&key));
            }
            entries.insert(key, json.next_value_seed(seed())?);
        }
        Ok(entries)
    }
}

/// An object that keeps the order of its entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ordered<T>(pub Vec<(String, T)>);

impl<'de, T: Wire<'de>> Wire<'de> for Ordered<T> {
    fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_map(InOrder(PhantomData))
    }
}

struct InOrder<T>(PhantomData<T>);

impl<'de, T: Wire<'de>> Visitor<'de> for InOrder<T> {
    type Value = Ordered<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut json: A) -> Result<Self::Value, A::Error> {
        let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
        while let Some(key) = json.next_key_seed(seed::<String>())? {
            if !seen.insert(key.clone()) {
                return Err(twice(&key));
            }
            entries.push((key, json.next_value_seed(seed())?));
        }
        Ok(Ordered(entries))
    }
}

/// An unused value. It is read completely, so that repeated keys inside it are still rejected.
pub struct Skipped;

impl<'de> Wire<'de> for Skipped {
    fn read<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(Skipped)
    }
}

impl<'de> Visitor<'de> for Skipped {
    type Value = Skipped;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_unit<E: Error>(self) -> Result<Skipped, E> {
        Ok(Skipped)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut json: A) -> Result<Skipped, A::Error> {
        while json.next_element_seed(seed::<Skipped>())?.is_some() {}
        Ok(Skipped)
    }

    fn visit_map<A: MapAccess<'de>>(self, json: A) -> Result<Skipped, A::Error> {
        InOrder(PhantomData).visit_map(json).map(|_: Ordered<Skipped>| Skipped)
    }
}

/// Returns the error for a repeated key.
pub fn twice<E: Error>(key: &str) -> E {
    E::custom(format_args!("the key `{key}` is given twice"))
}
