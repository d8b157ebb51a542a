//! Native code in the process: libraries in anonymous memory, and calls of what AOTInductor compiled.
//!
//! Bytes that somebody has vouched for enter; nothing is judged here. Nothing is left on disk: a library lies in a
//! sealed memory file, and the folder through which CUDA kernels are found is removed with its owner, or swept by the
//! next one after a crash.

mod container_constant;
mod kernel_folder;
mod memory_file;
mod mmap_window;
mod model_container;
mod native_library;
mod private_pages;

pub use container_constant::ContainerConstant;
pub use kernel_folder::KernelFolder;
pub use memory_file::MemoryFile;
use mmap_window::MmapWindow;
pub use model_container::{ContainerInfo, ModelContainer};
pub use native_library::{NativeLibrary, libtorch_has};
pub use private_pages::PrivatePages;
