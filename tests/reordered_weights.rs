//! Weights that are multiplied and brought to oneDNN's order in one call are those of the two calls it stands for.
#![cfg(feature = "torch")]
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

use pt2::graph::{self, Function, InputBinding, OutputBinding};
use pt2::plan;
use pt2::program::schema::ScalarType;
use pt2::run::{self, Input};
use pt2::torch::{Device, Scope, Tensor};
use pt2::{Error, Result};

/// Sizes of the filters and of the image, and how they are used.
struct Case {
    filters: Vec<i64>,
    image: i64,
    stride: i64,
    padding: i64,
    dilation: i64,
    groups: i64,
}

impl Case {
    fn spatial(&self) -> usize {
        self.filters.len() - 2
    }

    fn input(&self) -> Vec<i64> {
        let mut sizes = vec![2, self.filters[1] * self.groups];
        sizes.resize(self.filters.len(), self.image);
        sizes
    }

    fn factors(&self) -> Vec<i64> {
        let mut sizes = vec![1; self.filters.len()];
        sizes[0] = self.filters[0];
        sizes
    }

    fn arguments(&self) -> String {
        let all = |number: i64| format!("{:?}", vec![number; self.spatial()]);
        let (padding, stride, dilation) = (all(self.padding), all(self.stride), all(self.dilation));
        format!("padding={padding}, stride={stride}, dilation={dilation}, groups={}", self.groups)
    }

    fn convolution(&self, name: &str) -> String {
        let arguments = self.arguments();
        format!(
            "%y_{name}: tensor = mkldnn::_convolution_pointwise.default(X=%x, W=%{name}, B=none, {arguments}, \
             attr=\"none\", scalars=[], algorithm=\"\")"
        )
    }

    /// The two weights one after the other, with and without factors, in one call and in libtorch's.
    fn program(&self) -> String {
        let arguments = format!("{}, input_size={:?}", self.arguments(), self.input());
        let mut lines = Vec::new();
        for weight in ["v", "w"] {
            lines.push(format!("%p_{weight}: tensor = aten::mul.Tensor(self=%{weight}, other=%f)"));
            for (name, of, factors) in [("scaled", "", "%f"), ("plain", "", "none"), ("two", "p_", "")] {
                let call = match factors {
                    "" => format!(
                        "mkldnn::_reorder_convolution_weight.default(self=%{of}{weight}, {arguments})"
                    ),
                    _ => format!(
                        "pt2::reorder_convolution_weight.default(self=%{weight}, factors={factors}, {arguments})"
                    ),
                };
                lines.push(format!("%{name}_{weight}: tensor = {call}"));
            }
            lines.push(format!(
                "%one_{weight}: tensor = mkldnn::_reorder_convolution_weight.default(self=%{weight}, {arguments})"
            ));
        }
        let weights = ["scaled_v", "two_v", "plain_v", "one_v", "scaled_w", "two_w", "plain_w", "one_w"];
        lines.extend(weights.map(|name| self.convolution(name)));
        let outputs = weights.map(|name| format!("%y_{name}")).join(", ");
        let lines = lines.join("\n");
        format!("graph(%x: tensor, %v: tensor, %w: tensor, %f: tensor) {{\n{lines}\nreturn ({outputs})\n}}")
    }
}

/// Numbers between −1 and 1 that look random.
fn numbers(sizes: &[i64], seed: u32) -> Input {
    let count: i64 = sizes.iter().product();
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / 8_388_608.0 - 1.0).to_le_bytes()
    };
    let bytes: Vec<u8> = (0..count).flat_map(|_| next()).collect();
    Input::Tensor(Tensor::from_bytes(ScalarType::Float, sizes, &bytes).unwrap())
}

fn call(text: &str, inputs: &[Input]) -> Result<Vec<Vec<u8>>> {
    let graph = graph::parse(text).unwrap();
    let outputs = vec![OutputBinding::User; graph.outputs.len()];
    let function = Function { graph, inputs: vec![InputBinding::User; inputs.len()], outputs };
    let plan = plan::build(&function, Device::Cpu)?;
    let scope = Scope::enter(Device::Cpu, std::ptr::null_mut()).unwrap();
    let outputs = run::run(&plan, &scope, &mut run::frame(&plan, &[]).unwrap(), inputs)?;
    Ok(outputs.into_iter().map(|output| output.unwrap().to_bytes().unwrap()).collect())
}

fn cases() -> Vec<Case> {
    let case = |filters: &[i64], image, stride, padding, dilation, groups| Case {
        filters: filters.to_vec(),
        image,
        stride,
        padding,
        dilation,
        groups,
    };
    vec![
        case(&[64, 3, 7, 7], 32, 2, 3, 1, 1),
        case(&[64, 64, 3, 3], 8, 1, 1, 1, 1),
        case(&[256, 64, 1, 1], 8, 1, 0, 1, 1),
        case(&[272, 128, 1, 1], 4, 2, 0, 1, 1),
        case(&[48, 20, 3, 3], 9, 2, 2, 2, 1),
        case(&[5, 3, 3, 2], 7, 1, 1, 1, 1),
        case(&[32, 8, 3, 3], 8, 1, 1, 1, 4),
        case(&[96, 1, 3, 3], 8, 1, 1, 1, 96),
        case(&[32, 1, 5, 5], 9, 2, 2, 1, 32),
        case(&[24, 8, 3, 3, 3], 6, 1, 1, 1, 1),
    ]
}

#[test]
fn one_call_gives_the_bits_of_two() {
    for case in cases() {
        let inputs = [
            numbers(&case.input(), 1),
            numbers(&case.filters, 2),
            numbers(&case.filters, 3),
            numbers(&case.factors(), 4),
        ];
        let outputs = call(&case.program(), &inputs).unwrap();
        for pair in outputs.chunks(2) {
            assert!(pair[0] == pair[1], "{:?}", case.filters);
        }
        // What came later in the same scratch memory, and what was not multiplied, are other numbers.
        for other in [2, 4, 6] {
            assert!(outputs[0] != outputs[other], "{:?}", case.filters);
        }
    }
}

#[test]
fn factors_that_do_not_fit_are_an_error_that_names_the_node() {
    let case = cases().remove(1);
    for factors in [vec![63, 1, 1, 1], vec![2, 64, 1, 1, 1]] {
        let inputs = [
            numbers(&case.input(), 1),
            numbers(&case.filters, 2),
            numbers(&case.filters, 3),
            numbers(&factors, 4),
        ];
        let arguments = format!("{}, input_size={:?}", case.arguments(), case.input());
        let text = format!(
            "graph(%x: tensor, %v: tensor, %w: tensor, %f: tensor) {{
               %r: tensor = pt2::reorder_convolution_weight.default(self=%w, factors=%f, {arguments})
               {}
               return (%y_r)
             }}",
            case.convolution("r")
        );
        let refused = call(&text, &inputs);
        assert!(matches!(&refused, Err(Error::Operator { node, .. }) if node == "r"), "{refused:?}");
    }
}
