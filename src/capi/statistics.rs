//! What a model did so far.

use super::error::pt2_error;
use super::guard::{guard, required};
use super::model::pt2_model;
use super::versioned_struct::{self, Versioned};
use libc::c_char;

/// How a model's runs were launched. Set `struct_size` to `sizeof(pt2_statistics)`.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_statistics {
    /// `sizeof(pt2_statistics)`.
    pub struct_size: usize,
    /// CUDA graphs that are kept now. They go when weights are set, and come again after a few calls.
    pub cuda_graphs: u64,
    /// Runs that were the launch of a CUDA graph.
    pub cuda_graph_launches: u64,
    /// Why the program, or inputs of some sizes, run operator by operator on a CUDA device: the reason that was
    /// found first. NULL if there is none. The text lives as long as the model.
    pub cuda_graph_refusal: *const c_char,
}

// SAFETY: repr(C), begins with its size, and zero is valid for pointers and integers.
unsafe impl Versioned for pt2_statistics {
    const ARGUMENT: &'static str = "statistics";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
}

/// What a model did so far.
///
/// Parameters: `statistics` is filled as far as its `struct_size` says, which the caller sets.
///
/// Returns NULL, or an error, and then `statistics` is untouched.
///
/// Ownership: the arguments are borrowed for the call. Threads: any number at once, also while the model runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_statistics(
    model: *const pt2_model,
    statistics: *mut pt2_statistics,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
    guard(|| unsafe { versioned_struct::write(statistics, &required(model, "model")?.loaded.statistics()) })
}
