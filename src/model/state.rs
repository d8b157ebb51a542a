//! State of one model: its weights as the program sees them, with the storages that it writes to.

use crate::plan::Plan;
use crate::pool::Pool;
use crate::torch::{Device, Frame, Tensor};
use crate::weights::placement::Weights;
use crate::{Result, exec};
use once_cell::sync::OnceCell;
use std::collections::{BTreeSet, HashMap};

/// Weights, and frames that hold them.
///
/// The state owns the storages that the program writes to. All other storages are shared with every
/// state of the same weights.
#[derive(Debug)]
pub struct ModelState {
    weights: Weights,
    /// Weights with their slots, set once all constants are computed.
    bound: OnceCell<Vec<(u32, Tensor)>>,
    /// Storages that the program writes to. A write is visible in every tensor that shares one.
    written: BTreeSet<usize>,
    /// Frames that no call uses.
    idle: Pool<Frame>,
}

impl ModelState {
    /// Creates a state with the contents of these weights. It never writes to their memory.
    pub fn new(device: Device, weights: &Weights, written: BTreeSet<usize>) -> Result<ModelState> {
        let copies = written.clone();
        ModelState::of(device, weights, written, &copies)
    }

    /// Copies this state.
    pub fn try_clone(&self, device: Device) -> Result<ModelState> {
        ModelState::of(device, &self.weights, self.written.clone(), &self.written)
    }

    /// Returns the same state on other weights. The storages in `changed` take the contents of
    /// those weights.
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

    /// Binds all weights and folded constants to their slots. Every call begins with this.
    pub fn bind(&self, plan: &Plan, constants: &HashMap<String, Tensor>) -> Result<()> {
        let tensor = |name: &str| match constants.get(name) {
            Some(constant) => Ok(constant.clone()),
            None => self.weights.tensor(name),
        };
        let bound = || plan.weights.iter().map(|(slot, name)| Ok((*slot, tensor(name)?))).collect();
        self.bound.get_or_try_init(bound).map(drop)
    }

    /// Returns the weights with their slots; none before they were bound.
    pub fn bound(&self) -> &[(u32, Tensor)] {
        self.bound.get().map_or(&[], Vec::as_slice)
    }

    /// Returns the weights by name, including the program's writes.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Returns true if the program writes to this tensor or to one that shares its memory.
    pub fn writes_to(&self, name: &str) -> bool {
        self.weights.is_in(name, &self.written)
    }

    /// Restores the contents of these weights, on the thread's current stream.
    pub fn fill_from(&self, weights: &Weights) -> Result<()> {
        self.weights.fill_from(weights, &self.written)
    }

    /// Returns a frame that no call uses.
    pub fn frame(&self, plan: &Plan) -> Result<Frame> {
        self.idle.take().map_or_else(|| exec::frame(plan, self.bound()), Ok)
    }

    /// Takes back a frame that holds only the weights.
    pub fn return_frame(&self, frame: Frame) {
        self.idle.put(frame);
    }
}
