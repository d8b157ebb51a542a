//! The exact mirror of `torch/_export/serde/schema.py`: the same names, the same fields.
//!
//! JSON text enters; records as the file says them leave. Nothing is interpreted here: whether names exist and
//! numbers make sense is decided by the rest of the room. Read against PyTorch 2.11 (8.17) and 2.15 (8.20).

mod argument;
mod enums;
pub(crate) mod record;
mod signature;
mod untyped;
pub(crate) mod wire;

use std::collections::BTreeMap;

pub use argument::*;
pub use enums::*;
use record::record;
pub use signature::*;
pub use untyped::{PythonInt, Untyped};

record! {
    /// An argument with the name that the operator's schema gives it.
    NamedArgument {
        /// The name. May be empty for higher-order operators.
        name: String,
        /// The argument.
        arg: Argument,
        /// How it is passed. Absent before 2.8.
        kind: Option<ArgumentKind> = None,
    }
}

record! {
    /// One call of an operator.
    Node {
        /// The operator, such as `torch.ops.aten.add.Tensor`.
        target: String,
        /// The arguments that differ from the operator's defaults.
        inputs: Vec<NamedArgument>,
        /// What the call gives.
        outputs: Vec<Argument>,
        /// Python's side of it, such as `stack_trace`.
        metadata: BTreeMap<String, Untyped> = BTreeMap::new(),
        /// Whether a higher-order operator gives a tensor instead of a list of one. Absent before 2.7.
        is_hop_single_tensor_return: Option<bool> = None,
        /// The node's name. Absent before 2.9.
        name: Option<String> = None,
    }
}

record! {
    /// A list of calls, what they take and what they give.
    Graph {
        /// The values that enter.
        inputs: Vec<Argument>,
        /// The values that leave.
        outputs: Vec<Argument>,
        /// The calls, in the order they run.
        nodes: Vec<Node>,
        /// What is known of each tensor.
        tensor_values: BTreeMap<String, TensorMeta>,
        /// What is known of each symbolic int.
        sym_int_values: BTreeMap<String, SymInt>,
        /// What is known of each symbolic bool.
        sym_bool_values: BTreeMap<String, SymBool>,
        /// Whether a subgraph gives a tensor instead of a list of one.
        is_single_tensor_return: bool = false,
        /// What is known of each object.
        custom_obj_values: BTreeMap<String, CustomObjArgument> = BTreeMap::new(),
        /// What is known of each symbolic float.
        sym_float_values: BTreeMap<String, SymFloat> = BTreeMap::new(),
    }
}

record! {
    /// The bounds of a symbol. An absent bound is infinite.
    RangeConstraint {
        /// The least value.
        min_val: Option<PythonInt> = None,
        /// The greatest value.
        max_val: Option<PythonInt> = None,
    }
}

record! {
    /// How a module is called.
    ModuleCallSignature {
        /// The flat inputs. The root's are those of the graph's signature.
        inputs: Vec<Untyped>,
        /// The flat outputs.
        outputs: Vec<Untyped>,
        /// The tree that the inputs come in.
        in_spec: String,
        /// The tree that the outputs leave in.
        out_spec: String,
        /// The names of `forward`'s parameters.
        forward_arg_names: Option<Vec<String>> = None,
    }
}

record! {
    /// One module of the tree of modules.
    ModuleCallEntry {
        /// Where it is; the root is the empty string.
        fqn: String,
        /// How it is called, if that was kept.
        signature: Option<ModuleCallSignature> = None,
    }
}

record! {
    /// The fields of a named tuple.
    NamedTupleDef {
        /// Their names.
        field_names: Vec<String>,
    }
}

record! {
    /// A graph with its signature and calling convention.
    GraphModule {
        /// The graph.
        graph: Graph,
        /// What its inputs and outputs are.
        signature: GraphSignature,
        /// How the modules are called; the root comes first.
        module_call_graph: Vec<ModuleCallEntry>,
        /// Anything else.
        metadata: BTreeMap<String, Untyped> = BTreeMap::new(),
        /// The fields of each named tuple. Absent before 2.7.
        treespec_namedtuple_fields: BTreeMap<String, NamedTupleDef> = BTreeMap::new(),
    }
}

record! {
    /// The version of the schema.
    SchemaVersion {
        /// Raised when old readers would misread.
        major: i64,
        /// Raised when something is added.
        minor: i64,
    }
}

record! {
    /// A whole file.
    ExportedProgram {
        /// The program.
        graph_module: GraphModule,
        /// The version of each operator namespace.
        opset_version: BTreeMap<String, Untyped>,
        /// The bounds of each symbol.
        range_constraints: BTreeMap<String, RangeConstraint>,
        /// The version of the schema.
        schema_version: SchemaVersion,
        /// The dialects it was checked against.
        verifiers: Vec<String> = Vec::new(),
        /// The PyTorch that wrote it.
        torch_version: String = "<=2.4".to_owned(),
        /// Python text of the conditions on the inputs. Absent before 2.9.
        guards_code: Vec<String> = Vec::new(),
    }
}
