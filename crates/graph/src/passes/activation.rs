//! Activations that may follow a convolution.

use crate::graph::{Node, Operand, Target, ValueId};

/// Function of one element.
#[derive(Clone, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// Logistic function.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `x * sigmoid(x)`.
    Silu,
    /// `x * clamp(x + 3, 0, 6) / 6`.
    Hardswish,
    /// `clamp(x + 3, 0, 6) / 6`.
    Hardsigmoid,
    /// `clamp(x, low, high)`.
    Hardtanh(f64, f64),
    /// Negative elements are multiplied by this.
    LeakyRelu(f64),
    /// GELU, exact (`none`) or approximated (`tanh`).
    Gelu(&'static str),
}

impl Activation {
    /// Returns the activation that a node is, in place or not, with its argument.
    pub fn of(node: &Node) -> Option<(Activation, ValueId)> {
        let Target::Operator { namespace, name, overload } = &node.target else { return None };
        if namespace != "aten" || overload != "default" {
            return None;
        }
        let number = |name: &str, default: f64| node.argument(name).map_or(Some(default), Operand::number);
        let activation = match name.strip_suffix('_').unwrap_or(name) {
            "relu" => Activation::Relu,
            "sigmoid" => Activation::Sigmoid,
            "tanh" => Activation::Tanh,
            "silu" => Activation::Silu,
            "hardswish" => Activation::Hardswish,
            "hardsigmoid" => Activation::Hardsigmoid,
            "relu6" => Activation::Hardtanh(0.0, 6.0),
            "hardtanh" => Activation::Hardtanh(number("min_val", -1.0)?, number("max_val", 1.0)?),
            "leaky_relu" => Activation::LeakyRelu(number("negative_slope", 0.01)?),
            "gelu" => Activation::Gelu(match node.argument("approximate") {
                None => "none",
                Some(Operand::String(text)) if text == "none" => "none",
                Some(Operand::String(text)) if text == "tanh" => "tanh",
                Some(_) => return None,
            }),
            _ => return None,
        };
        Some((activation, node.argument("self")?.value()?))
    }

    /// Returns attribute, scalars and algorithm of oneDNN's fused calls (`fusion_unary_attr_map` of
    /// `aten/src/ATen/native/mkldnn/Common.h`, 2.11).
    pub fn onednn(&self) -> (&'static str, Vec<f64>, &'static str) {
        match self {
            Activation::Relu => ("relu", Vec::new(), ""),
            Activation::Sigmoid => ("sigmoid", Vec::new(), ""),
            Activation::Tanh => ("tanh", Vec::new(), ""),
            Activation::Silu => ("swish", Vec::new(), ""),
            Activation::Hardswish => ("hardswish", Vec::new(), ""),
            Activation::Hardsigmoid => ("hardsigmoid", Vec::new(), ""),
            Activation::Hardtanh(low, high) => ("hardtanh", vec![*low, *high], ""),
            Activation::LeakyRelu(slope) => ("leaky_relu", vec![*slope], ""),
            Activation::Gelu(algorithm) => ("gelu", Vec::new(), algorithm),
        }
    }
}
