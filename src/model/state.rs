//! The weights of one model as its program sees them, and of them the part that it writes to.

use crate::plan::Plan;
use crate::pool::Pool;
use crate::torch::{Device, Frame, Tensor};
use crate::weights::placement::Weights;
use crate::{Result, exec};
use once_cell::sync::OnceCell;
use std::collections::{BTreeSet, HashMap};

/// Weights, and frames that hold them. The storages that the program writes to are this state's own; all others
/// are shared with every state of the same weights.
#[derive(Debug)]
pub struct ModelState {
    weights: Weights,
    /// Once all constants are there.
    bound: OnceCell<Vec<(u32, Tensor)>>,
    /// The storages that the program writes to. What shares one with a tensor that is written to sees the write.
    written: BTreeSet<usize>,
    /// Frames that no call uses.
    idle: Pool<Frame>,
}

impl ModelState {
    /// A state that begins with the content of these weights and never writes to their memory.
    pub fn new(device: Device, weights: &Weights, written: BTreeSet<usize>) -> Result<ModelState> {
        let copies = written.clone();
        ModelState::of(device, weights, written, &copies)
    }

    /// A state of its own that begins with the content of this one.
    pub fn try_clone(&self, device: Device) -> Result<ModelState> {
        ModelState::of(device, &self.weights, self.written.clone(), &self.written)
    }

    /// The same state on other weights; in the storages that `changed` it begins with their content.
    pub fn on(&self, device: Device, weights: &Weights, changed: &BTreeSet<usize>) -> Result<ModelState> {
        let (changed_state, kept): (BTreeSet<usize>, BTreeSet<usize>) =
            self.written.iter().partition(|storage| changed.contains(storage));
        let weights = weights.with_storages_of(&self.weights, &kept);
        ModelState::of(device, &weights, self.written.clone(), &changed_state)
    }

    fn of(
        device: Device,
        weights: &Weights,
        written: BTreeSet<usize>,
        copies: &BTreeSet<usize>,
    ) -> Result<ModelState> {
        let weights =
            if copies.is_empty() { weights.clone() } else { weights.with_copies(copies, device)? };
        Ok(ModelState { weights, bound: OnceCell::new(), written, idle: Pool::default() })
    }

    /// Finds the slots of all weights and of constants that were folded beside them. Calls begin with it.
    pub fn bind(&self, plan: &Plan, constants: &HashMap<String, Tensor>) -> Result<()> {
        let tensor = |name: &str| match constants.get(name) {
            Some(constant) => Ok(constant.clone()),
            None => self.weights.tensor(name),
        };
        let bound = || plan.weights.iter().map(|(slot, name)| Ok((*slot, tensor(name)?))).collect();
        self.bound.get_or_try_init(bound).map(drop)
    }

    /// The weights with the slots they stay in; none before they were bound.
    pub fn bound(&self) -> &[(u32, Tensor)] {
        self.bound.get().map_or(&[], Vec::as_slice)
    }

    /// The weights by name, with what was written to them.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Whether the program writes to the tensor of this name or to what shares its memory.
    pub fn writes_to(&self, name: &str) -> bool {
        self.weights.is_in(name, &self.written)
    }

    /// Copies the content of the weights it began with back, on the thread's current stream.
    pub fn fill_from(&self, weights: &Weights) -> Result<()> {
        self.weights.fill_from(weights, &self.written)
    }

    /// A frame that no call uses.
    pub fn frame(&self, plan: &Plan) -> Result<Frame> {
        self.idle.take().map_or_else(|| exec::frame(plan, self.bound()), Ok)
    }

    /// Takes back a frame that holds nothing but the weights.
    pub fn return_frame(&self, frame: Frame) {
        self.idle.put(frame);
    }
}
