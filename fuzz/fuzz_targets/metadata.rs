//! What the metadata of a package say of the machine it was made for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pt2::compiled::{Machine, Target};

fuzz_target!(|json: &[u8]| {
    if let Ok(target) = Target::parse("metadata", json) {
        let _ = target.differences(&Machine::default());
    }
});
