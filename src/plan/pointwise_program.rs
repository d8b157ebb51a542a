//! Compiles a graph of pointwise arithmetic to steps on registers.

use crate::graph::{Graph, Node, Operand, Target, ValueId};
use crate::torch::{Arithmetic, Pointwise, PointwiseInput, PointwiseStep};
use std::collections::HashMap;

/// Compiles the first graph of a node. The graph must return the result of its last node.
pub fn compile(node: &Node) -> Result<Pointwise, String> {
    let graph = match node.inputs.first().map(|argument| &argument.value) {
        Some(Operand::Graph(inner)) => &inner.graph,
        _ => return Err("it has no graph".into()),
    };
    let inputs = graph.inputs.iter().zip(0..).map(|(id, number)| (*id, PointwiseInput::Input(number)));
    let mut compiler =
        Compiler { places: inputs.collect(), free: Vec::new(), registers: 0, reads: reads(graph) };
    let steps = graph.nodes.iter().map(|node| compiler.step(node)).collect::<Option<Vec<_>>>();
    let steps = steps.filter(|steps| !steps.is_empty() && returns_last(graph));
    let steps = steps.ok_or("it does other than arithmetic on elements")?;
    Pointwise::new(&steps, compiler.registers as usize).map_err(|failure| failure.message)
}

/// Returns true if the only output is the result of the last node.
fn returns_last(graph: &Graph) -> bool {
    let last = graph.nodes.last().and_then(Node::result);
    matches!(graph.outputs.as_slice(), [output] if output.value().is_some() && output.value() == last)
}

fn reads(graph: &Graph) -> HashMap<ValueId, usize> {
    let mut reads = HashMap::new();
    graph.nodes.iter().for_each(|node| node.for_each_use(&mut |id| *reads.entry(id).or_default() += 1));
    reads
}

struct Compiler {
    places: HashMap<ValueId, PointwiseInput>,
    /// Registers whose value has had its last use.
    free: Vec<u32>,
    registers: u32,
    /// Remaining uses of each value.
    reads: HashMap<ValueId, usize>,
}

impl Compiler {
    /// Compiles one node; None if it is no arithmetic.
    fn step(&mut self, node: &Node) -> Option<PointwiseStep> {
        let (arithmetic, binary) = arithmetic(&node.target)?;
        let left = self.operand(node.argument("self")?)?;
        let right =
            if binary { self.operand(node.argument("other")?)? } else { PointwiseInput::Constant(0.0) };
        // A step reads each element before it writes it, so it may overwrite its operands.
        node.for_each_use(&mut |id| self.read(id));
        let to = self.free.pop().unwrap_or_else(|| {
            self.registers += 1;
            self.registers - 1
        });
        self.places.insert(node.result()?, PointwiseInput::Register(to));
        Some(PointwiseStep { arithmetic, left, right, to })
    }

    fn operand(&self, operand: &Operand) -> Option<PointwiseInput> {
        match operand {
            Operand::Value(id) => self.places.get(id).copied(),
            // libtorch casts a number beside a float32 tensor the same way.
            number => Some(PointwiseInput::Constant(number.number()? as f32)),
        }
    }

    fn read(&mut self, id: ValueId) {
        let left = self.reads.entry(id).and_modify(|reads| *reads = reads.saturating_sub(1)).or_default();
        if let (0, Some(PointwiseInput::Register(register))) = (*left, self.places.get(&id)) {
            self.free.push(*register);
        }
    }
}

/// Returns the operation, and true if it has two operands.
fn arithmetic(target: &Target) -> Option<(Arithmetic, bool)> {
    let Target::Operator { namespace, name, .. } = target else { return None };
    if namespace != "aten" {
        return None;
    }
    Some(match name.as_str() {
        "add" => (Arithmetic::Add, true),
        "sub" => (Arithmetic::Sub, true),
        "mul" => (Arithmetic::Mul, true),
        "div" => (Arithmetic::Div, true),
        "neg" => (Arithmetic::Neg, false),
        "relu" => (Arithmetic::Relu, false),
        "sqrt" => (Arithmetic::Sqrt, false),
        "abs" => (Arithmetic::Abs, false),
        _ => return None,
    })
}
