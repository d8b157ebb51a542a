//! How the schema's declarations become types: records, unions and numbered enums.
//!
//! Records skip fields they do not know, unions refuse kinds they do not know. Follows `_dict_to_dataclass` in
//! `torch/_export/serde/serialize.py` (2.11).

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::de::{Error, MapAccess};

use super::wire::{Skipped, Wire, seed, twice};

/// Stores the value of a key, unless the key came before.
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

/// Skips the value of a key that a record does not know, unless the key came before.
pub fn skip<'de, A: MapAccess<'de>>(
    seen: &mut BTreeSet<String>,
    key: &str,
    json: &mut A,
) -> Result<(), A::Error> {
    match seen.insert(key.to_owned()) {
        false => Err(twice(key)),
        true => json.next_value_seed(seed::<Skipped>()).map(drop),
    }
}

/// The name of a field as Python spells it: Rust marks words of its own with `r#`.
pub const fn python_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// Declares a record: a Python dataclass. A field with `= value` may be absent.
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

/// Declares a union: an object of which exactly one entry is set. A kind without content holds a bool in JSON.
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

/// Declares an enum that JSON spells as a number.
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

            /// Fails with the number itself when it is not one of the schema's.
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

/// The error for a kind that a union does not have.
pub fn unknown_kind<E: Error>(union: &str, kind: &str) -> E {
    E::custom(format_args!("`{kind}` is not a known kind of {union}"))
}

/// The error for a union of which nothing is set.
pub fn no_kind<E: Error>(union: &str) -> E {
    E::custom(format_args!("{union} has no kind"))
}

/// Keeps the one kind of a union that is not null.
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
