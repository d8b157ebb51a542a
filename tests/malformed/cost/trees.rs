//! Trees of inputs and outputs.

use super::ledger::bounded;
use pt2_format::program::pytree::{MAX_DEPTH, TreeSpec};
use std::collections::BTreeMap;

/// Memory for each byte of a tree: a node of 50 bytes is a record of 110, in a list that doubles.
const MEMORY: usize = 16;
/// 2^18 values of a context, of 72 bytes in lists that double, and 2^24 bytes of names.
const LEAST: usize = 72 << 20;

const LEAF: &str = r#"{"type": null, "context": null, "children_spec": []}"#;

fn node(kind: &str, context: &str, children: &str) -> String {
    format!(r#"{{"type": "builtins.{kind}", "context": {context}, "children_spec": [{children}]}}"#)
}

fn nested(levels: usize) -> String {
    let list = node("list", "\"null\"", "@");
    let (start, end) = list.split_once('@').unwrap();
    format!("[1, {}{LEAF}{}]", start.repeat(levels - 1), end.repeat(levels - 1))
}

fn read(what: &str, text: &str) -> Result<Vec<String>, String> {
    let fields = BTreeMap::new();
    let paths = || -> Result<Vec<String>, String> {
        let tree = TreeSpec::parse(text, "in_spec").map_err(|error| error.to_string())?;
        let _ = tree.call_paths(&fields);
        tree.leaf_paths("args", &fields)
    };
    bounded(what, text.len(), MEMORY, LEAST, paths);
    paths()
}

/// As deep as Python reads them, on a stack of 64 KiB.
#[test]
fn deep_trees() {
    let work = || {
        for levels in [70, 330, MAX_DEPTH] {
            let paths = read("a deep tree", &nested(levels)).unwrap();
            assert_eq!(paths, [format!("args{}", "[0]".repeat(levels - 1))]);
        }
        for levels in [MAX_DEPTH + 1, 100_000] {
            assert!(read("too deep a tree", &nested(levels)).unwrap_err().contains("nests deeper than 512"));
        }
    };
    let stack = if cfg!(debug_assertions) { 128 << 10 } else { 64 << 10 };
    std::thread::Builder::new().stack_size(stack).spawn(work).unwrap().join().unwrap();
}

#[test]
fn wide_trees() {
    let leaves = vec![LEAF; 60_000].join(",");
    let tree = |context: &str, children: &str| format!("[1, {}]", node("dict", context, children));
    let count = |paths: Result<Vec<String>, String>| paths.map(|paths| paths.len());
    let list = format!("[1, {}]", node("list", "\"null\"", &leaves));
    assert_eq!(count(read("leaves", &list)), Ok(60_000));
    let keys: Vec<String> = (0..60_000).map(|key| format!("\\\"{key}\\\"")).collect();
    assert_eq!(count(read("keys", &tree(&format!("\"[{}]\"", keys.join(",")), &leaves))), Ok(60_000));
    let long = format!("\"[\\\"{}\\\"]\"", "k".repeat(1 << 20));
    let deep = (0..300).fold(LEAF.to_owned(), |inner, _| node("list", "\"null\"", &inner));
    let refused = read("a long key of a deep tree", &tree(&long, &deep)).unwrap_err();
    assert!(refused.contains("too long names"), "{refused}");
    for context in ["0,".repeat(1 << 20), "[],".repeat(1 << 20), "{\\\"\\\":".repeat(1 << 18)] {
        read("values of a context", &tree(&format!("[{context}0]"), "")).unwrap_err();
        let _ = read("values of a context in a string", &tree(&format!("\"[{context}0]\""), ""));
    }
    let objects = node("tuple", "null", &vec!["{}"; 200_000].join(","));
    read("objects without keys", &format!("[1, {objects}]")).unwrap_err();
    let unknown: String = (0..50_000).map(|key| format!("\"{key}\": 0,")).collect();
    assert_eq!(
        count(read("unknown keys", &format!("[1, {}]", LEAF.replacen('{', &format!("{{{unknown}"), 1)))),
        Ok(1)
    );
    read("an open string", &format!("[1, {{\"type\": \"{}", "\\\"".repeat(1 << 20))).unwrap_err();
}
