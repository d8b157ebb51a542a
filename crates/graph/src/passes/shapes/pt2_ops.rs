//! Shapes of libpt2's own operators, which passes insert.

use super::super::pt2_ops;
use super::arguments::NodeArguments;
use super::element::ElementSize;
use super::shape::Shape;
use crate::graph::Node;

/// Returns the shapes of all results.
pub fn shapes(name: &str, arguments: &NodeArguments) -> Option<Vec<Shape>> {
    match name {
        pt2_ops::FOLD_NORMS => folded(arguments),
        pt2_ops::PRODUCT | pt2_ops::CONVOLUTION_WEIGHT => {
            arguments.tensor("self").map(|shape| vec![shape.clone()])
        }
        pt2_ops::ORDERED_WEIGHT => arguments.tensor("weight").map(|shape| vec![shape.clone()]),
        pt2_ops::SPACE_TO_DEPTH => blocks(arguments).map(|shape| vec![shape]),
        _ => None,
    }
}

/// Returns true if the result only refers to the node's arguments. The weight is prepacked later,
/// by the calls.
pub fn only_holds(node: &Node) -> bool {
    node.is("pt2", pt2_ops::CONVOLUTION_WEIGHT)
}

/// Returns the shapes of factors and shifts: two vectors as long as all variances together.
fn folded(arguments: &NodeArguments) -> Option<Vec<Shape>> {
    let variances = arguments.listed("variances")?;
    let length = variances.iter().try_fold(0i64, |sum, each| sum.checked_add(each.elements()?))?;
    let vector = |dtype| Shape { sizes: vec![length], element: ElementSize::of(dtype) };
    let double = crate::program::schema::ScalarType::Double;
    Some(vec![vector(double), vector(arguments.dtype()??)])
}

fn blocks(arguments: &NodeArguments) -> Option<Shape> {
    let from = arguments.tensor("self")?;
    let [count, _, height, width] = from.sizes.as_slice() else { return None };
    let at = |name: &str, at: usize| arguments.ints(name)?.get(at).copied();
    let axis = |size: i64, place: usize| {
        let padded = size.checked_add(at("before", place)?)?.checked_add(at("after", place)?)?;
        padded.checked_div(at("block", place)?)
    };
    let sizes = vec![*count, arguments.int("channels", 0)?, axis(*height, 0)?, axis(*width, 1)?];
    Some(Shape { sizes, element: from.element })
}
