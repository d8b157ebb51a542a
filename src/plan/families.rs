//! Which libraries a program will need on a CUDA device.

use crate::graph::{Graph, Target};
use crate::passes::{Library, Optimization, Traits};
use crate::torch::Family;

/// The families of operators in a graph and in the graphs inside it, as the passes of a level will leave them.
pub fn families(graph: &Graph, level: Optimization, traits: &Traits) -> Vec<Family> {
    let mut found = Vec::new();
    collect(graph, &mut found);
    let cudnn = traits.convolution.is_some_and(|fused| fused.library == Library::CuDnn);
    let fused = cudnn && level == Optimization::Fast;
    let convolution = if fused { Family::FusedConvolution } else { Family::Convolution };
    found.iter().map(|family| if *family == Family::Convolution { convolution } else { *family }).collect()
}

fn collect(graph: &Graph, found: &mut Vec<Family>) {
    for node in &graph.nodes {
        found.extend(family(&node.target).filter(|family| !found.contains(family)));
        for argument in &node.inputs {
            argument.value.for_each_graph(&mut |inner| collect(&inner.graph, found));
        }
    }
}

fn family(target: &Target) -> Option<Family> {
    const PRODUCTS: [&str; 8] = [
        "linear",
        "matmul",
        "mm",
        "bmm",
        "addmm",
        "baddbmm",
        "_addmm_activation",
        "scaled_dot_product_attention",
    ];
    let Target::Operator { namespace, name, .. } = target else { return None };
    match name.as_str() {
        _ if namespace != "aten" => None,
        name if PRODUCTS.contains(&name) => Some(Family::Product),
        name if name.contains("conv") => Some(Family::Convolution),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> Option<Family> {
        family(&Target::parse(&format!("torch.ops.aten.{name}.default")).unwrap())
    }

    #[test]
    fn operators_are_told_apart() {
        for name in ["conv2d", "convolution", "cudnn_convolution_relu", "conv_transpose3d"] {
            assert_eq!(of(name), Some(Family::Convolution), "{name}");
        }
        assert_eq!([of("linear"), of("add")], [Some(Family::Product), None]);
    }
}
