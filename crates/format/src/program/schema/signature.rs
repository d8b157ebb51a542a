//! Roles of the graph's inputs and outputs for the caller and for the module's state.
//!
//! From `torch/_export/serde/schema.py` 2.11 (8.17).

use super::record::{record, union};
use super::{Argument, CustomObjArgument, TensorArgument, TokenArgument};

record! {
    /// An input that the caller passes.
    UserInputSpec {
        /// The graph input.
        arg: Argument,
    }
}

union! {
    /// A constant that the caller passed during export and must pass again.
    ConstantValue {
        /// Python's None.
        "as_none" => None,
        /// An int.
        "as_int" => Int(i64),
        /// A float.
        "as_float" => Float(f64),
        /// A string.
        "as_string" => String(String),
        /// A bool.
        "as_bool" => Bool(bool),
    }
}

impl std::fmt::Display for ConstantValue {
    /// Formats the constant as in Python, with strings in double quotes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ConstantValue::None => f.write_str("None"),
            ConstantValue::Int(value) => write!(f, "{value}"),
            ConstantValue::Float(value) => write!(f, "{value:?}"),
            ConstantValue::String(value) => write!(f, "{value:?}"),
            ConstantValue::Bool(true) => f.write_str("True"),
            ConstantValue::Bool(false) => f.write_str("False"),
        }
    }
}

record! {
    /// An input whose value is fixed.
    InputToConstantInputSpec {
        /// The graph input.
        name: String,
        /// The value.
        value: ConstantValue,
    }
}

record! {
    /// An input that is a parameter.
    InputToParameterSpec {
        /// The graph input.
        arg: TensorArgument,
        /// The parameter.
        parameter_name: String,
    }
}

record! {
    /// An input that is a buffer.
    InputToBufferSpec {
        /// The graph input.
        arg: TensorArgument,
        /// The buffer.
        buffer_name: String,
        /// True if the state dict holds the buffer; otherwise the constants do.
        persistent: bool,
    }
}

record! {
    /// An input that is a lifted constant tensor.
    InputToTensorConstantSpec {
        /// The graph input.
        arg: TensorArgument,
        /// The constant.
        tensor_constant_name: String,
    }
}

record! {
    /// An input that is an object of a registered class.
    InputToCustomObjSpec {
        /// The graph input.
        arg: CustomObjArgument,
        /// The constant.
        custom_obj_name: String,
    }
}

record! {
    /// An input that only orders side effects.
    InputTokenSpec {
        /// The graph input.
        arg: TokenArgument,
    }
}

union! {
    /// Role of a graph input.
    InputSpec {
        /// Passed by the caller.
        "user_input" => UserInput(UserInputSpec),
        /// A parameter.
        "parameter" => Parameter(InputToParameterSpec),
        /// A buffer.
        "buffer" => Buffer(InputToBufferSpec),
        /// A lifted constant tensor.
        "tensor_constant" => TensorConstant(InputToTensorConstantSpec),
        /// An object of a registered class.
        "custom_obj" => CustomObj(InputToCustomObjSpec),
        /// A token.
        "token" => Token(InputTokenSpec),
        /// Passed by the caller, with a fixed value.
        "constant_input" => ConstantInput(InputToConstantInputSpec),
    }
}

record! {
    /// An output that the caller receives.
    UserOutputSpec {
        /// The graph output.
        arg: Argument,
    }
}

record! {
    /// The loss of a training program, which the caller receives.
    LossOutputSpec {
        /// The graph output.
        arg: TensorArgument,
    }
}

record! {
    /// An output that becomes the new content of a buffer.
    BufferMutationSpec {
        /// The graph output.
        arg: TensorArgument,
        /// The buffer.
        buffer_name: String,
    }
}

record! {
    /// An output that becomes the new content of a parameter.
    ParameterMutationSpec {
        /// The graph output.
        arg: TensorArgument,
        /// The parameter.
        parameter_name: String,
    }
}

record! {
    /// An output that is the gradient of a parameter.
    GradientToParameterSpec {
        /// The graph output.
        arg: TensorArgument,
        /// The parameter.
        parameter_name: String,
    }
}

record! {
    /// An output that is the gradient of an input.
    GradientToUserInputSpec {
        /// The graph output.
        arg: TensorArgument,
        /// The graph input.
        user_input_name: String,
    }
}

record! {
    /// An output that becomes the new content of an input.
    UserInputMutationSpec {
        /// The graph output.
        arg: TensorArgument,
        /// The graph input.
        user_input_name: String,
    }
}

record! {
    /// An output that only orders side effects.
    OutputTokenSpec {
        /// The graph output.
        arg: TokenArgument,
    }
}

union! {
    /// Role of a graph output.
    OutputSpec {
        /// Returned to the caller.
        "user_output" => UserOutput(UserOutputSpec),
        /// The loss, returned to the caller.
        "loss_output" => LossOutput(LossOutputSpec),
        /// New content of a buffer.
        "buffer_mutation" => BufferMutation(BufferMutationSpec),
        /// Gradient of a parameter.
        "gradient_to_parameter" => GradientToParameter(GradientToParameterSpec),
        /// Gradient of an input.
        "gradient_to_user_input" => GradientToUserInput(GradientToUserInputSpec),
        /// New content of an input.
        "user_input_mutation" => UserInputMutation(UserInputMutationSpec),
        /// A token.
        "token" => Token(OutputTokenSpec),
        /// New content of a parameter.
        "parameter_mutation" => ParameterMutation(ParameterMutationSpec),
    }
}

record! {
    /// Roles of all graph inputs and outputs, in the graph's order.
    GraphSignature {
        /// The inputs.
        input_specs: Vec<InputSpec>,
        /// The outputs.
        output_specs: Vec<OutputSpec>,
    }
}
