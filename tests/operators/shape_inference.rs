//! Every rule of shape inference returns libtorch's sizes, and never less memory.

use crate::call::call;
use pt2::exec::Input;
use pt2::graph::{self, ValueId};
use pt2::passes::{Shape, infer};
use pt2::program::schema::ScalarType;
use pt2::torch::{Tensor, dtype_from_torch};

/// Inputs that a line may read: name, dtype and sizes.
const INPUTS: [(&str, ScalarType, &[i64]); 11] = [
    ("s", ScalarType::Float, &[]),
    ("v", ScalarType::Float, &[3]),
    ("m", ScalarType::Float, &[2, 3]),
    ("h", ScalarType::BFloat16, &[2, 3]),
    ("n", ScalarType::Float, &[3, 4]),
    ("b", ScalarType::Float, &[5, 2, 3]),
    ("c", ScalarType::Float, &[5, 3, 2]),
    ("i", ScalarType::Long, &[2, 3]),
    ("p", ScalarType::Float, &[1, 2, 4, 4]),
    ("e", ScalarType::Float, &[4, 1, 0]),
    ("t", ScalarType::Bool, &[2, 3]),
];

fn input((_, dtype, sizes): &(&str, ScalarType, &[i64])) -> Tensor {
    let count = sizes.iter().product::<i64>() as usize;
    let one: Vec<u8> = match dtype {
        ScalarType::Float => 1f32.to_le_bytes().to_vec(),
        ScalarType::BFloat16 => 1f32.to_le_bytes()[2..].to_vec(),
        ScalarType::Long => 1i64.to_le_bytes().to_vec(),
        _ => vec![1],
    };
    Tensor::from_bytes(*dtype, sizes, &one.repeat(count)).unwrap()
}

fn described((name, dtype, sizes): &(&str, ScalarType, &[i64])) -> String {
    let mut strides = vec![1; sizes.len()];
    for at in (1..sizes.len()).rev() {
        strides[at - 1] = strides[at] * sizes[at].max(1);
    }
    format!("%{name}: tensor<{} {sizes:?} {strides:?}>", dtype.name())
}

/// Compares the rule for one call of an operator with the call.
fn check(results: usize, line: &str) {
    let names: Vec<String> = (0..results).map(|at| format!("r{at}")).collect();
    let defined: Vec<String> = names.iter().map(|name| format!("%{name}: tensor")).collect();
    let defined = if results == 1 { defined.concat() } else { format!("[{}]", defined.join(", ")) };
    let returned = names.iter().map(|name| format!("%{name}")).collect::<Vec<_>>().join(", ");
    let inputs = INPUTS.each_ref().map(described).join(", ");
    let text = format!("graph({inputs}) {{ {defined} = {line} return ({returned}) }}");
    let graph = graph::parse(&text).unwrap();
    let shapes: Vec<Option<Shape>> =
        graph.inputs.iter().map(|input| graph.meta(*input).and_then(Shape::of_stored)).collect();
    let shape = |value: ValueId| shapes.get(value.0 as usize)?.as_ref();
    let inferred = infer(&graph.nodes[0], &shape).unwrap_or_else(|| panic!("no rule: {line}"));
    let given = INPUTS.each_ref().map(|each| Input::Tensor(input(each)));
    let made = call(&text, &given).unwrap_or_else(|error| panic!("{line}: {error}"));
    assert_eq!(inferred.shapes.len(), made.len(), "{line}");
    let mut bytes = 0;
    for (shape, tensor) in inferred.shapes.iter().zip(&made) {
        let view = tensor.view();
        assert_eq!(shape.sizes, view.sizes, "{line}");
        let item = dtype_from_torch(view.dtype).unwrap().size_in_bytes() as i64;
        assert!(shape.element.bytes() >= item, "{line}: {:?}, but {item} bytes", shape.element);
        bytes += item * view.sizes.iter().product::<i64>();
    }
    let is_own = |tensor: &Tensor| {
        let of = |input: &Input| {
            if let Input::Tensor(input) = input { input.shares_memory(tensor) } else { false }
        };
        !given.iter().any(of)
    };
    if made.iter().all(is_own) {
        assert!(inferred.bytes >= bytes, "{line}: {} bytes, but {bytes}", inferred.bytes);
    }
}

#[test]
fn of_one_argument() {
    for name in [
        "abs",
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atanh",
        "ceil",
        "celu",
        "clone",
        "cos",
        "cosh",
        "elu",
        "erf",
        "erfc",
        "exp",
        "exp2",
        "expm1",
        "floor",
        "full_like",
        "gelu",
        "hardsigmoid",
        "hardswish",
        "hardtanh",
        "isinf",
        "isnan",
        "leaky_relu",
        "log",
        "log10",
        "log1p",
        "log2",
        "logical_not",
        "mish",
        "neg",
        "ones_like",
        "reciprocal",
        "relu",
        "relu6",
        "round",
        "rsqrt",
        "selu",
        "sgn",
        "sigmoid",
        "sign",
        "silu",
        "sin",
        "sinh",
        "softplus",
        "sqrt",
        "square",
        "tan",
        "tanh",
        "threshold",
        "tril",
        "triu",
        "trunc",
        "zeros_like",
    ] {
        let rest = match name {
            "full_like" => ", fill_value=1",
            "threshold" => ", threshold=0, value=1",
            _ => "",
        };
        for of in ["m", "h", "b", "e"] {
            check(1, &format!("aten::{name}.default(self=%{of}{rest})"));
        }
        // Integers may become floats.
        if ["abs", "clone", "cos", "exp", "logical_not", "neg", "ones_like", "sigmoid", "sqrt"]
            .contains(&name)
        {
            check(1, &format!("aten::{name}.default(self=%i)"));
        }
    }
    for line in [
        "aten::_softmax.default(self=%m, dim=1, half_to_float=false)",
        "aten::_log_softmax.default(self=%m, dim=1, half_to_float=false)",
        "aten::softmax.int(self=%m, dim=1)",
        "aten::softmax.int(self=%m, dim=1, dtype=torch.float64)",
        "aten::log_softmax.int(self=%h, dim=-1)",
        "aten::bitwise_not.default(self=%i)",
        "aten::cumsum.default(self=%t, dim=0)",
        "aten::flip.default(self=%m, dims=[0])",
        "aten::roll.default(self=%m, shifts=[1], dims=[0])",
        "aten::group_norm.default(input=%p, num_groups=2)",
        "aten::layer_norm.default(input=%m, normalized_shape=[3])",
        "aten::rms_norm.default(input=%m, normalized_shape=[3])",
        "aten::prelu.default(self=%m, weight=%v)",
    ] {
        check(1, line);
    }
}

#[test]
fn of_several_arguments() {
    for (left, right) in [("m", "v"), ("v", "b"), ("m", "s"), ("m", "i"), ("t", "h"), ("h", "m"), ("i", "t")]
    {
        for name in [
            "add",
            "mul",
            "div",
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
            "pow",
            "remainder",
            "fmod",
            "floor_divide",
        ] {
            let overload = if name == "floor_divide" {
                "default"
            } else if name == "pow" {
                "Tensor_Tensor"
            } else {
                "Tensor"
            };
            check(
                1,
                &format!(
                    "aten::{name}.{overload}(self=%{left}, {}=%{right})",
                    if name == "pow" { "exponent" } else { "other" }
                ),
            );
        }
        for name in ["maximum", "minimum", "logical_and", "logical_or", "logical_xor", "atan2"] {
            check(1, &format!("aten::{name}.default(self=%{left}, other=%{right})"));
        }
        check(1, &format!("aten::where.self(condition=%t, self=%{left}, other=%{right})"));
    }
    for line in [
        "aten::sub.Tensor(self=%b, other=%v)",
        "aten::rsub.Tensor(self=%b, other=%v)",
        "aten::add.Scalar(self=%t, other=2)",
        "aten::mul.Scalar(self=%i, other=2.5)",
        "aten::mul.Tensor(self=%h, other=complex(1.0, 2.0))",
        "aten::bitwise_and.Tensor(self=%i, other=%t)",
        "aten::bitwise_or.Tensor(self=%i, other=%t)",
        "aten::bitwise_xor.Tensor(self=%i, other=%t)",
        "aten::bitwise_left_shift.Tensor(self=%i, other=%i)",
        "aten::bitwise_right_shift.Tensor(self=%i, other=%i)",
        "aten::clamp.default(self=%m, min=0.5)",
        "aten::clamp.Tensor(self=%m, min=%b)",
        "aten::clamp_min.default(self=%m, min=0.5)",
        "aten::clamp_max.Tensor(self=%m, max=%v)",
        "aten::lerp.Tensor(self=%m, end=%v, weight=%s)",
        "aten::addcdiv.default(self=%v, tensor1=%m, tensor2=%b)",
        "aten::addcmul.default(self=%v, tensor1=%m, tensor2=%b)",
        "aten::masked_fill.Scalar(self=%m, mask=%t, value=2.0)",
        "aten::masked_fill.Scalar(self=%v, mask=%t, value=2.0)",
        "aten::where.ScalarSelf(condition=%t, self=2, other=%i)",
        "aten::where.Scalar(condition=%t, self=2, other=3)",
        "aten::pow.Tensor_Scalar(self=%i, exponent=2)",
        "aten::pow.Scalar(self=2.0, exponent=%i)",
    ] {
        check(1, line);
    }
}

#[test]
fn of_fewer_dimensions() {
    for of in ["m", "b", "h"] {
        for name in ["all", "any", "sum", "mean", "prod", "amax", "amin", "argmax", "argmin", "std", "var"] {
            check(1, &format!("aten::{name}.default(self=%{of})"));
        }
        for name in ["all", "any", "argmax", "argmin", "prod"] {
            let overload = match name {
                "all" | "any" => "dim",
                "prod" => "dim_int",
                _ => "default",
            };
            check(1, &format!("aten::{name}.{overload}(self=%{of}, dim=-1)"));
            check(1, &format!("aten::{name}.{overload}(self=%{of}, dim=0, keepdim=true)"));
        }
        for (name, overload) in [
            ("sum", "dim_IntList"),
            ("mean", "dim"),
            ("amax", "default"),
            ("amin", "default"),
            ("std", "dim"),
            ("var", "dim"),
            ("logsumexp", "default"),
        ] {
            check(1, &format!("aten::{name}.{overload}(self=%{of}, dim=[0, -1])"));
            check(1, &format!("aten::{name}.{overload}(self=%{of}, dim=[1], keepdim=true)"));
        }
    }
    check(1, "aten::sum.default(self=%t)");
    check(1, "aten::sum.default(self=%s)");
    check(1, "aten::sum.dim_IntList(self=%m, dim=none)");
    check(1, "aten::sum.default(self=%h, dtype=torch.float64)");
}

#[test]
fn of_views() {
    for line in [
        "aten::alias.default(self=%m)",
        "aten::detach.default(self=%m)",
        "aten::contiguous.default(self=%m)",
        "aten::lift_fresh.default(self=%m)",
        "aten::to.dtype(self=%m, dtype=torch.float64)",
        "aten::to.other(self=%h, other=%m)",
        "aten::type_as.default(self=%m, other=%i)",
        "aten::view.default(self=%m, size=[3, -1])",
        "aten::view.default(self=%m, size=[6])",
        "aten::view.default(self=%e, size=[0, 7])",
        "aten::_unsafe_view.default(self=%m, size=[3, 2])",
        "aten::reshape.default(self=%m, shape=[-1])",
        "aten::reshape_as.default(self=%c, other=%b)",
        "aten::view_as.default(self=%c, other=%b)",
        "aten::expand.default(self=%v, size=[7, 2, -1])",
        "aten::expand.default(self=%s, size=[4, 4])",
        "aten::broadcast_to.default(self=%v, size=[2, 3])",
        "aten::expand_as.default(self=%v, other=%b)",
        "aten::as_strided.default(self=%m, size=[2, 2], stride=[1, 1])",
        "aten::permute.default(self=%b, dims=[2, 0, -2])",
        "aten::transpose.int(self=%b, dim0=0, dim1=-1)",
        "aten::swapdims.default(self=%b, dim0=0, dim1=1)",
        "aten::swapaxes.default(self=%b, axis0=0, axis1=1)",
        "aten::t.default(self=%m)",
        "aten::t.default(self=%v)",
        "aten::transpose.int(self=%s, dim0=0, dim1=-1)",
        "aten::unsqueeze.default(self=%m, dim=-1)",
        "aten::unsqueeze.default(self=%m, dim=0)",
        "aten::unsqueeze.default(self=%s, dim=-1)",
        "aten::squeeze.default(self=%p)",
        "aten::squeeze.dim(self=%p, dim=0)",
        "aten::squeeze.dim(self=%p, dim=1)",
        "aten::squeeze.dims(self=%p, dim=[0, 1])",
        "aten::flatten.using_ints(self=%b)",
        "aten::flatten.using_ints(self=%b, start_dim=1)",
        "aten::flatten.using_ints(self=%b, start_dim=-3, end_dim=-2)",
        "aten::flatten.using_ints(self=%s)",
        "aten::unflatten.int(self=%n, dim=1, sizes=[2, -1])",
        "aten::slice.Tensor(self=%n, dim=1, start=1)",
        "aten::slice.Tensor(self=%n, dim=1, start=-3, end=-1)",
        "aten::slice.Tensor(self=%n, dim=1, start=none, end=9223372036854775807, step=3)",
        "aten::slice.Tensor(self=%n, dim=0, start=2, end=1)",
        "aten::select.int(self=%n, dim=-1, index=2)",
        "aten::narrow.default(self=%n, dim=1, start=1, length=2)",
    ] {
        check(1, line);
    }
    for (results, line) in [
        (2, "aten::split.Tensor(self=%n, split_size=2)"),
        (2, "aten::split.Tensor(self=%n, split_size=2, dim=1)"),
        (2, "aten::split.Tensor(self=%n, split_size=3, dim=-1)"),
        (2, "aten::unsafe_split.Tensor(self=%n, split_size=3, dim=-1)"),
        (2, "aten::split_with_sizes.default(self=%n, split_sizes=[1, 3], dim=1)"),
        (2, "aten::unsafe_split_with_sizes.default(self=%n, split_sizes=[1, 3], dim=1)"),
        (3, "aten::unbind.int(self=%n)"),
        (4, "aten::unbind.int(self=%n, dim=1)"),
    ] {
        check(results, line);
    }
}

#[test]
fn of_what_is_made_and_joined() {
    for line in [
        "aten::full.default(size=[2, 3], fill_value=1)",
        "aten::full.default(size=[2, 3], fill_value=1.0, dtype=torch.bool)",
        "aten::full.default(size=[2], fill_value=complex(1.0, 2.0))",
        "aten::zeros.default(size=[2, 0])",
        "aten::ones.default(size=[])",
        "aten::arange.default(end=7)",
        "aten::arange.default(end=6.5)",
        "aten::arange.start(start=2, end=7)",
        "aten::arange.start_step(start=2, end=9, step=3)",
        "aten::arange.start_step(start=9, end=2, step=-3, dtype=torch.int32)",
        "aten::linspace.default(start=0, end=1, steps=5)",
        "aten::eye.default(n=3)",
        "aten::eye.m(n=3, m=2)",
        "aten::scalar_tensor.default(s=2.0)",
        "aten::cat.default(tensors=[%m, %m, %h])",
        "aten::cat.default(tensors=[%m, %i], dim=-1)",
        "aten::stack.default(tensors=[%m, %m], dim=1)",
        "aten::stack.default(tensors=[%m, %m, %m], dim=-1)",
        "aten::repeat.default(self=%m, repeats=[2, 1, 3])",
        "aten::gather.default(self=%m, dim=0, index=%i)",
        "aten::embedding.default(weight=%n, indices=%i)",
        "aten::constant_pad_nd.default(self=%m, pad=[1, 2])",
        "aten::constant_pad_nd.default(self=%m, pad=[1, 2, -1, 0])",
        "aten::upsample_nearest2d.vec(input=%p, output_size=[3, 7], scale_factors=none)",
        "aten::upsample_bilinear2d.vec(input=%p, output_size=[3, 7], align_corners=false, scale_factors=none)",
        "aten::upsample_bicubic2d.default(self=%p, output_size=[3, 7], align_corners=false)",
    ] {
        check(1, line);
    }
}

#[test]
fn of_products() {
    for line in [
        "aten::mm.default(self=%m, mat2=%n)",
        "aten::bmm.default(self=%b, mat2=%c)",
        "aten::matmul.default(self=%m, other=%n)",
        "aten::matmul.default(self=%v, other=%n)",
        "aten::matmul.default(self=%m, other=%v)",
        "aten::matmul.default(self=%v, other=%v)",
        "aten::matmul.default(self=%b, other=%n)",
        "aten::matmul.default(self=%m, other=%c)",
        "aten::matmul.default(self=%b, other=%v)",
        "aten::matmul.default(self=%v, other=%c)",
        "aten::linear.default(input=%b, weight=%m)",
        "aten::linear.default(input=%v, weight=%m)",
        "aten::addmm.default(self=%s, mat1=%m, mat2=%n)",
        "aten::baddbmm.default(self=%s, batch1=%b, batch2=%c)",
        "aten::outer.default(self=%v, vec2=%v)",
    ] {
        check(1, line);
    }
}

#[test]
fn of_what_passes_write() {
    for (results, line) in [
        (1, "pt2::product.default(self=%n, other=%s, memory_format=torch.preserve_format)"),
        (
            2,
            "pt2::fold_norms.default(variances=[%v, %v], means=[%v, %v], weights=[], biases=[], old_biases=[], \
             epsilon=1e-5, dtype=torch.float32)",
        ),
        (1, "pt2::space_to_depth.default(self=%p, block=[2, 2], before=[2, 0], after=[0, 4], channels=16)"),
    ] {
        check(results, line);
    }
}

/// No rule panics for arguments that no operator accepts.
#[test]
fn nonsense_has_no_size() {
    for line in [
        "aten::full.default(size=[0, -5], fill_value=1)",
        "aten::view.default(self=%m, size=[-1, -1])",
        "aten::view.default(self=%e, size=[0, -1])",
        "aten::expand.default(self=%m, size=[3])",
        "aten::select.int(self=%s, dim=0, index=0)",
        "aten::select.int(self=%m, dim=9, index=0)",
        "aten::slice.Tensor(self=%m, dim=0, step=0)",
        "aten::slice.Tensor(self=%m, dim=0, start=-9223372036854775808, step=9223372036854775807)",
        "aten::narrow.default(self=%m, dim=0, start=0, length=-1)",
        "aten::unsqueeze.default(self=%m, dim=9)",
        "aten::flatten.using_ints(self=%m, start_dim=1, end_dim=0)",
        "aten::unflatten.int(self=%m, dim=1, sizes=[])",
        "aten::split.Tensor(self=%m, split_size=0)",
        "aten::split_with_sizes.default(self=%m, split_sizes=[9223372036854775807, 9223372036854775807])",
        "aten::permute.default(self=%m, dims=[7])",
        "aten::repeat.default(self=%m, repeats=[9223372036854775807, 9223372036854775807])",
        "aten::cat.default(tensors=[])",
        "aten::cat.default(tensors=[%m, %b])",
        "aten::constant_pad_nd.default(self=%m, pad=[9223372036854775807, 9223372036854775807])",
        "aten::arange.start_step(start=0, end=1, step=0)",
        "aten::arange.default(end=1e300)",
        "aten::eye.m(n=9223372036854775807, m=9223372036854775807)",
        "aten::mm.default(self=%s, mat2=%s)",
        "aten::add.Tensor(self=%m, other=%n)",
        "aten::sum.dim_IntList(self=%m, dim=[9])",
        "pt2::space_to_depth.default(self=%p, block=[0, 0], before=[0, 0], after=[0, 0], channels=16)",
        "pt2::space_to_depth.default(self=%p, block=[], before=[], after=[], channels=16)",
        "pt2::fold_norms.default(variances=[], means=[])",
    ] {
        let inputs = INPUTS.each_ref().map(described).join(", ");
        let graph = graph::parse(&format!("graph({inputs}) {{ %r: tensor = {line} return (%r) }}")).unwrap();
        let shapes: Vec<Option<Shape>> =
            graph.inputs.iter().map(|input| graph.meta(*input).and_then(Shape::of_stored)).collect();
        let found = infer(&graph.nodes[0], &|value| shapes.get(value.0 as usize)?.as_ref());
        let known = ["start=-9223372036854775808", "unflatten"].iter().any(|part| line.contains(part));
        assert!(known || found.is_none(), "{line}: {found:?}");
    }
}

/// Views read nothing; all other operators read every element, also of expanded tensors.
#[test]
fn work_is_counted_in_elements() {
    let text = "graph(%v: tensor<float32 [3] [1]>, %e: tensor<float32 [1048576, 1048576] [0, 0]>) {
        %a: tensor = aten::expand.default(self=%v, size=[1000, 3])
        %b: tensor = aten::sum.default(self=%e)
        %c: tensor = aten::mm.default(self=%e, mat2=%e)
        return (%a, %b, %c) }";
    let graph = graph::parse(text).unwrap();
    let shapes: Vec<Option<Shape>> =
        graph.inputs.iter().map(|input| graph.meta(*input).and_then(Shape::of_stored)).collect();
    let work = |at: usize| {
        infer(&graph.nodes[at], &|value| shapes.get(value.0 as usize)?.as_ref()).map(|inferred| inferred.work)
    };
    assert_eq!([work(0), work(1), work(2)], [Some(0), Some((1 << 40) + 1), Some(1 << 60)]);
}
