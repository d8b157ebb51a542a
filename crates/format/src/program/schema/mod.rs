//! Exact mirror of `torch/_export/serde/schema.py`, with the same names and fields.
//!
//! Input: JSON text.
//!
//! Output: records as stored in the file. Nothing is interpreted here; the rest of the room checks
//! names and numbers. Compared with each PyTorch from 2.9 (8.14) to 2.15 (8.20).

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
    /// An argument with its name in the operator's schema.
    NamedArgument {
        /// The name. May be empty for higher-order operators.
        name: String,
        /// The argument.
        arg: Argument,
        /// The kind. Absent before PyTorch 2.8.
        kind: Option<ArgumentKind> = None,
    }
}

record! {
    /// A call of an operator.
    Node {
        /// The operator, such as `torch.ops.aten.add.Tensor`.
        target: String,
        /// The arguments that differ from the operator's defaults.
        inputs: Vec<NamedArgument>,
        /// The results of the call.
        outputs: Vec<Argument>,
        /// Information for Python, such as `stack_trace`.
        metadata: BTreeMap<String, Untyped> = BTreeMap::new(),
        /// True if a higher-order operator returns a tensor instead of a list of one. Absent before
        /// PyTorch 2.7.
        is_hop_single_tensor_return: Option<bool> = None,
        /// The node's name. Absent before PyTorch 2.9.
        name: Option<String> = None,
    }
}

record! {
    /// A list of nodes with its inputs and outputs.
    Graph {
        /// The inputs.
        inputs: Vec<Argument>,
        /// The outputs.
        outputs: Vec<Argument>,
        /// The nodes, in execution order.
        nodes: Vec<Node>,
        /// The properties of each tensor.
        tensor_values: BTreeMap<String, TensorMeta>,
        /// The properties of each symbolic int.
        sym_int_values: BTreeMap<String, SymInt>,
        /// The properties of each symbolic bool.
        sym_bool_values: BTreeMap<String, SymBool>,
        /// True if a subgraph returns a tensor instead of a list of one.
        is_single_tensor_return: bool = false,
        /// The class of each object.
        custom_obj_values: BTreeMap<String, CustomObjArgument> = BTreeMap::new(),
        /// The properties of each symbolic float.
        sym_float_values: BTreeMap<String, SymFloat> = BTreeMap::new(),
    }
}

record! {
    /// The bounds of a symbol. An absent bound is infinite.
    RangeConstraint {
        /// The lower bound.
        min_val: Option<PythonInt> = None,
        /// The upper bound.
        max_val: Option<PythonInt> = None,
    }
}

record! {
    /// Calling convention of a module.
    ModuleCallSignature {
        /// The flat inputs. For the root module they are those of the graph's signature.
        inputs: Vec<Untyped>,
        /// The flat outputs.
        outputs: Vec<Untyped>,
        /// The pytree of the inputs.
        in_spec: String,
        /// The pytree of the outputs.
        out_spec: String,
        /// The names of `forward`'s parameters.
        forward_arg_names: Option<Vec<String>> = None,
    }
}

record! {
    /// One module of the module hierarchy.
    ModuleCallEntry {
        /// The path of the module. Empty for the root.
        fqn: String,
        /// The calling convention, if the exporter kept it.
        signature: Option<ModuleCallSignature> = None,
    }
}

record! {
    /// The fields of a named tuple.
    NamedTupleDef {
        /// The names of the fields.
        field_names: Vec<String>,
    }
}

record! {
    /// A graph with its signature and calling convention.
    GraphModule {
        /// The graph.
        graph: Graph,
        /// The roles of its inputs and outputs.
        signature: GraphSignature,
        /// The calling conventions of the modules. The root comes first.
        module_call_graph: Vec<ModuleCallEntry>,
        /// Other data.
        metadata: BTreeMap<String, Untyped> = BTreeMap::new(),
        /// The fields of each named tuple. Absent before PyTorch 2.7.
        treespec_namedtuple_fields: BTreeMap<String, NamedTupleDef> = BTreeMap::new(),
    }
}

record! {
    /// The version of the schema.
    SchemaVersion {
        /// Incremented by changes that old readers would misread.
        major: i64,
        /// Incremented by additions.
        minor: i64,
    }
}

record! {
    /// A whole program file.
    ExportedProgram {
        /// The program.
        graph_module: GraphModule,
        /// The version of each operator namespace.
        opset_version: BTreeMap<String, Untyped>,
        /// The bounds of each symbol.
        range_constraints: BTreeMap<String, RangeConstraint>,
        /// The version of the schema.
        schema_version: SchemaVersion,
        /// The dialects against which the exporter verified it.
        verifiers: Vec<String> = Vec::new(),
        /// The version of PyTorch that wrote the program.
        torch_version: String = "<=2.4".to_owned(),
        /// The guards: conditions on the inputs as Python text. Absent before PyTorch 2.9.
        guards_code: Vec<String> = Vec::new(),
    }
}
