//! Fourteen kinds of ambiguous zips of "My ZIP isn't your ZIP" (USENIX Security 2025), which
//! compared fifty readers, and nine reasons for which Python's package installers reject a zip.
//! Each is built here.

use crate::archive_builder::{
    Record, STREAMED, Wide, Zip, contents, descriptor, extra, refusal, wide_descriptor, wide_extra,
};

fn one() -> Zip {
    Zip::plain(&[("test", b"test")])
}

fn two() -> Zip {
    Zip::plain(&[("a", b"a"), ("b", b"b")])
}

fn refused(zip: &Zip) {
    refusal(zip.write());
}

/// Makes a change to a zip and expects a refusal.
fn refused_after(mut zip: Zip, change: impl FnOnce(&mut Zip)) {
    change(&mut zip);
    refused(&zip);
}

#[test]
fn a1_compression_method() {
    refused_after(one(), |zip| zip.records[0].local.method = 8);
    refused_after(one(), |zip| zip.records[0].central.method = 8);
}

/// Sizes in one header of the size confusion.
#[derive(Clone, Copy)]
struct Sizes {
    zero: [bool; 2],
    wide: [bool; 2],
}

impl Sizes {
    fn all() -> impl Iterator<Item = Self> + Clone {
        (0..16u8).map(|bits| {
            let bit = |at: u8| bits & (1 << at) != 0;
            Self { zero: [bit(0), bit(1)], wide: [bit(2), bit(3)] }
        })
    }

    fn apply(self, header: &mut crate::archive_builder::Header) {
        let mut wide = Vec::new();
        for (field, at) in [(&mut header.size, 1), (&mut header.compressed, 0)] {
            if self.zero[at] {
                *field = 0;
            }
            if self.wide[at] {
                wide.push(u64::from(*field));
                *field = u32::MAX;
            }
        }
        if !wide.is_empty() {
            header.extra = wide_extra(&wide);
        }
    }
}

fn size_confusion(local: Sizes, central: Sizes, descriptor_kind: Option<u8>) -> Zip {
    let mut zip = one();
    let record = &mut zip.records[0];
    local.apply(&mut record.local);
    central.apply(&mut record.central);
    if let Some(kind) = descriptor_kind {
        record.local.flags = STREAMED;
        record.central.flags = STREAMED;
        let size = if kind & 1 != 0 { 0 } else { 4 };
        let crc32 = record.central.crc32;
        record.descriptor =
            if kind & 2 != 0 { wide_descriptor(crc32, size.into()) } else { descriptor(crc32, size) };
    }
    zip
}

#[test]
fn a2_sizes() {
    let (mut built, mut accepted) = (0, 0);
    for local in Sizes::all() {
        for central in Sizes::all() {
            for kind in [None, Some(0), Some(1), Some(2), Some(3)] {
                built += 1;
                match contents(size_confusion(local, central, kind).write()) {
                    Ok(entries) => {
                        assert_eq!(entries, [("test".into(), b"test".to_vec())]);
                        assert_eq!(central.zero, [false; 2]);
                        accepted += 1;
                    }
                    Err(pt2_format::Error::Archive { .. }) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }
    }
    // Accepted are zips whose headers agree. Without a descriptor, both sizes or none are wide in
    // the local header. With one, local sizes are real or open, and the descriptor is the narrow
    // one. The directory can be widened in four ways.
    assert_eq!((built, accepted), (1280, 4 * 2 + 4 * 4));
    refused_after(one(), |zip| {
        let twice = [wide_extra(&[4, 4]), wide_extra(&[0, 0])].concat();
        let record = &mut zip.records[0];
        (record.central.size, record.central.compressed) = (u32::MAX, u32::MAX);
        record.central.extra = twice;
    });
}

fn unicode_path(version: u8, crc32: u32, name: &str) -> Vec<u8> {
    extra(0x7075, &[&[version][..], &crc32.to_le_bytes(), name.as_bytes()].concat())
}

#[test]
fn a3_name() {
    refused_after(one(), |zip| zip.records[0].local.name = b"lfh_".to_vec());
    let crc32 = crc32fast::hash(b"test");
    let fields = [
        unicode_path(1, crc32, "other"),
        unicode_path(0, crc32, "test"),
        unicode_path(2, crc32, "test"),
        unicode_path(1, 0, "test"),
        [unicode_path(1, crc32, "test"), unicode_path(1, crc32, "next")].concat(),
        unicode_path(1, crc32fast::hash(b"other"), "other"),
        extra(0x7075, &[1]),
        extra(0x7075, &[]),
    ];
    for field in fields {
        refused_after(one(), |zip| zip.records[0].local.extra = field.clone());
        refused_after(one(), |zip| zip.records[0].central.extra = field.clone());
        refused_after(one(), |zip| {
            let record = &mut zip.records[0];
            (record.local.flags, record.central.flags) = (0x0800, 0x0800);
            (record.local.extra, record.central.extra) = (field.clone(), field);
        });
    }
    let mut agreeing = one();
    agreeing.records[0].central.extra = unicode_path(1, crc32, "test");
    contents(agreeing.write()).unwrap();
}

#[test]
fn a4_file_or_folder() {
    refused(&Zip::plain(&[("test/", b"test")]));
    refused(&Zip::plain(&[("test\\", b"test")]));
    refused(&Zip::plain(&[("test/", b"")]));
    for attributes in [0x10, 0x4000 << 16] {
        for system in [0, 3 << 8, 19 << 8] {
            refused_after(one(), |zip| {
                zip.records[0].attributes = attributes;
                zip.records[0].made_by = system;
            });
        }
    }
}

#[test]
fn a5_encryption() {
    refused_after(one(), |zip| zip.records[0].local.flags |= 1);
    refused_after(one(), |zip| zip.records[0].central.flags |= 1);
    refused_after(two(), |zip| {
        zip.records[0].local.flags |= 1;
        zip.records[0].central.flags |= 1;
    });
}

#[test]
fn b1_duplicates() {
    refused(&Zip::plain(&[("test", b"a"), ("test", b"b")]));
    refused(&Zip::plain(&[("test", b"a"), ("test", b"a")]));
}

/// Every byte in a name: rejected, or present under exactly that name. No two accepted names are
/// the same file to a reader that replaces characters that Windows forbids.
#[test]
fn b2_special_bytes() {
    let named = |byte: u8| [b'x', b'x', byte, b'y'];
    let with = |bytes: &[u8]| {
        let mut zip = Zip::plain(&vec![("xx-y", &b""[..]); bytes.len()]);
        for (record, &byte) in zip.records.iter_mut().zip(bytes) {
            record.local.name = named(byte).to_vec();
            record.central.name = named(byte).to_vec();
        }
        contents(zip.write())
    };
    let single = (0..=255u8).filter(|&byte| with(&[byte]).is_ok()).count();
    assert_eq!(single, 256 - 128 - 32 - 2, "neither control characters, DEL, backslash nor half of UTF-8");
    for left in 0..=255u8 {
        for right in 0..=255u8 {
            let (forbidden, other) = (b"<>:\"|?*_".contains(&left), b"<>:\"|?*_".contains(&right));
            let same_case = left.eq_ignore_ascii_case(&right);
            if (forbidden && other) || same_case {
                assert!(with(&[left, right]).is_err(), "{left:#x} {right:#x}");
            }
        }
    }
}

#[test]
fn b3_canonical_paths() {
    let paths =
        ["/a/b", "a//b", "a\\b", "./a/b", "a/./b", "a/b/.", "../a/b", ".../a/b", "a/.../b", "c/../a/b"];
    for path in paths {
        refused(&Zip::plain(&[("a/b", b"a"), (path, b"b")]));
        refused(&Zip::plain(&[(path, b"a"), ("a/b", b"b")]));
    }
}

#[test]
fn b4_case() {
    refused(&Zip::plain(&[("test.txt", b"a"), ("test.TXT", b"b")]));
    refused(&Zip::plain(&[("Folder/a", b"a"), ("folder/A", b"b")]));
    refused(&Zip::plain(&[("Folder", b"a"), ("folder/A", b"b")]));
}

#[test]
fn c1_streams_of_local_headers() {
    refused_after(two(), |zip| zip.records[1].listed = false);
    refused_after(two(), |zip| zip.records[0].listed = false);
    // The second entry is in a comment of the directory, the end of the zip in another.
    refused_after(two(), |zip| {
        let hidden = Zip::plain(&[("b", b"b")]).write();
        zip.records[0].comment = hidden;
        zip.records[1].present = false;
        zip.records[1].offset = Some(100);
    });
    // The directory lists an entry inside of a body.
    for overlap in [false, true] {
        let inner = Zip::plain(&[("a", b"a")]).write();
        let mut zip = Zip::plain(&[("junk", &inner), ("b", b"b")]);
        let mut inside = Record::plain("a", b"a");
        (inside.present, inside.offset) = (false, Some(30 + 4));
        zip.records.push(inside);
        if !overlap {
            zip.records[0].listed = false;
        }
        refused(&zip);
    }
}

/// A stream reader ends an entry at the first valid descriptor; the directory records a larger
/// size.
#[test]
fn c1_descriptor_inside_a_body() {
    let early = Zip::plain(&[("hidden", b"entry")]).write();
    let narrow = |body: &[u8]| [body, &descriptor(crc32fast::hash(body), body.len() as u32), &early].concat();
    let wide =
        |body: &[u8]| [body, &wide_descriptor(crc32fast::hash(body), body.len() as u64), &early].concat();
    // Lengths around the size of the parts in which bodies are checked.
    let lengths = [0, 1, 7, 32757, 32765, 32766, 32767, 32768, 32769, 70000];
    for body in lengths.map(|length| vec![7; length]) {
        for shown in [narrow(&body), wide(&body)] {
            let said = refusal(Zip::streamed(&[("shown", &shown)]).write());
            assert!(said.contains("a data descriptor at which some readers end it"), "{said}");
            contents(Zip::plain(&[("shown", &shown)]).write()).unwrap();
        }
        let elsewhere = [&[0][..], &narrow(&body)].concat();
        contents(Zip::streamed(&[("shown", &elsewhere)]).write()).unwrap();
    }
}

#[test]
fn c1_records_inside_a_body_are_bytes() {
    let inner = Zip::streamed(&[("a", b"a"), ("b", b"b")]).write();
    let zip = Zip::streamed(&[("outer", &inner), ("next", b"n")]);
    assert_eq!(contents(zip.write()).unwrap()[0].1, inner);
}

#[test]
fn c2_which_end_record() {
    for difference in [0, 1] {
        let parts = ["a", "b", "c"].map(|name| Zip::plain(&[(name, name.as_bytes())]).write());
        let length = parts[0].len() as u16;
        let mut bytes = Vec::new();
        for (mut part, left) in parts.into_iter().zip([2, 1, 0]) {
            let at = part.len() - 2;
            part[at..].copy_from_slice(&(left * length + difference).to_le_bytes());
            bytes.extend(part);
        }
        refusal(bytes);
    }
    refused_after(one(), |zip| zip.end.comment = Zip::plain(&[("b", b"b")]).write());
    let both = [one().write(), Zip::plain(&[("b", b"b")]).write()].concat();
    refusal(both);
}

#[test]
fn c3_how_many_entries() {
    for flags in 1..8u8 {
        refused_after(two(), |zip| {
            zip.end.here = Some(2 - u16::from(flags & 1 != 0));
            zip.end.count = Some(2 - u16::from(flags & 2 != 0));
            zip.end.size = (flags & 4 != 0).then_some(46 + 1);
        });
    }
    let names: Vec<_> = (1..=65537).map(|number| format!("{:x}/{:x}x", number / 256, number % 256)).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let zip = Zip::plain(&entries);
    assert!(refusal(zip.write()).contains("more entries or bytes than it counts"));
}

/// Two directories: the end record points at one and is adjacent to the other.
#[test]
fn c4_where_the_directory_is() {
    for entries in [two(), Zip::streamed(&[("a", b"a"), ("b", b"b")])] {
        refused_after(entries.clone(), |zip| zip.end.offset = Some(0));
        refused_after(entries.clone(), |zip| zip.end.size = Some(46 + 1));
        refused_after(entries.clone(), |zip| zip.before = Zip::plain(&[("x", b"x")]).write());
        refused_after(entries, |zip| {
            zip.before_directory = directory_of(&Zip::plain(&[("a", b"a"), ("c", b"c")]));
        });
    }
}

fn directory_of(zip: &Zip) -> Vec<u8> {
    let bytes = zip.write();
    let start = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    bytes[start..bytes.len() - 22].to_vec()
}

#[test]
fn c5_zip64_end_records() {
    for flags in 0..64u8 {
        let bit = |at: u8| flags & (1 << at) != 0;
        let mut inner = Zip::plain(&[("c", b"c")]);
        inner.wide = Some(Wide::default());
        let mut bytes = inner.write();
        bytes.truncate(bytes.len() - 22);
        bytes.extend(vec![0; usize::from(bit(4))]);
        refused_after(if bit(5) { one() } else { two() }, |zip| {
            zip.records.last_mut().unwrap().comment = bytes;
            (zip.end.disk, zip.end.first_disk) = if bit(0) { (u16::MAX, u16::MAX) } else { (0, 0) };
            zip.end.count = bit(1).then_some(u16::MAX);
            zip.end.size = bit(2).then_some(u32::MAX);
            zip.end.offset = bit(3).then_some(u32::MAX);
        });
    }
    for flags in 1..8u8 {
        refused_after(two(), |zip| {
            let bit = |at: u8| flags & (1 << at) != 0;
            zip.wide = Some(Wide {
                here: Some(2 - u64::from(bit(0))),
                count: Some(2 - u64::from(bit(1))),
                size: bit(2).then_some(47),
                ..Wide::default()
            });
        });
    }
    for position in [0, 35, 1 << 40, u64::MAX] {
        refused_after(two(), |zip| {
            zip.wide = Some(Wide { position: Some(position), ..Wide::default() });
        });
    }
    refused_after(two(), |zip| {
        let extensible = vec![0x37; 60];
        zip.wide = Some(Wide { length: 44 + 60, extensible, ..Wide::default() });
    });
}

/// The nine reasons of astral-sh/uv#15136 that no other test covers.
#[test]
fn reasons_of_package_installers() {
    refused(&Zip::plain(&[("same", b"a"), ("same", b"b")]));
    refused_after(two(), |zip| zip.records[1].listed = false);
    refused_after(two(), |zip| zip.records[1].present = false);
    refused_after(two(), |zip| zip.after = two().write());
    for mut zip in [one(), Zip::streamed(&[("test", b"test")])] {
        zip.records[0].central.crc32 ^= 1;
        refused(&zip);
        zip.records[0].central.crc32 ^= 1;
        zip.records[0].central.compressed += 1;
        refused(&zip);
        zip.records[0].central.compressed -= 1;
        zip.records[0].central.size += 1;
        refused(&zip);
        zip.records[0].central.size -= 1;
        zip.end.offset = Some(1);
        refused(&zip);
    }
    refused_after(two(), |zip| zip.wide = Some(Wide { position: Some(1), ..Wide::default() }));
}
