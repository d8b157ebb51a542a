//! Packages of AOTInductor as loading validates them: metadata, ELF, source.

use super::elf::Elf;
use super::ledger::bounded;
use crate::archive_builder::Zip;
use pt2_format::aoti::{ExecStack, Machine, Package, PackageInterface, Requirements, WrapperSource};
use pt2_format::archive::{Archive, ReadOptions};

/// Memory for each byte of a source: 16 bytes of an input's name become a record of 150 and its place in a table.
const SOURCE: usize = 48;
/// 2^16 dimensions of 90 bytes, in lists that double.
const SOURCE_LEAST: usize = 16 << 20;
/// Memory for each byte of a library: a symbol of 24 bytes may name a function of 256.
const ELF: usize = 40;
/// 256 libraries with names of 4096 bytes.
const ELF_LEAST: usize = 2 << 20;
/// Memory for each byte of a package's archive.
const PACKAGE: usize = 48;

fn source(what: &str, text: &str) {
    bounded(what, text.len(), SOURCE, SOURCE_LEAST, || {
        let source = WrapperSource::parse(text);
        PackageInterface::of(&source, None).map(|described| described.interface.check(&[]).is_ok())
    });
}

fn named(count: usize) -> String {
    (0..count).map(|place| format!("inputs_info_[{place}].name = \"a{place}\";\n")).collect()
}

#[test]
fn sources() {
    let count = 20_000;
    let about =
        |line: &str| -> String { (0..count).map(|place| line.replace('@', &place.to_string())).collect() };
    source("a line for each input", &(named(count) + &about("if (a@_size[0] < 2) {\n")));
    source("the last dimension of each input", &(named(count) + &about("if (a@_size[63] < 2) {\n")));
    source("the last stride of each input", &(named(count) + &about("if (1 != a@_stride[63]) {\n")));
    source("symbols", &(named(count) + &about("int64_t s@ = a@_size[0];\n")));
    let same: String = (0..count).map(|place| format!("inputs_info_[{place}].name = \"a\";\n")).collect();
    source("inputs of one name", &(same + &"if (a_size[0] < 2) {\n".repeat(count)));
    source("lines about no input", &(named(100) + &"if (b_size[0] < 2) {\n".repeat(50_000)));
    source("kernels", &about("loadKernel(\"/tmp/@.cubin\", 0);\n"));
    source("outputs", &about("outputs_info_[@].name = \"o\";\n"));
    source("one long line", &"if (a_size[0] < ".repeat(60_000));
    source("calls without end", &"AOTInductorModelBase(".repeat(50_000));
    source("trees", &"in_spec_ = R\"([1, {}])\";\n".repeat(40_000));
}

/// Recorded dimensions are used up to the cap: beyond it, all inputs count as unrecorded.
#[test]
fn dimensions_are_capped() {
    let lines = |count: usize| -> String {
        (0..count).map(|place| format!("if (a{place}_size[63] < 2) {{\n")).collect::<String>()
    };
    let told = |count| WrapperSource::parse(&(named(count) + &lines(count))).inputs[0].sizes.len();
    assert_eq!((told(1024), told(1025)), (64, 0));
}

fn library(what: &str, elf: &Elf) -> pt2_format::Result<Requirements> {
    let bytes = elf.write();
    bounded(what, bytes.len(), ELF, ELF_LEAST, || Requirements::of("x.so", &bytes).map(drop));
    Requirements::of("x.so", &bytes)
}

#[test]
fn libraries() {
    const COUNT: usize = 50_000;
    let long = [b"\0", "aoti_".repeat(200_000).as_bytes(), b"\0"].concat();
    let elf = Elf { strings: long, ..Elf::default() };
    let read = library("calls of one long name", &Elf { calls: vec![1; COUNT], ..elf.clone() });
    assert_eq!(read.unwrap().calls, [""; 0]);
    let offers = Elf { offers: vec![1; COUNT], ..elf.clone() };
    library("offers of one long name", &offers).unwrap();
    let ends = (0..COUNT as u32).map(|place| 1_000_001 - 5 * (place % 50)).collect();
    let read = library("calls of many names", &Elf { calls: ends, ..elf.clone() });
    assert_eq!(read.unwrap().calls.len(), 49);
    library("a library of one long name", &Elf { needs: vec![1; 10], ..elf.clone() }).unwrap_err();
    library("many libraries", &Elf { needs: vec![1_000_000; COUNT], ..elf.clone() }).unwrap_err();
    let read = library("libraries", &Elf { needs: vec![1_000_000; 256], ..elf.clone() }).unwrap();
    assert_eq!((read.libraries.len(), read.libraries[9].name.as_str()), (256, "_"));
    library("names beyond the table", &Elf { calls: vec![u32::MAX; COUNT], ..elf }).unwrap();
}

/// Stack headers and their edits, which make no stack executable: `readelf -lW` shows them as
/// `GNU_STACK RWE`.
#[test]
fn marks_of_stacks() {
    const STACK: u32 = 0x6474_e551;
    const PLAIN: [u8; 4] = [6, 0, 0, 0];
    let mark = |headers: &[(u32, u32)]| {
        let elf = Elf { headers: headers.to_vec(), strings: vec![0], ..Elf::default() };
        Requirements::of("x.so", &elf.write()).unwrap().stack
    };
    let edits = |edits: &[(usize, [u8; 4])]| ExecStack::Edits(edits.to_vec());
    assert_eq!(mark(&[(1, 5), (STACK, 6)]), ExecStack::Plain);
    assert_eq!(mark(&[(1, 5), (STACK, 7)]), edits(&[(64 + 56 + 4, PLAIN)]));
    assert_eq!(mark(&[(STACK, 6), (STACK, 7), (STACK, 7)]), edits(&[(64 + 60, PLAIN), (64 + 116, PLAIN)]));
    assert_eq!(mark(&[(1, 5), (4, 4)]), edits(&[(64 + 56, STACK.to_le_bytes()), (64 + 60, PLAIN)]));
    assert_eq!(mark(&[(1, 5), (4, 4), (0, 0)]), edits(&[(64 + 112, STACK.to_le_bytes()), (64 + 116, PLAIN)]));
    assert_eq!(mark(&[(1, 5)]), ExecStack::Silent);
    assert_eq!(mark(&[]), ExecStack::Silent);
}

/// Edits of program headers and the dynamic section must not reach another part of the file.
#[test]
fn parts_that_share_bytes() {
    let elf = Elf { headers: vec![(0x6474_e551, 7)], strings: vec![0; 8], needs: vec![0], ..Elf::default() };
    let genuine = elf.write();
    Requirements::of("x.so", &genuine).unwrap();
    let number = |at: usize| u64::from_le_bytes(genuine[at..at + 8].try_into().unwrap());
    let sections = number(40) as usize;
    let refused = |at: usize, value: u64| {
        let mut changed = genuine.clone();
        changed[at..at + 8].copy_from_slice(&value.to_le_bytes());
        let error = Requirements::of("x.so", &changed).unwrap_err().to_string();
        assert!(error.contains("share bytes"), "{at}: {error}");
    };
    const OFFSET_OF_PROGRAM_HEADERS: usize = 32;
    for place in [34, number(40), number(40) - 16] {
        refused(OFFSET_OF_PROGRAM_HEADERS, place);
    }
    let (strings, dynamic) = (sections + 64 + 24, sections + 3 * 64 + 24);
    for place in [0, 64, number(40), number(strings)] {
        refused(dynamic, place);
    }
}

const METADATA: &str = r#"{"AOTI_DEVICE_KEY": "cpu", "AOTI_PLATFORM": "@", "AOTI_MACHINE": "@", "AOTI_CPU_ISA": "",
    "AOTI_COMPUTE_CAPABILITY": ""}"#;

fn package(entries: &[(String, String)]) -> Vec<u8> {
    let entries: Vec<(&str, &[u8])> =
        entries.iter().map(|(name, body)| (name.as_str(), body.as_bytes())).collect();
    Zip::plain(&entries).write()
}

fn read(what: &str, entries: &[(String, String)]) {
    let bytes = package(entries);
    let archive = Archive::from_slice(&bytes, &ReadOptions::default()).unwrap();
    bounded(what, bytes.len(), PACKAGE, 1 << 20, || {
        for model in archive.compiled() {
            let _ = Package::read(&archive, model).map(|package| package.differences(&Machine::default()));
        }
    });
}

#[test]
fn packages() {
    const COUNT: usize = 10_000;
    let entry = |name: String, body: String| (format!("m/data/aotinductor/{name}"), body);
    let library = || entry("model/a.so".into(), String::new());
    let many = |name: &dyn Fn(usize) -> (String, String)| -> Vec<_> {
        [library()].into_iter().chain((0..COUNT).map(name)).collect()
    };
    read(
        "metadata that differ",
        &many(&|place| {
            entry(format!("model/{place}_metadata.json"), METADATA.replace('@', &place.to_string()))
        }),
    );
    read("kernels", &many(&|place| entry(format!("model/{place}.cubin"), String::new())));
    read("models", &many(&|place| entry(format!("model{place}/a.so"), String::new())));
    let keys: Vec<String> = (0..50_000).map(|key| format!("\"{key}\": \"\"")).collect();
    let metadata = METADATA.replacen('{', &format!("{{{}, ", keys.join(",")), 1);
    read("keys of metadata", &[library(), entry("model/a_metadata.json".into(), metadata)]);
    let nested = "[".repeat(100_000);
    read("nested metadata", &[library(), entry("model/a_metadata.json".into(), nested)]);
}
