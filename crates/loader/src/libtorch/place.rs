//! Places where libtorch is looked for.

use std::fmt::{Display, Formatter};

/// A place, in the order of the search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Folder that the program named.
    Requested,
    /// Folder that the environment variable `PT2_LIBTORCH` names.
    Variable,
    /// The process has opened it already.
    Process,
    /// Folder of libpt2.so.
    Beside,
    /// `LD_LIBRARY_PATH` and the system's folders.
    DynamicLoader,
    /// Search path of an engine: the libtorch that it was built against.
    Engine,
    /// Virtual environment that is active.
    VirtualEnvironment,
}

impl Display for Place {
    fn fmt(&self, text: &mut Formatter) -> std::fmt::Result {
        text.write_str(match self {
            Place::Requested => "pt2_set_libtorch()",
            Place::Variable => "PT2_LIBTORCH",
            Place::Process => "this process",
            Place::Beside => "the folder of libpt2.so",
            Place::DynamicLoader => "the dynamic loader's search (LD_LIBRARY_PATH and the system)",
            Place::Engine => "the search path of an engine",
            Place::VirtualEnvironment => "VIRTUAL_ENV",
        })
    }
}
