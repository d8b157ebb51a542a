//! Compiles the C++ side and links libtorch.

use std::env;
use std::path::{Path, PathBuf};

const CPP: &str = "cpp";

fn main() {
    println!("cargo:rerun-if-changed={CPP}");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let libtorch = libtorch();
    compile(&libtorch);
    link(&libtorch);
}

/// Returns libtorch's folder, which holds `include` and `lib`.
fn libtorch() -> PathBuf {
    let Some(folder) = env::var_os("LIBTORCH").map(PathBuf::from) else {
        eprintln!(
            "LIBTORCH is not set: run `make build`, or set it to the folder that holds libtorch's include and lib"
        );
        std::process::exit(1);
    };
    folder
}

fn compile(libtorch: &Path) {
    let sources = [
        "addmm_relu",
        "alignment",
        "autocast",
        "batch_norm_folding",
        "builtin_ops",
        "checks/argument_checks",
        "checks/attention",
        "checks/fourier",
        "checks/indices",
        "checks/norms",
        "checks/pooling",
        "checks/recurrent",
        "checks/sizes",
        "checks/sparse",
        "container/constants",
        "container/model_container",
        "contiguous",
        "cuda_graph",
        "cudnn/autotune",
        "cudnn/backend_api",
        "cudnn/conv_args",
        "cudnn/conv_key",
        "cudnn/convolution",
        "cudnn/depthwise",
        "cudnn/descriptor",
        "cudnn/engine_config",
        "cudnn/execution",
        "cudnn/plan_selection",
        "cudnn/stream_handle",
        "cudnn/tuning_cache",
        "cudnn/warmup",
        "device",
        "error",
        "event",
        "frame",
        "fused_fallback",
        "hop_helpers",
        "host_memory",
        "onednn/fused_conv",
        "onednn/prepacked_weight",
        "onednn/weight_reorder",
        "op_call",
        "op_library",
        "operator",
        "plain_tensor",
        "pointwise",
        "portable/attention",
        "portable/attention_backward",
        "portable/convolution",
        "portable/normalization",
        "portable/product",
        "portable/recurrent",
        "portable/scores",
        "portable/strides",
        "python/block_sizes",
        "python/pooling",
        "python/torchao",
        "python/torchao_float8",
        "python/transformers",
        "quantized/bounds",
        "quantized/choose_qparams",
        "quantized/element_type",
        "quantized/per_channel",
        "quantized/per_channel_group",
        "quantized/per_tensor",
        "quantized/per_token",
        "rows",
        "scratch",
        "space_to_depth",
        "stderr_capture",
        "stream",
        "tensor",
        "tensor_copy",
    ];
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .flag("-fvisibility=hidden")
        .flag("-Wall")
        .flag("-Wextra")
        // libtorch rounds products and sums separately.
        .flag("-ffp-contract=off")
        // GCC 12 reports the reference count of an empty IValue as an overflow (GCC bug 105329).
        .flag("-Wno-stringop-overflow")
        .flag("-isystem")
        .flag(libtorch.join("include").display().to_string())
        .flag("-isystem")
        .flag(libtorch.join("include/torch/csrc/api/include").display().to_string())
        .include(format!("{CPP}/cuda_types"))
        .files(sources.map(|name| format!("{CPP}/{name}.cpp")))
        .compile("pt2_shim");
}

/// Links the CPU libraries only: `pt2_torch::cuda_startup` loads CUDA's if there is a driver.
fn link(libtorch: &Path) {
    let library = libtorch.join("lib");
    println!("cargo:rustc-link-search=native={}", library.display());
    println!("cargo:rustc-link-lib=dylib=torch_cpu");
    println!("cargo:rustc-link-lib=dylib=c10");
    println!("cargo:rustc-link-lib=dylib=stdc++");
    println!("cargo:folder={}", library.display());
}
