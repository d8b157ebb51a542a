//! Parser of operands.

use super::cursor::Cursor;
use super::enum_names;
use super::parse_type::{device, is_number};
use super::parser::GraphParser;
use crate::Result;
use crate::graph::{Operand, Subgraph};

impl GraphParser {
    /// Reads an operand. Values in it must be defined before this point.
    pub fn operand(&self, text: &mut Cursor<'_>) -> Result<Operand> {
        match text.rest().chars().next() {
            Some('%') => self.used(text).map(Operand::Value),
            Some('"') => text.string().map(Operand::String),
            Some('[') => self.list(text),
            Some('{') => self.map(text),
            _ => word(text),
        }
    }

    fn list(&self, text: &mut Cursor<'_>) -> Result<Operand> {
        let mut items = Vec::new();
        text.enter()?;
        text.expect("[")?;
        text.items("]", |text| {
            items.push(self.operand(text)?);
            Ok(())
        })?;
        text.leave();
        Ok(Operand::List(items))
    }

    fn map(&self, text: &mut Cursor<'_>) -> Result<Operand> {
        let mut items = Vec::new();
        text.enter()?;
        text.expect("{")?;
        text.items("}", |text| {
            let key = text.string()?;
            text.expect(":")?;
            items.push((key, self.operand(text)?));
            Ok(())
        })?;
        text.leave();
        Ok(Operand::Map(items))
    }
}

fn word(text: &mut Cursor<'_>) -> Result<Operand> {
    match text.run(is_number) {
        "none" => Ok(Operand::None),
        "true" => Ok(Operand::Bool(true)),
        "false" => Ok(Operand::Bool(false)),
        "complex" => complex(text),
        "device" => device(text).map(Operand::Device),
        "operator" => text.string().map(Operand::Operator),
        "graph" => subgraph(text),
        other => match other.strip_prefix("torch.") {
            Some(name) => constant(name).map_or_else(|| text.error(format!("`{other}` is no constant")), Ok),
            None => number(text, other),
        },
    }
}

/// Parses a number. A float has a point, an exponent or a name such as `inf`; an integer has none
/// of them.
fn number(text: &Cursor<'_>, word: &str) -> Result<Operand> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let found = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        word.parse().map(Operand::Int).ok()
    } else {
        word.parse().map(Operand::Float).ok()
    };
    found.map_or_else(|| text.error(format!("`{word}` is no operand")), Ok)
}

fn float(text: &mut Cursor<'_>) -> Result<f64> {
    let word = text.run(is_number);
    word.parse().or_else(|_| text.error(format!("`{word}` is no float")))
}

fn complex(text: &mut Cursor<'_>) -> Result<Operand> {
    text.expect("(")?;
    let real = float(text)?;
    text.expect(",")?;
    let imaginary = float(text)?;
    text.expect(")")?;
    Ok(Operand::Complex(real, imaginary))
}

fn subgraph(text: &mut Cursor<'_>) -> Result<Operand> {
    let name = text.string()?;
    let graph = GraphParser::graph(text)?;
    Ok(Operand::Graph(Box::new(Subgraph { name, graph })))
}

fn constant(name: &str) -> Option<Operand> {
    let dtype = enum_names::scalar_type(name).map(Operand::ScalarType);
    let layout = || enum_names::layout(name).map(Operand::Layout);
    dtype.or_else(layout).or_else(|| enum_names::format(name).map(Operand::MemoryFormat))
}
