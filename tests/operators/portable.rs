//! Portable forms of operators of one type of device, compared with the CPU's operators.

use crate::call::call;
use crate::random::numbers;
use crate::reference::as_tch;
use pt2::exec::Input;
use pt2::torch::Tensor;

fn values(tensor: &Tensor) -> Vec<f64> {
    Vec::<f64>::try_from(&as_tch(tensor).to_kind(tch::Kind::Double).contiguous().view(-1)).unwrap()
}

/// Runs both bodies on the same random inputs. Each defines `%r0` to `%r{count}`, which are
/// compared.
#[track_caller]
fn same(inputs: &[(&str, &[i64])], count: usize, ours: &str, theirs: &str) {
    let parameters: Vec<String> = inputs.iter().map(|(name, _)| format!("%{name}: tensor")).collect();
    let given = || {
        let each = (0..).zip(inputs).map(|(seed, (_, sizes))| Input::Tensor(numbers(sizes, 7 + seed)));
        each.collect::<Vec<_>>()
    };
    let results: Vec<String> = (0..count).map(|at| format!("%r{at}")).collect();
    let run = |body: &str| {
        let text = format!("graph({}) {{ {body} return ({}) }}", parameters.join(", "), results.join(", "));
        call(&text, &given()).unwrap_or_else(|error| panic!("{error} of {body}"))
    };
    for (at, (mine, reference)) in run(ours).iter().zip(&run(theirs)).enumerate() {
        assert_eq!(mine.view().sizes, reference.view().sizes, "result {at} of {ours}");
        assert_eq!(mine.view().dtype, reference.view().dtype, "result {at} of {ours}");
        for (a, b) in values(mine).iter().zip(&values(reference)) {
            assert!((a - b).abs() <= 2e-5 * b.abs().max(1.0), "result {at} of {ours}: {a} for {b}");
        }
    }
}

const CPU: &str = "_scaled_dot_product_flash_attention_for_cpu";
const QKV: [(&str, &[i64]); 5] = [
    ("q", &[2, 4, 7, 8]),
    ("k", &[2, 4, 5, 8]),
    ("v", &[2, 4, 5, 8]),
    ("m", &[2, 1, 7, 5]),
    ("g", &[2, 4, 7, 8]),
];

/// Every kind of mask, with the factor of the products: options of the CPU's operator.
const OPTIONS: [(&str, &str); 4] =
    [("false", ""), ("true", ""), ("false", ", attn_mask=%m"), ("false", ", attn_mask=%m, scale=0.7")];

fn on_cpu(library: &str, causal: &str, options: &str) -> String {
    format!(
        "%r0: tensor, %r1: tensor = {library}::{CPU}.default(query=%q, key=%k, value=%v, is_causal={causal}{options})
         %r2: tensor, %r3: tensor, %r4: tensor = {library}::{CPU}_backward.default(grad_out=%g, query=%q, key=%k, \
           value=%v, out=%r0, logsumexp=%r1, dropout_p=0.0, is_causal={causal}{options})"
    )
}

#[test]
fn attention_of_the_cpu_forward_and_backward() {
    for (causal, options) in OPTIONS {
        same(&QKV, 5, &on_cpu("pt2_portable", causal, options), &on_cpu("aten", causal, options));
    }
}

#[test]
fn attention_of_cuda_forward_and_backward() {
    let scaled = |options: &str| if options.contains("scale") { ", scale=0.7" } else { "" };
    for (causal, options) in OPTIONS {
        let bias = if options.contains("%m") { "%m" } else { "none" };
        let scale = scaled(options);
        let call = format!("query=%q, key=%k, value=%v, is_causal={causal}{scale}");
        let back = format!("query=%q, key=%k, value=%v, out=%r0, dropout_p=0.0, is_causal={causal}{scale}");
        let grads = "%r2: tensor, %r3: tensor, %r4: tensor";
        let fused = "%r0: tensor, %s: tensor, %a: tensor, %b: tensor, %c: int, %d: int, %e: tensor, %f: tensor, %h: tensor";
        let more = "cum_seq_q=%a, cum_seq_k=%b, max_q=%c, max_k=%d, philox_seed=%e, philox_offset=%f";
        let theirs = on_cpu("aten", causal, options);
        let sums = "%r1: tensor = aten::alias.default(self=%s)";
        let mut all = vec![
            format!(
                "{fused} = pt2_portable::_scaled_dot_product_fused_attention_overrideable.default({call}, attn_bias={bias}) {sums}
                 {grads}, %z: tensor = pt2_portable::_scaled_dot_product_fused_attention_overrideable_backward.default(grad_out=%g, {back}, \
                   attn_bias={bias}, logsumexp=%s, grad_input_mask=[true, true, true, true], {more})"
            ),
            format!(
                "{fused} = pt2_portable::_scaled_dot_product_cudnn_attention.default({call}, attn_bias={bias}, compute_log_sumexp=true)
                 %r1: tensor = aten::squeeze.dim(self=%s, dim=-1)
                 {grads} = pt2_portable::_scaled_dot_product_cudnn_attention_backward.default(grad_out=%g, {back}, \
                   attn_bias={bias}, logsumexp=%s, {more})"
            ),
            format!(
                "%r0: tensor, %s: tensor, %e: tensor, %f: tensor = pt2_portable::_scaled_dot_product_efficient_attention.default({call}, \
                   attn_bias={bias}, compute_log_sumexp=true)
                 %r1: tensor = aten::slice.Tensor(self=%s, dim=2, start=0, end=7)
                 {grads}, %z: tensor = pt2_portable::_scaled_dot_product_efficient_attention_backward.default(grad_out_=%g, {back}, \
                   attn_bias={bias}, logsumexp=%s, philox_seed=%e, philox_offset=%f, grad_input_mask=[true, true, true, false])"
            ),
        ];
        if bias == "none" {
            all.push(format!(
                "{fused} = pt2_portable::_scaled_dot_product_flash_attention.default({call}) {sums}
                 {grads} = pt2_portable::_scaled_dot_product_flash_attention_backward.default(grad_out=%g, {back}, logsumexp=%s, {more})"
            ));
        }
        for ours in all {
            same(&QKV, 5, &ours, &theirs);
        }
    }
}

/// Batches of sequences before their heads; causal from the last key, which here is the first.
#[test]
fn attention_with_the_length_in_front() {
    let rows: [(&str, &[i64]); 4] =
        [("q", &[2, 7, 4, 8]), ("k", &[2, 7, 4, 8]), ("v", &[2, 7, 4, 8]), ("g", &[2, 7, 4, 8])];
    let turned = "%tq: tensor = aten::transpose.int(self=%q, dim0=1, dim1=2) %tk: tensor = aten::transpose.int(self=%k, dim0=1, dim1=2)
        %tv: tensor = aten::transpose.int(self=%v, dim0=1, dim1=2) %tg: tensor = aten::transpose.int(self=%g, dim0=1, dim1=2)";
    let theirs = format!(
        "{turned} %o: tensor, %r1: tensor = aten::{CPU}.default(query=%tq, key=%tk, value=%tv, is_causal=true)
         %x: tensor, %y: tensor, %z: tensor = aten::{CPU}_backward.default(grad_out=%tg, query=%tq, key=%tk, value=%tv, out=%o, \
           logsumexp=%r1, dropout_p=0.0, is_causal=true)
         %r0: tensor = aten::transpose.int(self=%o, dim0=1, dim1=2) %r2: tensor = aten::transpose.int(self=%x, dim0=1, dim1=2)
         %r3: tensor = aten::transpose.int(self=%y, dim0=1, dim1=2) %r4: tensor = aten::transpose.int(self=%z, dim0=1, dim1=2)"
    );
    let flash = "%r0: tensor, %r1: tensor, %e: tensor, %f: tensor, %h: tensor = pt2_portable::_flash_attention_forward.default(query=%q, key=%k, \
          value=%v, cum_seq_q=none, cum_seq_k=none, max_q=7, max_k=7, dropout_p=0.0, is_causal=true, return_debug_mask=false)
        %r2: tensor, %r3: tensor, %r4: tensor = pt2_portable::_flash_attention_backward.default(grad_out=%g, query=%q, key=%k, value=%v, out=%r0, \
          logsumexp=%r1, cum_seq_q=none, cum_seq_k=none, max_q=7, max_k=7, dropout_p=0.0, is_causal=true, rng_state=%e, unused=%f)";
    same(&rows, 5, flash, &theirs);
    let efficient = "%r0: tensor, %s: tensor, %e: tensor, %f: tensor, %c: int, %d: int = pt2_portable::_efficient_attention_forward.default(query=%q, \
          key=%k, value=%v, bias=none, cu_seqlens_q=none, cu_seqlens_k=none, max_seqlen_q=none, max_seqlen_k=none, dropout_p=0.0, \
          custom_mask_type=1, compute_log_sumexp=true)
        %r1: tensor = aten::slice.Tensor(self=%s, dim=2, start=0, end=7)
        %r2: tensor, %r3: tensor, %r4: tensor, %z: tensor = pt2_portable::_efficient_attention_backward.default(grad_out_=%g, query=%q, key=%k, \
          value=%v, bias=none, out=%r0, cu_seqlens_q=none, cu_seqlens_k=none, max_seqlen_q=%c, max_seqlen_k=%d, logsumexp=%s, \
          dropout_p=0.0, philox_seed=%e, philox_offset=%f, custom_mask_type=1, bias_requires_grad=false)";
    same(&rows, 5, efficient, &theirs);
}

/// The dropout's mask is in the place of the random seed. With gradients and values of ones, each
/// row of the kept weights sums to the output, so the backward must have used them.
#[test]
fn a_backward_uses_the_dropout_of_its_forward() {
    let inputs: [(&str, &[i64]); 2] = [("q", &[1, 2, 6, 8]), ("k", &[1, 2, 6, 8])];
    let ours = "%v: tensor = aten::ones_like.default(self=%k)
        %o: tensor, %s: tensor, %a: tensor, %b: tensor, %c: int, %d: int, %e: tensor, %f: tensor, %h: tensor = \
          pt2_portable::_scaled_dot_product_flash_attention.default(query=%q, key=%k, value=%v, dropout_p=0.5)
        %g: tensor = aten::ones_like.default(self=%o)
        %x: tensor, %y: tensor, %z: tensor = pt2_portable::_scaled_dot_product_flash_attention_backward.default(grad_out=%g, query=%q, key=%k, \
          value=%v, out=%o, logsumexp=%s, cum_seq_q=%a, cum_seq_k=%b, max_q=%c, max_k=%d, dropout_p=0.5, is_causal=false, \
          philox_seed=%e, philox_offset=%f)
        %p: tensor = aten::select.int(self=%o, dim=3, index=0) %r0: tensor = aten::sum.dim_IntList(self=%p, dim=[2])
        %w: tensor = aten::select.int(self=%z, dim=3, index=0) %r1: tensor = aten::sum.dim_IntList(self=%w, dim=[2])
        %t: tensor = aten::sub.Tensor(self=%r0, other=%r1)";
    let both = ours.replace("%r1:", "%u:").replace("%r1", "%u").replace("%r0:", "%n:").replace("%r0", "%n");
    let ours = format!("{both} %r0: tensor = aten::alias.default(self=%t)");
    same(
        &inputs,
        1,
        &ours,
        "%s: tensor = aten::sum.dim_IntList(self=%q, dim=[2, 3]) %r0: tensor = aten::mul.Tensor(self=%s, other=0.0)",
    );
}

const IMAGE: [(&str, &[i64]); 3] = [("x", &[2, 4, 7, 7]), ("w", &[4, 4, 3, 3]), ("b", &[4])];

#[test]
fn convolutions_of_one_library() {
    let flags = "benchmark=false, deterministic=false";
    let shape = "padding=[1, 1], stride=[2, 2], dilation=[1, 1], groups=1";
    let neutral = |bias: &str, transposed: bool, output: &str| {
        format!(
            "aten::convolution.default(input=%x, weight=%w, bias={bias}, stride=[2, 2], padding=[1, 1], dilation=[1, 1], \
             transposed={transposed}, output_padding=[{output}], groups=1)"
        )
    };
    let plain = format!("%r0: tensor = {}", neutral("none", false, "0, 0"));
    let biased = format!("%r0: tensor = {}", neutral("%b", false, "0, 0"));
    for (ours, theirs) in [
        (
            format!("cudnn_convolution.default(self=%x, weight=%w, {shape}, {flags}, allow_tf32=false)"),
            &plain,
        ),
        (format!("mkldnn_convolution.default(self=%x, weight=%w, bias=%b, {shape})"), &biased),
        (format!("miopen_convolution.default(self=%x, weight=%w, bias=%b, {shape}, {flags})"), &biased),
        (
            format!("cudnn_convolution_relu.default(self=%x, weight=%w, bias=%b, {shape})"),
            &format!(
                "%c: tensor = {} %r0: tensor = aten::relu.default(self=%c)",
                neutral("%b", false, "0, 0")
            ),
        ),
        (
            format!(
                "cudnn_convolution_add_relu.default(self=%x, weight=%w, z=%b2, alpha=2.0, bias=%b, {shape})"
            ),
            &format!(
                "%c: tensor = {} %s: tensor = aten::add.Tensor(self=%c, other=%b2, alpha=2.0) %r0: tensor = aten::relu.default(self=%s)",
                neutral("%b", false, "0, 0")
            ),
        ),
        (
            format!(
                "cudnn_convolution_transpose.default(self=%x, weight=%w, output_padding=[1, 1], {shape}, {flags}, allow_tf32=false)"
            ),
            &format!("%r0: tensor = {}", neutral("none", true, "1, 1")),
        ),
    ] {
        let sum = "%b2: tensor = aten::view.default(self=%b, size=[1, 4, 1, 1])";
        same(&IMAGE, 1, &format!("{sum} %r0: tensor = pt2_portable::{ours}"), &format!("{sum} {theirs}"));
    }
    same(
        &[("x", &[2, 4, 7, 7]), ("w", &[8, 1, 3, 3]), ("b", &[8])],
        1,
        "%r0: tensor = pt2_portable::_conv_depthwise2d.default(self=%x, weight=%w, kernel_size=[3, 3], bias=%b, stride=[1, 1], padding=[1, 1], dilation=[2, 2])",
        "%r0: tensor = aten::conv2d.default(input=%x, weight=%w, bias=%b, stride=[1, 1], padding=[1, 1], dilation=[2, 2], groups=4)",
    );
    same(
        &[("x", &[2, 4, 5, 5, 5]), ("w", &[3, 4, 2, 2, 2]), ("b", &[3])],
        1,
        "%r0: tensor = pt2_portable::slow_conv3d_forward.default(self=%x, weight=%w, kernel_size=[2, 2, 2], bias=%b, stride=[1, 1, 1], padding=[1, 1, 1])",
        "%r0: tensor = aten::conv3d.default(input=%x, weight=%w, bias=%b, padding=[1, 1, 1])",
    );
}

#[test]
fn batch_norm_of_cudnn_updates_its_statistics() {
    let inputs: [(&str, &[i64]); 5] =
        [("x", &[2, 4, 7, 7]), ("w", &[4]), ("b", &[4]), ("m", &[4]), ("s", &[4])];
    let variance = "%v: tensor = aten::add.Tensor(self=%s, other=2.0)";
    let statistics =
        "%r3: tensor = aten::mul.Tensor(self=%m, other=1) %r4: tensor = aten::mul.Tensor(self=%v, other=1)";
    for training in ["true", "false"] {
        let arguments =
            format!("input=%x, weight=%w, bias=%b, running_mean=%m, running_var=%v, training={training}");
        same(
            &inputs,
            if training == "true" { 5 } else { 1 },
            &format!(
                "{variance} %r0: tensor, %r1: tensor, %r2: tensor, %e: tensor = pt2_portable::cudnn_batch_norm.default({arguments}, \
                 exponential_average_factor=0.3, epsilon=0.001) {statistics}"
            ),
            &format!(
                "{variance} %r0: tensor, %r1: tensor, %r2: tensor = aten::native_batch_norm.default({arguments}, momentum=0.3, eps=0.001) {statistics}"
            ),
        );
    }
    same(
        &inputs,
        3,
        "%o: tensor, %c: tensor, %d: tensor, %e: tensor = pt2_portable::cudnn_batch_norm.default(input=%x, weight=%w, bias=%b, running_mean=none, \
           running_var=none, training=true, exponential_average_factor=0.3, epsilon=0.001)
         %r0: tensor, %r1: tensor, %r2: tensor = pt2_portable::cudnn_batch_norm_backward.default(input=%x, grad_output=%o, weight=%w, running_mean=none, \
           running_var=none, save_mean=%c, save_var=%d, epsilon=0.001, reserveSpace=%e)",
        "%o: tensor, %c: tensor, %d: tensor = aten::native_batch_norm.default(input=%x, weight=%w, bias=%b, running_mean=none, \
           running_var=none, training=true, momentum=0.3, eps=0.001)
         %r0: tensor, %r1: tensor, %r2: tensor = aten::native_batch_norm_backward.default(grad_out=%o, input=%x, weight=%w, running_mean=none, \
           running_var=none, save_mean=%c, save_invstd=%d, train=true, eps=0.001, output_mask=[true, true, true])",
    );
}

#[test]
fn layers_of_recurrent_nets() {
    for (mode, name, gates) in [(0, "rnn_relu", 1), (1, "rnn_tanh", 1), (2, "lstm", 4), (3, "gru", 3)] {
        let rows = gates * 6;
        let inputs: [(&str, &[i64]); 7] = [
            ("x", &[5, 2, 8]),
            ("h", &[1, 2, 6]),
            ("c", &[1, 2, 6]),
            ("w", &[rows, 8]),
            ("u", &[rows, 6]),
            ("b", &[rows]),
            ("d", &[rows]),
        ];
        let (cell, state, results) = match mode {
            2 => ("%c", "[%h, %c]", "%r0: tensor, %r1: tensor, %r2: tensor"),
            _ => ("none", "%h", "%r0: tensor, %r1: tensor"),
        };
        let third = if mode == 2 { "%r2" } else { "%c2" };
        for (weights, biases, stride) in [("[%w, %u, %b, %d]", true, 4), ("[%w, %u]", false, 2)] {
            same(
                &inputs,
                if mode == 2 { 3 } else { 2 },
                &format!(
                    "%f: tensor = pt2_portable::_cudnn_rnn_flatten_weight.default(weight_arr={weights}, weight_stride0={stride}, input_size=8, \
                       mode={mode}, hidden_size=6, proj_size=0, num_layers=1, batch_first=false, bidirectional=false)
                     %r0: tensor, %r1: tensor, {third}: tensor, %y: tensor, %z: tensor = pt2_portable::_cudnn_rnn.default(input=%x, weight={weights}, \
                       weight_stride0={stride}, weight_buf=%f, hx=%h, cx={cell}, mode={mode}, hidden_size=6, proj_size=0, num_layers=1, \
                       batch_first=false, dropout=0.0, train=false, bidirectional=false, batch_sizes=[], dropout_state=none)"
                ),
                &format!(
                    "{results} = aten::{name}.input(input=%x, hx={state}, params={weights}, has_biases={biases}, num_layers=1, \
                     dropout=0.0, train=false, bidirectional=false, batch_first=false)"
                ),
            );
        }
        if mode != 2 {
            continue;
        }
        for reverse in [false, true] {
            let call = |library: &str| {
                format!(
                    "%r0: tensor, %r1: tensor, %r2: tensor, %z: tensor = {library}::mkldnn_rnn_layer.default(input=%x, weight0=%w, weight1=%u, \
                     weight2=%b, weight3=%d, hx_=%h, cx_=%c, reverse={reverse}, batch_sizes=[], mode=2, hidden_size=6, num_layers=1, \
                     has_biases=true, bidirectional=false, batch_first=false, train=false)"
                )
            };
            same(&inputs, 3, &call("pt2_portable"), &call("aten"));
        }
    }
}

#[test]
fn cells_of_recurrent_nets() {
    let inputs: [(&str, &[i64]); 7] = [
        ("x", &[2, 8]),
        ("h", &[2, 6]),
        ("c", &[2, 6]),
        ("w", &[24, 8]),
        ("u", &[24, 6]),
        ("b", &[24]),
        ("d", &[24]),
    ];
    let gates = "%i: tensor = aten::linear.default(input=%x, weight=%w) %j: tensor = aten::linear.default(input=%h, weight=%u)";
    same(
        &inputs,
        2,
        &format!(
            "{gates} %r0: tensor, %r1: tensor, %z: tensor = pt2_portable::_thnn_fused_lstm_cell.default(input_gates=%i, hidden_gates=%j, cx=%c, input_bias=%b, hidden_bias=%d)"
        ),
        "%r0: tensor, %r1: tensor = aten::lstm_cell.default(input=%x, hx=[%h, %c], w_ih=%w, w_hh=%u, b_ih=%b, b_hh=%d)",
    );
    let inputs = inputs.map(|(name, sizes)| match name {
        "w" => (name, &[18, 8][..]),
        "u" => (name, &[18, 6][..]),
        "b" | "d" => (name, &[18][..]),
        _ => (name, sizes),
    });
    same(
        &inputs,
        1,
        &format!(
            "{gates} %r0: tensor, %z: tensor = pt2_portable::_thnn_fused_gru_cell.default(input_gates=%i, hidden_gates=%j, hx=%h, input_bias=%b, hidden_bias=%d)"
        ),
        "%r0: tensor = aten::gru_cell.default(input=%x, hx=%h, w_ih=%w, w_hh=%u, b_ih=%b, b_hh=%d)",
    );
}

/// A small step of each input changes the results by the gradient.
#[test]
fn backwards_of_cells_are_their_gradients() {
    let step = 1e-3;
    let lstm: [(&str, &[i64]); 6] =
        [("i", &[2, 8]), ("j", &[2, 8]), ("c", &[2, 2]), ("s", &[2, 8]), ("t", &[2, 2]), ("g", &[2, 2])];
    let moved = |sign: &str| {
        format!(
            "%i{sign}: tensor = aten::add.Tensor(self=%i, other=%s, alpha={sign}{step}) %c{sign}: tensor = aten::add.Tensor(self=%c, other=%t, alpha={sign}{step})"
        )
        .replace("%i-", "%im")
        .replace("%c-", "%cm")
    };
    let cell = |at: &str| {
        format!(
            "%h{at}: tensor, %n{at}: tensor, %w{at}: tensor = pt2_portable::_thnn_fused_lstm_cell.default(input_gates=%i{at}, hidden_gates=%j, cx=%c{at})"
        )
    };
    let dot = |name: &str, left: &str, right: &str| {
        format!(
            "%{name}_p: tensor = aten::mul.Tensor(self={left}, other={right}) %{name}: tensor = aten::sum.default(self=%{name}_p)"
        )
    };
    let ours = format!(
        "{} {} %dg: tensor, %dc: tensor, %db: tensor = pt2_portable::_thnn_fused_lstm_cell_backward_impl.default(grad_hy=%g, grad_cy=%g, cx=%c, cy=%n, \
           workspace=%w, has_bias=true) {} {} %r0: tensor = aten::add.Tensor(self=%a, other=%b)",
        "",
        cell(""),
        dot("a", "%dg", "%s"),
        dot("b", "%dc", "%t")
    );
    let theirs = format!(
        "{} {} %ip: tensor = aten::add.Tensor(self=%i, other=%s, alpha={step}) %cp: tensor = aten::add.Tensor(self=%c, other=%t, alpha={step}) {}
         %dh: tensor = aten::sub.Tensor(self=%hp, other=%hm) %dn: tensor = aten::sub.Tensor(self=%np, other=%nm) \
         %both: tensor = aten::add.Tensor(self=%dh, other=%dn) {} %r0: tensor = aten::div.Tensor(self=%a, other={})",
        moved("-"), cell("m"), cell("p"), dot("a", "%both", "%g"), 2.0 * step
    );
    close(&lstm, &ours, &theirs);
    let gru: [(&str, &[i64]); 6] =
        [("i", &[2, 6]), ("j", &[2, 6]), ("c", &[2, 2]), ("s", &[2, 6]), ("t", &[2, 2]), ("g", &[2, 2])];
    let cell = |at: &str| {
        format!(
            "%h{at}: tensor, %w{at}: tensor = pt2_portable::_thnn_fused_gru_cell.default(input_gates=%i{at}, hidden_gates=%j{at}, hx=%c{at})"
        )
    };
    let moved = |at: &str, sign: &str| {
        let one = |name: &str, by: &str| {
            format!("%{name}{at}: tensor = aten::add.Tensor(self=%{name}, other=%{by}, alpha={sign}{step}) ")
        };
        one("i", "s") + &one("j", "s") + &one("c", "t")
    };
    let ours = format!(
        "{} %di: tensor, %dj: tensor, %dc: tensor, %x: tensor, %y: tensor = pt2_portable::_thnn_fused_gru_cell_backward.default(grad_hy=%g, workspace=%w, has_bias=true)
         %dij: tensor = aten::add.Tensor(self=%di, other=%dj) {} {} %r0: tensor = aten::add.Tensor(self=%a, other=%b)",
        cell(""), dot("a", "%dij", "%s"), dot("b", "%dc", "%t")
    );
    let theirs = format!(
        "{} {} {} {} %dh: tensor = aten::sub.Tensor(self=%hp, other=%hm) {} %r0: tensor = aten::div.Tensor(self=%a, other={})",
        moved("p", ""),
        moved("m", "-"),
        cell("p"),
        cell("m"),
        dot("a", "%dh", "%g"),
        2.0 * step
    );
    close(&gru, &ours, &theirs);
}

/// Like `same`, for one number, with the accuracy of a float32 difference over a small step.
#[track_caller]
fn close(inputs: &[(&str, &[i64])], ours: &str, theirs: &str) {
    let parameters: Vec<String> = inputs.iter().map(|(name, _)| format!("%{name}: tensor")).collect();
    let run = |body: &str| {
        let given: Vec<Input> =
            (0..).zip(inputs).map(|(seed, (_, sizes))| Input::Tensor(numbers(sizes, 3 + seed))).collect();
        let text = format!("graph({}) {{ {body} return (%r0) }}", parameters.join(", "));
        values(&call(&text, &given).unwrap()[0])[0]
    };
    let (mine, reference) = (run(ours), run(theirs));
    assert!((mine - reference).abs() < 2e-3 * reference.abs().max(1.0), "{mine} for {reference}");
}

#[test]
fn products_with_wider_results() {
    let inputs: [(&str, &[i64]); 3] = [("x", &[3, 4]), ("y", &[4, 5]), ("z", &[3, 5])];
    let halves = "%p: tensor = aten::to.dtype(self=%x, dtype=torch.float16) %q: tensor = aten::to.dtype(self=%y, dtype=torch.float16)
        %o: tensor = aten::to.dtype(self=%z, dtype=torch.float16)";
    let wide = "%a: tensor = aten::to.dtype(self=%p, dtype=torch.float32) %b: tensor = aten::to.dtype(self=%q, dtype=torch.float32)
        %c: tensor = aten::to.dtype(self=%o, dtype=torch.float32)";
    same(
        &inputs,
        1,
        &format!("{halves} %r0: tensor = pt2_portable::mm.dtype(self=%p, mat2=%q, out_dtype=torch.float32)"),
        &format!("{halves} {wide} %r0: tensor = aten::mm.default(self=%a, mat2=%b)"),
    );
    same(
        &inputs,
        1,
        &format!(
            "{halves} %r0: tensor = pt2_portable::addmm.dtype(self=%o, mat1=%p, mat2=%q, out_dtype=torch.float32, alpha=2)"
        ),
        &format!("{halves} {wide} %r0: tensor = aten::addmm.default(self=%c, mat1=%a, mat2=%b, alpha=2)"),
    );
}

#[test]
fn norms_and_softmax_of_mixed_dtypes() {
    let inputs: [(&str, &[i64]); 3] = [("x", &[2, 4, 3]), ("w", &[4]), ("b", &[4])];
    let half = "%h: tensor = aten::to.dtype(self=%x, dtype=torch.bfloat16) %t: tensor = aten::transpose.int(self=%h, dim0=1, dim1=2)";
    let layer = |library: &str| {
        format!(
            "{half} %c: tensor = aten::contiguous.default(self=%t) %r0: tensor, %r1: tensor, %r2: tensor = \
               {library}::native_layer_norm.default(input=%c, normalized_shape=[4], weight=%w, bias=%b, eps=1e-5)"
        )
    };
    same(&inputs, 3, &layer("pt2_portable"), &layer("aten"));
    let group = |library: &str, input: &str| {
        format!(
            "{half} %c: tensor = aten::contiguous.default(self=%h) %r0: tensor, %r1: tensor, %r2: tensor = \
               {library}::native_group_norm.default(input=%{input}, weight=%w, bias=%b, N=2, C=4, HxW=3, group=2, eps=1e-5)"
        )
    };
    same(&inputs, 3, &group("pt2_portable", "h"), &group("aten", "c"));
    let softmax = |name: &str, ours: bool| match ours {
        true => {
            format!("{half} %r0: tensor = pt2_portable::{name}.default(self=%h, dim=1, half_to_float=true)")
        }
        false => format!(
            "{half} %f: tensor = aten::to.dtype(self=%h, dtype=torch.float32) %r0: tensor = aten::{name}.default(self=%f, dim=1, half_to_float=false)"
        ),
    };
    for name in ["_softmax", "_log_softmax"] {
        same(&inputs, 1, &softmax(name, true), &softmax(name, false));
    }
}

/// Python passes None for a tensor that an operator requires and does not read.
#[test]
fn none_is_an_undefined_tensor_if_the_schema_has_no_optional() {
    let text = "graph(%x: tensor) {
        %f: tensor = aten::ones.default(size=[4])
        %a: tensor, %b: tensor, %c: tensor = aten::_batch_norm_impl_index_backward.default(impl_index=0, input=%x, grad_output=%x, weight=none, \
          running_mean=none, running_var=none, save_mean=%f, save_var_transform=%f, train=true, eps=1e-5, output_mask=[true, false, false], \
          reservedSpace=none)
        return (%a) }";
    assert!(call(text, &[Input::Tensor(numbers(&[4, 4], 1))]).is_ok());
}

#[test]
fn different_strides_are_restored() {
    let run = |order: &str, of: &str| {
        let text = format!(
            "graph(%x: tensor) {{ %t: tensor = aten::transpose.int(self=%x, dim0=0, dim1=1) %r: tensor = pt2::restride.default(self=%{of}, order={order}) return (%r, %{of}) }}"
        );
        call(&text, &[Input::Tensor(numbers(&[2, 3, 4], 1))])
    };
    for (order, of, strides) in [
        ("[0, 1, 2]", "x", [12, 4, 1]),
        ("[0, 1, 2]", "t", [8, 4, 1]),
        ("[1, 0, 2]", "t", [4, 12, 1]),
        ("[2, 0, 1]", "x", [3, 1, 6]),
    ] {
        let [restored, given] = &run(order, of).unwrap()[..] else { panic!("two outputs") };
        assert_eq!(restored.view().strides, strides, "{order} of {of}");
        assert_eq!(values(restored), values(given));
    }
    for wrong in ["[0, 1]", "[0, 1, 1]", "[0, 1, 3]", "[-1, 0, 1]"] {
        assert!(run(wrong, "x").is_err(), "{wrong}");
    }
}
