//! Operands of a node, with their names resolved.

use super::builder::GraphBuilder;
use super::error_location::ErrorLocation;
use crate::graph::{MAX_DEPTH, Operand, Subgraph, path_within};
use crate::program::schema::{self, Argument, OptionalTensorArgument, TensorArgument};
use crate::program::schema::{SymBoolArgument, SymFloatArgument, SymIntArgument};
use crate::{Error, Result};
use std::collections::BTreeMap;

type Resolved = Result<Operand, String>;

impl GraphBuilder<'_> {
    /// Resolves an argument. `depth` counts the graphs, lists and dictionaries around it.
    pub fn operand(&self, argument: &Argument, at: ErrorLocation<'_>, depth: usize) -> Result<Operand> {
        match argument {
            Argument::Graph(graph) => self.subgraph(graph, depth),
            Argument::StringToArgument(items) => self.map(items, at, depth),
            Argument::CustomObj(object) => self.object(object, at),
            plain => self.plain(plain).map_err(|reason| at.error(reason)),
        }
    }

    /// Resolves the operands of a subgraph. PyTorch serialises sizes among tensors as tensors
    /// (`serialize_input` of `torch/_export/serde/serialize.py`, 2.11), so values of any kind are
    /// accepted.
    pub fn values(&self, items: &[TensorArgument], at: ErrorLocation<'_>) -> Result<Operand> {
        let value = |item: &TensorArgument| match self.lookup(&item.name) {
            Some(id) => Ok(Operand::Value(id)),
            None => self.tensor(item),
        };
        list(items, value).map_err(|reason| at.error(reason))
    }

    fn plain(&self, argument: &Argument) -> Resolved {
        Ok(match argument {
            Argument::None | Argument::OptionalTensor(OptionalTensorArgument::None) => Operand::None,
            Argument::Bool(value) => Operand::Bool(*value),
            Argument::Int(value) => Operand::Int(*value),
            Argument::Float(value) => Operand::Float(*value),
            Argument::Complex(value) => Operand::Complex(value.real, value.imag),
            Argument::String(text) => Operand::String(text.clone()),
            Argument::Operator(name) => Operand::Operator(name.clone()),
            Argument::ScalarType(value) => Operand::ScalarType(*value),
            Argument::MemoryFormat(value) => Operand::MemoryFormat(*value),
            Argument::Layout(value) => Operand::Layout(*value),
            Argument::Device(value) => Operand::Device(value.clone()),
            Argument::Tensor(tensor) | Argument::OptionalTensor(OptionalTensorArgument::Tensor(tensor)) => {
                self.tensor(tensor)?
            }
            Argument::SymInt(value) => self.sym_int(value)?,
            Argument::SymFloat(value) => self.sym_float(value)?,
            Argument::SymBool(value) => self.sym_bool(value)?,
            other => self.list(other)?,
        })
    }

    fn list(&self, argument: &Argument) -> Resolved {
        match argument {
            Argument::Bools(items) => list(items, |item| Ok(Operand::Bool(*item))),
            Argument::Ints(items) => ints(items),
            Argument::Floats(items) => floats(items),
            Argument::Strings(items) => list(items, |item| Ok(Operand::String(item.clone()))),
            Argument::IntLists(items) => list(items, |item| ints(item)),
            Argument::FloatLists(items) => list(items, |item| floats(item)),
            Argument::Tensors(items) => self.tensors(items),
            Argument::NestedTensors(items) => list(items, |item| self.tensors(item)),
            Argument::OptionalTensors(items) => list(items, |item| self.optional(item)),
            Argument::SymInts(items) => list(items, |item| self.sym_int(item)),
            Argument::SymFloats(items) => list(items, |item| self.sym_float(item)),
            Argument::SymBools(items) => list(items, |item| self.sym_bool(item)),
            _ => Err("this kind of argument is not supported here".into()),
        }
    }

    fn tensor(&self, tensor: &TensorArgument) -> Resolved {
        self.find(&tensor.name, "tensor").map(Operand::Value)
    }

    fn tensors(&self, items: &[TensorArgument]) -> Resolved {
        list(items, |item| self.tensor(item))
    }

    fn optional(&self, item: &OptionalTensorArgument) -> Resolved {
        match item {
            OptionalTensorArgument::None => Ok(Operand::None),
            OptionalTensorArgument::Tensor(tensor) => self.tensor(tensor),
        }
    }

    fn sym_int(&self, value: &SymIntArgument) -> Resolved {
        match value {
            SymIntArgument::Int(value) => Ok(Operand::Int(*value)),
            SymIntArgument::Name(name) => self.find(name, "int").map(Operand::Value),
        }
    }

    fn sym_float(&self, value: &SymFloatArgument) -> Resolved {
        match value {
            SymFloatArgument::Float(value) => Ok(Operand::Float(*value)),
            SymFloatArgument::Name(name) => self.find(name, "float").map(Operand::Value),
        }
    }

    fn sym_bool(&self, value: &SymBoolArgument) -> Resolved {
        match value {
            SymBoolArgument::Bool(value) => Ok(Operand::Bool(*value)),
            SymBoolArgument::Name(name) => self.find(name, "bool").map(Operand::Value),
        }
    }

    fn map(
        &self,
        items: &BTreeMap<String, Argument>,
        at: ErrorLocation<'_>,
        depth: usize,
    ) -> Result<Operand> {
        if depth > MAX_DEPTH {
            return Err(at.error(format!("graphs and lists nest deeper than {MAX_DEPTH}")));
        }
        let resolve =
            |(key, item): (&String, &Argument)| Ok((key.clone(), self.operand(item, at, depth + 1)?));
        items.iter().map(resolve).collect::<Result<_>>().map(Operand::Map)
    }

    fn subgraph(&self, argument: &schema::GraphArgument, depth: usize) -> Result<Operand> {
        let path = path_within(self.path, &argument.name);
        let graph = super::graph(&argument.graph, &[], &path, depth)?;
        Ok(Operand::Graph(Box::new(Subgraph { name: argument.name.clone(), graph })))
    }

    /// Resolves a custom object. One that is no input of the graph would have to be built from the
    /// archive's pickled constants, which is not supported.
    fn object(&self, object: &schema::CustomObjArgument, at: ErrorLocation<'_>) -> Result<Operand> {
        if self.lookup(&object.name).is_none() {
            let what = format!("the custom object `{}` of class `{}` ({at})", object.name, object.class_fqn);
            return Err(Error::Unsupported { what });
        }
        self.find(&object.name, "object").map(Operand::Value).map_err(|reason| at.error(reason))
    }
}

fn list<T>(items: &[T], resolve: impl Fn(&T) -> Resolved) -> Resolved {
    items.iter().map(resolve).collect::<Result<_, _>>().map(Operand::List)
}

fn ints(items: &[i64]) -> Resolved {
    list(items, |item| Ok(Operand::Int(*item)))
}

fn floats(items: &[f64]) -> Resolved {
    list(items, |item| Ok(Operand::Float(*item)))
}
