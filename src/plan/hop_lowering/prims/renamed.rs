//! Prims that are one operator of `aten` under another name.

use super::{aten, name_arguments};
use crate::graph::{Argument, Node, Operand, Rewriter};
use std::borrow::Cow;

/// Prim and its operator. Each parameter is `name`, `name:name of aten`, or `name:` if it is left
/// out.
pub struct Row {
    prim: Cow<'static, str>,
    parameters: &'static str,
    operator: Cow<'static, str>,
    added: &'static [(&'static str, i64)],
}

/// Operators on one tensor that keep its sizes and have the same name in `aten`.
const UNARY: [&str; 38] = [
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "bitwise_not",
    "ceil",
    "cos",
    "cosh",
    "digamma",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expm1",
    "floor",
    "imag",
    "isfinite",
    "lgamma",
    "log",
    "log10",
    "log1p",
    "log2",
    "neg",
    "real",
    "reciprocal",
    "round",
    "rsqrt",
    "sign",
    "signbit",
    "sin",
    "sinh",
    "sqrt",
    "tan",
    "tanh",
    "trunc",
];

/// Operators on one tensor that keep its sizes and have another name in `aten`.
const UNARY_RENAMED: [(&str, &str); 11] = [
    ("bessel_i0", "i0"),
    ("bessel_i0e", "special_i0e"),
    ("bessel_i1", "special_i1"),
    ("bessel_i1e", "special_i1e"),
    ("bessel_j0", "special_bessel_j0"),
    ("bessel_j1", "special_bessel_j1"),
    ("conj_physical", "_conj_physical"),
    ("erf_inv", "erfinv"),
    ("erfcx", "special_erfcx"),
    ("frexp", "frexp.Tensor"),
    ("ndtri", "special_ndtri"),
];

/// Operators on two tensors of the same sizes.
const BINARY: [(&str, &str); 27] = [
    ("add", "add.Tensor"),
    ("atan2", "atan2"),
    ("bitwise_and", "bitwise_and.Tensor"),
    ("bitwise_or", "bitwise_or.Tensor"),
    ("bitwise_xor", "bitwise_xor.Tensor"),
    ("eq", "eq.Tensor"),
    ("fmax", "fmax"),
    ("fmin", "fmin"),
    ("fmod", "fmod.Tensor"),
    ("gcd", "gcd"),
    ("ge", "ge.Tensor"),
    ("gt", "gt.Tensor"),
    ("hypot", "hypot"),
    ("igamma", "special_gammainc"),
    ("igammac", "special_gammaincc"),
    ("le", "le.Tensor"),
    ("lt", "lt.Tensor"),
    ("maximum", "maximum"),
    ("minimum", "minimum"),
    ("mul", "mul.Tensor"),
    ("ne", "ne.Tensor"),
    ("nextafter", "nextafter"),
    ("remainder", "remainder.Tensor"),
    ("shift_left", "bitwise_left_shift.Tensor"),
    ("shift_right_arithmetic", "bitwise_right_shift.Tensor"),
    ("sub", "sub.Tensor"),
    ("zeta", "special_zeta"),
];

/// Prim, its parameters, the operator of `aten`, and constant arguments of that operator.
type Other = (&'static str, &'static str, &'static str, &'static [(&'static str, i64)]);

/// All other prims of one call.
const OTHERS: [Other; 34] = [
    ("amax", "inp:self dims:dim output_dtype:", "amax", &[]),
    ("amin", "inp:self dims:dim output_dtype:", "amin", &[]),
    ("as_strided", "a:self size stride storage_offset", "as_strided", &[]),
    ("as_strided_scatter", "self src size stride storage_offset", "as_strided_scatter", &[]),
    ("cat", "tensors dim", "cat", &[]),
    ("clone", "self memory_format", "clone", &[]),
    ("collapse_view", "a:self start:start_dim end:end_dim", "flatten.using_ints", &[]),
    ("conj", "a:self", "_conj", &[]),
    ("convert_element_type", "a:self dtype", "_to_copy", &[]),
    ("copy_to", "a:self b:src", "copy_", &[]),
    ("device_put", "a:self device non_blocking", "to.dtype_layout", &[]),
    ("empty", "shape:size dtype device requires_grad:", "empty.memory_format", &[]),
    ("empty_permuted", "shape:size physical_layout dtype device requires_grad:", "empty_permuted", &[]),
    ("empty_strided", "shape:size strides:stride dtype device requires_grad:", "empty_strided", &[]),
    ("fft_c2c", "self dim forward", "_fft_c2c", &[("normalization", 0)]),
    ("fft_c2r", "self dim last_dim_size", "_fft_c2r", &[("normalization", 0)]),
    ("fft_r2c", "self dim onesided", "_fft_r2c", &[("normalization", 0)]),
    ("fill", "self value", "fill.Scalar", &[]),
    ("full", "shape:size fill_value dtype device requires_grad:", "full", &[]),
    ("full_like", "a:self fill_value dtype device requires_grad:", "full_like", &[]),
    ("item", "a:self", "_local_scalar_dense", &[]),
    ("normal", "shape:size mean std dtype device requires_grad: generator:", "normal.float_float", &[]),
    ("pow", "self other:exponent", "pow.Tensor_Tensor", &[]),
    ("resize", "a:self shape:size", "resize_", &[]),
    ("rev", "a:self dims", "flip", &[]),
    ("scalar_tensor", "s dtype device", "scalar_tensor", &[]),
    ("spherical_bessel_j0", "self:x", "special_spherical_bessel_j0", &[]),
    ("squeeze", "a:self dimensions:dim", "squeeze.dims", &[]),
    ("sum", "inp:self dims:dim output_dtype:", "sum.dim_IntList", &[]),
    ("svd", "A full_matrices", "linalg_svd", &[]),
    ("transpose", "a:self permutation:dims", "permute", &[]),
    ("var", "inp:self dims:dim correction output_dtype:", "var.correction", &[]),
    ("view_of", "a:self", "alias", &[]),
    ("view_of_dtype", "a:self dtype", "view.dtype", &[]),
];

const WHERE: Row = Row {
    prim: Cow::Borrowed("where"),
    parameters: "pred:condition a:self b:other",
    operator: Cow::Borrowed("where.self"),
    added: &[],
};

/// Returns the row of a prim.
pub fn find(prim: &str) -> Option<Row> {
    rows().find(|row| row.prim == prim)
}

fn rows() -> impl Iterator<Item = Row> {
    let row = |prim, parameters, operator, added| Row {
        prim: Cow::Borrowed(prim),
        parameters,
        operator: Cow::Borrowed(operator),
        added,
    };
    let unary = UNARY.into_iter().map(move |name| row(name, "self", name, &[]));
    let renamed = UNARY_RENAMED.into_iter().map(move |(prim, aten)| row(prim, "self", aten, &[]));
    let binary = BINARY.into_iter().map(move |(prim, aten)| row(prim, "self other", aten, &[]));
    let others = OTHERS.into_iter().map(move |(prim, names, aten, added)| row(prim, names, aten, added));
    unary.chain(renamed).chain(binary).chain(others).chain([WHERE])
}

/// Writes the operator's call.
pub fn write(rewriter: &mut Rewriter<'_>, mut node: Node, row: Row) -> Result<(), String> {
    let pairs = row.parameters.split(' ').map(|pair| pair.split_once(':').unwrap_or((pair, pair)));
    name_arguments(&mut node.inputs, pairs.clone().map(|(prim, _)| prim))?;
    let mut inputs = Vec::with_capacity(node.inputs.len() + row.added.len());
    for argument in node.inputs {
        let name = pairs.clone().find(|(prim, _)| *prim == argument.name).map_or("", |(_, aten)| aten);
        match (name, &argument.value) {
            // libpt2 records no gradients, and no program holds a generator.
            ("", Operand::None | Operand::Bool(_)) => {}
            // PyTorch's implementations reject these arguments too.
            ("", _) => return Err(format!("the argument `{}` has no implementation", argument.name)),
            (name, _) => inputs.push(Argument { name: name.into(), ..argument }),
        }
    }
    inputs.extend(
        row.added.iter().map(|(name, value)| super::super::node_arguments::named(name, (*value).into())),
    );
    node.inputs = inputs;
    node.target = aten(&row.operator);
    rewriter.push(node);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Policy;
    use crate::torch::{CudaPolicy, Operator, start};

    #[test]
    fn every_row_fits_its_operator_which_any_program_may_call() {
        start(CudaPolicy::Never);
        for row in rows() {
            let (name, overload) = row.operator.split_once('.').unwrap_or((&row.operator, "default"));
            let operator =
                Operator::find("aten", name, overload).unwrap_or_else(|| panic!("{}", row.operator));
            assert!(Policy::default().admits("aten", name, overload), "{}", row.operator);
            let arguments: Vec<&str> = operator.arguments().collect();
            let given =
                row.parameters.split(' ').map(|pair| pair.split_once(':').map_or(pair, |(_, aten)| aten));
            for name in given.chain(row.added.iter().map(|(name, _)| *name)).filter(|name| !name.is_empty()) {
                assert!(arguments.contains(&name), "{} has no argument {name}", row.operator);
            }
        }
    }
}
