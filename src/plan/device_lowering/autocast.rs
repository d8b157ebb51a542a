//! Lowers autocast regions of another device type to explicit casts.
//!
//! libtorch's lists of operators to cast differ between devices. The exporter used the lists of its
//! device, and traced the nodes after the region with the resulting dtypes. So the casts follow the
//! dtypes that the exporter recorded.

use super::{Graph, Node, Operand, Target};
use crate::graph::{Argument, Author, Output, Rewriter, ValueId, ValueKind};
use crate::program::schema::{ScalarType, TensorMeta};
use crate::torch::{Device, Operator};
use crate::{Error, Result};

/// Writes the casts of every region exported for another device type, and switches autocast off
/// there.
///
/// Returns true if there was such a region.
pub fn write_casts(graph: &mut Graph, device: Device) -> Result<bool> {
    let mut found = false;
    for node in &mut graph.nodes {
        let region = region(node).filter(|region| !same_type(*region, device));
        let mut result = Ok(());
        for argument in &mut node.inputs {
            argument.value.for_each_graph_mut(&mut |inner| {
                let written = write_casts(&mut inner.graph, device).and_then(|inside| {
                    Ok(inside | region.map_or(Ok(false), |of| cast(&mut inner.graph, of))?)
                });
                match written {
                    Ok(changed) => found |= changed,
                    Err(error) => result = Err(error),
                }
            });
        }
        result?;
        if region.is_some() {
            node.inputs[ENABLED].value = Operand::Bool(false);
            found = true;
        }
    }
    Ok(found)
}

/// Position of the argument of `wrap_with_autocast` that switches it on.
const ENABLED: usize = 2;

fn same_type(one: Device, other: Device) -> bool {
    (one == Device::Cpu) == (other == Device::Cpu)
}

/// Returns the device of a region where autocast is on.
fn region(node: &Node) -> Option<Device> {
    let Target::HigherOrder(name) = &node.target else { return None };
    let [device, _, enabled, ..] = node.inputs.as_slice() else { return None };
    let on = name == "wrap_with_autocast" && enabled.value == Operand::Bool(true);
    let Operand::String(device) = &device.value else { return None };
    on.then(|| device.parse().ok())?
}

/// Writes the casts of one graph and of its inner graphs, except those inside another region.
fn cast(graph: &mut Graph, region: Device) -> Result<bool> {
    let mut result = Ok(false);
    for node in graph.nodes.iter_mut().filter(|node| !node.target.is_higher_order("wrap_with_autocast")) {
        for argument in &mut node.inputs {
            argument.value.for_each_graph_mut(&mut |inner| {
                if let Err(error) = cast(&mut inner.graph, region) {
                    result = Err(error);
                }
            });
        }
    }
    result?;
    let wanted: Vec<Option<ScalarType>> = graph.nodes.iter().map(|node| dtype(graph, node, region)).collect();
    let mut wanted = wanted.into_iter();
    graph.rewrite(|rewriter, mut node| {
        if let Some(dtype) = wanted.next().flatten() {
            let trace = node.trace.clone();
            node.inputs.iter_mut().for_each(|argument| operand(rewriter, &mut argument.value, dtype, &trace));
        }
        rewriter.push(node);
        Ok::<(), Error>(())
    })?;
    Ok(true)
}

/// Returns the dtype of a node's result, if autocast of the region's device may have cast its
/// arguments.
fn dtype(graph: &Graph, node: &Node, region: Device) -> Option<ScalarType> {
    let Target::Operator { namespace, name, overload } = &node.target else { return None };
    if node.argument("dtype").is_some_and(|dtype| *dtype != Operand::None) {
        return None;
    }
    let operator = Operator::find(namespace, name, overload)?;
    let meta = |value| graph.meta(value).filter(|meta| is_on(meta, region));
    let dtype = meta(node.defined().next()?)?.dtype;
    let acts = operator.is_cast(region)
        || (LOWER.contains(&dtype)
            && operator.is_composite()
            && !converts(name)
            && widest(graph, node)? == ScalarType::Float);
    (acts && CAST.contains(&dtype)).then_some(dtype)
}

/// Dtypes that autocast casts from and to; it leaves float64 unchanged.
const CAST: [ScalarType; 3] = [ScalarType::Float, ScalarType::Half, ScalarType::BFloat16];

const LOWER: [ScalarType; 2] = [ScalarType::Half, ScalarType::BFloat16];

/// Returns true for composite operators whose own semantics change the dtype.
fn converts(name: &str) -> bool {
    name == "to"
        || name.ends_with('_')
        || name.ends_with("_as")
        || name.ends_with("_like")
        || name.starts_with("new_")
}

/// Returns float32 if one of the node's tensors has that dtype.
fn widest(graph: &Graph, node: &Node) -> Option<ScalarType> {
    let mut all = Vec::new();
    node.for_each_use(&mut |value| all.extend(graph.meta(value).map(|meta| meta.dtype)));
    all.into_iter().find(|dtype| *dtype == ScalarType::Float)
}

fn is_on(meta: &TensorMeta, region: Device) -> bool {
    let cpu = meta.device.r#type == "cpu";
    cpu == (region == Device::Cpu)
}

fn operand(rewriter: &mut Rewriter<'_>, operand: &mut Operand, dtype: ScalarType, trace: &Option<String>) {
    match operand {
        Operand::Value(value) => *value = cast_value(rewriter, *value, dtype, trace),
        Operand::List(items) => items.iter_mut().for_each(|item| self::operand(rewriter, item, dtype, trace)),
        _ => {}
    }
}

fn cast_value(
    rewriter: &mut Rewriter<'_>,
    value: ValueId,
    dtype: ScalarType,
    trace: &Option<String>,
) -> ValueId {
    let Some(meta) = rewriter.meta(value).cloned() else { return value };
    if meta.dtype == dtype || !CAST.contains(&meta.dtype) {
        return value;
    }
    let result = rewriter.value("cast", ValueKind::Tensor(Some(TensorMeta { dtype, ..meta })));
    let argument = |name: &str, value| Argument { name: name.into(), keyword: None, value };
    rewriter.push(Node {
        name: "cast".into(),
        target: Target::operator("aten", "to", "dtype"),
        inputs: vec![argument("self", value.into()), argument("dtype", Operand::ScalarType(dtype))],
        outputs: vec![Output::Value(result)],
        trace: trace.clone(),
        author: Author::Exporter,
    });
    result
}
