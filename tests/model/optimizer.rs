//! Archives with every pass for every device. On the CPU, outputs and their strides equal
//! PyTorch's.
//!
//! Channels-last, which only CUDA's profile prefers, is tested here on the CPU with equal results.

use crate::support::{Array, Calls, repository};
use pt2::archive::{Archive, ReadOptions};
use pt2::exec::{self, Input};
use pt2::graph;
use pt2::passes::{self, DeviceProfile, Optimization};
use pt2::plan::{self, Plan};
use pt2::program::Program;
use pt2::torch::{Device, Scope, Tensor};
use pt2::weights;
use pt2::weights::placement::{ArchivedWeights, Weights};
use std::collections::HashMap;
use std::path::Path;
use std::ptr;

const INNERMOST: DeviceProfile = DeviceProfile { convolution: None, ..DeviceProfile::CUDNN };
const BOTH: DeviceProfile =
    DeviceProfile { channels_last: DeviceProfile::CUDNN.channels_last, ..DeviceProfile::ONEDNN };

struct Loaded {
    plan: Plan,
    weights: Weights,
    nodes: Vec<String>,
}

fn load(path: &Path, level: Optimization, traits: &DeviceProfile) -> Loaded {
    pt2::torch::start(pt2::torch::CudaPolicy::default());
    let archive = Archive::open(path, &ReadOptions::default()).unwrap();
    let name = archive.models()[0].clone();
    let program = Program::parse(archive.program(&name).unwrap().bytes()).unwrap();
    let mut function = graph::import(&program.graph_module).unwrap();
    let stored = weights::read(&archive, &name).unwrap();
    weights::describe(&mut function, &stored);
    passes::run(&mut function, level, traits).unwrap();
    let archived = ArchivedWeights::new(&stored, Device::Cpu);
    let mut weights = archived.put(&archived.absent(), &archived.all()).unwrap();
    let parts = passes::split_const_subgraph(function);
    for folding in parts.at_load.iter().chain(&parts.at_first_call) {
        let made = call(&plan::build(&folding.function, Device::Cpu).unwrap(), &weights, &[]);
        weights.add(folding.names.iter().cloned().zip(made.into_iter().map(Option::unwrap)));
    }
    let nodes = parts.call.graph.nodes.iter().map(|node| node.target.to_string()).collect();
    Loaded { plan: plan::build(&parts.call, Device::Cpu).unwrap(), weights, nodes }
}

fn call(plan: &Plan, weights: &Weights, inputs: &[Option<Array>]) -> Vec<Option<Tensor>> {
    let input =
        |array: &Option<Array>| array.as_ref().map_or(Input::None, |array| Input::Tensor(array.tensor()));
    let inputs: Vec<Input> = inputs.iter().map(input).collect();
    let scope = Scope::enter(Device::Cpu, ptr::null_mut()).unwrap();
    let bound: Vec<_> =
        plan.weights.iter().map(|(slot, name)| (*slot, weights.tensor(name).unwrap())).collect();
    exec::run(plan, &scope, &mut exec::frame(plan, &bound).unwrap(), &inputs).unwrap()
}

fn check(case: &str, traits: &DeviceProfile) -> Vec<String> {
    let path = repository(&format!("tests/archives/2.11.0/{case}.pt2"));
    let (plain, fast) =
        (load(&path, Optimization::Exact, &DeviceProfile::PLAIN), load(&path, Optimization::Fast, traits));
    let calls = Calls::beside(&path);
    for index in 0..calls.len() {
        let inputs = calls.inputs(index, plain.plan.inputs.len());
        let (exact, outputs) =
            (call(&plain.plan, &plain.weights, &inputs), call(&fast.plan, &fast.weights, &inputs));
        for (at, (output, exact)) in outputs.iter().zip(&exact).enumerate() {
            let (Some(output), Some(exact)) = (output, exact) else { continue };
            assert_eq!(output.view().strides, exact.view().strides, "{case}, call {index}, output {at}");
            let error = Array::of(output).error_against(&Array::of(exact));
            assert!(error < 2e-6, "{case}, call {index}: {error}");
        }
    }
    fast.nodes
}

fn counts(nodes: &[String]) -> HashMap<&str, usize> {
    nodes.iter().fold(HashMap::new(), |mut counts, node| {
        *counts.entry(node.as_str()).or_default() += 1;
        counts
    })
}

#[test]
fn residual_networks() {
    for case in ["mini_resnet", "core_resnet"] {
        let nodes = check(case, &DeviceProfile::ONEDNN);
        let counts = counts(&nodes);
        let count = |name: &str| counts.get(name).copied().unwrap_or(0);
        let in_place = count("pt2::onednn_convolution_.default");
        assert_eq!(count("pt2::onednn_convolution.default") + in_place, 8, "{nodes:?}");
        assert!(in_place > 0, "{nodes:?}");
        for gone in ["batch_norm", "relu", "add_.", "add.Tensor"] {
            assert!(!nodes.iter().any(|node| node.contains(gone)), "{nodes:?}");
        }
        check(case, &INNERMOST);
        check(case, &BOTH);
        // Without cuDNN its calls use libtorch's operators one by one.
        let nodes = check(case, &DeviceProfile::CUDNN);
        let fused = nodes.iter().filter(|node| *node == "pt2::cudnn_convolution.default").count();
        assert_eq!(fused, 8, "{nodes:?}");
    }
}

#[test]
fn features() {
    let nodes = check("features", &DeviceProfile::ONEDNN);
    assert!(nodes.iter().any(|node| node.contains("onednn_convolution")), "{nodes:?}");
    let nodes = check("features", &INNERMOST);
    assert!(nodes.iter().any(|node| node == "aten::reshape.default"), "{nodes:?}");
    check("features", &BOTH);
    check("features", &DeviceProfile::CUDNN);
}

#[test]
fn arithmetic_on_elements() {
    let nodes = check("arithmetic", &DeviceProfile::CPU);
    assert_eq!(counts(&nodes)["higher_order::pointwise"], 7, "{nodes:?}");
}

/// With a threshold of zero, every operand may be overwritten after its last use.
#[test]
fn arithmetic_in_place() {
    let written_over = |case: &str, in_place: Option<i64>| {
        let nodes = check(case, &DeviceProfile { in_place, pointwise: false, ..DeviceProfile::CPU });
        let writes = |node: &&String| ["add_", "sub_", "mul_", "div_"].iter().any(|name| node.contains(name));
        nodes.iter().filter(writes).count()
    };
    let in_place = |case| written_over(case, Some(0)) - written_over(case, None);
    let cases = [
        "aliases",
        "arithmetic",
        "branch",
        "cache",
        "casts",
        "chosen",
        "conditions",
        "constants",
        "core_cache",
        "core_mutation",
        "core_reads",
        "core_resnet",
        "core_train",
        "features",
        "folded",
        "kinds",
        "layouts",
        "loops",
        "mini_resnet",
        "mini_resnet_train",
        "mutation",
        "returns",
        "rows",
        "sizes",
        "train_buffers",
        "tree",
    ];
    let all: usize = cases.into_iter().map(in_place).sum();
    assert!(all > 8, "{all}");
}

#[test]
fn everything_else() {
    for case in
        ["mini_resnet_train", "core_train", "mutation", "core_mutation", "returns", "conditions", "tree"]
    {
        for traits in [DeviceProfile::ONEDNN, INNERMOST, BOTH, DeviceProfile::CUDNN] {
            check(case, &traits);
        }
    }
}
