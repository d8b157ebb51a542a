//! Trees of inputs and outputs: every parsed tree has paths, or is rejected.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pt2_format::program::pytree::{MAX_LEAVES, TreeSpec};
use std::collections::BTreeMap;

fuzz_target!(|text: &str| {
    let Ok(tree) = TreeSpec::parse(text, "tree") else { return };
    for paths in [tree.leaf_paths("args", &BTreeMap::new()), tree.call_paths(&BTreeMap::new())] {
        assert!(paths.is_err() || paths.is_ok_and(|paths| paths.len() <= MAX_LEAVES));
    }
});
