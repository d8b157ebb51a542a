//! Hints at the library that usually registers a missing operator.

/// Operator namespaces and the libraries that register them.
const LIBRARIES: [(&str, &str); 11] = [
    ("_C_flashattention3", "FlashAttention 3"),
    ("executorch", "ExecuTorch, which has a runtime of its own"),
    ("fbgemm", "FBGEMM (fbgemm_gpu_py.so)"),
    ("flash_attn", "FlashAttention"),
    ("tensorrt", "Torch-TensorRT (libtorchtrt_runtime.so)"),
    ("torch_cluster", "torch-cluster"),
    ("torch_scatter", "torch-scatter"),
    ("torch_sparse", "torch-sparse"),
    ("torchaudio", "torchaudio (libtorchaudio.so)"),
    ("torchvision", "torchvision's C++ library (libtorchvision.so, built without Python)"),
    ("xformers", "xFormers (_C.so)"),
];

/// Namespaces of libtorch and of Python, which no additional library registers.
const BUILT_IN: [&str; 6] = ["aten", "prim", "prims", "higher_order", "quantized", "quantized_decomposed"];

/// Namespaces of operators that are Python functions and exist in no library. The third field names
/// the package's library if it also has compiled operators in that namespace.
const PYTHON: [(&str, &str, Option<&str>); 14] = [
    ("_diffusers_flash_attn_3", "diffusers", None),
    ("ao", "torchao", None),
    ("blocksparse", "torchao", None),
    ("export", "PyTorch", None),
    ("inductor", "PyTorch", None),
    ("kernels", "kernels of the Hugging Face Hub", None),
    ("onnx", "PyTorch's exporter to ONNX", None),
    ("onnx_symbolic", "PyTorch's exporter to ONNX", None),
    ("quant", "torchao", None),
    ("rngprims", "PyTorch", None),
    ("torch_attn", "PyTorch", None),
    ("torchao", "torchao", Some("the _C*.so in its folder")),
    ("transformers", "transformers", None),
    ("transformers_msa", "transformers", None),
];

/// Higher-order operators that a saved program can hold and that libpt2 cannot run.
const NOT_TO_RUN: [(&str, &str); 12] = [
    ("aoti_call_delegate", "calls a library that AOTInductor compiled on the exporting machine"),
    ("call_torchbind", "calls a method of a custom class, which this library does not do"),
    ("executorch_call_delegate", "calls a backend of ExecuTorch, which has a runtime of its own"),
    ("flat_apply", "calls a function of Python"),
    ("flex_attention", "is written for a compiler: export a program that spells the attention out"),
    ("flex_attention_backward", "is written for a compiler: export a program that spells the attention out"),
    ("inductor_compiled_code", "calls code that a compiler kept in the exporting process"),
    ("invoke_leaf_function", "calls a function of Python"),
    ("local_map_hop", "runs on a part of tensors spread over several processes"),
    ("print", "prints, which a library in somebody's process does not do"),
    ("triton_kernel_wrapper_functional", "runs a Triton kernel, which needs Triton's compiler"),
    ("triton_kernel_wrapper_mutation", "runs a Triton kernel, which needs Triton's compiler"),
];

/// Prefix of the functions that a transform such as `torch.vmap` leaves in a program
/// (`torch/_functorch/predispatch.py`). PyTorch saves such programs since 2.13.
const TRANSFORMS: &str = "torch._functorch.";

/// Returns the text that follows a list of missing operators. It has a clause for each foreign
/// namespace, in the order of the list, and for each higher-order operator that cannot run.
pub fn missing_op_hint(operators: &[String]) -> String {
    let mut namespaces: Vec<&str> = Vec::new();
    for (namespace, _) in operators.iter().filter_map(|operator| operator.split_once("::")) {
        if !BUILT_IN.contains(&namespace) && !namespaces.contains(&namespace) {
            namespaces.push(namespace);
        }
    }
    let refused = operators.iter().filter_map(|operator| reason(operator));
    let transforms = operators.iter().any(|operator| operator.starts_with(TRANSFORMS));
    namespaces.into_iter().map(clause).chain(refused).chain(transforms.then(transforms_clause)).collect()
}

fn reason(operator: &str) -> Option<String> {
    let name = operator.strip_prefix("higher_order::")?;
    let (_, why) = NOT_TO_RUN.iter().find(|(known, _)| *known == name)?;
    Some(format!("; `{operator}` {why}"))
}

fn transforms_clause() -> String {
    "; `torch._functorch` transforms functions in Python, as torch.vmap and torch.func.jvp do: export the program \
     without them, with `ExportedProgram.run_decompositions()`"
        .into()
}

fn clause(namespace: &str) -> String {
    if let Some((_, package, library)) = PYTHON.iter().find(|(known, ..)| *known == namespace) {
        return python(namespace, package, *library);
    }
    let known = LIBRARIES.iter().find(|(known, _)| *known == namespace);
    let library = known.map_or("a library of its author", |(_, library)| library);
    format!("; `{namespace}` usually comes with {library}: load it with pt2_load_op_library first")
}

fn python(namespace: &str, package: &str, library: Option<&str>) -> String {
    let advice = "export the program without them, for example with `ExportedProgram.run_decompositions()`";
    match library {
        None => format!("; `{namespace}` is written in Python by {package}, and no library has it: {advice}"),
        Some(library) => format!(
            "; `{namespace}` is mostly written in Python by {package}, and no library has those operators: {advice}. Its \
             compiled operators come with {library}: load it with pt2_load_op_library first"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::missing_op_hint;

    #[test]
    fn each_foreign_namespace_is_named_once() {
        let missing =
            ["aten::new.default", "torchvision::nms.default", "own::a.default", "torchvision::roi_align.x"];
        let text = missing_op_hint(&missing.map(String::from));
        assert_eq!(text.matches("`torchvision`").count(), 1);
        assert!(
            text.contains("libtorchvision.so")
                && text.contains("`own` usually comes with a library of its author")
        );
        assert!(!text.contains("`aten`"));
        let text =
            missing_op_hint(&["transformers::other.default", "torchao::other.default"].map(String::from));
        assert!(text.contains("`transformers` is written in Python") && text.contains("run_decompositions"));
        assert_eq!(text.matches("pt2_load_op_library").count(), 1, "{text}");
        assert!(missing_op_hint(&["higher_order::print".into()]).contains("`higher_order::print` prints"));
        assert_eq!(missing_op_hint(&["_operator.pow".into(), "higher_order::scan".into()]), "");
        let text = missing_op_hint(&["torch._functorch.predispatch._add_batch_dim".into()]);
        assert!(text.contains("torch.vmap") && text.contains("run_decompositions()"), "{text}");
    }
}
