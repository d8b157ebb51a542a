//! Packages of AOTInductor as loading examines them, in flat form: metadata, ELF, source.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pt2_format::archive::{Archive, ReadOptions};
use pt2_format::aoti::{Machine, Package};

fuzz_target!(|flat: &[u8]| {
    let Ok(archive) = Archive::from_slice(&pt2_fuzz::flat::zip(flat), &ReadOptions::default()) else {
        return;
    };
    for model in archive.compiled() {
        let Ok(package) = Package::read(&archive, model) else { continue };
        let _ = package.differences(&Machine::here());
        if let Ok(library) = archive.entry(&package.library) {
            pt2_fuzz::library(library.bytes());
        }
        if let Some(source) = package.source.as_ref().and_then(|name| archive.entry(name).ok()) {
            pt2_fuzz::source(&String::from_utf8_lossy(source.bytes()));
        }
    }
});
