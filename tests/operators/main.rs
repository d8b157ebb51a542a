//! Operators and lowerings: results, arguments, fused calls and weight prepacking on the CPU.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod argument_checks;
mod batch_norm_folding;
#[path = "../support/call.rs"]
mod call;
mod control_flow;
mod conv_fusion;
mod higher_order;
mod linear_fusion;
mod pointwise_fusion;
mod portable;
mod prepacked_layouts;
mod quantized;
#[path = "../support/random.rs"]
mod random;
#[path = "../support/reference.rs"]
mod reference;
mod shape_inference;
mod space_to_depth;
#[path = "../support/mod.rs"]
mod support;
mod weight_prepacking;
