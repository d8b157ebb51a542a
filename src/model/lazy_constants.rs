//! The constants that operators of the archive compute from one weight set: not before a call needs them, because
//! loading a model and asking about it runs nothing of its program.

use super::constant_folding::FoldedConstants;
use super::weight_set_builder::WeightSetBuilder;
use crate::Result;
use crate::lock::lock;
use crate::torch::Tensor;
use crate::weights::placement::Weights;
use once_cell::sync::OnceCell;
use std::collections::HashMap;
use std::sync::Mutex;

/// Computed once, by the first call that needs them; others wait meanwhile. An error is that call's, and the next call
/// tries again. Versions of a model share them as long as the weights that they depend on are the same.
#[derive(Debug)]
pub struct LazyConstants {
    made: OnceCell<HashMap<String, Tensor>>,
    /// What they are computed from, until they are.
    from: Mutex<Option<Weights>>,
}

impl LazyConstants {
    /// Constants that are there already.
    pub fn ready(constants: HashMap<String, Tensor>) -> LazyConstants {
        LazyConstants { made: OnceCell::with_value(constants), from: Mutex::default() }
    }

    /// Constants to be computed from these weights, which hold what is read for it.
    pub fn pending(from: Weights) -> LazyConstants {
        LazyConstants { made: OnceCell::new(), from: Mutex::new(Some(from)) }
    }

    /// The constants if they were computed.
    pub fn made(&self) -> Option<&HashMap<String, Tensor>> {
        self.made.get()
    }

    /// The constants. Computes them if no call has yet.
    pub fn get(&self, builder: &WeightSetBuilder) -> Result<&HashMap<String, Tensor>> {
        self.made.get_or_try_init(|| {
            let from = lock(&self.from).clone();
            let constants: FoldedConstants = match &from {
                Some(weights) => builder.fold(weights)?,
                None => Vec::new(),
            };
            *lock(&self.from) = None;
            drop(from);
            builder.release_folded()?;
            Ok(constants.into_iter().collect())
        })
    }
}
