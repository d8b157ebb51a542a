//! Calls and persistent ids with which a pickle describes tensors and storages.
//!
//! Pickles call a few functions of `torch._utils`. Each call is read as a record and never
//! executed.

use super::globals::Global;
use super::pickle_bytes::PickleBytes;
use super::value::{Heap, PickleValue, RowRange, StorageRow, TensorRow};
use crate::program::schema::ScalarType;
use crate::weights::extent::MAX_RANK;

/// Limit on metadata flags. PyTorch has two: `conj` and `neg`.
const MAX_FLAGS: usize = 8;

type RebuildResult = Result<PickleValue, String>;

/// Returns the value of calling a global with a tuple of arguments.
pub fn call(
    heap: &mut Heap,
    code: &PickleBytes<'_>,
    callable: PickleValue,
    arguments: PickleValue,
) -> RebuildResult {
    let PickleValue::Global(global) = callable else {
        return Err(format!("{} cannot be called", callable.kind()));
    };
    let PickleValue::Tuple(run) = arguments else {
        return Err(format!("arguments come as {}", arguments.kind()));
    };
    match (global, heap.items(run)) {
        (Global::OrderedDict, []) => heap.dict(),
        (Global::Size, &[PickleValue::Tuple(sizes)]) => {
            integers(heap, sizes).map(|_| PickleValue::Tuple(sizes))
        }
        (Global::Device, [PickleValue::Text(_)] | [PickleValue::Text(_), PickleValue::Int(_)]) => {
            Ok(PickleValue::Device)
        }
        (Global::RebuildTensor, &[storage, offset, sizes, strides]) => {
            let view = RebuiltView { storage, offset, sizes, strides };
            tensor(heap, view, PickleValue::Bool(false), None)
        }
        (Global::RebuildTensorV2, &[storage, offset, sizes, strides, grad, hooks, ref metadata @ ..]) => {
            no_hooks(heap, hooks)?;
            plain(heap, code, metadata)?;
            tensor(heap, RebuiltView { storage, offset, sizes, strides }, grad, None)
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
                PickleValue::Global(Global::Dtype(dtype)),
                ref metadata @ ..,
            ],
        ) => {
            no_hooks(heap, hooks)?;
            plain(heap, code, metadata)?;
            tensor(heap, RebuiltView { storage, offset, sizes, strides }, grad, Some(dtype))
        }
        (Global::RebuildParameter, &[data, grad, hooks]) => parameter(heap, data, grad, hooks),
        (Global::RebuildParameterWithState, &[data, grad, hooks, _]) => parameter(heap, data, grad, hooks),
        (Global::RebuildFromType, &[function, PickleValue::Global(Global::TensorClass), arguments, _]) => {
            with_attributes(heap, code, function, arguments)
        }
        (_, items) => Err(format!("{global:?} is not called with these {} arguments", items.len())),
    }
}

/// Returns the storage that a persistent id describes: `("storage", type, key, location,
/// elements)`.
pub fn persistent(heap: &mut Heap, code: &PickleBytes<'_>, id: PickleValue) -> RebuildResult {
    let PickleValue::Tuple(run) = id else { return Err(format!("a persistent id is {}", id.kind())) };
    let &[
        PickleValue::Text(tag),
        PickleValue::Global(Global::Storage(dtype)),
        PickleValue::Text(key),
        PickleValue::Text(_),
        PickleValue::Int(count),
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
    heap.storage(StorageRow { key, dtype, bytes })
}

/// A tensor's view of its storage, before type checks.
struct RebuiltView {
    storage: PickleValue,
    offset: PickleValue,
    sizes: PickleValue,
    strides: PickleValue,
}

/// Adds a tensor to the heap. Typed storages imply the dtype; untyped ones need `dtype`.
fn tensor(heap: &mut Heap, view: RebuiltView, grad: PickleValue, dtype: Option<ScalarType>) -> RebuildResult {
    let RebuiltView { storage, offset, sizes, strides } = view;
    let (
        PickleValue::Storage(storage),
        PickleValue::Int(offset),
        PickleValue::Tuple(sizes),
        PickleValue::Tuple(strides),
        PickleValue::Bool(grad),
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
    heap.tensor(TensorRow { storage, dtype, sizes, strides, offset, requires_grad: grad })
}

fn parameter(heap: &mut Heap, data: PickleValue, grad: PickleValue, hooks: PickleValue) -> RebuildResult {
    let (PickleValue::Tensor(data), PickleValue::Bool(requires_grad)) = (data, grad) else {
        return Err("a parameter needs a tensor and requires_grad".into());
    };
    no_hooks(heap, hooks)?;
    let tensor = heap.tensor_at(data)?;
    heap.tensor(TensorRow { requires_grad, ..tensor })
}

/// Reads a tensor with Python attributes, which are dropped. The inner call makes the tensor and
/// must not be nested again.
fn with_attributes(
    heap: &mut Heap,
    code: &PickleBytes<'_>,
    function: PickleValue,
    arguments: PickleValue,
) -> RebuildResult {
    match function {
        PickleValue::Global(Global::RebuildFromType) => Err("a tensor with attributes inside another".into()),
        function => call(heap, code, function, arguments),
    }
}

/// Checks that a tuple holds only integers. The rank is limited here too, because any number of
/// tensors may share one long tuple.
fn integers(heap: &Heap, run: RowRange) -> Result<(), String> {
    if heap.items(run).len() > MAX_RANK {
        return Err(format!("more than {MAX_RANK} dimensions"));
    }
    match heap.items(run).iter().find(|item| !matches!(item, PickleValue::Int(_))) {
        None => Ok(()),
        Some(other) => Err(format!("{} among sizes or strides", other.kind())),
    }
}

fn no_hooks(heap: &Heap, hooks: PickleValue) -> Result<(), String> {
    match hooks {
        PickleValue::None => Ok(()),
        PickleValue::Dict(number) if heap.entries(number).is_empty() => Ok(()),
        _ => Err("a tensor with hooks".into()),
    }
}

/// Rejects tensors whose metadata marks them as a lazy conjugate or negation, because their stored
/// bytes are not their values.
fn plain(heap: &Heap, code: &PickleBytes<'_>, metadata: &[PickleValue]) -> Result<(), String> {
    let number = match metadata {
        [] | [PickleValue::None] => return Ok(()),
        [PickleValue::Dict(number)] => *number,
        _ => return Err("a tensor's metadata is no dict".into()),
    };
    let flags = heap.entries(number);
    if flags.len() > MAX_FLAGS {
        return Err(format!("a tensor with {} flags", flags.len()));
    }
    for (key, set) in flags {
        let (PickleValue::Text(key), PickleValue::Bool(set)) = (key, set) else {
            return Err("a tensor's metadata holds something other than flags".into());
        };
        if *set {
            return Err(format!("a tensor stored with the lazy flag `{}`", code.text(*key)?.escape_debug()));
        }
    }
    Ok(())
}
