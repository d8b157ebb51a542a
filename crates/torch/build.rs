//! Tests find libtorch where it was built against.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let library = env::var("DEP_PT2_SHIM_FOLDER").unwrap_or_default();
    println!("cargo:rustc-link-arg=-Wl,-rpath,{library}");
    println!("cargo:rustc-link-arg=-Wl,--as-needed");
}
