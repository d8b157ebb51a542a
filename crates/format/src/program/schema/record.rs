//! Macros that turn the schema's declarations into types: records, unions and numbered enums.
//!
//! Records skip unknown fields; unions reject unknown kinds. Both follow `_dict_to_dataclass` in
//! `torch/_export/serde/serialize.py` 2.11.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::de::{Error, MapAccess};

use super::wire::{Skipped, Wire, seed, twice};

/// Stores the value of a key. Returns an error if the key came before.
pub fn once<'de, T: Wire<'de>, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    key: &str,
    json: &mut A,
) -> Result<(), A::Error> {
    match slot {
        Some(_) => Err(twice(key)),
        None => json.next_value_seed(seed()).map(|value| *slot = Some(value)),
    }
}

/// Skips the value of an unknown key. Returns an error if the key came before.
pub fn skip<'de, A: MapAccess<'de>>(
    seen: &mut BTreeSet<String>,
    key: &str,
    json: &mut A,
) -> Result<(), A::Error> {
    if seen.insert(key.to_owned()) {
        json.next_value_seed(seed::<Skipped>()).map(drop)
    } else {
        Err(twice(key))
    }
}

/// Returns the name of a field in Python, without the `r#` of Rust's raw identifiers.
pub const fn python_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// Declares a record, which is a dataclass in Python. A field with `= value` may be absent.
macro_rules! record {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty $(= $default:expr)?,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl<'de> $crate::program::schema::wire::Wire<'de> for $name {
            fn read<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
                struct Fields;
                impl<'de> serde::de::Visitor<'de> for Fields {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("an object (", stringify!($name), ")"))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut json: A) -> Result<$name, A::Error> {
                        use $crate::program::schema::{record, wire};
                        let mut unknown = std::collections::BTreeSet::new();
                        $(let mut $field: Option<$type> = None;)*
                        while let Some(key) = json.next_key_seed(wire::seed::<std::borrow::Cow<'de, str>>())? {
                            $(if key == const { record::python_name(stringify!($field)) } {
                                record::once(&mut $field, &key, &mut json)?;
                                continue;
                            })*
                            record::skip(&mut unknown, &key, &mut json)?;
                        }
                        Ok($name { $($field: match $field {
                            Some(value) => value,
                            None => record!(@absent $field $(, $default)?),
                        },)* })
                    }
                }
                json.deserialize_map(Fields)
            }
        }
    };
    (@absent $field:ident, $default:expr) => { $default };
    (@absent $field:ident) => {
        return Err(serde::de::Error::missing_field(const {
            $crate::program::schema::record::python_name(stringify!($field))
        }))
    };
}

/// Declares a union: an object with exactly one entry that is not null. A kind without content is a
/// bool in JSON.
macro_rules! union {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$kind_doc:meta])* $key:literal => $kind:ident $(($type:ty))?,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name {
            $($(#[$kind_doc])* $kind $(($type))?,)*
        }

        impl<'de> $crate::program::schema::wire::Wire<'de> for $name {
            fn read<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
                struct Kinds;
                impl<'de> serde::de::Visitor<'de> for Kinds {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("an object (", stringify!($name), ")"))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut json: A) -> Result<$name, A::Error> {
                        use $crate::program::schema::{record, wire};
                        let mut seen = std::collections::BTreeSet::new();
                        let mut found: Option<$name> = None;
                        while let Some(key) = json.next_key_seed(wire::seed::<std::borrow::Cow<'de, str>>())? {
                            let value = match &*key {
                                $($key => union!(@value $name $kind json $(, $type)?),)*
                                other => return Err(record::unknown_kind(stringify!($name), other)),
                            };
                            record::only(&mut found, &mut seen, stringify!($name), key, value)?;
                        }
                        found.ok_or_else(|| record::no_kind(stringify!($name)))
                    }
                }
                json.deserialize_map(Kinds)
            }
        }
    };
    (@value $name:ident $kind:ident $json:ident, $type:ty) => {
        $json.next_value_seed(wire::seed::<Option<$type>>())?.map($name::$kind)
    };
    (@value $name:ident $kind:ident $json:ident) => {
        $json.next_value_seed(wire::seed::<Option<bool>>())?.map(|_| $name::$kind)
    };
}

/// Declares an enum that is stored as a number in JSON.
macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $number:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name {
            $($(#[$variant_doc])* $variant = $number,)*
        }

        impl TryFrom<i64> for $name {
            type Error = i64;

            /// Converts a number of the schema. The error is the unknown number.
            fn try_from(number: i64) -> Result<Self, i64> {
                match number {
                    $($number => Ok($name::$variant),)*
                    other => Err(other),
                }
            }
        }

        impl<'de> $crate::program::schema::wire::Wire<'de> for $name {
            fn read<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
                let number = <i64 as $crate::program::schema::wire::Wire>::read(json)?;
                $name::try_from(number).map_err(|other| {
                    serde::de::Error::custom(format_args!("unknown {} {other}", stringify!($name)))
                })
            }
        }
    };
}

pub(crate) use {numbered, record, union};

/// Returns the error for a kind that a union does not have.
pub fn unknown_kind<E: Error>(union: &str, kind: &str) -> E {
    E::custom(format_args!("`{kind}` is not a known kind of {union}"))
}

/// Returns the error for a union without a kind.
pub fn no_kind<E: Error>(union: &str) -> E {
    E::custom(format_args!("{union} has no kind"))
}

/// Keeps the single kind of a union that is not null.
pub fn only<T, E: Error>(
    found: &mut Option<T>,
    seen: &mut BTreeSet<String>,
    union: &str,
    key: Cow<'_, str>,
    value: Option<T>,
) -> Result<(), E> {
    if value.is_some() && found.is_some() {
        return Err(E::custom(format_args!("{union} has a second kind `{key}`")));
    }
    if value.is_none() && !seen.insert(key.clone().into_owned()) {
        return Err(twice(&key));
    }
    *found = found.take().or(value);
    Ok(())
}
