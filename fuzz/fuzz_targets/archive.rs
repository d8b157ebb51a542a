//! The zip reader: any bytes, read to the last entry.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pt2_format::archive::{Archive, ZipFile, ReadOptions};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(archive) = Archive::from_slice(bytes, &ReadOptions::default()) {
        pt2_fuzz::archive(&archive);
    }
    if let Ok(container) = ZipFile::from_bytes(bytes.to_vec(), &ReadOptions::default()) {
        container.names().for_each(|name| drop(container.get(name)));
    }
});
