//! Shared libraries: ELF, read before anything of it is mapped.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| pt2_fuzz::library(bytes));
