use super::*;
use crate::graph::{InputBinding, OutputBinding, parse};

/// Lowers for a CUDA device that has a kernel for every operator but `without`. The test needs no
/// such device.
fn lowered(text: &str, without: &[&str]) -> Result<String> {
    let missing: Vec<Operator> = without
        .iter()
        .map(|name| {
            let (name, overload) = name.split_once('.').unwrap_or((name, "default"));
            Operator::find("aten", name, overload).unwrap()
        })
        .collect();
    let names = |operator: &Operator| operator.arguments().map(String::from).collect::<Vec<_>>();
    let gone: Vec<Vec<String>> = missing.iter().map(names).collect();
    let graph = parse(text).unwrap();
    let inputs = vec![InputBinding::User; graph.inputs.len()];
    let outputs = vec![OutputBinding::User; graph.outputs.len()];
    let mut function = Function { graph, inputs, outputs };
    lower_with(&mut function, Device::Cuda(0), &|operator| !gone.contains(&names(operator)))?;
    Ok(function.graph.to_string())
}

#[track_caller]
fn becomes(before: &str, without: &[&str], after: &str) {
    assert_eq!(lowered(before, without).unwrap(), parse(after).unwrap().to_string());
}

const CPU: &str = "_scaled_dot_product_flash_attention_for_cpu";

#[test]
fn attention_of_the_cpu_is_that_of_any_device_where_only_its_output_is_used() {
    let text = |call: &str, sums: &str| {
        format!(
            "graph(%q: tensor<float32 [2, 4, 7, 8] [224, 56, 8, 1]>, %k: tensor<float32 [2, 2, 7, 8] [112, 56, 8, 1]>, %m: tensor) {{
               %a: tensor{sums} = {call}
               %n: tensor = aten::neg.default(self=%a)
               return (%n)
             }}"
        )
    };
    let fused = format!("aten::{CPU}.default(query=%q, key=%k, value=%k, attn_mask=%m, scale=0.5) as \"a\"");
    let neutral = "aten::scaled_dot_product_attention.default(query=%q, key=%k, value=%k, attn_mask=%m, scale=0.5, enable_gqa=true) as \"a\"";
    becomes(&text(&fused, ", %s: tensor"), &[CPU], &text(neutral, ""));
    // The device has a kernel for this operator, so it is unchanged.
    becomes(&text(&fused, ", %s: tensor"), &[], &text(&fused, ", %s: tensor"));
}

#[test]
fn attention_whose_sums_are_used_keeps_its_places() {
    let text = |library: &str| {
        format!(
            "graph(%q: tensor, %g: tensor) {{
               %a: tensor, %s: tensor = {library}::{CPU}.default(query=%q, key=%q, value=%q) as \"a\"
               %x: tensor, %y: tensor, %z: tensor = {library}::{CPU}_backward.default(grad_out=%g, query=%q, key=%q, value=%q, out=%a, logsumexp=%s, dropout_p=0.0, is_causal=false) as \"b\"
               return (%x, %y, %z)
             }}"
        )
    };
    becomes(&text("aten"), &[CPU, &format!("{CPU}_backward")], &text("pt2_portable"));
}

#[test]
fn operators_without_a_kernel_are_all_named() {
    let error = lowered(
        "graph(%x: tensor) {
           %h: tensor, %e: tensor = aten::histogram.bin_ct(self=%x, bins=4)
           %y: tensor = higher_order::cond(%x, graph \"t\"(%x: tensor) {
             %s: tensor = aten::_spdiags.default(diagonals=%x, offsets=%x, shape=[2])
             return (%s) }, graph \"f\"(%x: tensor) { return (%x) }, [%x])
           return (%h, %y)
         }",
        &["histogram.bin_ct", "_spdiags"],
    )
    .unwrap_err()
    .to_string();
    for part in ["cuda:0", "node `h` (aten::histogram.bin_ct)", "node `s` (aten::_spdiags.default)"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn products_of_integers_are_refused_where_there_is_no_kernel_for_them() {
    let text = |dtype: &str, size: i64| {
        format!(
            "graph(%x: tensor<{dtype} [{size}, 4] [4, 1]>, %y: tensor<{dtype} [4, 4] [4, 1]>) {{
               %z: tensor = aten::mm.default(self=%x, mat2=%y)
               return (%z)
             }}"
        )
    };
    let error = lowered(&text("int64", 3), &[]).unwrap_err().to_string();
    assert!(error.contains("node `z` (aten::mm.default of integers)"), "{error}");
    for (dtype, size) in [("float32", 3), ("int64", 0)] {
        becomes(&text(dtype, size), &[], &text(dtype, size));
    }
}

#[test]
fn what_the_kernels_of_cuda_do_not_take_is_portable() {
    let text = |library: &str, device: &str, weight: &str| {
        format!(
            "graph(%x: tensor<float16 [2, 4] [4, 1] device(\"{device}\")>, %i: tensor<int8 [3, 4] [4, 1] device(\"{device}\")>, %w: tensor<{weight} [4] [1]>) {{
               %a: tensor = {library}::_int_mm.default(self=%i, mat2=%i)
               %b: tensor, %c: tensor, %d: tensor = {library}::native_group_norm.default(input=%x, weight=none, bias=none, N=2, C=4, HxW=1, group=2, eps=1e-5) as \"b\"
               %e: tensor, %f: tensor, %g: tensor = {library}::native_layer_norm.default(input=%x, normalized_shape=[4], weight=%w, bias=none, eps=1e-5) as \"e\"
               return (%a, %b, %e)
             }}"
        )
    };
    becomes(&text("aten", "cpu", "float32"), &[], &text("pt2_portable", "cpu", "float32"));
    let exported_there = text("aten", "cuda", "float32");
    becomes(&exported_there, &[], &exported_there);
    let same = lowered(&text("aten", "cpu", "float16"), &[]).unwrap();
    assert!(same.contains("aten::native_layer_norm"), "{same}");
}

/// Uses the CPU's real kernels, which every process has.
#[test]
fn what_the_kernels_of_the_cpu_do_not_take_is_portable() {
    let text = |library: &str, dtype: &str, fused: bool| {
        format!(
            "graph(%x: tensor<float16 [2, 4] [4, 1]>, %g: tensor<{dtype} [2, 4] [4, 1]>) {{
               %a: tensor = {library}::_softmax.default(self=%x, dim=1, half_to_float={fused})
               %b: tensor = {library}::_log_softmax_backward_data.default(grad_output=%g, output=%a, dim=1, input_dtype=torch.float16)
               return (%b)
             }}"
        )
    };
    for (dtype, fused, library) in [("float32", true, "pt2_portable"), ("float16", false, "aten")] {
        let graph = parse(&text("aten", dtype, fused)).unwrap();
        let (inputs, outputs) = (vec![InputBinding::User; 2], vec![OutputBinding::User]);
        let mut function = Function { graph, inputs, outputs };
        lower_for_device(&mut function, Device::Cpu).unwrap();
        let wanted = parse(&text(library, dtype, fused)).unwrap();
        assert_eq!(function.graph.to_string(), wanted.to_string());
    }
}

/// Portable forms have the same arguments as the operators that they replace.
#[test]
fn portable_forms_have_the_arguments_of_what_they_stand_for() {
    for name in crate::passes::PORTABLE.iter().chain(&["cudnn_batch_norm", "miopen_batch_norm"]) {
        let overload = |library| {
            let found =
                ["default", "dtype", "Tensor"].map(|overload| Operator::find(library, name, overload));
            found.into_iter().flatten().next().unwrap()
        };
        let names = |operator: &Operator| operator.arguments().map(String::from).collect::<Vec<_>>();
        let with_dtype = Operator::find(PORTABLE, name, "dtype").is_some();
        let original =
            if with_dtype { Operator::find("aten", name, "dtype").unwrap() } else { overload("aten") };
        assert_eq!(names(&overload(PORTABLE)), names(&original), "{name}");
    }
}

#[test]
fn memory_is_not_pinned() {
    becomes(
        "graph(%x: tensor) {
           %p: tensor = aten::pin_memory.default(self=%x)
           %z: tensor = aten::zeros.default(size=[2], pin_memory=true)
           return (%p, %z)
         }",
        &[],
        "graph(%x: tensor) {
           %p: tensor = aten::clone.default(self=%x)
           %z: tensor = aten::zeros.default(size=[2], pin_memory=false)
           return (%p, %z)
         }",
    );
}

#[test]
fn casts_of_another_device_are_those_that_the_exporter_recorded() {
    let text = |enabled: &str, dtype: &str, casts: [&str; 3], operands: [&str; 4]| {
        let [first, second, third] = casts;
        let [x, w, l, y] = operands;
        format!(
            "graph(%x: tensor<float32 [2, 2] [2, 1]>) {{
               %o: tensor = higher_order::wrap_with_autocast(\"cpu\", torch.float16, {enabled}, none, graph \"g\"(%x: tensor<float32 [2, 2] [2, 1]>, %w: tensor<float32 [2, 2] [2, 1]>) {{
                 {first} {second}
                 %l: tensor<float16 [2, 2] [2, 1]> = aten::linear.default(input=%{x}, weight=%{w})
                 %r: tensor<float16 [2, 2] [2, 1]> = aten::relu.default(self=%l)
                 %s: tensor<{dtype} [2, 2] [2, 1]> = aten::softmax.int(self=%l, dim=0)
                 {third}
                 %c: tensor<float32 [4, 2] [2, 1]> = aten::cat.default(tensors=[%{l}, %{y}])
                 return (%r)
               }}, %x, %x)
               return (%o)
             }}"
        )
    };
    let cast = |name: &str, of: &str, dtype: &str| {
        format!(
            "%{name}: tensor<{dtype} [2, 2] [2, 1]> = aten::to.dtype(self=%{of}, dtype=torch.{dtype}) as \"cast\""
        )
    };
    becomes(
        &text("true", "float16", ["", "", ""], ["x", "w", "l", "x"]),
        &[],
        &text(
            "false",
            "float16",
            [&cast("cast", "x", "float16"), &cast("cast_1", "w", "float16"), &cast("cast_2", "l", "float32")],
            ["cast", "cast_1", "cast_2", "x"],
        ),
    );
    let off = text("false", "float16", ["", "", ""], ["x", "w", "l", "x"]);
    becomes(&off, &[], &off);
}
