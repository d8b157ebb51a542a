//! Makes the program find libtorch, as the libraries do.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for folder in env::var("DEP_PT2_LIBTORCH_FOLDERS").unwrap_or_default().split(':') {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
    println!("cargo:rustc-link-arg=-Wl,--as-needed");
}
