//! Each pass of the fast level, and the part that runs once, by what it makes of a graph.

use pt2::graph::{self, Function, InputBinding, OutputBinding};
use pt2::passes::{self, FusedConvolution, Optimization, Traits};

/// Inputs named `w…` are weights.
fn function(text: &str) -> Function {
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
pub fn becomes(traits: &Traits, before: &str, after: &str) {
    assert_eq!(optimized(traits, before), graph::parse(after).unwrap().to_string());
}

#[track_caller]
pub fn optimized(traits: &Traits, text: &str) -> String {
    let mut function = function(text);
    passes::run(&mut function, Optimization::Fast, traits).unwrap();
    function.graph.to_string()
}

#[track_caller]
pub fn stays(traits: &Traits, text: &str) {
    becomes(traits, text, text);
}

const INPUTS: &str = "%x: tensor<float32 [2, 3, 8, 8] [192, 64, 8, 1]>, %w: tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]>, \
    %w_g: tensor<float32 [4] [1]>, %w_b: tensor<float32 [4] [1]>, %w_m: tensor<float32 [4] [1]>, %w_v: tensor<float32 [4] [1]>";
const CONV: &str = "tensor<float32 [2, 4, 8, 8] [256, 64, 8, 1]>";
const NORM: &str =
    "weight=%w_g, bias=%w_b, running_mean=%w_m, running_var=%w_v, training=false, momentum=0.1, eps=1e-5";

#[test]
fn batch_norm_goes_into_the_weights_before_it() {
    becomes(
        &Traits::PLAIN,
        &format!(
            "graph({INPUTS}) {{
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=none, padding=[1, 1])
               %n: {CONV} = aten::batch_norm.default(input=%c, {NORM})
               %r: {CONV} = aten::relu_.default(self=%n)
               return (%r)
             }}"
        ),
        &format!(
            "graph({INPUTS}) {{
               [%folded_norms: tensor, %folded_norms_1: tensor] = pt2::fold_norms.default(variances=[%w_v], means=[%w_m], \
                 weights=[%w_g], biases=[%w_b], old_biases=[], epsilon=1e-5, dtype=torch.float32)
               %folded_scale: tensor = aten::reshape.default(self=%folded_norms, shape=[-1, 1, 1, 1])
               %folded_weight: tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]> = aten::mul.Tensor(self=%w, other=%folded_scale)
               %n: {CONV} = aten::conv2d.default(input=%x, weight=%folded_weight, bias=%folded_norms_1, padding=[1, 1]) as \"c\"
               %r: {CONV} = aten::relu_.default(self=%n)
               return (%r)
             }}"
        ),
    );
}

#[test]
fn the_factors_of_many_norms_are_computed_together() {
    let sizes = "tensor<float32 [2, 32, 8, 8] [2048, 64, 8, 1]>";
    let vector = "tensor<float32 [32] [1]>";
    let weight = "tensor<float32 [32, 32, 1, 1] [32, 1, 1, 1]>";
    let norm = |input: &str, at: usize| {
        format!(
            "%c{at}: {sizes} = aten::conv2d.default(input=%{input}, weight=%w{at})
             %n{at}: {sizes} = aten::batch_norm.default(input=%c{at}, weight=none, bias=%w_b{at}, running_mean=%w_m{at}, \
               running_var=%w_v{at}, training=false, momentum=0.1, eps=1e-5)"
        )
    };
    let weights =
        |at: usize| format!("%w{at}: {weight}, %w_b{at}: {vector}, %w_m{at}: {vector}, %w_v{at}: {vector}");
    let inputs = format!("%x: {sizes}, {}, {}", weights(1), weights(2));
    becomes(
        &Traits::PLAIN,
        &format!("graph({inputs}) {{ {} {} return (%n2) }}", norm("x", 1), norm("n1", 2)),
        &format!(
            "graph({inputs}) {{
               [%folded_norms: tensor, %folded_norms_1: tensor] = pt2::fold_norms.default(variances=[%w_v1, %w_v2], \
                 means=[%w_m1, %w_m2], weights=[], biases=[%w_b1, %w_b2], old_biases=[], epsilon=1e-5, dtype=torch.float32)
               [%folded_bias: tensor, %folded_bias_1: tensor] = aten::split_with_sizes.default(self=%folded_norms_1, split_sizes=[32, 32])
               %folded_scale: tensor = aten::reshape.default(self=%folded_norms, shape=[-1, 1, 1, 1])
               [%folded_scale_1: tensor, %folded_scale_2: tensor] = aten::split_with_sizes.default(self=%folded_scale, split_sizes=[32, 32])
               %folded_weight: {weight} = aten::mul.Tensor(self=%w1, other=%folded_scale_1)
               %n1: {sizes} = aten::conv2d.default(input=%x, weight=%folded_weight, bias=%folded_bias) as \"c1\"
               %folded_weight_1: {weight} = aten::mul.Tensor(self=%w2, other=%folded_scale_2)
               %n2: {sizes} = aten::conv2d.default(input=%n1, weight=%folded_weight_1, bias=%folded_bias_1) as \"c2\"
               return (%n2)
             }}"
        ),
    );
}

#[test]
fn batch_norm_that_cannot_be_folded_stays() {
    let conv = format!("%c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=none, padding=[1, 1])");
    let norm = format!("%n: {CONV} = aten::batch_norm.default(input=%c, {NORM})");
    for (lines, returned) in [
        (format!("{conv} {}", norm.replace("training=false", "training=true")), "%n"),
        (format!("{conv} {norm}"), "%n, %c"),
        (format!("{conv} {norm} %d: tensor = aten::neg.default(self=%c)"), "%n, %d"),
        (format!("{conv} {norm} %d: tensor = aten::add_.Tensor(self=%w_v, other=1)"), "%n"),
        (
            format!(
                "%v: tensor = aten::view.default(self=%w_m, size=[2, 2]) {conv} {norm} my_lib::keep.default(self=%v) as \"k\""
            ),
            "%n",
        ),
        (format!("{conv} {norm}"), "%n, %w_g"),
        (format!("{} {norm}", conv.replace("weight=%w", "weight=%x")), "%n"),
    ] {
        stays(&Traits::PLAIN, &format!("graph({INPUTS}) {{ {lines} return ({returned}) }}"));
    }
}

#[test]
fn what_follows_a_convolution_becomes_one_call() {
    let before = format!(
        "graph({INPUTS}, %z: {CONV}) {{
           %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=%w_b, padding=[1, 1])
           %s: {CONV} = aten::add_.Tensor(self=%c, other=%z)
           %r: {CONV} = aten::relu_.default(self=%s)
           return (%r)
         }}"
    );
    becomes(
        &Traits { channels_last: None, ..Traits::CUDNN },
        &before,
        &format!(
            "graph({INPUTS}, %z: {CONV}) {{
               %r: {CONV} = pt2::cudnn_convolution.default(input=%x, weight=%w, bias=%w_b, other=%z, \
                 stride=[1, 1], padding=[1, 1], dilation=[1, 1], groups=1, relu=true, tuned=false)
               return (%r)
             }}"
        ),
    );
    // oneDNN's calls return channels innermost, so what is returned is put back in order.
    becomes(
        &Traits::ONEDNN,
        &before,
        &format!(
            "graph({INPUTS}, %z: {CONV}) {{
               %convolution_weight: tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]> = pt2::convolution_weight.default(\
                 self=%w, factors=none, padding=[1, 1], stride=[1, 1], dilation=[1, 1], groups=1)
               %ordered_weight: tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]> = pt2::ordered_weight.default(\
                 weight=%convolution_weight, input=%x)
               %r: {CONV} = mkldnn::_convolution_pointwise.binary(X=%x, other=%z, W=%ordered_weight, B=%w_b, padding=[1, 1], \
                 stride=[1, 1], dilation=[1, 1], groups=1, binary_attr=\"add\", alpha=1.0, unary_attr=\"relu\", \
                 unary_scalars=[], unary_algorithm=\"\")
               %returned: {CONV} = aten::clone.default(self=%r, memory_format=torch.contiguous_format)
               return (%returned)
             }}"
        ),
    );
}

#[test]
fn a_weight_is_multiplied_on_its_way_into_onednn_s_order() {
    let weight = "tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]>";
    let factors = "%w_f: tensor<float32 [4, 1, 1, 1] [1, 1, 1, 1]>";
    let calls_of = |inputs: &str, other: &str, returned: &str| {
        let text = format!(
            "graph({INPUTS}, {inputs}) {{
               %p: {weight} = aten::mul.Tensor(self=%w, other={other})
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%p, padding=[1, 1])
               return (%c{returned})
             }}"
        );
        optimized(&Traits::ONEDNN, &text)
    };
    let taken_in = calls_of(factors, "%w_f", "");
    assert!(taken_in.contains("pt2::convolution_weight.default(self=%w, factors=%w_f,"), "{taken_in}");
    assert!(!taken_in.contains("mul.Tensor"), "{taken_in}");
    // Factors that differ from call to call, and a product that somebody else reads.
    let varies = calls_of("%f: tensor<float32 [4, 1, 1, 1] [1, 1, 1, 1]>", "%f", "");
    assert!(!varies.contains("convolution_weight"), "{varies}");
    let read = calls_of(factors, "%w_f", ", %p");
    assert!(read.contains("mul.Tensor") && !read.contains("factors=%w_f"), "{read}");
}

#[test]
fn a_convolution_is_not_moved_over_a_write_to_what_it_reads() {
    let text = |first: &str, between: &str| {
        format!(
            "graph({INPUTS}, %z: {CONV}) {{
               {first}
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=%w_b, padding=[1, 1])
               {between}
               %r: {CONV} = aten::relu.default(self=%c)
               return (%r)
             }}"
        )
    };
    let traits = Traits { channels_last: None, ..Traits::CUDNN };
    for (first, between) in [
        ("", "%d: tensor = aten::add_.Tensor(self=%x, other=1)"),
        (
            "%v: tensor = aten::select.int(self=%x, dim=0, index=0)",
            "%d: tensor = aten::mul_.Tensor(self=%v, other=2)",
        ),
        ("", "my_lib::unknown.default(x=%x) as \"u\""),
    ] {
        let made = optimized(&traits, &text(first, between));
        let places = ["relu=false", between, "aten::relu.default"].map(|part| made.find(part));
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{made}");
    }
}

#[test]
fn only_constant_weights_and_known_calls_are_fused() {
    let traits = Traits { channels_last: None, ..Traits::CUDNN };
    for (weight, rest, activation) in [
        ("%x", "padding=[1, 1]", "relu"),
        ("%w", "padding=[1, 1], groups=3", "relu"),
        ("%w", "padding=\"same\"", "relu"),
    ] {
        stays(
            &traits,
            &format!(
                "graph({INPUTS}) {{
                   %c: {CONV} = aten::conv2d.default(input=%x, weight={weight}, bias=%w_b, {rest})
                   %r: {CONV} = aten::{activation}.default(self=%c)
                   return (%r)
                 }}"
            ),
        );
    }
}

#[test]
fn cudnn_takes_convolutions_without_bias_or_activation_too() {
    let traits = Traits { channels_last: None, ..Traits::CUDNN };
    let fused = FusedConvolution { tuned: true, ..traits.convolution.unwrap() };
    becomes(
        &Traits { convolution: Some(fused), ..traits },
        &format!(
            "graph({INPUTS}) {{
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w)
               return (%c)
             }}"
        ),
        &format!(
            "graph({INPUTS}) {{
               %c: {CONV} = pt2::cudnn_convolution.default(input=%x, weight=%w, bias=none, other=none, \
                 stride=[1, 1], padding=[0, 0], dilation=[1, 1], groups=1, relu=false, tuned=true)
               return (%c)
             }}"
        ),
    );
}

#[test]
fn channels_lie_innermost_between_convolutions_and_outputs_as_before() {
    let traits = Traits { convolution: None, ..Traits::CUDNN };
    let flat = "tensor<float32 [2, 256] [256, 1]>";
    becomes(
        &traits,
        &format!(
            "graph({INPUTS}) {{
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=%w_b, padding=[1, 1])
               %r: {CONV} = aten::relu_.default(self=%c)
               %p: {CONV} = aten::max_pool2d.default(self=%r, kernel_size=[1, 1])
               %v: {flat} = aten::view.default(self=%p, size=[2, 256])
               %u: tensor = aten::unknown_op.default(self=%p)
               return (%v, %u, %r)
             }}"
        ),
        &format!(
            "graph({INPUTS}) {{
               %channels_last_weight: tensor<float32 [4, 3, 3, 3] [27, 9, 3, 1]> = aten::clone.default(self=%w, memory_format=torch.channels_last)
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%channels_last_weight, bias=%w_b, padding=[1, 1])
               %r: {CONV} = aten::relu_.default(self=%c)
               %p: {CONV} = aten::max_pool2d.default(self=%r, kernel_size=[1, 1])
               %v: {flat} = aten::reshape.default(self=%p, shape=[2, 256])
               %old_order: tensor = aten::contiguous.default(self=%p)
               %u: tensor = aten::unknown_op.default(self=%old_order)
               %returned: {CONV} = aten::clone.default(self=%r, memory_format=torch.contiguous_format)
               %returned_1: {flat} = aten::clone.default(self=%v, memory_format=torch.contiguous_format)
               return (%returned_1, %u, %returned)
             }}"
        ),
    );
}

#[test]
fn the_layout_stays_where_the_order_could_be_seen() {
    let traits = Traits { convolution: None, ..Traits::CUDNN };
    for line in [
        "%s: tensor = aten::unknown_op.default(self=%c) %t: tensor = aten::add_.Tensor(self=%c, other=1)",
        "%s: tensor = aten::view.default(self=%c, size=[-1]) %t: tensor = aten::add_.Tensor(self=%s, other=1)",
        "%s: tensor = aten::as_strided.default(self=%c, size=[2], stride=[1]) %t: tensor = aten::resize_.default(self=%s, size=[1])",
        "my_lib::unknown.default(x=%c) as \"u\"",
    ] {
        let text = format!(
            "graph({INPUTS}) {{
               %c: {CONV} = aten::conv2d.default(input=%x, weight=%w, bias=%w_b, padding=[1, 1])
               {line}
               %n: {CONV} = aten::neg.default(self=%c)
               return (%n)
             }}"
        );
        stays(&traits, &text);
    }
}

#[test]
fn the_same_is_computed_once() {
    becomes(
        &Traits::PLAIN,
        "graph(%x: tensor, %y: tensor) {
           %a: tensor = aten::mul.Tensor(self=%x, other=%y)
           %b: tensor = aten::mul.Tensor(self=%x, other=%y)
           %c: tensor = aten::exp.default(self=%a)
           %d: tensor = aten::exp.default(self=%b)
           %e: tensor = aten::mul.Tensor(self=%x, other=2)
           %f: tensor = aten::mul.Tensor(self=%x, other=2.0)
           %s: tensor = aten::cat.default(tensors=[%c, %d, %e, %f])
           return (%s)
         }",
        "graph(%x: tensor, %y: tensor) {
           %a: tensor = aten::mul.Tensor(self=%x, other=%y)
           %c: tensor = aten::exp.default(self=%a)
           %e: tensor = aten::mul.Tensor(self=%x, other=2)
           %f: tensor = aten::mul.Tensor(self=%x, other=2.0)
           %s: tensor = aten::cat.default(tensors=[%c, %c, %e, %f])
           return (%s)
         }",
    );
}

#[test]
fn twins_that_could_be_told_apart_stay() {
    for (lines, returned) in [
        ("%a: tensor = aten::neg.default(self=%x) %b: tensor = aten::neg.default(self=%x)", "%a, %b"),
        (
            "%a: tensor = aten::rand_like.default(self=%x) %b: tensor = aten::rand_like.default(self=%x) %c: tensor = aten::sub.Tensor(self=%a, other=%b)",
            "%c",
        ),
        (
            "%a: tensor = aten::neg.default(self=%x) %u: tensor = aten::add_.Tensor(self=%x, other=1) %b: tensor = aten::neg.default(self=%x) %c: tensor = aten::sub.Tensor(self=%a, other=%b)",
            "%c",
        ),
        (
            "%a: tensor = aten::neg.default(self=%x) %b: tensor = aten::neg.default(self=%x) %u: tensor = aten::add_.Tensor(self=%a, other=1) %c: tensor = aten::sub.Tensor(self=%b, other=%u)",
            "%c",
        ),
    ] {
        stays(&Traits::PLAIN, &format!("graph(%x: tensor) {{ {lines} return ({returned}) }}"));
    }
}

#[test]
fn dropout_in_inference_is_taken_out() {
    becomes(
        &Traits::PLAIN,
        "graph(%x: tensor) {
           %a: tensor = aten::dropout.default(input=%x, p=0.5, train=false)
           %b: tensor = aten::dropout_.default(self=%a, p=0.5, train=false)
           %c: tensor = aten::dropout.default(input=%b, p=0.5, train=true)
           %d: tensor = aten::neg.default(self=%b)
           return (%c, %d, %b)
         }",
        "graph(%x: tensor) {
           %c: tensor = aten::dropout.default(input=%x, p=0.5, train=true)
           %d: tensor = aten::neg.default(self=%x)
           return (%c, %d, %x)
         }",
    );
}

#[track_caller]
fn parts(before: &str, once: Option<&str>, call: &str) {
    let parts = passes::split(function(before));
    let text = |text: &str| graph::parse(text).unwrap().to_string();
    parts.call.graph.verify().unwrap();
    assert_eq!(parts.call.graph.to_string(), text(call));
    assert_eq!(parts.once.as_ref().map(|part| part.graph.to_string()), once.map(text));
    assert_eq!(parts.call.inputs.len(), parts.call.graph.inputs.len());
    assert_eq!(parts.once.map_or(0, |part| part.outputs.len()), parts.constants.len());
}

#[test]
fn what_only_weights_decide_runs_once() {
    parts(
        "graph(%w: tensor, %w2: tensor, %w3: tensor, %x: tensor) {
           %t: tensor = aten::t.default(self=%w)
           %s: tensor = aten::mul.Tensor(self=%t, other=2)
           %y: tensor = aten::mm.default(self=%x, mat2=%s)
           %z: tensor = aten::mm.default(self=%y, mat2=%w2)
           return (%z)
         }",
        Some(
            "graph(%w: tensor) {
               %t: tensor = aten::t.default(self=%w)
               %s: tensor = aten::mul.Tensor(self=%t, other=2)
               return (%s)
             }",
        ),
        "graph(%w2: tensor, %x: tensor, %s: tensor) {
           %y: tensor = aten::mm.default(self=%x, mat2=%s)
           %z: tensor = aten::mm.default(self=%y, mat2=%w2)
           return (%z)
         }",
    );
}

#[test]
fn what_may_change_or_is_handed_out_runs_in_every_call() {
    for (lines, returned) in [
        (
            "%v: tensor = aten::view.default(self=%w, size=[2]) %u: tensor = aten::add_.Tensor(self=%v, other=1) %a: tensor = aten::neg.default(self=%w)",
            "%a",
        ),
        ("%a: tensor = aten::neg.default(self=%w)", "%a"),
        ("%a: tensor = aten::neg.default(self=%w) %b: tensor = aten::view.default(self=%a, size=[2])", "%b"),
        (
            "%a: tensor = aten::neg.default(self=%w) %b: tensor = aten::add_.Tensor(self=%a, other=%x) %c: tensor = aten::exp.default(self=%b)",
            "%c",
        ),
        (
            "%a: tensor = aten::bernoulli.default(self=%w) %b: tensor = aten::mul.Tensor(self=%x, other=%a)",
            "%b",
        ),
        (
            "%a: tensor = aten::neg.default(self=%w) %b: tensor = aten::mul.Tensor(self=%a, other=%x)",
            "%b, %w",
        ),
        (
            "%n: int = aten::sym_size.int(self=%w, dim=0) %b: tensor = aten::add.Tensor(self=%x, other=%n)",
            "%b",
        ),
    ] {
        let text = format!("graph(%w: tensor, %x: tensor) {{ {lines} return ({returned}) }}");
        parts(&text, None, &text);
    }
}

#[test]
fn what_would_take_much_more_memory_than_its_weights_is_not_kept() {
    let text = |size: i64| {
        format!(
            "graph(%w: tensor<float32 [1024] [1]>, %x: tensor) {{
               %e: tensor<float32 [{size}, 1024] [0, 1]> = aten::expand.default(self=%w, size=[{size}, 1024])
               %c: tensor<float32 [{size}, 1024] [1024, 1]> = aten::clone.default(self=%e)
               %y: tensor = aten::add.Tensor(self=%x, other=%c)
               return (%y)
             }}"
        )
    };
    let kept = passes::split(function(&text(16)));
    assert_eq!((kept.once.unwrap().graph.nodes.len(), kept.call.graph.nodes.len()), (2, 1));
    let computed = passes::split(function(&text(100_000)));
    assert_eq!((computed.once.unwrap().graph.nodes.len(), computed.call.graph.nodes.len()), (1, 2));
}

const VECTOR: &str = "tensor<float32 [8] [1]>";

#[test]
fn arithmetic_on_elements_is_joined() {
    becomes(
        &Traits::CPU,
        &format!(
            "graph(%x: {VECTOR}, %y: {VECTOR}, %z: tensor<float32 [1] [1]>) {{
               %a: {VECTOR} = aten::add.Tensor(self=%x, other=%y)
               %b: {VECTOR} = aten::mul_.Tensor(self=%a, other=2)
               %c: {VECTOR} = aten::sin.default(self=%y)
               %d: {VECTOR} = aten::div.Tensor(self=%c, other=%b)
               %e: {VECTOR} = aten::mul.Tensor(self=%d, other=%z)
               %f: {VECTOR} = aten::sub.Tensor(self=%e, other=%x)
               return (%f)
             }}"
        ),
        &format!(
            "graph(%x: {VECTOR}, %y: {VECTOR}, %z: tensor<float32 [1] [1]>) {{
               %c: {VECTOR} = aten::sin.default(self=%y)
               %d: {VECTOR} = higher_order::pointwise(graph \"pointwise\"(%x: {VECTOR}, %y: {VECTOR}, %c: {VECTOR}) {{
                 %a: {VECTOR} = aten::add.Tensor(self=%x, other=%y)
                 %b: {VECTOR} = aten::mul.Tensor(self=%a, other=2)
                 %d: {VECTOR} = aten::div.Tensor(self=%c, other=%b)
                 return (%d)
               }}, [%x, %y, %c])
               %e: {VECTOR} = aten::mul.Tensor(self=%d, other=%z)
               %f: {VECTOR} = aten::sub.Tensor(self=%e, other=%x)
               return (%f)
             }}"
        ),
    );
}

#[test]
fn arithmetic_that_others_see_is_not_joined() {
    for (lines, returned) in [
        (format!("%a: {VECTOR} = aten::add.Tensor(self=%x, other=1) %b: {VECTOR} = aten::neg.default(self=%a)"), "%a, %b"),
        (format!("%a: {VECTOR} = aten::add_.Tensor(self=%x, other=1) %b: {VECTOR} = aten::neg.default(self=%a)"), "%b"),
        (format!("%a: {VECTOR} = aten::add.Tensor(self=%x, other=1, alpha=2) %b: {VECTOR} = aten::neg.default(self=%a)"), "%b"),
        (format!("%a: {VECTOR} = aten::add.Tensor(self=%x, other=1) %w: tensor = aten::add_.Tensor(self=%x, other=1) %b: {VECTOR} = aten::neg.default(self=%a)"), "%b"),
        (format!("%a: {VECTOR} = aten::add.Tensor(self=%x, other=1) %v: tensor = aten::view.default(self=%a, size=[8]) %b: {VECTOR} = aten::neg.default(self=%a)"), "%b, %v"),
        ("%a: tensor<float64 [8] [1]> = aten::add.Tensor(self=%x, other=1) %b: tensor<float64 [8] [1]> = aten::neg.default(self=%a)".to_string(), "%b"),
    ] {
        stays(&Traits::CPU, &format!("graph(%x: {VECTOR}) {{ {lines} return ({returned}) }}"));
    }
}

#[test]
fn patches_of_float32_are_made_as_they_were_exported() {
    let patches = |dtype: &str, stride: i64| {
        format!(
            "graph(%x: tensor<{dtype} [2, 3, 64, 64] [12288, 4096, 64, 1]>, %w: tensor<{dtype} [64, 3, 16, 16] [768, 256, 16, 1]>, \
               %w_b: tensor<{dtype} [64] [1]>) {{
               %c: tensor<{dtype} [2, 64, 4, 4] [1024, 16, 4, 1]> = aten::conv2d.default(input=%x, weight=%w, bias=%w_b, \
                 stride=[{stride}, {stride}])
               return (%c)
             }}"
        )
    };
    stays(&Traits::CUDNN, &patches("float32", 16));
    for (dtype, stride) in [("bfloat16", 16), ("float32", 15)] {
        let text = optimized(&Traits::CUDNN, &patches(dtype, stride));
        assert!(text.contains("pt2::cudnn_convolution"), "{text}");
    }
}

#[test]
fn depthwise_convolutions_of_three_dimensions_keep_their_layout() {
    let depthwise = |channels: i64| {
        let within = 8 / channels;
        format!(
            "graph(%x: tensor<float32 [2, 8, 4, 8, 8] [2048, 256, 64, 8, 1]>, \
               %w: tensor<float32 [8, {within}, 3, 3, 3] [{}, 27, 9, 3, 1]>) {{
               %c: tensor<float32 [2, 8, 4, 8, 8] [2048, 256, 64, 8, 1]> = aten::conv3d.default(input=%x, weight=%w, \
                 padding=[1, 1, 1], groups={channels})
               return (%c)
             }}",
            27 * within
        )
    };
    stays(&Traits::CUDNN, &depthwise(8));
    let text = optimized(&Traits::CUDNN, &depthwise(1));
    assert!(text.contains("channels_last_weight"), "{text}");
}

#[test]
fn convolutions_with_long_sums_stay_and_read_what_they_did() {
    let two = |channels: i64| {
        let (row, plane) = (9 * channels, 64 * channels);
        format!(
            "graph(%x: tensor<float32 [2, 16, 8, 8] [1024, 64, 8, 1]>, %w: tensor<float32 [{channels}, 16, 3, 3] [144, 9, 3, 1]>, \
               %w_v: tensor<float32 [16, {channels}, 3, 3] [{row}, 9, 3, 1]>) {{
               %a: tensor<float32 [2, {channels}, 8, 8] [{plane}, 64, 8, 1]> = aten::conv2d.default(input=%x, weight=%w, \
                 padding=[1, 1])
               %b: tensor<float32 [2, 16, 8, 8] [1024, 64, 8, 1]> = aten::conv2d.default(input=%a, weight=%w_v, padding=[1, 1])
               return (%b)
             }}"
        )
    };
    for (channels, fused, stay) in [(455, 2, false), (456, 1, true)] {
        let text = optimized(&Traits::ONEDNN, &two(channels));
        assert_eq!(text.matches("mkldnn::_convolution_pointwise").count(), fused, "{text}");
        assert_eq!(text.contains("aten::conv2d") && text.contains("aten::contiguous"), stay, "{text}");
    }
}
