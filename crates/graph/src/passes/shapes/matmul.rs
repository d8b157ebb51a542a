//! Products of matrices.

use super::arguments::{NodeArguments, broadcast};
use super::shape::Shape;

/// Returns the sizes of the result.
pub fn sizes(name: &str, arguments: &NodeArguments) -> Option<Vec<i64>> {
    let (left, right) = sides(name, arguments)?;
    match name {
        "linear" => {
            let (rows, _) = split(&left.sizes)?;
            let [results, _] = right.sizes.as_slice() else { return None };
            Some(rows.iter().copied().chain([*results]).collect())
        }
        "outer" => match (left.sizes.as_slice(), right.sizes.as_slice()) {
            ([rows], [columns]) => Some(vec![*rows, *columns]),
            _ => None,
        },
        _ => multiplied_sizes(&left.sizes, &right.sizes),
    }
}

/// Returns the number of multiplications for this many results; 0 for operators other than matrix
/// products.
pub fn multiplied(arguments: &NodeArguments, results: i64) -> Option<i64> {
    let crate::graph::Target::Operator { name, .. } = &arguments.node.target else { return Some(0) };
    match (name.as_str(), sides(name, arguments)) {
        ("outer", _) | (_, None) => Some(0),
        (_, Some((left, _))) => results.checked_mul(*left.sizes.last()?),
    }
}

fn sides<'a>(name: &str, arguments: &NodeArguments<'a>) -> Option<(&'a Shape, &'a Shape)> {
    let (left, right) = match name {
        "mm" | "bmm" => ("self", "mat2"),
        "matmul" => ("self", "other"),
        "linear" => ("input", "weight"),
        "addmm" => ("mat1", "mat2"),
        "baddbmm" => ("batch1", "batch2"),
        "outer" => ("self", "vec2"),
        _ => return None,
    };
    Some((arguments.tensor(left)?, arguments.tensor(right)?))
}

fn multiplied_sizes(left: &[i64], right: &[i64]) -> Option<Vec<i64>> {
    let (rows, _) = split(left)?;
    let [before @ .., _, columns] = right else {
        // The right operand is a vector.
        return (right.len() == 1).then(|| rows.to_vec());
    };
    let (batch, row) = split(rows).map_or((rows, None), |(batch, row)| (batch, Some(row)));
    let batch = broadcast([batch, before].into_iter())?;
    Some(batch.into_iter().chain(row).chain([*columns]).collect())
}

fn split(sizes: &[i64]) -> Option<(&[i64], i64)> {
    sizes.split_last().map(|(last, rest)| (rest, *last))
}
