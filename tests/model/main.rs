//! Models: outputs of exported archives, weights, state and devices.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod devices;
mod exported;
mod input_check_cost;
mod optimizer;
mod parameters;
mod python_operators;
#[path = "../support/reference.rs"]
mod reference;
mod shapes_spec;
mod state;
#[path = "../support/mod.rs"]
mod support;
mod weight_placement;
