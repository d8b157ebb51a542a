//! How a pickle describes tensors: calls of a few functions of `torch._utils`, and persistent ids for storages.
//! Each is read as the record it amounts to.

use super::code::Code;
use super::global::Global;
use super::value::{Heap, Run, Storage, Tensor, Value};
use crate::program::schema::ScalarType;
use crate::weights::extent::MAX_RANK;

/// PyTorch has two, `conj` and `neg`.
const MAX_FLAGS: usize = 8;

type Answer = Result<Value, String>;

/// What calling a name with a tuple of arguments gives.
pub fn call(heap: &mut Heap, code: &Code<'_>, callable: Value, arguments: Value) -> Answer {
    let Value::Global(global) = callable else { return Err(format!("{} cannot be called", callable.kind())) };
    let Value::Tuple(run) = arguments else { return Err(format!("arguments come as {}", arguments.kind())) };
    match (global, heap.items(run)) {
        (Global::OrderedDict, []) => heap.dict(),
        (Global::Size, &[Value::Tuple(sizes)]) => integers(heap, sizes).map(|_| Value::Tuple(sizes)),
        (Global::Device, [Value::Text(_)] | [Value::Text(_), Value::Int(_)]) => Ok(Value::Device),
        (Global::RebuildTensor, &[storage, offset, sizes, strides]) => {
            let view = View { storage, offset, sizes, strides };
            tensor(heap, view, Value::Bool(false), None)
        }
        (Global::RebuildTensorV2, &[storage, offset, sizes, strides, grad, hooks, ref metadata @ ..]) => {
            no_hooks(heap, hooks)?;
            plain(heap, code, metadata)?;
            tensor(heap, View { storage, offset, sizes, strides }, grad, None)
        }
        (
            Global::RebuildTensorV3,
            &[
                storage,
                offset,
                sizes,
                strides,
                grad,
                hooks,
                Value::Global(Global::Dtype(dtype)),
                ref metadata @ ..,
            ],
        ) => {
            no_hooks(heap, hooks)?;
            plain(heap, code, metadata)?;
            tensor(heap, View { storage, offset, sizes, strides }, grad, Some(dtype))
        }
        (Global::RebuildParameter, &[data, grad, hooks]) => parameter(heap, data, grad, hooks),
        (Global::RebuildParameterWithState, &[data, grad, hooks, _]) => parameter(heap, data, grad, hooks),
        (Global::RebuildFromType, &[function, Value::Global(Global::TensorClass), arguments, _]) => {
            with_attributes(heap, code, function, arguments)
        }
        (_, items) => Err(format!("{global:?} is not called with these {} arguments", items.len())),
    }
}

/// The storage that a persistent id names: `("storage", type, key, location, elements)`.
pub fn persistent(heap: &mut Heap, code: &Code<'_>, id: Value) -> Answer {
    let Value::Tuple(run) = id else { return Err(format!("a persistent id is {}", id.kind())) };
    let &[
        Value::Text(tag),
        Value::Global(Global::Storage(dtype)),
        Value::Text(key),
        Value::Text(_),
        Value::Int(count),
    ] = heap.items(run)
    else {
        return Err("a persistent id is no description of a storage".into());
    };
    if code.text(tag)? != "storage" {
        return Err("a persistent id is no description of a storage".into());
    }
    let item = dtype.map_or(1, ScalarType::size_in_bytes) as u64;
    let bytes = u64::try_from(count).ok().and_then(|count| count.checked_mul(item));
    let bytes = bytes.ok_or_else(|| format!("a storage of {count} elements"))?;
    heap.storage(Storage { key, dtype, bytes })
}

/// Where a tensor lies in its storage, as it came.
struct View {
    storage: Value,
    offset: Value,
    sizes: Value,
    strides: Value,
}

/// Typed storages say the dtype themselves; untyped ones come with one.
fn tensor(heap: &mut Heap, view: View, grad: Value, dtype: Option<ScalarType>) -> Answer {
    let View { storage, offset, sizes, strides } = view;
    let (
        Value::Storage(storage),
        Value::Int(offset),
        Value::Tuple(sizes),
        Value::Tuple(strides),
        Value::Bool(grad),
    ) = (storage, offset, sizes, strides, grad)
    else {
        return Err("a tensor needs a storage, an offset, sizes, strides and requires_grad".into());
    };
    integers(heap, sizes)?;
    integers(heap, strides)?;
    let storage = heap.storage_at(storage)?;
    let dtype = match (storage.dtype, dtype) {
        (Some(dtype), None) | (None, Some(dtype)) => dtype,
        _ => {
            return Err(
                "a tensor's dtype is given by its storage or by the call, not both and not neither".into()
            );
        }
    };
    heap.tensor(Tensor { storage, dtype, sizes, strides, offset, requires_grad: grad })
}

fn parameter(heap: &mut Heap, data: Value, grad: Value, hooks: Value) -> Answer {
    let (Value::Tensor(data), Value::Bool(requires_grad)) = (data, grad) else {
        return Err("a parameter needs a tensor and requires_grad".into());
    };
    no_hooks(heap, hooks)?;
    let tensor = heap.tensor_at(data)?;
    heap.tensor(Tensor { requires_grad, ..tensor })
}

/// A tensor with Python attributes. They are dropped; the call inside is the tensor, and cannot hold another.
fn with_attributes(heap: &mut Heap, code: &Code<'_>, function: Value, arguments: Value) -> Answer {
    match function {
        Value::Global(Global::RebuildFromType) => Err("a tensor with attributes inside another".into()),
        function => call(heap, code, function, arguments),
    }
}

/// The rank is capped here too, because one long tuple may be named by any number of tensors.
fn integers(heap: &Heap, run: Run) -> Result<(), String> {
    if heap.items(run).len() > MAX_RANK {
        return Err(format!("more than {MAX_RANK} dimensions"));
    }
    match heap.items(run).iter().find(|item| !matches!(item, Value::Int(_))) {
        None => Ok(()),
        Some(other) => Err(format!("{} among sizes or strides", other.kind())),
    }
}

fn no_hooks(heap: &Heap, hooks: Value) -> Result<(), String> {
    match hooks {
        Value::None => Ok(()),
        Value::Dict(number) if heap.entries(number).is_empty() => Ok(()),
        _ => Err("a tensor with hooks".into()),
    }
}

/// A tensor's optional metadata says whether it is a lazy conjugate or negation; the bytes of those are not what
/// the tensor means.
fn plain(heap: &Heap, code: &Code<'_>, metadata: &[Value]) -> Result<(), String> {
    let number = match metadata {
        [] | [Value::None] => return Ok(()),
        [Value::Dict(number)] => *number,
        _ => return Err("a tensor's metadata is no dict".into()),
    };
    let flags = heap.entries(number);
    if flags.len() > MAX_FLAGS {
        return Err(format!("a tensor with {} flags", flags.len()));
    }
    for (key, set) in flags {
        let (Value::Text(key), Value::Bool(set)) = (key, set) else {
            return Err("a tensor's metadata holds something other than flags".into());
        };
        if *set {
            return Err(format!("a tensor stored with the lazy flag `{}`", code.text(*key)?.escape_debug()));
        }
    }
    Ok(())
}
