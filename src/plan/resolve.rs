//! Finds the callee of each node, in inner graphs too. All that is missing is found before binding
//! starts.

use super::PythonFunction;
use super::control::ControlOp;
use crate::graph::{Function, Graph, InputBinding, Node, OutputBinding, Target, ValueKind};
use crate::torch::Operator;
use crate::{Error, Result};

/// Resolved callee of a node.
pub enum Callee {
    /// Operator of libtorch.
    Operator(Operator),
    /// Function on numbers.
    Python(PythonFunction),
    /// Higher-order operator, with its graphs in argument order.
    Control(ControlOp, Vec<Body>),
}

/// Graph inside the program as a function of its own, whose inputs and outputs all pass through its
/// node.
pub struct Body {
    /// The graph.
    pub function: Function,
    /// Callees of its nodes.
    pub callees: Vec<Callee>,
}

/// Finds the callee of every node. The error lists all that this process lacks.
pub fn resolve(function: &Function) -> Result<Vec<Callee>> {
    let mut missing = classes(function);
    let found = callees(&function.graph, &mut missing);
    if missing.is_empty() { Ok(found) } else { Err(Error::MissingOperators { operators: missing }) }
}

/// Returns the classes of the program's custom objects, none of which libpt2 can restore.
fn classes(function: &Function) -> Vec<String> {
    let kept = function.inputs.iter().zip(&function.graph.inputs).filter_map(|(binding, id)| {
        let InputBinding::Object(name) = binding else { return None };
        let class = match function.graph.value(*id).map(|value| &value.kind) {
            Some(ValueKind::Object { class }) => class,
            _ => "unknown",
        };
        Some(format!("the custom object `{}` of class `{}`", name.escape_debug(), class.escape_debug()))
    });
    kept.collect()
}

fn callees(graph: &Graph, missing: &mut Vec<String>) -> Vec<Callee> {
    let mut found = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let bodies = bodies(node, missing);
        match callee(&node.target, bodies) {
            Some(callee) => found.push(callee),
            None if missing.contains(&node.target.to_string()) => {}
            None => missing.push(node.target.to_string()),
        }
    }
    found
}

fn callee(target: &Target, bodies: Vec<Body>) -> Option<Callee> {
    match target {
        Target::Operator { namespace, name, overload } => {
            Operator::find(namespace, name, overload).map(Callee::Operator)
        }
        Target::Python(name) => PythonFunction::named(name).map(Callee::Python),
        Target::HigherOrder(name) => ControlOp::named(name).map(|form| Callee::Control(form, bodies)),
    }
}

fn bodies(node: &Node, missing: &mut Vec<String>) -> Vec<Body> {
    let mut bodies = Vec::new();
    for argument in &node.inputs {
        argument.value.for_each_graph(&mut |inner| {
            let callees = callees(&inner.graph, missing);
            bodies.push(Body { function: closed(&inner.graph), callees });
        });
    }
    bodies
}

fn closed(graph: &Graph) -> Function {
    Function {
        graph: graph.clone(),
        inputs: vec![InputBinding::User; graph.inputs.len()],
        outputs: vec![OutputBinding::User; graph.outputs.len()],
    }
}
