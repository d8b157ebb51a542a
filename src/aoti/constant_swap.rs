//! Swaps weights of compiled code by name: reads them, sets them, restores those of the package.
//!
//! Changes have exclusive admission: earlier calls finish on the old values, and later ones wait.
//! Constants that the code folds from others are folded again before the next call.

use super::CompiledModel;
use crate::Result;
use crate::lock::lock;
use crate::torch::{Device, Failure, Tensor};
use crate::weights::placement::Assignment;
use crate::weights::{Parameter, not_a_clone};
use std::ptr;
use std::sync::{Arc, Mutex};

/// Lock for exclusive admission to two models at once, which prevents a deadlock.
static PAIRS: Mutex<()> = Mutex::new(());

impl CompiledModel {
    /// Returns the weights of the code. Constants that the compiler built into the code are not
    /// included.
    pub fn parameters(&self) -> &[Parameter] {
        self.constants.parameters()
    }

    /// Returns a copy of a weight between two calls. Waits for the device.
    pub fn parameter(&self, name: &str) -> Result<Tensor> {
        self.constants.require("name", &[name])?;
        let _scope = self.scope(ptr::null_mut())?;
        let _alone = self.admission.acquire_all();
        let copy = self.device().finish().and_then(|()| self.constants.copied(name));
        copy.and_then(|copy| self.device().finish().map(|()| copy)).map_err(|failure| self.failed(failure))
    }

    /// Replaces weights atomically, between two calls.
    ///
    /// A tensor's memory is shared if it has the layout that the code expects and no call writes to
    /// the weight. Otherwise it is copied.
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

    /// Restores these weights from the package; without names, all weights that were swapped.
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

    /// Takes over the weights of another clone, except those that the program calls its state.
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

    /// Returns true if the container's own memory for constants could be freed.
    ///
    /// On the CPU it is the library's file, which costs no memory.
    pub(super) fn can_leave(&self) -> bool {
        self.device() != Device::Cpu && self.constants.has_own() && self.container.can_free_constants()
    }

    /// Frees that memory if possible. The caller must have exclusive admission and fold constants
    /// next.
    pub(super) fn leave(&self) -> Result<(), Failure> {
        if !self.can_leave() || !self.constants.leave()? {
            return Ok(());
        }
        self.device().finish()?;
        self.container.free_constants()
    }

    /// Runs `write` with exclusive admission and an idle device, then folds constants.
    pub(super) fn change(&self, write: impl FnOnce() -> Result<(), Failure>) -> Result<()> {
        let scope = self.scope(ptr::null_mut())?;
        let _alone = self.admission.acquire_all();
        let device = self.device();
        let changed = device.finish().and_then(|()| write()).and_then(|()| self.container.fold(&scope));
        changed.and_then(|()| device.finish()).map_err(|failure| self.failed(failure))
    }
}
