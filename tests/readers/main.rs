//! Every reader of foreign text takes time and memory in proportion to the text, whatever it says. Each test names
//! the factor; each input is one that a reader without its cap takes quadratic or exponential time or memory for.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

#[path = "../effort/mod.rs"]
mod effort;
mod expressions;
mod guards;
mod ledger;
