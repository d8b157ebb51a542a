//! Queries that inputs and outputs share.

use super::model::Texts;
use super::port::PortText;
use crate::Result;
use crate::program::{Interface, find_input, find_output};

/// One side of a program.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Input,
    Output,
}

impl Side {
    pub fn texts(self, texts: &Texts) -> &[PortText] {
        match self {
            Side::Input => &texts.inputs,
            Side::Output => &texts.outputs,
        }
    }

    /// The position of a name; `argument` is the parameter to blame.
    pub fn find(self, interface: &Interface, name: &str, argument: &'static str) -> Result<usize> {
        match self {
            Side::Input => find_input(&interface.inputs, name, argument),
            Side::Output => find_output(&interface.outputs, name, argument),
        }
    }
}
