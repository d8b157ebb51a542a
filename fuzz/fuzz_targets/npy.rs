//! Headers of NumPy's files: writing and reading again is idempotent.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "shared with the program")]
#[path = "../../crates/cli-commands/src/tensors/header.rs"]
mod header;

use header::Header;

fuzz_target!(|bytes: &[u8]| {
    let Ok((header, _)) = Header::read(&mut &bytes[..]) else { return };
    if header.descr.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"<>=|".contains(&byte)) {
        let written = header.write();
        assert_eq!(Header::read(&mut written.as_slice()), Ok((header, written.len())));
    }
});
