//! What the metadata of a package say of the machine it was made for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pt2_format::aoti::{Machine, TargetMachine};

fuzz_target!(|json: &[u8]| {
    if let Ok(target) = TargetMachine::parse("metadata", json) {
        let _ = target.differences(&Machine::default());
    }
});
