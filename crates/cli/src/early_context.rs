//! Early start of the CUDA driver, as in `pt2_load`.

use pt2_cli_arguments::ModelCommand;
use pt2_cuda_driver::{Context, index_of, retain};

/// Starts the CUDA driver in a thread if the command names a CUDA device. The driver takes as long
/// as libtorch to start and does not need it.
pub fn begin(command: &ModelCommand) -> Option<Context> {
    let ModelCommand::Run(run) = command else { return None };
    let index = index_of(run.device.as_deref()?)?;
    Context::begin(move || retain(index))
}
