//! Device lowering: replaces operators of another device type by operators that run on this device.
//!
//! Input: an exported function that passed the policy. Output: the same function with operators
//! that have a kernel for the device, or an error that lists every operator without one. A function
//! whose operators all run on the device is unchanged.

mod attention;
mod autocast;
mod kernel_limits;
mod pinned_memory;

use crate::graph::{Function, Graph, Node, Operand, Rewriter, Target, ValueId};
use crate::torch::{Device, Operator};
use crate::{Error, Result};
use std::collections::HashSet;

/// Lowers every graph of a function for a device.
pub fn lower_for_device(function: &mut Function, device: Device) -> Result<()> {
    lower_with(function, device, &|operator| operator.runs_on(device))
}

/// Returns true if an operator runs on the device.
type Runs<'a> = &'a dyn Fn(&Operator) -> bool;

fn lower_with(function: &mut Function, device: Device, runs: Runs) -> Result<()> {
    let mut lowering = DeviceLowering { device, runs, refused: Vec::new() };
    let cast = autocast::write_casts(&mut function.graph, device)?;
    if lowering.graph(&mut function.graph)? || cast {
        function.graph.renumber();
        function.graph.verify()?;
    }
    if lowering.refused.is_empty() {
        Ok(())
    } else {
        Err(Error::Unsupported {
            what: format!("operators without a kernel for {device}: {}", lowering.refused.join(", ")),
        })
    }
}

struct DeviceLowering<'a> {
    device: Device,
    runs: Runs<'a>,
    refused: Vec<String>,
}

impl DeviceLowering<'_> {
    /// Lowers a graph and its inner graphs. Returns true if a node changed.
    fn graph(&mut self, graph: &mut Graph) -> Result<bool> {
        let (mut changed, mut result) = (false, Ok(()));
        graph.for_each_graph_mut(&mut |inner| match self.graph(&mut inner.graph) {
            Ok(inside) => changed |= inside,
            Err(error) => result = Err(error),
        });
        result?;
        let forms: Vec<Lowered> = graph.nodes.iter().map(|node| self.form(graph, node)).collect();
        if forms.iter().all(|form| *form == Lowered::Kept) {
            return Ok(changed);
        }
        let used = used(graph);
        let mut forms = forms.into_iter();
        graph.rewrite(|rewriter, node| {
            write(rewriter, node, forms.next().unwrap_or(Lowered::Kept), &used);
            Ok::<(), Error>(())
        })?;
        Ok(true)
    }

    fn form(&mut self, graph: &Graph, node: &Node) -> Lowered {
        let Target::Operator { namespace, name, overload } = &node.target else { return Lowered::Kept };
        let Some(operator) = Operator::find(namespace, name, overload) else { return Lowered::Kept };
        if pinned_memory::pins(node) {
            return Lowered::Unpinned;
        }
        if namespace != "aten" {
            return self.kept_or_refused(node, &operator);
        }
        if kernel_limits::refuses(graph, node, self.device) {
            self.refuse(node, " of integers");
            return Lowered::Kept;
        }
        if kernel_limits::exceeds(graph, node, self.device) {
            return Lowered::Portable;
        }
        if (self.runs)(&operator) {
            return Lowered::Kept;
        }
        match attention::Forward::of(node) {
            Some(_) => Lowered::Attention,
            None if Operator::find(PORTABLE, name, overload).is_some() => Lowered::Portable,
            None => self.kept_or_refused(node, &operator),
        }
    }

    fn kept_or_refused(&mut self, node: &Node, operator: &Operator) -> Lowered {
        if !(self.runs)(operator) {
            self.refuse(node, "");
        }
        Lowered::Kept
    }

    fn refuse(&mut self, node: &Node, of: &str) {
        self.refused.push(format!("node `{}` ({}{of})", node.name, node.target));
    }
}

/// Namespace of the shim's portable operators.
///
/// They compute a device-specific operator of libtorch by operators that every device has.
const PORTABLE: &str = "pt2_portable";

/// Result of lowering one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lowered {
    /// The node itself.
    Kept,
    /// The operator of the same name and schema in the namespace [`PORTABLE`].
    Portable,
    /// `scaled_dot_product_attention` where only its output is used, else as `Portable`.
    Attention,
    /// The same operation in memory that is not pinned.
    Unpinned,
}

fn write(rewriter: &mut Rewriter<'_>, mut node: Node, form: Lowered, used: &HashSet<ValueId>) {
    match form {
        Lowered::Kept => {}
        Lowered::Portable => make_portable(&mut node),
        Lowered::Attention => {
            match attention::Forward::of(&node).and_then(|found| found.neutral(rewriter, used)) {
                Some(neutral) => node = neutral,
                None => make_portable(&mut node),
            }
        }
        Lowered::Unpinned => pinned_memory::unpin(&mut node),
    }
    rewriter.push(node);
}

fn make_portable(node: &mut Node) {
    if let Target::Operator { namespace, .. } = &mut node.target {
        *namespace = PORTABLE.into();
    }
}

/// Returns every value that a node reads or the graph returns.
fn used(graph: &Graph) -> HashSet<ValueId> {
    let mut used = HashSet::new();
    let mut mark = |value| used.extend([value]);
    graph.nodes.iter().for_each(|node| node.for_each_use(&mut mark));
    graph.outputs.iter().for_each(|output: &Operand| output.for_each_value(&mut mark));
    used
}

#[cfg(test)]
mod tests;
