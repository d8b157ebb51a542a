//! Counters of a model's runs.

use super::error::{c_text, pt2_error};
use super::guard::{guard, required};
use super::model::{LoadedModel, pt2_model};
use super::versioned_struct::{self, Versioned};
use libc::c_char;

/// Counters of the runs of a model.
///
/// Since 0.1.0.
#[repr(C)]
#[derive(Debug)]
pub struct pt2_statistics {
    /// `sizeof(pt2_statistics)`, set by the caller.
    /// Since 0.1.0.
    pub struct_size: usize,
    /// The number of CUDA graphs that are kept now. Setting weights drops them; they are
    /// captured again after a few calls.
    /// Since 0.1.0.
    pub cuda_graphs: u64,
    /// The number of runs that were the launch of a CUDA graph.
    /// Since 0.1.0.
    pub cuda_graph_launches: u64,
    /// The reason why the program, or inputs of some sizes, run operator by operator on a
    /// CUDA device. NULL if there is none. The first reason found is kept. Valid as long as the
    /// model lives.
    /// Since 0.1.0.
    pub cuda_graph_refusal: *const c_char,
}

// SAFETY: repr(C), begins with its size, and zero is valid for pointers and integers.
unsafe impl Versioned for pt2_statistics {
    const ARGUMENT: &'static str = "statistics";
    const SIZES: &'static [usize] = &[size_of::<Self>()];
}

fn statistics_of(loaded: &LoadedModel) -> pt2_statistics {
    let statistics = loaded.model.statistics();
    let refusal =
        statistics.refusal.map(|reason| loaded.texts.refusal.get_or_init(|| c_text(&reason)).as_ptr());
    pt2_statistics {
        struct_size: 0,
        cuda_graphs: statistics.cuda_graphs as u64,
        cuda_graph_launches: statistics.launches,
        cuda_graph_refusal: refusal.unwrap_or(std::ptr::null()),
    }
}

/// Returns the counters of a model.
///
/// # Parameters
/// - `model`: The model.
/// - `statistics` (in, out): The counters. The caller sets its `struct_size`, and that many bytes
///   are filled.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `*statistics` stays
/// unmodified.
///
/// # Ownership
/// The arguments are borrowed for the call.
///
/// # Thread safety
/// Thread-safe, also while the model runs.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_model_statistics(
    model: *const pt2_model,
    statistics: *mut pt2_statistics,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        versioned_struct::write(statistics, &statistics_of(&required(model, "model")?.loaded))
    })
}
