//! Kinds of effects of a call.

/// Effect of a call on memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpEffect {
    /// Deterministic function of its arguments. Results are new memory.
    Fresh,
    /// Writes nothing and is deterministic. Results are, or may be, the memory of its arguments.
    View,
    /// Writes nothing. Results may share memory with any argument, and may be random.
    Reads,
    /// Writes to its first argument and returns it.
    InPlace,
    /// May write to any argument. Any result may share memory with any argument.
    Unknown,
}
