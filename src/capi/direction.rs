//! Queries that inputs and outputs share.

use super::model::ModelTexts;
use super::port_text::PortText;
use crate::Result;
use crate::program::{Interface, Port, find_input, find_output};

/// One side of a program.
#[derive(Clone, Copy, Debug)]
pub(super) enum Direction {
    Input,
    Output,
}

impl Direction {
    pub fn texts(self, texts: &ModelTexts) -> &[PortText] {
        match self {
            Direction::Input => &texts.inputs,
            Direction::Output => &texts.outputs,
        }
    }

    pub fn ports(self, interface: &Interface) -> &[Port] {
        match self {
            Direction::Input => &interface.inputs,
            Direction::Output => &interface.outputs,
        }
    }

    /// Returns the position of a name. An error names `argument`.
    pub fn find(self, interface: &Interface, name: &str, argument: &'static str) -> Result<usize> {
        match self {
            Direction::Input => find_input(&interface.inputs, name, argument),
            Direction::Output => find_output(&interface.outputs, name, argument),
        }
    }
}
