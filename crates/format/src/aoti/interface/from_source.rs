//! Interface of compiled code, from its wrapper source alone.

use super::{CodeInput, PackageInterface, layout};
use crate::aoti::source::{DeclaredInput, DeclaredSize, WrapperSource};
use crate::program::expr::Expr;
use crate::program::schema;
use crate::program::symbol::{SymbolId, Symbols};
use crate::program::{CallSpec, Dim, Interface, Port, PortKind, TensorPort};

/// Builder that adds one input at a time.
#[derive(Default)]
pub struct SourceInterface {
    names: Symbols,
    ranges: Vec<(SymbolId, Option<i64>, Option<i64>)>,
    unchecked: Vec<String>,
}

impl SourceInterface {
    /// Builds the interface of all inputs and outputs.
    pub fn describe(mut self, source: &WrapperSource) -> PackageInterface {
        let spec = CallSpec::parse(&source.in_spec, &source.out_spec).unwrap_or_default();
        let own = source.inputs.iter().map(|input| input.name.clone());
        let names = if spec.inputs.len() == source.inputs.len() { spec.inputs } else { own.collect() };
        let inputs: Vec<Port> =
            names.into_iter().zip(&source.inputs).map(|(name, input)| self.port(name, input)).collect();
        let own = (0..source.outputs).map(|place| format!("output{place}"));
        let names = if spec.outputs.len() == source.outputs { spec.outputs } else { own.collect() };
        let output = |name| Port { name, value: String::new(), kind: PortKind::Unknown };
        let outputs = names.into_iter().map(output).collect();
        if self.names.names().len() > 1 {
            self.unchecked
                .push("which of the sizes that vary have to be equal: the package does not tell".into());
        }
        let takes = source.inputs.iter().enumerate();
        let takes = takes.map(|(port, input)| CodeInput {
            port,
            device_type: input.device_type,
            layout: layout(input, None),
        });
        let takes = takes.collect();
        let interface = Interface::from_ports(inputs, outputs, self.names, &self.ranges, self.unchecked);
        PackageInterface { interface, takes }
    }

    fn port(&mut self, name: String, input: &DeclaredInput) -> Port {
        let Some(dtype) = input.dtype else {
            self.unchecked
                .push(format!("dtype, rank, sizes and strides of `{name}`: the package does not tell"));
            return Port { name, value: input.name.clone(), kind: PortKind::Unknown };
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

    fn size(&mut self, input: &str, dim: usize, size: &DeclaredSize) -> Dim {
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
