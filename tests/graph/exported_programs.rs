//! Every genuine program becomes a graph, and the graph's text parses to the same graph.

use crate::repository::writer_versions;
use crate::sample_programs::{archives, load, program};
use pt2_graph::graph::{self, Author, Function, InputBinding, Operand, Output, OutputBinding, Target};

#[test]
fn every_program_round_trips_through_the_text_form() {
    let archives = archives();
    for path in &archives {
        let module = load(path);
        let mut function = graph::import(&module).unwrap();
        assert_eq!(function.graph.nodes.len(), module.graph.nodes.len());
        let text = function.graph.to_string();
        assert_eq!(graph::parse(&text).unwrap(), function.graph, "{}", path.display());
        pt2_graph::passes::run(
            &mut function,
            pt2_graph::passes::Optimization::Exact,
            &pt2_graph::passes::DeviceProfile::PLAIN,
        )
        .unwrap();
        let text = function.graph.to_string();
        assert!(!text.contains("wrap_with_set_grad_enabled"), "{text}");
        // The text omits it.
        function.graph.nodes.iter_mut().for_each(|node| node.author = Author::Exporter);
        assert_eq!(graph::parse(&text).unwrap(), function.graph, "{}", path.display());
    }
    assert!(archives.len() >= 33);
}

fn branch_output(version: &str) -> (Function, Output) {
    let function = graph::import(&program(&format!("{version}/branch"))).unwrap();
    let cond = function.graph.nodes.iter().find(|node| node.target == Target::HigherOrder("cond".into()));
    let outputs = cond.unwrap().outputs.clone();
    assert_eq!(outputs.len(), 1);
    (function, outputs[0].clone())
}

#[test]
fn a_lone_output_of_a_higher_order_operator_is_a_value_in_every_version() {
    for version in writer_versions() {
        let (function, output) = branch_output(&version);
        let Output::Value(id) = output else { panic!("{version}: {output:?}") };
        assert_eq!(function.graph.value(id).unwrap().name, "getitem");
        assert_eq!(function.graph.outputs, [Operand::Value(id)]);
    }
}

#[test]
fn unnamed_nodes_take_the_names_of_their_values() {
    let old = graph::import(&program("2.6.0/tree")).unwrap();
    assert_eq!(old.graph.nodes.iter().find(|node| node.name == "getitem_3").unwrap().outputs.len(), 1);
    let checked = graph::import(&program("2.8.0/dtypes")).unwrap();
    assert!(checked.graph.nodes.iter().any(|node| node.name == "_assert_tensor_metadata"));
}

#[test]
fn the_signature_is_paired_with_the_graph() {
    let function = graph::import(&program("2.11.0/tree")).unwrap();
    assert_eq!(
        function.inputs,
        [
            InputBinding::Parameter("fc.weight".into()),
            InputBinding::Parameter("fc.bias".into()),
            InputBinding::Buffer { name: "scale".into(), persistent: false },
            InputBinding::TensorConstant("lifted_tensor_0".into()),
            InputBinding::User,
            InputBinding::User,
            InputBinding::User,
        ]
    );
    assert_eq!(function.outputs, vec![OutputBinding::User; 4]);
    assert_eq!(function.user_input("pair_1"), Some(5));
}

#[test]
fn traces_of_the_exported_python_are_kept() {
    let function = graph::import(&program("2.11.0/tree")).unwrap();
    let node = function.graph.nodes.iter().find(|node| node.name == "mul").unwrap();
    assert!(node.trace.as_ref().unwrap().contains("b * self.scale"));
}
