//! A `torch.save` file is read in memory of at most four times its size, or a few MiB for small files.

use super::ledger::cost;
use crate::archive_builder::Zip;
use pt2_format::archive::{ReadOptions, ZipFile};
use pt2_format::weights::pickle::read_tensors;

fn body(opcodes: &[u8], size: usize) -> Vec<u8> {
    let repeated = opcodes.repeat(size / opcodes.len());
    [b"\x80\x02}q\x00", &repeated[..], b"."].concat()
}

#[test]
fn memory_is_four_times_the_file_at_most() {
    const FILE: usize = 8 << 20;
    let names = b"X\x01\x00\x00\x00ah\x00s";
    let cases: [&[u8]; 12] = [
        b"N",
        b"(",
        b")",
        b"]",
        b"}",
        b")\x85",
        b"]h\x00a",
        b"h\x00",
        b"(t",
        b"\x88",
        names,
        b"ccollections\nOrderedDict\n)R",
    ];
    assert!(cost(|| vec![0u8; FILE]).memory >= FILE, "the ledger does not count");
    for opcodes in cases {
        let bytes = Zip::plain(&[("a/data.pkl", &body(opcodes, FILE)), ("a/byteorder", b"little")]).write();
        let size = bytes.len();
        let container = ZipFile::from_bytes(bytes, &ReadOptions::default()).unwrap();
        // The bytes of the file itself are not counted.
        let peak = cost(|| read_tensors(&container)).memory;
        assert!(peak <= 4 * size, "{peak} bytes for a file of {size}: {opcodes:02x?}");
    }
}
