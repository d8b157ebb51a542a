//! Constants of a container, by their names in the exported module: read, replaced and shared.
//!
//! Callers of this module have exclusive admission, and the code uses the changes once constants
//! are folded. Constants that no call writes to are not written here either. They are redirected to
//! other memory, so that models can share it.

use crate::lock::lock;
use crate::torch::aoti::{ContainerConstant, ModelContainer};
use crate::torch::{Device, Failure, Tensor, dtype_from_torch};
use crate::weights::placement::alignment;
use crate::weights::{Parameter, ParameterKind, require_distinct, require_known};
use crate::{Error, Result};
use std::sync::Mutex;

/// Constants of one container.
#[derive(Debug)]
pub struct ContainerConstants {
    all: Mutex<Vec<HeldConstant>>,
    parameters: Vec<Parameter>,
}

#[derive(Debug)]
struct HeldConstant {
    constant: ContainerConstant,
    /// True if calls may write to it.
    written: bool,
}

impl ContainerConstants {
    /// Returns the constants of a container, which must outlive them. `written` returns true if
    /// calls may write to one.
    pub fn of(
        container: &ModelContainer,
        written: impl Fn(&str, ParameterKind) -> bool,
    ) -> Result<ContainerConstants, Failure> {
        let all = container.constants()?;
        let parameters = all.iter().filter_map(parameter).collect();
        let held = |constant: ContainerConstant| HeldConstant {
            written: written(&constant.name, kind(&constant)) || !constant.is_movable(),
            constant,
        };
        Ok(ContainerConstants { all: Mutex::new(all.into_iter().map(held).collect()), parameters })
    }

    /// Returns their descriptions.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Fails for unknown names and for names that occur twice.
    pub fn require(&self, argument: &'static str, names: &[&str]) -> Result<()> {
        require_known(&self.parameters, "the weights that the compiled code takes", argument, names)?;
        require_distinct(argument, names)
    }

    /// Fails if a tensor does not fit a constant.
    pub fn require_fit(&self, name: &str, tensor: &Tensor, device: Device) -> Result<()> {
        let (Some(known), given) = (self.parameters.iter().find(|known| known.name == name), tensor.view())
        else {
            return Ok(());
        };
        let refuse = |reason: String| Err(Error::Weight { name: name.into(), reason });
        match dtype_from_torch(given.dtype) {
            Some(dtype) if dtype == known.dtype => {}
            Some(dtype) => return refuse(format!("expected {}, got {dtype}", known.dtype)),
            None => return refuse("its dtype is none a program can have".into()),
        }
        if !given.strided || given.sizes != known.sizes {
            return refuse(format!("its sizes are {:?}, expected {:?}", given.sizes, known.sizes));
        }
        if given.device != self.tensor(name).and_then(|now| now.view().device) && given.device != Some(device)
        {
            return refuse(format!("it is not on {device}; copy it there first"));
        }
        Ok(())
    }

    /// Returns a copy of a constant.
    pub fn copied(&self, name: &str) -> Result<Tensor, Failure> {
        match self.tensor(name) {
            Some(tensor) => tensor.copied(),
            None => Tensor::empty(&[0], 0, Device::Cpu, false),
        }
    }

    /// Replaces constants. Writes nothing before there is memory for all of them.
    pub fn give(&self, given: &[(&str, &Tensor)]) -> Result<(), Failure> {
        let mut all = lock(&self.all);
        let found = |held: &HeldConstant| given.iter().find(|(name, _)| *name == held.constant.name);
        let mut ready = Vec::new();
        for held in all.iter_mut() {
            if let Some((_, tensor)) = found(held) {
                let tensor = if held.written { (*tensor).clone() } else { stand_in(&held.constant, tensor)? };
                ready.push((held, tensor));
            }
        }
        ready.into_iter().try_for_each(|(held, tensor)| held.take(tensor))
    }

    /// Takes the chosen constants of another container of the same library.
    ///
    /// Shares the memory of that container or of the package, and copies constants that calls may
    /// write to.
    pub fn follow(&self, other: &ContainerConstants, chosen: impl Fn(&str) -> bool) -> Result<(), Failure> {
        let (mut all, other) = (lock(&self.all), lock(&other.all));
        let pairs = all.iter_mut().zip(other.iter()).filter(|(to, _)| chosen(&to.constant.name));
        pairs.into_iter().try_for_each(|(to, from)| to.follow(from))
    }

    /// Returns true if most bytes of the constants are in memory that the container does not own.
    pub fn mostly_lent(&self) -> bool {
        let all = lock(&self.all);
        let bytes = |lent: bool| -> i64 {
            let counted = all.iter().map(|held| &held.constant).filter(|one| one.lender().is_some() == lent);
            counted.map(|constant| constant.tensor().view().bytes).sum()
        };
        bytes(true) > bytes(false)
    }

    /// Returns true if the container owns memory for any of them.
    pub fn has_own(&self) -> bool {
        lock(&self.all).iter().any(|held| held.constant.has_own())
    }

    /// Redirects all constants to memory that the container does not own. Returns false if one of
    /// them cannot be.
    pub fn leave(&self) -> Result<bool, Failure> {
        let mut all = lock(&self.all);
        if !all.iter().all(|held| held.constant.is_movable()) {
            return Ok(false);
        }
        for constant in all.iter_mut().map(|held| &mut held.constant).filter(|one| one.lender().is_none()) {
            constant.read_from(constant.tensor().copied()?)?;
        }
        all.iter_mut().for_each(|held| held.constant.forget_own());
        Ok(true)
    }

    fn tensor(&self, name: &str) -> Option<Tensor> {
        let all = lock(&self.all);
        all.iter().find(|held| held.constant.name == name).map(|held| held.constant.tensor().clone())
    }
}

impl HeldConstant {
    /// Takes a tensor's values: copies them if calls may write to the constant, else shares the
    /// memory.
    fn take(&mut self, tensor: Tensor) -> Result<(), Failure> {
        if self.written {
            self.constant.tensor().clone().fill_changed(&tensor)
        } else {
            self.constant.read_from(tensor)
        }
    }

    fn follow(&mut self, other: &HeldConstant) -> Result<(), Failure> {
        let from = other.constant.tensor();
        match other.constant.lender() {
            _ if self.written => self.take(from.clone()),
            Some(lender) => self.take(lender.clone()),
            None if self.constant.has_own() => self.constant.read_own(),
            None => self.take(from.copied()?),
        }
    }
}

/// Returns the tensor if the code can read its memory, else a copy in the layout that the code
/// expects.
fn stand_in(constant: &ContainerConstant, tensor: &Tensor) -> Result<Tensor, Failure> {
    let (known, given) = (constant.tensor().view(), tensor.view());
    let aligned = given.device.is_some_and(|device| given.data.addr().is_multiple_of(alignment(device)));
    if tensor.is_plain() && known.strides == given.strides && known.device == given.device && aligned {
        Ok(tensor.clone())
    } else {
        constant.tensor().like().and_then(|mut copy| copy.fill_from(tensor, true).map(|()| copy))
    }
}

fn kind(constant: &ContainerConstant) -> ParameterKind {
    match constant.kind {
        1 => ParameterKind::Parameter,
        2 => ParameterKind::Buffer,
        _ => ParameterKind::Constant,
    }
}

fn parameter(constant: &ContainerConstant) -> Option<Parameter> {
    let view = constant.tensor().view();
    let (sizes, strides) = (view.sizes.to_vec(), view.strides.to_vec());
    let named = !constant.name.is_empty() && view.strided;
    let dtype = dtype_from_torch(view.dtype).filter(|_| named)?;
    Some(Parameter { name: constant.name.clone(), kind: kind(constant), dtype, sizes, strides })
}
