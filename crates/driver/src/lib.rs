//! NVIDIA's driver, opened while the program runs: who has no GPU needs no library of CUDA's.

mod context;
mod driver;

pub use context::{Context, retain};
pub use driver::Driver;
