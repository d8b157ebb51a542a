//! The reader of torch.save files: entries in flat form, their checksums always right.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pt2_format::archive::{ZipFile, ReadOptions};
use pt2_format::weights::pickle::{read_tensor, read_tensors};

fuzz_target!(|flat: &[u8]| {
    let zip = pt2_fuzz::flat::zip(flat);
    if let Ok(container) = ZipFile::from_bytes(zip, &ReadOptions::default()) {
        let _ = read_tensors(&container);
        let _ = read_tensor(&container);
    }
});
