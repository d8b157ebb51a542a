//! What each node calls, in the graphs inside the program too. Everything that is missing is found before
//! anything is bound.

use super::PythonFunction;
use super::control::ControlOp;
use crate::graph::{Function, Graph, InputBinding, Node, OutputBinding, Target, ValueKind};
use crate::torch::Operator;
use crate::{Error, Result};

/// What a node calls, once found.
pub enum Callee {
    /// An operator of libtorch.
    Operator(Operator),
    /// A function on numbers.
    Python(PythonFunction),
    /// A higher-order operator, with the graphs it runs in the order of its arguments.
    Control(ControlOp, Vec<Body>),
}

/// A graph inside the program as a function of its own: all it takes and gives passes through its node.
pub struct Body {
    /// The graph.
    pub function: Function,
    /// What its nodes call.
    pub callees: Vec<Callee>,
}

/// Finds what every node calls, or says all that this process lacks.
pub fn resolve(function: &Function) -> Result<Vec<Callee>> {
    let mut missing = classes(function);
    let found = callees(&function.graph, &mut missing);
    if missing.is_empty() { Ok(found) } else { Err(Error::MissingOperators { operators: missing }) }
}

/// The classes of the custom objects that the program keeps: none of them can be brought back.
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
