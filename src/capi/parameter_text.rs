//! Descriptions of weights as C strings and arrays.

use super::error::c_text;
use crate::model::Parameter;
use std::ffi::CString;

/// Description of a weight as a C string and arrays.
#[derive(Debug)]
pub(super) struct ParameterText {
    pub name: CString,
    pub dtype: i32,
    pub sizes: Vec<i64>,
    pub strides: Vec<i64>,
}

impl ParameterText {
    pub fn new(parameter: &Parameter) -> ParameterText {
        ParameterText {
            name: c_text(&parameter.name),
            dtype: parameter.dtype as i32,
            sizes: parameter.sizes.clone(),
            strides: parameter.strides.clone(),
        }
    }
}
