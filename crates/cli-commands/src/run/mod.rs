//! Command `pt2 run`: inputs from files, a call, outputs to a file.

mod array_names;
mod inputs;
mod outputs;
mod timed_calls;
mod timing;
mod with_timeline;

use crate::failure::Failure;
use crate::model_arguments;
use crate::tensors::Array;
use inputs::GivenArray;
use pt2::model::{LoadOptions, Model, Optimization};
use pt2::timeline::span;
use pt2_cli_arguments::Run;
use std::io::Write;
use std::time::{Duration, Instant};
use timed_calls::TimedCalls;
use timing::Timing;
use with_timeline::with_timeline;

/// Runs a model. The input files are read before it is loaded, and the output format is checked
/// before it runs.
pub fn run(arguments: &Run, out: &mut impl Write) -> Result<(), Failure> {
    let given = inputs::read(&arguments.input)?;
    let (model, results, times) = with_timeline(arguments, || measure(arguments, given))?;
    match &arguments.output {
        Some(output) => outputs::write(results, output)?,
        None => outputs::list(&results, out)?,
    }
    if arguments.repeat.is_some() {
        timing::print(&arguments.source.path, &model, times, out)?;
    }
    Ok(())
}

/// Loads and calls the model. Returns the outputs of the first call.
fn measure(arguments: &Run, given: GivenArray) -> Result<(Model, Vec<Array>, Timing), Failure> {
    let (model, load) = load(arguments)?;
    let ports = model.interface();
    let given = inputs::assign(&ports.inputs, given)?;
    if let Some(output) = &arguments.output {
        outputs::require(&ports.outputs, output)?;
    }
    let mut caller = TimedCalls::new(&model, given);
    let (results, first) = span("first call", || caller.call())?;
    // Later calls may write to memory that these outputs share.
    let results = outputs::collect(&ports.outputs, &results)?;
    let later = (1..arguments.repeat.unwrap_or(1)).map(|_| Ok(span("later call", || caller.call())?.1));
    let later = later.collect::<Result<_, Failure>>()?;
    Ok((model, results, Timing { load, first, later }))
}

fn load(arguments: &Run) -> Result<(Model, Duration), Failure> {
    let device = arguments.device.as_deref().map(str::parse).transpose().map_err(Failure::Refused)?;
    let options = LoadOptions {
        device,
        model: arguments.source.model.clone(),
        optimization: if arguments.exact { Optimization::Exact } else { Optimization::Fast },
        read: arguments.source.read_options(),
        allowed_operators: arguments.source.allow_operator.clone(),
        form: arguments.source.form,
        native_code: model_arguments::native_code(&arguments.source),
        tuning: arguments.tuning.clone(),
        ..LoadOptions::default()
    };
    model_arguments::load_op_libraries(&arguments.source)?;
    let start = Instant::now();
    let model = Model::load(&arguments.source.path, &options)?;
    model.device().synchronize().map_err(|failure| failure.outside_node())?;
    Ok((model, start.elapsed()))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use pt2::torch::Device;
    use pt2_cli_arguments::{Arguments, ModelCommand};

    #[test]
    fn arguments_name_the_devices_that_libpt2_knows() {
        for name in ["cpu", "cpu:0", "cpu:1", "cuda", "cuda:12", "cuda:x", "cuda:70000", "gpu", ""] {
            let parsed = Arguments::<ModelCommand>::try_parse_from(["pt2", "run", "a.pt2", "--device", name]);
            assert_eq!(parsed.is_ok(), name.parse::<Device>().is_ok(), "{name}");
        }
    }
}
