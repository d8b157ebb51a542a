//! The constants of a container by their names in the exported module: asked for, given other values, copied.
//!
//! Everything here happens while nobody is inside of the code. Values are copied: the memory is the container's.

use crate::torch::native::{Constant, Container};
use crate::torch::{Device, Failure, Tensor, dtype_from_torch};
use crate::weights::{Parameter, ParameterKind, require_distinct, require_known};
use crate::{Error, Result};

/// The constants of one container.
#[derive(Debug)]
pub struct Constants {
    all: Vec<Constant>,
    parameters: Vec<Parameter>,
}

impl Constants {
    /// Those of a container, before which this has to be dropped.
    pub fn of(container: &Container) -> Result<Constants, Failure> {
        let all = container.constants()?;
        let parameters = all.iter().filter_map(parameter).collect();
        Ok(Constants { all, parameters })
    }

    /// What they are.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Refuses names that it has not, and names that come twice.
    pub fn require(&self, argument: &'static str, names: &[&str]) -> Result<()> {
        require_known(&self.parameters, "the weights that the compiled code takes", argument, names)?;
        require_distinct(argument, names)
    }

    /// Refuses a tensor that does not fit.
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
        if given.device != self.find(name).and_then(|now| now.view().device) && given.device != Some(device) {
            return refuse(format!("it is not on {device}; copy it there first"));
        }
        Ok(())
    }

    /// A copy of one.
    pub fn copied(&self, name: &str) -> Result<Tensor, Failure> {
        match self.find(name) {
            Some(tensor) => tensor.copied(),
            None => Tensor::empty(&[0], 0, Device::Cpu, false),
        }
    }

    /// Gives one other values.
    pub fn fill(&self, name: &str, from: &Tensor) -> Result<(), Failure> {
        match self.find(name) {
            Some(tensor) => tensor.clone().fill_changed(from),
            None => Ok(()),
        }
    }

    /// Copies those of another container of the same library, if their names are chosen.
    pub fn fill_from(&self, other: &Constants, chosen: impl Fn(&str) -> bool) -> Result<(), Failure> {
        for (to, from) in self.all.iter().zip(&other.all).filter(|(to, _)| chosen(&to.name)) {
            to.tensor.clone().fill_changed(&from.tensor)?;
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<&Tensor> {
        self.all.iter().find(|constant| constant.name == name).map(|constant| &constant.tensor)
    }
}

fn parameter(constant: &Constant) -> Option<Parameter> {
    let view = constant.tensor.view();
    let kind = match constant.kind {
        1 => ParameterKind::Parameter,
        2 => ParameterKind::Buffer,
        _ => ParameterKind::Constant,
    };
    let (sizes, strides) = (view.sizes.to_vec(), view.strides.to_vec());
    let named = !constant.name.is_empty() && view.strided;
    let dtype = dtype_from_torch(view.dtype).filter(|_| named)?;
    Some(Parameter { name: constant.name.clone(), kind, dtype, sizes, strides })
}
