//! Reads the files that `make_archives.py` stored beside each archive.

#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

mod array;
mod repository;

pub use array::{Array, Calls, read_npz};
pub use repository::{repository, writer_versions};

use pt2::torch::{Tensor, dtype_from_torch};

impl Array {
    pub fn tensor(&self) -> Tensor {
        Tensor::from_bytes(self.dtype, &self.sizes, &self.bytes).unwrap()
    }

    pub fn of(tensor: &Tensor) -> Array {
        let view = tensor.view();
        let dtype = dtype_from_torch(view.dtype).unwrap();
        Array { dtype, sizes: view.sizes.to_vec(), bytes: tensor.to_bytes().unwrap() }
    }
}
