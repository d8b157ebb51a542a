//! Inputs and outputs of compiled code, from the exported program beside it or from its wrapper
//! source.

mod from_program;
mod from_source;

use self::from_source::SourceInterface;
use super::input_strides::{InputStrides, Stride};
use super::source::{DeclaredInput, WrapperSource};
use crate::Result;
use crate::program::{Dim, Interface, Program, TensorPort};

/// Interface of compiled code for the caller, and its mapping to the code's own inputs.
#[derive(Clone, Debug)]
pub struct PackageInterface {
    /// The interface for the caller.
    pub interface: Interface,
    /// The tensors that the code takes, in its order.
    pub takes: Vec<CodeInput>,
}

/// A tensor that the code takes.
#[derive(Clone, Debug)]
pub struct CodeInput {
    /// The index of the caller's input.
    pub port: usize,
    /// The required device type, as a number of libtorch.
    pub device_type: Option<i32>,
    /// The required strides.
    pub layout: InputStrides,
}

impl PackageInterface {
    /// Builds the interface. `program` is the program of the same model in the same archive.
    pub fn of(source: &WrapperSource, program: Option<&Program>) -> Result<PackageInterface> {
        match program {
            Some(program) => from_program::describe(source, program),
            None => Ok(SourceInterface::default().describe(source)),
        }
    }
}

fn layout(input: &DeclaredInput, tensor: Option<&TensorPort>) -> InputStrides {
    let exported = |dim: usize| match tensor.and_then(|tensor| tensor.strides.get(dim)) {
        Some(Dim::Expr(expr)) => Stride::Expr(expr.clone()),
        _ => Stride::Unknown,
    };
    let strides = input.strides.iter().enumerate();
    InputStrides(strides.map(|(dim, stride)| stride.map_or_else(|| exported(dim), Stride::Fixed)).collect())
}

#[cfg(test)]
mod tests {
    use super::super::source::DeclaredSize;
    use super::*;
    use crate::Error;
    use crate::program::schema::ScalarType;
    use crate::program::{InputView, PortKind};

    fn source() -> WrapperSource {
        let batch = DeclaredSize { min: Some(2), max: Some(15), symbol: Some("s0".into()), fixed: None };
        let three = DeclaredSize { fixed: Some(3), ..DeclaredSize::default() };
        let input = DeclaredInput {
            name: "arg0_1".into(),
            dtype: Some(ScalarType::Float),
            device_type: Some(0),
            sizes: vec![batch, three],
            strides: vec![Some(3), Some(1)],
        };
        let leaf = r#"{"type": null, "context": null, "children_spec": []}"#;
        let list = |kind: &str, of: &str| {
            let context = if kind == "dict" { r#""[]""# } else { r#""null""# };
            format!(r#"{{"type": "builtins.{kind}", "context": {context}, "children_spec": [{of}]}}"#)
        };
        let in_spec = list("tuple", &format!("{}, {}", list("tuple", leaf), list("dict", "")));
        WrapperSource {
            inputs: vec![input],
            in_spec: format!("[1, {in_spec}]"),
            out_spec: format!("[1, {leaf}]"),
            outputs: 1,
            ..WrapperSource::default()
        }
    }

    #[test]
    fn a_source_alone_tells_names_sizes_and_ranges() {
        let described = PackageInterface::of(&source(), None).unwrap();
        let interface = &described.interface;
        assert_eq!(
            (interface.inputs[0].name.as_str(), interface.outputs[0].name.as_str()),
            ("args[0]", "result")
        );
        assert_eq!(interface.outputs[0].kind, PortKind::Unknown);
        let tensor = |dtype, sizes: &'static [i64]| [InputView::Tensor { dtype, sizes }];
        assert!(interface.check(&tensor(ScalarType::Float, &[2, 3])).is_ok());
        for (dtype, sizes) in [
            (ScalarType::Double, &[2, 3][..]),
            (ScalarType::Float, &[1, 3]),
            (ScalarType::Float, &[16, 3]),
            (ScalarType::Float, &[2, 4]),
            (ScalarType::Float, &[2]),
        ] {
            assert!(matches!(interface.check(&tensor(dtype, sizes)), Err(Error::Input { .. })), "{sizes:?}");
        }
        assert!(interface.unchecked_guards.is_empty());
    }

    #[test]
    fn beside_a_program_every_recorded_bound_holds() {
        let text = include_bytes!("../../../../../tests/program/double.json");
        let program = Program::parse(text).unwrap();
        let mut source = source();
        let second = DeclaredInput {
            sizes: vec![DeclaredSize::default()],
            strides: vec![Some(1)],
            ..source.inputs[0].clone()
        };
        source.inputs.push(second);
        source.outputs = 3;
        let described = PackageInterface::of(&source, Some(&program)).unwrap();
        let check = |x: i64, y: i64| {
            let (x, y) = ([x, 3], [y]);
            let tensor = |sizes| InputView::Tensor { dtype: ScalarType::Float, sizes };
            described.interface.check(&[tensor(&x), tensor(&y)])
        };
        assert!(check(2, 4).is_ok());
        for (x, y) in [(0, 0), (1, 2), (65, 130), (4, 9)] {
            assert!(matches!(check(x, y), Err(Error::Input { .. })), "{x} {y}");
        }
    }

    #[test]
    fn what_is_not_told_is_said() {
        let mut undeclared = source();
        undeclared.inputs[0].dtype = None;
        undeclared.in_spec = String::new();
        let described = PackageInterface::of(&undeclared, None).unwrap();
        assert_eq!(described.interface.inputs[0].name, "arg0_1");
        assert_eq!(described.interface.inputs[0].kind, PortKind::Unknown);
        assert!(described.interface.unchecked_guards[0].contains("`arg0_1`"));
    }
}
