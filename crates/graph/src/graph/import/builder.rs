//! Graph builder: a graph under construction, and its values by name.

use crate::graph::{Graph, Value, ValueId, ValueKind};
use crate::program::schema::{self, Argument};
use std::collections::HashMap;

/// Graph under construction, and its values by name.
pub struct GraphBuilder<'a> {
    pub source: &'a schema::Graph,
    pub path: &'a str,
    pub depth: usize,
    pub graph: Graph,
    names: HashMap<&'a str, ValueId>,
}

impl<'a> GraphBuilder<'a> {
    pub fn new(source: &'a schema::Graph, path: &'a str, depth: usize) -> GraphBuilder<'a> {
        GraphBuilder { source, path, depth, graph: Graph::default(), names: HashMap::new() }
    }

    /// Defines an input of the graph. `constant` is the name of an input that is a constant.
    pub fn input(
        &mut self,
        index: usize,
        input: &'a Argument,
        constant: Option<&str>,
    ) -> Result<ValueId, String> {
        match input {
            Argument::Tensor(tensor) => self.define_tensor(&tensor.name),
            Argument::SymInt(schema::SymIntArgument::Name(name)) => self.define(name, ValueKind::Int),
            Argument::SymFloat(schema::SymFloatArgument::Name(name)) => self.define(name, ValueKind::Float),
            Argument::SymBool(schema::SymBoolArgument::Name(name)) => self.define(name, ValueKind::Bool),
            Argument::CustomObj(object) => self.define_object(object),
            Argument::None
            | Argument::Int(_)
            | Argument::Float(_)
            | Argument::Bool(_)
            | Argument::String(_) => {
                let name = constant.map_or_else(|| format!("arg{index}"), str::to_owned);
                self.add(name, ValueKind::Constant)
            }
            _ => Err("neither a value nor a constant that can be passed in".into()),
        }
    }

    /// Defines a tensor, with the metadata that the exporter recorded.
    pub fn define_tensor(&mut self, name: &'a str) -> Result<ValueId, String> {
        self.define(name, ValueKind::Tensor(self.source.tensor_values.get(name).cloned()))
    }

    /// Defines an instance of a custom class.
    pub fn define_object(&mut self, object: &'a schema::CustomObjArgument) -> Result<ValueId, String> {
        self.define(&object.name, ValueKind::Object { class: object.class_fqn.clone() })
    }

    /// Defines a value under a name that is new in this graph.
    pub fn define(&mut self, name: &'a str, kind: ValueKind) -> Result<ValueId, String> {
        if name.is_empty() {
            return Err("a value without a name".into());
        }
        if self.names.contains_key(name) {
            return Err(format!("the value `{}` is defined twice", name.escape_debug()));
        }
        let id = self.add(name.to_owned(), kind)?;
        self.names.insert(name, id);
        Ok(id)
    }

    fn add(&mut self, name: String, kind: ValueKind) -> Result<ValueId, String> {
        let id = u32::try_from(self.graph.values.len()).map_err(|_| "too many values")?;
        self.graph.values.push(Value { name, kind, storage: None });
        Ok(ValueId(id))
    }

    /// Returns the value of a name, if it is already defined.
    pub fn lookup(&self, name: &str) -> Option<ValueId> {
        self.names.get(name).copied()
    }

    /// Returns the value of a name, which must be of this kind (a word of [`ValueKind::word`]).
    pub fn find(&self, name: &str, wanted: &str) -> Result<ValueId, String> {
        let shown = name.escape_debug();
        let id = self
            .lookup(name)
            .ok_or_else(|| format!("the value `{shown}` is not defined before this point"))?;
        match self.graph.value(id).map(|value| value.kind.word()) {
            Some(found) if found == wanted => Ok(id),
            found => {
                Err(format!("the value `{shown}` is used as {wanted} but is {}", found.unwrap_or("missing")))
            }
        }
    }
}
