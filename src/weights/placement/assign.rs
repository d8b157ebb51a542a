//! Assigns other tensors to weights as PyTorch's `load_state_dict` does: weights that share a
//! storage still share it.

use super::strided_view::{StridedView, as_storage};
use super::weights::copy;
use super::{ArchivedWeights, BYTE, DeviceStorage, Weights, alignment};
use crate::torch::{Device, Failure, Tensor, TensorView as Described, dtype_from_torch};
use crate::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Name of a weight and the tensor to assign.
pub type Assignment<'a> = (&'a str, &'a Tensor);

/// Assignment with the view of its weight.
type Placed<'a> = (&'a StridedView, Assignment<'a>);

impl Weights {
    /// Returns the weights after all assignments, and the storages that changed.
    ///
    /// Neither these weights nor the tensors are written to, so an error changes nothing. A
    /// tensor's memory is shared if it can replace a whole storage: same element order, and
    /// libtorch's alignment. Otherwise it is copied. Waits for the device.
    pub fn assign(
        &self,
        archived: &ArchivedWeights,
        given: &[Assignment],
    ) -> Result<(Weights, BTreeSet<usize>)> {
        let by_storage = self.sort(archived.device(), given)?;
        wait(archived.device())?;
        let mut all = self.clone();
        for (number, placed) in &by_storage {
            let storage = DeviceStorage::new(self.storage_with(archived, *number, placed)?);
            if let Some(place) = all.storages.get_mut(*number) {
                *place = Some(storage);
            }
        }
        wait(archived.device())?;
        for placed in by_storage.values().filter(|placed| placed.len() > 1) {
            placed.iter().try_for_each(|(_, given)| all.require_content(*given))?;
        }
        let changed: BTreeSet<usize> = by_storage.into_keys().collect();
        all.assigned.extend(&changed);
        Ok((all, changed))
    }

    /// Returns the assignments by storage, after checking each of them.
    fn sort<'a>(
        &'a self,
        device: Device,
        given: &[Assignment<'a>],
    ) -> Result<BTreeMap<usize, Vec<Placed<'a>>>> {
        let mut by_storage: BTreeMap<usize, Vec<Placed>> = BTreeMap::new();
        for (name, tensor) in given {
            let view = self.views.get(*name).ok_or_else(|| refusal(name, "the archive does not hold it"))?;
            check(view, device, tensor.view()).map_err(|reason| refusal(name, reason))?;
            by_storage.entry(view.storage).or_default().push((view, (name, tensor)));
        }
        Ok(by_storage)
    }

    fn storage_with(&self, archived: &ArchivedWeights, number: usize, placed: &[Placed]) -> Result<Tensor> {
        let bytes = archived.bytes(number);
        let whole = placed.first().filter(|(view, _)| view.fills(bytes) && self.is_single(view));
        let base = match whole {
            Some((view, (name, tensor))) if fits(view, tensor, archived.device()) => {
                return as_storage(tensor, bytes).map_err(|failure| failed(name, failure));
            }
            Some(_) => Tensor::empty(&[bytes as i64], BYTE, archived.device(), false)
                .map_err(|f| f.outside_node())?,
            None => self.copied(archived, number)?,
        };
        for (view, (name, tensor)) in placed {
            let written = view.plain(&base).and_then(|mut to| to.fill_from(tensor, true));
            written.map_err(|failure| failed(name, failure))?;
        }
        Ok(base)
    }

    /// Returns true if all tensors in the storage are this one under other names.
    fn is_single(&self, view: &StridedView) -> bool {
        self.views.values().filter(|other| other.storage == view.storage).all(|other| other.is_same(view))
    }

    fn copied(&self, archived: &ArchivedWeights, number: usize) -> Result<Tensor> {
        let present = archived.put(self, &BTreeSet::from([number]))?;
        let absent = || Error::Internal { reason: format!("storage {number} is not on the device") };
        let storage = present.storages.get(number).and_then(Option::as_ref);
        copy(storage.ok_or_else(absent)?, archived.device())
    }

    /// Fails if several assignments to the same memory differ: otherwise the last one would win
    /// silently.
    fn require_content(&self, (name, tensor): Assignment) -> Result<()> {
        let now = self.plain(name)?;
        if is_same_memory(&now, tensor) || now.to_bytes()? == tensor.to_bytes()? {
            return Ok(());
        }
        Err(refusal(name, "a weight that shares its memory was given other values"))
    }
}

fn wait(device: Device) -> Result<()> {
    device.synchronize().map_err(Failure::outside_node)
}

fn refusal(name: &str, reason: impl Into<String>) -> Error {
    Error::Weight { name: name.into(), reason: reason.into() }
}

fn failed(name: &str, failure: Failure) -> Error {
    failure.into_error(|reason| refusal(name, reason))
}

fn is_same_memory(now: &Tensor, given: &Tensor) -> bool {
    let (ours, theirs) = (now.view(), given.view());
    given.is_plain() && ours.data == theirs.data && ours.strides == theirs.strides
}

/// Checks that a tensor can be assigned to a weight.
fn check(view: &StridedView, device: Device, given: Described) -> Result<(), String> {
    if !given.strided {
        return Err("a dense tensor is expected, a sparse one was given".into());
    }
    if given.dtype != view.dtype {
        return Err(format!("it is {}, {} was given", dtype_name(view.dtype), dtype_name(given.dtype)));
    }
    if given.sizes != view.sizes {
        return Err(format!("its sizes are {:?}, {:?} were given", view.sizes, given.sizes));
    }
    if given.device != Some(device) {
        let found = given.device.map_or_else(|| "another device".into(), |device| device.to_string());
        return Err(format!("the model is on {device}, a tensor on {found} was given; copy it there first"));
    }
    Ok(())
}

fn dtype_name(number: i32) -> String {
    dtype_from_torch(number).map_or_else(|| "another dtype".into(), |dtype| dtype.to_string())
}

/// Returns true if kernels can read the tensor's memory in place of a copy.
fn fits(view: &StridedView, tensor: &Tensor, device: Device) -> bool {
    let given = tensor.view();
    tensor.is_plain()
        && view.is_laid_out_as(given.strides)
        && given.data.addr().is_multiple_of(alignment(device))
}
