//! Queries that inputs and outputs share.

use super::model::ModelTexts;
use super::port::PortText;
use crate::Result;
use crate::program::{Interface, find_input, find_output};

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

    /// The position of a name; `argument` is the parameter to blame.
    pub fn find(self, interface: &Interface, name: &str, argument: &'static str) -> Result<usize> {
        match self {
            Direction::Input => find_input(&interface.inputs, name, argument),
            Direction::Output => find_output(&interface.outputs, name, argument),
        }
    }
}
