//! Shapes of factories, and of operators that concatenate, repeat, index or pad.

use super::arguments::NodeArguments;
use super::shape::wrapped;

/// Returns the sizes of the result.
pub fn sizes(name: &str, arguments: &NodeArguments) -> Option<Vec<i64>> {
    match name {
        "full" | "zeros" | "ones" => arguments.ints("size"),
        "arange" => arange(arguments).map(|length| vec![length]),
        "linspace" => Some(vec![arguments.int("steps", 0)?]),
        "eye" => {
            let rows = arguments.int("n", 0)?;
            Some(vec![rows, arguments.int("m", rows)?])
        }
        "scalar_tensor" => Some(Vec::new()),
        "zeros_like" => arguments.first().map(|shape| shape.sizes.clone()),
        "cat" => joined(arguments),
        "stack" => stacked(arguments),
        "repeat" => repeated(arguments),
        "gather" => arguments.tensor("index").map(|index| index.sizes.clone()),
        "index_select" => {
            let mut sizes = arguments.first()?.sizes.clone();
            let at = wrapped(arguments.int("dim", 0)?, sizes.len())?;
            let index = arguments.tensor("index")?;
            *sizes.get_mut(at)? = index.elements()?;
            Some(sizes)
        }
        "embedding" => {
            let (_, row) = arguments.tensor("weight")?.sizes.split_first()?;
            let indices = arguments.tensor("indices")?;
            Some(indices.sizes.iter().chain(row).copied().collect())
        }
        "constant_pad_nd" => padded(arguments),
        _ if name.starts_with("upsample_") => {
            let given = arguments.ints("output_size")?;
            let sizes = &arguments.first()?.sizes;
            (sizes.len() == given.len() + 2).then(|| sizes.iter().take(2).chain(&given).copied().collect())
        }
        _ => None,
    }
}

fn arange(arguments: &NodeArguments) -> Option<i64> {
    let number = |name: &str, default: f64| match arguments.node.argument(name) {
        None => Some(default),
        Some(operand) => operand.number(),
    };
    let (start, end, step) = (number("start", 0.0)?, number("end", f64::NAN)?, number("step", 1.0)?);
    let length = ((end - start) / step).ceil();
    // Larger counts are not exact in float64.
    (0.0..(1u64 << 52) as f64).contains(&length).then_some(length as i64)
}

fn joined(arguments: &NodeArguments) -> Option<Vec<i64>> {
    let all = arguments.listed("tensors")?;
    let (first, rest) = all.split_first()?;
    let mut sizes = first.sizes.clone();
    let at = wrapped(arguments.int("dim", 0)?, sizes.len())?;
    for other in rest {
        if other.sizes.len() != sizes.len() {
            return None;
        }
        let to = sizes.get_mut(at)?;
        *to = to.checked_add(*other.sizes.get(at)?)?;
    }
    Some(sizes)
}

fn stacked(arguments: &NodeArguments) -> Option<Vec<i64>> {
    let all = arguments.listed("tensors")?;
    let mut sizes = all.first()?.sizes.clone();
    let at = wrapped(arguments.int("dim", 0)?, sizes.len() + 1)?;
    sizes.insert(at, i64::try_from(all.len()).ok()?);
    Some(sizes)
}

fn repeated(arguments: &NodeArguments) -> Option<Vec<i64>> {
    let repeats = arguments.ints("repeats")?;
    let sizes = &arguments.first()?.sizes;
    let before = repeats.len().checked_sub(sizes.len())?;
    let sizes = std::iter::repeat_n(1, before).chain(sizes.iter().copied());
    repeats.iter().zip(sizes).map(|(repeats, size)| size.checked_mul(*repeats)).collect()
}

/// Returns padded sizes. `pad` has two numbers for each dimension, starting with the last
/// dimension.
fn padded(arguments: &NodeArguments) -> Option<Vec<i64>> {
    let (pad, mut sizes) = (arguments.ints("pad")?, arguments.first()?.sizes.clone());
    if pad.len() % 2 != 0 || pad.len() / 2 > sizes.len() {
        return None;
    }
    for (size, pair) in sizes.iter_mut().rev().zip(pad.chunks(2)) {
        let [before, after] = pair else { return None };
        *size = size.checked_add(*before)?.checked_add(*after)?;
    }
    Some(sizes)
}
