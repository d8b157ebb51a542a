//! Helpers of the passes' tests: programs before and after, and a convolution with its norm.

use pt2_graph::graph::{self, Function, InputBinding, OutputBinding};
use pt2_graph::passes::{self, DeviceProfile, Optimization};

/// Inputs named `w…` are weights.
pub fn function(text: &str) -> Function {
    let graph = graph::parse(text).unwrap();
    let bind = |id: &graph::ValueId| match graph.value(*id).unwrap().name.as_str() {
        name if name.starts_with('w') => InputBinding::Parameter(name.into()),
        _ => InputBinding::User,
    };
    let inputs = graph.inputs.iter().map(bind).collect();
    let outputs = vec![OutputBinding::User; graph.outputs.len()];
    Function { graph, inputs, outputs }
}

#[track_caller]
pub fn becomes(profile: &DeviceProfile, before: &str, after: &str) {
    assert_eq!(optimized(profile, before), graph::parse(after).unwrap().to_string());
}

#[track_caller]
pub fn optimized(profile: &DeviceProfile, text: &str) -> String {
    let mut function = function(text);
    passes::run(&mut function, Optimization::Fast, profile).unwrap();
    function.graph.to_string()
}

#[track_caller]
pub fn stays(profile: &DeviceProfile, text: &str) {
    becomes(profile, text, text);
}

pub const INPUTS: &str = "%x: tensor<float32 [2, 3, 8, 8] [192, 64, 8, 1]>, %w: tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]>, \
    %w_g: tensor<float32 [4] [1]>, %w_b: tensor<float32 [4] [1]>, %w_m: tensor<float32 [4] [1]>, %w_v: tensor<float32 [4] [1]>";
pub const CONV: &str = "tensor<float32 [2, 4, 8, 8] [256, 64, 8, 1]>";
pub const NORM: &str =
    "weight=%w_g, bias=%w_b, running_mean=%w_m, running_var=%w_v, training=false, momentum=0.1, eps=1e-5";
