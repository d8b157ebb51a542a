//! Sizes, offsets and counts that need ZIP64, and hostile sizes that must not allocate memory.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::archive_builder::{Record, Zip, contents, refusal, wide_descriptor, wide_extra};
use pt2_format::archive::{MemoryMode, ReadOptions, ZipFile};

const GIB: u64 = 1 << 30;

/// Returns an entry in the form of PyTorch's writer for a size of 64 bits. The local header has the
/// size and leaves the compressed size open, and the descriptor is the wide one.
fn wide_record(name: &str, body: &[u8]) -> Record {
    let mut record = Record::streamed(name, body);
    let size = body.len() as u64;
    (record.central.size, record.central.compressed) = (u32::MAX, u32::MAX);
    record.central.extra = wide_extra(&[size, size]);
    record.local.extra = [wide_extra(&[size, 0]), record.local.extra].concat();
    record.descriptor = wide_descriptor(record.central.crc32, size);
    record
}

#[test]
fn small_sizes_may_be_written_wide() {
    let mut zip = Zip::streamed(&[("a/x", b"one"), ("a/y", b"two")]);
    zip.records[0] = wide_record("a/x", b"one");
    assert_eq!(contents(zip.write()).unwrap()[0].1, b"one");
    let mut narrow = zip.clone();
    narrow.records[0].descriptor = crate::archive_builder::descriptor(zip.records[0].central.crc32, 3);
    assert!(refusal(narrow.write()).contains("its data descriptor does not agree"));
}

#[test]
fn pythons_wide_headers_are_read() {
    let mut zip = Zip::plain(&[("x", b"one"), ("y", b"two")]);
    let record = &mut zip.records[1];
    for header in [&mut record.local, &mut record.central] {
        (header.needed, header.size, header.compressed) = (45, u32::MAX, u32::MAX);
        header.extra = wide_extra(&[3, 3]);
    }
    let offset = 30 + 1 + 3;
    record.offset = Some(u32::MAX);
    record.central.extra = wide_extra(&[3, 3, offset]);
    assert_eq!(contents(zip.write()).unwrap()[1].1, b"two");
    zip.records[1].central.extra = wide_extra(&[3, 3, offset + 1]);
    assert!(refusal(zip.write()).contains("does not begin where the entry before it ends"));
}

#[test]
fn an_offset_alone_may_be_wide() {
    let mut zip = Zip::streamed(&[("x", b"one"), ("y", b"two"), ("empty", b"")]);
    let first = zip.records[0].clone();
    let offset = (30 + 1 + first.local.extra.len() + 3 + 16) as u64;
    let record = &mut zip.records[1];
    record.offset = Some(u32::MAX);
    record.central.extra = wide_extra(&[offset]);
    record.local.extra = [wide_extra(&[offset]), record.local.extra.clone()].concat();
    record.descriptor = wide_descriptor(record.central.crc32, 3);
    let empty = offset + (30 + 1 + record.local.extra.len() + 3 + 24) as u64;
    let record = &mut zip.records[2];
    record.offset = Some(u32::MAX);
    (record.local.flags, record.central.flags) = (0x0800, 0x0800);
    record.central.extra = wide_extra(&[empty]);
    record.local.extra = wide_extra(&[empty]);
    record.descriptor.clear();
    assert_eq!(contents(zip.write()).unwrap()[1].1, b"two");
    zip.records[1].local.extra = wide_extra(&[offset + 1]);
    assert!(refusal(zip.write()).contains("its local header has other sizes"));
}

/// Writes a file with a hole of five gibibytes, in the form of PyTorch's writer.
fn sparse(file: &File) {
    let size = 5 * GIB;
    let mut big = wide_record("a/big", b"");
    big.central.extra = wide_extra(&[size, size]);
    big.local.extra = wide_extra(&[size, 0]);
    big.central.crc32 = 0x1234_5678;
    big.descriptor.clear();
    let head = Zip { records: vec![big.clone()], ..Zip::default() }.write();
    let body = 30 + 5 + big.local.extra.len();
    file.write_all_at(&head[..body], 0).unwrap();
    let tail = tail(&big, body as u64 + size);
    file.write_all_at(&tail, body as u64 + size).unwrap();
}

/// Returns the bytes behind the hole at `end`: its descriptor, another entry, the directory and the
/// end records.
fn tail(big: &Record, end: u64) -> Vec<u8> {
    let descriptor = wide_descriptor(big.central.crc32, 5 * GIB);
    let offset = end + descriptor.len() as u64;
    let mut last = Record::streamed("a/last", b"last");
    last.offset = Some(u32::MAX);
    last.central.extra = wide_extra(&[offset]);
    last.local.extra = wide_extra(&[offset]);
    last.descriptor = wide_descriptor(last.central.crc32, 4);
    let local = 30 + 6 + last.local.extra.len() as u64 + 4 + 24;
    let mut big = big.clone();
    (big.present, big.offset) = (false, Some(0));
    let mut zip = Zip { records: vec![big, last], ..Zip::streamed(&[]) };
    zip.end.offset = Some(u32::MAX);
    let wide = zip.wide.as_mut().unwrap();
    wide.offset = Some(offset + local);
    wide.position = Some(offset + local + 46 + 5 + 20 + 46 + 6 + 12);
    [descriptor, zip.write()].concat()
}

#[test]
fn files_beyond_four_gibibytes_are_mapped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.zip");
    sparse(&File::create(&path).unwrap());
    let options = ReadOptions { memory: MemoryMode::Map, verify: true };
    let container = ZipFile::open(&path, &options).unwrap();
    let big = container.entry("a/big").unwrap();
    assert_eq!((big.len() as u64, big.bytes()[5 * GIB as usize - 1]), (5 * GIB, 0));
    let last = container.get("a/last").unwrap();
    assert_eq!(last.bytes(), b"last");
    assert!(last.offset() > 5 * GIB);
}

#[test]
fn many_entries_are_read() {
    let names: Vec<_> = (0..70_000).map(|number| format!("a/data/weights/weight_{number}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    let mut zip = Zip::streamed(&entries);
    zip.end.count = Some(0xffff);
    let container = ZipFile::from_bytes(zip.write(), &ReadOptions::default()).unwrap();
    assert_eq!(container.names().count(), 70_000);
    assert_eq!(container.get("a/data/weights/weight_69999").unwrap().bytes(), b"x");
}

#[test]
fn sizes_beyond_the_file_are_refused_at_once() {
    for size in [4, 1 << 31, 1 << 40, 1 << 62, u64::MAX, u64::MAX - 40] {
        let mut zip = Zip { records: vec![wide_record("x", b"abc")], ..Zip::default() };
        zip.records[0].central.extra = wide_extra(&[size, size]);
        zip.records[0].local.extra = wide_extra(&[size, 0]);
        zip.records[0].descriptor = wide_descriptor(zip.records[0].central.crc32, size);
        assert!(refusal(zip.write()).contains("entry `x`"));
    }
    for (size, offset) in [(u64::MAX, 0), (u64::MAX, u64::MAX), (1 << 63, 1 << 63), (46, u64::MAX - 10)] {
        let mut zip = Zip::streamed(&[("x", b"abc")]);
        let wide = zip.wide.as_mut().unwrap();
        (wide.size, wide.offset) = (Some(size), Some(offset));
        zip.end.size = Some(size.min(u32::MAX.into()) as u32);
        zip.end.offset = Some(offset.min(u32::MAX.into()) as u32);
        assert!(refusal(zip.write()).contains("the directory does not reach"));
    }
}

#[test]
fn threads_read_a_large_entry_consistently() {
    let plain: Vec<u8> =
        (0..(9 << 20) + 77).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut hidden = plain.clone();
    // Across the boundary between two threads' parts.
    let at = (4 << 20) - 2;
    hidden[at..at + 16].copy_from_slice(&crate::archive_builder::descriptor(1, at as u32));
    let options = ReadOptions { memory: MemoryMode::Copy, verify: false };
    for (body, damaged, why) in [
        (&plain, None, ""),
        (&plain, Some(plain.len() - 1), "CRC-32"),
        (&plain, Some(4 << 20), "CRC-32"),
        (&hidden, None, "data descriptor at which some readers end it"),
    ] {
        let mut bytes = Zip::streamed(&[("a/x", body)]).write();
        let start = bytes.windows(64).position(|window| window == &body[..64]).unwrap();
        damaged.into_iter().for_each(|at: usize| bytes[start + at] ^= 1);
        let entry = ZipFile::from_bytes(bytes, &options).unwrap().entry("a/x").unwrap();
        let (one, many) = (entry.verify(), entry.verify_in_threads());
        match (one, many) {
            (Ok(()), Ok(())) => assert!(why.is_empty()),
            (Err(one), Err(many)) => {
                assert_eq!(one.to_string(), many.to_string());
                assert!(many.to_string().contains(why), "{many}");
            }
            (one, many) => panic!("{one:?} and {many:?}"),
        }
    }
}
