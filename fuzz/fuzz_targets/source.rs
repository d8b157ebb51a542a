//! The C++ source beside a compiled library.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| pt2_fuzz::source(text));
