//! Packages that are for other machines, damaged, hostile, or not allowed.

use crate::packages::{allowed, device, metadata, package, rewritten, with_entry};
use pt2::Error;
use pt2::aoti::{Digest, NativeCodeOptions, digest_of};
use pt2::model::{LoadOptions, Model};
use pt2::torch::Device;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Mutex;

fn refusal(package: &[u8]) -> Error {
    Model::load_from_memory(package, &allowed()).unwrap_err()
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn packages_for_other_machines_are_refused_with_both_values() {
    let here = std::env::consts::ARCH;
    for (key, value, expected) in [
        ("AOTI_PLATFORM", "win32", "its platform is win32, here it is linux".to_owned()),
        ("AOTI_MACHINE", "vax", format!("its machine is vax, here it is {here}")),
        ("AOTI_CPU_ISA", "AVX1024", "its CPU instruction set is AVX1024, here avx1024 is missing".into()),
        ("torch_version", "2.15.0", "its PyTorch is 2.15.0, here it is 2.11.0".into()),
    ] {
        let refused = refusal(&rewritten("conv", |name, bytes| metadata(name, bytes, key, value)));
        assert!(matches!(refused, Error::OtherMachine { .. }), "{refused}");
        assert!(refused.to_string().contains(&expected), "{refused}");
    }
    let cuda = rewritten("conv", |name, bytes| {
        let (name, bytes) = metadata(name, bytes, "AOTI_DEVICE_KEY", "cuda")?;
        metadata(&name, bytes, "AOTI_COMPUTE_CAPABILITY", "10")
    });
    let refused = refusal(&cuda).to_string();
    assert!(refused.contains("its compute capability is 10, here"), "{refused}");
    let options = LoadOptions { device: Some(pt2::torch::Device::Cpu), ..allowed() };
    let other = Model::load_from_memory(&cuda, &options).unwrap_err();
    assert!(matches!(other, Error::Device { .. }), "{other}");
    let processor = rewritten("conv", |name, mut bytes| {
        if name.ends_with(".so") {
            bytes[18] ^= 1;
        }
        Some((name.into(), bytes))
    });
    assert!(refusal(&processor).to_string().contains("its library is for processor"));
    let call = rewritten("conv", |name, bytes| match name.ends_with(".so") {
        true => Some((name.into(), replaced(bytes, b"aoti_torch_get_sizes\0", b"aoti_torch_get_sizer\0"))),
        false => Some((name.into(), bytes)),
    });
    let refused = refusal(&call).to_string();
    assert!(refused.contains("its PyTorch has aoti_torch_get_sizer, here it is 2.11.0"), "{refused}");
}

fn replaced(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let places: Vec<usize> =
        (0..bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn damaged_and_hostile_packages_are_refused_before_anything_is_executed() {
    let without = |end: &'static str| {
        rewritten("conv", move |name, bytes| (!name.ends_with(end)).then(|| (name.into(), bytes)))
    };
    let changed = |end: &'static str, change: fn(Vec<u8>) -> Vec<u8>| {
        rewritten("conv", move |name, bytes| match name.ends_with(end) {
            true => Some((name.into(), change(bytes))),
            false => Some((name.into(), bytes)),
        })
    };
    let more = |entry: &str| with_entry("conv", entry);
    let file = fs::read(package("conv")).unwrap();
    let cases = [
        ("truncated file", file[..file.len() / 2].to_vec(), "zip"),
        ("sources only", without(".so"), "no shared library, and sources are never compiled"),
        ("no metadata", without("_metadata.json"), "nothing that says for which machine"),
        ("empty metadata", changed("_metadata.json", |_| b"{}".to_vec()), "does not say AOTI_DEVICE_KEY"),
        ("truncated library", changed(".so", |bytes| bytes[..bytes.len() / 2].to_vec()), "no shared library"),
        ("damaged library", damaged(".so"), "its CRC-32 is"),
        ("no library", changed(".so", |_| b"not code".to_vec()), "no shared library"),
        (
            "missing kernel",
            changed(".wrapper.cpp", missing_kernel),
            "kernels of the compiled code of `model` are missing",
        ),
        ("other source", changed(".wrapper.cpp", other_source), "is not that of the library"),
        (
            "custom operators",
            more("conv/data/aotinductor/model/x.json"),
            "operators that its loader has to call",
        ),
        ("two libraries", more("conv/data/aotinductor/model/y.so"), "more than one shared library"),
        ("climbing", more("conv/data/aotinductor/model/../../../../../../tmp/pt2-climbed"), "only dots"),
        ("absolute", more("/tmp/pt2-climbed"), "absolute"),
    ];
    let of_kernels = [
        ("no kernels", without(".cubin"), "kernels of the compiled code of `model` are missing"),
        ("damaged kernel", damaged(".cubin"), "its CRC-32 is"),
    ];
    let kernels = if device() == Device::Cpu { &[][..] } else { &of_kernels };
    for (what, package, expected) in cases.iter().chain(kernels) {
        let refused = refusal(package).to_string();
        assert!(refused.contains(expected), "{what}: {refused}");
    }
    assert!(!PathBuf::from("/tmp/pt2-climbed").exists());
}

/// Returns a package with one flipped bit in an entry, which violates its checksum. If there is no
/// such entry, the package is unchanged.
fn damaged(end: &str) -> Vec<u8> {
    let mut file = fs::read(package("conv")).unwrap();
    let mut entries = zip::ZipArchive::new(Cursor::new(file.clone())).unwrap();
    let place = (0..entries.len()).find_map(|index| {
        let entry = entries.by_index(index).unwrap();
        entry.name().unwrap().ends_with(end).then(|| entry.data_start().unwrap() + entry.size() / 2)
    });
    if let Some(place) = place {
        file[place as usize] ^= 1;
    }
    file
}

fn missing_kernel(mut source: Vec<u8>) -> Vec<u8> {
    source.extend(b"\nloadKernel(\"/tmp/x/cabc.cubin\", \"f\", 0, this->cubin_dir_);\n");
    source
}

fn other_source(source: Vec<u8>) -> Vec<u8> {
    String::from_utf8(source)
        .unwrap()
        .replace("inputs_info_[0].name = \"", "inputs_info_[0].name = \"x")
        .into_bytes()
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn weights_that_were_left_out_are_refused() {
    for (name, executed) in [("outside", false), ("blob", false), ("pickled", false), ("outside", true)] {
        // Without the source beside it, only the loaded code records the interface.
        let silent = |entry: &str| executed && entry.ends_with(".wrapper.cpp");
        let package = rewritten(name, |entry, bytes| (!silent(entry)).then(|| (entry.into(), bytes)));
        let refused = refusal(&package);
        assert!(matches!(refused, Error::Unsupported { .. }), "{name}: {refused}");
        assert!(refused.to_string().contains("weights outside of the library"), "{name}: {refused}");
        assert_eq!(refused.to_string().contains("conv.weight"), executed, "{name}: {refused}");
    }
}

#[test]
#[ignore = "needs packages; `make test-compiled` makes them"]
fn native_code_needs_permission_and_the_expected_digest() {
    let refused = |options: LoadOptions| {
        let error = Model::load(&package("conv"), &options).unwrap_err();
        assert!(matches!(error.root(), Error::NativeCode { .. }), "{error}");
        error.to_string()
    };
    assert!(refused(LoadOptions::default()).contains("allow native code for this load"));
    let code = code();
    let digest = digest_of_code(&code);
    let expecting = |digest| {
        let native_code =
            NativeCodeOptions { allowed: true, digest: Some(digest), ..NativeCodeOptions::default() };
        LoadOptions { native_code, ..LoadOptions::default() }
    };
    assert!(Model::load(&package("conv"), &expecting(digest)).is_ok());
    for (changed, _) in &code {
        let package = rewritten("conv", |name, mut bytes| {
            if name.ends_with(changed) {
                *bytes.last_mut().unwrap() ^= 1;
            }
            Some((name.into(), bytes))
        });
        let refused = Model::load_from_memory(&package, &expecting(digest)).unwrap_err();
        assert!(matches!(refused.root(), Error::NativeCode { .. }), "{changed}: {refused}");
    }
    let said = refused(expecting(Digest::of(b"other")));
    assert!(said.contains(&digest.to_string()) && said.contains(&Digest::of(b"other").to_string()), "{said}");
}

/// Returns the native code of a package by file names, the library first.
fn code() -> Vec<(String, Digest)> {
    let code = Mutex::new(Vec::new());
    rewritten("conv", |name, bytes| {
        if name.ends_with(".so") || name.ends_with(".cubin") {
            let file = name.rsplit('/').next().unwrap().to_owned();
            code.lock().unwrap().push((file, Digest::of(&bytes)));
        }
        Some((name.into(), bytes))
    });
    let mut code = code.into_inner().unwrap();
    code.sort_by_key(|(name, _)| !name.ends_with(".so"));
    code
}

fn digest_of_code(code: &[(String, Digest)]) -> Digest {
    let (library, kernels) = code.split_first().unwrap();
    digest_of((&library.0, library.1), kernels)
}
