//! Constants that operators of the archive compute from one weight set.
//!
//! They are computed when a call first needs them, because loading or describing a model runs none
//! of its operators.

use super::constant_folding::FoldedConstants;
use super::planned_program::PlannedProgram;
use crate::Result;
use crate::lock::lock;
use crate::torch::Tensor;
use crate::weights::placement::Weights;
use once_cell::sync::OnceCell;
use std::collections::HashMap;
use std::sync::Mutex;

/// Constants that the first call computes while other calls wait.
///
/// An error is returned to that call only, and the next call retries. Weight sets of a model share
/// the constants while the weights under them are the same.
#[derive(Debug)]
pub struct LazyConstants {
    made: OnceCell<HashMap<String, Tensor>>,
    /// Weights that the constants are computed from; None once they are computed.
    from: Mutex<Option<Weights>>,
}

impl LazyConstants {
    /// Wraps constants that are already computed.
    pub fn ready(constants: HashMap<String, Tensor>) -> LazyConstants {
        LazyConstants { made: OnceCell::with_value(constants), from: Mutex::default() }
    }

    /// Defers constants that depend on these weights, which hold every storage that folding reads.
    pub fn pending(from: Weights) -> LazyConstants {
        LazyConstants { made: OnceCell::new(), from: Mutex::new(Some(from)) }
    }

    /// Returns the constants if they were computed.
    pub fn made(&self) -> Option<&HashMap<String, Tensor>> {
        self.made.get()
    }

    /// Returns the constants, and computes them if no call has yet.
    pub fn get(&self, planned: &PlannedProgram) -> Result<&HashMap<String, Tensor>> {
        self.made.get_or_try_init(|| {
            let from = lock(&self.from).clone();
            let constants: FoldedConstants = match &from {
                Some(weights) => planned.fold(weights)?,
                None => Vec::new(),
            };
            *lock(&self.from) = None;
            drop(from);
            planned.release_folded()?;
            Ok(constants.into_iter().collect())
        })
    }
}
