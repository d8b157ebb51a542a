//! Shapes of views, and of operators that copy where a view is impossible.

use super::super::sorted_names::is_listed;
use super::arguments::NodeArguments;
use super::element::ElementSize;
use super::shape::{Shape, elements, wrapped};
use crate::graph::Node;

/// Returns the shapes of all results.
pub fn shapes(name: &str, arguments: &NodeArguments) -> Option<Vec<Shape>> {
    let from = arguments.first()?;
    if let Some(parts) = parts(name, arguments, &from.sizes) {
        let part = |sizes| Shape { sizes, element: from.element };
        return Some(parts?.into_iter().map(part).collect());
    }
    let sizes = sizes(name, arguments, &from.sizes)?;
    Some(vec![Shape { sizes, element: element(name, arguments, from)? }])
}

/// Returns true if the result always shares memory with the argument.
pub fn never_copies(node: &Node) -> bool {
    let crate::graph::Target::Operator { namespace, name, .. } = &node.target else { return false };
    namespace == "aten" && is_listed(&PLAIN, name)
}

fn element(name: &str, arguments: &NodeArguments, from: &Shape) -> Option<ElementSize> {
    match (name, arguments.dtype()?, arguments.tensor("other")) {
        (_, Some(dtype), _) => Some(ElementSize::of(dtype)),
        ("to" | "type_as", None, Some(other)) => Some(other.element),
        _ => Some(from.element),
    }
}

fn sizes(name: &str, arguments: &NodeArguments, from: &[i64]) -> Option<Vec<i64>> {
    let mut sizes = from.to_vec();
    let dim = |name: &str, default: i64| wrapped(arguments.int(name, default)?, from.len());
    match name {
        "alias" | "contiguous" | "detach" | "lift_fresh" | "to" | "type_as" => {}
        // A view as another dtype changes the last size.
        "view" if arguments.node.argument("dtype").is_some() => return None,
        "view" | "_unsafe_view" => return filled(arguments.ints("size")?, from),
        "reshape" => return filled(arguments.ints("shape")?, from),
        "expand" | "broadcast_to" => return expanded(arguments.ints("size")?, from),
        "expand_as" | "reshape_as" | "view_as" => return Some(arguments.tensor("other")?.sizes.clone()),
        "as_strided" => return arguments.ints("size"),
        "permute" => {
            let dims = arguments.ints("dims")?;
            return dims.iter().map(|dim| from.get(wrapped(*dim, from.len())?).copied()).collect();
        }
        "transpose" | "swapdims" => swap(&mut sizes, dim("dim0", 0)?, dim("dim1", 0)?),
        "swapaxes" => swap(&mut sizes, dim("axis0", 0)?, dim("axis1", 0)?),
        "t" => sizes.reverse(),
        "unsqueeze" => sizes.insert(wrapped(arguments.int("dim", 0)?, from.len() + 1)?, 1),
        "squeeze" => return squeezed(arguments, from),
        "flatten" => return flattened(dim("start_dim", 0)?, dim("end_dim", -1)?, from),
        "unflatten" => return unflattened(dim("dim", 0)?, &arguments.ints("sizes")?, from),
        "slice" => *sizes.get_mut(dim("dim", 0)?)? = sliced(arguments, *from.get(dim("dim", 0)?)?)?,
        "select" => drop(sizes.remove(dim("dim", 0).filter(|at| *at < from.len())?)),
        "narrow" => *sizes.get_mut(dim("dim", 0)?)? = arguments.int("length", 0)?,
        _ => return None,
    }
    Some(sizes)
}

/// Swaps two dimensions. A tensor of rank 0 accepts the dimensions 0 and -1, and has none to swap.
fn swap(sizes: &mut [i64], one: usize, other: usize) {
    if one.max(other) < sizes.len() {
        sizes.swap(one, other);
    }
}

/// Returns the sizes of each part, or `None` for an operator that returns one tensor.
fn parts(name: &str, arguments: &NodeArguments, from: &[i64]) -> Option<Option<Vec<Vec<i64>>>> {
    match name {
        "split_with_sizes" | "unsafe_split_with_sizes" => {
            Some(arguments.ints("split_sizes").and_then(|sizes| parted(arguments, from, sizes)))
        }
        "split" | "unsafe_split" => Some(split(arguments, from)),
        "unbind" => Some(unbound(arguments, from)),
        _ => None,
    }
}

fn parted(arguments: &NodeArguments, from: &[i64], parts: Vec<i64>) -> Option<Vec<Vec<i64>>> {
    (parts.len() == arguments.node.defined().count()).then_some(())?;
    let at = wrapped(arguments.int("dim", 0)?, from.len())?;
    let part = |size| {
        let mut sizes = from.to_vec();
        *sizes.get_mut(at)? = size;
        Some(sizes)
    };
    parts.into_iter().map(part).collect()
}

fn split(arguments: &NodeArguments, from: &[i64]) -> Option<Vec<Vec<i64>>> {
    let whole = *from.get(wrapped(arguments.int("dim", 0)?, from.len())?)?;
    let each = arguments.int("split_size", 0).filter(|each| *each > 0)?;
    let full = usize::try_from(whole / each).ok()?;
    // A node defines one value for each part, so more parts are an error. This check bounds the
    // allocation below.
    (full < arguments.node.defined().count() + 1).then_some(())?;
    let rest = (whole % each > 0 || whole == 0).then_some(whole % each);
    parted(arguments, from, std::iter::repeat_n(each, full).chain(rest).collect())
}

fn unbound(arguments: &NodeArguments, from: &[i64]) -> Option<Vec<Vec<i64>>> {
    let at = wrapped(arguments.int("dim", 0)?, from.len())?;
    let count = usize::try_from(*from.get(at)?).ok()?;
    let mut sizes = from.to_vec();
    sizes.remove(at);
    (count == arguments.node.defined().count()).then(|| vec![sizes; count])
}

/// Resolves a size of -1, of which there is at most one.
fn filled(mut sizes: Vec<i64>, from: &[i64]) -> Option<Vec<i64>> {
    let Some(open) = sizes.iter().position(|size| *size == -1) else { return Some(sizes) };
    *sizes.get_mut(open)? = 1;
    let (all, others) = (elements(from)?, elements(&sizes)?);
    (others > 0 && all % others == 0).then_some(())?;
    *sizes.get_mut(open)? = all / others;
    Some(sizes)
}

fn expanded(mut sizes: Vec<i64>, from: &[i64]) -> Option<Vec<i64>> {
    let before = sizes.len().checked_sub(from.len())?;
    for (to, size) in sizes.iter_mut().skip(before).zip(from) {
        if *to == -1 {
            *to = *size;
        }
    }
    Some(sizes)
}

fn squeezed(arguments: &NodeArguments, from: &[i64]) -> Option<Vec<i64>> {
    let gone = match arguments.dims("dim")? {
        None => (0..from.len()).collect(),
        Some(dims) => dims.iter().map(|dim| wrapped(*dim, from.len())).collect::<Option<Vec<_>>>()?,
    };
    let kept = from.iter().enumerate().filter(|(at, size)| **size != 1 || !gone.contains(at));
    Some(kept.map(|(_, size)| *size).collect())
}

fn flattened(start: usize, end: usize, from: &[i64]) -> Option<Vec<i64>> {
    if from.is_empty() {
        return Some(vec![1]);
    }
    let joined = elements(from.get(start..=end).filter(|joined| !joined.is_empty())?)?;
    let (before, after) = (from.get(..start)?, from.get(end + 1..)?);
    Some(before.iter().copied().chain([joined]).chain(after.iter().copied()).collect())
}

fn unflattened(at: usize, sizes: &[i64], from: &[i64]) -> Option<Vec<i64>> {
    let parts = filled(sizes.to_vec(), from.get(at..=at)?)?;
    let (before, after) = (from.get(..at)?, from.get(at + 1..)?);
    Some(before.iter().copied().chain(parts).chain(after.iter().copied()).collect())
}

fn sliced(arguments: &NodeArguments, size: i64) -> Option<i64> {
    let place = |name: &str, default: i64| {
        let at = arguments.optional_int(name, default)?;
        let at = if at < 0 { at.checked_add(size)? } else { at };
        Some(at.clamp(0, size))
    };
    let (start, end) = (place("start", 0)?, place("end", i64::MAX)?);
    let step = arguments.int("step", 1).filter(|step| *step > 0)?;
    Some((end - start).max(0).checked_add(step - 1)? / step)
}

/// Operators whose results are always views.
const PLAIN: [&str; 24] = [
    "alias",
    "as_strided",
    "broadcast_to",
    "detach",
    "expand",
    "expand_as",
    "lift_fresh",
    "narrow",
    "permute",
    "select",
    "slice",
    "split",
    "split_with_sizes",
    "squeeze",
    "swapaxes",
    "swapdims",
    "t",
    "transpose",
    "unbind",
    "unsafe_split",
    "unsafe_split_with_sizes",
    "unsqueeze",
    "view",
    "view_as",
];
