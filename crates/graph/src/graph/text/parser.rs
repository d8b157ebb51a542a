//! Parser of graphs.

use super::JOINS;
use super::cursor::{Cursor, is_plain};
use super::parse_type::kind;
use crate::Result;
use crate::graph::{Argument, Author, Graph, Node, Output, Target, Value, ValueId};
use std::collections::HashMap;

/// Parses the text that a graph's `Display` writes, and verifies the graph.
pub fn parse(text: &str) -> Result<Graph> {
    let mut text = Cursor::new(text);
    if !text.eat_word("graph") {
        return text.error("`graph` is missing");
    }
    let graph = GraphParser::graph(&mut text)?;
    if !text.at_end() {
        return text.error("something follows the graph");
    }
    graph.verify()?;
    Ok(graph)
}

/// Graph being read, and its values by name.
pub struct GraphParser {
    graph: Graph,
    names: HashMap<String, ValueId>,
}

impl GraphParser {
    /// Reads inputs, nodes and outputs: everything that follows the graph's name.
    pub fn graph(text: &mut Cursor<'_>) -> Result<Graph> {
        let mut parser = GraphParser { graph: Graph::default(), names: HashMap::new() };
        text.enter()?;
        text.expect("(")?;
        text.items(")", |text| {
            let id = parser.defined(text)?;
            parser.graph.inputs.push(id);
            Ok(())
        })?;
        text.expect("{")?;
        while !text.eat_word("return") {
            let node = parser.node(text)?;
            parser.graph.nodes.push(node);
        }
        text.expect("(")?;
        text.items(")", |text| {
            let output = parser.operand(text)?;
            parser.graph.outputs.push(output);
            Ok(())
        })?;
        text.expect("}")?;
        text.leave();
        Ok(parser.graph)
    }

    /// Reads a node. Its outputs are parsed first, so the verifier has to reject a node that reads
    /// its own outputs.
    fn node(&mut self, text: &mut Cursor<'_>) -> Result<Node> {
        let mut outputs = Vec::new();
        let mut fresh = Vec::new();
        if is_output(text) {
            text.items("=", |text| {
                outputs.push(self.output(text, &mut fresh)?);
                Ok(())
            })?;
        }
        let target = target(text)?;
        let mut inputs = Vec::new();
        text.expect("(")?;
        text.items(")", |text| {
            inputs.push(self.argument(text)?);
            Ok(())
        })?;
        let first = fresh.first().and_then(|id| self.graph.value(*id)).map(|value| value.name.clone());
        let name = if text.eat_word("as") { text.string()? } else { first.unwrap_or_default() };
        let trace = if text.eat_word("trace") { Some(text.string()?) } else { None };
        Ok(Node { name, target, inputs, outputs, trace, author: Author::Exporter })
    }

    fn output(&mut self, text: &mut Cursor<'_>, fresh: &mut Vec<ValueId>) -> Result<Output> {
        if text.eat_word("none") {
            return Ok(Output::None);
        }
        if !text.eat("[") {
            let id = self.defined(text)?;
            fresh.push(id);
            return Ok(Output::Value(id));
        }
        let mut ids = Vec::new();
        text.items("]", |text| {
            let id = if text.eat_word("none") { None } else { Some(self.defined(text)?) };
            fresh.extend(id);
            ids.push(id);
            Ok(())
        })?;
        Ok(Output::List(ids))
    }

    fn argument(&self, text: &mut Cursor<'_>) -> Result<Argument> {
        let place = text.place();
        let name = text.name_if_any()?.unwrap_or_default();
        match JOINS.iter().find(|(join, _)| text.eat(join)) {
            Some((_, keyword)) => Ok(Argument { name, keyword: *keyword, value: self.operand(text)? }),
            None => {
                text.back_to(place);
                Ok(Argument { name: String::new(), keyword: None, value: self.operand(text)? })
            }
        }
    }

    fn defined(&mut self, text: &mut Cursor<'_>) -> Result<ValueId> {
        text.expect("%")?;
        let name = text.name()?;
        text.expect(":")?;
        let kind = kind(text)?;
        let Ok(id) = u32::try_from(self.graph.values.len()).map(ValueId) else {
            return text.error("too many values");
        };
        if self.names.insert(name.clone(), id).is_some() {
            return text.error(format!("the value `{name}` is defined twice"));
        }
        self.graph.values.push(Value { name, kind, storage: None });
        Ok(id)
    }

    /// Reads the name of a value that is used.
    pub fn used(&self, text: &mut Cursor<'_>) -> Result<ValueId> {
        text.expect("%")?;
        let name = text.name()?;
        let id = self.names.get(&name).copied();
        id.map_or_else(|| text.error(format!("the value `{name}` is not defined before this point")), Ok)
    }
}

fn is_output(text: &mut Cursor<'_>) -> bool {
    let place = text.place();
    let output = text.rest().starts_with(['%', '[']) || text.eat_word("none");
    text.back_to(place);
    output
}

fn target(text: &mut Cursor<'_>) -> Result<Target> {
    let word = text.run(|character| is_plain(character) || matches!(character, '.' | ':'));
    let spelled = match word.split_once("::") {
        Some((namespace, name)) => format!("torch.ops.{namespace}.{name}"),
        None => word.to_owned(),
    };
    Target::parse(&spelled).or_else(|_| text.error(format!("`{word}` can not be called")))
}
