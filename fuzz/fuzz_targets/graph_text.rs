//! Text form of graphs: writing and reading again is idempotent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pt2_graph::graph::parse;

fuzz_target!(|text: &str| {
    let Ok(graph) = parse(text) else { return };
    if graph.verify().is_err() {
        return;
    }
    let written = graph.to_string();
    let again = parse(&written).expect("what was written can be read");
    assert_eq!(again.to_string(), written);
});
