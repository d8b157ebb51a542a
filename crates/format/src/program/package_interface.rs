//! Interfaces of compiled code without an exported program, built from the declarations of its
//! package.

use std::collections::BTreeMap;

use super::expr::Expr;
use super::input_check_plan::Rules;
use super::interface::{Interface, Port};
use super::json::malformed;
use super::pytree::TreeSpec;
use super::range_constraints::ExprRange;
use super::symbol::{SymbolId, Symbols};
use crate::error::Result;

/// Names of the leaves of the input and output pytrees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallSpec {
    /// The leaves of the arguments, such as `args[0]`, including those that are not tensors.
    pub inputs: Vec<String>,
    /// The leaves of the result.
    pub outputs: Vec<String>,
}

impl CallSpec {
    /// Parses the two texts that `torch.utils._pytree.treespec_dumps` wrote. These do not contain
    /// the field names of named tuples, so the children of named tuples are numbered.
    pub fn parse(in_spec: &str, out_spec: &str) -> Result<CallSpec> {
        let fields = BTreeMap::new();
        let inputs = TreeSpec::parse(in_spec, "in_spec")?.call_paths(&fields);
        let outputs = TreeSpec::parse(out_spec, "out_spec")?.leaf_paths("result", &fields);
        Ok(CallSpec {
            inputs: inputs.map_err(|reason| malformed("in_spec", reason))?,
            outputs: outputs.map_err(|reason| malformed("out_spec", reason))?,
        })
    }
}

impl Interface {
    /// Builds an interface from ports. `ranges` bounds symbols; `unchecked` lists the properties
    /// that calls are not checked for.
    pub fn from_ports(
        inputs: Vec<Port>,
        outputs: Vec<Port>,
        names: Symbols,
        ranges: &[(SymbolId, Option<i64>, Option<i64>)],
        unchecked: Vec<String>,
    ) -> Interface {
        let range = |(id, min, max): &(SymbolId, Option<i64>, Option<i64>)| ExprRange {
            expr: Expr::Symbol(*id),
            min: *min,
            max: *max,
        };
        let interface = Interface {
            inputs,
            outputs,
            symbols: Vec::new(),
            names,
            unchecked_guards: Vec::new(),
            checks: Default::default(),
            ranges: ranges.iter().map(range).collect(),
            guards: Vec::new(),
            assertions: Vec::new(),
            parameters: Vec::new(),
        };
        Interface { unchecked_guards: unchecked, ..interface.under(Rules::Recorded) }
    }
}
