//! Interfaces without an exported program: those of compiled code, built from what its package declares.

use std::collections::BTreeMap;

use super::expr::Expr;
use super::input_check_plan::Rules;
use super::interface::{Interface, Port};
use super::json::malformed;
use super::pytree::TreeSpec;
use super::range_constraints::ExprRange;
use super::symbol::{SymbolId, Symbols};
use crate::error::Result;

/// The trees that inputs come in and outputs leave in, as the names of their leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallSpec {
    /// The leaves of the arguments, such as `args[0]`; those that are no tensors count.
    pub inputs: Vec<String>,
    /// The leaves of the result.
    pub outputs: Vec<String>,
}

impl CallSpec {
    /// Reads the two texts that `torch.utils._pytree.treespec_dumps` wrote. Fields of named tuples are not told
    /// with them, so these count their children.
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
    /// An interface of these ports. `ranges` bound symbols; `unchecked` is what calls are not checked for.
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
            parameters: Vec::new(),
        };
        Interface { unchecked_guards: unchecked, ..interface.under(Rules::Recorded) }
    }
}
