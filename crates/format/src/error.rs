//! What can go wrong, one variant for each thing a caller can tell apart.

use crate::missing_op_hint::missing_op_hint;
use std::path::PathBuf;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed. `Display` is one sentence that names the input, node or entry and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller passed something that no archive could make right.
    #[error("argument `{argument}`: {reason}")]
    Argument {
        /// The name of the parameter, as the header spells it.
        argument: &'static str,
        /// What is wrong with it and what is accepted.
        reason: String,
    },
    /// The operating system refused to open, read or map a file.
    #[error("cannot read `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The dynamic loader refused a library of operators.
    #[error("cannot load the operator library `{}`: {reason}", path.display())]
    OperatorLibrary {
        /// The library.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// The bytes are no archive, or an archive that could be read in two ways.
    #[error("not a valid .pt2 archive: {}{reason}", entry_prefix(entry))]
    Archive {
        /// The zip entry, where one is to blame.
        entry: Option<String>,
        /// The broken rule.
        reason: String,
    },
    /// An entry's bytes are not the ones that were written.
    #[error(
        "entry `{entry}` is damaged: its CRC-32 is {found:08x}, the archive's directory says {expected:08x}"
    )]
    Checksum {
        /// The zip entry.
        entry: String,
        /// The checksum in the archive's directory.
        expected: u32,
        /// The checksum of the bytes present.
        found: u32,
    },
    /// The archive is well formed but needs something this library does not offer.
    #[error("not supported: {what}")]
    Unsupported {
        /// What is missing, by its name in PyTorch.
        what: String,
    },
    /// The archive holds compiled code that was made for another machine.
    #[error("the compiled code of `{model}` is not for this machine: {}", differences.join("; "))]
    OtherMachine {
        /// The model.
        model: String,
        /// All that differs, with both values.
        differences: Vec<String>,
    },
    /// The archive holds compiled code that may not be loaded: the caller did not allow it, it is not what the caller
    /// expected, or the system refused it.
    #[error("the compiled code of `{model}` is not loaded: {reason}")]
    NativeCode {
        /// The model.
        model: String,
        /// Why not, and what to do.
        reason: String,
    },
    /// The program inside the archive contradicts itself or its schema.
    #[error("malformed program at {at}: {reason}")]
    Program {
        /// The place: a JSON path, a node or a value.
        at: String,
        /// What is wrong there.
        reason: String,
    },
    /// A stored tensor is missing, its description does not fit its bytes, or a tensor does not fit the weight that
    /// it is given for.
    #[error("weight `{name}`: {reason}")]
    Weight {
        /// The fully qualified name of the parameter, buffer or constant.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Operators the program calls and this process does not have. Everything that is missing is listed.
    #[error("operators not found in this process: {}{}", operators.join(", "), missing_op_hint(operators))]
    MissingOperators {
        /// Every missing operator with its overload, in the order of first use.
        operators: Vec<String>,
    },
    /// Operators that reach outside of tensors, that no one loaded on purpose, or that trust their arguments. All of them
    /// are listed.
    #[error(
        "operators that may not run: {}; allow them for this load (`allowed_operators` of the load options) if you \
         trust the program",
        refusals(operators, reasons)
    )]
    ForbiddenOperators {
        /// Every such operator with its overload, in the order of first use.
        operators: Vec<String>,
        /// Why each is refused.
        reasons: Vec<&'static str>,
    },
    /// The number of inputs is wrong.
    #[error("the program takes {expected} inputs, got {found}")]
    InputCount {
        /// How many the program takes.
        expected: usize,
        /// How many were given.
        found: usize,
    },
    /// One input does not fit what the program was exported for.
    #[error("input `{input}`: {reason}")]
    Input {
        /// The input's path name, such as `args[0]`.
        input: String,
        /// What was expected and what came.
        reason: String,
    },
    /// The device that was asked for cannot be used.
    #[error("device `{device}`: {reason}")]
    Device {
        /// The device, as the caller or the archive wrote it.
        device: String,
        /// Why it cannot be used and what can.
        reason: String,
    },
    /// The device failed and its context is gone for the life of the process.
    #[error("the device is lost for this process: {reason}")]
    DeviceLost {
        /// What the driver said.
        reason: String,
    },
    /// Host memory ran out. The handle stays usable.
    #[error("out of memory: {reason}")]
    OutOfMemory {
        /// What could not be allocated.
        reason: String,
    },
    /// Device memory ran out. The handle stays usable.
    #[error("out of device memory: {reason}")]
    DeviceOutOfMemory {
        /// What could not be allocated.
        reason: String,
    },
    /// An operator refused its arguments or failed while running.
    #[error("node `{node}` ({target}): {reason}{}", trace_suffix(trace))]
    Operator {
        /// The node's name in the graph.
        node: String,
        /// The operator with its overload.
        target: String,
        /// What the operator said.
        reason: String,
        /// Where the exporting program's Python called it, if the archive tells.
        trace: Option<String>,
    },
    /// libtorch cannot be used in this process.
    #[error("libpt2 cannot use libtorch in this process: {reason}")]
    Libtorch {
        /// What stands in the way.
        reason: String,
    },
    /// The process is exiting, and libtorch is being destroyed with it.
    #[error(
        "the process is exiting: libtorch takes no more calls; end the threads that call before main returns"
    )]
    Exiting,
    /// The process is the child of a fork, without the threads that libtorch had in its parent.
    #[error(
        "this process was forked after libpt2 had started libtorch, whose threads only the parent has; fork before the \
         first call, or execute a new program after the fork"
    )]
    Forked,
    /// libtorch failed outside any node, or an invariant of this library does not hold.
    #[error("internal error: {reason}")]
    Internal {
        /// What was found.
        reason: String,
    },
    /// Any of the above, in a known archive.
    #[error("{}: {source}", path.display())]
    InArchive {
        /// The archive.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<Error>,
    },
}

impl From<pt2_host::reserve::Exhausted> for Error {
    fn from(_: pt2_host::reserve::Exhausted) -> Error {
        Error::OutOfMemory { reason: "the host has no memory left".into() }
    }
}

impl Error {
    /// The error without the archive it happened in.
    pub fn root(&self) -> &Error {
        match self {
            Error::InArchive { source, .. } => source.root(),
            other => other,
        }
    }

    /// Says which archive the error happened in. An error that already names a file is left as it is.
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
