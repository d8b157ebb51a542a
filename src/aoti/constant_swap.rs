//! Swaps weights of compiled code by name: reads them, sets them, restores the package's.
//!
//! Whoever changes them is alone with the code: calls in flight finish on the old values first, later ones wait.
//! Constants that the code computes from others are computed anew before the next call.

use super::CompiledModel;
use crate::Result;
use crate::lock::lock;
use crate::torch::{Device, Failure, Tensor};
use crate::weights::placement::Assignment;
use crate::weights::{Parameter, not_a_clone};
use std::ptr;
use std::sync::{Arc, Mutex};

/// Held by whoever is alone with two models at once, so that no two wait for each other.
static PAIRS: Mutex<()> = Mutex::new(());

impl CompiledModel {
    /// The weights that the code takes. What the compiler built into the code is not among them.
    pub fn parameters(&self) -> &[Parameter] {
        self.constants.parameters()
    }

    /// A copy of a weight as it is between two calls. Waits for the device.
    pub fn parameter(&self, name: &str) -> Result<Tensor> {
        self.constants.require("name", &[name])?;
        let _scope = self.scope(ptr::null_mut())?;
        let _alone = self.admission.acquire_all();
        let copy = self.device().finish().and_then(|()| self.constants.copied(name));
        copy.and_then(|copy| self.device().finish().map(|()| copy)).map_err(|failure| self.failed(failure))
    }

    /// Gives the code other weights between two calls, all at once. Their memory is shared where it lies as the code
    /// expects it, and no call writes to the weight; elsewhere it is copied.
    pub fn swap_parameters(&self, given: &[Assignment]) -> Result<()> {
        let names: Vec<&str> = given.iter().map(|(name, _)| *name).collect();
        self.constants.require("names", &names)?;
        given
            .iter()
            .try_for_each(|(name, tensor)| self.constants.require_fit(name, tensor, self.device()))?;
        self.change(|| {
            self.constants.give(given)?;
            if self.constants.mostly_lent() { self.leave() } else { Ok(()) }
        })?;
        lock(&self.given).extend(names.into_iter().map(str::to_owned));
        Ok(())
    }

    /// Puts these weights back to what the package holds, or those that were given if there are no names.
    pub fn reset_parameters(&self, names: Option<&[&str]>) -> Result<()> {
        let chosen: Vec<String> = match names {
            Some(names) => {
                self.constants.require("names", names)?;
                names.iter().map(|name| (*name).to_owned()).collect()
            }
            None => lock(&self.given).iter().cloned().collect(),
        };
        if chosen.is_empty() {
            return Ok(());
        }
        let (_container, fresh) = self.fresh()?;
        self.change(|| self.constants.follow(&fresh, |name| chosen.iter().any(|chosen| chosen == name)))?;
        lock(&self.given).retain(|name| !chosen.contains(name));
        Ok(())
    }

    /// Shares the weights of a clone, or of what this is a clone of; not those that a program beside the code calls
    /// its state.
    pub fn share_parameters(&self, source: &CompiledModel) -> Result<()> {
        if !Arc::ptr_eq(&self.made, &source.made) {
            return Err(not_a_clone());
        }
        if ptr::eq(self, source) {
            return Ok(());
        }
        let state = &self.effects().state;
        let _pair = lock(&PAIRS);
        let _alone = source.admission.acquire_all();
        self.change(|| {
            self.constants.follow(&source.constants, |name| !state.iter().any(|own| own == name))
        })?;
        let given = lock(&source.given).clone();
        lock(&self.given).extend(given);
        Ok(())
    }

    /// Whether constants could do without the container's own memory. On the CPU that is the library's file, which takes
    /// none.
    pub(super) fn can_leave(&self) -> bool {
        self.device() != Device::Cpu && self.constants.has_own() && self.container.can_free_constants()
    }

    /// Gives that memory back, if it can be done. Alone with the code, and constants are folded next.
    pub(super) fn leave(&self) -> Result<(), Failure> {
        if !self.can_leave() || !self.constants.leave()? {
            return Ok(());
        }
        self.device().finish()?;
        self.container.free_constants()
    }

    /// Alone with the code and with a device that has nothing left to do.
    pub(super) fn change(&self, write: impl FnOnce() -> Result<(), Failure>) -> Result<()> {
        let scope = self.scope(ptr::null_mut())?;
        let _alone = self.admission.acquire_all();
        let device = self.device();
        let changed = device.finish().and_then(|()| write()).and_then(|()| self.container.fold(&scope));
        changed.and_then(|()| device.finish()).map_err(|failure| self.failed(failure))
    }
}
