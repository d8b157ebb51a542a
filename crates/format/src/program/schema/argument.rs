//! Leaves of the schema: arguments and results of nodes, and known properties of values.
//!
//! From `torch/_export/serde/schema.py`, 2.9 (8.14) to 2.15 (8.20). `as_float_lists` was added in
//! 2.12 (8.20).

use std::collections::BTreeMap;

use super::record::{record, union};
use super::untyped::PythonInt;
use super::{Graph, Layout, MemoryFormat, ScalarType};

record! {
    /// Device of a tensor on the exporting machine, which may differ from the caller's.
    Device {
        /// `cpu`, `cuda`, `meta` and so on.
        r#type: String,
        /// The device index.
        index: Option<i64> = None,
    }
}

union! {
    /// Value of a symbolic expression during export.
    SymExprHint {
        /// An int.
        "as_int" => Int(PythonInt),
        /// A bool.
        "as_bool" => Bool(bool),
        /// A float.
        "as_float" => Float(f64),
    }
}

record! {
    /// A symbolic expression.
    SymExpr {
        /// The text, as sympy's `srepr` writes it.
        expr_str: String,
        /// The value during export.
        hint: Option<SymExprHint> = None,
    }
}

union! {
    /// An int that is constant or depends on symbols.
    SymInt {
        /// An expression of symbols.
        "as_expr" => Expr(SymExpr),
        /// A constant.
        "as_int" => Int(i64),
    }
}

impl SymInt {
    /// Returns the value during export, if it is known.
    pub fn at_export(&self) -> Option<i64> {
        match self {
            SymInt::Int(value) => Some(*value),
            SymInt::Expr(SymExpr { hint: Some(SymExprHint::Int(hint)), .. }) => hint.in_64_bits(),
            SymInt::Expr(_) => None,
        }
    }
}

union! {
    /// A float that is constant or depends on symbols.
    SymFloat {
        /// An expression of symbols.
        "as_expr" => Expr(SymExpr),
        /// A constant.
        "as_float" => Float(f64),
    }
}

union! {
    /// A bool that is constant or depends on symbols.
    SymBool {
        /// An expression of symbols.
        "as_expr" => Expr(SymExpr),
        /// A constant.
        "as_bool" => Bool(bool),
    }
}

record! {
    /// Properties of a tensor during export.
    TensorMeta {
        /// The element type.
        dtype: ScalarType,
        /// The sizes.
        sizes: Vec<SymInt>,
        /// The tensor's `requires_grad`.
        requires_grad: bool,
        /// The device.
        device: Device,
        /// The strides, in elements.
        strides: Vec<SymInt>,
        /// The position of the first element in the storage, in elements.
        storage_offset: SymInt,
        /// The layout.
        layout: Layout,
    }
}

union! {
    /// An int: a value of the graph or a literal.
    SymIntArgument {
        /// A value of the graph.
        "as_name" => Name(String),
        /// A literal.
        "as_int" => Int(i64),
    }
}

union! {
    /// A float: a value of the graph or a literal.
    SymFloatArgument {
        /// A value of the graph.
        "as_name" => Name(String),
        /// A literal.
        "as_float" => Float(f64),
    }
}

union! {
    /// A bool: a value of the graph or a literal.
    SymBoolArgument {
        /// A value of the graph.
        "as_name" => Name(String),
        /// A literal.
        "as_bool" => Bool(bool),
    }
}

record! {
    /// A tensor of the graph.
    TensorArgument {
        /// The value's name.
        name: String,
    }
}

record! {
    /// A token that orders side effects.
    TokenArgument {
        /// The value's name.
        name: String,
    }
}

union! {
    /// A tensor or Python's None.
    OptionalTensorArgument {
        /// A tensor.
        "as_tensor" => Tensor(TensorArgument),
        /// None.
        "as_none" => None,
    }
}

record! {
    /// A subgraph of a higher-order operator.
    GraphArgument {
        /// The attribute that refers to the subgraph in Python.
        name: String,
        /// The subgraph.
        graph: Graph,
    }
}

record! {
    /// An object of a class that is registered with libtorch.
    CustomObjArgument {
        /// The value's name.
        name: String,
        /// The class.
        class_fqn: String,
    }
}

record! {
    /// A complex number.
    ComplexValue {
        /// The real part.
        real: f64,
        /// The imaginary part.
        imag: f64,
    }
}

union! {
    /// An argument or a result of a node.
    Argument {
        /// Python's None.
        "as_none" => None,
        /// A tensor.
        "as_tensor" => Tensor(TensorArgument),
        /// A list of tensors.
        "as_tensors" => Tensors(Vec<TensorArgument>),
        /// An int.
        "as_int" => Int(i64),
        /// A list of ints.
        "as_ints" => Ints(Vec<i64>),
        /// A float.
        "as_float" => Float(f64),
        /// A list of floats.
        "as_floats" => Floats(Vec<f64>),
        /// A string.
        "as_string" => String(String),
        /// A list of strings.
        "as_strings" => Strings(Vec<String>),
        /// A symbolic int.
        "as_sym_int" => SymInt(SymIntArgument),
        /// A list of ints, some of them symbolic.
        "as_sym_ints" => SymInts(Vec<SymIntArgument>),
        /// An element type.
        "as_scalar_type" => ScalarType(ScalarType),
        /// A memory format.
        "as_memory_format" => MemoryFormat(MemoryFormat),
        /// A layout.
        "as_layout" => Layout(Layout),
        /// A device.
        "as_device" => Device(Device),
        /// A bool.
        "as_bool" => Bool(bool),
        /// A list of bools.
        "as_bools" => Bools(Vec<bool>),
        /// A symbolic bool.
        "as_sym_bool" => SymBool(SymBoolArgument),
        /// A list of bools, some of them symbolic.
        "as_sym_bools" => SymBools(Vec<SymBoolArgument>),
        /// A subgraph.
        "as_graph" => Graph(Box<GraphArgument>),
        /// A list of tensors and Nones.
        "as_optional_tensors" => OptionalTensors(Vec<OptionalTensorArgument>),
        /// An object of a registered class.
        "as_custom_obj" => CustomObj(CustomObjArgument),
        /// An operator, by name.
        "as_operator" => Operator(String),
        /// A symbolic float.
        "as_sym_float" => SymFloat(SymFloatArgument),
        /// A list of floats, some of them symbolic.
        "as_sym_floats" => SymFloats(Vec<SymFloatArgument>),
        /// A tensor or None.
        "as_optional_tensor" => OptionalTensor(OptionalTensorArgument),
        /// A complex number.
        "as_complex" => Complex(ComplexValue),
        /// A list of lists of tensors.
        "as_nested_tensors" => NestedTensors(Vec<Vec<TensorArgument>>),
        /// A list of lists of ints.
        "as_int_lists" => IntLists(Vec<Vec<i64>>),
        /// A dictionary.
        "as_string_to_argument" => StringToArgument(BTreeMap<String, Argument>),
        /// A list of lists of floats.
        "as_float_lists" => FloatLists(Vec<Vec<f64>>),
    }
}
