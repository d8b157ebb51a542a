//! Fixes the dtypes that depend on the default dtype of the exporting process.
//!
//! Archives do not store that default (`torch.set_default_dtype`), but they store the dtype of
//! every tensor. libtorch's default belongs to the process, so it is neither changed nor relied
//! upon.
//!
//! Factories receive the recorded dtype as an argument. Integers that an operator would convert to
//! the default dtype are converted to the recorded one before it.

use super::changed::Changed;
use super::graph_edit::{CallBuilder, GraphEdit};
use crate::graph::{Graph, Node, Operand, Target, ValueId};
use crate::program::schema::{ScalarType, TensorMeta};
use std::collections::HashMap;

/// Fixes dtypes in this graph and in the graphs inside it.
pub fn run(graph: &mut Graph) -> Changed {
    let mut changed = Changed::No;
    graph.for_each_graph_mut(&mut |inner| changed = changed.or(run(&mut inner.graph)));
    let found: Vec<(usize, Fix)> =
        (0..graph.nodes.len()).filter_map(|at| Some((at, Fix::of(graph, graph.nodes.get(at)?)?))).collect();
    let mut rewrite = GraphEdit::new(graph);
    found.into_iter().for_each(|(at, fix)| fix.apply(at, &mut rewrite));
    changed.or(rewrite.finish())
}

/// Change that a node needs.
enum Fix {
    /// Adds an argument `dtype`.
    Argument(ScalarType),
    /// Casts these tensors to a dtype.
    Casts(ScalarType, Vec<(ValueId, TensorMeta)>),
    /// Replaces both numbers of `where` by tensors of a dtype.
    Numbers(ScalarType, ValueId, Node),
}

impl Fix {
    fn of(graph: &Graph, node: &Node) -> Option<Fix> {
        let Target::Operator { namespace, name, overload } = &node.target else { return None };
        let passed = node.argument("dtype").is_some_and(|dtype| *dtype != Operand::None);
        if namespace != "aten" || passed {
            return None;
        }
        if FACTORIES.contains(&name.as_str()) && (name != "normal" || overload == "float_float") {
            return Some(Fix::Argument(graph.meta(node.result()?)?.dtype));
        }
        let mut results = node.defined().filter_map(|value| graph.meta(value));
        let dtype = results.find_map(|meta| real(meta.dtype))?;
        if name == "where" && overload == "Scalar" {
            return Some(Fix::Numbers(dtype, node.result()?, node.clone()));
        }
        let mut casts: Vec<(ValueId, TensorMeta)> = Vec::new();
        for argument in &node.inputs {
            let mut values = Vec::new();
            argument.value.for_each_value(&mut |value| values.extend(graph.meta(value).map(|_| value)));
            // Lists of tensors and conditions keep their dtypes.
            match (&argument.value, values.as_slice()) {
                _ if argument.name == "condition" => {}
                (_, []) => {}
                (Operand::Value(value), _) => {
                    let meta = graph.meta(*value).filter(|meta| is_integral(meta.dtype))?;
                    casts.push((*value, meta.clone()));
                }
                _ => return None,
            }
        }
        (!casts.is_empty()).then_some(Fix::Casts(dtype, casts))
    }

    fn apply(self, at: usize, rewrite: &mut GraphEdit) {
        match self {
            Fix::Argument(dtype) => {
                rewrite.edit(at, |node| node.set_argument("dtype", Operand::ScalarType(dtype)));
            }
            Fix::Casts(dtype, tensors) => {
                let cast = |(value, meta): (ValueId, TensorMeta)| {
                    let call = CallBuilder::aten("_to_copy", "default").with("self", value);
                    let call = call.with("dtype", Operand::ScalarType(dtype));
                    (value, rewrite.insert(at, "as_recorded", Some(TensorMeta { dtype, ..meta }), call))
                };
                let casts: HashMap<ValueId, ValueId> = tensors.into_iter().map(cast).collect();
                rewrite.edit(at, |node| {
                    for argument in node.inputs.iter_mut().filter(|argument| argument.name != "condition") {
                        argument.value.replace(&|value| casts.get(&value).copied().map(Operand::Value));
                    }
                });
            }
            Fix::Numbers(dtype, result, node) => {
                let mut call = CallBuilder::aten("where", "self");
                for argument in node.inputs {
                    call = match argument.name.as_str() {
                        "condition" => call.with("condition", argument.value),
                        name => {
                            let number =
                                CallBuilder::aten("scalar_tensor", "default").with("s", argument.value);
                            let number = number.with("dtype", Operand::ScalarType(dtype));
                            call.with(name, rewrite.insert(at, "number", None, number))
                        }
                    };
                }
                rewrite.edit(at, |node| *node = call.instead_of(node, result));
            }
        }
    }
}

/// Returns the dtype of the real numbers in a floating or complex result.
fn real(dtype: ScalarType) -> Option<ScalarType> {
    use ScalarType::*;
    match dtype {
        Half | Float | Double | BFloat16 => Some(dtype),
        ComplexHalf => Some(Half),
        ComplexFloat => Some(Float),
        ComplexDouble => Some(Double),
        _ => None,
    }
}

fn is_integral(dtype: ScalarType) -> bool {
    use ScalarType::*;
    matches!(dtype, Byte | Char | Short | Int | Long | Bool | UInt16 | UInt32 | UInt64)
}

/// Operators of `aten` that take a dtype, a layout and a device, and no tensor from which the dtype
/// follows. `tests/python/default_dtype.py` compares the list with libtorch's schemas.
const FACTORIES: [&str; 28] = [
    "_efficientzerotensor",
    "arange",
    "bartlett_window",
    "blackman_window",
    "empty",
    "empty_permuted",
    "empty_strided",
    "eye",
    "fft_fftfreq",
    "fft_rfftfreq",
    "full",
    "hamming_window",
    "hann_window",
    "kaiser_window",
    "linspace",
    "logspace",
    "normal",
    "ones",
    "rand",
    "randint",
    "randn",
    "randperm",
    "range",
    "scalar_tensor",
    "sparse_coo_tensor",
    "tril_indices",
    "triu_indices",
    "zeros",
];
