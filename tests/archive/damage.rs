//! Damaged files: truncated anywhere, or with any byte changed.

use crate::repository::repository;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pt2_format::Error;
use pt2_format::archive::{Archive, ReadOptions, ZipFile};

const SMALL: [&str; 3] = ["2.6.0/mutation", "2.8.0/mutation", "2.11.0/mutation"];

fn archive(name: &str) -> Vec<u8> {
    std::fs::read(repository("tests/archives").join(name).with_extension("pt2")).unwrap()
}

fn all_archives() -> Vec<PathBuf> {
    let inside = |folder: &Path| folder.read_dir().unwrap().map(|item| item.unwrap().path());
    let folders = inside(&repository("tests/archives")).filter(|folder| folder.is_dir());
    folders
        .flat_map(|folder| inside(&folder))
        .filter(|file| file.extension().is_some_and(|kind| kind == "pt2"))
        .collect()
}

/// Returns every verified entry of an archive and of the torch.save files in it.
fn contents(bytes: Vec<u8>) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let archive = Archive::from_bytes(bytes, &ReadOptions::default())?;
    let mut contents = BTreeMap::new();
    for entry in archive.entries() {
        let slice = archive.entry(entry.name())?;
        slice.verify()?;
        if entry.name().ends_with(".pt") {
            inner(&slice.nested(true)?, entry.name(), &mut contents)?;
        }
        contents.insert(entry.name().to_owned(), slice.bytes().to_vec());
    }
    Ok(contents)
}

fn inner(container: &ZipFile, outer: &str, contents: &mut BTreeMap<String, Vec<u8>>) -> Result<(), Error> {
    for name in container.names() {
        contents.insert(format!("{outer}: {name}"), container.get(name)?.bytes().to_vec());
    }
    Ok(())
}

fn require_typed(error: &Error, bytes: &str) {
    let typed = matches!(error, Error::Archive { .. } | Error::Unsupported { .. } | Error::Checksum { .. });
    assert!(typed, "{bytes}: {error:?}");
}

/// Tries four other values in the place of each byte.
fn changed_bytes(name: &str) -> (usize, usize) {
    let sound = archive(name);
    let expected = contents(sound.clone()).unwrap();
    let (mut tried, mut harmless) = (0, 0);
    for at in 0..sound.len() {
        for change in [0x01, 0x80, 0xff, sound[at].max(1)] {
            let mut damaged = sound.clone();
            damaged[at] ^= change;
            tried += 1;
            match contents(damaged) {
                Err(error) => require_typed(&error, &format!("{name} byte {at}")),
                Ok(found) => {
                    assert!(found == expected, "{name}: byte {at} xor {change:#x} loads as something else");
                    harmless += 1;
                }
            }
        }
    }
    (tried, harmless)
}

#[test]
fn a_changed_byte_is_found_or_harmless() {
    let figures: Vec<_> = std::thread::scope(|scope| {
        let jobs = SMALL.map(|name| scope.spawn(move || (name, changed_bytes(name))));
        jobs.map(|job| job.join().unwrap()).into()
    });
    for (name, (tried, harmless)) in figures {
        println!("{name}: {tried} changes, {harmless} harmless, the rest refused");
        // Only times, versions, attributes and padding may change without an error.
        assert!(harmless * 10 < tried, "{name}: {harmless} of {tried}");
    }
}

fn every_prefix(bytes: &[u8], step: usize) -> (usize, Duration) {
    let (mut tried, mut slowest) = (0, Duration::ZERO);
    for length in (0..bytes.len()).step_by(step) {
        let start = crate::cpu_time::used();
        let error = Archive::from_bytes(bytes[..length].to_vec(), &ReadOptions::default()).unwrap_err();
        slowest = slowest.max(crate::cpu_time::used() - start);
        require_typed(&error, &format!("the first {length} bytes"));
        tried += 1;
    }
    (tried, slowest)
}

#[test]
fn a_file_that_is_cut_short_is_refused() {
    for name in SMALL {
        let (tried, slowest) = every_prefix(&archive(name), 1);
        println!("{name}: {tried} prefixes, slowest {slowest:?}");
        assert!(slowest < Duration::from_secs(1));
    }
    for path in all_archives() {
        every_prefix(&std::fs::read(path).unwrap(), 997);
    }
}

#[test]
#[ignore = "takes minutes: every prefix of every archive"]
fn every_prefix_of_every_archive_is_refused() {
    let mut figures = (0, Duration::ZERO);
    for path in all_archives() {
        let (tried, slowest) = every_prefix(&std::fs::read(path).unwrap(), 1);
        figures = (figures.0 + tried, figures.1.max(slowest));
    }
    println!("{} prefixes, slowest {:?}", figures.0, figures.1);
}

#[test]
#[ignore = "takes minutes: every byte of every archive below 60 kB"]
fn a_changed_byte_of_any_small_archive_is_found_or_harmless() {
    let mut figures = (0, 0, 0);
    for path in all_archives().iter().filter(|path| path.metadata().unwrap().len() < 60_000) {
        let name = path.strip_prefix(repository("tests/archives")).unwrap().with_extension("");
        let (tried, harmless) = changed_bytes(name.to_str().unwrap());
        figures = (figures.0 + 1, figures.1 + tried, figures.2 + harmless);
    }
    println!("{} archives, {} changes, {} harmless, the rest refused", figures.0, figures.1, figures.2);
}

#[test]
fn truncated_files_are_reported_as_truncated() {
    let bytes = archive("2.15.0/tree");
    let said =
        |bytes: &[u8]| Archive::from_bytes(bytes.to_vec(), &ReadOptions::default()).unwrap_err().to_string();
    assert!(said(&bytes[..bytes.len() - 1]).contains("the file is cut short"));
    assert!(said(&bytes[..100]).contains("the file is cut short"));
    assert!(said(&[&bytes[..], b"\n"].concat()).contains("bytes after the zip's end record"));
}
