//! Which operators a program may call: those that compute on tensors.
//!
//! Operators that open files, print, talk to other processes or hand out addresses are refused, and so is every
//! operator of a library that nobody loaded on purpose, unless the caller allows it by name. What is not known
//! here is refused: an operator that a later libtorch adds with a string of unknown meaning waits for a decision.

use crate::graph::{Function, Graph, Operand, Target};
use crate::torch::{Content, Operator, brought_on_purpose};
use crate::{Error, Result};
use std::collections::HashSet;

/// The namespaces of libtorch that compute on tensors, each with its string arguments that choose a way to
/// compute. Any other string may be a path, a process group or something to print.
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

/// What is done with the result before it is stored.
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

/// Labels of a profile, which stay in the process.
const LABELLED: [&str; 2] = ["profiler::_record_function_enter", "profiler::_record_function_enter_new"];

/// An address as an int is not told from other ints by its type.
const ADDRESSES: [&str; 1] = ["mkldnn::data_ptr"];

/// What passes write and nobody else: no archive may name it, whatever the caller allows, because such nodes run while a
/// model is loaded.
const OURS: &str = "pt2";

/// What one load may call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policy<'a> {
    allowed: &'a [String],
}

impl<'a> Policy<'a> {
    /// Allows operators besides those that compute on tensors: `namespace::name` for all overloads,
    /// `namespace::name.overload` for one, `namespace::*` for all operators of a library.
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

    /// Refuses a program that calls what it may not, in any of its graphs.
    pub fn check(&self, function: &Function) -> Result<()> {
        let mut walk = Walk { policy: *self, seen: HashSet::new(), refused: Vec::new() };
        walk.graph(&function.graph);
        if walk.refused.is_empty() {
            return Ok(());
        }
        Err(Error::ForbiddenOperators { operators: walk.refused })
    }

    /// Whether an operator may run. One that this process does not have cannot do harm.
    pub fn admits(&self, namespace: &str, name: &str, overload: &str) -> bool {
        if namespace == OURS {
            return false;
        }
        self.allows(namespace, name, overload)
            || brought_on_purpose(&format!("{namespace}::{name}.{overload}"))
            || Operator::find(namespace, name, overload)
                .is_none_or(|operator| computes(namespace, name, &operator))
    }

    fn allows(&self, namespace: &str, name: &str, overload: &str) -> bool {
        let all = format!("{namespace}::*");
        let short = format!("{namespace}::{name}");
        let full = format!("{short}.{overload}");
        self.allowed.iter().any(|entry| [&all, &short, &full].contains(&entry))
    }
}

/// Whether libtorch's operator does nothing but compute on tensors.
fn computes(namespace: &str, name: &str, operator: &Operator) -> bool {
    let full = format!("{namespace}::{name}");
    if LABELLED.contains(&full.as_str()) || full.starts_with("profiler::_record_function_exit") {
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

struct Walk<'a> {
    policy: Policy<'a>,
    seen: HashSet<Target>,
    refused: Vec<String>,
}

impl Walk<'_> {
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
            // What does not read as a target is refused where it would be called.
            Operand::Operator(text) => Target::parse(text).iter().for_each(|target| self.target(target)),
            _ => {}
        }
    }

    fn target(&mut self, target: &Target) {
        let Target::Operator { namespace, name, overload } = target else { return };
        if self.seen.insert(target.clone()) && !self.policy.admits(namespace, name, overload) {
            self.refused.push(target.to_string());
        }
    }
}
