//! Parser of the kinds of values.

use super::cursor::{Cursor, is_plain};
use super::enum_names;
use crate::Result;
use crate::graph::ValueKind;
use crate::program::schema::{Device, Layout, PythonInt, SymExpr, SymExprHint, SymInt, TensorMeta};

/// Reads the kind after the colon that follows a value's name.
pub fn kind(text: &mut Cursor<'_>) -> Result<ValueKind> {
    Ok(match text.run(is_plain) {
        "tensor" => ValueKind::Tensor(if text.eat("<") { Some(tensor(text)?) } else { None }),
        "int" => ValueKind::Int,
        "float" => ValueKind::Float,
        "bool" => ValueKind::Bool,
        "token" => ValueKind::Token,
        "constant" => ValueKind::Constant,
        "object" => ValueKind::Object { class: text.string()? },
        other => return text.error(format!("`{other}` is no kind of value")),
    })
}

fn tensor(text: &mut Cursor<'_>) -> Result<TensorMeta> {
    let dtype = text.run(is_plain);
    let Some(dtype) = enum_names::scalar_type(dtype) else {
        return text.error(format!("`{dtype}` is no dtype"));
    };
    let (sizes, strides) = (sizes(text)?, sizes(text)?);
    let storage_offset = if text.eat_word("offset") { size(text)? } else { SymInt::Int(0) };
    let cpu = Device { r#type: "cpu".into(), index: None };
    let device = if text.eat_word("device") { device(text)? } else { cpu };
    let layout = if text.eat("torch.") { layout(text)? } else { Layout::Strided };
    let requires_grad = text.eat_word("grad");
    text.expect(">")?;
    Ok(TensorMeta { dtype, sizes, requires_grad, device, strides, storage_offset, layout })
}

fn layout(text: &mut Cursor<'_>) -> Result<Layout> {
    let name = text.run(is_plain);
    enum_names::layout(name).map_or_else(|| text.error(format!("`{name}` is no layout")), Ok)
}

fn sizes(text: &mut Cursor<'_>) -> Result<Vec<SymInt>> {
    let mut sizes = Vec::new();
    text.expect("[")?;
    text.items("]", |text| {
        sizes.push(size(text)?);
        Ok(())
    })?;
    Ok(sizes)
}

fn size(text: &mut Cursor<'_>) -> Result<SymInt> {
    if !text.rest().starts_with('"') {
        return integer(text).map(SymInt::Int);
    }
    let expr_str = text.string()?;
    let hint = if text.eat("~") { Some(hint(text)?) } else { None };
    Ok(SymInt::Expr(SymExpr { expr_str, hint }))
}

fn hint(text: &mut Cursor<'_>) -> Result<SymExprHint> {
    let word = text.run(is_number);
    let hint = match word {
        "true" => Some(SymExprHint::Bool(true)),
        "false" => Some(SymExprHint::Bool(false)),
        _ => match word.parse() {
            Ok(hint) => Some(SymExprHint::Int(PythonInt::Small(hint))),
            Err(_) => word.parse().ok().map(SymExprHint::Float),
        },
    };
    hint.map_or_else(|| text.error(format!("`{word}` is no hint")), Ok)
}

/// Reads the device after the word `device`.
pub fn device(text: &mut Cursor<'_>) -> Result<Device> {
    text.expect("(")?;
    let r#type = text.string()?;
    let index = if text.eat(",") { Some(integer(text)?) } else { None };
    text.expect(")")?;
    Ok(Device { r#type, index })
}

fn integer(text: &mut Cursor<'_>) -> Result<i64> {
    let word = text.run(is_number);
    word.parse().or_else(|_| text.error(format!("`{word}` is no integer")))
}

/// Returns true for the characters of numbers, `NaN` and `-inf` included.
pub fn is_number(character: char) -> bool {
    is_plain(character) || matches!(character, '.' | '-' | '+')
}
