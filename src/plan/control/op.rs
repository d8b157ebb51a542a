//! Higher-order operators that a plan can hold, and the form of their arguments.

use super::Control;
use super::arguments::{autocast_dtype, plain, results, slots, sources};
use super::body_check::unknown;
use crate::graph::{Node, Operand};
use crate::passes::pt2_ops::POINTWISE;
use crate::plan::{Plan, operand, pointwise_program};

/// Higher-order operator that a plan can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlOp {
    /// `cond`.
    Cond,
    /// `while_loop`.
    WhileLoop,
    /// `map_impl`: a scan that carries nothing.
    Map,
    /// `scan`.
    Scan,
    /// `while_loop_stack_output`.
    WhileLoopStackOutput,
    /// `associative_scan`.
    AssociativeScan,
    /// `wrap_with_autocast`.
    Autocast,
    /// Node of the pointwise fusion pass ([`POINTWISE`]).
    Pointwise,
}

impl ControlOp {
    /// Returns the operator of this name; None for an unknown one.
    pub fn named(name: &str) -> Option<ControlOp> {
        Some(match name {
            "cond" => ControlOp::Cond,
            "while_loop" => ControlOp::WhileLoop,
            "map_impl" => ControlOp::Map,
            "scan" => ControlOp::Scan,
            "while_loop_stack_output" => ControlOp::WhileLoopStackOutput,
            "associative_scan" => ControlOp::AssociativeScan,
            "wrap_with_autocast" => ControlOp::Autocast,
            POINTWISE => ControlOp::Pointwise,
            _ => return None,
        })
    }

    /// Returns true if a graph of the operator may run again on its own results.
    pub fn repeats(self) -> bool {
        !matches!(self, ControlOp::Cond | ControlOp::Autocast | ControlOp::Pointwise)
    }

    /// Makes the action of a node from the plans of its graphs, which are in argument order.
    pub fn bind(self, node: &Node, plans: Vec<Plan>) -> Result<Control, String> {
        let arguments = plain(node);
        let mut plans = plans.into_iter();
        let control = match (plans.next(), plans.next(), plans.next()) {
            (Some(first), Some(second), None) => self.with_two(&arguments, first, second, results(node)),
            (Some(only), None, None) if self == ControlOp::Pointwise => pointwise(node, &arguments, only),
            (Some(only), None, None) => self.with_one(&arguments, only, results(node)),
            _ => Err(unknown()),
        }?;
        control.check().map(|()| control)
    }

    fn with_two(
        self,
        arguments: &[&Operand],
        first: Plan,
        second: Plan,
        results: Vec<Option<u32>>,
    ) -> Result<Control, String> {
        match (self, arguments) {
            (ControlOp::Cond, [predicate, Operand::List(operands)]) => Ok(Control::Branch {
                predicate: operand::for_reading(predicate)?,
                yes: first,
                no: second,
                operands: sources(operands)?,
                results,
            }),
            (
                ControlOp::WhileLoop | ControlOp::WhileLoopStackOutput,
                [Operand::List(carried), Operand::List(extra)],
            ) => Ok(Control::While {
                condition: first,
                body: second,
                carried: sources(carried)?,
                extra: sources(extra)?,
                stacked: self == ControlOp::WhileLoopStackOutput,
                results,
            }),
            _ => Err(unknown()),
        }
    }

    fn with_one(
        self,
        arguments: &[&Operand],
        body: Plan,
        results: Vec<Option<u32>>,
    ) -> Result<Control, String> {
        match (self, arguments) {
            (ControlOp::AssociativeScan, [Operand::List(rows), Operand::List(extra)]) => {
                let (rows, extra) = (slots(rows)?, sources(extra)?);
                Ok(Control::Associate { body, rows, extra, results })
            }
            (ControlOp::Map, [Operand::List(rows), Operand::List(extra)]) => {
                let (rows, extra) = (slots(rows)?, sources(extra)?);
                Ok(Control::Scan { body, carried: Vec::new(), rows, extra, results })
            }
            (ControlOp::Scan, [Operand::List(first), Operand::List(rows), Operand::List(extra)]) => {
                let (carried, rows, extra) = (sources(first)?, slots(rows)?, sources(extra)?);
                Ok(Control::Scan { body, carried, rows, extra, results })
            }
            (ControlOp::Autocast, [Operand::String(_), dtype, Operand::Bool(enabled), _, operands @ ..]) => {
                let dtype = autocast_dtype(dtype)?;
                let operands = operands.iter().copied().map(operand::for_reading);
                let operands = operands.collect::<Result<_, _>>()?;
                Ok(Control::Autocast { enabled: *enabled, dtype, body, operands, results })
            }
            _ => Err(unknown()),
        }
    }
}

fn pointwise(node: &Node, arguments: &[&Operand], body: Plan) -> Result<Control, String> {
    let [Operand::List(operands)] = arguments else { return Err(unknown()) };
    let program = pointwise_program::compile(node)?;
    Ok(Control::Pointwise { program, body, operands: slots(operands)?, results: results(node) })
}
