//! Compiles the C++ shim of the torch module and links libtorch.

use std::env;
use std::path::{Path, PathBuf};

const SHIM: &str = "src/torch/shim";

fn main() {
    println!("cargo:rerun-if-changed={SHIM}");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let libtorch = libtorch();
    compile_shim(&libtorch);
    link(&libtorch);
}

/// Returns libtorch's folder, which holds its `include` and `lib`.
fn libtorch() -> PathBuf {
    let Some(folder) = env::var_os("LIBTORCH").map(PathBuf::from) else {
        eprintln!(
            "LIBTORCH is not set: run `make build`, or set it to the folder that holds libtorch's include and lib"
        );
        std::process::exit(1);
    };
    folder
}

fn compile_shim(libtorch: &Path) {
    let sources = [
        "alignment",
        "autocast",
        "blocks",
        "builtin",
        "call",
        "checks/attention",
        "checks/checks",
        "checks/fourier",
        "checks/indices",
        "checks/norms",
        "checks/pooling",
        "checks/recurrent",
        "checks/sizes",
        "checks/sparse",
        "container/constants",
        "container/container",
        "contiguous",
        "convolution_weight",
        "copy",
        "cudnn/call",
        "cudnn/choice",
        "cudnn/convolution",
        "cudnn/depthwise",
        "cudnn/descriptor",
        "cudnn/execution",
        "cudnn/lane",
        "cudnn/library",
        "cudnn/planning",
        "cudnn/problem",
        "cudnn/rehearsal",
        "cudnn/tuned",
        "cudnn/tuning",
        "device",
        "direct",
        "error",
        "event",
        "fallback",
        "fold",
        "frame",
        "host_memory",
        "library",
        "onednn",
        "operator",
        "plain",
        "pointwise",
        "portable/attention",
        "portable/attention_backward",
        "portable/convolution",
        "portable/normalization",
        "portable/product",
        "portable/recurrent",
        "portable/scores",
        "portable/strides",
        "product",
        "python/blocks",
        "python/pooling",
        "python/torchao",
        "python/torchao_float8",
        "python/transformers",
        "quantized/bounds",
        "quantized/choose",
        "quantized/element_type",
        "quantized/per_channel",
        "quantized/per_channel_group",
        "quantized/per_tensor",
        "quantized/per_token",
        "recording",
        "reorder",
        "rows",
        "said",
        "scratch",
        "stream",
        "tensor",
    ];
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .flag("-fvisibility=hidden")
        .flag("-Wall")
        .flag("-Wextra")
        // Rounds products and sums separately, as libtorch does.
        .flag("-ffp-contract=off")
        // GCC 12 mistakes the reference count of an empty IValue for an overflow (GCC bug 105329
        // and related ones).
        .flag("-Wno-stringop-overflow")
        .flag("-isystem")
        .flag(libtorch.join("include").display().to_string())
        .flag("-isystem")
        .flag(libtorch.join("include/torch/csrc/api/include").display().to_string())
        .include(format!("{SHIM}/cuda_types"))
        .files(sources.map(|name| format!("{SHIM}/{name}.cpp")))
        .compile("pt2_shim");
}

/// Links libtorch. The search path is the library's own folder, then the build's libtorch. CUDA
/// libraries are not linked: `torch::cuda_startup` loads them if there is a driver.
fn link(libtorch: &Path) {
    let library = libtorch.join("lib");
    println!("cargo:rustc-link-search=native={}", library.display());
    println!("cargo:rustc-link-lib=dylib=torch_cpu");
    println!("cargo:rustc-link-lib=dylib=c10");
    println!("cargo:rustc-link-lib=dylib=stdc++");
    let folders = ["$ORIGIN".to_string(), library.display().to_string()];
    for folder in &folders {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
    println!("cargo:rustc-link-arg=-Wl,--as-needed");
    println!("cargo:libtorch_folders={}", folders.join(":"));
}
