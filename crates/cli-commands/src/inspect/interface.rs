//! Inputs, outputs and symbols.

use crate::column;
use crate::failure::Failure;
use pt2::program::expr::Expr;
use pt2::program::schema::ConstantValue;
use pt2::program::symbol::Symbols;
use pt2::program::{Dim, Interface, Port, PortKind, Symbol, TensorPort};
use std::io::Write;

/// Shows inputs and outputs of a program, and the conditions on them: ranges of symbols, guards as
/// Python wrote them, and unchecked guards.
pub fn show(interface: &Interface, guards: &[String], out: &mut impl Write) -> Result<(), Failure> {
    let ports = |ports: &[Port]| -> Vec<(String, String)> {
        ports.iter().map(|port| (port.name.clone(), kind(&port.kind, &interface.names))).collect()
    };
    list("inputs", &ports(&interface.inputs), out)?;
    list("outputs", &ports(&interface.outputs), out)?;
    let symbols = interface.symbols.iter().map(|symbol| (symbol.name.clone(), range(symbol)));
    list("symbols", &symbols.collect::<Vec<_>>(), out)?;
    let guards = guards.iter().map(|guard| (guard.clone(), String::new()));
    list("guards", &guards.collect::<Vec<_>>(), out)?;
    let unchecked = interface.unchecked_guards.iter().map(|guard| (guard.clone(), String::new()));
    list("unchecked", &unchecked.collect::<Vec<_>>(), out)
}

fn list(title: &str, lines: &[(String, String)], out: &mut impl Write) -> Result<(), Failure> {
    let width = column::width(lines.iter().map(|(name, _)| name.as_str()));
    for (place, (name, text)) in lines.iter().enumerate() {
        let title = if place == 0 { title } else { "" };
        writeln!(out, "{}", format!("{title:<9}  {name:width$}  {text}").trim_end())?;
    }
    Ok(())
}

fn kind(kind: &PortKind, names: &Symbols) -> String {
    match kind {
        PortKind::Tensor(port) => tensor(port, names),
        PortKind::Int(value) => number("int", value, names),
        PortKind::Float(value) => number("float", value, names),
        PortKind::Bool(value) => number("bool", value, names),
        PortKind::Constant(ConstantValue::None) => "None".into(),
        PortKind::Constant(value) => format!("constant {value}"),
        PortKind::Object { class } => format!("object of {class}"),
        PortKind::Unknown => "tensor, known after a call".into(),
    }
}

fn tensor(port: &TensorPort, names: &Symbols) -> String {
    let size = |size: &Dim| match size {
        Dim::Fixed(size) => size.to_string(),
        Dim::Expr(expr) => expr.display(names).to_string(),
    };
    let sizes: Vec<_> = port.sizes.iter().map(size).collect();
    let index = port.device.index.filter(|_| port.device.r#type != "cpu");
    let index = index.map(|index| format!(":{index}")).unwrap_or_default();
    format!("{} [{}] on {}{index}", port.dtype, sizes.join(", "), port.device.r#type)
}

fn number(word: &str, value: &Option<Expr>, names: &Symbols) -> String {
    match value {
        Some(value) => format!("{word} {}", value.display(names)),
        None => word.into(),
    }
}

fn range(symbol: &Symbol) -> String {
    match (symbol.min, symbol.max) {
        (Some(min), Some(max)) => format!("{min}..{max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "any".into(),
    }
}
