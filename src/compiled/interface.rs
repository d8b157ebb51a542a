//! What compiled code takes and gives: from the exported program beside it, else from its own source.

use super::layout::{Layout, Stride};
use super::source::{Source, SourceInput, SourceSize};
use crate::program::expr::Expr;
use crate::program::schema;
use crate::program::symbol::{SymbolId, Symbols};
use crate::program::{CallSpec, Dim, Interface, Port, PortKind, Program, Symbol, TensorPort};
use crate::{Error, Result};

/// The caller's view of compiled code, and how it becomes the code's own.
#[derive(Clone, Debug)]
pub struct Described {
    /// What a caller sees.
    pub interface: Interface,
    /// What the code takes, in its order.
    pub takes: Vec<Taken>,
}

/// One tensor that the code takes.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The position of the caller's input.
    pub port: usize,
    /// libtorch's number for the kind of device it has to be on.
    pub device_type: Option<i32>,
    /// How it has to lie in memory.
    pub layout: Layout,
}

impl Described {
    /// Puts both together; `program` is that of the same model in the same archive.
    pub fn of(source: &Source, program: Option<&Program>) -> Result<Described> {
        match program {
            Some(program) => of_program(source, program),
            None => Ok(Told::default().describe(source)),
        }
    }
}

fn of_program(source: &Source, program: &Program) -> Result<Described> {
    let mut interface = program.interface.clone();
    let places = tensors_of(&interface);
    let differs = |what: String| Error::Unsupported {
        what: format!("compiled code beside a program that is not the one it was compiled from: {what}"),
    };
    if places.len() != source.inputs.len() || interface.outputs.len() != source.outputs {
        let (takes, gives) = (source.inputs.len(), source.outputs);
        let (tensors, outputs) = (places.len(), interface.outputs.len());
        return Err(differs(format!(
            "it takes {takes} tensors and gives {gives}, the program takes {tensors} and gives {outputs}"
        )));
    }
    let (mut takes, mut unchecked) = (Vec::new(), Vec::new());
    for ((port, tensor), input) in places.into_iter().zip(&source.inputs) {
        let name = interface.inputs.get(port).map_or("", |port| port.name.as_str());
        agree(tensor, input).map_err(|reason| differs(format!("input `{name}`: {reason}")))?;
        unchecked.extend(assumed(name, tensor, input, &interface.symbols));
        takes.push(Taken { port, device_type: input.device_type, layout: layout(input, Some(tensor)) });
    }
    interface.unchecked_guards.extend(unchecked);
    Ok(Described { interface, takes })
}

/// Sizes that the program allows although the compiler assumed others. What it proved from the assumption is told
/// nowhere.
fn assumed(name: &str, tensor: &TensorPort, input: &SourceInput, symbols: &[Symbol]) -> Vec<String> {
    let mut all = Vec::new();
    for (dim, (size, told)) in input.sizes.iter().zip(&tensor.sizes).enumerate() {
        let Dim::Expr(Expr::Symbol(id)) = told else { continue };
        let Some(symbol) = symbols.get(id.index()) else { continue };
        let below = size.min.filter(|min| symbol.min.is_none_or(|allowed| allowed < *min));
        let above = size.max().filter(|max| symbol.max.is_none_or(|allowed| allowed > *max));
        let beyond = [below.map(|min| format!("below {min}")), above.map(|max| format!("above {max}"))];
        let beyond: Vec<String> = beyond.into_iter().flatten().collect();
        if !beyond.is_empty() {
            all.push(format!(
                "whether the compiled code is right where dimension {dim} of `{name}` is {}: the program allows it, \
                 the compiler assumed otherwise",
                beyond.join(" or ")
            ));
        }
    }
    all
}

fn tensors_of(interface: &Interface) -> Vec<(usize, &TensorPort)> {
    let tensor = |(place, port): (usize, &'_ Port)| -> Option<usize> {
        matches!(port.kind, PortKind::Tensor(_)).then_some(place)
    };
    let places = interface.inputs.iter().enumerate().filter_map(tensor);
    places.filter_map(|place| Some((place, as_tensor(interface.inputs.get(place)?)?))).collect()
}

fn as_tensor(port: &Port) -> Option<&TensorPort> {
    match &port.kind {
        PortKind::Tensor(tensor) => Some(tensor),
        _ => None,
    }
}

/// What both tell has to be the same.
fn agree(tensor: &TensorPort, input: &SourceInput) -> Result<(), String> {
    let Some(dtype) = input.dtype else { return Ok(()) };
    if dtype != tensor.dtype {
        return Err(format!("it was compiled for {dtype}, the program says {}", tensor.dtype));
    }
    if input.sizes.len() != tensor.sizes.len() {
        let (code, program) = (input.sizes.len(), tensor.sizes.len());
        return Err(format!("it was compiled for {code} dimensions, the program says {program}"));
    }
    for (dim, (size, told)) in input.sizes.iter().zip(&tensor.sizes).enumerate() {
        match (size.fixed, told) {
            (Some(code), Dim::Fixed(program)) if code == *program => {}
            (Some(code), _) => return Err(format!("dimension {dim} was compiled for {code} only")),
            (None, _) => {}
        }
    }
    Ok(())
}

fn layout(input: &SourceInput, tensor: Option<&TensorPort>) -> Layout {
    let exported = |dim: usize| match tensor.and_then(|tensor| tensor.strides.get(dim)) {
        Some(Dim::Expr(expr)) => Stride::Expr(expr.clone()),
        _ => Stride::Untold,
    };
    let strides = input.strides.iter().enumerate();
    Layout(strides.map(|(dim, stride)| stride.map_or_else(|| exported(dim), Stride::Fixed)).collect())
}

/// What a source alone tells, put together input by input.
#[derive(Default)]
struct Told {
    names: Symbols,
    ranges: Vec<(SymbolId, Option<i64>, Option<i64>)>,
    unchecked: Vec<String>,
}

impl Told {
    fn describe(mut self, source: &Source) -> Described {
        let spec = CallSpec::parse(&source.in_spec, &source.out_spec).unwrap_or_default();
        let own = source.inputs.iter().map(|input| input.name.clone());
        let names = if spec.inputs.len() == source.inputs.len() { spec.inputs } else { own.collect() };
        let inputs: Vec<Port> =
            names.into_iter().zip(&source.inputs).map(|(name, input)| self.port(name, input)).collect();
        let own = (0..source.outputs).map(|place| format!("output{place}"));
        let names = if spec.outputs.len() == source.outputs { spec.outputs } else { own.collect() };
        let output = |name| Port { name, value: String::new(), kind: PortKind::Untold };
        let outputs = names.into_iter().map(output).collect();
        if self.names.names().len() > 1 {
            self.unchecked
                .push("which of the sizes that vary have to be equal: the package does not tell".into());
        }
        let takes = source.inputs.iter().enumerate();
        let takes = takes.map(|(port, input)| Taken {
            port,
            device_type: input.device_type,
            layout: layout(input, None),
        });
        let takes = takes.collect();
        let interface = Interface::told(inputs, outputs, self.names, &self.ranges, self.unchecked);
        Described { interface, takes }
    }

    fn port(&mut self, name: String, input: &SourceInput) -> Port {
        let Some(dtype) = input.dtype else {
            self.unchecked
                .push(format!("dtype, rank, sizes and strides of `{name}`: the package does not tell"));
            return Port { name, value: input.name.clone(), kind: PortKind::Untold };
        };
        let sizes = input.sizes.iter().enumerate();
        let sizes = sizes.map(|(dim, size)| self.size(&input.name, dim, size)).collect();
        let strides: Option<Vec<Dim>> = input.strides.iter().map(|stride| stride.map(Dim::Fixed)).collect();
        let kind = if input.device_type == Some(1) { "cuda" } else { "cpu" };
        let device = schema::Device { r#type: kind.into(), index: None };
        let (strides, layout) = (strides.unwrap_or_default(), schema::Layout::Strided);
        let kind = PortKind::Tensor(TensorPort { dtype, sizes, strides, device, layout });
        Port { name, value: input.name.clone(), kind }
    }

    fn size(&mut self, input: &str, dim: usize, size: &SourceSize) -> Dim {
        if let Some(fixed) = size.fixed {
            return Dim::Fixed(fixed);
        }
        let symbol = size.symbol.clone().unwrap_or_else(|| format!("{input}_size{dim}"));
        let id = self.names.intern(&symbol);
        let max = size.max();
        if size.min.is_some() || max.is_some() {
            self.ranges.push((id, size.min, max));
        }
        Dim::Expr(Expr::Symbol(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::InputView;
    use crate::program::schema::ScalarType;

    fn source() -> Source {
        let batch = SourceSize { min: Some(2), max: Some(15), symbol: Some("s0".into()), fixed: None };
        let three = SourceSize { fixed: Some(3), ..SourceSize::default() };
        let input = SourceInput {
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
        Source {
            inputs: vec![input],
            in_spec: format!("[1, {in_spec}]"),
            out_spec: format!("[1, {leaf}]"),
            outputs: 1,
            ..Source::default()
        }
    }

    #[test]
    fn a_source_alone_tells_names_sizes_and_ranges() {
        let described = Described::of(&source(), None).unwrap();
        let interface = &described.interface;
        assert_eq!(
            (interface.inputs[0].name.as_str(), interface.outputs[0].name.as_str()),
            ("args[0]", "result")
        );
        assert_eq!(interface.outputs[0].kind, PortKind::Untold);
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
    fn what_is_not_told_is_said() {
        let mut untold = source();
        untold.inputs[0].dtype = None;
        untold.in_spec = String::new();
        let described = Described::of(&untold, None).unwrap();
        assert_eq!(described.interface.inputs[0].name, "arg0_1");
        assert_eq!(described.interface.inputs[0].kind, PortKind::Untold);
        assert!(described.interface.unchecked_guards[0].contains("`arg0_1`"));
    }
}
