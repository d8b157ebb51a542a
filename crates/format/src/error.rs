//! Errors, one variant for each case that a caller may have to distinguish.

use crate::missing_op_hint::missing_op_hint;
use std::path::PathBuf;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Error of a call. `Display` is one sentence that names the input, node or entry and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller passed an argument that is invalid for every archive.
    #[error("argument `{argument}`: {reason}")]
    Argument {
        /// The name of the parameter, as the header spells it.
        argument: &'static str,
        /// The defect, and the accepted values.
        reason: String,
    },
    /// The operating system refused to open, read or map a file.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The dynamic loader refused a library of operators.
    #[error("cannot load the operator library `{}`: {reason}", path.display())]
    OperatorLibrary {
        /// The library.
        path: PathBuf,
        /// The defect and the remedy.
        reason: String,
    },
    /// The bytes are not an archive, or can be read in more than one way.
    #[error("not a valid .pt2 archive: {}{reason}", entry_prefix(entry))]
    Archive {
        /// The zip entry at fault, if it is a single one.
        entry: Option<String>,
        /// The broken rule.
        reason: String,
    },
    /// An entry's bytes do not match the checksum recorded in the archive.
    #[error(
        "entry `{entry}` is damaged: its CRC-32 is {found:08x}, the archive's directory says {expected:08x}"
    )]
    Checksum {
        /// The zip entry.
        entry: String,
        /// The checksum in the archive's directory.
        expected: u32,
        /// The checksum of the actual bytes.
        found: u32,
    },
    /// The archive is well formed but needs a feature that libpt2 does not have.
    #[error("not supported: {what}")]
    Unsupported {
        /// The missing feature, by its name in PyTorch.
        what: String,
    },
    /// The archive holds compiled code for another machine.
    #[error("the compiled code of `{model}` is not for this machine: {}", differences.join("; "))]
    OtherMachine {
        /// The model.
        model: String,
        /// Every difference, with both values.
        differences: Vec<String>,
    },
    /// Compiled code was not loaded: the caller did not allow it, its digest is not the expected
    /// one, or the system refused it.
    #[error("the compiled code of `{model}` is not loaded: {reason}")]
    NativeCode {
        /// The model.
        model: String,
        /// The reason and the remedy.
        reason: String,
    },
    /// The program inside the archive contradicts itself or its schema.
    #[error("malformed program at {at}: {reason}")]
    Program {
        /// The JSON path, node or value at fault.
        at: String,
        /// The defect.
        reason: String,
    },
    /// A stored tensor is missing or does not fit its bytes, or a new tensor does not fit the
    /// weight that it would replace.
    #[error("weight `{name}`: {reason}")]
    Weight {
        /// The fully qualified name of the parameter, buffer or constant.
        name: String,
        /// The defect.
        reason: String,
    },
    /// The program calls operators that this process does not have. All of them are listed.
    #[error("operators not found in this process: {}{}", operators.join(", "), missing_op_hint(operators))]
    MissingOperators {
        /// Every missing operator with its overload, in the order of first use.
        operators: Vec<String>,
    },
    /// The program calls operators that reach outside of tensors, that were not loaded on purpose,
    /// or that trust their arguments. All of them are listed.
    #[error(
        "operators that may not run: {}; allow them for this load (`allowed_operators` of the load options) if you \
         trust the program",
        refusals(operators, reasons)
    )]
    ForbiddenOperators {
        /// Every such operator with its overload, in the order of first use.
        operators: Vec<String>,
        /// The reason for rejecting each operator.
        reasons: Vec<&'static str>,
    },
    /// The number of inputs is wrong.
    #[error("the program takes {expected} inputs, got {found}")]
    InputCount {
        /// The number of inputs that the program takes.
        expected: usize,
        /// The number of inputs that the caller passed.
        found: usize,
    },
    /// An input does not fit the exported program.
    #[error("input `{input}`: {reason}")]
    Input {
        /// The input's path name, such as `args[0]`.
        input: String,
        /// The expected and the actual property.
        reason: String,
    },
    /// The requested device cannot be used.
    #[error("device `{device}`: {reason}")]
    Device {
        /// The device, as the caller or the archive wrote it.
        device: String,
        /// The reason, and the devices that can be used.
        reason: String,
    },
    /// The device failed. Its context is unusable for the rest of the process.
    #[error("the device is lost for this process: {reason}")]
    DeviceLost {
        /// The driver's message.
        reason: String,
    },
    /// Host memory ran out. The handle remains usable.
    #[error("out of memory: {reason}")]
    OutOfMemory {
        /// The failed allocation.
        reason: String,
    },
    /// Device memory ran out. The handle remains usable.
    #[error("out of device memory: {reason}")]
    DeviceOutOfMemory {
        /// The failed allocation.
        reason: String,
    },
    /// An operator rejected its arguments or failed while running.
    #[error("node `{node}` ({target}): {reason}{}", trace_suffix(trace))]
    Operator {
        /// The node's name in the graph.
        node: String,
        /// The operator with its overload.
        target: String,
        /// The operator's message.
        reason: String,
        /// The Python stack trace of the exported call, if the archive holds it.
        trace: Option<String>,
    },
    /// libtorch cannot be used in this process.
    #[error("libpt2 cannot use libtorch in this process: {reason}")]
    Libtorch {
        /// The obstacle.
        reason: String,
    },
    /// The process is exiting, and libtorch is being destroyed with it.
    #[error(
        "the process is exiting: libtorch takes no more calls; end the threads that call before main returns"
    )]
    Exiting,
    /// The process was forked after libtorch started its threads, which only the parent has.
    #[error(
        "this process was forked after libpt2 had started libtorch, whose threads only the parent has; fork before the \
         first call, or execute a new program after the fork"
    )]
    Forked,
    /// libtorch failed outside any node, or an invariant of this library does not hold.
    #[error("internal error: {reason}")]
    Internal {
        /// The failed invariant or libtorch's message.
        reason: String,
    },
    /// Any other error, together with the archive in which it happened.
    #[error("{}: {source}", path.display())]
    InArchive {
        /// The archive.
        path: PathBuf,
        /// The error itself.
        source: Box<Error>,
    },
}

impl From<pt2_host::reserve::Exhausted> for Error {
    fn from(_: pt2_host::reserve::Exhausted) -> Error {
        Error::OutOfMemory { reason: "the host has no memory left".into() }
    }
}

impl Error {
    /// Returns the error without the archive in which it happened.
    pub fn root(&self) -> &Error {
        match self {
            Error::InArchive { source, .. } => source.root(),
            other => other,
        }
    }

    /// Adds the archive in which the error happened. An error that already names a file or an
    /// argument is returned unmodified.
    pub fn in_archive(self, path: &std::path::Path) -> Error {
        match self {
            named @ (Error::Io { .. }
            | Error::OperatorLibrary { .. }
            | Error::InArchive { .. }
            | Error::Argument { .. }) => named,
            source => Error::InArchive { path: path.into(), source: Box::new(source) },
        }
    }
}

fn entry_prefix(entry: &Option<String>) -> String {
    entry.as_ref().map(|name| format!("entry `{name}`: ")).unwrap_or_default()
}

fn refusals(operators: &[String], reasons: &[&str]) -> String {
    let all = operators.iter().zip(reasons).map(|(operator, reason)| format!("{operator} ({reason})"));
    all.collect::<Vec<_>>().join(", ")
}

fn trace_suffix(trace: &Option<String>) -> String {
    trace.as_ref().map(|text| format!("\nPython that was exported:\n{text}")).unwrap_or_default()
}
