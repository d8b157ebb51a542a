//! Multiplied and prepacked weights equal those of libtorch's calls, in every call.

use crate::call::call;
use crate::random::numbers;
use pt2::Error;
use pt2::exec::Input;

/// Sizes of the filters and of the image, and their arguments.
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

    /// Returns both weights in turn, with and without factors, by one call and by libtorch's calls.
    fn program(&self) -> String {
        let plain = self.arguments();
        let arguments = format!("{plain}, input_size={:?}", self.input());
        let mut lines = Vec::new();
        for weight in ["v", "w"] {
            lines.push(format!("%p_{weight}: tensor = aten::mul.Tensor(self=%{weight}, other=%f)"));
            for (name, of, factors) in [("scaled", "", "%f"), ("plain", "", "none"), ("two", "p_", "")] {
                let call = match factors {
                    "" => format!(
                        "mkldnn::_reorder_convolution_weight.default(self=%{of}{weight}, {arguments})"
                    ),
                    _ => {
                        lines.push(format!(
                            "%h_{name}_{weight}: tensor = pt2::convolution_weight.default(self=%{weight}, \
                             factors={factors}, {plain})"
                        ));
                        format!("pt2::ordered_weight.default(weight=%h_{name}_{weight}, input=%x)")
                    }
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
fn they_are_those_of_libtorch() {
    for case in cases() {
        let inputs = [
            Input::Tensor(numbers(&case.input(), 1)),
            Input::Tensor(numbers(&case.filters, 2)),
            Input::Tensor(numbers(&case.filters, 3)),
            Input::Tensor(numbers(&case.factors(), 4)),
        ];
        let outputs = call(&case.program(), &inputs).unwrap();
        let outputs: Vec<Vec<u8>> = outputs.iter().map(|output| output.to_bytes().unwrap()).collect();
        for pair in outputs.chunks(2) {
            assert!(pair[0] == pair[1], "{:?}", case.filters);
        }
        // Later contents of the scratch memory, and unmultiplied weights, are different numbers.
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
            Input::Tensor(numbers(&case.input(), 1)),
            Input::Tensor(numbers(&case.filters, 2)),
            Input::Tensor(numbers(&case.filters, 3)),
            Input::Tensor(numbers(&factors, 4)),
        ];
        let arguments = case.arguments();
        let text = format!(
            "graph(%x: tensor, %v: tensor, %w: tensor, %f: tensor) {{
               %h: tensor = pt2::convolution_weight.default(self=%w, factors=%f, {arguments})
               %r: tensor = pt2::ordered_weight.default(weight=%h, input=%x)
               {}
               return (%y_r)
             }}",
            case.convolution("r")
        );
        let refused = call(&text, &inputs);
        assert!(matches!(&refused, Err(Error::Operator { node, .. }) if node == "h"), "{refused:?}");
    }
}
