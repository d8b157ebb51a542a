//! Replaces recorded sizes that hold only for input sizes that the tracer assumed.
//!
//! While tracing, a dynamic size is assumed to be at least 2 (`specialize_zero_one` in
//! `torch/fx/experimental/symbolic_shapes.py`, 2.11), but calls with 0 and 1 are accepted. `x[:2]`
//! of such a size is recorded as 2, and `squeeze` as an operation without effect.
//!
//! Sizes that follow from such operators become new symbols with the recorded size as hint. No
//! later pass then takes them for fixed or for equal to others.
//!
//! Input sizes that are recorded as expressions become new symbols too: without guards in the
//! archive, no check compares them.

use super::changed::Changed;
use crate::graph::{Graph, Node, Operand, Target, ValueId, ValueKind};
use crate::program::schema::{PythonInt, SymExpr, SymExprHint, SymInt, TensorMeta};
use std::collections::HashSet;

/// Replaces sizes in this graph. Graphs inside it are unchanged, because the passes that use sizes
/// do not rewrite them.
pub fn run(graph: &mut Graph) -> Changed {
    if !graph.values.iter().any(|value| meta_of(&value.kind).is_some_and(varies)) {
        return Changed::No;
    }
    let mut doubtful: HashSet<ValueId> = HashSet::new();
    for input in graph.inputs.clone() {
        if graph.meta(input).is_some_and(|meta| meta.sizes.iter().any(is_composite)) {
            doubtful.insert(input);
            forget(graph, input);
        }
    }
    for at in 0..graph.nodes.len() {
        let Some(node) = graph.nodes.get(at) else { continue };
        let mut follows = false;
        node.for_each_use(&mut |value| follows |= doubtful.contains(&value));
        if !follows && !assumes(graph, node) {
            continue;
        }
        let kept = elementwise_sizes(graph, node);
        for value in node.defined().collect::<Vec<_>>() {
            if graph.meta(value).is_some_and(|meta| meta.sizes.is_empty()) {
                continue;
            }
            doubtful.insert(value);
            match &kept {
                Some(sizes) => set_sizes(graph, value, sizes.clone()),
                None => forget(graph, value),
            }
        }
    }
    if doubtful.is_empty() { Changed::No } else { Changed::Yes }
}

/// Returns true if the result sizes of a node depend on more than a formula of its argument sizes.
fn assumes(graph: &Graph, node: &Node) -> bool {
    let varying =
        || node.inputs.iter().filter_map(|argument| graph.meta(argument.value.value()?)).any(varies);
    let (namespace, name) = match &node.target {
        Target::Operator { namespace, name, .. } => (namespace.as_str(), name.as_str()),
        Target::Python(name) => {
            return CLAMPS.contains(&name.as_str()) && node.inputs.iter().any(|i| i.value.value().is_some());
        }
        Target::HigherOrder(_) => {
            let mut inside = false;
            node.for_each_use(&mut |value| inside |= graph.meta(value).is_some_and(varies));
            return inside;
        }
    };
    if namespace != "aten" {
        return false;
    }
    match name.strip_suffix("_copy").unwrap_or(name) {
        "slice" => clamps(graph, node),
        "squeeze" | "squeeze_" => squeezes(graph, node),
        "split" | "unsafe_split" | "chunk" | "unsafe_chunk" | "tensor_split" => {
            dimension(graph, node, "dim").is_none_or(is_symbolic)
        }
        "diagonal" => varying(),
        _ => node.argument("ceil_mode") == Some(&Operand::Bool(true)) && varying(),
    }
}

/// Python functions whose result PyTorch may have recorded as one of their arguments.
const CLAMPS: [&str; 5] = ["builtins.max", "builtins.min", "torch.sym_ite", "torch.sym_max", "torch.sym_min"];

/// Returns true if a slice may be shorter than recorded.
fn clamps(graph: &Graph, node: &Node) -> bool {
    let from_start = matches!(node.argument("start"), None | Some(Operand::None | Operand::Int(0)));
    let to_end = matches!(node.argument("end"), None | Some(Operand::None | Operand::Int(i64::MAX)));
    let every = matches!(node.argument("step"), None | Some(Operand::Int(1)));
    let known = |name: &str| node.argument(name).is_none_or(|bound| bound.value().is_none());
    match dimension(graph, node, "dim") {
        // A bound that varies is compared with the size. For slices from the start, guards keep it
        // within the size.
        Some(SymInt::Int(_)) => !(known("start") && known("end") || from_start && every),
        _ => !(from_start && to_end && every),
    }
}

/// Returns true if a dimension that varies may be squeezed.
fn squeezes(graph: &Graph, node: &Node) -> bool {
    let Some(meta) = tensor(graph, node) else { return true };
    let dims = match node.argument("dim") {
        Some(Operand::Int(dim)) => vec![*dim],
        Some(dims) => dims.as_ints().unwrap_or_else(|| (0..).take(meta.sizes.len()).collect()),
        None => (0..).take(meta.sizes.len()).collect(),
    };
    dims.into_iter().any(|dim| size_at(meta, dim).is_none_or(is_symbolic))
}

fn tensor<'a>(graph: &'a Graph, node: &Node) -> Option<&'a TensorMeta> {
    graph.meta(node.argument("self")?.value()?)
}

/// Returns the size of the dimension that an argument names, by default the first.
fn dimension<'a>(graph: &'a Graph, node: &Node, name: &str) -> Option<&'a SymInt> {
    let dim = match node.argument(name) {
        None => 0,
        Some(Operand::Int(dim)) => *dim,
        Some(_) => return None,
    };
    size_at(tensor(graph, node)?, dim)
}

fn size_at(meta: &TensorMeta, dim: i64) -> Option<&SymInt> {
    let rank = i64::try_from(meta.sizes.len()).ok()?;
    meta.sizes.get(usize::try_from(if dim < 0 { dim.checked_add(rank)? } else { dim }).ok()?)
}

/// Returns the sizes of all tensors that an elementwise operator takes, if they are the same.
fn elementwise_sizes(graph: &Graph, node: &Node) -> Option<Vec<SymInt>> {
    let Target::Operator { namespace, name, .. } = &node.target else { return None };
    if namespace != "aten" || !ELEMENTWISE.contains(&name.strip_suffix('_').unwrap_or(name)) {
        return None;
    }
    let mut values = Vec::new();
    node.for_each_use(&mut |value| values.push(value));
    let mut sizes = values.into_iter().filter(|value| is_tensor(graph, *value)).map(|value| {
        let meta = graph.meta(value)?;
        Some(meta.sizes.clone())
    });
    let first = sizes.next()??;
    sizes.all(|other| other.as_ref() == Some(&first)).then_some(first)
}

/// Operators whose result has the sizes of their tensors.
const ELEMENTWISE: [&str; 24] = [
    "_to_copy",
    "abs",
    "add",
    "alias",
    "clamp",
    "clone",
    "contiguous",
    "detach",
    "div",
    "dropout",
    "exp",
    "gelu",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "mul",
    "neg",
    "pow",
    "relu",
    "rsqrt",
    "sigmoid",
    "silu",
    "sqrt",
    "sub",
];

fn is_tensor(graph: &Graph, value: ValueId) -> bool {
    graph.value(value).is_some_and(|value| matches!(value.kind, ValueKind::Tensor(_)))
}

fn forget(graph: &mut Graph, value: ValueId) {
    let Some(known) = graph.value(value) else { return };
    let Some(meta) = meta_of(&known.kind) else { return };
    let unknown = |(dim, size): (usize, &SymInt)| {
        let expr_str = format!("Symbol('size {dim} of {}')", value.index());
        SymInt::Expr(SymExpr {
            expr_str,
            hint: size.at_export().map(|size| SymExprHint::Int(PythonInt::Small(size))),
        })
    };
    let sizes = meta.sizes.iter().enumerate().map(unknown).collect();
    set_sizes(graph, value, sizes);
}

fn set_sizes(graph: &mut Graph, value: ValueId, sizes: Vec<SymInt>) {
    let Some(value) = graph.values.get_mut(value.index()) else { return };
    match &mut value.kind {
        ValueKind::Tensor(Some(meta)) if meta.sizes.len() == sizes.len() => meta.sizes = sizes,
        _ => {}
    }
}

fn meta_of(kind: &ValueKind) -> Option<&TensorMeta> {
    if let ValueKind::Tensor(meta) = kind { meta.as_ref() } else { None }
}

fn varies(meta: &TensorMeta) -> bool {
    meta.sizes.iter().any(is_symbolic)
}

fn is_symbolic(size: &SymInt) -> bool {
    matches!(size, SymInt::Expr(_))
}

/// Returns true if an expression is more than a symbol.
fn is_composite(size: &SymInt) -> bool {
    let SymInt::Expr(SymExpr { expr_str, .. }) = size else { return false };
    let is_name = expr_str.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    !is_name && !expr_str.starts_with("Symbol(")
}
