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
/// Parameters: `inputs` are `input_count` tensors in the order of `pt2_input_info`; NULL stands for Python's None
/// and for inputs that are constants of the program, and a number is passed as a tensor of one element on the
/// CPU. `options` may be NULL. `outputs` has room for `output_count` handles, which must be `pt2_output_count`;
/// each place receives a new tensor, or NULL where the program gives None or a string, which `pt2_output_info` tells.
/// Numbers arrive as 0-d tensors on the CPU.
///
/// Returns NULL, or an error, and then `outputs` is untouched and the model stays usable. Count, kind, dtype,
/// device, rank, sizes and relations between sizes are checked before anything runs; values are not. When an
/// operator fails, a program that writes to its state or to its inputs may have written part of it.
///
/// The first run also computes what the program derives from weights alone, and keeps it for later runs and clones; runs
/// that come meanwhile wait for it. An error there is that run's error, names the node, and the next run tries again.
///
/// Outputs are strided tensors whose memory holds their elements. PyTorch's lazy conjugates, lazy negatives and zeros
/// without memory are computed into memory of their own. A program that gives a nested, sparse, quantised or mkldnn
/// tensor fails with `PT2_ERROR_UNSUPPORTED`, which names the output: at load where the archive records it, else here.
///
/// An input that the program writes to must be memory of its own (`PT2_ERROR_INPUT`): no two elements at one address, no
/// element of another input, no weight and no state of any model in the process. `torch.export` refuses such
/// inputs when it traces. Elements are compared, not ranges; strides that take more than 4,096 steps to compare count as
/// an overlap. Weights are compared as ranges.
///
/// Ownership: inputs are borrowed for the call and may be freed after it; outputs belong to the caller, who frees
/// each with `pt2_tensor_free`, and outlive the model. Where the program returns an input or a weight, the output
/// shares its memory. A program that writes to its inputs writes to the caller's memory. On CUDA the work is
/// queued when this returns: read the outputs on the same stream, or through `pt2_tensor_to_host`, which waits; a
/// device fault may surface in a later call. A call waits for the device where the program's way depends on values
/// there: the predicate of `cond`, the condition of `while_loop`, `item`, `nonzero` and other sizes that depend on
/// data.
///
/// Threads: any number may run one model at once. Where the program writes to its own state (`pt2_model_mutates`),
/// calls of one model take turns; those of its clones do not wait for each other. The same inputs give the same bits whatever other threads do, where libtorch's kernels are
/// deterministic.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_run(
    model: *const pt2_model,
    inputs: *const *mut pt2_tensor,
    input_count: usize,
    options: *const pt2_run_options,
    outputs: *mut *mut pt2_tensor,
    output_count: usize,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
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

/// Runs the program once and writes its outputs to tensors of the caller's: no memory is taken for them that the
/// caller did not choose, and a CUDA device's outputs can go straight to the host.
///
/// Parameters: as for `pt2_run`, but `outputs` are `output_count` tensors that exist, in the order of
/// `pt2_output_info`; NULL for an output that nobody wants, or that is None or a string. Each has the dtype and the
/// sizes of its output and any strides, and lies on the device of its output or on the CPU. Numbers are written to
/// 0-d tensors of int64, float64 or bool. They may share memory with inputs, which are read before anything is
/// written. They must not overlap each other, a weight or a state of any model in the process, and no two elements of
/// one may lie at one address; what `pt2_run` says of comparing them holds here.
///
/// Returns NULL, or an error, and then the model stays usable. What `pt2_output_info` tells is checked before
/// anything runs, and sizes that differ from call to call before anything is written (`PT2_ERROR_ARGUMENT` names the
/// output).
///
/// Ownership: all tensors are borrowed for the call. On CUDA the work is queued when this returns, and it is done
/// when this returns if a tensor on the CPU is among the outputs: `pt2_tensor_to_host` waits for it otherwise, or read
/// them on the same stream.
///
/// Threads: as for `pt2_run`; nobody else may use the outputs meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pt2_run_into(
    model: *const pt2_model,
    inputs: *const *mut pt2_tensor,
    input_count: usize,
    options: *const pt2_run_options,
    outputs: *const *mut pt2_tensor,
    output_count: usize,
) -> *mut pt2_error {
    // SAFETY: the caller's promises.
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
/// Parameters: `input_names` and `inputs` are `input_count` names, in any spelling that `pt2_input_index` takes, and
/// the tensors for them, in any order; an input that is not named is passed as NULL, and none may be named twice.
/// `output_names` are `output_count` names, in any spelling that `pt2_output_index` takes, and `outputs` has room for
/// as many handles: each place receives what `pt2_run` would give for that output. An output may be left out, or
/// named more than once and then comes as several handles on one memory. `options` may be NULL.
///
/// Returns NULL, or an error, and then `outputs` is untouched and the model stays usable; an unknown name is
/// answered with all names. What `pt2_run` promises holds here too.
///
/// Ownership: names and inputs are borrowed for the call; outputs belong to the caller, who frees each with
/// `pt2_tensor_free`.
///
/// Threads: as for `pt2_run`.
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
    // SAFETY: the caller's promises.
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
    // SAFETY: the caller's promise.
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
        // SAFETY: the caller's promise.
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
    // SAFETY: the caller's promises.
    unsafe { Ok(array(all, count, argument)?.iter().map(|tensor| shared(*tensor)).collect()) }
}

/// # Safety
/// `input` is NULL or a tensor that was not freed.
unsafe fn shared(input: *mut pt2_tensor) -> Option<Tensor> {
    // SAFETY: the caller's promise.
    unsafe { input.as_ref() }.map(pt2_tensor::share)
}

/// # Safety
/// `outputs` has room for all results.
unsafe fn give(results: Vec<Option<Tensor>>, options: &RunOptions, outputs: *mut *mut pt2_tensor) {
    for (index, result) in results.into_iter().enumerate() {
        let tensor = result.map(|tensor| pt2_tensor::give(tensor, options.stream));
        // SAFETY: the caller's promise.
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
