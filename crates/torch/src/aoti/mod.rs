//! Native code in the process: libraries in anonymous memory, and calls of AOTInductor's code.
//!
//! Owns loaded libraries, containers and kernel folders. Input: bytes that the caller has
//! validated, which are not checked again. Output: tensors. Nothing remains on disk: libraries are
//! sealed memory files, and kernel folders are removed by their owner or after a crash by the next
//! one.

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
