//! Advice for errors of the dynamic loader.

use crate::library_name::LIBTORCH;

/// Returns the error with advice.
pub fn with_advice(reason: &str) -> String {
    format!("{reason}; {}", advice(reason))
}

fn advice(reason: &str) -> &'static str {
    let has = |text: &str| reason.contains(text);
    if has("static TLS") {
        "libraries that the process opened before took it all: open libpt2.so and call pt2_libtorch_version() before \
         them, or set GLIBC_TUNABLES=glibc.rtld.optional_static_tls=16384 for the process"
    } else if has(LIBTORCH) && has("cannot open shared object file") {
        "install libtorch (pip install torch), put its libraries beside libpt2.so, or name its folder by PT2_LIBTORCH"
    } else if has("cannot open shared object file") {
        "libtorch depends on that library: install the packages that its wheel depends on (pip install torch, without \
         --no-deps), or add the library's folder to LD_LIBRARY_PATH"
    } else if ["invalid ELF header", "file too short", "wrong ELF class", "cannot map", "ELF file"]
        .into_iter()
        .any(has)
    {
        "the file is damaged or for another processor: install it again"
    } else {
        "name another libtorch by PT2_LIBTORCH"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_is_missing_is_no_missing_libtorch() {
        let missing = |name| format!("{name}: cannot open shared object file: No such file or directory");
        assert!(with_advice(&missing("libtorch_cpu.so")).contains("install libtorch"));
        assert!(with_advice(&missing("libcupti.so.13")).contains("--no-deps"));
        assert!(with_advice("/a/libtorch_cpu.so: invalid ELF header").contains("damaged"));
    }
}
