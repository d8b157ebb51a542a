//! Operators that a program calls, with the number of calls.

use super::counted;
use crate::failure::Failure;
use pt2::graph::Graph;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Write;

/// Shows the operators, the most frequent first.
pub fn show(graph: &Graph, out: &mut impl Write) -> Result<(), Failure> {
    let mut counts = BTreeMap::new();
    count(graph, &mut counts);
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let calls = counts.iter().map(|(_, count)| count).sum();
    writeln!(out, "operators  {} of {}", counted(calls, "call"), counted(counts.len(), "operator"))?;
    let width = counts.first().map_or(0, |(_, most)| most.to_string().len());
    for (name, count) in counts {
        writeln!(out, "           {count:width$}  {name}")?;
    }
    Ok(())
}

/// Counts the calls, including those in graphs inside of operators. Graphs nest no deeper than
/// `MAX_DEPTH`.
fn count(graph: &Graph, counts: &mut BTreeMap<String, usize>) {
    for node in &graph.nodes {
        *counts.entry(node.target.to_string()).or_default() += 1;
        for argument in &node.inputs {
            argument.value.for_each_graph(&mut |inner| count(&inner.graph, counts));
        }
    }
}
