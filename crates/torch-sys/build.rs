//! Compiles the C++ side and links libtorch.

use std::path::{Path, PathBuf};
use std::{env, fs};

const CPP: &str = "cpp";

/// The most files in a translation unit. Alone, a file takes little longer than the headers of libtorch
/// that it includes. Larger units would leave processors idle.
const UNIT_FILES: usize = 10;

fn main() {
    println!("cargo:rerun-if-changed={CPP}");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let libtorch = libtorch();
    let minor = minor(&libtorch);
    compile(&libtorch, minor);
    link(&libtorch);
    println!("cargo:libtorch_minor={minor}");
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

/// The C++ files of a folder and of those below it, a list for each folder.
fn folders(folder: &Path) -> Vec<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| fail(folder, &error));
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let (folders, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| path.is_dir());
    let sources = files.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "cpp"));
    let mut all = vec![sources.collect()];
    all.extend(folders.iter().flat_map(|below| self::folders(below)));
    all
}

/// Writes translation units that include the files of a folder, in parts of like sizes.
fn units() -> Vec<PathBuf> {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut units = Vec::new();
    for files in folders(Path::new(CPP)).into_iter().filter(|files| !files.is_empty()) {
        let parts = files.len().div_ceil(UNIT_FILES);
        for part in files.chunks(files.len().div_ceil(parts)) {
            let path = out.join(format!("unit_{}.cpp", units.len()));
            let text: String = part.iter().map(|file| format!("#include \"{}\"\n", file.display())).collect();
            fs::write(&path, text).unwrap_or_else(|error| fail(&path, &error));
            units.push(path);
        }
    }
    units
}

fn fail(path: &Path, error: &std::io::Error) -> ! {
    eprintln!("{}: {error}", path.display());
    std::process::exit(1);
}

/// Returns the minor version of the headers of libtorch 2.
fn minor(libtorch: &Path) -> u32 {
    // 2.9 defines the macro in the second file.
    let files = ["include/torch/headeronly/version.h", "include/torch/csrc/api/include/torch/version.h"];
    let texts = files.iter().filter_map(|file| fs::read_to_string(libtorch.join(file)).ok());
    let minors = texts.filter_map(|text| {
        let (_, rest) = text.split_once("#define TORCH_VERSION_MINOR ")?;
        rest.lines().next()?.trim().parse().ok()
    });
    minors.into_iter().next().unwrap_or_else(|| {
        eprintln!("{} has no headers of libtorch 2.9 or newer", libtorch.display());
        std::process::exit(1);
    })
}

/// Returns the C++ standard that the headers need (`c10/util/Exception.h` and others, 2.14).
fn standard(minor: u32) -> &'static str {
    if minor >= 14 { "c++20" } else { "c++17" }
}

fn compile(libtorch: &Path, minor: u32) {
    cc::Build::new()
        .cpp(true)
        .std(standard(minor))
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
        // Relative, so that messages do not name this folder.
        .flag("-iquote")
        .flag(".")
        .files(units())
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
