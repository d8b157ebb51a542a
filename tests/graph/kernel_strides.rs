//! Views of results with strides that a kernel chose, and copies between devices of the exporter.

use super::passes::becomes;

/// Heads inside of rows: the strides of the CPU's attention.
const ATTENDED: &str = "tensor<float32 [2, 4, 7, 8] [224, 8, 32, 1]>";
const ROWS: &str = "tensor<float32 [2, 7, 4, 8] [224, 32, 8, 1]>";
const FLAT: &str = "tensor<float32 [2, 7, 32] [224, 32, 1]>";
const ATTENTION: &str = "aten::scaled_dot_product_attention.default(query=%q, key=%q, value=%q)";

#[test]
fn a_view_of_a_kernel_result_copies_if_strides_differ() {
    becomes(
        &format!(
            "graph(%q: tensor) {{
               %a: {ATTENDED} = {ATTENTION}
               %t: {ROWS} = aten::transpose.int(self=%a, dim0=1, dim1=2)
               %v: {FLAT} = aten::view.default(self=%t, size=[2, 7, 32])
               %u: {FLAT} = aten::_unsafe_view.default(self=%t, size=[2, 7, 32])
               return (%v, %u)
             }}"
        ),
        &format!(
            "graph(%q: tensor) {{
               %a: {ATTENDED} = {ATTENTION}
               %t: {ROWS} = aten::transpose.int(self=%a, dim0=1, dim1=2)
               %v: {FLAT} = aten::reshape.default(self=%t, shape=[2, 7, 32])
               %u: {FLAT} = aten::reshape.default(self=%t, shape=[2, 7, 32])
               return (%v, %u)
             }}"
        ),
    );
}

#[test]
fn views_of_inputs_and_of_products_are_unchanged() {
    let text = "graph(%x: tensor, %w: tensor) {
           %v: tensor = aten::view.default(self=%x, size=[2, 32])
           %l: tensor = aten::linear.default(input=%v, weight=%w)
           %r: tensor = aten::relu.default(self=%l)
           %u: tensor = aten::view.default(self=%r, size=[64])
           %t: tensor = aten::transpose.int(self=%l, dim0=0, dim1=1)
           %s: tensor = aten::view.default(self=%t, size=[64])
           return (%u, %s)
         }";
    becomes(text, text);
}

/// The first result of every call has its own name in front of the one that follows it.
#[test]
fn tensors_written_through_a_view_are_created_with_the_recorded_strides() {
    for (call, then) in [
        ("aten::view.default(self=%t, size=[2, 7, 32])", "%w: tensor = aten::add_.Tensor(self=%v, other=1)"),
        ("aten::view.default(self=%t, size=[2, 7, 32])", "%w: tensor = aten::add_.Tensor(self=%a, other=1)"),
        (
            "aten::as_strided.default(self=%t, size=[2, 7, 32], stride=[224, 32, 1])",
            "%w: tensor = aten::neg.default(self=%v)",
        ),
        (
            "aten::_reshape_alias.default(self=%t, size=[2, 7, 32], stride=[224, 32, 1])",
            "%w: tensor = aten::neg.default(self=%v)",
        ),
    ] {
        let text = |attended: &str, restrided: &str| {
            format!(
                "graph(%q: tensor) {{
                   %{attended}: {ATTENDED} = {ATTENTION} as \"a\"
                   {restrided}
                   %t: {ROWS} = aten::transpose.int(self=%a, dim0=1, dim1=2)
                   %v: {FLAT} = {call}
                   {then}
                   return (%a, %v, %w)
                 }}"
            )
        };
        let restrided = format!(
            "%a: {ATTENDED} = pt2::restride.default(self=%a_1, order=[0, 2, 1, 3]) as \"a (restride)\""
        );
        becomes(&text("a", ""), &text("a_1", &restrided));
    }
}

#[test]
fn views_by_dtype_get_a_dense_innermost_dimension() {
    let text = |between: &str, value: &str| {
        format!(
            "graph(%q: tensor) {{
               %a: {ATTENDED} = {ATTENTION}
               {between}
               %v: tensor = aten::view.dtype(self=%{value}, dtype=torch.int16)
               return (%v)
             }}"
        )
    };
    let between =
        format!("%a_1: {ATTENDED} = pt2::restride.default(self=%a, order=[0, 2, 1, 3]) as \"v (restride)\"");
    becomes(&text("", "a"), &text(&between, "a_1"));
}

#[test]
fn views_in_subgraphs_are_followed_and_their_outputs_are_not() {
    let text = |view: &str| {
        format!(
            "graph(%p: tensor, %x: tensor) {{
               %y: tensor = higher_order::cond(%p, graph \"t\"(%x: tensor) {{
                 %v: tensor = {view}
                 %o: tensor = aten::neg.default(self=%v)
                 return (%o)
               }}, graph \"f\"(%x: tensor) {{
                 %v: tensor = aten::view.default(self=%x, size=[4])
                 return (%v)
               }}, [%x])
               return (%y)
             }}"
        )
    };
    becomes(
        &text("aten::view.default(self=%x, size=[4])"),
        &text("aten::reshape.default(self=%x, shape=[4])"),
    );
}

/// The exporter's record of a 3-d convolution of a channels-last volume is not its kernel's. Another
/// device's kernels never had it.
#[test]
fn strides_that_no_kernel_gave_are_restored_on_other_devices_only() {
    let volume =
        |sizes: &str, strides: &str, device: &str| format!("tensor<float32 {sizes} {strides}{device}>");
    let text = |device: &str, result: &str, between: &str| {
        let input = volume("[2, 3, 4, 4, 4]", "[192, 1, 48, 12, 3]", device);
        let dense = volume("[2, 3, 4, 4, 4]", "[192, 64, 16, 4, 1]", device);
        let flat = volume("[2, 192]", "[192, 1]", device);
        format!(
            "graph(%x: {input}, %w: tensor) {{
               %{result}: {dense} = aten::conv3d.default(input=%x, weight=%w) as \"a\"
               {between}
               %v: {flat} = aten::flatten.using_ints(self=%a, start_dim=1)
               %s: {flat} = aten::silu_.default(self=%v)
               return (%s)
             }}"
        )
    };
    becomes(&text("", "a", ""), &text("", "a", ""));
    let cuda = " device(\"cuda\")";
    let dense = volume("[2, 3, 4, 4, 4]", "[192, 64, 16, 4, 1]", cuda);
    let restrided =
        format!("%a: {dense} = pt2::restride.default(self=%a_1, order=[0, 1, 2, 3, 4]) as \"a (restride)\"");
    becomes(&text(cuda, "a", ""), &text(cuda, "a_1", &restrided));
}

/// Without a known owner or a dense record, no order can be restored.
#[test]
fn views_that_no_copy_may_replace_are_kept() {
    for (kind, call) in [
        (ATTENDED, "aten::unknown.default(self=%q)"),
        ("tensor<float32 [2, 4, 7, 8] [0, 0, 0, 0]>", ATTENTION),
        ("tensor", ATTENTION),
    ] {
        let text = format!(
            "graph(%q: tensor) {{
               %a: {kind} = {call}
               %v: tensor = aten::view.default(self=%a, size=[448])
               %w: tensor = aten::add_.Tensor(self=%v, other=1)
               return (%a)
             }}"
        );
        becomes(&text, &text);
    }
}

#[test]
fn a_copy_to_another_device_is_kept_if_aliasing_is_observable() {
    let here = "tensor<float32 [4] [1]>";
    let there = "tensor<float32 [4] [1] device(\"cuda\", 0)>";
    let text = |kind: &str, copy: &str, then: &str, output: &str| {
        format!(
            "graph(%x: {here}) {{
               %n: {here} = aten::neg.default(self=%x)
               %t: {kind} = aten::to.device(self=%n, device=device(\"cuda\", 0), dtype=torch.float32{copy})
               {then}
               return (%{output})
             }}"
        )
    };
    let written =
        "%w: tensor = aten::add_.Tensor(self=%t, other=1) %z: tensor = aten::mul.Tensor(self=%n, other=%w)";
    let read = "%z: tensor = aten::mul.Tensor(self=%n, other=%t)";
    becomes(&text(there, "", written, "z"), &text(there, ", copy=true", written, "z"));
    becomes(&text(there, "", read, "t"), &text(there, ", copy=true", read, "t"));
    becomes(&text(there, "", read, "z"), &text(there, "", read, "z"));
    becomes(&text(here, "", written, "z"), &text(here, "", written, "z"));
}
