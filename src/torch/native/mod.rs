//! Native code in the process: libraries in anonymous memory, and calls of what AOTInductor compiled.
//!
//! Bytes that somebody has vouched for enter; nothing is judged here. Nothing is left on disk: a library lies in a
//! sealed memory file, and the folder through which CUDA kernels are found is removed with its owner, or swept by the
//! next one after a crash.

mod constant;
mod container;
mod folder;
mod library;
mod memory_file;
mod pages;
mod window;

pub use constant::Constant;
pub use container::{Container, Told};
pub use folder::KernelFolder;
pub use library::{NativeLibrary, libtorch_has};
pub use memory_file::MemoryFile;
pub use pages::Pages;
use window::Window;
