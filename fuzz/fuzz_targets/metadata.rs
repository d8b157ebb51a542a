//! Metadata of a package: the machine that it was compiled for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pt2_format::aoti::{Machine, TargetMachine};

fuzz_target!(|json: &[u8]| {
    if let Ok(target) = TargetMachine::parse("metadata", json) {
        let _ = target.differences(&Machine::default());
    }
});
