//! Globals that a pickle may name. Each has one fixed meaning; nothing is imported or called.

use crate::program::schema::ScalarType::{self, *};

/// Meaning of a global's name.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Global {
    /// `collections.OrderedDict`
    OrderedDict,
    /// `torch._utils._rebuild_tensor`
    RebuildTensor,
    /// `torch._utils._rebuild_tensor_v2`
    RebuildTensorV2,
    /// `torch._utils._rebuild_tensor_v3`
    RebuildTensorV3,
    /// `torch._utils._rebuild_parameter`
    RebuildParameter,
    /// `torch._utils._rebuild_parameter_with_state`
    RebuildParameterWithState,
    /// `torch._tensor._rebuild_from_type_v2`
    RebuildFromType,
    /// `torch.Tensor`, `torch.nn.parameter.Parameter` or `torch.nn.parameter.Buffer`
    TensorClass,
    /// `torch.FloatStorage` and the like; `None` for an untyped storage
    Storage(Option<ScalarType>),
    /// `torch.float32` and the like
    Dtype(ScalarType),
    /// `torch.Size`
    Size,
    /// `torch.device`
    Device,
}

impl Global {
    /// Returns the meaning of a name, or an error that quotes the name.
    pub fn find(module: &str, name: &str) -> Result<Global, String> {
        let found = match module {
            "collections" => (name == "OrderedDict").then_some(Global::OrderedDict),
            "torch" => of_torch(name),
            "torch._utils" => of_utils(name),
            "torch._tensor" => (name == "_rebuild_from_type_v2").then_some(Global::RebuildFromType),
            "torch.nn.parameter" => matches!(name, "Parameter" | "Buffer").then_some(Global::TensorClass),
            "torch.storage" => (name == "UntypedStorage").then_some(Global::Storage(None)),
            _ => None,
        };
        found.ok_or_else(|| {
            let (module, name) = (quoted(module), quoted(name));
            format!(
                "`{module}.{name}` is not among the names that plain tensors need, and nothing else is read"
            )
        })
    }
}

fn of_utils(name: &str) -> Option<Global> {
    Some(match name {
        "_rebuild_tensor" => Global::RebuildTensor,
        "_rebuild_tensor_v2" => Global::RebuildTensorV2,
        "_rebuild_tensor_v3" => Global::RebuildTensorV3,
        "_rebuild_parameter" => Global::RebuildParameter,
        "_rebuild_parameter_with_state" => Global::RebuildParameterWithState,
        _ => return None,
    })
}

fn of_torch(name: &str) -> Option<Global> {
    match name {
        "Size" => Some(Global::Size),
        "device" => Some(Global::Device),
        "Tensor" => Some(Global::TensorClass),
        "UntypedStorage" => Some(Global::Storage(None)),
        _ => storage_type(name).or_else(|| dtype(name).map(Global::Dtype)),
    }
}

fn storage_type(name: &str) -> Option<Global> {
    let dtype = match name.strip_suffix("Storage")? {
        "Double" => Double,
        "Float" => Float,
        "Half" => Half,
        "Long" => Long,
        "Int" => Int,
        "Short" => Short,
        "Char" => Char,
        "Byte" => Byte,
        "Bool" => Bool,
        "BFloat16" => BFloat16,
        "ComplexDouble" => ComplexDouble,
        "ComplexFloat" => ComplexFloat,
        _ => return None,
    };
    Some(Global::Storage(Some(dtype)))
}

fn dtype(name: &str) -> Option<ScalarType> {
    (1..=i64::from(u8::MAX))
        .filter_map(|number| ScalarType::try_from(number).ok())
        .find(|dtype| dtype.name() == name)
}

/// Shortens and escapes a name from the file.
fn quoted(name: &str) -> String {
    const LONGEST: usize = 80;
    let short: String = name.chars().take(LONGEST).collect();
    let dots = if short.len() < name.len() { "…" } else { "" };
    format!("{}{dots}", short.escape_debug())
}
