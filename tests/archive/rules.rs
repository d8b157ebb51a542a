//! Rules about zips, each violated alone: the error identifies the rule and the entry.

use crate::archive_builder::{
    Record, Wide, Zip, contents, extra, refusal, sound, wide_descriptor, wide_extra,
};

type Break = fn(&mut Zip);

/// Breaks one rule in zips of both styles.
fn expect(reason: &str, entry: Option<&str>, break_it: Break) {
    for mut zip in sound() {
        break_it(&mut zip);
        let said = refusal(zip.write());
        assert!(said.contains(reason), "expected `{reason}`, got `{said}`");
        assert_eq!(entry.is_some(), said.contains("entry `"), "{said}");
        assert!(entry.is_none_or(|entry| said.contains(&format!("entry `{entry}`"))), "{said}");
    }
}

fn rename(record: &mut Record, name: &[u8]) {
    record.local.name = name.into();
    record.central.name = name.into();
}

fn both(record: &mut Record, change: fn(&mut crate::archive_builder::Header)) {
    change(&mut record.local);
    change(&mut record.central);
}

const SECOND: Option<&str> = Some("a/second");

#[test]
fn sound_zips_are_accepted() {
    for zip in sound() {
        let entries = contents(zip.write()).unwrap();
        assert_eq!(entries[0], ("a/first".into(), b"one".to_vec()));
        assert_eq!(entries[1], ("a/second".into(), b"two and more".to_vec()));
    }
}

#[test]
fn a_zip_without_entries_is_a_zip() {
    assert_eq!(contents(Zip::plain(&[]).write()).unwrap(), []);
    assert_eq!(contents(Zip::streamed(&[]).write()).unwrap(), []);
}

#[test]
fn empty_entries_have_no_descriptor() {
    let mut zip = Zip::streamed(&[("a/empty", b""), ("a/b", b"x")]);
    zip.records[0].descriptor.clear();
    both(&mut zip.records[0], |header| header.flags = 0x0800);
    assert_eq!(contents(zip.write()).unwrap()[0], ("a/empty".into(), vec![]));
}

#[test]
fn bytes_outside_the_zip_are_refused() {
    expect("does not reach from its stated offset", None, |zip| {
        zip.before = b"#!/bin/sh\n".to_vec();
        zip.end.offset = Some(0);
        zip.wide = None;
    });
    expect("does not begin where the entry before it ends", Some("a/first"), |zip| zip.before = vec![0]);
    expect("the end record announces a comment", None, |zip| zip.end.comment_length = Some(1));
    expect("or a comment in it", None, |zip| zip.end.comment = b"hello".to_vec());
    expect("bytes after the zip's end record", None, |zip| zip.after = vec![0]);
    expect("unused bytes before the directory", None, |zip| zip.before_directory = vec![0; 16]);
    expect("does not reach from its stated offset", None, |zip| zip.after_directory = vec![0; 4]);
}

#[test]
fn entries_tile_the_file() {
    expect("does not begin where the entry before it ends", SECOND, |zip| zip.records[1].offset = Some(0));
    expect("does not begin where the entry before it ends", SECOND, |zip| {
        zip.records[0].descriptor.extend([0; 16]);
    });
    expect("does not begin where the entry before it ends", SECOND, |zip| zip.records[0].listed = false);
    expect("there is no local header", SECOND, |zip| zip.records[1].present = false);
    expect("does not begin where the entry before it ends", SECOND, |zip| zip.records.swap_overlapping());
}

trait Overlap {
    fn swap_overlapping(&mut self);
}

impl Overlap for Vec<Record> {
    /// Two names for one body.
    fn swap_overlapping(&mut self) {
        let mut other = self[0].clone();
        other.present = false;
        other.offset = Some(0);
        rename(&mut other, b"a/second");
        self[1] = other;
    }
}

#[test]
fn the_directory_is_counted() {
    expect("more entries or bytes than it counts", None, |zip| set_count(zip, 1));
    expect("more entries than its directory has room for", None, |zip| set_count(zip, 3));
    expect("the directory ends before its last entry", None, |zip| {
        zip.records[0].central.extra = extra(0x1234, &[0; 60]);
        set_count(zip, 3);
    });
    expect("several volumes", None, |zip| zip.end.here = Some(1));
    expect("several volumes", None, |zip| zip.end.disk = 1);
    expect("several volumes", None, |zip| zip.end.first_disk = 1);
    expect("it lies in another volume", SECOND, |zip| zip.records[1].disk = 1);
}

fn set_count(zip: &mut Zip, count: u16) {
    zip.end.count = Some(count);
    if let Some(wide) = &mut zip.wide {
        wide.count = Some(count.into());
    }
}

#[test]
fn the_two_headers_agree() {
    let other = "its local header has";
    expect(&format!("{other} another checksum"), SECOND, |zip| zip.records[1].local.crc32 ^= 0x10);
    expect(&format!("{other} other sizes"), SECOND, |zip| zip.records[1].local.size += 1);
    expect(&format!("{other} other sizes"), SECOND, |zip| zip.records[1].local.compressed += 1);
    expect(&format!("{other} another time"), SECOND, |zip| zip.records[1].local.time += 1);
    expect(&format!("{other} other flags"), SECOND, |zip| zip.records[1].local.flags ^= 0x0800);
    expect("its local header gives another name", SECOND, |zip| {
        zip.records[1].local.name = b"a/third!".to_vec()
    });
    expect("is compressed (deflate)", SECOND, |zip| zip.records[1].local.method = 8);
}

#[test]
fn only_stored_entries_are_read() {
    expect("is compressed (deflate)", SECOND, |zip| both(&mut zip.records[1], |header| header.method = 8));
    expect("is compressed (method 93)", SECOND, |zip| both(&mut zip.records[1], |header| header.method = 93));
    expect("is encrypted", SECOND, |zip| both(&mut zip.records[1], |header| header.flags |= 1));
    expect("is encrypted", SECOND, |zip| zip.records[1].local.flags |= 1);
    expect("is encrypted", SECOND, |zip| zip.records[1].central.extra = extra(0x9901, &[0; 7]));
    expect("two different sizes", SECOND, |zip| zip.records[1].central.size += 1);
    expect("newer than 4.5", SECOND, |zip| both(&mut zip.records[1], |header| header.needed = 51));
    for bit in [1, 2, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15] {
        for mut zip in sound() {
            zip.records[1].central.flags |= 1 << bit;
            assert!(refusal(zip.write()).contains("its flags ask for something"));
        }
    }
}

#[test]
fn descriptors_agree_with_the_directory() {
    let [_, sound] = sound();
    let reason = "its data descriptor does not agree";
    for at in [0, 4, 8, 12] {
        let mut zip = sound.clone();
        zip.records[1].descriptor[at] ^= 1;
        assert!(refusal(zip.write()).contains(reason));
    }
    let mut wide = sound.clone();
    wide.records[1].descriptor = wide_descriptor(wide.records[1].central.crc32, 12);
    assert!(refusal(wide.write()).contains(reason));
    let mut unsigned = sound.clone();
    unsigned.records[1].descriptor.drain(..4);
    assert!(refusal(unsigned.write()).contains(reason));
    let mut missing = sound;
    missing.records[1].descriptor.clear();
    assert!(refusal(missing.write()).contains(reason));
}

#[test]
fn names_are_plain() {
    let long = vec![b'x'; 4097];
    let cases: [(&[u8], &str); 20] = [
        (b"", "it has no name"),
        (b"/etc/passwd", "absolute path"),
        (b"C:/x", "drive letter"),
        (b"a/../b", "empty or only dots"),
        (b"..", "empty or only dots"),
        (b"a/./b", "empty or only dots"),
        (b".../b", "empty or only dots"),
        (b"a//b", "empty or only dots"),
        (b"a\\b", "backslash"),
        (b"a\0b", "control character"),
        (b"a\nb", "control character"),
        (b"a\x7fb", "control character"),
        ("a\u{85}b".as_bytes(), "control character"),
        (b"a/", "it is a folder"),
        (b"\xff\xfe", "not UTF-8"),
        (&long, "longer than 4096 bytes"),
        (b"a/first", "it occurs twice"),
        (b"A/FIRST", "cannot tell its name from `a/first`"),
        (b"a/first. ", "cannot tell its name from `a/first`"),
        (b"a", "it is a file and also the folder of `a/first`"),
    ];
    for (name, reason) in cases {
        for mut zip in sound() {
            rename(&mut zip.records[1], name);
            both(&mut zip.records[1], |header| header.flags |= 0x0800);
            let said = refusal(zip.write());
            assert!(said.contains(reason), "expected `{reason}`, got `{said}`");
        }
    }
}

#[test]
fn names_that_are_not_ascii_are_marked() {
    let mut zip = Zip::plain(&[("modèle", b"x")]);
    assert!(refusal(zip.write()).contains("its encoding is a guess"));
    both(&mut zip.records[0], |header| header.flags = 0x0800);
    assert_eq!(contents(zip.write()).unwrap()[0].0, "modèle");
}

#[test]
fn names_that_windows_confuses_are_refused() {
    for (left, right) in [("a*b", "a?b"), ("straße", "STRASSE"), ("ab:c", "ab_c"), ("x /y", "x/y")] {
        let zip = Zip::streamed(&[(left, b"1"), (right, b"2")]);
        assert!(refusal(zip.write()).contains("cannot tell its name"));
    }
}

#[test]
fn entries_are_plain_files() {
    let reason = "its attributes say that it is no plain file";
    for mode in [0o040000u32, 0o120000, 0o020000, 0o060000, 0o010000, 0o140000] {
        for mut zip in sound() {
            zip.records[0].attributes = (mode | 0o644) << 16;
            assert!(refusal(zip.write()).contains(reason));
        }
    }
    expect(reason, SECOND, |zip| zip.records[1].attributes = 0x10);
    expect(reason, SECOND, |zip| zip.records[1].attributes = 0x08);
    expect("it has a comment", SECOND, |zip| zip.records[1].comment = b"hidden".to_vec());
    for mut zip in sound() {
        zip.records[1].attributes = 0o100644 << 16;
        contents(zip.write()).unwrap();
    }
}

#[test]
fn extra_fields_are_lists() {
    expect("an extra field is cut short", SECOND, |zip| zip.records[1].local.extra = vec![1, 2, 3]);
    expect("an extra field is cut short", SECOND, |zip| zip.records[1].central.extra = vec![1, 2, 9, 0, 3]);
    expect("it has two ZIP64 fields", SECOND, |zip| {
        let one = wide_extra(&[12, 12]);
        zip.records[1].local.extra = [one.clone(), one].concat();
    });
    for mut zip in sound() {
        zip.records[1].central.extra = extra(0x5455, &[1, 0, 0, 0, 0]);
        contents(zip.write()).unwrap();
    }
}

#[test]
fn zip64_fields_hold_exactly_the_requested_values() {
    expect("its ZIP64 field is empty", SECOND, |zip| zip.records[1].central.extra = wide_extra(&[]));
    expect("a value that nothing asks for", SECOND, |zip| zip.records[1].central.extra = wide_extra(&[12]));
    expect("lacks a value", SECOND, |zip| {
        zip.records[1].central.size = u32::MAX;
        zip.records[1].central.compressed = u32::MAX;
        zip.records[1].central.extra = wide_extra(&[12]);
    });
    expect("its bytes run into the directory", SECOND, |zip| {
        let record = &mut zip.records[1];
        (record.central.size, record.central.compressed) = (u32::MAX, u32::MAX);
        record.central.extra = wide_extra(&[1 << 62, 1 << 62]);
        (record.local.size, record.local.compressed) = (u32::MAX, u32::MAX);
        record.local.extra = wide_extra(&[1 << 62, 1 << 62]);
        both(record, |header| header.flags = 0);
        record.local.crc32 = record.central.crc32;
    });
    expect("its local header has other sizes", SECOND, |zip| {
        zip.records[1].local.extra = wide_extra(&[13, 12]);
    });
}

#[test]
fn zip64_end_records_agree() {
    let [zip, _] = sound();
    let broken = |change: fn(&mut Zip, &mut Wide), reason: &str| {
        let (mut zip, mut wide) = (zip.clone(), Wide::default());
        change(&mut zip, &mut wide);
        zip.wide = Some(wide);
        let said = refusal(zip.write());
        assert!(said.contains(reason), "expected `{reason}`, got `{said}`");
    };
    let differ = "the end record and its ZIP64 form say different things";
    broken(|zip, _| zip.end.count = Some(0xffff), differ);
    broken(|zip, _| zip.end.size = Some(u32::MAX), differ);
    broken(|zip, _| zip.end.offset = Some(u32::MAX), differ);
    broken(|_, wide| wide.count = Some(1), differ);
    broken(|_, wide| wide.size = Some(46), differ);
    broken(|_, wide| wide.here = Some(1), "several volumes");
    broken(|_, wide| wide.disk = 1, "several volumes");
    broken(|_, wide| wide.disks = 2, "several volumes");
    broken(|_, wide| wide.length = 45, "a length that no writer gives it");
    broken(|_, wide| wide.position = Some(3), "does not point at the record before it");
    broken(|_, wide| wide.has_record = false, "does not point at the record before it");
    broken(|_, wide| wide.extensible = vec![0; 12], "does not point at the record before it");
    broken(|_, wide| wide.gap = vec![0], "does not reach from its stated offset");
}

#[test]
fn too_many_entries_are_refused_before_they_are_read() {
    let mut zip = Zip::streamed(&[]);
    zip.end.count = Some(0xffff);
    zip.wide.as_mut().unwrap().count = Some(262_145);
    assert!(refusal(zip.write()).contains("more than 262,144 entries"));
    zip.wide.as_mut().unwrap().count = Some(262_144);
    assert!(refusal(zip.write()).contains("more entries than its directory has room for"));
}

#[test]
fn wrong_checksums_are_refused() {
    for mut zip in sound() {
        zip.records[1].body[3] ^= 1;
        assert!(refusal(zip.write()).contains("entry `a/second` is damaged"));
    }
}
