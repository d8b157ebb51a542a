//! A program's JSON, up to the graph after its passes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|json: &[u8]| {
    let _ = pt2_fuzz::program(json);
});
