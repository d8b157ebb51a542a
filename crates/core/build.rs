//! Sets the linker options of the shared library.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for folder in env::var("DEP_PT2_LIBTORCH_FOLDERS").unwrap_or_default().split(':') {
        println!("cargo:rustc-link-arg=-Wl,-rpath,{folder}");
    }
    let argument = |text: &str| println!("cargo:rustc-cdylib-link-arg=-Wl,{text}");
    argument("--as-needed");
    argument(&format!("-soname,libpt2_core-2.{}.so", env::var("DEP_PT2_LIBTORCH_MINOR").unwrap_or_default()));
    argument("-z,nodelete");
    // Dependencies export C symbols of their own. The library binds them to its own definitions,
    // never to another library's.
    argument("-Bsymbolic");
}
