//! Programs and libraries find libtorch where it was built against, or beside themselves.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let library = env::var("DEP_PT2_SHIM_FOLDER").unwrap_or_default();
    let folders = ["$ORIGIN", &library];
    for folder in folders {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
    println!("cargo:rustc-link-arg=-Wl,--as-needed");
    println!("cargo:libtorch_folders={}", folders.join(":"));
    println!("cargo:libtorch_minor={}", env::var("DEP_PT2_SHIM_LIBTORCH_MINOR").unwrap_or_default());
}
