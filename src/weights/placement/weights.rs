//! Weights on a device: storages, and the tensors that are views of them.

use super::{BYTE, DeviceStorage, StridedView};
use crate::torch::{Device, Failure, Tensor};
use crate::{Error, Result};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Tensors by name. Tensors of one storage share its memory, and clones share all memory.
#[derive(Clone, Debug)]
pub struct Weights {
    pub(super) views: Arc<HashMap<String, StridedView>>,
    /// Storages by number; None for those that are not on the device.
    pub(super) storages: Vec<Option<DeviceStorage>>,
    /// Storages that were assigned and differ from the archive.
    pub(super) assigned: BTreeSet<usize>,
    /// Computed tensors, which are in no archive.
    computed: HashMap<String, Tensor>,
}

impl Weights {
    /// Returns weights of which nothing is on the device yet.
    pub(super) fn none(views: Arc<HashMap<String, StridedView>>, storages: usize) -> Weights {
        let storages = vec![None; storages];
        Weights { views, storages, assigned: BTreeSet::new(), computed: HashMap::new() }
    }

    /// Adds computed tensors, replacing those of the same names. No program writes to them.
    pub fn add(&mut self, computed: impl IntoIterator<Item = (String, Tensor)>) {
        self.computed.extend(computed);
    }

    /// Returns the computed tensor of this name.
    pub fn computed(&self, name: &str) -> Option<&Tensor> {
        self.computed.get(name)
    }

    /// Returns the tensor of this name, as a program reads it.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        match self.computed.get(name) {
            Some(computed) => Ok(computed.clone()),
            None => self.made(name, StridedView::tensor),
        }
    }

    /// Returns the tensor of this name without gradients, as a caller reads it.
    pub fn plain(&self, name: &str) -> Result<Tensor> {
        self.made(name, StridedView::plain)
    }

    fn made(&self, name: &str, make: fn(&StridedView, &Tensor) -> Result<Tensor, Failure>) -> Result<Tensor> {
        let refuse = |reason: String| Error::Weight { name: name.into(), reason };
        let missing = || refuse("the archive does not hold it".into());
        let view = self.views.get(name).ok_or_else(missing)?;
        let absent = || refuse("it is not on the device".into());
        let storage = self.storages.get(view.storage).and_then(Option::as_ref).ok_or_else(absent)?;
        make(view, storage).map_err(|failure| failure.into_error(refuse))
    }

    /// Returns the numbers of these tensors' storages.
    pub fn storages_of<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> BTreeSet<usize> {
        let views = names.into_iter().filter_map(|name| self.views.get(name));
        views.map(|view| view.storage).collect()
    }

    /// Returns the storages that are on the device.
    pub fn present(&self) -> BTreeSet<usize> {
        let present = self.storages.iter().enumerate().filter(|(_, storage)| storage.is_some());
        present.map(|(number, _)| number).collect()
    }

    /// Returns the storages that were assigned.
    pub fn assigned(&self) -> &BTreeSet<usize> {
        &self.assigned
    }

    /// Returns true if the tensor of this name is in one of these storages.
    pub fn is_in(&self, name: &str, storages: &BTreeSet<usize>) -> bool {
        self.views.get(name).is_some_and(|view| storages.contains(&view.storage))
    }

    /// Returns true if the tensor of this name is expanded: it has more elements than it covers in
    /// its storage.
    pub fn is_expanded(&self, name: &str) -> bool {
        self.views.get(name).is_some_and(StridedView::is_expanded)
    }

    /// Returns the same weights with these storages off the device and the archive's again.
    pub fn without(&self, storages: &BTreeSet<usize>) -> Weights {
        let mut all = self.clone();
        for number in storages {
            if let Some(storage) = all.storages.get_mut(*number) {
                *storage = None;
            }
            all.assigned.remove(number);
        }
        all
    }

    /// Returns the same weights with these storages from other weights of the same archive.
    pub fn with_storages_of(&self, other: &Weights, storages: &BTreeSet<usize>) -> Weights {
        let mut all = self.clone();
        for number in storages {
            if let (Some(to), Some(from)) = (all.storages.get_mut(*number), other.storages.get(*number)) {
                to.clone_from(from);
            }
            if other.assigned.contains(number) {
                all.assigned.insert(*number)
            } else {
                all.assigned.remove(number)
            };
        }
        all
    }

    /// Returns the same weights with copies of these storages; all others are shared. Waits for the
    /// device.
    pub fn with_copies(&self, storages: &BTreeSet<usize>, device: Device) -> Result<Weights> {
        let mut all = self.storages.clone();
        // The allocator may reuse memory that work on another stream still uses.
        device.synchronize().map_err(|failure| failure.outside_node())?;
        for (_, storage) in all.iter_mut().enumerate().filter(|(number, _)| storages.contains(number)) {
            *storage =
                storage.as_ref().map(|storage| copy(storage, device).map(DeviceStorage::new)).transpose()?;
        }
        device.synchronize().map_err(|failure| failure.outside_node())?;
        Ok(Weights { storages: all, ..self.clone() })
    }

    /// Copies the contents of these storages from weights of the same archive, on the thread's
    /// current stream.
    pub fn fill_from(&self, from: &Weights, storages: &BTreeSet<usize>) -> Result<()> {
        let pairs = self.storages.iter().zip(&from.storages).enumerate();
        for (_, pair) in pairs.filter(|(number, _)| storages.contains(number)) {
            if let (Some(to), Some(from)) = pair {
                Tensor::clone(to).fill_from(from, true).map_err(|failure| failure.outside_node())?;
            }
        }
        Ok(())
    }
}

/// Returns a copy of a storage.
pub(super) fn copy(storage: &Tensor, device: Device) -> Result<Tensor> {
    let outside = |failure: Failure| failure.outside_node();
    let mut copy = Tensor::empty(storage.view().sizes, BYTE, device, false).map_err(outside)?;
    copy.fill_from(storage, true).map_err(outside)?;
    Ok(copy)
}
