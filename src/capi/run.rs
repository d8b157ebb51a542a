//! Running a program, with inputs and outputs by position or by name.

use super::direction::Direction;
use super::error::pt2_error;
use super::guard::{array, guard, required, required_text, usable};
use super::model::{LoadedModel, pt2_model};
use super::options::{pt2_run_options, run_options};
use super::tensor::pt2_tensor;
use crate::model::RunOptions;
use crate::reserve::check;
use crate::torch::Tensor;
use crate::{Error, Result};
use libc::c_char;
use std::sync::Arc;

/// Runs the program once.
///
/// Count, kind, dtype, device, rank, sizes and relations between sizes of the inputs are checked
/// before any operator runs. Element values are not checked.
///
/// The first run also performs constant folding: it computes the values that the program derives
/// from weights alone, and keeps them for later runs and clones. Runs that arrive in the meantime
/// wait for it. If folding fails, that run fails, the error names the node, and the next run tries
/// again.
///
/// Outputs are strided tensors whose memory holds their elements. PyTorch's lazy conjugates, lazy
/// negatives and zeros without memory are materialised. A nested, sparse, quantised or mkldnn
/// output fails with `PT2_ERROR_UNSUPPORTED`, and the error names the output. The load reports it
/// if the archive records it, otherwise the run does.
///
/// An input that the program writes to must have memory of its own, else the run fails with
/// `PT2_ERROR_INPUT`:
///
/// - No two of its elements share an address.
/// - It shares no element with another input. Elements are compared, not ranges. Strides that take
///   more than 4,096 steps to compare count as an overlap.
/// - It overlaps no weight and no state of any model in the process. Weights are compared as
///   ranges.
///
/// `torch.export` refuses inputs that share elements with a mutated input when it traces
/// (`torch/_functorch/_aot_autograd/runtime_wrappers.py`, PyTorch 2.11).
///
/// On CUDA, the work is queued when the call returns. Read the outputs on the same stream, or with
/// pt2_tensor_to_host(), which waits. A device fault may surface in a later call. A call waits for
/// the device if its control flow or its sizes depend on values there: the predicate of `cond`, the
/// condition of `while_loop`, `item`, `nonzero` and other data-dependent sizes.
///
/// # Parameters
/// - `model`: The model.
/// - `inputs`: `input_count` tensors in the order of pt2_input_info(). NULL stands for
///   Python's None and for an input that is a constant of the program. A number is a tensor of one
///   element on the CPU.
/// - `input_count`: The number of inputs, which must be pt2_input_count().
/// - `options`: The options, or NULL for the defaults.
/// - `outputs` (out): Receives `output_count` new tensors. An entry is NULL if the output is None
///   or a string, which pt2_output_info() reports. Numbers are 0-d tensors on the CPU.
/// - `output_count`: The number of entries in `outputs`, which must be pt2_output_count().
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `outputs` stays unmodified
/// and the model stays usable. If an operator fails, a program that writes to its state or inputs
/// may have written part of them.
///
/// # Ownership
/// Inputs are borrowed for the call and may be freed after it. The caller owns the outputs and
/// frees each with pt2_tensor_free(). They outlive the model. If the program returns an input or a
/// weight, the output shares its memory. A program that writes to its inputs writes to the caller's
/// memory.
///
/// # Thread safety
/// Thread-safe: any number of threads may run one model at the same time. If the program writes to
/// its own state (pt2_model_mutates()), calls of one model run one after the other. Calls of its
/// clones do not wait for each other. The same inputs give the same bits whatever other threads do,
/// provided that libtorch's kernels are deterministic.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_run(
    model: *const pt2_model,
    inputs: *const *mut pt2_tensor,
    input_count: usize,
    options: *const pt2_run_options,
    outputs: *mut *mut pt2_tensor,
    output_count: usize,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let options = run_options(options)?;
        require_count(&loaded, input_count)?;
        require_room(&loaded, output_count)?;
        if output_count > 0 {
            usable(outputs, "outputs")?;
        }
        let inputs = tensors(inputs, input_count, "inputs")?;
        let results = loaded.model.run(&inputs, &options)?;
        check()?;
        give(results, &options, outputs);
        Ok(())
    })
}

/// Runs the program once and writes its outputs to tensors of the caller.
///
/// No memory is allocated for outputs that the caller did not choose. Outputs of a CUDA device can
/// go straight to the host.
///
/// Each output tensor has the dtype and sizes of its output and any strides. It is on the device of
/// its output or on the CPU. Numbers are written to 0-d tensors of int64, float64 or bool.
///
/// Output tensors may share memory with inputs, which are read before any output is written. They
/// must not overlap each other, nor a weight or state of any model in the process. No two elements
/// of one tensor may share an address. Overlaps are compared as in pt2_run().
///
/// Properties that pt2_output_info() reports are checked before any operator runs. Sizes that vary
/// between calls are checked before any output is written.
///
/// On CUDA, the work is queued when the call returns. If one of the output tensors is on the CPU,
/// the work is done when the call returns. Otherwise wait with pt2_tensor_to_host(), or read the
/// outputs on the same stream.
///
/// # Parameters
/// - `model`: The model.
/// - `inputs`: `input_count` tensors, as for pt2_run().
/// - `input_count`: The number of inputs, which must be pt2_input_count().
/// - `options`: The options, or NULL for the defaults.
/// - `outputs`: `output_count` existing tensors in the order of pt2_output_info(). NULL for
///   an output that is not wanted, or that is None or a string.
/// - `output_count`: The number of outputs, which must be pt2_output_count().
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; the model stays usable.
/// `PT2_ERROR_ARGUMENT` names an output tensor that does not fit; nothing was written then. If a
/// copy to the output tensors fails, some of them may have been written.
///
/// # Ownership
/// All tensors are borrowed for the call.
///
/// # Thread safety
/// Thread-safe, as pt2_run(). No other thread may use the output tensors during the call.
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_run_into(
    model: *const pt2_model,
    inputs: *const *mut pt2_tensor,
    input_count: usize,
    options: *const pt2_run_options,
    outputs: *const *mut pt2_tensor,
    output_count: usize,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let options = run_options(options)?;
        require_count(&loaded, input_count)?;
        require_room(&loaded, output_count)?;
        let inputs = tensors(inputs, input_count, "inputs")?;
        let destinations = tensors(outputs, output_count, "outputs")?;
        loaded.model.run_into(&inputs, &destinations, &options)?;
        array(outputs, output_count, "outputs")?
            .iter()
            .filter_map(|place| place.as_mut())
            .for_each(|tensor| tensor.follow(options.stream));
        Ok(())
    })
}

/// Runs the program once, with inputs and outputs by name.
///
/// All guarantees of pt2_run() apply.
///
/// # Parameters
/// - `model`: The model.
/// - `input_names`: `input_count` names in any order and in any spelling that
///   pt2_input_index() accepts. No input may be named twice. An input that is not named is passed
///   as NULL.
/// - `inputs`: The tensors for `input_names`.
/// - `input_count`: The number of named inputs.
/// - `output_names`: `output_count` names in any spelling that pt2_output_index() accepts.
///   Outputs may be left out. An output that is named more than once is returned as several handles
///   on one memory.
/// - `outputs` (out): Receives one new tensor, or NULL, for each of `output_names`, as pt2_run()
///   would return it.
/// - `output_count`: The number of named outputs.
/// - `options`: The options, or NULL for the defaults.
///
/// # Returns
/// NULL on success. On failure, an error owned by the caller; `outputs` stays unmodified
/// and the model stays usable. The error for an unknown name lists all names.
///
/// # Ownership
/// Names and inputs are borrowed for the call. The caller owns the outputs and frees each with
/// pt2_tensor_free().
///
/// # Thread safety
/// Thread-safe, as pt2_run().
///
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_run_named(
    model: *const pt2_model,
    input_names: *const *const c_char,
    inputs: *const *mut pt2_tensor,
    input_count: usize,
    output_names: *const *const c_char,
    outputs: *mut *mut pt2_tensor,
    output_count: usize,
    options: *const pt2_run_options,
) -> *mut pt2_error {
    // SAFETY: the C caller passes NULL or a pointer that is valid as the header says.
    guard(|| unsafe {
        let loaded = Arc::clone(&required(model, "model")?.loaded);
        let options = run_options(options)?;
        let places = positions(&loaded, Direction::Input, array(input_names, input_count, "input_names")?)?;
        let wanted =
            positions(&loaded, Direction::Output, array(output_names, output_count, "output_names")?)?;
        if output_count > 0 {
            usable(outputs, "outputs")?;
        }
        let inputs = arrange(&loaded, &places, array(inputs, input_count, "inputs")?)?;
        let results = loaded.model.run(&inputs, &options)?;
        check()?;
        let chosen = wanted.iter().map(|place| results.get(*place).cloned().flatten()).collect();
        give(chosen, &options, outputs);
        Ok(())
    })
}

/// # Safety
/// Each name is NULL or a string.
unsafe fn positions(loaded: &LoadedModel, side: Direction, names: &[*const c_char]) -> Result<Vec<usize>> {
    let argument = match side {
        Direction::Input => "input_names",
        Direction::Output => "output_names",
    };
    // SAFETY: the caller upholds the conditions under "Safety".
    let text = |name: &*const c_char| unsafe { required_text(*name, argument) };
    names.iter().map(|name| side.find(loaded.interface(), text(name)?, argument)).collect()
}

/// Named inputs in their places.
///
/// # Safety
/// Each input is NULL or a tensor that was not freed.
unsafe fn arrange(
    loaded: &LoadedModel,
    places: &[usize],
    given: &[*mut pt2_tensor],
) -> Result<Vec<Option<Tensor>>> {
    let ports = &loaded.interface().inputs;
    let mut inputs = vec![None; ports.len()];
    let mut named = vec![false; ports.len()];
    for (place, input) in places.iter().zip(given) {
        let (Some(slot), Some(named), Some(port)) =
            (inputs.get_mut(*place), named.get_mut(*place), ports.get(*place))
        else {
            continue;
        };
        if std::mem::replace(named, true) {
            let reason = format!("`{}` is named twice", port.name);
            return Err(Error::Argument { argument: "input_names", reason });
        }
        // SAFETY: the caller upholds the conditions under "Safety".
        *slot = unsafe { shared(*input) };
    }
    Ok(inputs)
}

/// # Safety
/// `all` is NULL or an array of so many, each NULL or a tensor that was not freed.
pub(super) unsafe fn tensors(
    all: *const *mut pt2_tensor,
    count: usize,
    argument: &'static str,
) -> Result<Vec<Option<Tensor>>> {
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe { Ok(array(all, count, argument)?.iter().map(|tensor| shared(*tensor)).collect()) }
}

/// # Safety
/// `input` is NULL or a tensor that was not freed.
unsafe fn shared(input: *mut pt2_tensor) -> Option<Tensor> {
    // SAFETY: the caller upholds the conditions under "Safety".
    unsafe { input.as_ref() }.map(pt2_tensor::share)
}

/// # Safety
/// `outputs` has room for all results.
unsafe fn give(results: Vec<Option<Tensor>>, options: &RunOptions, outputs: *mut *mut pt2_tensor) {
    for (index, result) in results.into_iter().enumerate() {
        let tensor = result.map(|tensor| pt2_tensor::give(tensor, options.stream));
        // SAFETY: the caller upholds the conditions under "Safety".
        unsafe { outputs.add(index).write(tensor.unwrap_or(std::ptr::null_mut())) };
    }
}

/// Before the array is read: a wrong count says nothing good about how long it is.
pub(super) fn require_count(loaded: &LoadedModel, found: usize) -> Result<()> {
    match loaded.texts.inputs.len() {
        expected if expected != found => Err(Error::InputCount { expected, found }),
        _ => Ok(()),
    }
}

fn require_room(loaded: &LoadedModel, count: usize) -> Result<()> {
    match loaded.texts.outputs.len() {
        expected if expected != count => {
            let reason = format!("the program gives {expected} outputs, there is room for {count}");
            Err(Error::Argument { argument: "output_count", reason })
        }
        _ => Ok(()),
    }
}
