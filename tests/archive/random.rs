//! Random bytes and random damage: an error or an archive, never a panic.

use crate::archive_builder::{contents, sound};
use crate::repository::{repository, writer_versions};
use proptest::collection::vec;
use proptest::prelude::*;
use pt2_format::archive::{Archive, ReadOptions};

fn genuine(which: usize) -> Vec<u8> {
    let versions = writer_versions();
    let version = &versions[which % versions.len()];
    std::fs::read(repository(&format!("tests/archives/{version}/mutation.pt2"))).unwrap()
}

/// Reads all contents.
fn read_all(bytes: Vec<u8>) {
    let Ok(archive) = Archive::from_bytes(bytes, &ReadOptions::default()) else { return };
    for model in archive.models() {
        let _ = (archive.program(model), archive.weights(model), archive.constants(model));
    }
    for entry in archive.entries() {
        let slice = archive.entry(entry.name()).unwrap();
        let _ = slice.verify();
        if let Ok(container) = slice.nested(false) {
            container.names().for_each(|name| drop(container.get(name)));
        }
    }
}

/// Returns a position for damage: anywhere, or among the records at the end.
fn place(length: usize, at: usize, from_end: bool) -> usize {
    let at = at % length;
    if from_end { length - 1 - at % length.min(2000) } else { at }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in vec(any::<u8>(), 0..400)) {
        read_all(bytes);
    }

    #[test]
    fn random_bytes_before_an_end_record(mut bytes in vec(any::<u8>(), 0..200), fields in vec(0u8..80, 16)) {
        bytes.extend(b"PK\x05\x06");
        bytes.extend(fields);
        bytes.extend([0, 0]);
        read_all(bytes);
    }

    #[test]
    fn damaged_archives(
        which in 0usize..5,
        damage in vec((any::<usize>(), any::<bool>(), any::<u8>()), 1..12),
    ) {
        let mut bytes = genuine(which);
        for (at, from_end, value) in damage {
            let at = place(bytes.len(), at, from_end);
            bytes[at] = value;
        }
        read_all(bytes);
    }

    #[test]
    fn cut_and_joined_archives(
        which in 0usize..5,
        cuts in vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..4),
    ) {
        let bytes = genuine(which);
        let part = |(left, right): (prop::sample::Index, prop::sample::Index)| {
            let (left, right) = (left.index(bytes.len()), right.index(bytes.len()));
            bytes[left.min(right)..left.max(right)].to_vec()
        };
        read_all(cuts.into_iter().flat_map(part).collect());
    }

    /// Damage to small zips hits their structure. A zip that still loads has the written contents.
    #[test]
    fn damaged_zips(
        which in 0usize..2,
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let zip = &sound()[which];
        let mut bytes = zip.write();
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(entries) = contents(bytes) {
            let written: Vec<_> = zip.records.iter().map(|record| record.body.clone()).collect();
            prop_assert!(entries.into_iter().map(|(_, body)| body).eq(written));
        }
    }
}
