//! Tensors of an archive, which can be placed on a device at any time.

use super::protected_ranges::Protected;
use super::{DeviceStorage, StorageIndex, StridedView, Weights, mapped, slab};
use crate::Result;
use crate::archive::Slice;
use crate::timeline;
use crate::torch::{Device, Tensor};
use crate::weights::pickle::SavedTensor;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Stored tensors and their device. Keeps the archive's bytes, which are pages of the file if it is
/// mapped.
#[derive(Debug)]
pub struct ArchivedWeights {
    slices: Vec<Slice>,
    views: Arc<HashMap<String, StridedView>>,
    device: Device,
    /// Ranges of all slices. Even a slice that no call reads may be read again to fold constants.
    _protected: Vec<Protected>,
}

impl ArchivedWeights {
    /// Describes stored tensors without reading their bytes.
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

    /// Returns weights of which nothing is on the device.
    pub fn absent(&self) -> Weights {
        Weights::none(Arc::clone(&self.views), self.slices.len())
    }

    /// Returns the numbers of all storages.
    pub fn all(&self) -> BTreeSet<usize> {
        (0..self.slices.len()).collect()
    }

    /// Returns the size of a storage in bytes.
    pub(super) fn bytes(&self, storage: usize) -> usize {
        self.slices.get(storage).map_or(0, Slice::len)
    }

    /// Returns the device of the weights.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Returns the same weights with these storages on the device. Storages that are already there
    /// are kept.
    pub fn put(&self, weights: &Weights, storages: &BTreeSet<usize>) -> Result<Weights> {
        let mut all = weights.clone();
        let missing: Vec<usize> = storages.difference(&weights.present()).copied().collect();
        let slices: Vec<Slice> =
            missing.iter().filter_map(|number| self.slices.get(*number)).cloned().collect();
        for (number, placed) in missing.into_iter().zip(self.place(&slices)?) {
            if let Some(storage) = all.storages.get_mut(number) {
                *storage = Some(DeviceStorage::new(placed));
            }
        }
        Ok(all)
    }

    fn place(&self, slices: &[Slice]) -> Result<Vec<Tensor>> {
        timeline::span("place weights", || match (slices, self.device) {
            ([], _) => Ok(Vec::new()),
            (_, Device::Cpu) => mapped::place(slices),
            (_, Device::Cuda(_)) => slab::place(slices, self.device),
        })
    }

    /// Releases the memory of storages that are pages of the file. A later access reads them again.
    ///
    /// Nothing is lost: a program writes only to copies of its weights. On CUDA there is nothing to
    /// release, because the weights are copies.
    pub fn discard(&self, storages: &BTreeSet<usize>) {
        if self.device == Device::Cpu {
            storages.iter().filter_map(|number| self.slices.get(*number)).for_each(Slice::discard);
        }
    }
}
