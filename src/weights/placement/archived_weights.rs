//! The tensors of an archive, which can be put on a device at any time.

use super::protected_ranges::Protected;
use super::{DeviceStorage, StorageIndex, StridedView, Weights, mapped, slab};
use crate::Result;
use crate::archive::Slice;
use crate::timeline;
use crate::torch::{Device, Tensor};
use crate::weights::pickle::SavedTensor;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Stored tensors and the device they are for. Keeps the bytes of the archive, which are pages of the file where it
/// is mapped.
#[derive(Debug)]
pub struct ArchivedWeights {
    slices: Vec<Slice>,
    views: Arc<HashMap<String, StridedView>>,
    device: Device,
    /// The slices, also those that are no weights of any call: what is computed from them may be computed again.
    _protected: Vec<Protected>,
}

impl ArchivedWeights {
    /// What is stored, of which nothing is touched yet.
    pub fn new(tensors: &[SavedTensor], device: Device) -> ArchivedWeights {
        let storages = StorageIndex::of(tensors);
        let view = |(tensor, storage): (&SavedTensor, usize)| {
            (tensor.name.clone(), StridedView::of(tensor, storage))
        };
        let views = Arc::new(storages.number(tensors).map(view).collect());
        let slices = storages.into_slices();
        let range = |slice: &Slice| slice.as_ptr().addr()..slice.as_ptr().addr() + slice.len();
        let protected = slices.iter().map(|slice| Protected::new(range(slice))).collect();
        ArchivedWeights { slices, views, device, _protected: protected }
    }

    /// Weights of which nothing is on the device.
    pub fn absent(&self) -> Weights {
        Weights::none(Arc::clone(&self.views), self.slices.len())
    }

    /// How many storages there are, and how they are numbered.
    pub fn all(&self) -> BTreeSet<usize> {
        (0..self.slices.len()).collect()
    }

    /// How many bytes a storage has.
    pub(super) fn bytes(&self, storage: usize) -> usize {
        self.slices.get(storage).map_or(0, Slice::len)
    }

    /// The device that all of it is for.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The same weights with these storages on the device; those that are there already stay as they are.
    pub fn put(&self, weights: &Weights, storages: &BTreeSet<usize>, verify: bool) -> Result<Weights> {
        let mut all = weights.clone();
        let missing: Vec<usize> = storages.difference(&weights.present()).copied().collect();
        let slices: Vec<Slice> =
            missing.iter().filter_map(|number| self.slices.get(*number)).cloned().collect();
        for (number, placed) in missing.into_iter().zip(self.place(&slices, verify)?) {
            if let Some(storage) = all.storages.get_mut(number) {
                *storage = Some(DeviceStorage::new(placed));
            }
        }
        Ok(all)
    }

    fn place(&self, slices: &[Slice], verify: bool) -> Result<Vec<Tensor>> {
        timeline::span("place weights", || match (slices, self.device) {
            ([], _) => Ok(Vec::new()),
            (_, Device::Cpu) => mapped::place(slices, verify),
            (_, Device::Cuda(_)) => slab::place(slices, self.device, verify),
        })
    }

    /// Gives the memory of these storages back where it is pages of the file, which come again when someone asks.
    /// On CUDA nothing keeps them: the weights are copies. Nobody writes to them: what a program writes to is copied.
    pub fn discard(&self, storages: &BTreeSet<usize>) {
        if self.device == Device::Cpu {
            storages.iter().filter_map(|number| self.slices.get(*number)).for_each(Slice::discard);
        }
    }
}
