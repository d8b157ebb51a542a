//! Whole archive, mutated inside: the flat form becomes a valid zip, and all of it is loaded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pt2_format::archive::{Archive, ReadOptions};

fuzz_target!(|flat: &[u8]| {
    if let Ok(archive) = Archive::from_slice(&pt2_fuzz::flat::zip(flat), &ReadOptions::default()) {
        pt2_fuzz::archive(&archive);
    }
});
