//! Weights on a device: storages, and the tensors that are views into them.

use super::Storages;
use crate::torch::{Device, Tensor, dtype_to_torch};
use crate::weights::pickle::SavedTensor;
use crate::{Error, Result};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const BYTE: i32 = 0;

/// Tensors by name. Those that share a storage share its memory.
#[derive(Clone, Debug)]
pub struct Weights {
    storages: Vec<Tensor>,
    views: Arc<HashMap<String, View>>,
    /// Tensors that are in no archive.
    computed: HashMap<String, Tensor>,
}

/// Where a tensor lies.
#[derive(Debug)]
struct View {
    storage: usize,
    /// The first element's place in the storage, in bytes.
    offset: i64,
    sizes: Vec<i64>,
    strides: Vec<i64>,
    dtype: i32,
    /// Whether it is a parameter that the exporter trained.
    trained: bool,
}

impl Weights {
    /// `placed` are the storages of `tensors` as bytes, in the order of `storages`.
    pub(super) fn new(placed: Vec<Tensor>, storages: &Storages, tensors: &[SavedTensor]) -> Weights {
        let view =
            |(tensor, storage): (&SavedTensor, usize)| (tensor.name.clone(), View::of(tensor, storage));
        let views = Arc::new(storages.number(tensors).map(view).collect());
        Weights { storages: placed, views, computed: HashMap::new() }
    }

    /// Adds tensors that were computed from others. Nobody writes to them.
    pub fn add(&mut self, computed: impl IntoIterator<Item = (String, Tensor)>) {
        self.computed.extend(computed);
    }

    /// Whether there is no tensor.
    pub fn is_empty(&self) -> bool {
        self.views.is_empty() && self.computed.is_empty()
    }

    /// Whether there is a tensor of this name.
    pub fn holds(&self, name: &str) -> bool {
        self.views.contains_key(name) || self.computed.contains_key(name)
    }

    /// The tensor of this name.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        if let Some(computed) = self.computed.get(name) {
            return Ok(computed.clone());
        }
        let refuse = |reason: String| Error::Weight { name: name.into(), reason };
        let missing = || refuse("the archive does not hold it".into());
        let view = self.views.get(name).ok_or_else(missing)?;
        let base = self.storages.get(view.storage).ok_or_else(missing)?;
        let made = base.part(view.offset, &view.sizes, &view.strides, view.dtype, view.trained);
        made.map_err(|failure| failure.into_error(refuse))
    }

    /// The storages behind these tensors, by number.
    pub fn storages_of(&self, names: &[String]) -> BTreeSet<usize> {
        names.iter().filter_map(|name| self.views.get(name)).map(|view| view.storage).collect()
    }

    /// The same weights on the same memory, but for these storages, which become copies. Waits for the device.
    pub fn with_copies(&self, storages: &BTreeSet<usize>, device: Device) -> Result<Weights> {
        let mut all = self.storages.clone();
        // The allocator may give back memory that work on another stream still uses.
        device.synchronize().map_err(|failure| failure.outside_node())?;
        for (_, storage) in all.iter_mut().enumerate().filter(|(number, _)| storages.contains(number)) {
            *storage = copy(storage, device)?;
        }
        device.synchronize().map_err(|failure| failure.outside_node())?;
        Ok(Weights { storages: all, ..self.clone() })
    }

    /// Copies the content of these storages from weights of the same archive, on the thread's current stream.
    pub fn fill_from(&self, from: &Weights, storages: &BTreeSet<usize>) -> Result<()> {
        let pairs = self.storages.iter().zip(&from.storages).enumerate();
        for (_, (to, from)) in pairs.filter(|(number, _)| storages.contains(number)) {
            to.clone().fill_from(from, true).map_err(|failure| failure.outside_node())?;
        }
        Ok(())
    }
}

impl View {
    fn of(tensor: &SavedTensor, storage: usize) -> View {
        View {
            storage,
            // A tensor without elements may claim a place behind the end, and gets the start.
            offset: match tensor.sizes.contains(&0) {
                true => 0,
                false => tensor.offset * tensor.dtype.size_in_bytes() as i64,
            },
            sizes: tensor.sizes.clone(),
            strides: tensor.strides.clone(),
            dtype: dtype_to_torch(tensor.dtype),
            trained: tensor.requires_grad,
        }
    }
}

fn copy(storage: &Tensor, device: Device) -> Result<Tensor> {
    let outside = |failure: crate::torch::Failure| failure.outside_node();
    let mut copy = Tensor::empty(storage.view().sizes, BYTE, device, false).map_err(outside)?;
    copy.fill_from(storage, true).map_err(outside)?;
    Ok(copy)
}
