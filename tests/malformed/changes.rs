//! Every value of a JSON document, changed in every way.

use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// Stands for a duplicate key, which a map cannot hold.
const TWICE: &str = "\u{1}twice";

/// Calls `tell` with the position, the change, and the document as text.
pub fn each(document: &Value, tell: &mut impl FnMut(&str, &str, &str)) {
    let mut pointers = Vec::new();
    collect(document, String::new(), &mut pointers);
    let last = last_strings(document);
    let mut changed = document.clone();
    for path in &pointers {
        let original = document.pointer(path).unwrap();
        for (change, value) in replacements(path, original, &last) {
            *changed.pointer_mut(path).unwrap() = value;
            tell(path, change, &changed.to_string());
        }
        twice(path, original, &mut changed, tell);
        *changed.pointer_mut(path).unwrap() = original.clone();
    }
    for depth in [100, 1_000, 100_000] {
        let deep = ["[".repeat(depth), "]".repeat(depth)].concat();
        tell("", "deep nesting", &format!("{{\"graph_module\": {deep}}}"));
    }
}

fn collect(value: &Value, path: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, inner)| {
            collect(inner, format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), pointers);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, inner)| collect(inner, format!("{path}/{at}"), pointers));
        }
        _ => {}
    }
    pointers.push(path);
}

/// Returns for each key the last string under it: a name defined late makes a forward reference, a
/// cycle or a duplicate.
fn last_strings(document: &Value) -> HashMap<String, String> {
    let mut pointers = Vec::new();
    collect(document, String::new(), &mut pointers);
    let of = |path: &String| Some((field(path).to_owned(), document.pointer(path)?.as_str()?.to_owned()));
    pointers.iter().filter_map(of).collect()
}

fn field(path: &str) -> &str {
    path.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or_default()
}

fn replacements(path: &str, original: &Value, last: &HashMap<String, String>) -> Vec<(&'static str, Value)> {
    let mut values: Vec<_> = [
        ("null", Value::Null),
        ("true", json!(true)),
        ("a negative number", json!(-1)),
        ("the largest number", json!(i64::MAX)),
        ("more than a number of 64 bits", json!(u64::MAX)),
        ("a fraction", json!(0.5)),
        ("an empty string", json!("")),
        ("a dangling name", json!("dangling")),
        ("an empty list", json!([])),
        ("an empty object", json!({})),
        ("an unknown kind", json!({"as_something": 1})),
        ("a list in a list", json!([[original]])),
    ]
    .into_iter()
    .collect();
    match original {
        Value::Object(map) => values.extend(map.keys().map(|key| ("a key is missing", without(map, key)))),
        Value::Array(items) => values.extend(orders(items)),
        Value::String(_) => values.extend(last.get(field(path)).map(|name| ("a later name", json!(name)))),
        _ => {}
    }
    values
}

fn without(map: &Map<String, Value>, key: &str) -> Value {
    Value::Object(
        map.iter().filter(|(other, _)| *other != key).map(|(k, v)| (k.clone(), v.clone())).collect(),
    )
}

/// Returns permutations and truncations: forward references, duplicates, and missing items.
fn orders(items: &[Value]) -> Vec<(&'static str, Value)> {
    let (Some(first), Some((_, but_last))) = (items.first(), items.split_last()) else { return Vec::new() };
    let reversed: Vec<_> = items.iter().rev().cloned().collect();
    let doubled: Vec<_> = items.iter().chain([first]).cloned().collect();
    vec![
        ("reversed", json!(reversed)),
        ("one twice", json!(doubled)),
        ("the last is missing", json!(but_last)),
    ]
}

/// Duplicates every key of an object.
fn twice(path: &str, original: &Value, changed: &mut Value, tell: &mut impl FnMut(&str, &str, &str)) {
    let Value::Object(map) = original else { return };
    for (key, value) in map {
        let mut doubled = map.clone();
        doubled.insert(TWICE.into(), value.clone());
        *changed.pointer_mut(path).unwrap() = Value::Object(doubled);
        let text = changed.to_string().replacen(&json!(TWICE).to_string(), &json!(key).to_string(), 1);
        tell(path, "a key comes twice", &text);
    }
}
