//! Names, places, constants and bit patterns.

use super::*;
use pt2::program::TensorPort;
use pt2::program::schema::{ConstantValue, Device, Layout};

fn tensor(name: &str, dtype: ScalarType) -> Port {
    let device = Device { r#type: "cpu".into(), index: None };
    let port = TensorPort { dtype, sizes: vec![], strides: vec![], device, layout: Layout::Strided };
    Port { name: name.into(), value: "x".into(), kind: PortKind::Tensor(port) }
}

fn constant(name: &str) -> Port {
    Port { name: name.into(), value: String::new(), kind: PortKind::Constant(ConstantValue::Int(3)) }
}

fn array(name: &str, dtype: ScalarType) -> Array {
    Array { name: name.into(), dtype, sizes: vec![], bytes: vec![0; dtype.size_in_bytes()] }
}

fn given(names: &[&str]) -> GivenArray {
    let arrays = names.iter().map(|name| array(name, ScalarType::Float)).collect();
    GivenArray { arrays, chosen: false, unordered: None }
}

fn ports() -> Vec<Port> {
    let float = ScalarType::Float;
    vec![tensor("args[0]", float), constant("args[1]"), tensor("kwargs[\"mask\"]", float)]
}

fn places(given: GivenArray) -> Result<Vec<String>, String> {
    match assign(&ports(), given) {
        Ok(arrays) => Ok(arrays.into_iter().map(|array| array.map_or("-".into(), |it| it.name)).collect()),
        Err(Failure::Refused(reason)) => Err(reason),
        Err(Failure::ReaderGone) => Err(String::new()),
    }
}

#[test]
fn names_decide_where_all_are_known() {
    assert_eq!(places(given(&["kwargs.mask", "args.0"])).unwrap(), ["args.0", "-", "kwargs.mask"]);
    let full = ["kwargs[\"mask\"]", "args[1]", "args[0]"];
    assert_eq!(places(given(&full)).unwrap(), ["args[0]", "args[1]", "kwargs[\"mask\"]"]);
    assert_eq!(places(given(&["args.0_bf16", "kwargs.mask"])).unwrap(), ["args.0_bf16", "-", "kwargs.mask"]);
    let missing = places(given(&["args.0"])).unwrap_err();
    assert_eq!(missing, "input `kwargs[\"mask\"]`: no --input file holds it");
}

#[test]
fn order_decides_otherwise() {
    assert_eq!(places(given(&["b", "a"])).unwrap(), ["b", "-", "a"]);
    assert_eq!(places(given(&["c", "b", "a"])).unwrap(), ["c", "b", "a"]);
    assert_eq!(places(given(&["kwargs.mask", "x"])).unwrap(), ["kwargs.mask", "-", "x"]);
    let chosen = GivenArray { chosen: true, ..given(&["kwargs.mask", "args.0"]) };
    assert_eq!(places(chosen).unwrap(), ["kwargs.mask", "-", "args.0"]);
}

#[test]
fn what_has_no_order_needs_names() {
    let unordered = |names: &[&str]| GivenArray { unordered: Some("f.safetensors".into()), ..given(names) };
    assert!(places(unordered(&["kwargs.mask", "args.0"])).is_ok());
    let refused = places(unordered(&["mask", "x"])).unwrap_err();
    assert!(refused.contains("args.0, args.1, kwargs.mask"), "{refused}");
}

#[test]
fn too_many_and_too_few_are_counted() {
    assert_eq!(places(given(&[])).unwrap_err(), "the program takes 2 inputs, got 0");
    let many = places(given(&["a", "b", "c", "d"])).unwrap_err();
    assert_eq!(many, "the program takes 2 inputs, got 4; choose with --input FILE:NAME,NAME");
}

#[test]
fn bit_patterns_become_bfloat16_where_that_is_wanted() {
    for (wanted, found, taken) in [
        (ScalarType::BFloat16, ScalarType::UInt16, ScalarType::BFloat16),
        (ScalarType::BFloat16, ScalarType::Float, ScalarType::Float),
        (ScalarType::UInt16, ScalarType::UInt16, ScalarType::UInt16),
    ] {
        let given = GivenArray { arrays: vec![array("x", found)], chosen: false, unordered: None };
        let placed = assign(&[tensor("args[0]", wanted)], given).unwrap();
        assert_eq!(placed[0].as_ref().unwrap().dtype, taken);
    }
}
