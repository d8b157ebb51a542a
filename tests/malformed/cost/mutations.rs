//! Random changes of genuine texts: no panic. The fuzz targets do the same for longer.

use super::elf::Elf;
use super::tensors::header;
use pt2_format::aoti::{ExecStack, Machine, PackageInterface, Requirements, TargetMachine, WrapperSource};
use pt2_format::program::pytree::TreeSpec;
use std::collections::BTreeMap;

const ROUNDS: usize = 4000;

/// xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % count as u64) as usize
    }
}

/// Returns bytes flipped, set, removed, doubled and moved.
fn mutated(genuine: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = genuine.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len().max(1));
        let length = random.below(40).min(bytes.len() - at.min(bytes.len()));
        match random.below(6) {
            _ if bytes.is_empty() => {}
            0 => bytes[at] ^= 1 << random.below(8),
            1 => bytes[at] = [0, 0xff, b'[', b'"', b'9', b'-'][random.below(6)],
            2 => drop(bytes.drain(at..at + length)),
            3 => {
                let piece = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, piece.repeat(1 + random.below(3)));
            }
            4 => bytes.truncate(at),
            _ => {
                let piece = bytes[at..at + length].to_vec();
                let to = random.below(bytes.len() - length + 1);
                bytes[to..to + length].copy_from_slice(&piece);
            }
        }
    }
    bytes
}

fn each(genuine: &[u8], mut read: impl FnMut(&[u8])) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    (0..ROUNDS).for_each(|_| read(&mutated(genuine, &mut random)));
}

#[test]
fn libraries() {
    let elf = Elf {
        strings: b"\0libtorch.so\0libtorch_cpu.so\0aoti_torch_get_sizes\0AOTInductorModelContainerRun\0\
            _binary_constants_bin_start\0_binary_constants_bin_end\0"
            .to_vec(),
        calls: vec![29],
        offers: vec![50, 79, 107],
        needs: vec![1, 13],
        headers: vec![(1, 5), (4, 4), (0x6474_e551, 7)],
    };
    let genuine = elf.write();
    let found = Requirements::of("x.so", &genuine).unwrap();
    assert_eq!((found.calls.len(), found.offers.len(), found.libraries.len()), (1, 1, 2));
    each(&genuine, |bytes| {
        let Ok(found) = Requirements::of("x.so", bytes) else { return };
        let rename = found.rename(bytes, "libtorch.so", "libtorch_cpu.so");
        let mut edited = bytes.to_vec();
        if let Some((at, name)) = rename {
            edited[at..at + name.len()].copy_from_slice(&name);
        }
        if let ExecStack::Edits(edits) = &found.stack {
            edits.iter().for_each(|(at, mark)| edited[*at..*at + mark.len()].copy_from_slice(mark));
            let again = Requirements::of("x.so", &edited).unwrap();
            assert_eq!(
                (again.stack, again.calls, again.offers),
                (ExecStack::Plain, found.calls, found.offers)
            );
        }
        assert!(found.constants.is_none_or(|range| range.end <= bytes.len()));
    });
}

#[test]
fn sources_metadata_trees_and_headers() {
    let leaf = r#"{"type": null, "context": null, "children_spec": []}"#;
    let tree = format!(
        r#"[1, {{"type": "builtins.tuple", "context": "null", "children_spec": [{leaf}, {{"type": "builtins.dict",
        "context": "[\"a\", 1]", "children_spec": [{leaf}, {leaf}]}}]}}]"#
    );
    assert!(TreeSpec::parse(&tree, "tree").is_ok());
    each(tree.as_bytes(), |bytes| {
        if let Ok(tree) = TreeSpec::parse(&String::from_utf8_lossy(bytes), "tree") {
            let _ = (tree.leaf_paths("args", &BTreeMap::new()), tree.call_paths(&BTreeMap::new()));
        }
    });
    let source = "inputs_info_[0].name = \"a\";\noutputs_info_[0].name = \"o\";\nin_spec_ = R\"([1, {}])\";\n\
        int32_t a_expected_dtype = aoti_torch_dtype_float32();\nif (a_size[0] < 2) {\nif (3 != a_size[1]) {\n\
        if (1 != a_stride[1]) {\nint32_t a_expected_device_type = 0;\nint64_t s77 = a_size[0];\n";
    assert_eq!(WrapperSource::parse(source).inputs[0].sizes.len(), 2);
    each(source.as_bytes(), |bytes| {
        let source = WrapperSource::parse(&String::from_utf8_lossy(bytes));
        let _ = PackageInterface::of(&source, None).map(|described| described.interface.check(&[]).is_ok());
    });
    let metadata = br#"{"AOTI_DEVICE_KEY": "cpu", "AOTI_PLATFORM": "linux", "AOTI_MACHINE": "x86_64", "AOTI_CPU_ISA": "AVX2",
        "AOTI_COMPUTE_CAPABILITY": ""}"#;
    assert!(TargetMachine::parse("m", metadata).is_ok());
    each(metadata, |bytes| {
        let _ = TargetMachine::parse("m", bytes).map(|target| target.differences(&Machine::default()));
    });
    let numpy = header::Header { descr: "<f4".into(), fortran_order: false, shape: vec![3, 4] }.write();
    each(&numpy, |bytes| drop(header::Header::read(&mut &bytes[..])));
}
