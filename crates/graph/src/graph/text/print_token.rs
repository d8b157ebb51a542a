//! Prints words, strings and types, which look the same wherever they occur.

use super::enum_names::layout_name;
use crate::program::schema::{Device, Layout, PythonInt, SymExprHint, SymInt, TensorMeta};
use std::fmt::{Formatter, Result, Write};

/// Prints a tensor's type, without the properties that have their default.
pub fn tensor(f: &mut Formatter<'_>, meta: &TensorMeta) -> Result {
    write!(f, "tensor<{} ", meta.dtype.name())?;
    sizes(f, &meta.sizes)?;
    f.write_str(" ")?;
    sizes(f, &meta.strides)?;
    if meta.storage_offset != SymInt::Int(0) {
        f.write_str(" offset ")?;
        size(f, &meta.storage_offset)?;
    }
    if meta.device.r#type != "cpu" || meta.device.index.is_some() {
        f.write_str(" ")?;
        device(f, &meta.device)?;
    }
    if meta.layout != Layout::Strided {
        write!(f, " torch.{}", layout_name(meta.layout))?;
    }
    f.write_str(if meta.requires_grad { " grad>" } else { ">" })
}

fn sizes(f: &mut Formatter<'_>, items: &[SymInt]) -> Result {
    f.write_str("[")?;
    commas(f, items, size)?;
    f.write_str("]")
}

fn size(f: &mut Formatter<'_>, value: &SymInt) -> Result {
    let expression = match value {
        SymInt::Int(value) => return write!(f, "{value}"),
        SymInt::Expr(expression) => expression,
    };
    string(f, &expression.expr_str)?;
    match &expression.hint {
        None | Some(SymExprHint::Int(PythonInt::Above | PythonInt::Below)) => Ok(()),
        Some(SymExprHint::Int(PythonInt::Small(hint))) => write!(f, "~{hint}"),
        Some(SymExprHint::Bool(hint)) => write!(f, "~{hint}"),
        Some(SymExprHint::Float(hint)) => write!(f, "~{hint:?}"),
    }
}

/// Prints a device.
pub fn device(f: &mut Formatter<'_>, device: &Device) -> Result {
    f.write_str("device(")?;
    string(f, &device.r#type)?;
    device.index.map_or(Ok(()), |index| write!(f, ", {index}"))?;
    f.write_str(")")
}

/// Prints a name: bare if it is an identifier, else in quotes.
pub fn word(f: &mut Formatter<'_>, text: &str) -> Result {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let starts = text.bytes().next().is_some_and(|byte| plain(byte) && !byte.is_ascii_digit());
    if starts && text.bytes().all(plain) { f.write_str(text) } else { string(f, text) }
}

/// Prints a string in quotes.
pub fn string(f: &mut Formatter<'_>, text: &str) -> Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '\'' => f.write_char(character)?,
            _ => write!(f, "{}", character.escape_debug())?,
        }
    }
    f.write_char('"')
}

/// Prints items with commas between them.
pub fn commas<T>(
    f: &mut Formatter<'_>,
    items: &[T],
    mut write: impl FnMut(&mut Formatter<'_>, &T) -> Result,
) -> Result {
    for (index, item) in items.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { ", " })?;
        write(f, item)?;
    }
    Ok(())
}
