//! Packages of AOTInductor, beside what PyTorch's own loader makes of them. They fit only the machine that compiled
//! them, so `make test-compiled` compiles them first (tests/aoti/packages/make_packages.py) and then runs this.
//!
//! The same on a GPU, where this program may have been carried: `make_packages.py FOLDER --device cuda`, then this with
//! `PT2_TEST_PACKAGES=FOLDER PT2_TEST_DEVICE=cuda` and the arguments that `make test-compiled` gives it.
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
