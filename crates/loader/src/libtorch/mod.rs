//! libtorch for an engine: found in one of several places, opened, and asked for its version.
//!
//! The dynamic loader gives an engine a library that is already open under the same name. So a
//! library that is opened here takes precedence over the dynamic loader's own search.

mod elf_header;
mod library;
mod place;
mod requested;
mod search;
mod version;

pub use library::{Libtorch, described};
pub use place::Place;
pub use requested::request;
pub use search::{Search, library_in, variable, without_library};
pub use version::Version;
