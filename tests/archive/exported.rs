//! Archives written by every version of PyTorch since 2.6 are accepted, with all their contents.

use crate::repository::{repository, writer_versions};
use std::path::{Path, PathBuf};

use crate::archive_builder::Zip;
use pt2_format::Error;
use pt2_format::archive::{Archive, ArchiveLayout, MemoryMode, Payload, ReadOptions, Slice, ZipFile};

fn open(path: &Path) -> Archive {
    Archive::open(path, &ReadOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn genuine(version: &str) -> Vec<PathBuf> {
    let folder = repository("tests/archives").join(version).read_dir().unwrap();
    let files = folder.map(|file| file.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|kind| kind == "pt2")).collect()
}

fn versions() -> Vec<(String, ArchiveLayout)> {
    let layout = |version: &str| match version {
        "2.6.0" | "2.7.1" => ArchiveLayout::Flat,
        "2.8.0" => ArchiveLayout::Pickled,
        _ => ArchiveLayout::Raw,
    };
    writer_versions().into_iter().map(|version| (version.clone(), layout(&version))).collect()
}

#[test]
fn every_archive_is_read() {
    let (mut archives, mut entries, mut inner) = (0, 0, 0);
    for (version, layout) in versions() {
        for path in genuine(&version) {
            let archive = open(&path);
            assert_eq!(archive.layout(), layout);
            assert_eq!(archive.models(), ["model"]);
            assert_eq!(archive.size(), path.metadata().unwrap().len());
            archives += 1;
            for entry in archive.entries() {
                let slice = archive.entry(entry.name()).unwrap();
                slice.verify().unwrap();
                require_same(&slice, entry.name(), entry.size(), entry.crc32());
                entries += 1;
                inner += nested(&slice);
            }
        }
    }
    println!("{archives} archives, {entries} entries, {inner} entries of torch.save files in them");
    assert!(archives >= 125, "{archives}");
}

fn require_same(slice: &Slice, name: &str, size: u64, crc32: u32) {
    assert_eq!((slice.name(), slice.len() as u64, slice.crc32()), (name, size, crc32));
    assert_eq!(slice.bytes().as_ptr(), slice.as_ptr());
}

/// Counts the entries of a torch.save file.
fn nested(slice: &Slice) -> usize {
    if !slice.name().ends_with(".pt") {
        return 0;
    }
    let container = slice.nested(true).unwrap();
    for name in container.names() {
        let inner = container.get(name).unwrap();
        assert_eq!((inner.offset() - slice.offset()) % 64, 0);
    }
    assert!(container.names().any(|name| name.ends_with("/data.pkl")));
    container.names().count()
}

#[test]
fn programs_are_json() {
    for (version, _) in versions() {
        for path in genuine(&version) {
            let program = open(&path).program("model").unwrap();
            let json: serde_json::Value = serde_json::from_slice(program.bytes()).unwrap();
            assert!(json["graph_module"].is_object(), "{path:?}");
        }
    }
}

fn archives_below(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let found = |path: PathBuf| match path.extension() {
        _ if path.is_dir() => archives_below(&path),
        Some(kind) if kind == "pt2" => vec![path],
        _ => Vec::new(),
    };
    entries.flat_map(found).collect()
}

/// Paths are relative (`tests/archives/traces.py`), or begin with a root that stands for any machine's.
#[test]
fn stack_traces_name_no_folder_of_the_exporting_machine() {
    let archives = archives_below(&repository("tests"));
    assert!(archives.len() > 100);
    for path in archives {
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for start in [r#"File \"/"#, "> from /"] {
            let is_neutral = |rest: &str| rest.starts_with("src/project/") || rest.starts_with("py/env/");
            assert!(text.split(start).skip(1).all(is_neutral), "{path:?}");
        }
    }
}

#[test]
fn weights_are_found_in_every_layout() {
    for (version, layout) in versions() {
        let path = repository("tests/archives").join(&version).join("tree.pt2");
        let archive = open(&path);
        for (stored, kind) in [
            (archive.weights("model").unwrap(), "weights"),
            (archive.constants("model").unwrap(), "constants"),
        ] {
            match (layout, stored) {
                (ArchiveLayout::Raw, Payload::Raw { config, folder }) => {
                    assert_eq!(config.name(), format!("tree/data/{kind}/model_{kind}_config.json"));
                    assert_eq!(folder, format!("tree/data/{kind}/"));
                }
                (ArchiveLayout::Pickled, Payload::Legacy(slice)) => {
                    assert_eq!(slice.name(), format!("tree/data/{kind}/model.pt"));
                    slice.nested(true).unwrap();
                }
                (ArchiveLayout::Flat, Payload::Legacy(slice)) => drop(slice.nested(true).unwrap()),
                other => panic!("{version}: {other:?}"),
            }
        }
    }
}

#[test]
fn raw_bodies_are_aligned_in_memory() {
    for memory in [MemoryMode::Map, MemoryMode::Copy] {
        let options = ReadOptions { memory, ..ReadOptions::default() };
        for path in genuine("2.15.0") {
            let archive = Archive::open(&path, &options).unwrap();
            assert!(archive.entries().all(|entry| entry.offset() % 64 == 0));
            let slices = archive.entries().map(|entry| archive.entry(entry.name()).unwrap());
            assert!(slices.into_iter().all(|slice| slice.as_ptr().addr() % 64 == 0));
        }
    }
}

#[test]
fn slices_outlive_the_archive() {
    let program = open(&repository("tests/archives/2.15.0/tree.pt2")).program("model").unwrap();
    assert!(program.bytes().starts_with(b"{"));
}

#[test]
fn writes_do_not_reach_the_file() {
    let path = &repository("tests/archives/2.15.0/tree.pt2");
    for memory in [MemoryMode::Map, MemoryMode::Copy] {
        let before = std::fs::read(path).unwrap();
        let archive = Archive::open(path, &ReadOptions { memory, verify: true }).unwrap();
        let weight = archive.entry("tree/data/weights/weight_0").unwrap();
        let clone = weight.clone();
        // SAFETY: the entry has bytes, and no reference to them is alive.
        unsafe { *weight.as_mut_ptr() ^= 0xff };
        assert!(matches!(clone.verify(), Err(Error::Checksum { .. })));
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
}

#[test]
fn archives_are_shared_between_threads() {
    fn require<T: Send + Sync + 'static>() {}
    require::<Archive>();
    require::<ZipFile>();
    require::<Slice>();
    require::<Payload>();
}

#[test]
fn missing_entries_are_named() {
    let archive = open(&repository("tests/archives/2.15.0/tree.pt2"));
    let error = archive.program("other").unwrap_err();
    assert!(error.to_string().contains("no model `other`; it holds model"), "{error}");
    let error = archive.entry("tree/data/weights/weight_9").unwrap_err();
    assert!(error.to_string().contains("entry `tree/data/weights/weight_9`: there is no such entry"));
    let error = archive.entry("data/weights/weight_0").unwrap_err();
    assert!(matches!(error, Error::Archive { entry: Some(_), .. }), "only full names are found: {error:?}");
    let sample = archive.entry("tree/data/sample_inputs/model.pt").unwrap().nested(true).unwrap();
    let error = sample.get("nothing").unwrap_err().to_string();
    assert!(error.contains("entry `tree/data/sample_inputs/model.pt: nothing`"), "{error}");
}

fn archive_of(entries: &[(&str, &[u8])]) -> Result<Archive, Error> {
    Archive::from_bytes(Zip::streamed(entries).write(), &ReadOptions::default())
}

#[test]
fn several_models_are_listed_in_their_order() {
    let archive = archive_of(&[
        ("a/models/second.json", b"{}"),
        ("a/models/first.json", b"{}"),
        ("a/data/weights/first.pt", b""),
        ("a/data/weights/second_weights_config.json", b"{}"),
        ("a/byteorder", b"little"),
    ])
    .unwrap();
    assert_eq!((archive.root(), archive.layout()), ("a", ArchiveLayout::Raw));
    assert_eq!(archive.models(), ["second", "first"]);
    assert!(matches!(archive.weights("first").unwrap(), Payload::Legacy(_)));
    assert!(matches!(archive.weights("second").unwrap(), Payload::Raw { .. }));
    assert!(matches!(archive.constants("second").unwrap(), Payload::Absent));
}

#[test]
fn contradictory_archives_are_refused() {
    let model = ("a/models/m.json", &b"{}"[..]);
    let both =
        archive_of(&[model, ("a/data/weights/m.pt", b""), ("a/data/weights/m_weights_config.json", b"{}")]);
    let error = both.unwrap().weights("m").unwrap_err().to_string();
    assert!(error.contains("the same tensors are also listed"), "{error}");
    let stray = archive_of(&[model, ("b/other", b"")]).unwrap_err().to_string();
    assert!(stray.contains("entry `b/other`: it lies outside the folder"), "{stray}");
    let big = archive_of(&[model, ("a/byteorder", b"big")]).unwrap_err();
    assert!(matches!(big, Error::Unsupported { .. }), "{big}");
}

#[test]
fn zips_that_are_no_archives_are_identified() {
    let cases: [(&[&str], &str); 7] = [
        (&["m/data.pkl", "m/data/0", "m/version"], "a torch.save file"),
        (&["m/data.pkl", "m/code/__torch__.py", "m/constants.pkl"], "TorchScript"),
        (&["m/data.pkl", "m/bytecode.pkl"], "a TorchScript mobile model"),
        (&["m/.data/extern_modules", "m/x.py"], "a torch.package file"),
        (&["m/data/executorch/x.pte"], "an ExecuTorch package"),
        (&["x.npy"], "a NumPy .npz file"),
        (&["x", "y/models.json"], "neither `serialized_exported_program.json`"),
    ];
    for (names, seems) in cases {
        let entries: Vec<_> = names.iter().map(|name| (*name, &b"x"[..])).collect();
        let error = archive_of(&entries).unwrap_err().to_string();
        assert!(error.contains(seems), "{error}");
    }
    assert!(archive_of(&[]).is_err());
}

#[test]
fn files_that_are_no_zips_are_identified() {
    let cases: [(&[u8], &str); 9] = [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS pointer"),
        (b"<!DOCTYPE html><html></html>.........", "an HTML or XML page"),
        (b"\x80\x02}q\x00..............................", "a Python pickle"),
        (b"GGUF............................", "a GGUF model"),
        (b"\x10\0\0\0\0\0\0\0{\"__metadata__\":{}}        ", "a safetensors file"),
        (b"\x1c\0\0\0ET12.........................", "an ExecuTorch program"),
        (b"\x7fELF.............................", "a shared library"),
        (b"................................", "the end record is missing"),
        (b"x", "the end record is missing"),
    ];
    for (bytes, seems) in cases {
        let error = Archive::from_bytes(bytes.to_vec(), &ReadOptions::default()).unwrap_err().to_string();
        assert!(error.contains(seems), "{error}");
    }
    assert!(Archive::from_bytes(Vec::new(), &ReadOptions::default()).is_err());
}

#[test]
fn checksums_are_compared_only_if_asked() {
    let mut zip = Zip::streamed(&[("a/models/m.json", b"{\"x\": 1}"), ("a/version", b"1")]);
    zip.records[0].body[6] ^= 1;
    let unverified = ReadOptions { verify: false, ..ReadOptions::default() };
    let archive = Archive::from_bytes(zip.write(), &unverified).unwrap();
    assert!(!archive.verifies());
    assert!(archive.program("m").unwrap().verify().is_err());
    let archive = Archive::from_bytes(zip.write(), &ReadOptions::default()).unwrap();
    assert!(archive.verifies());
    let error = archive.program("m").unwrap_err();
    assert!(matches!(&error, Error::Checksum { entry, .. } if entry == "a/models/m.json"), "{error}");
}

#[test]
fn errors_in_nested_zips_name_both_entries() {
    let mut inner = Zip::streamed(&[("m/data.pkl", b"x"), ("m/data/0", b"y")]);
    inner.records[1].body[0] ^= 1;
    let outer = Zip::streamed(&[("a/models/m.json", b"{}"), ("a/data/weights/m.pt", &inner.write())]);
    let archive = Archive::from_bytes(outer.write(), &ReadOptions::default()).unwrap();
    let Payload::Legacy(slice) = archive.weights("m").unwrap() else { panic!() };
    let error = slice.nested(true).unwrap().get("m/data/0").unwrap_err().to_string();
    assert!(error.contains("entry `a/data/weights/m.pt: m/data/0` is damaged"), "{error}");
    inner.records[1].local.name = b"m/data/1".to_vec();
    let outer = Zip::streamed(&[("a/models/m.json", b"{}"), ("a/data/weights/m.pt", &inner.write())]);
    let archive = Archive::from_bytes(outer.write(), &ReadOptions::default()).unwrap();
    let error = archive.entry("a/data/weights/m.pt").unwrap().nested(true).unwrap_err().to_string();
    assert!(error.contains("entry `a/data/weights/m.pt: m/data/0`: its local header gives"), "{error}");
    let error = archive.entry("a/models/m.json").unwrap().nested(true).unwrap_err().to_string();
    assert!(error.contains("entry `a/models/m.json`: it is no zip; it looks like JSON"), "{error}");
}
