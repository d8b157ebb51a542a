//! Finds the dirty constants: folded constants that depend on weights that were changed.

use super::dead_code::sweep;
use super::split_const_subgraph::drop_unused_inputs;
use crate::graph::{Function, Operand, OutputBinding, ValueId};
use std::collections::HashSet;

/// Subgraph that recomputes the dirty constants.
#[derive(Debug)]
pub struct DirtyConstants {
    /// Function that computes these constants and no others.
    pub function: Function,
    /// Positions of the constants among all folded constants.
    pub constants: Vec<usize>,
}

/// Finds the constants of a [`ConstSubgraph`](super::ConstSubgraph) that depend on a weight for
/// which `changed` returns true. Returns None if there are none.
pub fn dirty_constants(subgraph: &Function, changed: impl Fn(&str) -> bool) -> Option<DirtyConstants> {
    let reached = reached(subgraph, changed);
    let outputs = subgraph.graph.outputs.iter().enumerate();
    let constants: Vec<usize> =
        outputs.filter(|(_, output)| reads(output, &reached)).map(|(position, _)| position).collect();
    (!constants.is_empty()).then(|| DirtyConstants { function: only(subgraph, &constants), constants })
}

/// Returns all values that depend on changed weights.
fn reached(subgraph: &Function, changed: impl Fn(&str) -> bool) -> HashSet<ValueId> {
    let inputs = subgraph.graph.inputs.iter().zip(&subgraph.inputs);
    let mut reached: HashSet<ValueId> =
        inputs.filter(|(_, binding)| binding.weight().is_some_and(&changed)).map(|(id, _)| *id).collect();
    for node in &subgraph.graph.nodes {
        let mut depends = false;
        node.for_each_use(&mut |value| depends |= reached.contains(&value));
        reached.extend(node.defined().filter(|_| depends));
    }
    reached
}

fn reads(operand: &Operand, values: &HashSet<ValueId>) -> bool {
    let mut any = false;
    operand.for_each_value(&mut |value| any |= values.contains(&value));
    any
}

/// Returns the function restricted to these outputs. Its nodes have no side effects, so unused ones
/// are removed.
fn only(subgraph: &Function, outputs: &[usize]) -> Function {
    let mut part = subgraph.clone();
    part.graph.outputs = outputs.iter().filter_map(|at| subgraph.graph.outputs.get(*at)).cloned().collect();
    part.outputs = vec![OutputBinding::User; outputs.len()];
    sweep(&mut part.graph, |_| true);
    drop_unused_inputs(&mut part);
    part.graph.renumber();
    part
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{InputBinding, parse};

    const TEXT: &str = "graph(%w: tensor, %v: tensor, %n: tensor) {
      %a: tensor = aten::mul.Tensor(self=%w, other=%n)
      %b: tensor = aten::relu.default(self=%a)
      %c: tensor = aten::relu.default(self=%v)
      %d: tensor = aten::add.Tensor(self=%c, other=%n)
      return (%b, %c, %d)
    }";

    fn subgraph() -> Function {
        let inputs = ["w", "v", "n"].map(|name| InputBinding::Parameter(name.into())).to_vec();
        Function { graph: parse(TEXT).unwrap(), inputs, outputs: vec![OutputBinding::User; 3] }
    }

    fn after(names: &[&str]) -> Option<(Vec<usize>, usize, Vec<String>)> {
        let subgraph = subgraph();
        let dirty_constants = dirty_constants(&subgraph, |name| names.contains(&name))?;
        dirty_constants.function.graph.verify().unwrap();
        let mut read: Vec<String> =
            dirty_constants.function.weights().into_iter().map(str::to_owned).collect();
        read.sort();
        Some((dirty_constants.constants, dirty_constants.function.graph.nodes.len(), read))
    }

    #[test]
    fn only_what_a_change_reaches_is_computed() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(after(&["w"]), Some((vec![0], 2, names(&["n", "w"]))));
        assert_eq!(after(&["v"]), Some((vec![1, 2], 2, names(&["n", "v"]))));
        assert_eq!(after(&["n"]), Some((vec![0, 2], 4, names(&["n", "v", "w"]))));
        assert_eq!(after(&["another"]), None);
    }
}
