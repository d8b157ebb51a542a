//! Every convolution with a sum and an activation that passes may fuse on the CPU, at `fast`. Fused
//! and fallback calls are as accurate as separate operators (docs/concepts/optimiser.md).

use crate::random::numbers;
use crate::support::Array;
use pt2::exec::{self, Input};
use pt2::graph::{self, Function, InputBinding, OutputBinding};
use pt2::passes::{self, DeviceProfile, Optimization};
use pt2::plan;
use pt2::torch::{Device, Scope, Tensor, fused_fallback};
use std::collections::HashMap;

/// Activations with their arguments; `none` is no activation.
const ACTIVATIONS: [(&str, &str); 15] = [
    ("none", ""),
    ("relu", ""),
    ("relu_", ""),
    ("sigmoid", ""),
    ("tanh", ""),
    ("silu", ""),
    ("silu_", ""),
    ("hardswish", ""),
    ("hardsigmoid", ""),
    ("relu6", ""),
    ("hardtanh", ", min_val=-0.5, max_val=2.0"),
    ("leaky_relu", ", negative_slope=0.2"),
    ("gelu", ""),
    ("gelu", ", approximate=\"tanh\""),
    ("elu", ""),
];

/// Other operand of the sum.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Other {
    None,
    Same,
    OneChannel,
    OnePixel,
    OneNumber,
}

/// Convolution and its input.
#[derive(Clone, Copy, Debug)]
struct Case {
    spatial: usize,
    batch: i64,
    channels: i64,
    pixels: i64,
    filter: i64,
    stride: i64,
    groups: i64,
    dtype: &'static str,
    innermost: bool,
    other: Other,
}

impl Case {
    fn sizes(&self, channels: i64, pixels: i64) -> Vec<i64> {
        [vec![self.batch, channels], vec![pixels; self.spatial]].concat()
    }

    fn filters(&self) -> Vec<i64> {
        [vec![self.channels, self.channels / self.groups], vec![self.filter; self.spatial]].concat()
    }

    fn result(&self) -> Vec<i64> {
        let padding = self.filter / 2;
        self.sizes(self.channels, (self.pixels + 2 * padding - self.filter) / self.stride + 1)
    }

    fn other(&self) -> Vec<i64> {
        let result = self.result();
        match self.other {
            Other::None | Other::Same => result,
            Other::OneChannel => [vec![self.batch, 1], result[2..].to_vec()].concat(),
            Other::OnePixel => self.sizes(self.channels, 1),
            Other::OneNumber => vec![1],
        }
    }

    /// Returns a program with a chain for each activation, with filters of its own so that none are
    /// shared. Float64 is the reference.
    fn program(&self, dtype: &str) -> String {
        let made = |sizes: &[i64], innermost| tensor(dtype, sizes, innermost);
        let mut inputs = vec![
            format!("%x: {}", tensor("float32", &self.sizes(self.channels, self.pixels), false)),
            format!("%z: {}", tensor("float32", &self.other(), false)),
        ];
        let mut lines = Vec::new();
        let cast = |lines: &mut Vec<String>, name: &str, sizes: &[i64]| {
            lines.push(format!(
                "%{name}_c: {} = aten::to.dtype(self=%{name}, dtype=torch.{dtype})",
                made(sizes, false)
            ));
        };
        cast(&mut lines, "x", &self.sizes(self.channels, self.pixels));
        cast(&mut lines, "z", &self.other());
        let format = [
            "torch.contiguous_format",
            ["torch.channels_last", "torch.channels_last_3d"][usize::from(self.spatial == 3)],
        ];
        let moved = |name: &str, sizes: &[i64], wanted: bool| {
            let innermost = wanted && sizes.len() > 3;
            let format = format[usize::from(innermost)];
            format!(
                "%{name}_f: {} = aten::clone.default(self=%{name}_c, memory_format={format})",
                made(sizes, innermost)
            )
        };
        lines.push(moved("x", &self.sizes(self.channels, self.pixels), self.innermost));
        lines.push(moved("z", &self.other(), self.innermost));
        let innermost = self.innermost && self.spatial > 1;
        let all = |number: i64| format!("{:?}", vec![number; self.spatial]);
        let result = made(&self.result(), innermost);
        for (at, (name, arguments)) in ACTIVATIONS.iter().enumerate() {
            inputs.push(format!("%w{at}: {}", tensor("float32", &self.filters(), false)));
            inputs.push(format!("%w{at}_b: {}", tensor("float32", &[self.channels], false)));
            cast(&mut lines, &format!("w{at}"), &self.filters());
            cast(&mut lines, &format!("w{at}_b"), &[self.channels]);
            lines.push(format!(
                "%c{at}: {result} = aten::conv{}d.default(input=%x_f, weight=%w{at}_c, bias=%w{at}_b_c, stride={}, padding={}, \
                 dilation={}, groups={})",
                self.spatial, all(self.stride), all(self.filter / 2), all(1), self.groups
            ));
            let sum = format!("%s{at}: {result} = aten::add.Tensor(self=%c{at}, other=%z_f)");
            let from = if self.other == Other::None { "c" } else { "s" };
            lines.extend((from == "s").then_some(sum));
            let activated = format!("%r{at}: {result} = aten::{name}.default(self=%{from}{at}{arguments})");
            lines.push(match *name {
                "none" => format!("%r{at}: {result} = aten::mul.Tensor(self=%{from}{at}, other=1)"),
                _ => activated,
            });
            // In a dtype that the test reads and that represents these numbers exactly.
            let read = if dtype == "float64" { dtype } else { "float32" };
            let returned = tensor(read, &self.result(), innermost);
            lines.push(format!("%t{at}: {returned} = aten::to.dtype(self=%r{at}, dtype=torch.{read})"));
            let returned = tensor(read, &self.result(), false);
            lines.push(format!("%o{at}: {returned} = aten::contiguous.default(self=%t{at})"));
        }
        let returned: Vec<String> = (0..ACTIVATIONS.len()).map(|at| format!("%o{at}")).collect();
        format!("graph({}) {{ {} return ({}) }}", inputs.join(", "), lines.join("\n"), returned.join(", "))
    }

    /// Returns the number of chains that become one call of oneDNN, by the passes' rules.
    fn fused(&self) -> usize {
        let inputs = [self.sizes(self.channels, self.pixels), self.result()];
        let differs = |sizes: &Vec<i64>| strides(sizes, true) != strides(sizes, false);
        let reordered = self.innermost && self.spatial == 3 && inputs.iter().any(differs);
        let taken = self.dtype == "float32" && self.spatial > 1 && !reordered;
        if taken { ACTIVATIONS.len() } else { 0 }
    }
}

/// Returns a type as the exporter would record it.
fn tensor(dtype: &str, sizes: &[i64], innermost: bool) -> String {
    format!("tensor<{dtype} {sizes:?} {:?}>", strides(sizes, innermost))
}

fn strides(sizes: &[i64], innermost: bool) -> Vec<i64> {
    let mut order: Vec<usize> = (0..sizes.len()).rev().collect();
    if innermost {
        order = [vec![1], (2..sizes.len()).rev().collect(), vec![0]].concat();
    }
    let mut strides = vec![0; sizes.len()];
    order.iter().fold(1, |dense, at| {
        strides[*at] = dense;
        dense * sizes[*at].max(1)
    });
    strides
}

/// Program ready to be called, with its weights.
struct Loaded {
    plan: plan::Plan,
    bound: Vec<(u32, Tensor)>,
    calls: usize,
}

impl Loaded {
    fn of(text: &str, level: Optimization, weights: &HashMap<String, Tensor>) -> Loaded {
        let graph = graph::parse(text).unwrap();
        let bind = |id: &graph::ValueId| match graph.value(*id).unwrap().name.as_str() {
            name if name.starts_with('w') => InputBinding::Parameter(name.into()),
            _ => InputBinding::User,
        };
        let inputs = graph.inputs.iter().map(bind).collect();
        let outputs = vec![OutputBinding::User; graph.outputs.len()];
        let mut function = Function { graph, inputs, outputs };
        passes::run(&mut function, level, &DeviceProfile::ONEDNN).unwrap();
        let parts = passes::split_const_subgraph(function);
        let mut weights: HashMap<String, Tensor> = weights.clone();
        for folding in parts.at_load.iter().chain(&parts.at_first_call) {
            let plan = plan::build(&folding.function, Device::Cpu).unwrap();
            let made = called(&plan, &bound(&plan, &weights), &[]);
            weights.extend(folding.names.iter().cloned().zip(made));
        }
        let is_call = |node: &&graph::Node| node.target.to_string().starts_with("pt2::onednn_convolution");
        let calls = parts.call.graph.nodes.iter().filter(is_call).count();
        let plan = plan::build(&parts.call, Device::Cpu).unwrap();
        Loaded { bound: bound(&plan, &weights), plan, calls }
    }

    fn outputs(&self, inputs: &[Tensor]) -> Vec<Tensor> {
        called(&self.plan, &self.bound, inputs)
    }
}

fn bound(plan: &plan::Plan, weights: &HashMap<String, Tensor>) -> Vec<(u32, Tensor)> {
    plan.weights.iter().map(|(slot, name)| (*slot, weights[name].clone())).collect()
}

fn called(plan: &plan::Plan, bound: &[(u32, Tensor)], inputs: &[Tensor]) -> Vec<Tensor> {
    let inputs: Vec<Input> = inputs.iter().cloned().map(Input::Tensor).collect();
    let scope = Scope::enter(Device::Cpu, std::ptr::null_mut()).unwrap();
    let outputs = exec::run(plan, &scope, &mut exec::frame(plan, bound).unwrap(), &inputs).unwrap();
    outputs.into_iter().map(Option::unwrap).collect()
}

/// Largest error of each output over several calls, relative to the output's largest element.
#[derive(Default)]
struct Errors(Vec<f64>);

impl Errors {
    fn note(&mut self, found: &[Tensor], truth: &[Tensor]) {
        self.0.resize(truth.len(), 0.0);
        for ((worst, found), truth) in self.0.iter_mut().zip(found).zip(truth) {
            let (found, truth) = (Array::of(found).floats(), Array::of(truth).floats());
            let largest = truth.iter().fold(1e-30f64, |largest, number| largest.max(number.abs()));
            let error =
                found.iter().zip(&truth).fold(0.0f64, |error, (one, two)| error.max((one - two).abs()));
            assert!(found.iter().all(|number| number.is_finite()));
            *worst = worst.max(error / largest);
        }
    }
}

/// Returns the strides that affect addresses: none of dimensions of size one or of empty tensors.
fn seen_strides(tensor: &Tensor) -> Vec<i64> {
    let view = tensor.view();
    if view.sizes.contains(&0) {
        return Vec::new();
    }
    let of = |(size, stride): (&i64, &i64)| (*size != 1).then_some(*stride);
    view.sizes.iter().zip(view.strides).filter_map(of).collect()
}

fn check(case: &Case) {
    const CALLS: u32 = 4;
    let mut weights = HashMap::new();
    for at in 0..ACTIVATIONS.len() {
        weights.insert(format!("w{at}"), numbers(&case.filters(), at as u32));
        weights.insert(format!("w{at}_b"), numbers(&[case.channels], 50 + at as u32));
    }
    let text = case.program(case.dtype);
    let exact = Loaded::of(&text, Optimization::Exact, &weights);
    let fast = Loaded::of(&text, Optimization::Fast, &weights);
    let precise = Loaded::of(&case.program("float64"), Optimization::Exact, &weights);
    assert_eq!(fast.calls, case.fused(), "{case:?}");
    let (mut of_exact, mut of_fast, mut of_fallback) =
        (Errors::default(), Errors::default(), Errors::default());
    for call in 0..CALLS {
        let inputs = [
            numbers(&case.sizes(case.channels, case.pixels), 100 + call),
            numbers(&case.other(), 200 + call),
        ];
        let truth = precise.outputs(&inputs);
        let plain = exact.outputs(&inputs);
        let before = fused_fallback::count();
        let outputs = fast.outputs(&inputs);
        assert_eq!(fused_fallback::count(), before, "{case:?}: the table lists a call that fails");
        for (output, plain) in outputs.iter().zip(&plain) {
            assert_eq!(seen_strides(output), seen_strides(plain), "{case:?}");
        }
        of_exact.note(&plain, &truth);
        of_fast.note(&outputs, &truth);
        let again = fused_fallback::forced(|| fast.outputs(&inputs));
        let all = u64::try_from(fast.calls).unwrap();
        assert!(fused_fallback::count() >= before + all, "{case:?}: not every call fell back");
        of_fallback.note(&again, &truth);
    }
    let rounding = match case.dtype {
        "float32" => f64::from(f32::EPSILON),
        "float16" => 2f64.powi(-10),
        "bfloat16" => 2f64.powi(-7),
        _ => f64::EPSILON,
    };
    for (at, plain) in of_exact.0.iter().enumerate() {
        for (way, error) in [("fast", of_fast.0[at]), ("fallback", of_fallback.0[at])] {
            let name = ACTIVATIONS[at].0;
            assert!(
                error <= 2.0 * plain + 2.0 * rounding,
                "{case:?}, {name}, {way}: {error:e} for {plain:e}"
            );
        }
    }
}

fn cases(dtypes: &[&'static str]) -> Vec<Case> {
    let mut all = Vec::new();
    for &dtype in dtypes {
        for spatial in 1..=3 {
            for (channels, pixels, filter) in
                [(4, 5, 3), (6, 4, 1), (1, 5, 3), (4, 1, 1), (4, 1, 3), (1, 1, 1)]
            {
                for (batch, stride, groups) in [(2, 1, 1), (2, 2, 1), (0, 1, 1), (1, 1, 1), (2, 1, channels)]
                {
                    for innermost in [false, true] {
                        for other in
                            [Other::None, Other::Same, Other::OneChannel, Other::OnePixel, Other::OneNumber]
                        {
                            let case = Case {
                                spatial,
                                batch,
                                channels,
                                pixels,
                                filter,
                                stride,
                                groups,
                                dtype,
                                innermost: innermost && spatial > 1,
                                other,
                            };
                            all.push(case);
                        }
                    }
                }
            }
        }
    }
    all
}

fn check_all(dtypes: &[&'static str], every: usize) {
    pt2::torch::start(pt2::torch::CudaPolicy::default());
    let cases = cases(dtypes);
    cases.iter().step_by(every).for_each(check);
}

/// A sample.
#[test]
fn float32() {
    check_all(&["float32"], 11);
}

/// A sample: these are not fused and are unchanged.
#[test]
fn other_dtypes() {
    check_all(&["float16", "bfloat16", "float64"], 97);
}

#[test]
#[ignore = "every combination takes minutes: make random-networks"]
fn every_combination() {
    check_all(&["float32", "float16", "bfloat16", "float64"], 1);
}

/// libtorch's own call returns wrong or unwritten numbers for such results.
#[test]
fn one_input_channel_and_one_column() {
    pt2::torch::start(pt2::torch::CudaPolicy::default());
    for channels in [1, 2, 8] {
        check_one_column(channels);
    }
}

fn check_one_column(channels: i64) {
    let (filter, output) = ([channels, 1, 5, 2], [2, channels, 2, 1]);
    let image = tensor("float32", &[2, 1, 2, 2], false);
    let filters = tensor("float32", &filter, false);
    let result = tensor("float32", &output, false);
    let call = "aten::conv2d.default(input=%x, weight=%w, stride=[1, 3], padding=[2, 1])";
    let program = |more: &str, returned: &str| {
        format!(
            "graph(%x: {image}, %z: {result}, %w: {filters}) {{ %c: {result} = {call} {more} return ({returned}) }}"
        )
    };
    let sum = format!("%s: {result} = aten::add.Tensor(self=%c, other=%z)");
    for text in [program("", "%c"), program(&sum, "%s")] {
        for seed in 0..4 {
            let weights = HashMap::from([("w".to_string(), numbers(&filter, seed))]);
            let inputs = [numbers(&[2, 1, 2, 2], 10 + seed), numbers(&output, 20 + seed)];
            let [exact, fast] = [Optimization::Exact, Optimization::Fast]
                .map(|level| Array::of(&Loaded::of(&text, level, &weights).outputs(&inputs)[0]));
            assert!(fast.error_against(&exact) < 1e-6, "{text}");
        }
    }
}

/// The exporter records contiguous results for these operators. For channels-last arguments
/// libtorch's results are channels-last.
#[test]
fn outputs_have_the_strides_of_exact_if_the_record_is_wrong() {
    pt2::torch::start(pt2::torch::CudaPolicy::default());
    let sizes = [2, 4, 5, 5];
    let (plain, last) = (tensor("float32", &sizes, false), tensor("float32", &sizes, true));
    let (filters, result) =
        (tensor("float32", &[4, 1, 1, 1], false), tensor("float32", &[2, 4, 2, 2], false));
    let nodes = [
        "aten::pad.default(self=%f, pad=[0, 0, 0, 0], mode=\"reflect\")",
        "aten::pad.default(self=%f, pad=[0, 0, 0, 0], mode=\"replicate\")",
        "aten::channel_shuffle.default(self=%f, groups=2)",
        "aten::roll.default(self=%f, shifts=[1], dims=[1])",
    ];
    for node in nodes {
        let text = format!(
            "graph(%x: {plain}, %w: {filters}) {{
               %f: {last} = aten::clone.default(self=%x, memory_format=torch.channels_last)
               %p: {plain} = {node}
               %c: {result} = aten::conv2d.default(input=%p, weight=%w, stride=[3, 3], dilation=[2, 2], groups=4)
               return (%c) }}"
        );
        let weights = HashMap::from([("w".to_string(), numbers(&[4, 1, 1, 1], 1))]);
        let inputs = [numbers(&sizes, 2)];
        let [exact, fast] = [Optimization::Exact, Optimization::Fast]
            .map(|level| Loaded::of(&text, level, &weights).outputs(&inputs).remove(0));
        assert_eq!(seen_strides(&exact), strides(&[2, 4, 2, 2], true), "{node}");
        assert_eq!(seen_strides(&fast), seen_strides(&exact), "{node}");
    }
}

/// A volume with one channel has equal strides in both formats. Its other strides decide the format
/// in which libtorch writes the result.
#[test]
fn volumes_of_one_channel_have_the_strides_of_exact() {
    pt2::torch::start(pt2::torch::CudaPolicy::default());
    let (sizes, turned, output) = ([3, 8, 1, 1, 1], [3, 1, 8, 1, 1], [3, 2, 4, 1, 1]);
    let (image, result) = (tensor("float32", &sizes, false), tensor("float32", &output, false));
    let filters = tensor("float32", &[2, 1, 3, 1, 5], false);
    let text = format!(
        "graph(%x: {image}, %w: {filters}) {{
           %p: tensor<float32 {turned:?} [8, 1, 1, 1, 1]> = aten::permute.default(self=%x, dims=[0, 3, 1, 2, 4])
           %c: {result} = aten::conv3d.default(input=%p, weight=%w, stride=[2, 2, 2], padding=[1, 0, 2])
           return (%c) }}"
    );
    let weights = HashMap::from([("w".to_string(), numbers(&[2, 1, 3, 1, 5], 1))]);
    let inputs = [numbers(&sizes, 2)];
    let [exact, fast] = [Optimization::Exact, Optimization::Fast]
        .map(|level| Loaded::of(&text, level, &weights).outputs(&inputs).remove(0));
    assert_eq!(seen_strides(&fast), seen_strides(&exact));
}

/// Images of one pixel, one channel or one row lie in several orders at once. Strides that place no element decide in
/// which one kernels write what follows, and the exporter does not always record those that the kernels give.
#[test]
fn outputs_have_the_strides_of_exact_where_formats_are_ambiguous() {
    pt2::torch::start(pt2::torch::CudaPolicy::default());
    let cases: [(&str, &[i64], &[i64]); 3] = [
        (
            "%c: tensor<float32 [2, 4, 1, 1] [4, 1, 4, 4]> = aten::conv2d.default(input=%x, weight=%k, padding=[0, 1])
             %r: tensor<float32 [2, 4, 2, 4] [32, 1, 16, 4]> = aten::pad.default(self=%c, pad=[1, 2, 1, 0])",
            &[2, 8, 1, 1],
            &[4, 8, 1, 3],
        ),
        (
            "%c: tensor<float32 [1, 8, 2, 2] [32, 1, 16, 8]> = aten::conv2d.default(input=%x, weight=%k, padding=[1, 1])
             %u: tensor<float32 [1, 8, 1, 1] [8, 1, 1, 1]> = aten::upsample_bilinear2d.vec(input=%c, output_size=none, align_corners=false, scale_factors=[0.5, 0.5])
             %r: tensor<float32 [1, 2, 2, 2] [8, 4, 2, 1]> = aten::pixel_shuffle.default(self=%u, upscale_factor=2)",
            &[1, 4, 2, 2],
            &[8, 4, 3, 3],
        ),
        (
            "%c: tensor<float32 [2, 3, 1, 1] [3, 1, 1, 1]> = aten::conv2d.default(input=%x, weight=%k)
             %p: tensor<float32 [2, 1, 3, 1] [3, 1, 1, 1]> = aten::permute.default(self=%c, dims=[0, 2, 1, 3])
             %f: tensor<float32 [2, 1, 3] [3, 1, 1]> = aten::flatten.using_ints(self=%p, start_dim=2)
             %t: tensor<float32 [2, 3, 1] [3, 1, 1]> = aten::transpose.int(self=%f, dim0=1, dim1=2)
             %r: tensor<float32 [2, 3, 3] [9, 3, 1]> = aten::adaptive_avg_pool1d.default(self=%t, output_size=[3])",
            &[2, 3, 1, 1],
            &[3, 3, 1, 1],
        ),
    ];
    for (nodes, image, filter) in cases {
        // If both formats are the same, only a filter of several pixels distinguishes them.
        let innermost = filter[2..] != [1, 1];
        let text = format!(
            "graph(%x: {}, %w: {}) {{ %k: {} = aten::clone.default(self=%w, memory_format={}) {nodes} return (%r) }}",
            tensor("float32", image, false),
            tensor("float32", filter, false),
            tensor("float32", filter, innermost),
            if innermost { "torch.channels_last" } else { "torch.contiguous_format" },
        );
        let weights = HashMap::from([("w".to_string(), numbers(filter, 1))]);
        let inputs = [numbers(image, 2)];
        let [exact, fast] = [Optimization::Exact, Optimization::Fast]
            .map(|level| Loaded::of(&text, level, &weights).outputs(&inputs).remove(0));
        assert_eq!(seen_strides(&fast), seen_strides(&exact), "{text}");
    }
}
