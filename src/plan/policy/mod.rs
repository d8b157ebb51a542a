//! Policy: restricts programs to operators that compute on tensors.
//!
//! It rejects operators that open files, print, communicate with other processes or expose
//! addresses. It rejects operators of libraries that were not loaded on purpose, unless the caller
//! allows them by name. Unknown operators are rejected: a later libtorch may add one with a string
//! of unknown meaning.
//!
//! It also rejects operators that corrupt memory on one crafted argument, if no exported model uses
//! them.

mod hazards;

use crate::graph::{Function, Graph, Operand, Target};
use crate::torch::{Content, Failure, Operator, registered_by_loaded_library};
use crate::{Error, Result};
use std::collections::HashSet;

/// Namespaces of libtorch that compute on tensors, each with the string arguments that select an
/// algorithm.
///
/// Any other string may be a path, a process group or text to print.
const KNOWN: [(&str, &[&str]); 13] = [
    ("aten", ATEN),
    ("prim", &[]),
    ("prims", &[]),
    ("quantized", &[]),
    ("_quantized", &[]),
    ("quantized_decomposed", &[]),
    ("quantization", &[]),
    ("sparse", &[]),
    ("prepacked", &[]),
    ("mkl", &[]),
    ("mkldnn", FUSED),
    ("mkldnn_prepacked", FUSED),
    ("onednn", FUSED),
];

const ATEN: &[&str] = &[
    "UPLO",
    "activation",
    "algorithm",
    "api_name",
    "approximate",
    "assert_msg",
    "dim",
    "dim0",
    "dim1",
    "dim2",
    "dims",
    "driver",
    "end_dim",
    "equation",
    "indexing",
    "interpolation",
    "mode",
    "names",
    "norm",
    "ord",
    "order",
    "out_dim",
    "outdim",
    "p",
    "pad_mode",
    "padding",
    "padding_side",
    "reduce",
    "rounding_mode",
    "side",
    "start_dim",
];

/// String arguments of fused operators, which name the epilogue.
const FUSED: &[&str] = &[
    "algorithm",
    "attr",
    "binary_attr",
    "binary_post_op",
    "post_op_algorithm",
    "post_op_name",
    "unary_algorithm",
    "unary_attr",
    "unary_post_op",
    "unary_post_op_algorithm",
];

/// Operators of library namespaces that libpt2 itself implements (`crates/torch-sys/cpp/python`).
const BUILT_IN: [&str; 7] = [
    "torchao::choose_qparams_affine",
    "torchao::choose_scale_float8",
    "torchao::dequantize_affine",
    "torchao::dequantize_affine_float8_non_decomposed",
    "torchao::quantize_affine",
    "torchao::quantize_affine_float8_non_decomposed",
    "transformers::grouped_mm_fallback",
];

const OUTSIDE: &str = "it reaches outside of tensors, or comes from a library that was not loaded on purpose";
const FAILED: &str = "libtorch could not look it up";

/// Operators that label a profile; the labels do not leave the process.
const LABELLED: [&str; 2] = ["profiler::_record_function_enter", "profiler::_record_function_enter_new"];

/// Operators that return an address as an int, which its type does not reveal.
const ADDRESSES: [&str; 1] = ["mkldnn::data_ptr"];

/// Namespaces of operators that only passes write.
///
/// No archive may name them, even if the caller allows them, because such nodes run while a model
/// is loaded.
const OURS: [&str; 2] = ["pt2", "pt2_portable"];

/// Operators that one load may call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy<'a> {
    allowed: &'a [String],
}

impl<'a> Policy<'a> {
    /// Returns a policy that allows more operators than those that compute on tensors.
    ///
    /// An entry is `namespace::name` for all overloads, `namespace::name.overload` for one, or
    /// `namespace::*` for all operators of a library.
    pub fn allowing(allowed: &'a [String]) -> Result<Policy<'a>> {
        let well_formed = |entry: &&String| {
            entry.split_once("::").is_some_and(|(namespace, name)| !namespace.is_empty() && !name.is_empty())
        };
        match allowed.iter().find(|entry| !well_formed(entry)) {
            None => Ok(Policy { allowed }),
            Some(entry) => Err(Error::Argument {
                argument: "options.allowed_operators",
                reason: format!("`{entry}` is not of the form `namespace::name` or `namespace::*`"),
            }),
        }
    }

    /// Fails if any graph of a program calls a rejected operator. The error lists all of them.
    pub fn check(&self, function: &Function) -> Result<()> {
        let mut walk = PolicyCheck { policy: *self, seen: HashSet::new(), refused: Vec::new() };
        walk.graph(&function.graph);
        if walk.refused.is_empty() {
            return Ok(());
        }
        let (operators, reasons) = walk.refused.into_iter().unzip();
        Err(Error::ForbiddenOperators { operators, reasons })
    }

    /// Returns true if an operator may run.
    pub fn admits(&self, namespace: &str, name: &str, overload: &str) -> bool {
        self.refusal(namespace, name, overload).is_none()
    }

    /// Returns the reason why an operator may not run.
    fn refusal(&self, namespace: &str, name: &str, overload: &str) -> Option<&'static str> {
        if OURS.contains(&namespace) {
            return Some("it is written by libpt2's own passes only");
        }
        if self.allows(namespace, name, overload)
            || registered_by_loaded_library(&format!("{namespace}::{name}.{overload}"))
        {
            return None;
        }
        refusal(namespace, name, overload, Operator::look_up(namespace, name, overload))
    }

    fn allows(&self, namespace: &str, name: &str, overload: &str) -> bool {
        let all = format!("{namespace}::*");
        let short = format!("{namespace}::{name}");
        let full = format!("{short}.{overload}");
        self.allowed.iter().any(|entry| [&all, &short, &full].contains(&entry))
    }
}

/// Returns the reason why an operator that was looked up may not run.
///
/// An operator that this process lacks is harmless. One whose lookup failed is rejected.
fn refusal(
    namespace: &str,
    name: &str,
    overload: &str,
    found: Result<Option<Operator>, Failure>,
) -> Option<&'static str> {
    let operator = match found {
        Ok(None) => return None,
        Ok(Some(operator)) => operator,
        Err(_) => return Some(FAILED),
    };
    if !computes(namespace, name, &operator) {
        return Some(OUTSIDE);
    }
    hazards::reason(namespace, name, overload)
}

/// Returns true if libtorch's operator only computes on tensors.
fn computes(namespace: &str, name: &str, operator: &Operator) -> bool {
    let full = format!("{namespace}::{name}");
    if LABELLED.contains(&full.as_str())
        || BUILT_IN.contains(&full.as_str())
        || full.starts_with("profiler::_record_function_exit")
    {
        return true;
    }
    let known = KNOWN.iter().find(|(known, _)| *known == namespace);
    let Some((_, texts)) = known else { return false };
    let harmless = |(index, argument): (usize, &str)| match operator.content(index) {
        Content::Values => true,
        Content::Text => texts.contains(&argument),
        Content::Memory => false,
    };
    !ADDRESSES.contains(&full.as_str()) && operator.arguments().enumerate().all(harmless)
}

struct PolicyCheck<'a> {
    policy: Policy<'a>,
    seen: HashSet<Target>,
    refused: Vec<(String, &'static str)>,
}

impl PolicyCheck<'_> {
    fn graph(&mut self, graph: &Graph) {
        for node in &graph.nodes {
            self.target(&node.target);
            node.inputs.iter().for_each(|argument| self.operand(&argument.value));
        }
    }

    fn operand(&mut self, operand: &Operand) {
        match operand {
            Operand::List(items) => items.iter().for_each(|item| self.operand(item)),
            Operand::Map(items) => items.iter().for_each(|(_, item)| self.operand(item)),
            Operand::Graph(subgraph) => self.graph(&subgraph.graph),
            // Text that does not parse as a target is rejected by the lowering that would call it.
            Operand::Operator(text) => {
                if let Ok(target) = Target::parse(text) {
                    self.target(&target);
                }
            }
            _ => {}
        }
    }

    /// Returns true if the target was not seen before.
    fn is_new(&mut self, target: &Target) -> bool {
        !self.seen.contains(target) && self.seen.insert(target.clone())
    }

    fn target(&mut self, target: &Target) {
        let Target::Operator { namespace, name, overload } = target else { return };
        if self.is_new(target)
            && let Some(reason) = self.policy.refusal(namespace, name, overload)
        {
            self.refused.push((target.to_string(), reason));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torch::{CudaPolicy, FailureKind, start};

    #[test]
    fn what_cannot_be_looked_up_is_refused() {
        start(CudaPolicy::Never);
        let failed = Failure { kind: FailureKind::Failed, message: "out of luck".into() };
        assert_eq!(refusal("aten", "add", "Tensor", Err(failed)), Some(FAILED));
        assert_eq!(refusal("aten", "add", "Tensor", Operator::look_up("aten", "add", "Tensor")), None);
        assert_eq!(refusal("aten", "nothing", "default", Ok(None)), None);
    }
}
