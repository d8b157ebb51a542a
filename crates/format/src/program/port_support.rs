//! Checks that a caller can pass every input and receive every output.

use super::interface::{Interface, Port, PortKind};
use super::schema::Layout;
use crate::error::{Error, Result};

impl Interface {
    /// Rejects programs with inputs or outputs that no handle can represent: sparse and oneDNN
    /// tensors, and objects.
    pub fn require_describable(&self) -> Result<()> {
        let sides = [("input", &self.inputs), ("output", &self.outputs)];
        sides.into_iter().try_for_each(|(side, ports)| ports.iter().try_for_each(|port| check(side, port)))
    }
}

fn check(side: &str, port: &Port) -> Result<()> {
    let kind = match &port.kind {
        PortKind::Tensor(tensor) if tensor.layout != Layout::Strided => {
            format!("a tensor of layout {:?}", tensor.layout)
        }
        PortKind::Object { class } => format!("an object of class `{class}`"),
        _ => return Ok(()),
    };
    let what =
        format!("{side} `{}` is {kind}; inputs and outputs are strided tensors and numbers", port.name);
    Err(Error::Unsupported { what })
}
