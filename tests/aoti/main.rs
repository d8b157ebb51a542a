//! Packages of AOTInductor, compared with PyTorch's own loader. They fit only the machine that
//! compiled them, so `make test-compiled` compiles them first (make_packages.py) and
//! then runs this.
//!
//! On a GPU machine without a build, run `make_packages.py FOLDER --device cuda`. Then run this
//! program with `PT2_TEST_PACKAGES=FOLDER PT2_TEST_DEVICE=cuda` and the arguments of `make
//! test-compiled`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod answers;
mod callers;
mod cycles;
mod memory;
mod packages;
mod refusals;
mod refused_code;
mod weights;
