//! Output buffers: the caller's tensors that a call writes its outputs to.

use crate::program::schema::{ConstantValue, ScalarType};
use crate::program::{Dim, Interface, Port, PortKind};
use crate::torch::{Device, Failure, Scope, Tensor, TensorView, dtype_from_torch};
use crate::weights::placement::holds_weights;
use crate::{Error, Result};

/// One tensor for each output; None for an output to discard.
#[derive(Debug)]
pub struct OutputBuffers<'a> {
    ports: &'a [Port],
    given: &'a [Option<Tensor>],
}

impl<'a> OutputBuffers<'a> {
    /// Checks all that is known before a call: count, kind, dtype, rank and sizes that never
    /// change.
    pub fn of(interface: &'a Interface, given: &'a [Option<Tensor>]) -> Result<OutputBuffers<'a>> {
        let ports = interface.outputs.as_slice();
        if ports.len() != given.len() {
            let reason = format!("the program gives {} outputs, there are {}", ports.len(), given.len());
            return Err(Error::Argument { argument: "output_count", reason });
        }
        // With dynamic inputs, a recorded size or rank may hold only for the sizes that the tracer
        // assumed.
        let fixed = interface.symbols.is_empty();
        let wanted = ports.iter().zip(given).filter_map(|(port, given)| Some((port, given.as_ref()?)));
        let wanted: Vec<(&Port, TensorView)> = wanted.map(|(port, tensor)| (port, tensor.view())).collect();
        for (place, (port, view)) in wanted.iter().enumerate() {
            check(&port.kind, *view, fixed).map_err(|reason| refusal(port, reason))?;
            apart(*view, wanted.iter().take(place)).map_err(|reason| refusal(port, reason))?;
        }
        Ok(OutputBuffers { ports, given })
    }

    /// Copies the outputs of a call after checking all of them.
    ///
    /// An output that shares memory with a destination is copied before anything is written. Copies
    /// to the host are waited for; others are queued on the scope's stream.
    pub fn fill(&self, outputs: Vec<Option<Tensor>>, _scope: &Scope) -> Result<()> {
        let wanted = self.ports.iter().zip(self.given).zip(outputs);
        let wanted = wanted.filter_map(|((port, to), output)| Some((port, to.as_ref()?, output)));
        let pairs = wanted.map(|(port, to, output)| Ok((port, to, fitting(port, to, output)?)));
        let mut pairs = pairs.collect::<Result<Vec<_>>>()?;
        for (port, _, output) in pairs.iter_mut().filter(|(.., output)| self.touch(output)) {
            *output = output.copied().map_err(|failure| failed(port, failure))?;
        }
        pairs.into_iter().try_for_each(|(port, to, output)| {
            to.clone().fill_from(&output, false).map_err(|failure| failed(port, failure))
        })
    }

    fn touch(&self, output: &Tensor) -> bool {
        self.given.iter().flatten().any(|to| to.view().overlaps(&output.view()))
    }
}

/// Fails if elements of the tensor overlap each other, an earlier output buffer or weights of any
/// model.
fn apart<'a>(
    given: TensorView,
    mut before: impl Iterator<Item = &'a (&'a Port, TensorView<'a>)>,
) -> Result<(), String> {
    if given.repeats_elements() {
        return Err("more than one of its elements lie at a single memory location".into());
    }
    if let Some((port, _)) = before.find(|(_, other)| given.shares_elements_with(other)) {
        return Err(format!("it overlaps the tensor for output `{}`", port.name));
    }
    if holds_weights(&given) {
        Err("its memory holds weights or the state of a model".into())
    } else {
        Ok(())
    }
}

fn check(kind: &PortKind, given: TensorView, fixed: bool) -> Result<(), String> {
    if !given.strided {
        return Err("it is sparse, a dense tensor is expected".into());
    }
    match kind {
        PortKind::Tensor(tensor) => {
            let fits =
                |(expected, size): (&Dim, &i64)| !matches!(expected, Dim::Fixed(fixed) if fixed != size);
            let known = tensor.sizes.iter().zip(given.sizes).all(fits);
            require_dtype(tensor.dtype, given)?;
            if !fixed || known && tensor.sizes.len() == given.sizes.len() {
                Ok(())
            } else {
                Err(format!("its sizes {:?} are not those of the program", given.sizes))
            }
        }
        PortKind::Int(_) | PortKind::Constant(ConstantValue::Int(_)) => {
            require_dtype(ScalarType::Long, given)
        }
        PortKind::Float(_) | PortKind::Constant(ConstantValue::Float(_)) => {
            require_dtype(ScalarType::Double, given)
        }
        PortKind::Bool(_) | PortKind::Constant(ConstantValue::Bool(_)) => {
            require_dtype(ScalarType::Bool, given)
        }
        PortKind::Constant(_) | PortKind::Object { .. } => Err("the program gives no tensor there".into()),
        PortKind::Unknown => Ok(()),
    }
}

fn require_dtype(expected: ScalarType, given: TensorView) -> Result<(), String> {
    match dtype_from_torch(given.dtype) {
        Some(dtype) if dtype == expected => Ok(()),
        Some(dtype) => Err(format!("it is {dtype}, the program gives {expected}")),
        None => Err(format!("its dtype is none a program can have, the program gives {expected}")),
    }
}

/// Returns the output if its dtype, sizes and device fit the destination.
fn fitting(port: &Port, to: &Tensor, output: Option<Tensor>) -> Result<Tensor> {
    let output = output.ok_or_else(|| refusal(port, "the program gives no tensor there"))?;
    let (given, found) = (to.view(), output.view());
    let dtype = dtype_from_torch(found.dtype);
    dtype.map_or(Ok(()), |dtype| require_dtype(dtype, given)).map_err(|reason| refusal(port, reason))?;
    if given.sizes != found.sizes {
        let reason = format!("its sizes are {:?}, the program gives {:?}", given.sizes, found.sizes);
        return Err(refusal(port, reason));
    }
    if given.device != found.device && given.device != Some(Device::Cpu) {
        return Err(refusal(port, "it lies neither where the program gives this output nor on the CPU"));
    }
    Ok(output)
}

fn refusal(port: &Port, reason: impl Into<String>) -> Error {
    let reason = format!("the tensor for output `{}`: {}", port.name, reason.into());
    Error::Argument { argument: "outputs", reason }
}

fn failed(port: &Port, failure: Failure) -> Error {
    failure.into_error(|reason| refusal(port, reason))
}
