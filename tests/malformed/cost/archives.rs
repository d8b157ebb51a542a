//! Zips, and the layouts that their names imply.

use super::ledger::bounded;
use crate::archive_builder::Zip;
use pt2_format::archive::{Archive, ReadOptions};
use pt2_format::weights;

/// Memory for each byte of a zip: 76 bytes of records for an entry become two readers' tables and sets of names.
const MEMORY: usize = 32;

fn zip(names: &[String]) -> Vec<u8> {
    Zip::plain(&names.iter().map(|name| (name.as_str(), &b""[..])).collect::<Vec<_>>()).write()
}

fn read(what: &str, names: &[String], checked: impl Fn(&pt2_format::Result<Archive>) -> bool) {
    let bytes = zip(names);
    bounded(what, bytes.len(), MEMORY, 1 << 20, || {
        let archive = Archive::from_slice(&bytes, &ReadOptions::default());
        if let Ok(archive) = &archive {
            for model in archive.models() {
                let _ = (archive.program(model), archive.weights(model));
            }
        }
        assert!(checked(&archive), "{what}");
    });
}

#[test]
fn names() {
    const COUNT: usize = 30_000;
    let many = |name: &str| -> Vec<String> {
        (0..COUNT).map(|place| name.replace('@', &place.to_string())).collect()
    };
    let models = |count| {
        move |archive: &pt2_format::Result<Archive>| archive.as_ref().unwrap().models().len() == count
    };
    read("models", &many("m/models/@.json"), models(COUNT));
    let configs = [many("m/models/@.json"), many("m/data/weights/@_x_config.json")].concat();
    read("models and lists of weights", &configs, models(COUNT));
    let compiled =
        |archive: &pt2_format::Result<Archive>| archive.as_ref().unwrap().compiled().len() == COUNT;
    read("compiled models", &many("m/data/aotinductor/@/a.so"), compiled);
    let deep = |place: usize| format!("m/{}{place}", "a/".repeat(2000));
    let deep: Vec<String> = (0..1000).map(deep).collect();
    read("deep folders", &deep, |archive| archive.is_err());
    let clash =
        [vec!["m/a".to_owned(), "m/a!".into(), "m/a-b".into(), "m/a0".into()], many("m/a/@")].concat();
    read("a file and a folder", &clash, |archive| {
        archive.as_ref().unwrap_err().to_string().contains("also the folder")
    });
}

/// Names in a list may share a pickled entry, which is read once.
#[test]
fn names_that_share_a_pickle() {
    let count = 3000;
    let pickle = [b"\x80\x02", &b"N".repeat(1 << 20)[..], b"."].concat();
    let inner = Zip::plain(&[("a/data.pkl", &pickle[..]), ("a/byteorder", b"little")]).write();
    let meta = r#"{"dtype": 7, "sizes": [], "requires_grad": false, "device": {"type": "cpu"}, "strides": [],
        "storage_offset": {"as_int": 0}, "layout": 7}"#;
    let one = format!(r#"{{"path_name": "p", "is_param": true, "use_pickle": true, "tensor_meta": {meta}}}"#);
    let list: Vec<String> = (0..count).map(|place| format!("\"{place}\": {one}")).collect();
    let list = format!("{{\"config\": {{{}}}}}", list.join(","));
    let bytes = Zip::plain(&[
        ("m/models/model.json", b"{}"),
        ("m/data/weights/model_weights_config.json", list.as_bytes()),
        ("m/data/weights/p", &inner),
    ])
    .write();
    let archive = Archive::from_slice(&bytes, &ReadOptions::default()).unwrap();
    bounded("names that share a pickle", bytes.len(), 16, 8 << 20, || {
        weights::read(&archive, "model").is_err()
    });
}
