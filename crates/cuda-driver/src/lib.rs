//! NVIDIA's driver, opened at run time: a machine without a GPU needs no library of CUDA's.

mod context;
mod driver;
mod index;

pub use context::{Context, retain};
pub use driver::Driver;
pub use index::index_of;
