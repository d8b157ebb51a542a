//! Arguments that would make libtorch's kernels access memory outside of tensors: errors that name
//! the node. `tests/sweep` found that each of these calls crashes libtorch.

use pt2::exec::{self, Input};
use pt2::graph::{self, Function, InputBinding, OutputBinding};
use pt2::plan::{self, Plan};
use pt2::torch::{Device, Scope, Tensor};
use pt2::{Error, Result};

/// Returns tensors by their sizes: `%f2x3` holds floats, `%i3_7` three ints of 7.
fn tensors(call: &str) -> String {
    let mut names: Vec<&str> = call.split('%').skip(1).map(name).collect();
    names.sort_unstable();
    names.dedup();
    names.iter().map(|name| tensor(name)).collect()
}

fn name(text: &str) -> &str {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_').next().unwrap()
}

fn tensor(name: &str) -> String {
    let (kind, rest) = name.split_at(1);
    let (sizes, value) = rest.split_once('_').unwrap_or((rest, "1"));
    let value = value.strip_prefix('m').map_or(value.to_string(), |magnitude| format!("-{magnitude}"));
    let dtype = match kind {
        "f" => "torch.float32",
        "c" => "torch.complex64",
        "p" => "torch.int32",
        _ => "torch.int64",
    };
    let sizes = if sizes == "s" { String::new() } else { sizes.replace('x', ", ") };
    format!("%{name}: tensor = aten::full.default(size=[{sizes}], fill_value={value}, dtype={dtype})\n")
}

fn bind(call: &str) -> Result<Plan> {
    let outputs = match call {
        _ if call.starts_with("aten::mkldnn_rnn_layer") => 4,
        _ if call.starts_with("aten::_embedding_bag") => 4,
        _ if call.contains("batch_norm")
            || call.contains("layer_norm_backward")
            || call.contains("lu_unpack") =>
        {
            3
        }
        _ if call.starts_with("aten::gru") => 2,
        _ if call.contains("weight_norm_interface") || call.contains("flash_attention_for_cpu.") => 2,
        _ if call.contains("cpu_backward") => 3,
        _ => 1,
    };
    let results: Vec<String> = (0..outputs).map(|index| format!("%r{index}: tensor")).collect();
    let text =
        format!("graph(%x: tensor) {{ {} {} = {call}\n return (%r0) }}", tensors(call), results.join(", "));
    let graph = graph::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let function = Function { graph, inputs: vec![InputBinding::User], outputs: vec![OutputBinding::User] };
    plan::build(&function, Device::Cpu)
}

fn call(text: &str) -> Result<()> {
    let plan = bind(text)?;
    let scope = Scope::enter(Device::Cpu, std::ptr::null_mut()).unwrap();
    exec::run(
        &plan,
        &scope,
        &mut exec::frame(&plan, &[]).unwrap(),
        &[Input::Tensor(Tensor::from_int(1).unwrap())],
    )
    .map(drop)
}

/// Valid call, its changed argument, and words of the error.
const LIES: [(&str, &str, &str, &str); 40] = [
    (BATCH_NORM, "running_var=%f2", "running_var=%f1", "a vector of channels has 1 elements"),
    (BATCH_NORM, "weight=%f2", "weight=%f0", "a vector of channels has 0 elements"),
    (BATCH_NORM, "running_mean=%f2", "running_mean=none", "one of the statistics is missing"),
    (LEGIT, "running_mean=%f2", "running_mean=%f1", "a vector of channels"),
    (NO_STATISTICS, "training=true", "training=false", "the statistics are missing"),
    (BATCH_NORM_BACKWARD, "save_mean=%f2", "save_mean=%f0", "a vector of channels"),
    (BATCH_NORM_BACKWARD, "grad_out=%f3x2x4", "grad_out=%f3x2x3", "different sizes"),
    (LAYER_NORM_BACKWARD, "mean=%f2x1", "mean=%f0", "a vector of rows"),
    (LAYER_NORM_BACKWARD, "grad_out=%f2x3", "grad_out=%f2x2", "different sizes"),
    (WEIGHT_NORM, "g=%f4x1", "g=%f1x1", "`g` has 1 elements"),
    (WEIGHT_NORM, "v=%f4x3", "v=%f4x0", "no elements"),
    (EMBEDDING_BAG, "mode=0", "mode=-2147483648", "no mode"),
    (EMBEDDING_BAG, "indices=%i6_4", "indices=%i6_5", "outside of 0 to 4"),
    (EMBEDDING_BAG, "offsets=%i3_0", "offsets=%i3_1000000", "`offsets` has elements"),
    (EMBEDDING_BACKWARD, "indices=%i5_2", "indices=%i5_9", "outside of 0 to 8"),
    (EMBEDDING_BACKWARD, "indices=%i5_2", "indices=%i5_m1", "outside of 0 to 8"),
    (MAX_BACKWARD, "indices=%i1x2x2x3_7", "indices=%i1x2x2x3_m1000000", "`indices` has elements"),
    (MAX_BACKWARD, "indices=%i1x2x2x3_7", "indices=%i1x2x1x3_7", "different sizes"),
    (AVERAGE_BACKWARD, "grad_output=%f1x8x2x2", "grad_output=%f8x1x2x2", "different sizes"),
    (AVERAGE_BACKWARD, "grad_output=%f1x8x2x2", "grad_output=%f1x8x0x2", "a plane is empty"),
    (AVERAGE_BACKWARD, "self=%f1x8x8x8", "self=%f1x8x8x0", "a plane is empty"),
    (SOFTMAX_BACKWARD, "grad_output=%f4x5", "grad_output=%f4x0", "different sizes"),
    (NLL_BACKWARD, "target=%i2_1", "target=%i2_m65", "`target` has elements"),
    (NLL_BACKWARD, "total_weight=%fs", "total_weight=%f0", "`total_weight` has 0 elements"),
    (FLASH, "key=%f2x2x3x4", "key=%f2x1x3x4", "1 and 2 heads"),
    (FLASH, "query=%f2x2x3x4", "query=%f2x3x3x4", "different sizes"),
    (FLASH, "query=%f2x2x3x4", "query=%f2x2x0x4", "a tensor is empty"),
    (FLASH_BACKWARD, "logsumexp=%f2x2x3", "logsumexp=%f2x2x1", "sums of sizes"),
    (GROUPED, "key=%f1x2x3x4", "key=%f1x0x3x4", "no heads"),
    (FOURIER, "dim=[1]", "dim=[1000000]", "no dimension 1000000"),
    (FOURIER, "normalization=0", "normalization=2147483648", "no normalization"),
    (TO_REAL, "last_dim_size=4", "last_dim_size=1000000", "takes more than the 3 elements"),
    (RECURRENT, "weight1=%f12x3", "weight1=%f12x0", "a weight of sizes"),
    (RECURRENT, "hx_=%f1x3", "hx_=%f1x2", "a state has 2 elements"),
    (LAYERS, "num_layers=1", "num_layers=-65", "-65 layers"),
    (LAYERS, "params=[%f9x2, %f9x3]", "params=[]", "0 parameters for 1 cells"),
    (RESIZE, "scales_h=1.5", "scales_h=0.001", "a scale of"),
    (MULTIPLE, "self=%i2_6", "self=%i2_m9223372036854775808", "the least int"),
    (SEGMENTS, "unsafe=false", "unsafe=true", "`unsafe`"),
    (UNPACK, "LU_pivots=%p5_1", "LU_pivots=%p0_1", "pivots of sizes"),
];

const BATCH_NORM: &str = "aten::native_batch_norm.default(input=%f3x2x4, weight=%f2, bias=%f2, running_mean=%f2, running_var=%f2, training=false, momentum=0.5, eps=0.5)";
const LEGIT: &str = "aten::_native_batch_norm_legit.default(input=%f3x2x4, weight=%f2, bias=%f2, running_mean=%f2, running_var=%f2, training=true, momentum=0.5, eps=0.5)";
const NO_STATISTICS: &str = "aten::_native_batch_norm_legit.no_stats(input=%f3x2x4, weight=%f2, bias=%f2, training=true, momentum=0.5, eps=0.5)";
const BATCH_NORM_BACKWARD: &str = "aten::native_batch_norm_backward.default(grad_out=%f3x2x4, input=%f3x2x4, weight=%f2, running_mean=%f2, running_var=%f2, save_mean=%f2, save_invstd=%f2, train=true, eps=0.5, output_mask=[true, true, true])";
const LAYER_NORM_BACKWARD: &str = "aten::native_layer_norm_backward.default(grad_out=%f2x3, input=%f2x3, normalized_shape=[3], mean=%f2x1, rstd=%f2x1, weight=%f3, bias=%f3, output_mask=[true, true, true])";
const WEIGHT_NORM: &str = "aten::_weight_norm_interface.default(v=%f4x3, g=%f4x1, dim=0)";
const EMBEDDING_BAG: &str = "aten::_embedding_bag.default(weight=%f5x5, indices=%i6_4, offsets=%i3_0, scale_grad_by_freq=false, mode=0, sparse=false, per_sample_weights=none, include_last_offset=false, padding_idx=-1)";
const EMBEDDING_BACKWARD: &str = "aten::embedding_dense_backward.default(grad_output=%f5x5, indices=%i5_2, num_weights=9, padding_idx=-1, scale_grad_by_freq=false)";
const MAX_BACKWARD: &str = "aten::max_pool2d_with_indices_backward.default(grad_output=%f1x2x2x3, self=%f1x2x3x6, kernel_size=[3, 3], stride=[2, 2], padding=[1, 1], dilation=[1, 2], ceil_mode=true, indices=%i1x2x2x3_7)";
const AVERAGE_BACKWARD: &str =
    "aten::_adaptive_avg_pool2d_backward.default(grad_output=%f1x8x2x2, self=%f1x8x8x8)";
const SOFTMAX_BACKWARD: &str = "aten::_log_softmax_backward_data.default(grad_output=%f4x5, output=%f4x5, dim=1, input_dtype=torch.float32)";
const NLL_BACKWARD: &str = "aten::nll_loss_backward.default(grad_output=%f2, self=%f2x3, target=%i2_1, weight=%f3, reduction=0, ignore_index=-100, total_weight=%fs)";
const FLASH: &str = "aten::_scaled_dot_product_flash_attention_for_cpu.default(query=%f2x2x3x4, key=%f2x2x3x4, value=%f2x2x3x4, dropout_p=0.0, is_causal=false)";
const GROUPED: &str = "aten::scaled_dot_product_attention.default(query=%f1x2x3x4, key=%f1x2x3x4, value=%f1x2x3x4, enable_gqa=true)";
const FLASH_BACKWARD: &str = "aten::_scaled_dot_product_flash_attention_for_cpu_backward.default(grad_out=%f2x2x3x4, query=%f2x2x3x4, key=%f2x2x3x4, value=%f2x2x3x4, out=%f2x2x3x4, logsumexp=%f2x2x3, dropout_p=0.0, is_causal=false)";
const FOURIER: &str = "aten::_fft_r2c.default(self=%f2x4, dim=[1], normalization=0, onesided=true)";
const TO_REAL: &str = "aten::_fft_c2r.default(self=%c2x3, dim=[1], normalization=0, last_dim_size=4)";
const RECURRENT: &str = "aten::mkldnn_rnn_layer.default(input=%f2x1x2, weight0=%f12x2, weight1=%f12x3, weight2=%f12, weight3=%f12, hx_=%f1x3, cx_=%f1x3, reverse=false, batch_sizes=[], mode=2, hidden_size=3, num_layers=1, has_biases=true, bidirectional=false, batch_first=false, train=false)";
const LAYERS: &str = "aten::gru.input(input=%f2x1x2, hx=%f1x1x3, params=[%f9x2, %f9x3], has_biases=false, num_layers=1, dropout=0.0, train=false, bidirectional=false, batch_first=false)";
const RESIZE: &str = "aten::_upsample_bilinear2d_aa.default(self=%f1x2x6x6, output_size=[9, 9], align_corners=false, scales_h=1.5, scales_w=1.5)";
const MULTIPLE: &str = "aten::lcm.default(self=%i2_6, other=%i2_5)";
const SEGMENTS: &str =
    "aten::segment_reduce.default(data=%f4, reduce=\"mean\", lengths=%i2_2, axis=0, unsafe=false)";
const UNPACK: &str = "aten::lu_unpack.default(LU_data=%f7x5, LU_pivots=%p5_1)";

/// Returns a description of a missing or wrong error for a changed argument.
fn unanswered(honest: &str, told: &str, lie: &str, reason: &str) -> Option<String> {
    assert!(honest.contains(told), "{honest} has no {told}");
    if let Err(error) = call(honest) {
        return Some(format!("{honest}: {error}"));
    }
    match call(&honest.replacen(told, lie, 1)) {
        Ok(()) => Some(format!("{lie} is accepted by {honest}")),
        Err(Error::Operator { node, reason: said, .. }) if node == "r0" && said.contains(reason) => None,
        Err(error) => Some(format!("{lie}: {error}")),
    }
}

#[test]
fn one_wrong_argument_in_a_valid_call_is_an_error() {
    let found = LIES.iter().filter_map(|(honest, told, lie, reason)| unanswered(honest, told, lie, reason));
    assert_eq!(found.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn numbers_and_lists_that_do_not_fit_the_schema_are_refused_at_load() {
    for (honest, lie) in [
        ("aten::prod.default(self=%f5, dtype=torch.float64)", "aten::prod.default(self=%f5, dtype=-65)"),
        ("aten::randn_like.default(self=%f5, dtype=6)", "aten::randn_like.default(self=%f5, dtype=1000000)"),
        ("aten::empty_like.default(self=%f5)", "aten::empty_like.default(self=%f5, dtype=%f5)"),
        ("aten::empty_like.default(self=%f5, layout=0)", "aten::empty_like.default(self=%f5, layout=99)"),
        (
            "aten::reflection_pad3d.default(self=%f2x2x2x2, padding=[1, 1, 1, 1, 1, 1])",
            "aten::reflection_pad3d.default(self=%f2x2x2x2, padding=[])",
        ),
        (
            "aten::max_pool2d.default(self=%f2x2x2, kernel_size=[2, 2])",
            "aten::max_pool2d.default(self=%f2x2x2, kernel_size=[2, 2, 2])",
        ),
        ("aten::clone.default(self=%f5, memory_format=0)", "aten::clone.default(self=%f5, memory_format=-1)"),
    ] {
        call(honest).unwrap_or_else(|error| panic!("{honest}: {error}"));
        let error = call(lie).unwrap_err();
        assert!(matches!(&error, Error::Program { at, .. } if at.contains("`r0`")), "{lie}: {error}");
    }
}
