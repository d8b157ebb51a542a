//! The list of stored tensors, alone and in an archive whose storages have 64 bytes each.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pt2_format::archive::{Archive, ReadOptions};
use pt2_format::program::PayloadConfig;
use pt2_format::weights;

const FOLDER: &str = "m/data/weights";

/// Builds an archive of the newest layout with this list and the storages that it names.
fn around(json: &[u8], names: &[String]) -> Vec<u8> {
    let mut flat = Vec::new();
    let mut entry = |name: &str, body: &[u8]| {
        flat.extend([pt2_fuzz::flat::MARK, name.as_bytes(), b"\n", body].concat());
    };
    for (name, body) in [("archive_format", "pt2"), ("archive_version", "0"), ("byteorder", "little")] {
        entry(&format!("m/{name}"), body.as_bytes());
    }
    entry("m/models/model.json", b"{}");
    entry(&format!("{FOLDER}/model_weights_config.json"), json);
    for name in names {
        entry(&format!("{FOLDER}/{name}"), &[1; 64]);
    }
    pt2_fuzz::flat::zip(&flat)
}

fuzz_target!(|json: &[u8]| {
    let Ok(list) = PayloadConfig::parse(json) else { return };
    let mut names: Vec<String> = list.entries().iter().map(|(_, meta)| meta.path_name.clone()).collect();
    names.sort();
    names.dedup();
    if let Ok(archive) = Archive::from_slice(&around(json, &names), &ReadOptions::default()) {
        let _ = weights::read(&archive, "model");
    }
});
