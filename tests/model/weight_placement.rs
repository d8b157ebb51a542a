//! Weights on the CPU are the archive's own memory, and tensors that share a storage in the archive
//! share it in memory.

use crate::support::{Array, Calls, repository};
use pt2::archive::{Archive, MemoryMode, ReadOptions, Slice};
use pt2::model::{LoadOptions, Model, Optimization, RunOptions};
use pt2::torch::{Device, Tensor};
use pt2::weights::pickle::SavedTensor;
use pt2::weights::placement::{ArchivedWeights, Weights};
use std::fs::File;
use std::os::unix::fs::FileExt;

fn placed(name: &str) -> (Vec<SavedTensor>, Weights) {
    let archive =
        Archive::open(&repository(&format!("tests/archives/{name}.pt2")), &ReadOptions::default()).unwrap();
    let stored = pt2::weights::read(&archive, "model").unwrap();
    let archived = ArchivedWeights::new(&stored, Device::Cpu);
    let tensors = archived.put(&archived.absent(), &archived.all()).unwrap();
    (stored, tensors)
}

fn address(tensor: &Tensor) -> usize {
    tensor.view().data.addr()
}

#[test]
fn aligned_entries_are_not_copied() {
    for name in ["2.11.0/mini_resnet", "2.15.0/mini_resnet", "2.8.0/mini_resnet"] {
        let (stored, tensors) = placed(name);
        for saved in &stored {
            let offset = saved.offset as usize * saved.dtype.size_in_bytes();
            assert_eq!(
                address(&tensors.tensor(&saved.name).unwrap()),
                saved.storage.as_ptr().addr() + offset,
                "{name} {}",
                saved.name
            );
        }
    }
}

#[test]
fn every_weight_is_aligned_as_libtorch_aligns_its_own() {
    for name in ["2.6.0/mini_resnet", "2.7.1/dtypes", "2.11.0/dtypes"] {
        let (stored, tensors) = placed(name);
        for saved in stored.iter().filter(|saved| saved.offset == 0) {
            assert!(
                address(&tensors.tensor(&saved.name).unwrap()).is_multiple_of(64),
                "{name} {}",
                saved.name
            );
        }
    }
}

#[test]
fn tied_weights_share_memory() {
    for name in ["2.6.0/dtypes", "2.8.0/dtypes", "2.11.0/dtypes", "2.15.0/dtypes"] {
        let (_, tensors) = placed(name);
        assert_eq!(
            address(&tensors.tensor("a.weight").unwrap()),
            address(&tensors.tensor("b.weight").unwrap()),
            "{name}"
        );
        let transposed = tensors.tensor("t").unwrap();
        assert_eq!(
            (transposed.view().sizes, transposed.view().strides),
            (&[5, 4][..], &[1, 5][..]),
            "{name}"
        );
    }
}

#[test]
fn copies_are_apart_and_the_rest_is_shared() {
    let (stored, weights) = placed("2.11.0/aliases");
    let written = weights.storages_of(["rows"]);
    let copies = weights.with_copies(&written, Device::Cpu).unwrap();
    for saved in &stored {
        let [original, copy] = [&weights, &copies].map(|weights| weights.tensor(&saved.name).unwrap());
        assert_eq!(original.to_bytes().unwrap(), copy.to_bytes().unwrap());
        assert_eq!(address(&original) == address(&copy), saved.name == "apart", "{}", saved.name);
    }
    let address_in_copies = |name: &str| address(&copies.tensor(name).unwrap());
    assert_eq!(address_in_copies("rows"), address_in_copies("whole") + 6 * 4);
    assert_eq!(address_in_copies("turned"), address_in_copies("whole"));
    assert!(weights.tensor("missing").is_err());
}

/// Returns the number of resident whole pages of the bytes, and the number of all.
fn resident(bytes: &Slice) -> (usize, usize) {
    const PAGE: usize = 4096;
    const PRESENT: u64 = 1 << 63;
    let (start, end) = (bytes.as_ptr().addr(), bytes.as_ptr().addr() + bytes.len());
    let pages = start.div_ceil(PAGE)..end / PAGE;
    let map = File::open("/proc/self/pagemap").unwrap();
    let is_present = |page: &usize| {
        let mut entry = [0; 8];
        map.read_exact_at(&mut entry, (page * 8) as u64).unwrap();
        u64::from_le_bytes(entry) & PRESENT != 0
    };
    (pages.clone().filter(is_present).count(), pages.count())
}

/// Step with a model and its inputs.
type Step = fn(&Model, &[Option<Tensor>]);

/// Returns the resident pages of the filters of `mini_resnet` after a load, and after each step.
fn filters_after(level: Optimization, steps: &[Step]) -> Vec<(usize, usize)> {
    let path = repository("tests/archives/2.11.0/mini_resnet.pt2");
    let archive = Archive::open(&path, &ReadOptions { memory: MemoryMode::Map, verify: true }).unwrap();
    let stored = pt2::weights::read(&archive, "model").unwrap();
    let filters = || {
        let filters = stored.iter().filter(|saved| saved.sizes.len() == 4);
        filters.map(|saved| resident(&saved.storage)).fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    };
    let options = LoadOptions { optimization: level, ..LoadOptions::default() };
    let model = Model::from_archive(&archive, &options).unwrap();
    let inputs = Calls::beside(&path).inputs(0, 1);
    let inputs: Vec<_> = inputs.iter().map(|input| input.as_ref().map(Array::tensor)).collect();
    let mut found = vec![filters()];
    for step in steps {
        step(&model, &inputs);
        found.push(filters());
    }
    found
}

fn call(model: &Model, inputs: &[Option<Tensor>]) {
    model.run(inputs, &RunOptions::default()).unwrap();
}

fn warm(model: &Model, inputs: &[Option<Tensor>]) {
    model.warm(inputs, &RunOptions::default()).unwrap();
}

#[test]
fn original_pages_of_prepacked_weights_are_released() {
    let (present, pages) = filters_after(Optimization::Exact, &[call, call]).pop().unwrap();
    assert!(pages > 0 && present == pages, "{present} of {pages} pages are used as they are");
    let after = filters_after(Optimization::Fast, &[call, call, call]);
    let present = after.iter().map(|(present, _)| *present).collect::<Vec<_>>();
    assert_eq!(present, [pages, pages, 0, 0], "the second call keeps what it makes of them");
}

#[test]
fn a_warmed_model_reads_no_weights_that_were_rewritten() {
    let after = filters_after(Optimization::Fast, &[warm, call, call]);
    assert!(after.iter().skip(1).all(|(present, _)| *present == 0), "{after:?}");
}
